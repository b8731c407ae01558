"""Regions and industries that a file names instead of giving their codes: 江苏省苏州市昆山市 → 320583, 化学农药制造 → 2631.

Only an exact name that belongs to one code counts; 鼓楼区 alone, of which there are several, is none.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import cache

from engine.schema import codes


def folded(name: str) -> str:
    """A name as it is compared: half width, upper case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", name).upper().split())


@cache
def _regions() -> dict[str, str]:
    """Name, and name after those of the divisions above it, → code; names that several share are left out.

    A town counts only below a division's name: towns outside Jiangsu, which are not in the table, share many names.
    """
    rows = {r["code"]: (r["name"], r["parent"]) for r in codes.regions().to_dicts()}
    found: dict[str, set[str]] = defaultdict(set)
    for code, (written, parent) in rows.items():
        name = folded(written)
        endings = {name}
        while parent in rows:
            above, parent = rows[parent]
            endings |= {folded(above) + ending for ending in endings}
        for ending in endings - ({name} if len(code) == 9 else set()):
            found[ending].add(code)
    return {name: of.pop() for name, of in found.items() if len(of) == 1}


@cache
def _industries() -> dict[str, str]:
    """Name → code; of a group and its only class under one name the class."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in codes.industries().to_dicts():
        found[folded(row["name"])].append(row["code"])
    one_line = {n: max(c, key=len) for n, c in found.items() if all(max(c, key=len).startswith(x) for x in c)}
    return {name: code for name, code in one_line.items() if code.isdigit()}


def region_of(name: str) -> str | None:
    """The code of a division by its exact name; None where no or several divisions have it."""
    return _regions().get(folded(name))


def industry_of(name: str) -> str | None:
    """The GB/T 4754-2017 code of an exact name; None where it is none."""
    return _industries().get(folded(name))
