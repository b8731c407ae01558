"""Names, the map and the enterprises of the synthetic world."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from data.demo import holdings, names, tessellation, world
from data.demo.settings import BOX, BY_NAME, NOT_LINKABLE, vocabulary

N = 1500


@pytest.fixture(scope="module")
def people() -> world.World:
    return world.build(N, (2022, 2023), 5)


@pytest.fixture(scope="module")
def land(people: world.World) -> tuple[tessellation.Map, holdings.Holdings, tessellation.Drawn]:
    country = tessellation.tessellate(people.regions)
    room = np.bincount(people.town, minlength=len(country.towns)) + 6
    held = holdings.build(people, N, tessellation.cell_cap_dm2(country.towns, room))
    room = np.maximum(room, np.bincount(held.town, minlength=len(room)))
    return country, held, tessellation.draw(country, held, room, 5, N)


def test_syllables_are_different_and_no_typo_is_one_of_them() -> None:
    words = vocabulary()
    assert len(set(words["syllables"])) == len(words["syllables"])
    assert not set(words["syllables"]) & set(words["typos"])


def test_every_name_says_that_it_is_synthetic(people: world.World) -> None:
    assert people.firms["name"].str.contains(vocabulary()["marker"], literal=True).all()


def test_names_differ_but_for_the_recorded_pairs(people: world.World) -> None:
    assert people.size - names.keys(people.firms["name"]).n_unique() == people.twin.sum() // 2


@pytest.mark.parametrize(
    ("spelling", "level"),
    [
        ("same", BY_NAME),
        ("spaced", BY_NAME),
        ("suffix", BY_NAME),
        ("typo", NOT_LINKABLE),
        ("former", NOT_LINKABLE),
        ("short", NOT_LINKABLE),
    ],
)
def test_spelling_decides_whether_a_name_identifies(people: world.World, spelling: str, level: int) -> None:
    at = np.flatnonzero(~people.twin)
    written, levels = people.spell(at, np.full(len(at), names.SPELLINGS.index(spelling)))
    kept = (written == people.firms["name"].gather(at)).to_numpy()  # a slip into another firm's name is not made
    assert (levels[~kept] == level).all() and (levels[kept] == BY_NAME).all()
    assert level == BY_NAME or kept.mean() < 0.01


def test_a_misspelt_name_is_never_anothers(people: world.World) -> None:
    own = names.keys(people.firms["name"])
    at = np.arange(people.size)
    for kind, spelling in enumerate(names.SPELLINGS):
        written = names.keys(people.spell(at, np.full(people.size, kind))[0])
        assert not (written.is_in(own.implode()) & (written != own)).any(), spelling


def test_name_of_two_firms_identifies_neither(people: world.World) -> None:
    at = np.flatnonzero(people.twin)
    _, levels = people.spell(at, np.zeros(len(at), np.int64))
    assert (levels == NOT_LINKABLE).all()


def test_exactly_so_many_enterprises_every_year(people: world.World) -> None:
    assert [len(people.active(y)) for y in people.years] == [N, N]


def test_towns_tile_the_box(land: tuple[tessellation.Map, holdings.Holdings, tessellation.Drawn]) -> None:
    country = land[0]
    whole = (BOX[2] - BOX[0]) * (BOX[3] - BOX[1])
    for boxes in (country.cities, country.counties, country.towns):
        polygons = shapely.box(*boxes.T)
        assert shapely.area(polygons).sum() == pytest.approx(whole)
        assert shapely.union_all(polygons).area == pytest.approx(whole)


def test_parcels_lie_in_their_town_and_apart(
    land: tuple[tessellation.Map, holdings.Holdings, tessellation.Drawn],
) -> None:
    country, held, drawn = land
    towns = shapely.box(*country.towns.T)
    assert shapely.contains(towns[held.town], drawn.polygons).all()
    valid = drawn.polygons[~drawn.invalid]
    first, second = shapely.STRtree(valid).query(valid, predicate="intersects")
    assert (first == second).all()


def test_drawn_area_agrees_but_for_the_recorded_conflicts(
    land: tuple[tessellation.Map, holdings.Holdings, tessellation.Drawn],
) -> None:
    _, held, drawn = land
    geod = Geod(ellps="GRS80")
    area = np.array([abs(geod.geometry_area_perimeter(p)[0]) for p in drawn.polygons])
    off = np.abs(held.area_dm2 / 100 - area) / area
    assert (off[~drawn.conflict & ~drawn.invalid] < 0.02).all()
    assert (off[drawn.conflict] > 0.1).all()
    assert (np.abs(held.area_dm2 / 100 - area)[drawn.conflict] > 0.5 * 2000 / 3).all()
    assert (~shapely.is_valid(drawn.polygons) == drawn.invalid).all()
