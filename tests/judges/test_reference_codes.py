"""data/codes held against the reference tables: every code, name, count and successor."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from engine.schema import codes


@pytest.fixture(scope="module")
def reference(shared: Path) -> Path:
    return shared / "reference"


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows, f"{file.name} is empty: nothing would be compared"
    return rows


def _ours(file: str) -> set[tuple[str, str]]:
    table = Path(__file__).parents[2] / "data" / "codes" / file
    return {(r["from_code"], r["to_code"]) for r in _read(table)}


def test_industry_codes_and_names(reference: Path) -> None:
    theirs = {r["code"]: (r["name"], r["parent_code"] or None) for r in _read(reference / "gbt4754_2017.csv")}
    ours = {code: (name, parent) for code, name, _, parent, _ in codes.industries().iter_rows()}
    assert len(theirs) == 1971
    assert ours == theirs


def test_official_counts_of_every_section(reference: Path) -> None:
    ours = Counter(codes.industries().select("section", "level").iter_rows())
    counts = _read(reference / "gbt4754_official_counts.csv")
    sections = [r for r in counts if r["section"][0].isascii()]
    assert len(sections) == 20
    for row in sections:
        letter = row["section"][0]
        found = tuple(ours[letter, level] for level in ("division", "group", "class"))
        assert found == (int(row["divisions2017"]), int(row["groups2017"]), int(row["classes2017"])), letter
        assert codes.industry_name(letter) == row["section"][2:]


def test_official_counts_of_2011(reference: Path) -> None:
    """The 2011 classes that we know are as many as the official list counts."""
    total = next(r for r in _read(reference / "gbt4754_official_counts.csv") if not r["section"][0].isascii())
    known = [c for v, c in codes.concordance().select("vintage", "from_code").iter_rows() if v == "2011"]
    found = Counter(len(c) for c in known)
    assert [found[n] for n in (2, 3, 4)] == [int(total[k]) for k in ("divisions2011", "groups2011", "classes2011")]


def test_2011_to_2017_is_the_official_concordance(reference: Path) -> None:
    """The standard's annex writes several predecessors as one run of digits (28112812)."""
    official = set()
    for row in _read(reference / "gbt4754_2017_2011_official_concordance.csv"):
        olds = row["code2011"]
        official |= {(olds[i : i + 4], row["code2017"]) for i in range(0, len(olds), 4)}
    assert len(official) == 1401
    assert _ours("industries_2011_to_2017.csv") == official


def test_concordances_agree_with_the_second_source_on_every_level(reference: Path) -> None:
    """One pair differs: the second source leads 7289 of 2017 back to safety services, the annex to exhibitions."""
    for ours, file in (
        ("industries_2011_to_2017.csv", "gb_2011_2017.csv"),
        ("industries_2002_to_2011.csv", "gb_2002_2011.csv"),
    ):
        rows = _read(reference / file)
        for level, digits in (("L", 2), ("M", 3), ("S", 4)):
            theirs = {(r["from_code"], r["to_code"]) for r in rows if r["level"] == level}
            mine = {(a[:digits], b[:digits]) for a, b in _ours(ours)}
            known = {("7289"[:digits], "7289"[:digits]), ("7292"[:digits], "7289"[:digits])}
            assert mine ^ theirs <= known, (file, level)


def test_regions(reference: Path) -> None:
    theirs: dict[str, tuple[str, str | None]] = {}
    for file, parent in (
        ("provinces", ""), ("cities", "provinceCode"), ("areas", "cityCode"), ("streets_jiangsu", "areaCode"),
    ):  # fmt: skip
        for row in _read(reference / f"china_division_2023_{file}.csv"):
            theirs[row["code"]] = (row["name"], row[parent] if parent else None)
    ours = {code: (name, parent) for code, name, _, parent in codes.regions().iter_rows()}
    assert ours == theirs


def test_every_jiangsu_code_since_2002_has_its_name(reference: Path) -> None:
    """A code in force keeps today's name; one that has ended, its last; 市辖区 is a grouping, not a place."""
    last: dict[str, str] = {}
    for row in sorted(_read(reference / "gb2260_jiangsu_code_history_2002_2016.csv"), key=lambda r: r["last_revision"]):
        last[row["code"]] = row["name"]
    in_force = set(codes.regions()["code"])
    compared = 0
    for code, name in last.items():
        if name != "市辖区" and codes.region_code(code) not in in_force:
            assert codes.region_name(code) == name
            compared += 1
    assert compared == 31
