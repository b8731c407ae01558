"""The files of ``served/`` and how a row's record is laid out; raise VERSION when any of it changes."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1
FOLDER = "served"
INDEX = "index.json"
FILES = ("table.arrow", "search.arrow", "records.bin", "words.bin", "codes.bin", "orders.bin")
# Rank of a row without a value in an order: behind every rank.
UNRANKED = 2**31 - 1

# What a row's place in a group depends on. The first column of each decides the others nearly always (a class of
# industry lies in one division), so a release has few distinct combinations of them.
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "industry": ("industry_code", "industry_section", "industry_2", "industry_3", "industry_4"),
    "region": ("region_code", "zone_code"),
    "size": ("size",),
    "scale": ("scale_group",),
    "land": ("land_group",),
    "grade": ("grade",),
    "flags": ("flags",),
}


def record_type(figures: int, ranks: int) -> np.dtype[Any]:
    """One row: figures (NaN = missing), where its words stand, its codes, its stored ranks (-1 = none)."""
    return np.dtype(
        [
            ("figures", "<f8", (figures,)),
            ("word", "<i8"),
            ("length", "<i4"),
            ("codes", "<i4", (len(DIMENSIONS),)),
            ("ranks", "<i4", (ranks,)),
        ]
    )


def mapped(place: Path) -> mmap.mmap:
    """A file mapped for reading; the mapping outlives the removal of the file."""
    with place.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
