"""The shipped packs of several groups computed again in SQL written for this test alone.

The packs' texts are put into SQL by hand: groups, items, weights, bases. Values are compared bit for bit.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from engine.policy.model import Policy
from engine.policy.packs import load_pack
from engine.ranking.merged import Merged
from engine.ranking.pipeline import rankings
from engine.schema.warehouse import Warehouse
from tests.judges.test_ranks_against_sql import differences, rank_columns, ranks_of, wide
from tests.unit.ranking.crowds import write_year


def over(top: str, times: int, bottom: str, by: int) -> str:
    """A quotient of whole numbers, null unless the denominator is above zero."""
    return f"CASE WHEN {bottom} > 0 THEN ({top}::HUGEINT * {times})::DOUBLE / ({bottom}::HUGEINT * {by})::DOUBLE END"


def energy(kwh: int, gas: int) -> str:
    """What statistics reports, else meters, in 0.1 mg."""
    metered = f"coalesce(power_wh, 0)::HUGEINT * {kwh} + coalesce(gas_litre, 0)::HUGEINT * {gas}"
    known = "power_wh IS NOT NULL OR gas_litre IS NOT NULL"
    return f"coalesce(energy_ce::HUGEINT, CASE WHEN {known} THEN {metered} END)"


def indicators(days: int) -> dict[str, tuple[str, int, str, int]]:
    """Numerator, factor, denominator, divisor of every indicator that the packs score."""
    return {
        "tax_per_mu": ("tax", days, "land_dm2_days", 15),
        "sales_per_mu": ("sales", days, "land_dm2_days", 15),
        "value_added_per_mu": ("value_added_fen", days, "land_dm2_days", 15),
        "value_added_per_tce": ("value_added_fen", 10**4, "used", 1),
        "value_added_per_t_emission": ("value_added_fen", 1, "pollutants", 1),
        "value_added_per_t_cod": ("value_added_fen", 1, "cod_gram", 1),
        "value_added_per_t_water": ("value_added_fen", 1, "water_litre", 1000),
        "tax_per_kwh": ("tax", 10, "power_wh", 1),
        "labour_productivity": ("value_added_fen", 1, "employees", 10**6),
        "rd_ratio": ("rd_fen", 1, "main_revenue_fen", 1),
    }


POLLUTANTS = ("cod_gram", "ammonia_nitrogen_gram", "so2_gram", "nox_gram")
ABOVE, BELOW = "scale = 'above_scale'", "scale = 'below_scale'"
MU3 = "land_dm2_days > 0 AND land_dm2_days::HUGEINT * 3 {} 3 * 200000 * {}"
# pack → electricity and gas coefficients, and per group: who, items with weight and published base (None: average)
Group = tuple[str, dict[str, tuple[int, float | None]]]
PACKS: dict[str, tuple[int, int, dict[str, Group]]] = {
    "huangyan-2021": (3100, 13300, {
        "above_scale": (ABOVE, {"tax_per_mu": (30, 26.01), "value_added_per_mu": (20, 132.27), "value_added_per_tce": (20, 2.54),
                                "value_added_per_t_emission": (10, 4861.08), "labour_productivity": (10, 17.45), "rd_ratio": (10, 0.0305)}),
        "below_scale": (BELOW, {"tax_per_mu": (50, 16.601058), "tax_per_kwh": (50, 0.236565)})}),
    "huangyan-2022": (3100, 13300, {
        "above_scale": (ABOVE, {"tax_per_mu": (30, 24.097), "value_added_per_mu": (20, 136.16), "value_added_per_tce": (20, 2.694),
                                "value_added_per_t_emission": (10, 4929.81), "labour_productivity": (10, 18.14), "rd_ratio": (10, 0.0302)}),
        "below_scale": (BELOW, {"tax_per_mu": (50, 11.5932), "tax_per_kwh": (50, 0.2352)})}),
    "linhai-2014": (1229, 13300, {
        "land_3mu_up": (MU3.format(">=", 366), {"tax_per_mu": (40, 15.0), "sales_per_mu": (10, 300.0), "value_added_per_tce": (20, 3.0),
                        "value_added_per_t_cod": (15, 500.0), "value_added_per_t_water": (5, 0.1), "labour_productivity": (10, 15.0)}),
        "land_below_3mu": (MU3.format("<", 366), {"tax_per_mu": (50, 15.0), "sales_per_mu": (20, 300.0), "tax_per_kwh": (30, 2.0)})}),
    "illustrative-2024": (1229, 13300, {
        "above_scale": (ABOVE, {"tax_per_mu": (45, None), "sales_per_mu": (20, None), "value_added_per_tce": (15, None),
                                "rd_ratio": (15, None), "labour_productivity": (5, None)}),
        "below_scale": (BELOW, {"tax_per_mu": (100, None)})}),
}  # fmt: skip


def measured(db: duckdb.DuckDBPyConnection, folder: Path, pack: str, facts: str | None = None) -> None:
    """The table ``x``: every indicator of the pack, its group, and who is evaluated."""
    kwh, gas, groups = PACKS[pack]
    db.execute(wide(folder, 366, "now", facts))
    known = " OR ".join(f"{p} IS NOT NULL" for p in POLLUTANTS)
    total = " + ".join(f"coalesce({p}, 0)" for p in POLLUTANTS)
    cases = " ".join(f"WHEN {who} THEN '{name}'" for name, (who, _) in groups.items())
    fits = ", ".join(f"{over(*parts)} AS x_{name}" for name, parts in indicators(366).items())
    limit = f"is_above_scale = 1 OR land_dm2_days::HUGEINT * 3 >= 5 * 200000 * {366}"
    scope = limit if pack == "illustrative-2024" else "true"
    utility = "coalesce(i2 IN ('44', '45', '46'), false)" if pack == "illustrative-2024" else "false"
    db.execute(f"""
        CREATE TABLE x AS
        WITH a AS (SELECT *, {energy(kwh, gas)} AS used, CASE WHEN {known} THEN {total} END AS pollutants FROM now)
        SELECT *, {fits}, CASE {cases} END AS g, coalesce({scope}, false) AND g IS NOT NULL AS inside_, {utility} AS exempt,
          inside_ AND NOT exempt AND coalesce(land_dm2_days > 0, false) AS evaluated FROM a""")


def based(pack: str) -> str:
    """``b_<indicator>``: the published constant, or this year's Σ ÷ Σ of the evaluated of the group in the county."""
    names = {n: None for _, items in PACKS[pack][2].values() for n in items}
    columns = []
    for name in names:
        top, times, bottom, by = indicators(366)[name]
        part = f"FILTER (evaluated AND x_{name} IS NOT NULL) OVER (PARTITION BY g, county)"
        n, d = f"sum({top}::HUGEINT) {part}", f"sum({bottom}::HUGEINT) {part}"
        mean = f"CASE WHEN county IS NOT NULL AND {n} > 0 AND {d} > 0 THEN ({n} * {times})::DOUBLE / ({d} * {by})::DOUBLE END"
        cases = [
            f"WHEN g = '{group}' THEN {mean if items[name][1] is None else f'{items[name][1]!r}::DOUBLE'}"
            for group, (_, items) in PACKS[pack][2].items()
            if name in items
        ]
        columns.append(f"CASE {' '.join(cases)} END AS b_{name}")
    return f"CREATE TABLE b AS SELECT *, {', '.join(columns)} FROM x"


