"""Every rule that a pack can hold, computed again in SQL written for this test alone and compared bit for bit.

The pack (tests/unit/ranking/all-forms.yaml) has three groups, each form, each missing rule, both kinds of average, extras
with caps, rounding, ties at the worse rank, small places that roll up, all effects of adjustments, and merged tenants.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from engine.policy.packs import read_pack
from engine.ranking.merged import Merged
from engine.ranking.run import compute
from tests.judges.test_ranks_against_sql import FIELDS, differences, pivoted, wide
from tests.judges.test_rules_against_sql import energy, over
from tests.unit.ranking.crowds import write_year

ALL_FORMS = Path(__file__).parents[1] / "unit" / "ranking" / "all-forms.yaml"
KEPT = ("is_above_scale", "is_exempt")


def said(folder: Path, year: int) -> str:
    """Who rents from whom: the list at the year's end, and land rented by who holds none."""
    return f"""
      SELECT other_enterprise_id AS tenant, enterprise_id AS owner FROM read_parquet('{folder}/relations.parquet')
      WHERE kind IN ('租户', '合并评价') AND DATE '{year}-12-31' BETWEEN from_on AND coalesce(to_on, DATE '9999-01-01')
      UNION ALL
      SELECT enterprise_id, counterpart_id FROM read_parquet('{folder}/land_use.parquet') WHERE kind = 'rented_in'
        AND enterprise_id NOT IN (SELECT enterprise_id FROM read_parquet('{folder}/land_use.parquet') WHERE kind = 'own')"""


def with_tenants(folder: Path, year: int, rule: str) -> str:
    """The facts of tenants added to the one owner at the end of the line; ``merged``: their own are given up."""
    if rule == "own_list":
        return pivoted(folder)
    added = [f for f in FIELDS if f not in KEPT]
    sums = ", ".join(f"sum({f})::BIGINT AS t_{f}" for f in added)
    keeps = "r.tenant IS NULL" if rule == "merged" else "true"
    own = ", ".join(
        f"CASE WHEN {keeps} THEN CASE WHEN t_{f} IS NULL THEN p.{f} ELSE coalesce(p.{f}, 0) + t_{f} END END AS {f}"
        for f in added
    )
    return f"""
    WITH RECURSIVE p AS ({pivoted(folder)}),
    said AS ({said(folder, year)}),
    one AS (SELECT tenant, min(owner) AS owner FROM said WHERE tenant <> owner GROUP BY tenant
            HAVING count(DISTINCT owner) = 1),
    climb AS (SELECT tenant, owner, 1 AS steps FROM one
              UNION ALL SELECT c.tenant, o.owner, steps + 1 FROM climb c JOIN one o ON o.tenant = c.owner WHERE steps < 4),
    root AS (SELECT tenant, owner FROM climb WHERE owner NOT IN (SELECT tenant FROM one)),
    parts AS (SELECT root.owner, {sums} FROM p JOIN root ON root.tenant = p.enterprise_id GROUP BY root.owner)
    SELECT e.enterprise_id, {", ".join(f"p.{f}" for f in KEPT)}, {own}
    FROM read_parquet('{folder}/enterprises.parquet') e LEFT JOIN p USING (enterprise_id)
      LEFT JOIN parts ON parts.owner = e.enterprise_id LEFT JOIN root r ON r.tenant = e.enterprise_id"""


def measured(folder: Path, year: int, days: int, name: str, rule: str) -> str:
    """Indicators, group, and who is evaluated."""
    return f"""
    {wide(folder, days, f"{name}_raw", with_tenants(folder, year, rule))};
    CREATE TABLE {name} AS
    WITH tenants AS (SELECT DISTINCT tenant FROM ({said(folder, year)})
                     WHERE tenant <> owner AND {rule == "own_list"}), a AS (SELECT *, {energy(3100, 11000)} AS used,
      CASE WHEN cod_gram IS NOT NULL OR so2_gram IS NOT NULL
        THEN coalesce(cod_gram, 0) * 19 + coalesce(so2_gram, 0) * 20 END AS pollutants FROM {name}_raw)
    SELECT * EXCLUDE (tax_per_tce), benefit_per_mu AS x, {over("value_added_fen", 10**4, "used", 1)} AS va,
      {over("value_added_fen", 1, "employees", 10**6)} AS lab, {over("used", 1, "main_revenue_fen", 10**4)} AS epr,
      {over("tax", 19, "pollutants", 1)} AS emi, {over("rd_fen", 1, "main_revenue_fen", 1)} AS rd,
      CASE WHEN scale = 'below_scale' THEN 'small' WHEN i2 = '26' THEN 'chemicals' ELSE 'others' END AS g,
      CASE WHEN i2 = '44' THEN 'T' WHEN is_exempt = 1 THEN 'B' END AS outside,
      outside IS NULL AND coalesce(land_dm2_days > 0, false) AS ok, enterprise_id IN (FROM tenants) AS apart
    FROM a"""


