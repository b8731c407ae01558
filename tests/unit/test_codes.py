"""Industries, regions, zones, sizes: names, levels, padding, and older industry codes brought to 2017."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema import codes


def test_industry_tree_is_whole() -> None:
    table = codes.industries()
    assert table.height == 1971 and table["code"].n_unique() == 1971
    counts = {"section": 20, "division": 97, "group": 473, "class": 1381}
    assert dict(table["level"].value_counts().iter_rows()) == counts
    known = set(table["code"])
    for code, _, level, parent, section in table.iter_rows():
        assert section in known and section.isalpha()
        expected = {"section": None, "division": section}.get(level, code[:-1])
        assert parent == expected and (parent is None or parent in known), code


@pytest.mark.parametrize(
    ("code", "name", "section"),
    [
        ("C", "制造业", "C"),
        ("26", "化学原料和化学制品制造业", "C"),
        ("265", "合成材料制造", "C"),
        ("2651", "初级形态塑料及合成树脂制造", "C"),
        ("4411", "火力发电", "D"),
        ("9999", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_industry_names(code: str | None, name: str | None, section: str | None) -> None:
    assert (codes.industry_name(code), codes.industry_section(code)) == (name, section)


@pytest.mark.parametrize(
    ("code", "vintage", "expected"),
    [
        ("2651", "2017", ("2651", "")),
        ("2651", None, ("2651", "")),
        ("C2651", "2017", ("2651", "")),
        (" 26 ", "2017", ("26", "")),
        ("1311", "2011", (None, "unknown")),  # a class that came in 2017
        ("1310", "2011", ("131", "ambiguous")),  # split inside its group
        ("2512", "2011", ("25", "ambiguous")),  # split over two groups of a division
        ("3599", "2011", ("C", "ambiguous")),  # split over divisions of a section
        ("4500", "2011", (None, "ambiguous")),  # split over two sections
        ("7292", "2011", ("728", "ambiguous")),
        ("7289", "2011", ("7279", "mapped")),
        ("3610", "2011", ("36", "ambiguous")),
        ("2665", "2002", ("266", "ambiguous")),  # through 2664 of 2011
        ("C", "2011", ("C", "")),
        ("F", "2002", (None, "unknown")),  # the letters after E meant other sections in 2002
        ("325", "local", ("325", "local")),
        ("", "2017", (None, "missing")),
        (None, "local", (None, "missing")),
        ("2651", "1994", (None, "unknown")),
    ],
)
def test_map_industry(code: str | None, vintage: str | None, expected: tuple[str | None, str]) -> None:
    assert codes.map_industry(code, vintage) == expected


def test_map_industries_keeps_rows_and_other_columns() -> None:
    frame = pl.DataFrame({"id": [3, 1, 2], "industry_code": ["4500", None, "1310"], "industry_vintage": ["2011"] * 3})
    mapped = codes.map_industries(frame)
    assert mapped["id"].to_list() == [3, 1, 2]
    assert mapped.columns == ["id", "industry_code", "industry_vintage", "industry_note"]
    assert mapped["industry_note"].to_list() == ["ambiguous", "missing", "ambiguous"]
    assert mapped.equals(codes.map_industries(frame.lazy()).collect())


def test_every_older_code_has_successors_in_2017() -> None:
    table, known = codes.concordance(), set(codes.industries()["code"])
    assert table.select("vintage", "from_code").n_unique() == table.height
    assert set(table["to_code"].drop_nulls()) <= known
    one_to_one = table.filter(pl.col("note") != "ambiguous")
    assert one_to_one["to_code"].null_count() == 0
    classes = dict.fromkeys(codes.INDUSTRY_VINTAGES, 0) | dict(
        table.filter(pl.col("from_code").str.len_chars() == 4).group_by("vintage").len().iter_rows()
    )
    assert classes == {"2002": 913, "2011": 1094, "2017": 1381}


@given(st.lists(st.sampled_from([*codes.industries()["code"], "0000", "", None]), max_size=20))
def test_mapping_2017_changes_no_known_code(written: list[str | None]) -> None:
    schema = {"industry_code": pl.String, "industry_vintage": pl.String}
    frame = pl.DataFrame({"industry_code": written, "industry_vintage": ["2017"] * len(written)}, schema=schema)
    after = codes.map_industries(frame)["industry_code"].to_list()
    assert after == [c if codes.industry_name(c) else None for c in written]


def test_industry_levels() -> None:
    frame = pl.DataFrame({"industry_code": ["2651", "265", "26", "C", "local-7", None]})
    assert frame.select(codes.industry_levels()).rows() == [
        ("C", "26", "265", "2651"),
        ("C", "26", "265", None),
        ("C", "26", None, None),
        ("C", None, None, None),
        (None, None, None, None),
        (None, None, None, None),
    ]


REGIONS = [
    ("32", "32", "province", "江苏省"),
    ("320000", "32", "province", "江苏省"),
    ("320500", "3205", "city", "苏州市"),
    ("3205", "3205", "city", "苏州市"),
    ("320583", "320583", "county", "昆山市"),
    ("320583000", "320583", "county", "昆山市"),
    ("320583000000", "320583", "county", "昆山市"),
    ("320505101", "320505101", "town", "通安镇"),
    ("320505101202", "320505101", "town", "通安镇"),
    ("320584", "320584", "county", "吴江市"),  # ended in 2012
    ("320576", "320576", "county", "苏州工业园区"),
    ("320571", "320571", "county", "苏州工业园区"),
    ("110101", "110101", "county", "东城区"),
    ("329999", "329999", "county", None),
    ("3205830", None, None, None),
    ("苏州", None, None, None),
    ("", None, None, None),
    (None, None, None, None),
]


@pytest.mark.parametrize(("code", "short", "level", "name"), REGIONS)
def test_regions(code: str | None, short: str | None, level: str | None, name: str | None) -> None:
    assert (codes.region_code(code), codes.region_level(code), codes.region_name(code)) == (short, level, name)


def test_region_levels_agree_with_the_single_code() -> None:
    frame = pl.DataFrame({"region_code": [r[0] for r in REGIONS]}).select(codes.region_levels())
    assert frame.columns == ["region_code", "region_city", "region_county", "region_town"]
    for (_, short, level, _), (code, city, county, town) in zip(REGIONS, frame.iter_rows(), strict=True):
        reached = codes.REGION_DIGITS.get(level or "", 0)
        assert code == short
        assert (city, county, town) == tuple((short or "")[:n] if reached >= n else None for n in (4, 6, 9))


def test_region_tree_is_whole() -> None:
    table = codes.regions()
    assert table["code"].n_unique() == table.height
    known = set(table["code"])
    for code, _, level, parent in table.iter_rows():
        assert len(code) == codes.REGION_DIGITS[level]
        assert parent is None if level == "province" else parent in known and code.startswith(parent)


def test_zones_have_names() -> None:
    assert codes.zone_name("320571") == codes.zone_name("320576") == "苏州工业园区"
    assert codes.zone_name("320583") is None


def test_sizes() -> None:
    found = [(s.code, s.zh, s.min_employees, s.min_revenue_fen) for s in codes.sizes()]
    assert found == [
        ("large", "大型", 1000, 400_000_000_00),
        ("medium", "中型", 300, 20_000_000_00),
        ("small", "小型", 20, 3_000_000_00),
        ("micro", "微型", 0, 0),
    ]
