"""A warehouse of N enterprises with four monthly sources, written straight as canonical tables: what merge and rank start from.

Seeded and synthetic; the figures are integers in the smallest unit, as ingest leaves them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from engine.schema.codes import industries, regions
from engine.schema.warehouse import Warehouse, now

YEAR = 2024
MONTHLY = {
    "state_tax": ("payment", {"invoiced_sales_fen": 8e7, "vat_fen": 3e6, "corporate_income_tax_fen": 1e6}),
    "local_tax": ("payment", {"land_use_tax_fen": 2e5, "property_tax_fen": 1e5}),
    "power": ("usage", {"power_wh": 5e8}),
    "gas": ("usage", {"gas_litre": 5e6}),
}


def build(home: Path, enterprises: int, seed: int = 11) -> Warehouse:
    """A warehouse under ``home`` with commerce, land, statistics and four sources × 12 months."""
    warehouse = Warehouse(home).create()
    rng = np.random.default_rng(seed)
    uscc = np.array([f"91{n:015d}X" for n in range(enterprises)])
    scale = rng.lognormal(0, 1, enterprises)
    for source, table, frame in _yearly(rng, uscc, scale):
        _write(warehouse, source, table, frame)
    for source, (table, fields) in MONTHLY.items():
        _write(warehouse, source, table, _monthly(rng, uscc, scale, fields, by_account=source in ("power", "gas")))
    return warehouse


def _keyed(uscc: np.ndarray) -> pl.DataFrame:
    row = pl.int_range(1, len(uscc) + 1, dtype=pl.Int32, eager=True)
    return pl.DataFrame({"row": row, "sheet": "", "record_key": "uscc:" + pl.Series(uscc), "uscc": uscc}).with_columns(
        pl.lit("").alias("sheet")
    )


def _yearly(rng: np.random.Generator, uscc: np.ndarray, scale: np.ndarray):  # type: ignore[no-untyped-def]
    n = len(uscc)
    classes = industries().filter((pl.col("level") == "class") & (pl.col("section") == "C"))["code"]
    towns = regions().filter(pl.col("level") == "town")["code"]
    text = {
        c: pl.lit(None, dtype=pl.String)
        for c in ("reg_no", "org_code", "local_id", "former_names", "address", "zone_code")
    }
    yield (
        "commerce",
        "enterprise",
        _keyed(uscc).with_columns(
            name="示例" + pl.int_range(n).cast(pl.String) + "有限公司",
            industry_code=classes.gather(rng.integers(0, len(classes), n)),
            industry_vintage=pl.lit("2017"),
            region_code=towns.gather(rng.integers(0, len(towns), n)),
            founded_on=pl.lit(date(2010, 1, 1)),
            production_on=pl.lit(None, dtype=pl.Date),
            status=pl.lit("存续"),
            **text,
        ),
    )
    yield (
        "land",
        "parcel",
        _keyed(uscc).with_columns(
            parcel_code="320583001001GB" + pl.int_range(n).cast(pl.String).str.zfill(7),
            area_dm2=_amount(rng, scale, 1e6),
            share_ppb=pl.lit(None, dtype=pl.Int64),
            from_on=pl.lit(date(2012, 5, 1)),
            to_on=pl.lit(date(2062, 4, 30)),
        ),
    )
    yield (
        "statistics",
        "annual",
        _keyed(uscc).with_columns(
            is_above_scale=pl.Series((rng.random(n) < 0.3).astype(np.int64)),
            main_revenue_fen=_amount(rng, scale, 1e9),
            employees=_amount(rng, scale, 60),
        ),
    )


def _monthly(
    rng: np.random.Generator, uscc: np.ndarray, scale: np.ndarray, fields: dict[str, float], by_account: bool
) -> pl.DataFrame:
    n = len(uscc)
    order = np.concatenate([rng.permutation(n) for _ in range(12)])
    columns = {f: _amount(rng, scale[order], size) for f, size in fields.items()}
    who = pl.Series(uscc).gather(order)
    key = "account:" + pl.Series(order).cast(pl.String).str.zfill(10) if by_account else "uscc:" + who
    return pl.DataFrame(
        {
            "row": np.arange(1, 12 * n + 1, dtype=np.int32),
            "record_key": key,
            "uscc": who,
            "period": np.repeat(np.arange(202401, 202413, dtype=np.int32), n),
            **columns,
        }
    ).with_columns(sheet=pl.lit(""))


def _amount(rng: np.random.Generator, scale: np.ndarray, size: float) -> pl.Series:
    return pl.Series((scale * size * rng.lognormal(0, 0.4, len(scale))).astype(np.int64))


def _write(warehouse: Warehouse, source: str, table: str, frame: pl.DataFrame) -> None:
    load = f"{source}-{YEAR}-{'0' * 12}"
    folder = warehouse.canonical / source / load
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / f"{table}.parquet")
    row = (
        load,
        source,
        YEAR,
        f"{source}.csv",
        "0" * 64,
        None,
        frame.height,
        frame.height,
        0,
        0,
        "{}",
        "{}",
        now(),
        "bench",
        None,
    )
    with warehouse.connect() as db:
        db.execute(f"INSERT OR REPLACE INTO loads VALUES ({', '.join('?' * len(row))})", row)
