// Words of the page: one dictionary a language, the same keys in both (a test compares them).
import { en } from "./en";
import { zh } from "./zh";

export type Lang = "zh" | "en";
export type Word = keyof typeof zh;
const DICTIONARIES: Record<Lang, Record<Word, string>> = { zh, en };

/** The language that the address asks: Chinese unless `lang=en`. */
export function lang(): Lang {
  return new URLSearchParams(location.search).get("lang") === "en" ? "en" : "zh";
}

/** A sentence; `{name}` in it is filled from `values`. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return DICTIONARIES[lang()][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** A word whose key is put together (`grade_${x}`); the rest of the key itself where there is none. */
export function tOr(word: string, otherwise: string): string {
  return (DICTIONARIES[lang()] as Record<string, string>)[word] ?? otherwise;
}

/** One of a Chinese and an English text, as the API gives them. */
export function either(chinese: string | null | undefined, english: string | null | undefined): string {
  return (lang() === "zh" ? chinese || english : english || chinese) ?? "";
}
