"""Predicates asked of collections, and what the features themselves say: both kept for the tests that follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import cql2

from tests.judges.ogc.annex import Case
from tests.judges.ogc.api import Api

LANGUAGES = ("cql2-text", "cql2-json")
PLACES = "ne_110m_populated_places_simple"
PREDICATES: dict[str, list[str]] = {}  # collection → predicates that were answered, for the combinations
ANSWERS: dict[tuple[str, str, str], set[str]] = {}  # what they found, by collection, predicate and language


def encoded(text: str, language: str) -> str:
    """A predicate of the annex in a language."""
    return text if language == "cql2-text" else json.dumps(cql2.parse_text(text).to_json())


def found(api: Api, name: str, text: str, language: str = "cql2-text") -> set[str]:
    """The features that a predicate holds for; it is kept for the combinations."""
    ids = api.filtered(name, encoded(text, language), language)
    PREDICATES.setdefault(name, []).append(text)
    ANSWERS[name, text, language] = ids
    return ids


def wrong(api: Api, cases: list[Case], language: str) -> list[tuple[Case, int]]:
    """The cases that find another number than the annex says."""
    counted = ((case, len(found(api, case.source, case.predicate, language))) for case in cases)
    return [(case, number) for case, number in counted if number != case.count]


SOURCES = ("idle", PLACES, "ne_110m_rivers_lake_centerlines")


def queryables(api: Api, *kinds: str, language: str = "cql2-text") -> Iterator[tuple[str, str, str]]:
    """Collection, queryable (in double quotes) and kind; only of the kinds asked. Other layers have the kinds of idle;
    in JSON the standard's own data are enough, and for shapes its countries too."""
    shapes = ["ne_110m_admin_0_countries"] if "geometry" in kinds and len(kinds) == 1 else []
    for name in [*(SOURCES if language == "cql2-text" else SOURCES[1:]), *shapes]:
        for queryable, held in api.json(f"/collections/{name}/queryables")["properties"].items():
            kind = held.get("format", held.get("type"))
            kind = "geometry" if kind.startswith("geometry") else kind
            if kind in kinds:
                yield name, f'"{queryable}"', kind


@cache
def features(api: Api, name: str) -> dict[str, dict[str, Any]]:
    """A collection's features by their ids."""
    return {f["id"]: f for f in api.whole(name)}


def told(api: Api, name: str, queryable: str) -> dict[str, Any]:
    """What the features say of a queryable, without those that say nothing."""
    held = {i: f["properties"][queryable.strip('"')] for i, f in features(api, name).items()}
    return {i: value for i, value in held.items() if value is not None}


SHAPES = {
    "box": "BBOX(-180,-90,180,90)",
    "earth": "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))",
    "line": "LINESTRING(7 50, 10 51)",
    "point": "POINT(7.02 49.92)",
    "points": "MULTIPOINT(7 50, 10 51)",
    "lines": "MULTILINESTRING((-180 -45, 0 -45), (0 45, 180 45))",
    "ring": "POLYGON((-180 -90,-90 -90,-90 90,-180 90,-180 -90),(-120 -50,-100 -50,-100 -40,-120 -40,-120 -50))",
    "areas": "MULTIPOLYGON(((-180 -90,-90 -90,-90 90,-180 90,-180 -90)),((0 0, 10 0, 10 10, 0 10, 0 0)))",
    "all": "GEOMETRYCOLLECTION(POINT(7.02 49.92), POLYGON((0 0, 10 0, 10 10, 0 10, 0 0)))",
}
OFF_EARTH = ("POINT(90 180)", "MULTIPOINT(7.02 49.92, 90 180)")
TEMPORAL = (
    "T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS", "T_CONTAINS", "T_DURING", "T_FINISHEDBY",
    "T_FINISHES", "T_MEETS", "T_METBY", "T_OVERLAPPEDBY", "T_OVERLAPS", "T_STARTEDBY", "T_STARTS",
)  # fmt: skip
# Start and end of the one time and of the other, as texts of one form.
RELATIONS: dict[str, Callable[[str, str, str, str], bool]] = {
    "T_AFTER": lambda a, b, c, d: a > d,
    "T_BEFORE": lambda a, b, c, d: b < c,
    "T_DISJOINT": lambda a, b, c, d: b < c or a > d,
    "T_EQUALS": lambda a, b, c, d: (a, b) == (c, d),
    "T_INTERSECTS": lambda a, b, c, d: b >= c and a <= d,
    "T_CONTAINS": lambda a, b, c, d: a < c and d < b,
    "T_DURING": lambda a, b, c, d: c < a and b < d,
    "T_FINISHEDBY": lambda a, b, c, d: a < c and b == d,
    "T_FINISHES": lambda a, b, c, d: c < a and b == d,
    "T_MEETS": lambda a, b, c, d: b == c,
    "T_METBY": lambda a, b, c, d: a == d,
    "T_OVERLAPPEDBY": lambda a, b, c, d: c < a < d < b,
    "T_OVERLAPS": lambda a, b, c, d: a < c < b < d,
    "T_STARTEDBY": lambda a, b, c, d: a == c and d < b,
    "T_STARTS": lambda a, b, c, d: a == c and b < d,
}
