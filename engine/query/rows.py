"""The result row of the contract, from row numbers of a board."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.query.board import Board
from engine.schema.codes import industry_name, region_name
from engine.schema.columns import ROW
from engine.served import shape

_NAMES = {"industry_name": ("industry_code", industry_name), "region_name": ("region_code", region_name)}


def percentile(rank: int | None, of: int) -> float | None:
    """100·(of − rank)/(of − 1); None without a rank or in a group of one."""
    return None if rank is None or of == 1 else 100 * (of - rank) / (of - 1)


def ranked_columns(board: Board) -> dict[str, list[str]]:
    """metric → groupings for which the release holds ranks."""
    return shape.ranked(board.table.columns)


def fetch(board: Board, rows: np.ndarray, columns: list[str]) -> list[dict[str, Any]]:
    """The named columns of these rows, in the order given; a column that the release lacks is null."""
    known = [c for c in columns if c in board.table.columns]
    absent = dict.fromkeys(c for c in columns if c not in known)
    picked = board.table.select(pl.col(known).gather(pl.Series(rows))) if known else None
    return [{**absent, **row} for row in (picked.to_dicts() if picked is not None else [])]


def build(
    board: Board, rows: np.ndarray, ranks: list[int | None], of: int | list[int], metric: str
) -> list[dict[str, Any]]:
    """Rows of the contract. ``ranks`` and ``of`` are those of the asked group, aligned to ``rows``."""
    ranked = ranked_columns(board)
    stored = [c for c in ROW[3:] if c not in _NAMES] + [*board.indicators, metric, *board.parts, "flags"]
    pairs = [f"{kind}__{m}__{g}" for m, groups in ranked.items() for g in groups for kind in ("rank", "of")]
    found = fetch(board, rows, list(dict.fromkeys([*stored, *pairs])))
    ofs = [of] * len(found) if isinstance(of, int) else of
    return [_row(board, raw, rank, total, metric, ranked) for raw, rank, total in zip(found, ranks, ofs, strict=True)]


def _row(
    board: Board, raw: dict[str, Any], rank: int | None, of: int, metric: str, ranked: dict[str, list[str]]
) -> dict[str, Any]:
    row: dict[str, Any] = {"rank": rank, "of": of, "percentile": percentile(rank, of)}
    for name in ROW[3:]:
        if name in _NAMES:
            code, named = _NAMES[name]
            row[name] = named(raw[code]) if raw.get(code) else None
        else:
            row[name] = raw[name]
    row["grade"] = raw["grade"] or None
    for name in (*board.indicators, metric):
        row.setdefault(name, raw[name])
    for family, title in (("base__", "bases"), ("item__", "items")):
        if found := {n.removeprefix(family): raw[n] for n in board.parts if n.startswith(family)}:
            row[title] = found
    row["ranks"] = {
        m: {g: {"rank": raw[f"rank__{m}__{g}"], "of": raw[f"of__{m}__{g}"]} for g in groups}
        for m, groups in ranked.items()
    }
    row["flags"] = raw["flags"].split(",") if raw["flags"] else []
    row["release_id"] = board.release_id
    return row
