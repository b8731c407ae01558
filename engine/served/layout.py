"""The files of ``served/``; raise VERSION when any of them changes.

table.arrow   the rankings, uncompressed, so that its columns are used where they lie in the mapped file
names.txt     what ``q`` looks in, row after row (names.bin: where each begins, int64): the folded names, and
ids.txt       credit codes, ids and initials (ids.bin)
rows.json     a row of the contract a line (engine.served.rows), read at starts.bin (int64, where each line starts)
codes.bin     each row's code in every dimension, dimension by dimension
orders.bin    metric by metric: rank among all (uint32 a row), the order of all, and it cut by every level;
              then rank and order by each other figure
"""

from __future__ import annotations

import mmap
from pathlib import Path

VERSION = 4
FOLDER = "served"
INDEX = "index.json"
FILES = (
    "table.arrow",
    "names.txt",
    "names.bin",
    "ids.txt",
    "ids.bin",
    "rows.json",
    "starts.bin",
    "codes.bin",
    "orders.bin",
)
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


def mapped(place: Path) -> mmap.mmap:
    """A file mapped for reading; the mapping outlives the removal of the file."""
    with place.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
