"""Permanent ids: one enterprise keeps its id through years, renames, moves and a change from old numbers to a credit code.

An id derives from the enterprise's first identifying key: the organisation code (its own, or the one inside a credit
code whose check digit is right), else the credit code, the registration number, the bureau's own number, the name. An old
organisation code and a new credit code so give one id whatever is merged first. A registration number says nothing of
the credit code that follows it: which row of any loaded year states both ties them, and the ledger's ``identities``
keeps every such key with the key that its id derives from (``root``), so that an id once given never changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from engine.schema.names import name_key
from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.ids import valid_org_code
from sql import statement

TABLE = """CREATE TABLE IF NOT EXISTS identities (
  key TEXT PRIMARY KEY, root TEXT NOT NULL, first_year INTEGER NOT NULL, first_load TEXT)"""
# A key that no code stands behind; what ties it to a code is a row that states both.
_WEAK = ("reg_no", "local_id")
_CODES = ("uscc", "org_code", *_WEAK)
_SCHEMA = {"key": pl.String, "root": pl.String, "first_year": pl.Int64, "first_load": pl.String}


def write_identities(year: Year, rows: pl.LazyFrame, folder: Path) -> pl.DataFrame:
    """:func:`identify` the year's register rows; what is newly tied goes to ``identities.parquet`` of the merge's folder,
    from which :func:`keep` puts it into the ledger."""
    keys, new = identify(year, rows)
    new.write_parquet(folder / "identities.parquet")
    return keys


def identify(year: Year, rows: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``origin record_key name identity_key`` of register rows of the year, and the ties that the ledger does not hold."""
    keys = _keys(rows)
    known = _known(year.warehouse)
    new = pl.concat([_of_weak(year, keys, known), _of_strong(year, keys, known)])
    new = new.unique("key", keep="first", maintain_order=True)
    rooted = _rooted(keys, pl.concat([known, new]))
    return rooted.select("origin", "record_key", "name", "identity_key"), new


def enterprise_ids(keys: pl.DataFrame) -> pl.DataFrame:
    """``origin enterprise_id`` of ``origin identity_key``, in id order."""
    import duckdb  # a server imports this module and never comes here

    with duckdb.connect() as db:
        db.register("register", keys.select("origin", record_key="identity_key").to_arrow())
        return db.sql(statement("merge/enterprises")).pl()


