"""Years of enterprises dense in ties, zeros, negative land and every kind of gap, as the tables of a merge."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.unit.ranking.firms import Firm, enterprises_of, facts_of, firm, wide_of

CODES = ("2614", "261", "26", "C", "4411", "3011", None)
REGIONS = ("320583001", "320583", "3205", "320205001", "320282003", None)
CATEGORIES = ("上市", "加分", "专利", "行政处罚", "失信", "安全事故", "表彰", "违法用地", "其他")
# few values each, so that quotients tie; edges of sizes and of 3 mu
FACTS: dict[str, list[int | None]] = {
    "vat_fen": [None, -100, 0, 10**8, 3 * 10**8],
    "stamp_tax_fen": [None, 0, 2 * 10**8],
    "invoiced_sales_fen": [None, 0, 3 * 10**8 - 1, 3 * 10**8, 4 * 10**10],
    "main_revenue_fen": [None, 2 * 10**9, 4 * 10**10, 6 * 10**10],
    "value_added_fen": [None, -(10**8), 10**9, 7 * 10**9],
    "rd_fen": [None, 0, 10**8, 13 * 10**8],
    "employees": [None, 19, 20, 300, 1000],
    "insured_persons": [None, 5, 5000],
    "is_above_scale": [None, 0, 1, 1],
    "is_exempt": [None, None, None, None, None, None, None, 1],
    "power_wh": [None, 0, 10**9, 7 * 10**9],
    "gas_litre": [None, 10**6],
    "energy_ce": [None, None, 3 * 10**12],
    "water_litre": [None, 10**6, 3 * 10**7],
    "cod_gram": [None, 0, 10**5, 10**6],
    "so2_gram": [None, 0, 10**5],
    "land_dm2_days": [None, 0, -5, 200_000 * 366, 200_000 * 366 - 1, 10**9, 3 * 10**8, 3 * 10**8],
}


def crowd(seed: int, size: int) -> list[Firm]:
    """``size`` enterprises by a seed."""
    rng = np.random.default_rng(seed)
    return [_one(rng, n) for n in range(size)]


def _one(rng: np.random.Generator, number: int) -> Firm:
    code, region = CODES[rng.integers(len(CODES))], REGIONS[rng.integers(len(REGIONS))]
    facts = {name: values[rng.integers(len(values))] for name, values in FACTS.items()}
    known = facts | {"months_missing": 1 + number % 5 if number % 13 == 0 else None}
    return firm(number, region_code=region, industry_code=code) | _levels(code, region) | known


def _levels(code: str | None, region: str | None) -> dict[str, Any]:
    return {
        "industry_2": code[:2] if code and len(code) > 1 else None,
        "industry_3": code[:3] if code and len(code) > 2 else None,
        "industry_4": code if code and len(code) > 3 else None,
        "region_city": region and region[:4],
        "region_county": region[:6] if region and len(region) > 4 else None,
        "region_town": region if region and len(region) > 6 else None,
    }


def events_of(firms: list[Firm], seed: int, year: int) -> pl.DataFrame:
    """Two events for every third enterprise on average, of this year, the years before, the next, or no year."""
    rng = np.random.default_rng(seed + 1)
    who = rng.integers(0, len(firms), 2 * len(firms) // 3)
    years = [[year, year, year - 1, year - 2, year + 1, None][i] for i in rng.integers(0, 6, len(who))]
    columns = {
        "enterprise_id": [firms[i]["enterprise_id"] for i in who],
        "category": [CATEGORIES[i] for i in rng.integers(0, len(CATEGORIES), len(who))],
        "year": pl.Series(years, dtype=pl.Int32),
    }
    return pl.DataFrame(columns)


def relations_of(firms: list[Firm], seed: int, year: int) -> pl.DataFrame:
    """Tenants, some of tenants, some of several owners, some over before the year's end, some of themselves."""
    rng = np.random.default_rng(seed + 2)
    owner, tenant = (rng.integers(0, len(firms), len(firms) // 5) for _ in range(2))
    ids = [f["enterprise_id"] for f in firms]
    ends = [
        [None, date(year, 12, 31), date(year, 6, 30), date(year + 5, 1, 1)][i] for i in rng.integers(0, 4, len(owner))
    ]
    columns = {
        "enterprise_id": [ids[i] for i in owner],
        "other_enterprise_id": [None if n % 11 == 0 else ids[i] for n, i in enumerate(tenant)],
        "kind": [["租户", "合并评价", "关联企业"][i] for i in rng.integers(0, 3, len(owner))],
        "from_on": pl.Series([date(2020, 1, 1)] * len(owner), dtype=pl.Date),
        "to_on": pl.Series(ends, dtype=pl.Date),
    }
    return pl.DataFrame(columns)


def land_use_of(firms: list[Firm], seed: int) -> pl.DataFrame:
    """Who holds and who rents from whom; areas are in the facts."""
    rng = np.random.default_rng(seed + 3)
    ids = [f["enterprise_id"] for f in firms]
    kinds = [["own", "own", "own", "rented_in"][i] for i in rng.integers(0, 4, len(firms))]
    lessor = [ids[i] if i % 2 else None for i in rng.integers(0, len(firms), len(firms))]
    return pl.DataFrame({"enterprise_id": ids, "kind": kinds, "counterpart_id": lessor})


def write_year(folder: Path, seed: int, size: int) -> Path:
    """The Parquet tables of a merged year of such enterprises; the year is the seed."""
    folder.mkdir(parents=True)
    firms = crowd(seed, size)
    tables = {
        "enterprises": enterprises_of(firms),
        "facts": facts_of(firms),
        "facts_wide": wide_of(firms),
        "events": events_of(firms, seed, seed),
        "relations": relations_of(firms, seed, seed),
        "land_use": land_use_of(firms, seed),
    }
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder
