"""Shared meters: by declared share, else floor, else land, else nobody; and the parts are always the meter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest.evidence import decided
from ingest.load import ingest
from ingest.merge import MergeReport, merge
from ingest.meters import WHOLE, Sharer, Weights, apportioned, by_weight, parts_of
from tests.unit.ingest.files import A, B, C, put
from tests.unit.merge.tables import HALF, THIRD
from tests.unit.merge.test_evidence import RECORDS, record

LEAST, MOST = -(2**63), 2**63 - 1


@dataclass
class Known:
    """Grounds known before: floor area by lessee, land."""

    floors: Weights = field(default_factory=dict)
    land: list[Weights] = field(default_factory=list)

    def lands(self, ids: set[str]) -> list[Weights]:
        return self.land


def sharers(*shares: int | None, floors: tuple[int | None, ...] = ()) -> list[Sharer]:
    each = floors or (None,) * len(shares)
    return [Sharer(f"E{n}", "credit_code", s, each[n], n) for n, s in enumerate(shares)]


FLOORS, LANDS = Known({"E0": 100, "E1": 300}), Known({}, [{"E0": 5}, {"E0": 30, "E1": 10}])

RULES = [
    ((HALF, HALF), Known(), [("declared", HALF), ("declared", HALF)], []),
    ((700_000_000, 700_000_000), Known(), [("declared", 700_000_000)] * 2, ["meter_shares_over_one"]),
    (
        (THIRD, THIRD),
        Known(),
        [("declared", THIRD)] * 2 + [("declared", WHOLE - 2 * THIRD)],
        ["meter_shares_below_one"],
    ),
    ((THIRD, THIRD, THIRD), Known(), [("declared", THIRD)] * 3, []),
    ((0, 0), Known(), [("declared", 0)] * 2 + [("declared", WHOLE)], ["meter_shares_below_one"]),
    ((None, None), FLOORS, [("floor", 250_000_000), ("floor", 750_000_000)], []),
    ((None, None), LANDS, [("land", 750_000_000), ("land", 250_000_000)], []),
    ((None, None), Known({"E0": 100}), [("flagged", None)] * 2, ["meter_without_shares"]),
    ((None,), Known(), [("flagged", None)], ["meter_without_shares"]),
    ((HALF, None), Known({"E1": 7}), [("declared", HALF), ("floor", HALF)], []),
    ((HALF, None), Known(), [("declared", HALF), ("flagged", None), ("declared", HALF)], ["meter_without_shares"]),
    ((WHOLE, None), FLOORS, [("declared", WHOLE), ("flagged", None)], ["meter_without_shares"]),
    ((-1, HALF), FLOORS, [("flagged", None)] * 2, ["meter_without_shares"]),
]


@pytest.mark.parametrize(("shares", "grounds", "expected", "kinds"), RULES)
def test_the_rule(
    shares: tuple[int | None, ...], grounds: Known, expected: list[tuple[str, int | None]], kinds: list[str]
) -> None:
    done, found = apportioned(sharers(*shares), grounds)
    assert [(s.by, s.share) for s in done] == expected and found == kinds
    assert all(s.enterprise is None for s in done[len(shares) :])


def test_floor_of_the_share_table_comes_before_the_lease() -> None:
    done, _ = apportioned(sharers(None, None, floors=(300, None)), FLOORS)
    assert [s.share for s in done] == [500_000_000, 500_000_000]


def test_one_firm_by_two_names_is_not_split_by_land() -> None:
    twice = [Sharer("E0", "credit_code", None, None, 1), Sharer("E0", "exact_name", None, None, 2)]
    assert {s.by for s in apportioned(twice, Known({}, [{"E0": 5}]))[0]} == {"flagged"}


SHARES = st.lists(
    st.one_of(st.none(), st.integers(0, WHOLE), st.sampled_from([0, THIRD, HALF, 700_000_000, WHOLE])),
    min_size=1,
    max_size=8,
)


@given(st.integers(LEAST, MOST), SHARES, st.lists(st.integers(0, 10**10), min_size=8, max_size=8), st.booleans())
def test_the_parts_are_the_meter(value: int, shares: list[int | None], area: list[int], floor: bool) -> None:
    """Thirds, zero, negative corrections, 140 per cent, areas of any size: Σ of the parts, nobody's included, is it."""
    known = {f"E{n}": a for n, a in enumerate(area)}
    done, kinds = apportioned(sharers(*shares), Known(known) if floor else Known({}, [known]))
    counted = [s for s in done if s.share is not None]
    if not counted:
        assert kinds == ["meter_without_shares"]  # kept whole, and given to nobody
        return
    rows = [record(n, value, key="account:9", share=s.share, sharer=n) for n, s in enumerate(counted)]
    parts = decided(pl.DataFrame(rows, schema=RECORDS), ["power"])[0].collect()["value"].to_list()
    assert sum(parts) == value and parts == parts_of(value, [s.share for s in counted])
    assert all(p == 0 or (p < 0) == (value < 0) for p in parts)


@given(st.integers(0, WHOLE), st.lists(st.integers(0, 2**62), min_size=1, max_size=9).filter(any))
def test_by_weight_conserves_and_is_fair(whole: int, weights: list[int]) -> None:
    parts = by_weight(whole, weights)
    assert sum(parts) == whole
    assert all(abs(p * sum(weights) - whole * w) < sum(weights) for p, w in zip(parts, weights, strict=True))


# --- from files ---------------------------------------------------------------------------------------------------

