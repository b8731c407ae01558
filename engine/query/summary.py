"""Group figures: Σ numerator ÷ Σ denominator in integers, the simple mean, quantiles, counts, grades."""

from __future__ import annotations

import calendar
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import orjson
import polars as pl

from engine.policy.indicators import Indicator
from engine.query.amounts import amounts
from engine.query.board import Board
from engine.query.page import kept
from engine.query.selection import Selection
from engine.schema.columns import GRADES
from engine.schema.units import DM2_PER_MU, FEN_PER_WAN_YUAN

QUANTILES = {"p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}
# What the page asks first (api.pages.first): of everybody, and by county. The file's number is raised with its form.
FIRST: tuple[tuple[str, ...], ...] = ((), ("region_county",))
FIGURES = "figures-1.json"
_AMOUNTS = ("land_dm2_days", "output_fen", "tax_fen")


def summary(board: Board, selection: Selection, group_by: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """One line for each member of ``group_by`` within the group asked; one line for all without it.

    ``selection.by`` limits the metrics to one; without it every metric of the release is told. Kept: not to be changed.
    """
    asked = replace(selection, order="best", limit=None, cursor=None)

    def made() -> list[dict[str, Any]]:
        return _ahead(board, asked, group_by) or _lines(board, asked, group_by)

    return board.cached(("summary", asked, group_by), made, _held)


def _ahead(board: Board, selection: Selection, group_by: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """The same as computed before (:mod:`engine.query.ahead`), where it was."""
    if board.served is None or group_by not in FIRST or selection != Selection():
        return None
    try:
        told = orjson.loads((board.served.folder / FIGURES).read_bytes())
        return told[",".join(group_by)]
    except (OSError, orjson.JSONDecodeError, KeyError):
        return None


def _held(lines: list[dict[str, Any]]) -> int:
    """Bytes that lines take, about: a thousand for each metric."""
    return sum(1000 + 1000 * len(line["metrics"]) for line in lines)


def _lines(board: Board, selection: Selection, group_by: tuple[str, ...]) -> list[dict[str, Any]]:
    members = board.members(selection.members)
    members = members[kept(board, selection, members)]
    metrics = [m for m in board.metrics if m not in ("land_mu", "output_wan_yuan", "tax_wan_yuan")]
    if selection.by not in (None, "grade"):
        metrics = [m for m in metrics if m == board.metric(selection.by)]
    groups = _Groups(board, members, group_by)
    sums, known = amounts(board), board.release.pack.policy.all_indicators
    told = [groups.keys, groups.figures([board.table[c] for c in _AMOUNTS], _totals())]
    for metric in metrics:  # one after the other: their columns together would be hundreds of megabytes
        one = known.get(metric)
        divided = [] if one is None else sorted({one.numerator, one.denominator} & set(sums.columns))
        values = [board.table[metric], *(sums[c].alias(f"sum__{c}") for c in divided)]
        told.append(groups.figures(values, _spread(metric, one, divided)))
    grades = _grades(groups, board.table)
    days = 366 if calendar.isleap(board.year) else 365
    return [
        {
            "key": dict(zip(group_by, key, strict=True)),
            **_line(line, metrics, days, known),
            "grades": grades.get(key, {}),
        }
        for line in pl.concat(told, how="horizontal").iter_rows(named=True)
        for key in [tuple(line[n] for n in groups.keys.columns)]
    ]


class _Groups:
    """Rows of a board by the values of some dimensions; without one, all of them as one group.

    ``keys``: a row a group, in order of the keys (``key_…``), nulls last.
    """

    def __init__(self, board: Board, members: np.ndarray, group_by: tuple[str, ...]) -> None:
        self._rows = pl.Series(members)
        each = board.keyed(members, group_by).select(pl.col(n).alias(f"key_{n}") for n in group_by)
        names = each.columns
        self.keys = each.unique().sort(names, nulls_last=True) if names else each
        numbered = self.keys.with_row_index("group")
        self._number = (
            each.join(numbered, on=names, how="left", nulls_equal=True, maintain_order="left")["group"]
            if names
            else None
        )

    def figures(self, values: list[pl.Series], asked: list[pl.Expr]) -> pl.DataFrame:
        """What is asked of columns of the board, a row a group in the order of ``keys``."""
        frame = pl.DataFrame([v.gather(self._rows) for v in values])
        if self._number is None:
            return frame.select(asked)
        return frame.with_columns(group=self._number).group_by("group").agg(asked).sort("group").drop("group")


def _totals() -> list[pl.Expr]:
    """Σ of the integers; null where every value is missing (no data is not zero)."""
    sums = [pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(f"sum_{c}") for c in _AMOUNTS]
    return [pl.len().alias("enterprises"), *sums]


def _spread(metric: str, one: Indicator | None, held: list[str]) -> list[pl.Expr]:
    """Count, mean, quantiles (linear) of the values, and the sums for Σ/Σ over those who have a value.

    The sums are of the amounts ``held`` that the metric divides: the policy's own, in whole numbers.
    """
    usable = pl.col(metric).is_finite().fill_null(False)
    values = pl.col(metric).filter(usable)
    found = [usable.sum().alias(f"of_{metric}"), values.mean().alias(f"mean_{metric}")]
    found += [values.quantile(p, "linear").alias(f"{name}_{metric}") for name, p in QUANTILES.items()]
    if one is not None and {one.numerator, one.denominator} <= set(held):
        for place, amount in (("above", one.numerator), ("below", one.denominator)):
            found.append(pl.col(f"sum__{amount}").filter(usable).cast(pl.Int128).sum().alias(f"{place}_{metric}"))
    return found


def _line(line: dict[str, Any], metrics: list[str], days: int, known: dict[str, Indicator]) -> dict[str, Any]:
    land, output, tax = (line[f"sum_{c}"] for c in _AMOUNTS)
    scale = DM2_PER_MU * days
    return {
        "enterprises": line["enterprises"],
        "land_mu": None if land is None else land * scale.denominator / scale.numerator,
        "output_wan_yuan": None if output is None else output / FEN_PER_WAN_YUAN,
        "tax_wan_yuan": None if tax is None else tax / FEN_PER_WAN_YUAN,
        "metrics": {m: _figures(line, m, days, known.get(m)) for m in metrics},
    }


def _figures(line: dict[str, Any], metric: str, days: int, one: Indicator | None) -> dict[str, Any]:
    """``of``, ``ratio`` (Σ/Σ, null where the release does not hold its amounts), ``mean`` and quantiles of a metric."""
    ratio = None
    if one is not None and line.get(f"below_{metric}"):
        times = one.times * (days if one.per_land else 1)
        ratio = float(Fraction(line[f"above_{metric}"] * times, line[f"below_{metric}"] * one.by))
    spread = {name: line[f"{name}_{metric}"] for name in ("mean", *QUANTILES)}
    return {"of": line[f"of_{metric}"], "ratio": ratio, **spread}


def _grades(groups: _Groups, table: pl.DataFrame) -> dict[tuple[Any, ...], dict[str, int]]:
    """Key of a group → how many hold each grade."""
    if "grade" not in table.columns:
        return {}
    counts = groups.figures([table["grade"]], [(pl.col("grade") == g).sum().alias(g) for g in sorted(GRADES)])
    keys = groups.keys.rows() if groups.keys.columns else [()]
    return {key: {g: n for g, n in line.items() if n} for key, line in zip(keys, counts.to_dicts(), strict=True)}
