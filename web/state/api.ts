// Questions to the API: JSON in, problem+json as errors that carry a sentence for people.
import { useEffect, useState } from "preact/hooks";
import { lang } from "../words";

/** RFC 9457: `code` is for programs, `title`/`detail` for people. */
export interface Problem {
  status: number;
  code?: string;
  title?: string;
  detail?: string;
  detail_zh?: string;
  parameter?: string;
}

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? String(problem.status));
  }
}

/** `/api/v1/…` with those parameters that hold something. */
export function path(route: string, asked: Record<string, string | number | null | undefined> = {}): string {
  const given = Object.entries(asked).filter(([, v]) => v !== undefined && v !== null && v !== "");
  const query = new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString();
  return `/api/v1/${route}${query ? `?${query}` : ""}`;
}

async function refusal(answer: Response): Promise<ApiError> {
  let told: Partial<Problem> = {};
  if (answer.headers.get("content-type")?.includes("json")) told = (await answer.json()) as Partial<Problem>;
  return new ApiError({ ...told, status: answer.status });
}

/** Ask; ApiError where the answer is no. */
export async function call(href: string, options: RequestInit = {}): Promise<Response> {
  const headers = { "Accept-Language": lang() === "zh" ? "zh-CN" : "en", ...(options.headers as object) };
  const answer = await fetch(href, { ...options, headers });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

export async function get<T>(href: string, signal?: AbortSignal): Promise<T> {
  return (await (await call(href, { signal })).json()) as T;
}

/** Send JSON (the desk, what-if); the answer is JSON. */
export async function send<T>(method: "POST" | "PUT" | "DELETE", href: string, body: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return (await (await call(href, { method, headers, body: JSON.stringify(body) })).json()) as T;
}

const held = new Map<string, Promise<unknown>>();
const HELD = 60;

/** `get`, kept: for answers of a release, which never change. */
export function once<T>(href: string): Promise<T> {
  let asked = held.get(href) as Promise<T> | undefined;
  if (!asked) {
    asked = get<T>(href);
    held.set(href, asked);
    asked.catch(() => held.delete(href)); // a failure is asked again
    if (held.size > HELD) held.delete(held.keys().next().value!);
  }
  return asked;
}

/** What is known of an answer: the old one stays until the new one is there. */
export interface Known<T> {
  data?: T;
  error?: Error;
  loading: boolean;
}

/** The answer of `href`; null asks nothing. */
export function useData<T>(href: string | null): Known<T> {
  const [known, set] = useState<Known<T> & { of?: string | null }>({ loading: href !== null });
  useEffect(() => {
    if (href === null) return set({ loading: false });
    let current = true;
    set((k) => ({ ...k, loading: true, error: undefined }));
    once<T>(href).then(
      (data) => current && set({ data, loading: false, of: href }),
      (error: Error) => current && set({ error, loading: false, of: href }),
    );
    return () => void (current = false);
  }, [href]);
  // between the change of the question and its asking nothing is known of it yet
  return known.of === href ? known : { ...known, loading: href !== null };
}