def mean_to_e10(value: str, window: str) -> str:
    """The mean by whole parts and 10⁻¹⁰ parts."""
    part = f"floor(({value} - floor({value})) * 1e10::DOUBLE + 0.5::DOUBLE)"
    return (
        f"(sum(floor({value})::HUGEINT) {window}::DOUBLE + sum({part}::HUGEINT) {window}::DOUBLE / 1e10::DOUBLE)"
        f" / (count({value}) {window})::DOUBLE"
    )


def ratio_of_sums(value: str, top: str, times: int, bottom: str, by: int, over_: str) -> str:
    part = f"FILTER (ok AND {value} IS NOT NULL) {over_}"
    n, d = f"sum({top}::HUGEINT) {part}", f"sum({bottom}::HUGEINT) {part}"
    return f"CASE WHEN {n} > 0 AND {d} > 0 THEN ({n} * {times})::DOUBLE / ({d} * {by})::DOUBLE END"


WINDOW = "OVER (PARTITION BY g, county)"
AMONG = f"FILTER (ok) {WINDOW}"
LISTED = "FILTER (ok) OVER (PARTITION BY g, county, apart)"  # ranges and mean points: among those it is graded with
BASES = f"""
CREATE TABLE last_year AS SELECT county, {ratio_of_sums("x", "tax", 2 * 365, "land_dm2_days", 15, "")} AS b_x
  FROM before WHERE g = 'others' AND county IS NOT NULL GROUP BY county;
CREATE TABLE b AS SELECT now.*, CASE WHEN g = 'others' THEN b_x END AS b_tax,
  CASE WHEN g = 'chemicals' AND county IS NOT NULL AND {mean_to_e10("va", AMONG)} > 0
    THEN {mean_to_e10("va", AMONG)} * 1.2::DOUBLE END AS b_va,
  CASE WHEN g = 'chemicals' THEN 17.45::DOUBLE END AS b_lab,
  CASE WHEN g = 'others' AND county IS NOT NULL THEN {ratio_of_sums("epr", "used", 1, "main_revenue_fen", 10**4, WINDOW)} END AS b_epr,
  CASE WHEN g = 'others' AND county IS NOT NULL THEN {ratio_of_sums("emi", "tax", 19, "pollutants", 1, WINDOW)} END AS b_emi,
  CASE WHEN g = 'others' THEN 0.0305::DOUBLE END AS b_rd,
  CASE WHEN county IS NOT NULL THEN min(x) {LISTED} END AS low, CASE WHEN county IS NOT NULL THEN max(x) {LISTED} END AS high,
  ok AND CASE g WHEN 'chemicals' THEN b_va IS NOT NULL
    WHEN 'others' THEN b_tax IS NOT NULL AND b_epr IS NOT NULL AND b_emi IS NOT NULL ELSE true END AS able
FROM now LEFT JOIN last_year USING (county)"""

