// A grade as a badge: the letter carries the meaning, the colour only repeats it.
import { t, tOr } from "../words";
import { NoData } from "./number";

export const GRADES = ["A", "B", "C", "D"] as const;

export function Grade(p: { grade: string | null | undefined }) {
  if (!p.grade) return <NoData />;
  return (
    <span class={`grade grade-${p.grade}`} title={tOr(`grade_${p.grade}`, t("grade"))}>
      {p.grade}
    </span>
  );
}