def points(pack: str) -> str:
    """``i_<indicator>`` and the total: weight · value ÷ base, 0 for a missing value."""
    names = {n: None for _, items in PACKS[pack][2].values() for n in items}
    able, items_sql, sums = [], [], []
    for group, (_, items) in PACKS[pack][2].items():
        able.append(f"(g = '{group}' AND " + " AND ".join(f"b_{n} IS NOT NULL" for n in items) + ")")
        sums.append(f"WHEN g = '{group}' THEN " + " + ".join(f"i_{n}" for n in items))
    for name in names:
        weights = " ".join(
            f"WHEN g = '{g}' THEN {i[name][0]}::DOUBLE" for g, (_, i) in PACKS[pack][2].items() if name in i
        )
        raw = f"x_{name} / b_{name} * (CASE {weights} END)"
        groups = ", ".join(f"'{g}'" for g, (_, i) in PACKS[pack][2].items() if name in i)
        items_sql.append(
            f"CASE WHEN able AND g IN ({groups}) THEN coalesce({raw}, {instead(pack, name, raw)}) END AS i_{name}"
        )
    return f"""
        CREATE TABLE s AS SELECT *, evaluated AND ({" OR ".join(able)}) AS able, {", ".join(items_sql)},
          floor((CASE {" ".join(sums)} END) * 1e10::DOUBLE + 0.5::DOUBLE)::BIGINT AS score_e10 FROM b"""