ITEMS = f"""
CREATE TABLE raw AS SELECT *,
  CASE WHEN able THEN CASE g WHEN 'small' THEN x WHEN 'others' THEN x / b_tax * 50::DOUBLE
    ELSE CASE WHEN x IS NULL THEN NULL WHEN high = low THEN 40 ELSE (x - low) / (high - low) * 32::DOUBLE + 8::DOUBLE END
    END END AS r_x,
  CASE WHEN able AND g = 'chemicals' AND va IS NOT NULL THEN least(greatest(va / b_va * 30::DOUBLE, 0), 45) END AS r_va,
  CASE WHEN able AND g = 'chemicals' THEN lab / b_lab * 30::DOUBLE END AS i_lab,
  CASE WHEN able AND g = 'others' AND epr IS NOT NULL
    THEN least(greatest((2::DOUBLE - epr / b_epr) * 10::DOUBLE, 0), 20) END AS r_epr,
  CASE WHEN able AND g = 'others' THEN emi / b_emi * 10::DOUBLE END AS r_emi,
  CASE WHEN able AND g = 'others' THEN rd / b_rd * 20::DOUBLE END AS i_rd
FROM b;
CREATE TABLE items AS SELECT *,
  CASE WHEN able THEN coalesce(r_x, CASE WHEN g = 'others' THEN -3 ELSE 0 END) END AS i_x,
  CASE WHEN able AND g = 'chemicals' THEN coalesce(r_va, {mean_to_e10("r_va", LISTED)}, 0) END AS i_va,
  CASE WHEN able AND g = 'others' THEN coalesce(r_epr, {mean_to_e10("r_epr", LISTED)}, 0) END AS i_epr,
  CASE WHEN able AND g = 'others' THEN coalesce(r_emi, {mean_to_e10("r_emi", LISTED)}, 0) END AS i_emi,
  CASE WHEN able THEN CASE g WHEN 'small' THEN i_x
    WHEN 'chemicals' THEN (i_x + i_va + coalesce(i_lab, 0)) * 100::DOUBLE / (70 + CASE WHEN i_lab IS NULL THEN 0 ELSE 30 END)::DOUBLE
    ELSE (i_x + i_epr + i_emi + coalesce(i_rd, 0)) * 100::DOUBLE / (80 + CASE WHEN i_rd IS NULL THEN 0 ELSE 20 END)::DOUBLE
    END END AS score_items
FROM raw"""


def events(folder: Path, year: int) -> str:
    """What each enterprise's events are worth, and which adjustments they bring."""
    own = f"coalesce(year, {year})"
    return f"""
    CREATE TABLE happened AS SELECT enterprise_id,
      coalesce(max(CASE category WHEN '加分' THEN 5 WHEN '上市' THEN 9.5 END) FILTER ({own} = {year}), 0)::DOUBLE AS awards,
      least(2.5 * count(*) FILTER (category = '专利' AND {own} IN ({year}, {year - 1})), 4)::DOUBLE AS patents,
      least(3 * count(*) FILTER (category = '行政处罚' AND {own} = {year}), 5)::DOUBLE AS penalties,
      bool_or(category = '表彰' AND {own} BETWEEN {year - 2} AND {year}) AS praised,
      bool_or(category = '安全事故' AND {own} = {year}) AS accident, bool_or(category = '失信' AND {own} = {year}) AS dishonest,
      bool_or(category = '违法用地' AND {own} = {year}) AS illegal
    FROM read_parquet('{folder}/events.parquet') GROUP BY enterprise_id"""


def worse_rank(key: str) -> str:
    """Ties take the worse rank: how many are not worse."""
    rank = f"RANK() OVER (PARTITION BY g, apart, {key} ORDER BY score_e10 DESC NULLS LAST)"
    ties = f"count(*) OVER (PARTITION BY g, apart, {key}, score_e10)"
    return f"CASE WHEN score_e10 IS NOT NULL AND {key} IS NOT NULL THEN {rank} + {ties} - 1 END"


