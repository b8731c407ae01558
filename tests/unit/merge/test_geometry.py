"""Areas against the geodesic of pyproj, parcels of several polygons, and where declared and drawn disagree."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from ingest.geometry import area_dm2, area_m2
from ingest.parcels import area_disputes, union_parcels

GRS80 = Geod(ellps="GRS80")
LON, LAT = 120.0, 31.0


def ring(radii: list[float], turn: float, lon: float = LON, lat: float = LAT) -> shapely.Polygon:
    """A star-shaped polygon about a point, radii in metres."""
    angles = [turn + 2 * math.pi * k / len(radii) for k in range(len(radii))]
    return placed([(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True)], lon, lat)


def placed(metres: list[tuple[float, float]], lon: float, lat: float) -> shapely.Polygon:
    """Points some metres east and north of a place, as lon/lat: near enough for shapes whose area another judges."""
    degree = 111_200.0
    return shapely.Polygon([(lon + x / degree / math.cos(math.radians(lat)), lat + y / degree) for x, y in metres])


def surveyed(metres: list[tuple[float, float]], lon: float, lat: float) -> shapely.Polygon:
    """Points exactly so many metres east and north of a place."""
    local = Transformer.from_crs(f"+proj=tmerc +lat_0={lat} +lon_0={lon} +ellps=GRS80", "EPSG:4490", always_xy=True)
    return shapely.Polygon([local.transform(x, y) for x, y in metres])


def measured(*shapes: shapely.Geometry | None) -> list[int | None]:
    return area_dm2(
        pl.Series("g", [None if s is None else shapely.to_wkb(s) for s in shapes], dtype=pl.Binary)
    ).to_list()


def geodesic_m2(shape: shapely.Geometry) -> float:
    return abs(GRS80.geometry_area_perimeter(shape)[0])


# Geod's own area errs by some 2e-3 m² (it sums areas under edges down to the equator): below that it judges nothing.
JUDGE_M2 = 4e-3
LONS, LATS = st.floats(116.4, 121.9), st.floats(30.7, 35.2)  # Jiangsu
TURNS = st.floats(0, 2 * math.pi)


def assert_geodesic(shape: shapely.Geometry) -> None:
    """Within a millionth of the geodesic area."""
    (ours,), judged = area_m2(np.array([shape])), geodesic_m2(shape)
    assert abs(ours - judged) <= judged * 1e-6 + JUDGE_M2


@settings(max_examples=300)
@given(LONS, LATS, st.floats(10, 5000), st.floats(1e-3, 1), st.floats(0, 1), TURNS)
def test_thin_triangles(lon: float, lat: float, side: float, thin: float, apex: float, turn: float) -> None:
    """Sides from 10 m to 5 km, heights down to a thousandth of them."""
    c, s = math.cos(turn), math.sin(turn)
    corners = [(0.0, 0.0), (side, 0.0), (side * apex, side * thin)]
    assert_geodesic(placed([(x * c - y * s, x * s + y * c) for x, y in corners], lon, lat))


@settings(max_examples=200)
@given(LONS, LATS, st.lists(st.floats(10, 5000), min_size=4, max_size=12), TURNS)
def test_irregular_parcels(lon: float, lat: float, radii: list[float], turn: float) -> None:
    assert_geodesic(ring(radii, turn, lon, lat))


@settings(max_examples=100)
@given(LONS, LATS, st.floats(50, 2500), st.floats(0.05, 0.9), st.integers(3, 9), TURNS)
def test_holes_and_several_parts(lon: float, lat: float, size: float, hole: float, corners: int, turn: float) -> None:
    outer, inner = ring([size] * corners, turn, lon, lat), ring([size * hole * 0.4] * 5, turn, lon, lat)
    pierced = shapely.Polygon(outer.exterior.coords, [inner.exterior.coords])
    far = ring([size / 3] * 4, turn, lon + 0.2, lat)
    (ours,) = area_m2(np.array([shapely.MultiPolygon([pierced, far])]))
    judged = geodesic_m2(outer) - geodesic_m2(inner) + geodesic_m2(far)
    assert abs(ours - judged) <= judged * 1e-6 + 3 * JUDGE_M2


def test_whole_counties_and_the_southern_half() -> None:
    """Edges of 50 km (a county's border): still a millionth; and the correction has the right sign below the equator."""
    assert_geodesic(ring([50_000.0] * 5, 0.2))
    for lat in (-33.0, 0.0, 60.0):
        assert_geodesic(ring([3000.0] * 3, 0.4, 10.0, lat))


def test_the_chord_alone_would_be_wrong() -> None:
    """The judge can fail: without the geodesic's bend a triangle of 2 km × 2 m is off by more than a millionth."""
    thin = placed([(0, 0), (2000, 0), (1000, 2)], LON, LAT)
    chord = shapely.transform(thin, lambda xy: np.column_stack((np.radians(xy[:, 0]), np.sin(np.radians(xy[:, 1])))))
    sphere = 6371007.2**2 * chord.area / geodesic_m2(thin)
    assert abs(sphere - 1) > 1e-2
    assert_geodesic(thin)


@settings(max_examples=30)
@given(st.floats(30, 500), st.floats(30, 500), TURNS)
def test_rectangles_against_their_sides(width: float, depth: float, turn: float) -> None:
    """A second judge: a local transverse Mercator, where a small rectangle is width × depth; answer in whole dm²."""
    c, s = math.cos(turn), math.sin(turn)
    corners = [(0.0, 0.0), (width, 0.0), (width, depth), (0.0, depth)]
    (dm2,) = measured(surveyed([(x * c - y * s, x * s + y * c) for x, y in corners], LON, LAT))
    assert dm2 is not None and abs(dm2 - width * depth * 100) <= width * depth * 100 * 1e-6 + 1


def test_the_way_round_and_holes() -> None:
    outer, inner = ring([300.0] * 6, 0), ring([100.0] * 6, 0)
    whole, hole = measured(outer, inner)
    assert whole and hole
    assert measured(outer.reverse()) == [whole]
    (rest,) = measured(shapely.Polygon(outer.exterior.coords, [inner.exterior.coords]))
    assert rest is not None and abs(rest - (whole - hole)) <= 1


def test_what_has_no_area_is_null() -> None:
    assert (
        measured(None, shapely.Point(120, 31), shapely.LineString([(120, 31), (121, 31)]), shapely.Polygon())
        == [None] * 4
    )


def test_multi_polygons_are_summed() -> None:
    a, b = ring([100.0] * 5, 0), ring([200.0] * 5, 0, LON + 0.01)
    one, two = measured(a, b)
    both = measured(shapely.MultiPolygon([a, b]))[0]
    assert one and two and both and abs(both - one - two) <= 1


DECLARED = {"parcel_code": pl.String, "area_dm2": pl.Int64}


def parcels(declared: dict[str, int | None], *shapes: tuple[str, shapely.Geometry]) -> pl.DataFrame:
    named = pl.DataFrame(list(declared.items()), schema=DECLARED, orient="row")
    drawn = [(code, shapely.to_wkb(s)) for code, s in shapes]
    return union_parcels(
        named, pl.DataFrame(drawn, schema={"parcel_code": pl.String, "geometry": pl.Binary}, orient="row")
    )


def test_several_polygons_of_a_parcel_become_one_row() -> None:
    a, b, c = ring([100.0] * 5, 0), ring([200.0] * 5, 0, LON + 0.01), ring([50.0] * 4, 0, LON + 0.02)
    table = parcels({"P": 5, "Q": 7}, ("P", a), ("R", c), ("P", shapely.MultiPolygon([b])))
    assert table["parcel_code"].to_list() == ["P", "Q", "R"]
    assert table["polygons"].to_list() == [2, None, 1] and table["area_dm2"].to_list() == [5, 7, None]
    one, two, three = measured(a, b, c)
    assert one and two
    assert table["drawn_dm2"].to_list() == [one + two, None, three]
    whole = shapely.from_wkb(table["geometry"][0])
    assert whole.geom_type == "MultiPolygon" and len(whole.geoms) == 2
    corners = table.select("minx", "miny", "maxx", "maxy").row(0)
    assert np.allclose(corners, whole.bounds, rtol=0, atol=0) and table["minx"][1] is None


def test_a_parcel_drawn_twice_counts_its_ground_once() -> None:
    a = ring([100.0] * 5, 0)
    shifted = shapely.transform(a, lambda xy: xy + np.array([0.0005, 0.0]))
    table = parcels({"P": 5, "Q": 5}, ("P", a), ("P", a), ("Q", a), ("Q", shifted))
    (whole,), (both,) = measured(a), measured(shapely.union(a, shifted))
    assert table["drawn_dm2"].to_list() == [whole, both] and table["polygons"].to_list() == [2, 2]
    assert shapely.is_valid(shapely.from_wkb(table["geometry"].to_list())).all()


def test_an_invalid_polygon_is_kept() -> None:
    bow = shapely.Polygon([(120, 31), (120.001, 31.001), (120.001, 31), (120, 31.001), (120, 31)])
    assert not bow.is_valid
    table = parcels({"P": 5}, ("P", bow))
    assert table["geometry"][0] == shapely.to_wkb(bow) and table["polygons"].to_list() == [1]


def test_no_parcels_and_no_shapes() -> None:
    table = parcels({})
    assert table.is_empty() and set(table.columns) >= {"parcel_code", "area_dm2", "drawn_dm2", "geometry", "minx"}
    assert parcels({"P": 3}).select("area_dm2", "drawn_dm2", "geometry").row(0) == (3, None, None)


# declared, drawn, percent, least dm² → disputed? Both limits must be passed.
DISPUTES = [
    (1100, 1000, 10, 0, False), (1101, 1000, 10, 0, True), (899, 1000, 10, 0, True), (900, 1000, 10, 0, False),
    (1200, 1000, 10, 200, False), (1201, 1000, 10, 200, True), (0, 1000, 10, 0, False), (None, 1000, 10, 0, False),
    (1000, None, 10, 0, False), (1001, 1000, 0, 0, True), (1000, 1000, 0, 0, False),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "drawn", "percent", "least", "disputed"), DISPUTES)
def test_declared_against_drawn(
    declared: int | None, drawn: int | None, percent: int, least: int, disputed: bool
) -> None:
    schema = {"parcel_code": pl.String, "area_dm2": pl.Int64, "drawn_dm2": pl.Int64, "polygons": pl.Int32}
    table = pl.DataFrame([("P", declared, drawn, 1)], schema=schema, orient="row")
    assert area_disputes(table, percent, least).height == int(disputed)
