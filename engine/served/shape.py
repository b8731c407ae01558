"""Which columns of a rankings table are what: indicators, parts of a score, stored ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

AMOUNTS = ("land_mu", "output_wan_yuan", "tax_wan_yuan")
_NOT_METRICS = ("rank__", "of__", "base__", "item__")


def indicators(schema: Mapping[str, pl.DataType]) -> tuple[str, ...]:
    """Indicator columns in the table's own order."""
    known = (*AMOUNTS, "score")
    return tuple(n for n, t in schema.items() if t == pl.Float64 and n not in known and not n.startswith(_NOT_METRICS))


def parts(names: Iterable[str]) -> tuple[str, ...]:
    """Base and points of each item of a composite score; empty where the policy has none."""
    return tuple(n for n in names if n.startswith(("base__", "item__")))


def ranked(names: Iterable[str]) -> dict[str, list[str]]:
    """metric → groupings for which the table holds ranks."""
    found: dict[str, list[str]] = {}
    for name in names:
        if name.startswith("rank__"):
            _, metric, grouping = name.split("__")
            found.setdefault(metric, []).append(grouping)
    return found
