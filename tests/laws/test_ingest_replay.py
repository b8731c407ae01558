"""Laws of corrections and totals: what was spoilt and corrected is as if it had come right; totals of right rows agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import openpyxl
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.load import LoadReport, ingest
from ingest.refused import NOW, export, open_rows
from ingest.replay import replay

HEAD = "户号,户名,月份,用电量（万千瓦时）"
rows = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 12), st.decimals(0, 10**6, places=4)),
    min_size=1, max_size=25, unique_by=lambda r: r[:2],
)  # fmt: skip
SPOILT = {"month": "十三月", "amount": "很多", "negative": "-1"}


def load(folder: str, name: str, lines: list[list[str]]) -> tuple[Warehouse, LoadReport]:
    home = Warehouse(Path(folder) / name)
    path = Path(folder) / f"{name}.csv"
    path.write_text("\n".join([HEAD, *(",".join(line) for line in lines)]) + "\n", "utf-8")
    return home, ingest(home, [path], source="power", year=2024)[0]


def counting(home: Warehouse) -> list[tuple[object, ...]]:
    scan = Year(home, 2024).scan("power", "usage")
    assert scan is not None
    return sorted(scan.select("account", "name", "period", "power_wh").collect().rows())


def correct(path: Path, right: dict[int, dict[str, str]]) -> None:
    book = openpyxl.load_workbook(path)
    for sheet in book:
        keys = [c.value for c in sheet[1]]
        for line in sheet.iter_rows(min_row=3):
            for field, text in right[int(line[keys.index("row")].value)].items():
                line[keys.index(NOW + field)].value = text
    book.save(path)


@settings(max_examples=20, deadline=None)
@given(rows, st.data())
def test_spoilt_and_corrected_is_as_if_it_had_come_right(records: list, data: st.DataObject) -> None:
    right = [[f"{f:04d}", f"企业{f}", f"2024-{m:02d}", str(v)] for f, m, v in records]
    wrong, spoilt = [list(line) for line in right], {}
    for at in data.draw(st.sets(st.integers(0, len(right) - 1))):
        kind = data.draw(st.sampled_from(sorted(SPOILT)))
        column, field = (2, "period") if kind == "month" else (3, "power_wh")
        wrong[at][column] = SPOILT[kind]
        spoilt[at + 2] = {field: right[at][column]}
    with tempfile.TemporaryDirectory() as folder:
        clean, _ = load(folder, "clean", right)
        home, report = load(folder, "spoilt", wrong)
        assert report.refused == len(spoilt)
        if spoilt:
            export(home, Path(folder) / "x.xlsx")
            correct(Path(folder) / "x.xlsx", spoilt)
            (made,) = replay(home, Path(folder) / "x.xlsx").loads
            assert (made.kept, made.refused, open_rows(home).height) == (len(spoilt), 0, 0)
            assert replay(home, Path(folder) / "x.xlsx").loads == []
        assert counting(home) == counting(clean)


@settings(max_examples=30, deadline=None)
@given(rows, st.data())
def test_a_right_total_is_no_finding_and_a_wrong_one_is(records: list, data: st.DataObject) -> None:
    lines = [[f"{f:04d}", f"企业{f}", f"2024-{m:02d}", str(v)] for f, m, v in records]
    cut = data.draw(st.integers(0, len(lines)))
    first, second = sum(r[2] for r in records[:cut]), sum(r[2] for r in records[cut:])
    off = data.draw(st.sampled_from([0, 0, 1, -3]))
    whole = [*lines[:cut], ["小计", "", "", str(first)], *lines[cut:], ["小计", "", "", str(second)]]
    with tempfile.TemporaryDirectory() as folder:
        _, report = load(folder, "a", [*whole, ["合计", "", "", str(first + second + off)]])
    assert (report.kept, report.furniture) == (len(lines), 4)
    assert [f["word"] for f in report.findings] == (["合计"] if off else [])


def test_nothing_is_compared_that_is_not_there() -> None:
    """The laws above compare rows: an empty warehouse would agree with anything."""
    with tempfile.TemporaryDirectory() as folder:
        home, _ = load(folder, "a", [["1", "甲", "2024-01", "5"]])
        assert counting(home) == [("1", "甲", 202401, 5 * 10**7)]
        assert isinstance(open_rows(home), pl.DataFrame)
