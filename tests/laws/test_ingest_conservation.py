"""Laws of ingest: no row is lost, whatever stands around the table; order and splitting change nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest.load import LoadReport, ingest

HEADER = "户号,户名,月份,用电量（千瓦时）"
TITLES = ["2024年用电情况表,,,", ",,,单位：千瓦时", ",,,", "填报单位：示例,,,", ""]
FURNITURE = [
    "合计,,,100",
    "小计,,,50",
    ",合计,,9",
    HEADER,
    "注：数据来源于抄表系统,,,",
    "填表人：示例,审核人：示例,,",
    ",,,",
    "",
]
NOTHING = {",,,", ""}

cells = st.text(
    st.characters(exclude_characters=',"\r\n\x00\x1c\x1d\x1e\x85\u2028\u2029', exclude_categories=("Cs",)), max_size=8
)
records = st.tuples(st.integers(1, 50), st.integers(1, 12), st.integers(0, 10**6)).map(
    lambda t: f"{t[0]:010d},企业{t[0]},2024-{t[1]:02d},{t[2]}"
)
junk = st.lists(cells, min_size=4, max_size=4).map(",".join)
lines = st.lists(st.one_of(records, records, st.sampled_from(FURNITURE), junk), max_size=25)


def load(text: str, folder: str, name: str = "用电.csv") -> tuple[LoadReport, Warehouse]:
    path = Path(folder) / name
    path.write_text(text, encoding="utf-8", newline="")
    home = Warehouse(Path(folder) / "warehouse")
    return ingest(home, [path], source="power", year=2024)[0], home


def kept(report: LoadReport, home: Warehouse) -> pl.DataFrame:
    path = home.canonical / "power" / report.load_id / "usage.parquet"
    return pl.read_parquet(path, glob=False) if not report.duplicate else pl.DataFrame()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(TITLES), max_size=3), lines)
@example([], [",,,;", ",;,\x0c,;"])  # a form feed ends no line, and makes no semicolons the delimiter
def test_every_row_is_kept_refused_or_furniture(titles: list[str], body: list[str]) -> None:
    text = "\n".join([*titles, HEADER, *body]) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        report, home = load(text, folder)
        table = kept(report, home)
        refused = pl.read_parquet(home.refused / "power" / f"{report.load_id}.parquet", glob=False)
    blank = sum(
        1
        for line in text.split("\n")
        if not line.replace(",", "").strip(" \t\u00a0\u3000\ufeff\u200b\u2002\u2003\u2009\v\f")
    )
    assert report.rows_in == len(text.split("\n")) - blank
    assert report.rows_in == report.kept + report.refused + report.furniture
    assert (table.height, refused.height) == (report.kept, report.refused)
    rows = [*table["row"].to_list(), *refused["row"].to_list()]
    assert len(rows) == len(set(rows))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(records, min_size=1, max_size=30, unique_by=lambda r: r.rsplit(",", 1)[0]),
    st.lists(st.sampled_from(FURNITURE), max_size=6),
    st.randoms(),
)
def test_furniture_never_hides_or_adds_a_record(body: list[str], around: list[str], random: object) -> None:
    mixed = [*body, *around]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        report, home = load("\n".join([HEADER, *mixed]) + "\n", folder)
        got = kept(report, home).select("account", "period", "power_wh").sort("account", "period").rows()
    expected = sorted((r[:10], 202400 + int(r.split(",")[2][-2:]), int(r.rsplit(",", 1)[1]) * 1000) for r in body)
    assert got == expected
    assert report.furniture == 1 + sum(1 for line in around if line not in NOTHING)
