"""What publishing or withdrawing a release would change, before anybody confirms it: which release answers where none is
named, who changes grade with that, and who gets in or out of the worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.releases import Release, list_releases, open_release
from engine.schema.warehouse import Warehouse
from engine.states import change_state

WORST = "D"
NO_GRADE = "-"
PUBLISHED = ("public", "final")
_NAMED = 200  # enterprises listed by name


@dataclass(frozen=True)
class Effect:
    """A change of state, with the default release of the year and policy (None: there is none) before and after it, as
    everybody sees it (``public``) and as the bureau sees it, drafts counted (``bureau``)."""

    release_id: str
    year: int
    policy: str
    before: str
    state: str
    public: tuple[str | None, str | None]
    bureau: tuple[str | None, str | None]


def effect(warehouse: Warehouse, release_id: str, state: str) -> Effect:
    """What ``state`` would change; raises what :func:`engine.states.change_state` would."""
    change = change_state(warehouse, release_id, state, "preview", dry_run=True)
    known = list_releases(warehouse)
    one = next(r for r in known if r["release_id"] == release_id)
    same = [r for r in known if (r["year"], r["policy"]) == (one["year"], one["policy"])]
    then = [r | {"state": state} if r["release_id"] == release_id else r for r in same]
    seen = [(_default(rows, PUBLISHED), _default(rows, ("draft", *PUBLISHED))) for rows in (same, then)]
    public, bureau = ((seen[0][n], seen[1][n]) for n in (0, 1))
    return Effect(release_id, one["year"], one["policy"], change.before, state, public, bureau)


def _default(rows: list[dict[str, Any]], states: tuple[str, ...]) -> str | None:
    """The newest release in one of the states: what is answered where a year and policy, but no release, is named."""
    return next((r["release_id"] for r in rows if r["state"] in states), None)


def difference(warehouse: Warehouse, old: str | None, new: str | None) -> dict[str, Any] | None:
    """What a reader sees change when ``new`` takes the place of ``old``; None where nothing does, or one side is not there.

    ``{enterprises, entered, left, matrix: {grade before: {grade after: n}}, moved, worst: grade | bottom, into_worst,
    out_of_worst: [{enterprise_id, name, before, after}], into_worst_count, out_of_worst_count}``. Worst is grade D, or
    where a policy grades nobody, its bottom per cent by the release's default metric.
    """
    if old is None or new is None or old == new:
        return None
    a, b = (open_release(warehouse.releases / i) for i in (old, new))
    both = _side(a).join(_side(b), on="enterprise_id", how="full", suffix="_b", coalesce=True)
    both = both.with_columns(
        pl.col("name_b").fill_null(pl.col("name")), *(pl.col(c).fill_null(False) for c in ("worst", "worst_b"))
    )
    there = both.filter(pl.col("here").fill_null(False), pl.col("here_b").fill_null(False))
    into, out = there.filter(pl.col("worst_b"), ~pl.col("worst")), there.filter(pl.col("worst"), ~pl.col("worst_b"))
    has_grades = b.pack.policy.score is not None
    return {
        "enterprises": int(both["here_b"].sum()),
        "entered": int(both["here"].is_null().sum()),
        "left": int(both["here_b"].is_null().sum()),
        "matrix": _matrix(there) if has_grades else None,
        "moved": there.filter(pl.col("grade") != pl.col("grade_b")).height if has_grades else None,
        "worst": WORST if has_grades else "bottom",
        "into_worst_count": into.height,
        "out_of_worst_count": out.height,
        "into_worst": _named(into),
        "out_of_worst": _named(out),
    }


def _side(release: Release) -> pl.DataFrame:
    """One row an enterprise: name, grade, whether it is among the worst."""
    table, policy = release.rankings, release.pack.policy
    if policy.score is not None:
        worst = (pl.col("grade") == WORST).fill_null(False)
    else:
        metric = policy.metrics[0]
        rank, of = (pl.col(f"{kind}__{metric}__all").cast(pl.Int64) for kind in ("rank", "of"))
        worst = (rank * 100 > (100 - policy.bottom_percent) * of).fill_null(False)
    return table.select("enterprise_id", "name", pl.col("grade").fill_null(NO_GRADE), worst=worst, here=pl.lit(True))


def _matrix(both: pl.DataFrame) -> dict[str, dict[str, int]]:
    known = {(a, b): n for a, b, n in both.group_by("grade", "grade_b").len().iter_rows()}
    used = sorted({g for pair in known for g in pair}, key=lambda g: (g == NO_GRADE, g))
    return {a: {b: known.get((a, b), 0) for b in used} for a in used}


def _named(rows: pl.DataFrame) -> list[dict[str, Any]]:
    shown = rows.sort("enterprise_id").head(_NAMED)
    return shown.select("enterprise_id", name="name_b", before="grade", after="grade_b").to_dicts()
