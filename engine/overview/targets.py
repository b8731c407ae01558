"""How the regions stand against the targets set for them: value now, base year, goal; no figure where a part is missing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from engine.overview.members import Members, dominated
from engine.overview.target_files import Bases, Target, Targets, load_targets
from engine.query.board import Board
from engine.schema.codes import region_name


def progress(members: Members, bases: Bases, region: str | None = None) -> dict[str, Any]:
    """A line for each region and target. ``value`` is Σ ÷ Σ over the ``of`` enterprises (of ``members``) that have every
    figure it needs; ``progress`` the change (or yearly growth) since the base year, for a level the value itself.

    ``reason`` says why there is no progress: no_facts, no_base, too_few. A region without a base figure of its own gets
    none: another's is never taken.
    """
    targets = load_targets()
    fields = sorted({n for t in targets.targets for n in t.facts})
    facts = facts_of(members.board, fields)
    lines = []
    for code, rows in _regions(members, region):
        taken = None if facts is None else facts.select(pl.all().gather(pl.Series(rows)))
        lines += [_line(members, targets, bases, code, rows, taken, t) for t in targets.targets]
    return {
        **targets.model_dump(mode="json", include={"id", "title", "number", "source", "base_year", "until"}),
        "targets": [t.model_dump(mode="json", exclude={"times", "by"}) for t in targets.targets],
        "lines": lines,
    }


def facts_of(board: Board, fields: list[str]) -> pl.DataFrame | None:
    """These facts (Int64, smallest units; null where nobody states it) and ``scale_group``, a row an enterprise in id
    order; None where the release holds no facts."""
    if not board.release.has("facts_wide"):
        return None

    def read() -> pl.DataFrame:
        facts = board.release.table("facts_wide")
        held = [f for f in fields if f in facts.collect_schema().names()]
        frame = board.table.lazy().select("enterprise_id", "scale_group")
        joined = frame.join(facts.select("enterprise_id", *held), on="enterprise_id", how="left", maintain_order="left")
        absent = [pl.lit(None, dtype=pl.Int64).alias(f) for f in fields if f not in held]
        return joined.with_columns(absent).drop("enterprise_id").collect()

    found: pl.DataFrame = board.cached(("facts", tuple(fields)), read, lambda frame: frame.estimated_size())
    return found


def _regions(members: Members, region: str | None) -> list[tuple[str, np.ndarray]]:
    """Which regions get lines, with their members: the cities; of a city, itself and its counties; else the one asked."""
    own = [(region, members.rows)] if region and len(region) > 2 else []
    if region and not (region.isdigit() and len(region) <= 4):
        return own
    level = "region_county" if own else "region_city"
    codes = members.board.table[level].gather(members.rows)
    numbered = pl.DataFrame({"code": codes, "row": members.rows}).drop_nulls()
    parts = numbered.group_by("code", maintain_order=True).agg("row").sort("code")
    return own + [(code, np.asarray(rows, dtype=np.uint32)) for code, rows in parts.iter_rows()]


def _line(
    members: Members,
    targets: Targets,
    bases: Bases,
    code: str,
    rows: np.ndarray,
    facts: pl.DataFrame | None,
    one: Target,
) -> dict[str, Any]:
    of, value, hidden = (0, None, False) if facts is None else _value(facts, one, members.least)
    reason = "too_few" if hidden else "no_facts" if value is None else None
    base = bases.of(code, one.id)
    if reason is None and base is None and one.kind != "level":
        reason = "no_base"
    shown = None if reason == "too_few" else value
    done = None if reason or shown is None else _done(one, shown, base.value if base else 1.0, _years(members, targets))
    return {
        "region": code,
        "region_name": region_name(code),
        "applies": code[:4] in targets.regions,
        "target": one.id,
        "of": of,
        "members": len(rows),
        "value": shown,
        "base": None if base is None else {"value": base.value, "source": base.source},
        "progress": done,
        "goal": one.goal,
        "met": None if done is None else done <= one.goal if one.kind == "change" else done >= one.goal,
        "reason": reason,
    }


def _years(members: Members, targets: Targets) -> int:
    return members.board.year - targets.base_year


def _value(facts: pl.DataFrame, one: Target, least: int) -> tuple[int, float | None, bool]:
    """How many have every figure, Σ above × times ÷ (Σ below × by) over them, divided once (None without them), and
    whether it would tell of single enterprises."""
    if one.scale is not None:
        facts = facts.filter(pl.col("scale_group") == one.scale)
    whole = facts.filter(pl.all_horizontal(pl.col(one.facts).is_not_null()))
    hidden = least > 1 and (0 < whole.height < least or any(dominated(whole[n]) for n in one.facts))
    sums = whole.select(pl.col(dict.fromkeys(one.facts)).cast(pl.Int128).sum()).row(0, named=True)
    above, below = sum(sums[n] for n in one.above) * one.times, sums[one.below] * one.by
    return whole.height, float(Fraction(above, below)) if whole.height and below > 0 else None, hidden


def _done(one: Target, value: float, base: float, years: int) -> float | None:
    """The progress that the goal is compared with; None in the base year and before, where a rate has no meaning."""
    if one.kind == "level":
        return value
    if one.kind == "change":
        return value / base - 1
    return (value / base) ** (1 / years) - 1 if years > 0 and value > 0 else None