GRADES = f"""
CREATE TABLE totals AS SELECT items.*, coalesce(praised, false) AS up_, coalesce(accident, false) AS down_,
  coalesce(dishonest, false) AS most_c, coalesce(illegal, false) AS least_d,
  CASE WHEN score_items IS NOT NULL THEN least(coalesce(awards, 0) + CASE WHEN g = 'small' THEN 0
    ELSE score_items * (coalesce(patents, 0) * 1000000 / 1e8::DOUBLE) END, 12) END AS bonus,
  CASE WHEN score_items IS NOT NULL THEN coalesce(penalties, 0) END AS deduction,
  floor((score_items + bonus - deduction) * 100::DOUBLE + 0.5::DOUBLE)::BIGINT * 100000000 AS score_e10
FROM items LEFT JOIN happened USING (enterprise_id);
CREATE TABLE places AS SELECT *, {worse_rank("county")} AS county_rank, {worse_rank("city")} AS city_rank,
  count(score_e10) OVER (PARTITION BY g, apart, county) AS county_of, count(score_e10) OVER (PARTITION BY g, apart, city) AS city_of,
  county_rank IS NOT NULL AND county_of < 12 AS rolls,
  (CASE WHEN rolls THEN city_rank ELSE county_rank END)::INTEGER AS grade_rank,
  (CASE WHEN grade_rank IS NULL THEN NULL WHEN rolls THEN city_of ELSE county_of END)::INTEGER AS grade_of,
  CASE WHEN grade_rank IS NULL THEN NULL WHEN rolls THEN 'region_city' ELSE 'region_county' END AS grade_within,
  CASE WHEN outside IS NOT NULL THEN outside WHEN grade_rank IS NULL THEN NULL WHEN grade_rank * 10 <= grade_of * 2 THEN 'A'
    WHEN grade_rank * 1000 <= grade_of * 625 THEN 'B' WHEN grade_rank * 100 <= grade_of * 95 THEN 'C' ELSE 'D' END AS grade_initial
FROM totals;
CREATE TABLE moved AS SELECT *, CASE WHEN g = 'others' AND main_revenue_fen > 50000000000 THEN 1 ELSE ascii(grade_initial) - 64 END AS direct,
  least(greatest(direct - up_::INT, 1), 4) AS raised, least(greatest(raised + 2 * down_::INT, 1), 4) AS lowered,
  greatest(lowered, CASE WHEN most_c THEN 3 ELSE 1 END, CASE WHEN x <= 0 THEN 2 ELSE 1 END) AS held
FROM places"""
RESULT = """
SELECT *, CASE WHEN grade_initial IN ('A', 'B', 'C', 'D') THEN CASE WHEN least_d THEN 'D' ELSE chr(64 + held::INT) END
  ELSE grade_initial END AS grade FROM moved"""

NAMES = {
    "g": "score_group", "x": "tax_per_mu", "va": "value_added_per_tce", "lab": "labour_productivity", "epr": "energy_per_revenue",
    "emi": "tax_per_t_emission", "rd": "rd_ratio", "b_tax": "base__tax_per_mu", "b_va": "base__value_added_per_tce",
    "b_lab": "base__labour_productivity", "b_epr": "base__energy_per_revenue", "b_emi": "base__tax_per_t_emission",
    "b_rd": "base__rd_ratio", "i_x": "item__tax_per_mu", "i_va": "item__value_added_per_tce", "i_lab": "item__labour_productivity",
    "i_epr": "item__energy_per_revenue", "i_emi": "item__tax_per_t_emission", "i_rd": "item__rd_ratio",
}  # fmt: skip
COMPARED = [
    *NAMES.values(), "score_items", "bonus", "deduction", "score_e10", "grade_rank", "grade_of", "grade_within",
    "grade_initial", "grade",
]  # fmt: skip


def judged(folder: Path, before: Path, rule: str) -> pl.DataFrame:
    with duckdb.connect() as db:
        db.execute(measured(before, 2023, 365, "before", rule))
        db.execute(measured(folder, 2024, 366, "now", rule))
        for step in (BASES, ITEMS, events(folder, 2024), GRADES):
            db.execute(step)
        return db.sql(RESULT).pl().rename(NAMES)


@pytest.mark.parametrize("rule", ["merged", "both", "own_list"])
@pytest.mark.parametrize("size", [500, 3000, pytest.param(30_000, marks=pytest.mark.slow)])
def test_every_rule(tmp_path: Path, size: int, rule: str) -> None:
    """500: places of a few enterprises, some of which roll up; 3,000: full ones."""
    folders = [write_year(tmp_path / str(year), seed=year, size=size) for year in (2023, 2024)]
    pack = read_pack(ALL_FORMS.read_text("utf-8").replace("rule: merged", f"rule: {rule}"), "all-forms")
    last, this = (Merged(y, "", f, [], {}, 0.0) for y, f in zip((2023, 2024), folders, strict=True))
    ours, sql = compute(pack, this, last), judged(folders[1], folders[0], rule)
    assert differences(ours, sql, COMPARED) == {}
    assert ours.filter(pl.col("grade") != pl.col("grade_initial")).height > size / 50
    assert set(ours["grade"].drop_nulls()) == set("ABCDT")
    assert set(ours["grade_within"].drop_nulls()) == {"region_city", "region_county"} or size > 500
    tenants = ours.filter(pl.col("flags").str.split(",").list.contains("tenant"))
    assert tenants.height > size / 20 and (tenants["score_e10"].count() == 0) == (rule == "merged")
