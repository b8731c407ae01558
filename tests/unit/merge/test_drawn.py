"""Overlaps of parcels against every pair's intersection, and parcels outside the county of their code."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.drawn import outside_regions, overlaps
from ingest.geometry import area_m2, dm2

LON, LAT = 120.0, 31.0
METRE = 1e-5  # degrees: about 0.95 m east and 1.1 m north here


def square(x: float, y: float, side: float) -> shapely.Polygon:
    return shapely.box(*(LON + x * METRE, LAT + y * METRE, LON + (x + side) * METRE, LAT + (y + side) * METRE))


def pairs(shapes: list[shapely.Geometry], percent: int, least_dm2: int) -> list[tuple[str, str, int]]:
    drawn = np.array(shapes, dtype=object)
    codes = pl.Series([f"P{n:02d}" for n in range(len(drawn))], dtype=pl.String)
    return overlaps(codes, dm2(drawn), drawn, percent, least_dm2).rows()


def test_touching_is_no_overlap_and_holding_is_one() -> None:
    shapes = [square(0, 0, 100), square(100, 0, 100), square(20, 20, 10), square(100, 100, 50)]
    (found,) = pairs(shapes, 0, 0)
    assert found[:2] == ("P00", "P02") and found[2] == round(area_m2(np.array(shapes))[2] * 100)


@pytest.mark.parametrize(("percent", "least", "found"), [(9, 0, 1), (11, 0, 0), (0, 104_000, 1), (0, 106_000, 0)])
def test_both_limits_must_be_passed(percent: int, least: int, found: int) -> None:
    """A tenth of either: about 1,050 m²."""
    assert len(pairs([square(0, 0, 100), square(90, 0, 100)], percent, least)) == found


SQUARES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(5, 150)), max_size=12)


@settings(max_examples=60)
@given(SQUARES, st.integers(0, 50), st.integers(0, 50_000))
def test_every_pair_is_judged(squares: list[tuple[int, int, int]], percent: int, least: int) -> None:
    shapes = [square(*s) for s in squares]
    expected = []
    for (a, one), (b, two) in itertools.combinations(enumerate(shapes), 2):
        shared = shapely.intersection(one, two)
        size = round(area_m2(np.array([shared]))[0] * 100) if shared.area > 0 else 0
        smaller = min(dm2(np.array([one, two])))
        if size > least and size * 100 > smaller * percent:
            expected.append((f"P{a:02d}", f"P{b:02d}", size))
    assert pairs(shapes, percent, least) == sorted(expected)


COUNTIES = {"320501": square(0, 0, 1000), "320502": square(1000, 0, 1000)}
PLACES = [
    ("320501", square(100, 100, 100), None), ("320501", square(900, 0, 100), None), ("320501", square(995, 0, 100), "320502"),
    ("320501", square(905, 0, 100), None), ("320501", square(1200, 0, 100), "320502"), ("320502", square(100, 0, 100), "320501"),
    ("320501", square(5000, 0, 100), ""), ("320599", square(100, 100, 100), None),
]  # fmt: skip


@pytest.mark.parametrize(("code", "shape", "lies"), PLACES)
def test_outside_the_county_of_the_code(code: str, shape: shapely.Polygon, lies: str | None) -> None:
    """Within, on the border, a little over it, elsewhere, nowhere that is drawn, a county that is not drawn."""
    drawn = np.array([shape], dtype=object)
    found = outside_regions(pl.Series([f"{code}001001GB00001"]), dm2(drawn), drawn, COUNTIES, 10, 1000)
    expected = [] if lies is None else [(f"{code}001001GB00001", code, lies or None)]
    assert found.select("parcel_code", "region_code", "other").rows() == expected


def test_nothing_drawn() -> None:
    none = np.array([], dtype=object)
    codes, areas = pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Int64)
    assert overlaps(codes, areas, none, 1, 1).is_empty()
    assert outside_regions(codes, areas, none, COUNTIES, 1, 1).is_empty()
