"""Months missing from monthly records are told, by enterprise and source; figures stay as the departments gave them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest import months
from ingest.canonical import Year
from ingest.load import ingest
from ingest.merge import MergeReport, merge
from tests.unit.ingest.files import A, B, C, put

COMMERCE = f"""统一社会信用代码,企业名称,行业代码,行政区划代码,成立日期
{A},甲机械有限公司,2614,320583001,2010-01-05
{B},乙化工有限公司,2614,320583001,2011-03-01
{C},丙实业有限公司,3011,320583001,2024-06-10
"""
ALL = set(range(1, 13))


def rows(account: str, name: str, held: set[int]) -> str:
    return "".join(f"{account},{name},2024-{m:02d},100\n" for m in sorted(held))


def power(home: Warehouse, folder: Path, text: str, more: dict[str, str] | None = None) -> MergeReport:
    put(folder, "d/commerce/名录2024.csv", COMMERCE)
    put(folder, "d/power/用电2024.csv", "户号,户名,月份,用电量（千瓦时）\n" + text)
    for name, content in (more or {}).items():
        put(folder, f"d/{name}", content)
    ingest(home, [folder / "d"], year=2024)
    return merge(home, 2024)


def coverage(home: Warehouse, report: MergeReport) -> dict[tuple[str, str], tuple[int, int, str]]:
    """(credit code, source) → months seen, expected, missing."""
    folder = home.merged / report.merge_id
    lines = pl.read_parquet(folder / "coverage.parquet").join(
        pl.read_parquet(folder / "enterprises.parquet").select("enterprise_id", "uscc"), on="enterprise_id"
    )
    columns = ("uscc", "source", "months_seen", "months_expected", "missing")
    return {(u, s): tuple(rest) for u, s, *rest in lines.select(columns).iter_rows()}  # type: ignore[misc]


JIA, YI, BING = "甲机械有限公司", "乙化工有限公司", "丙实业有限公司"


def test_eleven_of_twelve_months_are_told_and_not_made_up(home: Warehouse, tmp_path: Path) -> None:
    report = power(home, tmp_path, rows("1", JIA, ALL - {11}) + rows("2", YI, ALL))
    assert coverage(home, report) == {(A, "power"): (11, 12, "11")}
    facts = pl.read_parquet(home.merged / report.merge_id / "facts.parquet").sort("value")
    assert facts["value"].to_list() == [1_100_000, 1_200_000]
    wide = pl.read_parquet(home.merged / report.merge_id / "facts_wide.parquet")
    assert sorted(wide["months_missing"].drop_nulls()) == [1] and wide.schema["months_missing"] == pl.Int64
    (line,) = pl.read_parquet(home.merged / report.merge_id / "coverage.parquet").to_dicts()
    assert (line["field"], line["months_missing"]) == ("power_wh", 1)


CASES = {
    "a meter taken down in June, another from July on": (rows("1", JIA, set(range(1, 7))) + rows("9", JIA, set(range(7, 13))), {}),
    "a second meter that skips a month": (rows("1", JIA, ALL) + rows("9", JIA, {2, 3, 5}), {(A, "power"): (11, 12, "4")}),
    "a second meter for part of the year": (rows("1", JIA, ALL) + rows("9", JIA, {2, 3, 4}), {}),
    "founded in June": (rows("1", BING, set(range(6, 13))) + rows("2", YI, ALL), {}),
    "founded in June, without September": (
        rows("1", BING, set(range(6, 13)) - {9}) + rows("2", YI, ALL), {(C, "power"): (6, 7, "9")},
    ),
    "nothing but January and December": (
        rows("1", JIA, {1, 12}) + rows("2", YI, ALL), {(A, "power"): (2, 12, "2,3,4,5,6,7,8,9,10,11")},
    ),
    "quarters": (rows("1", JIA, {3, 6, 9, 12}) + rows("2", YI, {3, 9, 12}), {(B, "power"): (3, 4, "6")}),
    "quarters beside months": (rows("1", JIA, {3, 6, 9, 12}) + rows("2", YI, ALL), {}),
    "one row for the year": (f"1,{JIA},2024,1200\n" + rows("2", YI, ALL), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_counts_as_missing(name: str, home: Warehouse, tmp_path: Path) -> None:
    text, expected = CASES[name]
    assert coverage(home, power(home, tmp_path, text)) == expected


def test_sources_are_told_apart_and_the_flag_is_the_most(home: Warehouse, tmp_path: Path) -> None:
    tax = "纳税人识别号,所属期,增值税（元）,应税销售收入（元）\n" + "".join(
        f"{A},2024{m:02d},1,2\n" for m in ALL - {1, 2}
    )
    everyone = "".join(f"{B},2024{m:02d},1,2\n" for m in ALL)
    report = power(home, tmp_path, rows("1", JIA, ALL - {5}), {"state_tax/国税2024.csv": tax + everyone})
    assert coverage(home, report) == {(A, "power"): (11, 12, "5"), (A, "state_tax"): (10, 12, "1,2")}
    lines = pl.read_parquet(home.merged / report.merge_id / "coverage.parquet")
    assert lines.filter(pl.col("source") == "state_tax")["field"].to_list() == [None]
    assert pl.read_parquet(home.merged / report.merge_id / "facts_wide.parquet")["months_missing"].max() == 2


class _OneTable:
    """What :class:`ingest.canonical.Year` is to ``months.seen``."""

    year = 2024

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def scan(self, source: str, table: str) -> pl.LazyFrame:
        return self._frame.lazy()


def expected_lack(records: list[set[int]]) -> set[int]:
    """The rule in sets."""
    everything: set[int] = set().union(*records)
    due: set[int] = set()
    gaps: set[int] = set()
    for one in records:
        mine = {3, 6, 9, 12} if one <= {3, 6, 9, 12} else ALL
        due |= mine
        gaps |= {m for m in mine if min(one) < m < max(one)} - one
    return (due - everything) | gaps


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(1, 12), min_size=1), min_size=1, max_size=4))
def test_the_bits_are_the_sets(records: list[set[int]]) -> None:
    held = [(f"r{n}", 202400 + m) for n, one in enumerate(records) for m in one]
    full = [("full", 202400 + m) for m in ALL]  # another firm's, so that the source is a monthly one
    frame = pl.DataFrame(held + full, schema={"record_key": pl.String, "period": pl.Int32}, orient="row")
    linked = frame.group_by("record_key").agg(rows=pl.len().cast(pl.Int32)).with_columns(
        enterprise_no=(pl.col("record_key") == "full").cast(pl.Int32)
    )  # fmt: skip
    year: Year = _OneTable(frame)  # type: ignore[assignment]
    lines = months.seen(year, "power", "usage", ["power_wh"], linked)
    lacking: set[int] = set()
    for line in pl.concat(lines).iter_rows(named=True) if lines else ():
        mask = (line["expected"] & ~line["seen"]) | line["gaps"]
        lacking = {m for m in ALL if mask >> (m - 1) & 1}
    assert lacking == expected_lack(records)
