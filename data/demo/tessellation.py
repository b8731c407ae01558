"""A synthetic map: cities, counties and towns as a rectilinear tessellation, and parcels in the cells of a town.

Areas are those of the GRS80 ellipsoid to first order about each parcel's centre (7e-9 for a parcel), which is far
below the 1.5 % that separate drawn and declared areas here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from data.demo.codes import Regions
from data.demo.holdings import Holdings
from data.demo.settings import BOX, Floats, Ints, flags, pick, stream, trap_count

Boxes = NDArray[np.float64]  # one row a box: west, south, east, north
_A, _E2 = 6_378_137.0, 0.006694380022903416  # GRS80
_FILL = 0.5  # a parcel takes at most half of its cell
_NOISE = 0.015  # drawn area ÷ declared area − 1, where there is no conflict
_DM2_PER_MU = 200_000 / 3


@dataclass(frozen=True)
class Map:
    """Boxes of cities, counties and towns in the order of :class:`Regions`."""

    cities: Boxes
    counties: Boxes
    towns: Boxes


@dataclass(frozen=True)
class Drawn:
    """Parcels as drawn: polygons, and which of them disagree with the declared area or cross themselves."""

    polygons: NDArray[np.object_]
    conflict: NDArray[np.bool_]
    invalid: NDArray[np.bool_]


def tessellate(regions: Regions) -> Map:
    """Boxes proportional to the number of towns, cut in two again and again across the longer side."""
    county_weight = np.bincount(regions.town_county, minlength=len(regions.counties))
    city_weight = np.bincount(regions.county_city, weights=county_weight, minlength=len(regions.cities))
    cities = _cut(np.array(BOX), city_weight.astype(float))
    counties = _cut_each(cities, regions.county_city, county_weight.astype(float))
    towns = _cut_each(counties, regions.town_county, np.ones(len(regions.towns)))
    return Map(cities, counties, towns)


def _cut_each(parents: Boxes, parent_of: Ints, weights: Floats) -> Boxes:
    out = np.empty((len(weights), 4))
    for index, box in enumerate(parents):
        members = np.flatnonzero(parent_of == index)
        if len(members):
            out[members] = _cut(box, weights[members])
    return out


def _cut(box: Boxes, weights: Floats) -> Boxes:
    """The box cut into one part a weight."""
    if len(weights) == 1:
        return box[None]
    half = max(1, len(weights) // 2)
    west, south, east, north = box
    share = weights[:half].sum() / weights.sum()
    if (east - west) * 0.85 > north - south:  # a degree of longitude is 0.85 of one of latitude here
        at = west + share * (east - west)
        first, second = np.array([west, south, at, north]), np.array([at, south, east, north])
    else:
        at = south + share * (north - south)
        first, second = np.array([west, south, east, at]), np.array([west, at, east, north])
    return np.vstack([_cut(first, weights[:half]), _cut(second, weights[half:])])


def metres_per_degree(latitude: Floats) -> tuple[Floats, Floats]:
    """Metres of one degree of longitude and of latitude on GRS80."""
    phi = np.radians(latitude)
    w = np.sqrt(1 - _E2 * np.sin(phi) ** 2)
    return np.radians(_A / w * np.cos(phi)), np.radians(_A * (1 - _E2) / w**3)


def cell_cap_dm2(towns: Boxes, per_town: Ints) -> Ints:
    """The largest parcel for each town when ``per_town`` parcels stand in cells of equal size."""
    x, y = metres_per_degree(towns[:, [1, 3]].mean(axis=1))
    area = (towns[:, 2] - towns[:, 0]) * x * (towns[:, 3] - towns[:, 1]) * y
    columns, rows = _grid(towns, per_town)
    return (_FILL * 0.9 * area / (columns * rows) * 100).astype(np.int64)


def _grid(towns: Boxes, per_town: Ints) -> tuple[Ints, Ints]:
    count = np.maximum(per_town, 1)
    columns = np.ceil(np.sqrt(count * 0.85 * (towns[:, 2] - towns[:, 0]) / (towns[:, 3] - towns[:, 1])))
    columns = np.maximum(columns, 1).astype(np.int64)
    return columns, -(-count // columns)


def draw(world_map: Map, holdings: Holdings, per_town: Ints, seed: int, enterprises: int) -> Drawn:
    """A polygon for each parcel, its area within 1.5 % of the declared one but for the recorded conflicts."""
    rng = stream(seed, "polygons")
    size = len(holdings.town)
    large = np.flatnonzero(holdings.area_dm2 > 12 * _DM2_PER_MU)
    small_cell = holdings.area_dm2 > cell_cap_dm2(world_map.towns, per_town)[holdings.town] * 0.75
    conflict = flags(size, pick(rng, large[~small_cell[large]], trap_count("area_conflicts", enterprises)))
    invalid = flags(size, pick(rng, np.flatnonzero(~conflict), trap_count("invalid_rings", enterprises)))
    ratio = 1 + rng.uniform(-_NOISE, _NOISE, size)
    ratio[conflict] = rng.choice([0.72, 0.8, 1.2, 1.3], int(conflict.sum()))
    notched = (rng.random(size) < 0.3) & ~invalid
    area = holdings.area_dm2 / 100 * ratio
    centre, cell = _cells(world_map.towns, holdings.town, per_town)
    x, y = metres_per_degree(centre[:, 1])
    scale = np.stack([x, y], axis=1)
    sides = _sides(rng, np.where(notched, area / _NOTCHED, area), cell * scale)
    polygons = np.empty(size, dtype=object)
    for shape, members in ((_BOX, ~notched & ~invalid), (_NOTCH, notched), (_BOW, invalid)):
        corners = centre[members, None] + shape * sides[members, None] / scale[members, None]
        polygons[members] = shapely.polygons(corners)
    return Drawn(polygons, conflict, invalid)


_BOX = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])
_BOW = np.array([(-0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])
_NOTCH = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.0, 0.5), (0.0, 0.2), (0.5, 0.2), (0.5, -0.5), (-0.5, -0.5)])
_NOTCHED = 0.85  # area of the notched unit square


def _cells(towns: Boxes, town: Ints, per_town: Ints) -> tuple[Floats, Floats]:
    """Centre of each parcel's cell and the cell's size, both in degrees."""
    order = np.argsort(town, kind="stable")
    rank = np.empty(len(town), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(town, minlength=len(towns)))])
    rank[order] = np.arange(len(town)) - starts[town[order]]
    columns, rows = _grid(towns, per_town)
    cell = np.stack([(towns[:, 2] - towns[:, 0]) / columns, (towns[:, 3] - towns[:, 1]) / rows], axis=1)[town]
    place = np.stack([rank % columns[town], rank // columns[town]], axis=1)
    return towns[town][:, :2] + (place + 0.5) * cell, cell


def _sides(rng: np.random.Generator, area: Floats, cell: Floats) -> Floats:
    """Width and height in metres of rectangles of the given areas that fit their cells."""
    width = np.sqrt(area * rng.uniform(0.6, 1.6, len(area)))
    width = np.clip(width, area / (0.9 * cell[:, 1]), 0.9 * cell[:, 0])
    return np.stack([width, area / width], axis=1)
