"""The laws of ranking on Spark: many small worlds, each in a county of its own, in one table.

A job takes seconds however small it is, so one example holds two dozen worlds: the ranks within a county are a world's own.
The laws are those of test_ranking_laws, which holds them for Polars.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.fingerprint import table_sha256
from engine.policy.model import Policy
from engine.policy.packs import load_pack
from engine.ranking import run, spark
from engine.ranking.merged import Merged
from tests.laws.test_ranking_laws import ROW, weighted
from tests.spark import needs_java, settings_in
from tests.unit.ranking.firms import Firm, enterprises_of, firm, wide_of

pytestmark = [needs_java, pytest.mark.slow]
METRICS = (("benefit_per_mu", "benefit_per_mu"), ("output_per_mu", "output_per_mu"), ("score", "score_e10"))
COUNTY = "rank__{}__region_county"
WORLDS = st.lists(st.lists(ROW, min_size=2, max_size=6), min_size=24, max_size=24)
# no shrinking: a failing example is small, and each attempt is a job of seconds
on_spark = settings(
    max_examples=1, phases=(Phase.generate,), deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(settings_in(folder / "conf")))
        with spark.session(folder / "spark.log") as session:
            yield session


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return (tmp_path_factory.mktemp(f"job{n}") for n in count())


def placed(worlds: list[list[dict[str, Any]]], first: int = 0) -> list[Firm]:
    """The worlds' firms, those of world n in county 32xxxx with xxxx = ``first`` + n."""
    return [
        firm((first + n) * 100 + at, **row | {"region_code": f"32{first + n + 1:04}001"})
        for n, rows in enumerate(worlds)
        for at, row in enumerate(rows)
    ]


def merged(year: int, firms: list[Firm], folder: Path) -> Merged:
    folder.mkdir()
    enterprises_of(firms).write_parquet(folder / "enterprises.parquet")
    wide_of(firms).write_parquet(folder / "facts_wide.parquet")
    return Merged(year, "", folder, [], {}, 0.0)


def on_both(session: Any, firms: list[Firm], folder: Path, policy: Policy | None = None) -> pl.DataFrame:
    """The rankings by Spark, after they were found equal to those of Polars; last year every county had one firm."""
    counties = sorted({f["region_code"] for f in firms})
    usual = {"vat_fen": 10**9, "invoiced_sales_fen": 10**10, "land_dm2_days": 365 * 10**6, "power_wh": 10**10}
    last = [firm(n, region_code=c, is_above_scale=1, **usual) for n, c in enumerate(counties)]
    years = merged(2024, firms, folder / "2024"), merged(2023, last, folder / "2023")
    pack = load_pack("huaian-2024")
    pack = pack if policy is None else replace(pack, policy=policy)
    found = spark.computed(session, pack, *years, folder / "out")
    assert table_sha256(found) == table_sha256(run.compute(pack, *years))
    return found


def ranks(table: pl.DataFrame, metric: str) -> dict[str, int | None]:
    """Enterprise → its rank in its county."""
    return dict(table.select("enterprise_id", COUNTY.format(metric)).iter_rows())


@on_spark
@given(WORLDS, st.sampled_from(["vat_fen", "invoiced_sales_fen"]), st.integers(1, 10**12))
def test_ranks_are_a_competition_and_a_better_value_never_ranks_worse(
    session: Any, folders: Iterator[Path], worlds: list[list[dict[str, Any]]], field: str, more: int
) -> None:
    """Each world stands twice: as it is, and with one firm's output or tax raised."""
    better = [
        [rows[0] | {field: rows[0][field] + more}, *rows[1:]] if rows[0][field] is not None else rows for rows in worlds
    ]
    shift = len(worlds)
    table = on_both(session, placed(worlds) + placed(better, shift), next(folders))
    metric = "benefit_per_mu" if field == "vat_fen" else "output_per_mu"
    for name in (metric, "score"):
        held = ranks(table, name)
        for n in range(shift):
            before, after = held[f"E{n * 100:06}"], held[f"E{(n + shift) * 100:06}"]
            assert before is None or (after is not None and after <= before), (name, n)
    for name, value in METRICS:
        for _, world in table.group_by("region_county"):
            known = [v for v in world[value] if v is not None]
            for v, rank, of in world.select(value, COUNTY.format(name), f"of__{name}__region_county").iter_rows():
                assert of == len(known)
                assert rank == (None if v is None else 1 + sum(k > v for k in known))


@on_spark
@given(WORLDS, ROW, st.randoms(use_true_random=False))
def test_a_worse_newcomer_changes_no_better_rank_and_order_changes_nothing(
    session: Any,
    folders: Iterator[Path],
    worlds: list[list[dict[str, Any]]],
    newcomer: dict[str, Any],
    dice: random.Random,
) -> None:
    shift = len(worlds)
    firms = placed(worlds) + placed([[*rows, newcomer] for rows in worlds], shift)
    table = on_both(session, firms, next(folders))
    values = {m: dict(table.select("enterprise_id", v).iter_rows()) for m, v in METRICS}
    for metric in ("benefit_per_mu", "output_per_mu"):
        held, value = ranks(table, metric), values[metric]
        for n, rows in enumerate(worlds):
            new = value[f"E{(n + shift) * 100 + len(rows):06}"]
            for at in range(len(rows)):
                old = value[f"E{n * 100 + at:06}"]
                if new is None or (old is not None and old > new):
                    assert held[f"E{n * 100 + at:06}"] == held[f"E{(n + shift) * 100 + at:06}"]
    dice.shuffle(firms)
    assert table_sha256(on_both(session, firms, next(folders))) == table_sha256(table)


@on_spark
@given(WORLDS, st.sampled_from([2, 4, 8]))
def test_weights_times_k_change_no_rank_and_no_grade(
    session: Any, folders: Iterator[Path], worlds: list[list[dict[str, Any]]], times: int
) -> None:
    """Powers of two, so that the products are exact (worlds with scores nearer than their rounding are left out)."""
    one, more = (on_both(session, placed(worlds), next(folders), weighted(k)) for k in (1, times))
    columns = ["enterprise_id", "grade", *(COUNTY.format(m) for m, _ in METRICS)]
    judged = 0
    for (county,), world in one.group_by("region_county"):
        scores = sorted(s for s in world["score"] if s is not None)
        if any(0 < abs(a - b) < 1e-8 for a, b in pairwise(scores)) or any(abs(s) > 1e7 for s in scores):
            continue
        other = more.filter(pl.col("region_county") == county)
        assert (
            world.select(columns)
            .sort("enterprise_id")
            .equals(other.select(columns).sort("enterprise_id"), null_equal=True)
        )
        judged += 1
    assert judged > len(worlds) // 2
