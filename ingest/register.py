"""The register of a year's enterprises: the commerce department's rows with permanent ids and classified codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.schema.codes import industry_levels, map_industries, region_levels
from engine.schema.errors import PermuError
from ingest.canonical import Year
from ingest.identity import enterprise_ids, write_identities
from ingest.link import Register


@dataclass(frozen=True)
class Enterprises:
    """The index of keys with the ids in order (a number's place is its enterprise_no), and rows that repeat an enterprise."""

    register: Register
    repeated: pl.DataFrame


def write_enterprises(year: Year, folder: Path) -> Enterprises:
    """Write ``enterprises.parquet`` (streamed, in no order); PermuError no_register where no commerce file was loaded."""
    rows = year.scan("commerce", "enterprise")
    if rows is None:
        raise PermuError(
            "no_register",
            f"{year.year}: no commerce file was loaded, so there is no register of enterprises to link to; "
            f"run `permu ingest PATH --source commerce --year {year.year}`",
            f"{year.year} 年没有工商登记数据，无法建立企业名录；请运行 "
            f"permu ingest PATH --source commerce --year {year.year}",
        )
    rows = rows.filter(pl.col("record_key").is_not_null())
    keys = write_identities(year, rows, folder)
    ids = _ids(keys)
    first = ids.filter(pl.col("first")).select(
        "origin", "enterprise_id", enterprise_no=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    numbered = rows.join(first.lazy().drop("enterprise_id"), on="origin", how="inner")
    classified = _classified(rows).join(first.lazy().drop("enterprise_no"), on="origin", how="inner")
    year.origins(classified).sink_parquet(folder / "enterprises.parquet", compression_level=1)
    return Enterprises(Register(numbered, first["enterprise_id"]), _repeated(ids.filter(~pl.col("first")), keys))


def _ids(keys: pl.DataFrame) -> pl.DataFrame:
    """origin, enterprise_id in id order, and whether the row is the first of its enterprise."""
    ids = enterprise_ids(keys)
    again = pl.col("enterprise_id") == pl.col("enterprise_id").shift()  # in id order a repeated one follows itself
    return ids.with_columns(first=~again.fill_null(False))


def _repeated(ids: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    told = keys.filter(pl.col("origin").is_in(ids["origin"].implode()))
    rows = ids.join(told, on="origin", how="left", maintain_order="left")
    one = {"source": pl.lit("commerce"), "reason": pl.lit("registered_twice"), "rows": pl.lit(1, dtype=pl.Int32)}
    return rows.with_columns(**one).select("source", "record_key", "name", "reason", "rows", "origin")


def _classified(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Industry codes brought to GB/T 4754-2017, and every level of industry and region as a column of its own.

    Each distinct code is classified once. ``industry_code_written`` and ``region_code_written`` keep what was received.
    """
    code = ["industry_code", "industry_vintage"]
    industries = rows.select(*code, industry_code_written="industry_code").unique().collect()
    industries = map_industries(industries).with_columns(*industry_levels()).drop_nulls("industry_code_written")
    regions = rows.select("region_code", region_code_written="region_code").unique().collect()
    regions = regions.with_columns(*region_levels()).drop_nulls("region_code_written")
    by_industry, by_region = ["industry_code_written", "industry_vintage"], ["region_code_written"]
    renamed = rows.rename({"industry_code": by_industry[0], "region_code": by_region[0]})
    return (
        renamed.join(industries.lazy(), on=by_industry, how="left", nulls_equal=True)
        .join(regions.lazy(), on=by_region, how="left")
        .with_columns(pl.col("industry_note").fill_null("missing"))
    )
