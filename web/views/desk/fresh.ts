// Lists of the desk change with every decision: they are asked anew, and the old answer stays until the new one is there.
import { useEffect, useState } from "preact/hooks";
import { get, type Known } from "../../state/api";

/** The answer of `href`, asked again whenever `version` changes; null asks nothing. */
export function useFresh<T>(href: string | null, version = 0): Known<T> {
  const [known, set] = useState<Known<T>>({ loading: href !== null });
  useEffect(() => {
    if (href === null) return set({ loading: false });
    const leave = new AbortController();
    set((k) => ({ data: k.data, loading: true }));
    get<T>(href, leave.signal).then(
      (data) => leave.signal.aborted || set({ data, loading: false }),
      (error: Error) => leave.signal.aborted || set({ error, loading: false }),
    );
    return () => leave.abort();
  }, [href, version]);
  return known;
}

/** Pages of a list joined: `more` asks the next one; another question begins anew. */
export function usePages<T extends { next: string | null }, R>(href: (cursor: string | null) => string, rows: (page: T) => R[], version = 0) {
  const start = href(null);
  const first = useFresh<T>(start, version);
  const [rest, set] = useState<{ of: string; rows: R[]; next: string | null }>({ of: "", rows: [], next: null });
  useEffect(() => set({ of: "", rows: [], next: null }), [start, version]);
  const joined = first.data ? [...rows(first.data), ...(rest.of === start ? rest.rows : [])] : [];
  const next = rest.of === start ? rest.next : (first.data?.next ?? null);
  const more = () =>
    next &&
    get<T>(href(next)).then((page) =>
      set((r) => ({ of: start, rows: [...(r.of === start ? r.rows : []), ...rows(page)], next: page.next })),
    );
  return { ...first, rows: joined, next, more };
}
