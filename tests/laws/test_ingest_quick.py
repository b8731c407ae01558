"""The quick way and the long way of typing give the same rows, kept and refused, on the nastiest cells."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest import columns, quick
from ingest.checks import Checker
from ingest.declarations import Table
from ingest.declared import sources
from ingest.map import Plan, Use
from ingest.read.sheet import Sheet
from ingest.values import EMPTY_MARKS

A, B = "91110108551385082Q", "91110000600037341L"
NASTY = [
    None, "", " ", "　", "/", "无", "NaN", "Nah", "—", "<NULL>", "合计", "小 计", "Total", "SUM:", "昆山市合计：", "合计数", "甲公司",
    "苏州（示例）有限公司", "ABC Steel", "新 疆", "　甲", "甲\u200b", "甲\n乙", "①厂", "ﬁrm", "𠀀厂", "鿿厂", "é厂", "\ufeffA", "企业A.0",
    A, B, A.lower(), f" {A}", A[:-1] + "R", A.replace("9", "９"), "110108551385082", "55138508-2", "440301108548379", f"{A}001V",
    "320583001001GB00001", "320583 001001 gb00002", "0", "-0", "1", "+5", "5.", ".5", "-.5", "1e3", "1E-3", "1.005", "0.005",
    "-0.005", "0.00499999999999999999", "0.0049999999999999999999999999", "2.675", "1,234.50", "（12.5）", "(12.5)", "１２", "¥1 000",
    "1_000", "inf", "-inf", "1e30", "1e400", "1e-400", "1e999999999", "0e999999999", "12345678901234567890", "17592186044416",
    "175921860444.16", "175921860444.155", "9007199254740993", "0.0000000000004", "0.0000000000005", "99999999999999.995", "0x1A", "5亩",
    "50%", "1/3", "1.5", "5e-05", "是", "规上", "y", "202401", "2024-01", "2024年1月", "1月", "202312", "2024-01-05", "20240131",
    "45292", "1901年01月02日", "长期", "2024-13", "户号", "企业名称", "0010.0", "001", "ab12", "AB12", "001 002", "320583", "320583.0", "苏州",
    "C2614", "102V", "11010519491231002X",
]  # fmt: skip
FACTORS = [
    Fraction(1),
    Fraction(100),
    Fraction(10**6),
    Fraction(200_000, 3),
    Fraction(10**7),
    Fraction(10**10),
    Fraction(40468564224, 100000),
]

digits = st.text("0123456789", max_size=18)
numbers = st.builds(
    lambda s, a, p, b: f"{s}{a}{p}{b}", st.sampled_from(["", "-", "+"]), digits, st.sampled_from(["", "."]), digits
)
halves = st.builds(lambda a, b: f"{a}.{b}5", st.integers(-(10**13), 10**13), st.text("0123456789", max_size=8))
floats = st.floats(allow_nan=True).map(repr)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=14)
plain = st.text("一鿿甲乙合计小总数ABClmLM09（） :：./", max_size=8)
cells = st.one_of(
    st.sampled_from(NASTY), numbers, halves, floats, texts, plain, st.sampled_from(sorted(EMPTY_MARKS)).map(str.upper)
)


TABLES = [(source.source, name) for source in sources().values() for name in source.tables]
HEIGHT = 1200  # high enough for the way by distinct texts


def plan(table: Table, factor: Fraction) -> Plan:
    """Every field of the table, column by column; amounts in a unit of ``factor``."""
    fields = [n for n, f in table.fields.items() if f.type != "geometry"]
    columns = ["row", *(f"c{i}" for i in range(len(fields) + 1))]
    sheet = Sheet("表", "csv", pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), lambda: iter(()))
    uses = {n: Use(i, f"表头{i}", sheet.letter(i), "", factor) for i, n in enumerate(fields)}
    return Plan(sheet, "table", table, 1, 1, [], uses, [], extra_from=len(fields))


def frame(rows: list[list[str | None]]) -> pl.DataFrame:
    schema = {f"c{i}": pl.String for i in range(len(rows[0]))}
    return pl.DataFrame(rows, schema=schema, orient="row").select(
        pl.int_range(2, pl.len() + 2, dtype=pl.Int32).alias("row"), *schema
    )


def agree(table: Table, factor: Fraction, cells: pl.DataFrame) -> None:
    """Both ways over the same cells: equal rows, reasons, counts and samples; and no row lost."""
    ways = [Checker(plan(table, factor), 2024, lambda: "load", "source", "表.csv", fast=fast) for fast in (True, False)]
    quick, slow = [way.check(cells) for way in ways]
    assert_frame_equal(quick.kept, slow.kept)
    assert_frame_equal(quick.refused, slow.refused)
    assert (quick.rows_in, quick.furniture_rows) == (slow.rows_in, slow.furniture_rows)
    assert quick.rows_in == quick.kept.height + quick.refused.height + quick.furniture
    one, other = ([w.counts, w.samples, w.daily, w.periods] for w in ways)
    assert one == other


@pytest.mark.parametrize(("source", "name"), TABLES)
# Cells are drawn by hundreds: to shrink them takes longer than to read them.
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_both_ways_agree_on_every_table(source: str, name: str, data: st.DataObject) -> None:
    table = sources()[source].tables[name]
    width = sum(f.type != "geometry" for f in table.fields.values()) + 1
    empty = st.one_of(st.none(), st.none(), st.none(), cells)
    row = st.tuples(*[cells] * (width - 1), empty).map(list)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    factor = data.draw(st.sampled_from(FACTORS))
    agree(table, factor, frame(rows))
    agree(table, factor, frame((rows * HEIGHT)[:HEIGHT]))


@pytest.mark.parametrize("factor", FACTORS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(written=st.lists(st.one_of(numbers, halves, floats, st.sampled_from(NASTY)), min_size=1, max_size=40))
def test_amounts_are_as_exact_through_a_float(factor: Fraction, written: list[str | None]) -> None:
    table = sources()["power"].tables["usage"]
    at = [n for n, f in table.fields.items() if f.type != "geometry"].index("power_wh")
    rows = [[f"{i:010d}" if c == 0 else "202401" if c == at - 1 else w if c == at else None for c in range(at + 2)]
            for i, w in enumerate(written)]  # fmt: skip
    agree(table, factor, frame(rows))


@pytest.mark.parametrize("kind", ["name", "text", "account"])
def test_what_is_taken_as_it_stands_is_as_cleaned(kind: str) -> None:
    """Every character of the plane that NFKC could change, alone and inside a word."""
    every = [chr(c) for c in range(1, 0x20000) if not 0xD800 <= c < 0xE000]
    texts = pl.Series([*every, *(f"甲{c}A" for c in every), *EMPTY_MARKS, *(m.upper() for m in EMPTY_MARKS)])
    slow = lambda raw: getattr(columns, "code_text" if kind == "account" else kind)(columns.clean(raw))  # noqa: E731
    typed, _ = quick.words(kind, texts, slow)
    assert typed.values.to_list() == slow(texts).values.to_list()
