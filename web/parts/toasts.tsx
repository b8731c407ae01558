// Short messages: what was done, or what the API refused and why.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../state/api";
import { either, t } from "../words";

interface Toast {
  id: number;
  text: string;
  kind: "error" | "done";
}

let shown: Toast[] = [];
let number = 0;
const listeners = new Set<(toasts: Toast[]) => void>();

function show(toasts: Toast[]): void {
  shown = toasts;
  listeners.forEach((tell) => tell(shown));
}

const remove = (id: number): void => show(shown.filter((x) => x.id !== id));

/** Say something; what was done goes by itself, an error stays until it is closed. */
export function toast(text: string, kind: Toast["kind"] = "done"): void {
  const id = ++number;
  show([...shown.filter((x) => x.text !== text), { id, text, kind }]);
  if (kind === "done") setTimeout(() => remove(id), 6000);
}

/** An error as a sentence for people. */
export function sentence(error: unknown): string {
  if (error instanceof ApiError) return either(error.problem.detail_zh, error.problem.detail) || t("error");
  return error instanceof TypeError ? t("offline") : String((error as Error).message ?? error);
}

/** Show an error. Use it as the last catch of every action. */
export const complain = (error: unknown): void => toast(sentence(error), "error");

export function Toasts() {
  const [toasts, set] = useState(shown);
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((x) => (
        <p key={x.id} class={`toast toast-${x.kind}`}>
          {x.text}
          <button type="button" class="quiet" aria-label={t("close")} onClick={() => remove(x.id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
