"""Ranks, scores and grades computed again from a release's facts in SQL written for this test alone.

Nothing of the engine takes part but the tables that it is given and the table that it made: the formulas below are
those of the two packs' texts. Every value is compared bit for bit, in all ten groupings.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from engine.policy.packs import load_pack
from engine.ranking.pipeline import rankings
from engine.releases import open_release
from engine.schema.warehouse import Warehouse
from tests.unit.ranking.crowds import crowd
from tests.unit.ranking.firms import Firm, enterprises_of, facts_of, year_of

STATE = "vat corporate_income_tax consumption_tax export_credit vat_refund"
LOCAL = "land_use_tax property_tax stamp_tax urban_maintenance_tax land_value_added_tax resource_tax environment_tax vehicle_vessel_tax"
TAXES = [f"{name}_fen" for name in (*STATE.split(), *LOCAL.split())]
FIELDS = [*TAXES, "invoiced_sales_fen", "main_revenue_fen", "land_dm2_days", "power_wh", "gas_litre", "employees",
          "insured_persons", "is_above_scale", "is_exempt", "value_added_fen", "rd_fen", "energy_ce", "water_litre", "cod_gram",
          "ammonia_nitrogen_gram", "so2_gram", "nox_gram"]  # fmt: skip
GROUPINGS = {
    "all": "1", "industry_2": "i2", "industry_3": "i3", "industry_4": "i4", "region_city": "city",
    "region_county": "county", "region_town": "town", "size": "size", "scale_group": "scale",
    "industry_region_size": "i2, county, size",
}  # fmt: skip
METRICS = {"output_per_mu": "output_per_mu", "benefit_per_mu": "benefit_per_mu", "score": "score_e10"}


def pivoted(folder: Path) -> str:
    """The facts, one row an enterprise."""
    one = ", ".join(f"max(value) FILTER (field = '{f}') AS {f}" for f in FIELDS)
    return f"SELECT enterprise_id, {one} FROM read_parquet('{folder}/facts.parquet') GROUP BY enterprise_id"


def wide(folder: Path, days: int, name: str, facts: str | None = None) -> str:
    """A table of one row an enterprise: facts (``facts``, else the folder's), groups, amounts, quotients."""
    known = " OR ".join(f"{t} IS NOT NULL" for t in TAXES)
    total = " + ".join(f"coalesce({t}, 0)" for t in TAXES)
    return f"""
    CREATE TABLE {name} AS
    WITH f AS ({facts or pivoted(folder)}),
    raw AS (
      SELECT e.*, f.* EXCLUDE (enterprise_id), coalesce(employees, insured_persons) AS people,
        coalesce(main_revenue_fen, invoiced_sales_fen) AS revenue,
        CASE WHEN {known} THEN {total} END AS tax, coalesce(invoiced_sales_fen, main_revenue_fen) AS sales,
        CASE WHEN power_wh IS NOT NULL OR gas_litre IS NOT NULL
          THEN coalesce(power_wh, 0)::HUGEINT * 1229 + coalesce(gas_litre, 0)::HUGEINT * 13300 END AS ce,
        regexp_full_match(industry_code, '[0-9].*') AS numbered, length(industry_code) AS digits,
        length(region_code) AS reach
      FROM read_parquet('{folder}/enterprises.parquet') e LEFT JOIN f USING (enterprise_id)),
    sorted AS (
      SELECT *, CASE WHEN numbered AND digits >= 2 THEN left(industry_code, 2) END AS i2,
        CASE WHEN numbered AND digits >= 3 THEN left(industry_code, 3) END AS i3,
        CASE WHEN numbered AND digits >= 4 THEN left(industry_code, 4) END AS i4,
        CASE WHEN reach >= 4 THEN left(region_code, 4) END AS city,
        CASE WHEN reach >= 6 THEN left(region_code, 6) END AS county,
        CASE WHEN reach >= 9 THEN left(region_code, 9) END AS town,
        CASE WHEN people >= 1000 AND revenue >= 40000000000 THEN 'large'
          WHEN people >= 300 AND revenue >= 2000000000 THEN 'medium'
          WHEN people >= 20 AND revenue >= 300000000 THEN 'small'
          WHEN people < 20 OR revenue < 300000000 THEN 'micro' END AS size,
        CASE WHEN is_above_scale = 1 THEN 'above_scale' ELSE 'below_scale' END AS scale
      FROM raw)
    SELECT *,
      CASE WHEN land_dm2_days > 0 THEN (sales::HUGEINT * {days})::DOUBLE / (land_dm2_days::HUGEINT * 15)::DOUBLE END
        AS output_per_mu,
      CASE WHEN land_dm2_days > 0 THEN (tax::HUGEINT * {days})::DOUBLE / (land_dm2_days::HUGEINT * 15)::DOUBLE END
        AS benefit_per_mu,
      CASE WHEN ce > 0 THEN (tax::HUGEINT * 10000)::DOUBLE / ce::DOUBLE END AS tax_per_tce,
      land_dm2_days IS NOT NULL AND land_dm2_days > 0 AS landed,
      is_above_scale = 1 OR coalesce(land_dm2_days, 0)::HUGEINT * 3 >= 3 * 200000 * {days} AS inside
    FROM sorted"""


def states(name: str, year: int) -> str:
    """T: utilities, listed as exempt, and less than two years in production at the end of the year."""
    return f"""
    ALTER TABLE {name} ADD COLUMN evaluated BOOLEAN;
    ALTER TABLE {name} ADD COLUMN exempt BOOLEAN;
    UPDATE {name} SET exempt = coalesce(inside, false) AND (coalesce(i2 IN ('44', '45', '46'), false)
      OR coalesce(is_exempt = 1, false)
      OR coalesce(coalesce(production_on, founded_on) > make_date({year - 2}, 12, 31), false));
    UPDATE {name} SET evaluated = coalesce(inside, false) AND NOT exempt AND landed"""


def scored(last_days: int) -> str:
    """Bases (twice last year's Σ ÷ Σ of the county), items, totals."""

    def twice(top: str, bottom: str, times: int, by: int) -> str:
        part = f"FILTER ({top} IS NOT NULL AND {bottom} > 0)"
        n, d = f"sum({top}::HUGEINT) {part}", f"sum({bottom}::HUGEINT) {part}"
        return f"CASE WHEN {n} > 0 AND {d} > 0 THEN ({n} * {2 * times})::DOUBLE / ({d} * {by})::DOUBLE END"

    return f"""
    CREATE TABLE bases AS SELECT county, {twice("tax", "land_dm2_days", last_days, 15)} AS b_tax,
      {twice("sales", "land_dm2_days", last_days, 15)} AS b_sales, {twice("tax", "ce", 10000, 1)} AS b_tce
    FROM before WHERE evaluated GROUP BY county;
    CREATE TABLE items AS SELECT enterprise_id, b_tax, b_sales, b_tce,
      evaluated AND b_tax IS NOT NULL AND b_sales IS NOT NULL AND b_tce IS NOT NULL AS has_score,
      CASE WHEN has_score THEN coalesce(benefit_per_mu / b_tax, 0) * 45::DOUBLE END AS i_tax,
      CASE WHEN has_score THEN coalesce(output_per_mu / b_sales, 0) * 35::DOUBLE END AS i_sales,
      CASE WHEN has_score THEN coalesce(tax_per_tce / b_tce, 0) * 20::DOUBLE END AS i_tce,
      floor((i_tax + i_sales + i_tce) * 1e10::DOUBLE + 0.5::DOUBLE)::BIGINT AS score_e10
    FROM now LEFT JOIN bases USING (county)"""


def rank_columns(metrics: list[str]) -> str:
    """RANK() and COUNT() of every metric in every grouping."""
    parts = []
    for metric in metrics:
        value = METRICS[metric]
        for grouping, keys in GROUPINGS.items():
            known = " AND ".join(f"{k} IS NOT NULL" for k in keys.split(", "))
            over = f"PARTITION BY {keys}"
            parts.append(
                f"CASE WHEN {known} AND {value} IS NOT NULL THEN RANK() OVER ({over} ORDER BY {value} DESC NULLS LAST) "
                f"END::INTEGER AS rank__{metric}__{grouping}, "
                f"CASE WHEN {known} THEN count({value}) OVER ({over}) END::INTEGER AS of__{metric}__{grouping}"
            )
    return ", ".join(parts)


def sunan(folder: Path, days: int) -> pl.DataFrame:
    """The judge's table for sunan-2017."""
    with duckdb.connect() as db:
        db.execute(wide(folder, days, "now"))
        metrics = rank_columns(["output_per_mu", "benefit_per_mu"])
        return db.sql(
            f"SELECT enterprise_id, size, scale AS scale_group, output_per_mu, benefit_per_mu, {metrics} FROM now"
        ).pl()


def huaian(folder: Path, year: int, days: int, before: Path, last_days: int) -> pl.DataFrame:
    """The judge's table for huaian-2024."""
    with duckdb.connect() as db:
        db.execute(wide(folder, days, "now"))
        db.execute(wide(before, last_days, "before"))
        for name, of in (("now", year), ("before", year - 1)):
            db.execute(states(name, of))
        db.execute(scored(last_days))
        ranks = rank_columns(["score", "output_per_mu", "benefit_per_mu"])
        db.execute(f"CREATE TABLE ranked AS SELECT *, {ranks} FROM now JOIN items USING (enterprise_id)")
        of = "of__score__region_county"
        return db.sql(f"""
            SELECT * EXCLUDE (inside, exempt, evaluated), b_tax AS base__tax_per_mu, b_sales AS base__sales_per_mu, b_tce AS base__tax_per_tce,
              i_tax AS item__tax_per_mu, i_sales AS item__sales_per_mu, i_tce AS item__tax_per_tce,
              CASE WHEN exempt THEN 'T'
                WHEN rank__score__region_county IS NULL THEN NULL
                WHEN rank__score__region_county::BIGINT * 100 <= {of} * 20 THEN 'A'
                WHEN rank__score__region_county::BIGINT * 100 <= {of} * 60 THEN 'B'
                WHEN rank__score__region_county::BIGINT * 100 <= {of} * 95 THEN 'C' ELSE 'D' END AS grade
            FROM ranked""").pl()


SUNAN = ["size", "scale_group", "output_per_mu", "benefit_per_mu"]
HUAIAN = [f"{part}__{item}" for part in ("base", "item") for item in ("tax_per_mu", "sales_per_mu", "tax_per_tce")]
HUAIAN += ["score_e10", "output_per_mu", "benefit_per_mu", "tax_per_tce", "grade"]


def differences(ours: pl.DataFrame, judged: pl.DataFrame, columns: list[str]) -> dict[str, int]:
    """Per column, how many values differ in a bit (or in being there at all)."""
    judged = judged.sort("enterprise_id")
    assert ours["enterprise_id"].equals(judged["enterprise_id"])
    return {c: n for c in columns if (n := _differing(ours[c], judged[c]))}


def _differing(a: pl.Series, b: pl.Series) -> int:
    if a.dtype == pl.Float64:
        a, b = (pl.Series(s.fill_null(np.nan).to_numpy().view(np.int64)).set(s.is_null(), -1) for s in (a, b))
    return int((a.ne_missing(b)).sum())


def ranks_of(metrics: list[str]) -> list[str]:
    return [f"{kind}__{m}__{g}" for m in metrics for g in GROUPINGS for kind in ("rank", "of")]


def test_demo_ranks_of_sunan(demo_home: Warehouse) -> None:
    found = [open_release(f) for f in demo_home.releases.glob("*-sunan-2017-*")]
    assert len(found) == 2
    for release in found:
        days = 366 if release.manifest["year"] % 4 == 0 else 365
        judged = sunan(release.folder, days)
        columns = SUNAN + ranks_of(["output_per_mu", "benefit_per_mu"])
        assert differences(release.rankings, judged, columns) == {}
        assert judged["rank__output_per_mu__all"].count() > 300


def test_demo_scores_and_grades_of_huaian(demo_home: Warehouse) -> None:
    (release,) = [open_release(f) for f in demo_home.releases.glob("2024-huaian-2024-*")]
    before = demo_home.merged / json.loads((release.folder / "manifest.json").read_text())["base_merge_id"]
    judged = huaian(release.folder, 2024, 366, before, 365)
    columns = HUAIAN + ranks_of(["score", "output_per_mu", "benefit_per_mu"])
    assert differences(release.rankings, judged, columns) == {}
    assert set(judged["grade"].drop_nulls()) == set("ABCDT")
    assert judged["score_e10"].count() > 200


# --- dense in ties, gaps and edges ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[list[Firm], Path]]:
    """Two years of 2,000 such enterprises, and the folders of their tables."""
    made = {}
    for year in (2023, 2024):
        folder = tmp_path_factory.mktemp(f"crowd{year}")
        firms = crowd(year, 2000)
        enterprises_of(firms).write_parquet(folder / "enterprises.parquet")
        facts_of(firms).write_parquet(folder / "facts.parquet")
        made[year] = (firms, folder)
    return made


@pytest.mark.parametrize("policy", ["sunan-2017", "huaian-2024"])
def test_ranks_of_a_crowd_with_ties_and_gaps(crowds: dict[int, tuple[list[Firm], Path]], policy: str) -> None:
    (before, before_folder), (firms, folder) = crowds[2023], crowds[2024]
    pack = load_pack(policy).policy
    ours = rankings(pack, year_of(firms), year_of(before, 2023)).to_native().collect()
    judged = sunan(folder, 366) if policy == "sunan-2017" else huaian(folder, 2024, 366, before_folder, 365)
    columns = (SUNAN if policy == "sunan-2017" else HUAIAN) + ranks_of(pack.metrics)
    assert differences(ours, judged, columns) == {}
    ranks = judged["rank__output_per_mu__all"].drop_nulls()
    assert ranks.n_unique() < len(ranks) / 10, "the crowd must tie"


def test_the_judge_sees_one_bit_and_one_rank(demo_home: Warehouse) -> None:
    release = open_release(next(demo_home.releases.glob("2024-sunan-2017-*")))
    ours, judged = release.rankings, sunan(release.folder, 366)
    best = pl.col("rank__output_per_mu__all") == 1
    nudged = ours.with_columns(
        output_per_mu=pl.when(best).then(pl.col("output_per_mu") * (1 + 2**-52)).otherwise("output_per_mu")
    )
    assert differences(nudged, judged, ["output_per_mu"]) == {"output_per_mu": 1}
    moved = ours.with_columns(rank__output_per_mu__all=pl.when(~best).then("rank__output_per_mu__all"))
    assert differences(moved, judged, ["rank__output_per_mu__all"]) == {"rank__output_per_mu__all": 1}
