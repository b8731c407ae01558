"""Each parameter: what is taken and what is refused, with the parameter's name in the refusal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from engine.query.parameters import PARAMETERS, READERS, read
from engine.schema.errors import PermuError


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("region", "32", "32"),
        ("region", "320000", "32"),
        ("region", "3200", "32"),
        ("region", "320500", "3205"),
        ("region", "320507", "320507"),
        ("region", "320507000", "320507"),
        ("region", "320500000", "3205"),
        ("region", "320507001", "320507001"),
        ("region", "SIP-1", "SIP-1"),
        ("industry", "c", "C"),
        ("industry", "2614", "2614"),
        ("industry", "C26", "26"),
        ("industry", "c2614", "2614"),
        ("grade", "d,A,a", ("A", "D")),
        ("percent", "2.5", Fraction(5, 2)),
        ("percent", "100", Fraction(100)),
        ("limit", "10000", 10_000),
        ("within", "industry,region,size", ("industry", "region", "size")),
        ("q", "  ＡＢ ", "AB"),
        ("year", "2024", 2024),
    ],
)
def test_taken(name: str, text: str, value: Any) -> None:
    assert read(name, text) == value


REFUSED = {
    "release": ["", " ", "x" * 201],
    "policy": [""],
    "by": [""],
    "region": ["", "3", "320", "32050", "3205070", "3205070010", "32 05", "３２０５", "32;drop"],
    "industry": ["", "26145", "26.1", "制造", "1"],
    "size": ["", "tiny", "Large"],
    "x": [""],
    "y": [""],
    "against": [""],
    "sheets": ["", "groups", "Group"],
    "group": ["", "scale"],
    "grade": ["", "E", "A,,B", "A B"],
    "order": ["", "worse"],
    "limit": ["", "0", "-1", "1.5", "10001", "1e3", "ten", "１０", "1_000", " 5"],
    "count": ["", "0", "10001", "nan"],
    "percent": ["", "0", "0.0", "-5", "100.1", "1e1", "nan", "inf", "5%", ".5", "5."],
    "within": ["", "industry,industry", "name", "industry,", "industry;size"],
    "group_by": ["", "uscc"],
    "format": ["", "pdf", "JSON"],
    "lang": ["", "de"],
    "q": ["", "   ", "x" * 101],
    "year": ["", "24", "20240", "year"],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in REFUSED.items() for t in texts])
def test_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(PermuError) as caught:
        read(name, text)
    assert caught.value.code == "bad_parameter" and caught.value.details["parameter"] == name
    assert name in caught.value.en and name in caught.value.zh and caught.value.details["allowed"]


def test_every_reader_is_documented_and_has_refusals() -> None:
    assert set(READERS) <= set(PARAMETERS)
    assert set(READERS) == set(REFUSED)


def test_not_asked_is_none() -> None:
    assert read("limit", None) is None
