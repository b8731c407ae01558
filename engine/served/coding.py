"""Columns of text as small whole numbers: one code for each combination of a dimension's columns that occurs."""

from __future__ import annotations

import numpy as np
import polars as pl

_LENGTHS = {"region_province": 2, "region_city": 4, "region_county": 6, "region_town": 9}


def coded(table: pl.DataFrame, columns: tuple[str, ...]) -> tuple[np.ndarray, pl.DataFrame]:
    """Each row's code (uint16, uint32 where there are more) and the combinations: row k is code k."""
    own = [_dense(table[c]) for c in columns]
    codes, first = own[0]
    if not all(np.array_equal(other[first][codes], other) for other, _ in own[1:]):
        keys = np.zeros(table.height, dtype=np.int64)
        for other, some in own:
            keys = keys * len(some) + other
        _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    small = np.uint16 if len(first) < 2**16 else np.uint32
    return codes.astype(small), table.select(pl.col(columns).gather(pl.Series(first)))


def _dense(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes 0, 1, 2, … in order of the text, null last, and the first row of each."""
    physical = texts.cast(pl.Categorical).to_physical().cast(pl.Int64)
    known = physical.fill_null((physical.max() or 0) + 1).to_numpy()  # type: ignore[operator]
    first = np.full(int(known.max()) + 1, -1)
    first[known[::-1]] = np.arange(len(known) - 1, -1, -1)
    held = np.flatnonzero(first >= 0)
    order = texts.gather(pl.Series(first[held])).arg_sort(nulls_last=True).to_numpy()
    code = np.empty(len(first), dtype=np.int64)
    code[held[order]] = np.arange(len(held))
    return code[known], first[held[order]]


def levels(dimension: str, combinations: pl.DataFrame) -> dict[str, pl.Series]:
    """Level → which of its groups each combination belongs to (null: none); only levels that divide."""
    if dimension == "industry":
        found = {c: combinations[c] for c in combinations.columns[1:]}
    elif dimension == "region":
        code = combinations["region_code"]
        long = code.str.len_chars()
        found = {
            name: code.str.slice(0, n).zip_with(long >= n, pl.Series([None], dtype=pl.String))
            for name, n in _LENGTHS.items()
        } | {"zone": combinations["zone_code"]}
    else:
        found = {dimension: combinations.to_series()} if dimension in ("size", "scale", "land") else {}
    return {name: groups for name, groups in found.items() if groups.n_unique() > 1}
