"""Which pairs of record and enterprise are looked at: the nearest names of the county, else those that share rare
character pairs anywhere in the register."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

NEAREST = 6  # candidates a record
LEAST_RATIO = 60  # of stems: below it two names have little but the trade in common
BEHIND = 12  # ratio: names that far behind a record's nearest one add nothing to the choice
_CELLS = 16_000_000  # of one comparison matrix (a byte each)
WORKERS = 2
_RARE = 6  # character pairs of a stem that are looked up, the rarest first
_COMMON = 2000  # a pair that more names hold tells nothing
_WEIGHT = pl.lit(10**12, dtype=pl.Int64)  # of a pair that one name holds


def by_county(records: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Pairs ``record_no, name_no`` (UInt32) of the nearest stems within each county.

    Both frames: ``stem``, ``county``; the numbers are their row numbers.
    """
    held = _grouped(names)
    stretches = (
        (rows[start : start + step], asked[start : start + step], *held[county])
        for county, (rows, asked) in _grouped(records).items()
        if county in held
        for step in [max(1, _CELLS // len(held[county][1]))]
        for start in range(0, len(asked), step)
    )
    # two stretches at once rather than two threads in one: what follows the comparison is work too
    with ThreadPoolExecutor(WORKERS, "permu-near") as beside:
        return _frame(list(beside.map(lambda stretch: _nearest(*stretch), stretches)))


def _grouped(frame: pl.DataFrame) -> dict[str, tuple[np.ndarray, list[str]]]:
    grouped = (
        frame.select("county", "stem", no=pl.int_range(pl.len(), dtype=pl.UInt32))
        .drop_nulls()
        .group_by("county")
        .agg("no", "stem")
        .sort("county")
    )
    return {c: (np.array(no, dtype=np.uint32), stems) for c, no, stems in grouped.iter_rows()}


def _nearest(rows: np.ndarray, asked: list[str], columns: np.ndarray, held: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The columns that come near each row: no further than BEHIND from its best ratio, NEAREST of them and all that tie
    with the last (the order must not matter)."""
    scores = process.cdist(asked, held, scorer=fuzz.ratio, dtype=np.uint8, score_cutoff=LEAST_RATIO)
    floor = np.maximum(scores.max(axis=1), LEAST_RATIO + BEHIND) - BEHIND
    at, to = np.divmod(np.flatnonzero(scores >= floor[:, None]), len(held))  # np.nonzero takes six times as long
    near = _nearest_of_each(at, scores[at, to])
    return rows[at[near]], columns[to[near]]


def _nearest_of_each(at: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Which of the cells (row ``at``, ascending) are among the NEAREST of their row or tie with the last of them."""
    order = np.lexsort((-score.astype(np.int64), at))
    rows, scores = at[order], score[order]
    first = np.searchsorted(rows, rows, side="left")
    last = np.minimum(first + NEAREST, np.searchsorted(rows, rows, side="right")) - 1
    kept = order[scores >= scores[last]]
    kept.sort()
    return kept


def same_name(records: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Pairs as of :func:`by_county` of the very same ``key``, wherever the enterprise is."""
    ours, theirs = (f.select("key", no=pl.int_range(pl.len(), dtype=pl.UInt32)) for f in (records, names))
    both = ours.join(theirs, on="key", suffix="_held")
    return both.select(record_no="no", name_no="no_held")


def anywhere(records: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Pairs as of :func:`by_county`, by the rarest pairs of characters of each stem, over the whole register, whose names
    are given as their :func:`bigrams`."""
    asked = bigrams(records, "record_no")
    held = held.join(asked.select("gram").unique(), on="gram", how="semi")
    counted = held.group_by("gram").len("held").filter(pl.col("held") <= _COMMON)
    rare = (
        asked.join(counted, on="gram")
        .sort("record_no", "held", "gram")
        .group_by("record_no", maintain_order=True)
        .head(_RARE)
    )
    # Whole numbers: a sum of fractions depends on the order of the rows, and with it which of two candidates is cut off.
    weight = (_WEIGHT // pl.col("held").cast(pl.Int64)).sum()
    shared = rare.join(held, on="gram").group_by("record_no", "name_no").agg(n=pl.len(), weight=weight)
    best = shared.sort("record_no", "n", "weight", "name_no", descending=[False, True, True, False])
    return best.group_by("record_no", maintain_order=True).head(2 * NEAREST).select("record_no", "name_no")


def bigrams(frame: pl.DataFrame, number: str) -> pl.DataFrame:
    """``number gram``: the different pairs of neighbouring characters of each stem."""
    stems = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias(number), stem="stem").drop_nulls()
    length = pl.col("stem").str.len_chars().cast(pl.Int64)
    places = stems.with_columns(at=pl.int_ranges(0, length - 1)).explode("at").drop_nulls("at")
    return places.select(number, gram=pl.col("stem").str.slice(pl.col("at"), 2)).unique()


def _frame(parts: list[tuple[np.ndarray, np.ndarray]]) -> pl.DataFrame:
    schema = {"record_no": pl.UInt32, "name_no": pl.UInt32}
    if not parts:
        return pl.DataFrame(schema=schema)
    records, names = (np.concatenate(side).astype(np.uint32) for side in zip(*parts, strict=True))
    return pl.DataFrame({"record_no": records, "name_no": names})
