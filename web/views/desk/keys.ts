// Single keys for the desk: only while switched on, and never while somebody types (WCAG 2.1.4).
import { useEffect, useRef } from "preact/hooks";

const TYPES = "input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]";

export function useKeys(on: boolean, keys: Readonly<Record<string, () => void>>): void {
  const held = useRef(keys);
  held.current = keys;
  useEffect(() => {
    if (!on) return;
    const press = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.closest?.(TYPES) || document.querySelector("dialog[open]")) return;
      const act = held.current[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on]);
}
