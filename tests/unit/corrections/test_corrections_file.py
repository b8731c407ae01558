"""Files of corrections: what is not wholly understood is refused in its words, and numbers are read exactly."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema.errors import PermuError
from ingest.corrections import Correction, read_corrections

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


@pytest.mark.parametrize("file", BROKEN, ids=lambda f: f.stem)
def test_broken_file_is_refused_in_its_words(file: Path) -> None:
    first = file.read_text("utf-8").splitlines()[0]
    with pytest.raises(PermuError) as caught:
        read_corrections(file)
    error = caught.value
    assert error.code == "bad_corrections" and str(file) in error.en and str(file) in error.zh
    assert all(w in error.en for w in first.removeprefix("# says: ").split(" | ")), error.en
    assert len(error.en.splitlines()) == len(error.zh.splitlines()) == 1 and "--dry-run" in error.en


def test_every_rule_has_its_file() -> None:
    assert len(BROKEN) >= 45 and len({f.read_text("utf-8") for f in BROKEN}) == len(BROKEN)


def test_the_whole_file_loads() -> None:
    """Each broken file is this one with one fault: were it refused too, they would prove nothing."""
    file = read_corrections(HERE / "whole.yaml")
    vat, people = file.corrections
    assert vat.smallest(vat.value) == 120_500_000 and vat.last_day == date(2026, 12, 31)
    assert people.smallest(people.value) == 87 and people.last_day is None
    assert [w.field for w in file.withdraw] == ["power_wh"]


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(PermuError, match=str(tmp_path)) as caught:
        read_corrections(tmp_path / name)
    assert caught.value.code == "bad_corrections"


def correction(**other: Any) -> Correction:
    told = {"enterprise": "E1", "field": "vat_fen", "year": 2024, "value": 1, "unit": "万元", "expect": {"lt": 1}}
    return Correction.model_validate(
        told | {"reason": "r", "evidence": "e", "approver": "a", "until": "never"} | other
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "unit", "smallest"),
    [
        ("vat_fen", "0.1", "元", 10), ("vat_fen", 1.005, "元", 101), ("vat_fen", -1.005, "元", -101), ("vat_fen", 2, "亿元", 2 * 10**10),
        ("power_wh", 1.5, "万千瓦时", 15_000_000), ("land_dm2_days", 3, "亩", 200_000 * 366), ("land_dm2_days", "1/3", "亩", 8_133_333),
        ("is_above_scale", 1, "", 1), ("energy_ce", 1, "tce", 10**10),
    ],
)  # fmt: skip
def test_values_are_exact_in_the_smallest_unit(field: str, value: Any, unit: str, smallest: int) -> None:
    one = correction(field=field, value=value, unit=unit)
    assert one.smallest(one.value) == smallest


GUARDS = [
    ({"gt": 1}, {999_999: False, 10**6: False, 10**6 + 1: True, None: False}),
    ({"lt": 1}, {999_999: True, 10**6: False, -5: True, None: False}),
    ({"equals": 0}, {0: True, 1: False, None: False}),
    ({"between": [-1, 1]}, {-(10**6): True, 10**6: True, 10**6 + 1: False, None: False}),
    ({"gt": 0, "lt": 1}, {0: False, 1: True, 999_999: True, 10**6: False}),
    ({"missing": True}, {None: True, 0: False, 5: False}),
]


@pytest.mark.parametrize(("expect", "told"), GUARDS)
def test_guards(expect: dict[str, Any], told: dict[int | None, bool]) -> None:
    one = correction(expect=expect)
    assert {before: one.holds(before) for before in told} == told


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_a_guard_compares_whole_numbers(before: int, bound: int) -> None:
    """No float between the figure and its guard: one fen decides."""
    kept = {name: correction(unit="分", expect={name: bound}).holds(before) for name in ("gt", "lt", "equals")}
    assert kept == {"gt": before > bound, "lt": before < bound, "equals": before == bound}
    assert correction(unit="分", expect={"equals": before}).holds(before)


@given(st.integers(-(10**15), 10**15))
def test_what_was_stored_reads_the_same(value: int) -> None:
    one = correction(
        value=value, unit="分", until=2026, expect={"between": [value - 1, "5/2"]} if value < 3 else {"lt": 2.5}
    )
    again = Correction.model_validate_json(one.model_dump_json())
    assert again == one and again.last_day == date(2026, 12, 31) and again.guard == one.guard
