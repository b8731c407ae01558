"""Why an enterprise's grade would change, in one sentence a person can read."""

from __future__ import annotations

from typing import Any

from engine.schema.columns import column

_LEAST = 0.005  # points that show in two digits
_PLAIN = {
    "now_ranked": ("改后参评", "would be graded"),
    "no_longer_ranked": ("改后不再参评", "would no longer be graded"),
    "scope": ("评价范围改变（改前改后均不参与排名）", "another scope, ranked neither before nor after"),
}


def told(row: dict[str, Any], lang: str = "zh") -> str:
    """The sentence of a row of :class:`engine.whatif.simulate.Simulation`; "" where the grade stays."""
    why = row["why"].split(",")
    if why == [""]:
        return ""
    zh = lang == "zh"
    for code, words in _PLAIN.items():
        if code in why:
            return words[0 if zh else 1]
    parts = [_score(row, zh), _rank(row, zh), _line(row, zh), _rest(why, zh)]
    return ("；" if zh else "; ").join(p for p in parts if p)


def _score(row: dict[str, Any], zh: bool) -> str:
    before, after = row["score_before"], row["score_after"]
    deltas = {n.removeprefix("delta__"): v for n, v in row.items() if n.startswith("delta__") and v is not None}
    items = [f"{column(n).title('zh' if zh else 'en')} {v:+.2f}" for n, v in deltas.items() if abs(v) >= _LEAST]
    if before == after and not items:
        return ""
    inside = (f"（{'，'.join(items)}）" if zh else f" ({', '.join(items)})") if items else ""
    return f"{'得分' if zh else 'score'} {before:.2f} → {after:.2f}{inside}"


def _rank(row: dict[str, Any], zh: bool) -> str:
    one, other = (f"{row[f'rank_{s}']}/{row[f'of_{s}']}" for s in ("before", "after"))
    return f"{'名次' if zh else 'rank'} {one} → {other}"


def _line(row: dict[str, Any], zh: bool) -> str:
    """The line between the two grades; – where nobody of the group had that grade."""
    before, after = ("–" if v is None else f"{v:.2f}" for v in (row["line_before"], row["line_after"]))
    if before == after:
        return ""
    return f"{row['line_of']} 级线 {before} → {after}" if zh else f"line of {row['line_of']} {before} → {after}"


def _rest(why: list[str], zh: bool) -> str:
    words = {
        "group": ("评价组别改变", "graded in another group"),
        "adjustment": ("由调整规则改变", "moved by a rule of adjustment"),
    }
    return ("；" if zh else "; ").join(words[w][0 if zh else 1] for w in why if w in words)