def instead(pack: str, name: str, raw: str) -> str:
    """What a missing value scores: 0; Huangyan 2022 gives emissions the group's mean score, to 10⁻¹⁰ an enterprise."""
    if (pack, name) != ("huangyan-2022", "value_added_per_t_emission"):
        return "0"
    whole = f"floor({raw})"
    part = f"floor(({raw} - {whole}) * 1e10::DOUBLE + 0.5::DOUBLE)"
    window = "FILTER (evaluated) OVER (PARTITION BY g, county)"
    mean = (
        f"(sum({whole}::HUGEINT) {window}::DOUBLE + sum({part}::HUGEINT) {window}::DOUBLE / 1e10::DOUBLE)"
        f" / (count({raw}) {window})::DOUBLE"
    )
    return f"CASE WHEN county IS NOT NULL THEN coalesce({mean}, 0) ELSE 0 END"


def judged(folder: Path, pack: str, facts: str | None = None) -> pl.DataFrame:
    """The judge's table of a shipped pack."""
    with duckdb.connect() as db:
        measured(db, folder, pack, facts)
        db.execute(based(pack))
        db.execute(points(pack))
        ranks = rank_columns(["score", "output_per_mu", "benefit_per_mu"])
        db.execute(f"CREATE TABLE ranked AS SELECT *, {ranks} FROM s")
        place = "RANK() OVER (PARTITION BY g, county ORDER BY score_e10 DESC NULLS LAST)"
        grades = db.sql(f"""
            SELECT *, CASE WHEN county IS NOT NULL AND score_e10 IS NOT NULL THEN {place} END::INTEGER AS grade_rank,
              CASE WHEN grade_rank IS NOT NULL THEN count(score_e10) OVER (PARTITION BY g, county) END::INTEGER AS grade_of
            FROM ranked""").pl()
    names = {n: None for _, items in PACKS[pack][2].values() for n in items}
    own = {f"{kind}_{n}": f"{new}{n}" for n in names for kind, new in (("x", ""), ("b", "base__"), ("i", "item__"))}
    return grades.drop(n for n in names if n in grades.columns).rename(own).rename({"g": "score_group"})


def compared(pack: str) -> list[str]:
    names = list({n: None for _, items in PACKS[pack][2].values() for n in items})
    parts = [f"{part}{n}" for n in names for part in ("", "base__", "item__")]
    return [*parts, "score_group", "score_e10", "grade_rank", "grade_of", *ranks_of(["score", "output_per_mu"])]


def ours(policy: Policy, folder: Path, last: Path | None = None, year: int = 2024) -> pl.DataFrame:
    before = Merged(year - 1, "", last, [], {}, 0.0).tables() if last else None
    return rankings(policy, Merged(year, "", folder, [], {}, 0.0).tables(), before).to_native().collect()


def alone(pack: str) -> Policy:
    """A shipped pack whose tenants are evaluated alone: what tenants change is judged with all-forms."""
    policy = load_pack(pack).policy
    return policy.model_copy(update={"tenants": policy.tenants.model_copy(update={"rule": "alone"})})


@pytest.mark.parametrize("pack", PACKS)
def test_items_totals_and_ranks_of_a_crowd(tmp_path: Path, pack: str) -> None:
    folder = write_year(tmp_path / "2024", seed=2024, size=2000)
    table, sql = ours(alone(pack), folder), judged(folder, pack)
    assert differences(table, sql, compared(pack)) == {}
    assert table["score_e10"].count() > 500 and set(table["score_group"].drop_nulls()) == set(PACKS[pack][2])


def test_grades_of_the_demo_under_the_illustrative_pack(demo_home: Warehouse) -> None:
    """Real links and gaps; A 25, B 70, C 95, D 100 of each group in its county, boundaries at the better grade."""
    (folder,) = demo_home.merged.glob("2024-*")
    table, sql = ours(load_pack("illustrative-2024").policy, folder), judged(folder, "illustrative-2024")
    assert differences(table, sql, compared("illustrative-2024")) == {}
    rank, of = pl.col("grade_rank").cast(pl.Int64) * 100, pl.col("grade_of").cast(pl.Int64)
    grade = pl.when(rank <= of * 25).then(pl.lit("A")).when(rank <= of * 70).then(pl.lit("B"))
    grade = grade.when(rank <= of * 95).then(pl.lit("C")).when(rank.is_not_null()).then(pl.lit("D"))
    shut = pl.col("inside_") & pl.col("exempt")
    expected = sql.sort("enterprise_id").select(pl.when(shut).then(pl.lit("T")).otherwise(grade)).to_series()
    assert table["grade"].equals(expected, null_equal=True)
    assert set("ABCD") <= set(table["grade"].drop_nulls())
