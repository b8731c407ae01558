"""Merged tables of N enterprises written straight, as a merge leaves them: what a ranking starts from.

Seeded and synthetic. Real industry and town codes, a heavy right tail, some enterprises without land or a figure.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from engine.schema.codes import industries, regions
from engine.schema.warehouse import Warehouse, now

YEAR, DAYS = 2024, 366
TAXES = ("vat_fen", "corporate_income_tax_fen", "land_use_tax_fen", "property_tax_fen")
_SIZES = {
    "invoiced_sales_fen": 1e9, "vat_fen": 3.6e7, "corporate_income_tax_fen": 1.2e7, "land_use_tax_fen": 2.4e6,
    "property_tax_fen": 1.2e6, "power_wh": 6e9, "gas_litre": 6e7, "main_revenue_fen": 1e9, "value_added_fen": 2.5e8,
    "rd_fen": 2e7, "employees": 60,
}  # fmt: skip


def build(home: Path, enterprises: int, seed: int = 11) -> Warehouse:
    """A warehouse under ``home`` with one merge of ``YEAR``; no loads, so that it is never stale."""
    warehouse = Warehouse(home).create()
    folder = warehouse.merged / f"{YEAR}-bench"
    folder.mkdir()
    rng = np.random.default_rng(seed)
    ids = pl.int_range(enterprises, eager=True).cast(pl.String).str.zfill(15)
    _register(rng, ids).write_parquet(folder / "enterprises.parquet")
    _facts(rng, ids).write_parquet(folder / "facts_wide.parquet", compression_level=1)
    pl.DataFrame(schema={"reason": pl.String}).write_parquet(folder / "unlinked.parquet")
    with warehouse.connect() as db:
        counts = json.dumps({"enterprises": enterprises})
        db.execute("INSERT INTO merges VALUES (?, ?, ?, '[]', ?, 0)", (folder.name, YEAR, now(), counts))
    return warehouse


def _register(rng: np.random.Generator, ids: pl.Series) -> pl.DataFrame:
    n = len(ids)
    classes = industries().filter((pl.col("level") == "class") & (pl.col("section") == "C"))["code"]
    towns = regions().filter(pl.col("level") == "town")["code"]
    industry, town = classes.gather(rng.integers(0, len(classes), n)), towns.gather(rng.integers(0, len(towns), n))
    frame = pl.DataFrame(
        {"enterprise_id": "E" + ids, "uscc": "91" + ids + "X", "industry_code": industry, "region_code": town}
    )
    return frame.select(
        "enterprise_id", "uscc", "industry_code", "region_code",
        name="示例" + ids + "有限公司", industry_note=pl.lit("exact"), industry_section=pl.lit("C"),
        **{f"industry_{k}": pl.col("industry_code").str.slice(0, k) for k in (2, 3, 4)},
        **{f"region_{k}": pl.col("region_code").str.slice(0, d) for k, d in (("city", 4), ("county", 6), ("town", 9))},
        zone_code=pl.lit(None, dtype=pl.String), founded_on=pl.lit(date(2010, 1, 1)),
        production_on=pl.lit(None, dtype=pl.Date), status=pl.lit("存续"),
    )  # fmt: skip


def _facts(rng: np.random.Generator, ids: pl.Series) -> pl.DataFrame:
    n = len(ids)
    scale = rng.lognormal(0, 1, n)
    found = {name: (scale * size * rng.lognormal(0, 0.4, n)).astype(np.int64) for name, size in _SIZES.items()}
    area = np.where(rng.random(n) < 0.02, 0, (scale * 1e6 * rng.lognormal(0, 0.6, n)).astype(np.int64))
    above = (rng.random(n) < 0.3).astype(np.int64)
    frame = pl.DataFrame({"enterprise_id": "E" + ids, "land_dm2_days": area * DAYS, "is_above_scale": above, **found})
    gaps = {
        c: pl.when(pl.Series(rng.random(n) >= 0.03)).then(pl.col(c)) for c in ("rd_fen", "gas_litre", "value_added_fen")
    }
    return frame.with_columns(**gaps)
