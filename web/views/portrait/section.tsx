// A part of the portrait: its title, what it says, and what stands in its place while it is not there.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { sentence } from "../../parts/toasts";
import { ApiError, type Known } from "../../state/api";
import { t } from "../../words";
import { w } from "./words";

export function Section(p: {
  title: string;
  note?: string;
  known?: Known<unknown>;
  name: string;
  empty?: string | false;
  controls?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const ident = useId();
  const error = p.known?.error;
  const refused = error instanceof ApiError && error.problem.status === 403;
  const instead = error ? (refused ? w("hidden") : sentence(error)) : p.known?.loading && !p.known.data ? t("loading") : p.empty;
  return (
    <section class={`panel part part-${p.name}`} aria-labelledby={ident} aria-busy={p.known?.loading ?? false}>
      <header class="toolbar">
        <h2 id={ident}>{p.title}</h2>
        {p.controls && <span class="push">{p.controls}</span>}
      </header>
      {instead ? (
        <p class="note">{instead}</p>
      ) : (
        <>
          {p.note && <p class="note">{p.note}</p>}
          {p.children}
        </>
      )}
    </section>
  );
}

/** A table that may be wider than the page: it scrolls by itself, also by keyboard. */
export const Wide = (p: { label: string; children: ComponentChildren }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label={p.label}>
    {p.children}
  </div>
);