COMMERCE = f"""统一社会信用代码,企业名称,行业代码,行政区划代码,成立日期
{A},甲机械有限公司,2614,320583001,2010-01-05
{B},乙化工有限公司,2614,320583001,2011-03-01
{C},丙实业有限公司,3011,320583001,2012-02-29
"""
PARCEL = "320583001001GB00001"
METERS = {"1001": 100, "1002": 100, "1003": 100, "1004": 101, "1005": 100}
SHARE_ROWS = f"""户号,统一社会信用代码,企业名称,分摊比例,建筑面积（平方米）,宗地代码
1001,{A},甲,,100,
1001,{B},乙,,300,
1002,{A},甲,,,
1002,{B},乙,,,
1003,{C},丙,,,
1003,,谁也不是,,,
1004,,,,,{PARCEL}
1005,{A},甲,70%,,
1005,{B},乙,70%,,
"""
LAND = f"宗地代码,统一社会信用代码,权利人,宗地面积（平方米）\n{PARCEL},{A},甲机械有限公司,4000\n"
LEASE = f"宗地代码,出租方统一社会信用代码,承租方统一社会信用代码,出租面积（平方米）\n{PARCEL},{A},{B},1000\n"


@pytest.fixture
def merged(home: Warehouse, tmp_path: Path) -> MergeReport:
    """Two firms on one parcel; meters split by floor, by land, by nobody, by who uses the parcel, and at 140 %."""
    power = "".join(f"{n},甲机械有限公司,2024-01,{kwh}\n" for n, kwh in METERS.items())
    put(tmp_path, "drops/commerce/名录2024.csv", COMMERCE)
    put(tmp_path, "drops/power/用电2024.csv", "户号,户名,月份,用电量（千瓦时）\n" + power)
    put(tmp_path, "drops/power/分摊2024.csv", SHARE_ROWS)
    put(tmp_path, "drops/land/宗地2024.csv", LAND)
    put(tmp_path, "drops/land/出租2024.csv", LEASE)
    for report in ingest(home, [tmp_path / "drops"], year=2024):
        assert report.refused == 0, report.reasons
    return merge(home, 2024)


def table(home: Warehouse, report: MergeReport, name: str) -> pl.DataFrame:
    return pl.read_parquet(home.merged / report.merge_id / f"{name}.parquet")


def test_meters_of_files(home: Warehouse, merged: MergeReport) -> None:
    codes = dict(table(home, merged, "enterprises").select("enterprise_id", "uscc").iter_rows())
    claims = table(home, merged, "claims").filter(pl.col("field") == "power_wh")
    got = {(k, codes[e]): v for k, e, v in claims.select("record_key", "enterprise_id", "value").iter_rows()}
    assert got == {
        ("account:1001", A): 25_000, ("account:1001", B): 75_000,  # floor 100 : 300
        ("account:1002", A): 75_000, ("account:1002", B): 25_000,  # land 3,000 : 1,000 m²
        ("account:1004", A): 75_750, ("account:1004", B): 25_250,  # whoever uses the parcel, by land
        ("account:1005", A): 50_000, ("account:1005", B): 50_000,  # 140 % in proportion
    }  # fmt: skip


def test_shared_meters_say_by_what(home: Warehouse, merged: MergeReport) -> None:
    shares = table(home, merged, "shared_meters").sort("record_key", "row", "share_ppb")
    assert shares.columns == [
        "source", "record_key", "enterprise_id", "by", "share_ppb", "field", "of_value", "value", "load_id", "sheet", "row",
    ]  # fmt: skip
    by = dict(shares.group_by("record_key").agg(pl.col("by").unique().sort().str.join(",")).iter_rows())
    assert by == {
        "account:1001": "floor", "account:1002": "land", "account:1003": "flagged", "account:1004": "land",
        "account:1005": "declared",
    }  # fmt: skip
    assert shares.filter(pl.col("record_key") == "account:1001")["share_ppb"].to_list() == [250_000_000, 750_000_000]


def test_parts_are_those_of_the_claims_and_sum_to_the_meter(home: Warehouse, merged: MergeReport) -> None:
    shares, claims = (table(home, merged, n) for n in ("shared_meters", "claims"))
    counted = shares.drop_nulls("share_ppb")
    sums = counted.group_by("record_key").agg(pl.col("value").sum(), pl.col("of_value").first())
    assert sums.height == 4 and (sums["value"] == sums["of_value"]).all()
    both = counted.drop_nulls("enterprise_id").join(claims, on=["record_key", "enterprise_id", "field"], suffix="_said")
    assert both.height == 8 and (both["value"] == both["value_said"]).all()
    assert shares.filter(pl.col("by") == "flagged")["of_value"].to_list() == [100_000] * 2


def test_a_meter_that_nothing_splits_waits_for_a_person(home: Warehouse, merged: MergeReport) -> None:
    left = table(home, merged, "unlinked").filter(pl.col("reason") == "shared_meter_without_shares")
    assert left["record_key"].to_list() == ["account:1003"] and left["row"].to_list() == [6]
    found = table(home, merged, "findings").filter(pl.col("kind").str.starts_with("meter_")).sort("kind")
    assert found.select("kind", "value", "row").rows() == [
        ("meter_shares_over_one", 1_400_000_000, 9), ("meter_without_shares", 0, 6),
    ]  # fmt: skip
    assert "power 1003" in found["note_en"][1] and merged.counts["meter_findings"] == 2 and merged.needs_person
