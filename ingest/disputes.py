"""The dispute list: figures on which the departments disagree, with what each of them says and where."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.schema.warehouse import Warehouse

_KEY = ["enterprise_id", "field"]
COLUMNS = (
    "year", "enterprise_id", "uscc", "name", "field", "unit", "value_taken", "source_taken", "spread", "source", "value",
    "records", "file", "sheet", "row", "load_id",
)  # fmt: skip


def disputes(warehouse: Warehouse, year: int | None = None, field: str | None = None) -> pl.DataFrame:
    """One row a disputed figure and source (``COLUMNS``), of the newest merge of each year, the taken source first.

    ``value``: the sum of the source's ``records``, in ``unit``; file, sheet and row are the first one's.
    """
    with warehouse.read() as db:
        merges = db.execute(
            "SELECT year, merge_id, MAX(created_at) FROM merges WHERE ? IS NULL OR year = ? GROUP BY year", (year, year)
        ).fetchall()
        files = {row["load_id"]: row["file"] for row in db.execute("SELECT load_id, file FROM loads")}
    tables = [_of_merge(warehouse, merge["merge_id"], field) for merge in merges]
    found = pl.concat(tables) if tables else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    names = pl.DataFrame(list(files.items()), schema={"load_id": pl.String, "file": pl.String}, orient="row")
    if "file" not in found.columns:
        found = found.join(names, on="load_id", how="left")
    taken_first = pl.col("source") != pl.col("source_taken")
    return found.sort("year", *_KEY, taken_first, "source").select(COLUMNS)


def _of_merge(warehouse: Warehouse, merge_id: str, field: str | None) -> pl.DataFrame:
    folder = warehouse.merged / merge_id
    wanted = (pl.col("how") == "disputed") & (pl.lit(field is None) | (pl.col("field") == (field or "")))
    facts = pl.scan_parquet(folder / "facts.parquet", glob=False).filter(wanted)
    facts = facts.select("year", *_KEY, "unit", "spread", value_taken="value", source_taken="source")
    claims = pl.scan_parquet(folder / "claims.parquet", glob=False).join(facts, on=_KEY, how="semi")
    said = claims.group_by(*_KEY, "source").agg(
        pl.col("value").sum(), records=pl.len().cast(pl.Int32),
        first=pl.struct("load_id", "sheet", "row").sort_by("load_id", "sheet", "row").first(),
    ).unnest("first")  # fmt: skip
    firms = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", "uscc", "name")
    return facts.join(said, on=_KEY).join(firms, on="enterprise_id", how="left").collect()


def nested(table: pl.DataFrame) -> list[dict[str, Any]]:
    """One object a figure, with its ``claims``."""
    about = list(COLUMNS[: COLUMNS.index("source")])
    lines = []
    for _, rows in table.group_by("year", *_KEY, maintain_order=True):
        said = rows.select(COLUMNS[len(about) :]).to_dicts()
        lines.append(rows.select(about).row(0, named=True) | {"claims": said})
    return lines