def _rooted(keys: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """``keys`` with ``identity_key``: the root of each row's own key, else that key."""
    if ties.is_empty():
        return keys.with_columns(identity_key="own")
    joined = keys.join(ties.select(own="key", root="root"), on="own", how="left", maintain_order="left")
    return joined.with_columns(identity_key=pl.coalesce("root", "own")).drop("root")


def _keys(rows: pl.LazyFrame) -> pl.DataFrame:
    """``origin record_key name own reg_no local_id``; ``own`` is the key that the row's id derives from by itself."""
    held, nothing = rows.collect_schema().names(), pl.lit(None, dtype=pl.String)
    columns = {c: pl.col(c) if c in held else nothing for c in ("name", *_CODES)}
    told = rows.select("origin", "record_key", **columns).collect()
    # A record key tells the code where the table states it in no column of its own.
    coded = pl.col("record_key").str.strip_prefix("uscc:")
    told = told.with_columns(
        uscc=pl.coalesce("uscc", pl.when(pl.col("record_key").str.starts_with("uscc:")).then(coded))
    )
    inner = told["uscc"].str.slice(8, 9)
    inner = pl.select(pl.when(valid_org_code(inner)).then(inner)).to_series()
    org = pl.coalesce(pl.lit(inner), pl.when(pl.col("uscc").is_null()).then("org_code"))
    own = pl.coalesce("org_code:" + org, "record_key")
    return told.with_columns(own=own).select("origin", "record_key", "name", "own", *_WEAK)


def _known(warehouse: Warehouse) -> pl.DataFrame:
    with warehouse.read() as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'identities'").fetchone() is None:
            return pl.DataFrame(schema=_SCHEMA)
        rows = db.execute("SELECT key, root, first_year, first_load FROM identities ORDER BY key").fetchall()
    return pl.DataFrame([tuple(r) for r in rows], schema=_SCHEMA, orient="row")


def _of_weak(year: Year, keys: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Roots of keys without a code that are new: the code that a row of any other loaded year states beside them."""
    kind = pl.col("own").str.split(":").list.first()
    weak = keys.filter(kind.is_in(_WEAK)).join(known, left_on="own", right_on="key", how="anti")
    if weak.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    ties = _ties(_keys(rows) for _, rows in _other_years(year))
    first = weak.sort("origin").unique("own", keep="first", maintain_order=True)
    tied = first.select("own", "origin").join(ties, left_on="own", right_on="weak", how="left", maintain_order="left")
    rooted = tied.with_columns(root=pl.coalesce("strong", "own"))
    # The code may have an id of its own by now, from an earlier year's number.
    again = rooted.join(known.select(root="key", earlier="root"), on="root", how="left", maintain_order="left")
    return _entries(year, again.select("origin", key="own", root=pl.coalesce("earlier", "root")))


def _of_strong(year: Year, keys: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Codes whose rows also state a number that an id was given by before there was a code: they keep that id."""
    given = known.filter(pl.col("key") == pl.col("root"))
    if given.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    ties = _ties([keys]).join(given.select(weak="key"), on="weak", how="semi")
    ties = ties.join(known, left_on="strong", right_on="key", how="anti")
    rows = keys.select("own", "origin").sort("origin").unique("own", keep="first", maintain_order=True)
    found = ties.join(rows, left_on="strong", right_on="own").sort("strong", "weak")
    return _entries(year, found.select("origin", key="strong", root="weak"))


def _ties(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """``weak strong``: a number and the one code that rows state beside it; a number beside two codes ties nothing."""
    parts = [pl.DataFrame(schema={"weak": pl.String, "strong": pl.String})]
    for frame in frames:
        strong = frame.filter(pl.col("own").str.starts_with("org_code:") | pl.col("own").str.starts_with("uscc:"))
        for kind in _WEAK:
            parts.append(strong.select(weak=f"{kind}:" + pl.col(kind), strong="own").drop_nulls())
    both = pl.concat(parts).unique().sort("weak", "strong")
    return both.filter(~pl.col("weak").is_duplicated())


def _other_years(year: Year) -> list[tuple[int, pl.LazyFrame]]:
    """The register rows of every other loaded year, in order."""
    with year.warehouse.read() as db:
        found = db.execute(
            "SELECT DISTINCT year FROM loads WHERE source = 'commerce' AND superseded_by IS NULL AND year != ? ORDER BY year",
            (year.year,),
        ).fetchall()
    scans = [(int(row["year"]), Year(year.warehouse, row["year"]).scan("commerce", "enterprise")) for row in found]
    return [(y, rows.filter(pl.col("record_key").is_not_null())) for y, rows in scans if rows is not None]


def _entries(year: Year, found: pl.DataFrame) -> pl.DataFrame:
    loads = year.origins(found)
    return loads.select("key", "root", first_year=pl.lit(year.year, dtype=pl.Int64), first_load="load_id")


def keep(db: sqlite3.Connection, folder: Path) -> None:
    """Put the merge's new keys into the ledger; a key that is there stays as it is."""
    db.execute(TABLE)
    new = pl.read_parquet(folder / "identities.parquet")
    db.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?, ?, ?)", new.rows())


# --- what happened to enterprises ------------------------------------------------------------------------------------

EVENTS = {
    "enterprise_id": pl.String, "kind": pl.String, "year": pl.Int32, "on": pl.Date, "before": pl.String, "after": pl.String,
    "other_enterprise_id": pl.String, "load_id": pl.String, "sheet": pl.String, "row": pl.Int32,
}  # fmt: skip
_MERGED, _SPLIT = "吸收合并|合并设立|被合并|兼并", "分立"


def write_events(year: Year, folder: Path) -> pl.DataFrame:
    """``identity_events.parquet``: EVENTS, one row a change against the newest earlier register that was loaded.

    ``rename`` and ``move`` (before, after; a move is another county or address), ``new_code`` (a credit code where there
    was none); ``merge`` and ``split`` from ``relations.parquet`` of the merge. The row named as evidence is the later one.
    """
    earlier = [rows for y, rows in _other_years(year) if y < year.year]
    parts = [pl.DataFrame(schema=EVENTS)]
    if earlier:
        ties = pl.concat([_known(year.warehouse), pl.read_parquet(folder / "identities.parquet")])
        before = _rooted(_keys(earlier[-1]), ties.unique("key", keep="first"))
        ids = enterprise_ids(before).sort("origin").unique("enterprise_id", keep="first")
        parts += _changes(year, ids, earlier[-1], folder)
    parts += _corporate(year, folder)
    events = pl.concat([p.select(pl.col(c).cast(t) for c, t in EVENTS.items()) for p in parts])
    events = events.sort("enterprise_id", "kind", "on", "other_enterprise_id")
    events.write_parquet(folder / "identity_events.parquet")
    return events


def _changes(year: Year, ids: pl.DataFrame, rows: pl.LazyFrame, folder: Path) -> list[pl.DataFrame]:
    about = ("name", "address", "region_code", "uscc")
    told = _with(rows, about).join(ids.lazy(), on="origin").drop("origin")
    now = _with(
        pl.scan_parquet(folder / "enterprises.parquet", glob=False), about, "enterprise_id", "load_id", "sheet", "row"
    )
    pairs = now.join(told, on="enterprise_id", suffix="_before")
    differ = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_before")) for c in about)
    changed = pairs.filter(differ).collect()
    place = ["load_id", "sheet", "row"]
    county, moved = "region_code", pl.col("region_code").str.slice(0, 6) != pl.col("region_code_before").str.slice(0, 6)
    elsewhere = pl.col("address") != pl.col("address_before")
    events = {
        "rename": (name_key(pl.col("name")) != name_key(pl.col("name_before")), "name"),
        "move": (moved | elsewhere, "address"),
        "new_code": (pl.col("uscc").is_not_null() & pl.col("uscc_before").is_null(), "uscc"),
    }
    return [
        changed.filter(which.fill_null(False)).select(
            "enterprise_id", *place, kind=pl.lit(kind), year=pl.lit(year.year), on=pl.lit(None, dtype=pl.Date),
            before=pl.coalesce(f"{column}_before", f"{county}_before") if kind == "move" else pl.col(f"{column}_before"),
            after=pl.coalesce(column, county) if kind == "move" else pl.col(column),
            other_enterprise_id=pl.lit(None, dtype=pl.String),
        )
        for kind, (which, column) in events.items()
    ]  # fmt: skip


def _with(rows: pl.LazyFrame, about: tuple[str, ...], *also: str) -> pl.LazyFrame:
    held, nothing = rows.collect_schema().names(), pl.lit(None, dtype=pl.String)
    also = also or ("origin",)
    return rows.select(*also, *((pl.col(c) if c in held else nothing).alias(c) for c in about))


def _corporate(year: Year, folder: Path) -> list[pl.DataFrame]:
    """Mergers and splits that the list of relations dates within the year or does not date."""
    file = folder / "relations.parquet"
    if not file.exists():
        return []
    rows = pl.read_parquet(file, glob=False)
    told, split = pl.col("kind").str, pl.lit("split")
    kind = pl.when(told.contains(_MERGED)).then(pl.lit("merge")).when(told.contains(_SPLIT)).then(split)
    within = pl.col("from_on").is_null() | (pl.col("from_on").dt.year() == year.year)
    found = rows.with_columns(event=kind).filter(pl.col("event").is_not_null(), within)
    nothing = pl.lit(None, dtype=pl.String)
    return [
        found.select(
            "enterprise_id", "other_enterprise_id", "load_id", "sheet", "row", kind="event", year=pl.lit(year.year),
            on="from_on", before=nothing, after=nothing,
        )
    ]  # fmt: skip
