"""The review queue in the ledger (permu.sqlite): items and candidates of each year's newest merge, and decisions.

A decision belongs to (source, record key): it holds for every later load, merge and year until a newer one about the
same record replaces it. Decisions are only ever added.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import polars as pl

TABLES = (
    """CREATE TABLE IF NOT EXISTS review_items (
      item_id TEXT PRIMARY KEY, year INTEGER NOT NULL, source TEXT NOT NULL, record_key TEXT NOT NULL, name TEXT,
      reason TEXT NOT NULL, rows INTEGER NOT NULL, load_id TEXT, sheet TEXT, row INTEGER, merge_id TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS review_items_by_year ON review_items (year)",
    """CREATE TABLE IF NOT EXISTS review_candidates (
      item_id TEXT NOT NULL, rank INTEGER NOT NULL, enterprise_id TEXT NOT NULL, uscc TEXT, name TEXT, region_code TEXT,
      address TEXT, sure_ppb INTEGER NOT NULL, why TEXT, PRIMARY KEY (item_id, rank))""",
    """CREATE TABLE IF NOT EXISTS review_decisions (
      decision_id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, item_id TEXT NOT NULL,
      year INTEGER NOT NULL, source TEXT NOT NULL, record_key TEXT NOT NULL, verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reject', 'none', 'open')),
      enterprise_id TEXT, reason TEXT)""",
    "CREATE INDEX IF NOT EXISTS review_decisions_by_key ON review_decisions (source, record_key)",
)
_DECIDED = {"source": pl.String, "record_key": pl.String, "verdict": pl.String, "enterprise_id": pl.String}


def ensure(db: sqlite3.Connection) -> None:
    """Make the tables where they are missing (a ledger of an earlier version)."""
    for statement in TABLES:
        db.execute(statement)


def exists(db: sqlite3.Connection) -> bool:
    """Whether the ledger holds the queue's tables yet."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'review_decisions'").fetchone() is not None


def item_id(year: int, source: str, record_key: str) -> str:
    """An item's id: the same whenever this record waits in this year."""
    return "U" + hashlib.sha256(f"unlinked\0{year}\0{source}\0{record_key}".encode()).hexdigest()[:12]


def decisions(db: sqlite3.Connection) -> pl.DataFrame:
    """What counts now: ``source record_key verdict enterprise_id``.

    The newest ``accept``, ``none`` or ``open`` (undone) of a record, and the rejected candidates since it was last
    accepted or opened.
    """
    if not exists(db):
        return pl.DataFrame(schema=_DECIDED)
    rows = db.execute(
        "SELECT source, record_key, verdict, enterprise_id FROM review_decisions ORDER BY decision_id"
    ).fetchall()
    state: dict[tuple[str, str], dict[str | None, str]] = {}
    for source, key, verdict, enterprise in rows:
        known = state.setdefault((source, key), {})
        if verdict != "reject":
            known.clear()
        if verdict != "open":
            if verdict == "reject" and known.get(enterprise) == "accept":
                known.clear()
            known[enterprise] = verdict
    told = [(s, k, v, e) for (s, k), known in state.items() for e, v in known.items()]
    return pl.DataFrame(told, schema=_DECIDED, orient="row")


def keep_items(db: sqlite3.Connection, folder: Path, year: int, merge_id: str) -> None:
    """Replace the year's items by those of the merge in ``folder`` (candidates, unlinked, enterprises)."""
    ensure(db)
    candidates = pl.read_parquet(folder / "candidates.parquet")
    unlinked = pl.read_parquet(folder / "unlinked.parquet")
    waiting = unlinked.join(candidates, on=["source", "record_key"], how="semi", maintain_order="left")
    waiting = waiting.unique(["source", "record_key"], keep="first", maintain_order=True)
    ids = [item_id(year, *key) for key in waiting.select("source", "record_key").iter_rows()]
    waiting = waiting.with_columns(item_id=pl.Series(ids, dtype=pl.String))
    shown = _shown(candidates, folder).join(
        waiting.select("item_id", "source", "record_key"), on=["source", "record_key"]
    )
    db.execute(
        "DELETE FROM review_candidates WHERE item_id IN (SELECT item_id FROM review_items WHERE year = ?)", (year,)
    )
    db.execute("DELETE FROM review_items WHERE year = ?", (year,))
    rows = waiting.select(
        "item_id", pl.lit(year), "source", "record_key", "name", "reason", "rows", "load_id", "sheet", "row", pl.lit(merge_id).alias("m")
    ).rows()  # fmt: skip
    db.executemany("INSERT INTO review_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    columns = ["item_id", "rank", "enterprise_id", "uscc", "name", "region_code", "address", "sure_ppb", "why"]
    db.executemany("INSERT INTO review_candidates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", shown.select(columns).rows())


def _shown(candidates: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Candidates with what the register says of them."""
    rows = pl.scan_parquet(folder / "enterprises.parquet", glob=False)
    held, nothing = rows.collect_schema().names(), pl.lit(None, dtype=pl.String)
    about = ("enterprise_id", "uscc", "name", "region_code", "address")
    wanted = candidates.select("enterprise_id").unique().lazy()
    told = rows.select((pl.col(c) if c in held else nothing).alias(c) for c in about).join(
        wanted, on="enterprise_id", how="semi"
    )
    return candidates.join(told.collect(), on="enterprise_id", how="left", maintain_order="left")
