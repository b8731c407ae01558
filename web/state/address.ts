// Every state of the page is in its address, so that a link shows what its sender saw.
import { useEffect, useState } from "preact/hooks";

/** What the address asks: names as the API has them, and those of a view. Absent = not asked. */
export type Asked = Readonly<Record<string, string>>;
/** A change of the address; "" or null takes a name out. */
export type Change = Readonly<Record<string, string | null | undefined>>;

/** The question about enterprises: it stays when the view changes, and goes to the API as it is. */
export const FILTERS = ["industry", "region", "size", "group", "grade", "q"] as const;
/** What stays when the view changes. */
const KEPT = ["lang", "release", "year", "policy", "by", ...FILTERS] as const;

export function read(search: string = location.search): Asked {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (value !== "") found[name] = value;
  }
  return found;
}

/** The address of `asked`; the default view needs no name. Order is fixed, so equal states have equal links. */
export function write(asked: Asked): string {
  const names = Object.keys(asked).filter((n) => asked[n] !== "" && !(n === "view" && asked[n] === "map"));
  const rank = (n: string) => ["view", ...KEPT].indexOf(n as never) + 1 || 99;
  names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const query = new URLSearchParams(names.map((n) => [n, asked[n]!]));
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text ? `/?${text}` : "/";
}

export function changed(asked: Asked, change: Change): Asked {
  const next: Record<string, string> = { ...asked };
  for (const [name, value] of Object.entries(change)) {
    if (value) next[name] = value;
    else delete next[name];
  }
  return next;
}

/** The address of another view: the question stays, what belongs to one view alone goes. */
export function toView(asked: Asked, view: string, more: Change = {}): string {
  const kept = Object.fromEntries(KEPT.filter((n) => asked[n]).map((n) => [n, asked[n]!]));
  return write(changed({ ...kept, view }, more));
}

const listeners = new Set<() => void>();
addEventListener("popstate", () => listeners.forEach((tell) => tell()));

/** Go to an address of this page; `replace` for what a person would not call a step (moving the map). */
export function go(href: string, replace = false): void {
  if (href === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  listeners.forEach((tell) => tell());
}

/** Change some names of the address as it is now. */
export function ask(change: Change, replace = false): void {
  go(write(changed(read(), change)), replace);
}

/** The address, followed. */
export function useAsked(): Asked {
  const [asked, set] = useState(read);
  useEffect(() => {
    const tell = () => set(read());
    tell(); // it may have moved between the first drawing and now
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return asked;
}

/** Links of this page are followed in place; with a modifier key, or to elsewhere, they stay links. */
export function followLinks(event: MouseEvent): void {
  const link = (event.target as Element).closest?.("a");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname !== "/" || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
  scrollTo(0, 0);
}
