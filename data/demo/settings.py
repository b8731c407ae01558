"""What the synthetic world is made of: the vocabulary file, fixed dates, and named random streams."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

CITIES = ("3201", "3211", "3204", "3202", "3205")  # west to east, as they lie
BOX = (118.4, 31.0, 121.3, 32.4)  # synthetic bounding box: lon, lat of the corners
STAMP = dt.datetime(2025, 1, 1)  # every date that a file format insists on
ZONE, ZONE_COUNTY = "320571", "320576"  # a zone's pseudo code and the county that it lies in
TITLE = "（合成示例数据）"
# How a record can be tied to its enterprise: by a code, by the exact normalised name, not by either.
BY_ID, BY_NAME, NOT_LINKABLE = 0, 1, 2
BASE_ENTERPRISES = 20_000


@cache
def vocabulary() -> dict[str, Any]:
    """The words, assumed effects and trap rates of ``vocabulary.yaml``."""
    return yaml.safe_load(Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8"))


def trap_count(name: str, enterprises: int) -> int:
    """How many of a trap a year's drops hold, for that many enterprises (at least two)."""
    return max(2, round(vocabulary()["traps"][name] * enterprises / BASE_ENTERPRISES))


def stream(seed: int, *labels: object) -> np.random.Generator:
    """A random stream of its own for each part: a change in one leaves the bytes of the others alone."""
    return np.random.default_rng([seed, *(zlib.crc32(str(label).encode()) for label in labels)])


def pick(rng: np.random.Generator, eligible: Ints, count: int) -> Ints:
    """``count`` different members of ``eligible`` (all of them where there are fewer), ascending."""
    return np.sort(rng.choice(eligible, min(count, len(eligible)), replace=False))


def flags(size: int, members: Ints) -> Flags:
    """``size`` booleans, true at ``members``."""
    out = np.zeros(size, dtype=bool)
    out[members] = True
    return out


def texts(values: Sequence[str], at: Ints) -> pl.Series:
    """``values[at]`` as a String series."""
    return pl.Series(values, dtype=pl.String).gather(at)


def decimal(values: Ints, digits: int) -> pl.Series:
    """Integers in units of 10^-digits as written numbers: 12345 with 2 digits is ``123.45``. Exact."""
    v = pl.Series("v", values, dtype=pl.Int64)
    if digits == 0:
        return v.cast(pl.String)
    size = v.abs()
    return pl.select(
        pl.concat_str(
            pl.when(v < 0).then(pl.lit("-")).otherwise(pl.lit("")),
            (size // 10**digits).cast(pl.String),
            pl.lit("."),
            (size % 10**digits).cast(pl.String).str.zfill(digits),
        )
    ).to_series()


def day_texts(days: Days, style: str = "%Y-%m-%d") -> pl.Series:
    """Dates as written."""
    return pl.Series("d", days.astype("datetime64[D]")).dt.strftime(style)
