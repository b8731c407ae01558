// When a view of many parts shows what was asked: no part of it is busy any more.
import { useEffect, useRef } from "preact/hooks";

/** A ref for a view's outermost element: its `data-ready` is true while nothing within has `aria-busy`. */
export function useReady<T extends HTMLElement>() {
  const box = useRef<T>(null);
  useEffect(() => {
    const shown = box.current;
    if (!shown) return;
    const look = () => void (shown.dataset.ready = String(!shown.querySelector("[aria-busy=true]")));
    const watch = new MutationObserver(look);
    watch.observe(shown, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-busy"] });
    look();
    return () => watch.disconnect();
  }, []);
  return box;
}
