// A dialog on the browser's own <dialog>: focus, Escape and the backdrop are its.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../words";

interface Shown {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog(p: Shown) {
  const box = useRef<HTMLDialogElement>(null);
  const ident = useId();
  useEffect(() => {
    if (p.open && !box.current?.open) box.current?.showModal();
    if (!p.open && box.current?.open) box.current.close();
  }, [p.open]);
  return (
    <dialog ref={box} class="dialog" aria-labelledby={ident} onClose={p.onClose}>
      <header>
        <h2 id={ident}>{p.title}</h2>
        <button type="button" class="quiet" aria-label={t("close")} onClick={() => box.current?.close()}>
          ×
        </button>
      </header>
      {p.open && p.children}
    </dialog>
  );
}
