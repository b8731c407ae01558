"""Group figures for those who may not see single firms: no small group, none that one firm dominates.

The public (and enterprises) see Σ/Σ of groups of at least five firms with a value in which no firm holds more than
85 % of land, output or tax; no means or quantiles, which would tell single firms. Where one group of an answer is
withheld, the smallest other one is withheld too: the total would give it away. GIS staff see counts, land and grades.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from api.rights.rules import LARGEST_SHARE, LEAST_GROUP
from api.rights.view import View, forbidden
from engine.query import Board, Selection
from engine.query.amounts import amounts
from engine.query.page import kept

_FIGURES = {"land_mu": "land_dm2_days", "output_wan_yuan": "output_fen", "tax_wan_yuan": "tax_fen"}
_SINGLE = ("mean", "p10", "p25", "p50", "p75", "p90")
Line = dict[str, Any]


def shown(view: View, board: Board, selection: Selection, names: tuple[str, ...], lines: list[Line]) -> list[Line]:
    """The lines of a summary as the viewer may see them; PermuError ``forbidden`` for q where firms are hidden."""
    if view.every_column and not view.suppressed:
        return lines
    if not view.suppressed:
        return [_columns(view, line) for line in lines]
    if selection.q is not None:
        raise forbidden(
            "groups", "q picks single firms out of a group: ask without q", "q 会选出单个企业：请不使用 q", view.viewer
        )
    safe = _safe(board, selection, names)
    return _without_small(board, [(line, safe.get(_key(line, names), {})) for line in lines], names)


def _columns(view: View, line: Line) -> Line:
    figures = {name: line[name] for name in _FIGURES if name in line and view.sees(name)}
    metrics = {name: found for name, found in line.get("metrics", {}).items() if view.sees(name)}
    rest = {k: v for k, v in line.items() if k not in _FIGURES and k != "metrics"}
    return {**rest, **figures, "metrics": metrics}


def _key(line: Line, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(line["key"][name] for name in names)


def _safe(board: Board, selection: Selection, names: tuple[str, ...]) -> dict[tuple[Any, ...], Line]:
    """Group → how many firms it has, and which amounts none of them dominates (five have a value)."""
    members = board.members(selection.members)
    members = members[kept(board, selection, members)]
    sums = amounts(board)
    rows = pl.Series(members)
    own = board.table.select(pl.col([c for c in _FIGURES.values() if c in board.table.columns]).gather(rows))
    more = sums.select(pl.exclude(own.columns).gather(rows))
    keys = board.keyed(members, names).select(pl.col(n).alias(f"key_{n}") for n in names)
    values = [*own.columns, *more.columns]
    frame = own.with_columns(*more.get_columns(), *keys.get_columns())
    asked = [pl.len().alias("firms"), *(_fair(c).alias(c) for c in values)]
    found = frame.group_by(keys.columns).agg(asked) if names else frame.select(asked)
    return {tuple(line[k] for k in keys.columns): line for line in found.iter_rows(named=True)}


def _fair(name: str) -> pl.Expr:
    """At least five values, none above 85 % of their sum (sizes, so that a loss does not hide a giant)."""
    size = pl.col(name).cast(pl.Int128).abs()
    most, whole = LARGEST_SHARE
    enough = pl.col(name).is_not_null().sum() >= LEAST_GROUP
    return enough & ((size.max() * whole) <= (size.sum() * most)).fill_null(False)


def _without_small(board: Board, lines: list[tuple[Line, Line]], names: tuple[str, ...]) -> list[Line]:
    good = [(line, safe) for line, safe in lines if _whole(safe)]
    if names and len(lines) - len(good) == 1 and good:
        smallest = min(range(len(good)), key=lambda i: good[i][0]["enterprises"])
        good.pop(smallest)
    return [_public(board, line, safe) for line, safe in good]


def _whole(safe: Line) -> bool:
    """Five firms and more, and none dominates land, output or tax."""
    return safe.get("firms", 0) >= LEAST_GROUP and all(safe.get(name, True) for name in _FIGURES.values())


def _public(board: Board, line: Line, safe: Line) -> Line:
    """Σ/Σ of those metrics both of whose sums are nobody's."""
    known = board.release.pack.policy.all_indicators
    fair = {
        name
        for name in line.get("metrics", {})
        if name in known and safe.get(known[name].numerator) and safe.get(known[name].denominator)
    }
    metrics = {
        name: {**found, **dict.fromkeys(_SINGLE)}
        for name, found in line.get("metrics", {}).items()
        if name in fair and found.get("of", 0) >= LEAST_GROUP
    }
    return {**line, "metrics": metrics}


def coarse(value: float | None) -> float | None:
    """Three significant digits: enough to compare with, too few to be the figure of one firm."""
    return None if value is None else float(f"{value:.3g}")
