"""The bureau's own lists of what happened to an enterprise and of how enterprises belong together, linked and kept.

They state no figure: rule packs read them as they stand, row by row with their place in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingest.canonical import Year
from ingest.link import Linked, distinct_keys

Linker = Callable[[str, pl.DataFrame], Linked]


@dataclass(frozen=True)
class Listed:
    """A list's rows whose enterprise is known (``rows``, as written), and its links for the ledger of links."""

    name: str
    rows: pl.DataFrame
    found: Linked

    def write(self, year: Year, folder: Path) -> int:
        """``<name>.parquet`` in enterprise order; how many rows."""
        ordered = self.rows.sort("enterprise_id", "origin")
        year.origins(ordered).write_parquet(folder / f"{self.name}.parquet")
        return ordered.height


def lists(year: Year, linker: Linker) -> list[Listed]:
    """``events`` and ``relations`` of the year, those of them that it has."""
    made = [_events(year, linker), _relations(year, linker)]
    return [m for m in made if m is not None]


def _events(year: Year, linker: Linker) -> Listed | None:
    """enterprise_id, category, year (null where the list states none), evidence."""
    table = year.scan("events", "event")
    if table is None:
        return None
    rows = table.filter(pl.col("record_key").is_not_null()).collect()
    found = linker("events", distinct_keys(rows, "record_key"))
    linked = _with(rows, found, "record_key", "enterprise_id").drop_nulls("enterprise_id")
    return Listed("events", linked.select("enterprise_id", "category", "year", "evidence", "origin"), found)


def _relations(year: Year, linker: Linker) -> Listed | None:
    """enterprise_id, other_enterprise_id (null where not linked), kind, from_on, to_on (null: open)."""
    table = year.scan("relations", "relation")
    if table is None:
        return None
    rows = table.filter(pl.col("record_key").is_not_null()).collect()
    sides = pl.concat([rows.select("origin", key=side) for side in ("record_key", "other_key")])
    found = linker("relations", distinct_keys(sides, "key"))
    both = _with(_with(rows, found, "record_key", "enterprise_id"), found, "other_key", "other_enterprise_id")
    columns = ["enterprise_id", "other_enterprise_id", "kind", "from_on", "to_on", "origin"]
    return Listed("relations", both.drop_nulls("enterprise_id").select(columns), found)


def _with(rows: pl.DataFrame, found: Linked, key: str, name: str) -> pl.DataFrame:
    links = found.links.select(pl.col("record_key").alias(key), pl.col("enterprise_id").alias(name))
    return rows.join(links, on=key, how="left", maintain_order="left")
