"""Laws of filters: whatever is asked, the rows are those of a plain reading of CQL2 in three-valued logic, row by row."""

from __future__ import annotations

import json
import math
import operator
import re
from datetime import date
from pathlib import Path
from typing import Any

import cql2
import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.ogc.boxes import read_box
from api.ogc.crs import DEFAULT, SYSTEMS, from_lonlat, to_lonlat
from api.ogc.filters import mask, parse
from api.ogc.filters.compile import Filter
from api.ogc.find import within
from engine.features import Features, build

# As a literal a lone backslash is left out: in text \' is a quote by the grammar, so it cannot end a literal.
TEXTS = ["", "a", "A", "ab", "a%", "区", "区划", "it's", "\\", "_", None]
NUMBERS = [0.0, -1.0, 1.0, 2.5, 3.0, 1e9, None]
ROWS = [
    {"id": f"{n:04d}", "t": TEXTS[n % len(TEXTS)], "u": TEXTS[n % 7], "x": NUMBERS[n % len(NUMBERS)],
     "y": NUMBERS[n % 5], "b": (True, False, None)[n % 3], "d": (date(2024, 1, 1 + n % 28), None)[n % 4 == 3],
     "g": None if n % 9 == 8 else (n % 13, n % 11)}
    for n in range(700)
]  # fmt: skip


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Features:
    """700 rows with every edge of texts, numbers, truth values, days and points."""
    points = [None if r["g"] is None else shapely.to_wkb(shapely.Point(*r["g"])) for r in ROWS]
    schema = {"id": pl.String, "t": pl.String, "u": pl.String, "x": pl.Float64, "y": pl.Float64, "b": pl.Boolean,
              "d": pl.Date}  # fmt: skip
    frame = pl.DataFrame([{k: r[k] for k in schema} for r in ROWS], schema=schema)
    frame = frame.with_columns(geometry=pl.Series(points, dtype=pl.Binary))
    return Features(build(frame, "id", tmp_path_factory.mktemp("laws") / "held"))


def _property(name: str) -> dict[str, str]:
    return {"property": name}


_text = st.one_of(
    st.sampled_from(["t", "u"]).map(_property), st.sampled_from([t for t in TEXTS if t not in (None, "\\")])
)
_number = st.recursive(
    st.one_of(st.sampled_from(["x", "y"]).map(_property), st.sampled_from([n for n in NUMBERS if n is not None])),
    lambda inner: st.builds(lambda op, a, b: {"op": op, "args": [a, b]}, st.sampled_from("+-*/"), inner, inner),
    max_leaves=4,
)
_day = st.one_of(st.just(_property("d")), st.integers(1, 28).map(lambda n: {"date": f"2024-01-{n:02d}"}))
_compare = st.sampled_from(["=", "<>", "<", ">", "<=", ">="])


def _of(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pair = st.builds(lambda op, a, b: {"op": op, "args": [a, b]}, _compare, kind, kind)
    within_list = st.builds(
        lambda a, items: {"op": "in", "args": [a, items]}, kind, st.lists(kind, min_size=1, max_size=4)
    )
    return pair | within_list


_box = st.tuples(*[st.integers(-1, 13)] * 4).map(
    lambda n: {"op": "s_intersects", "args": [_property("geometry"), {"bbox": [*map(min, n[:2], n[2:]), *map(max, n[:2], n[2:])]}]}
)  # fmt: skip
_leaf = st.one_of(
    _of(_text), _of(_number), _of(_day), _box, st.booleans(),
    st.sampled_from("tuxybd").map(lambda name: {"op": "isNull", "args": [_property(name)]}),
    st.builds(lambda a, p: {"op": "like", "args": [a, p]}, _text, st.sampled_from(["%", "_", "a%", "%a", "a\\%", "区_", ""])),
    st.builds(lambda a, low, high: {"op": "between", "args": [a, low, high]}, _number, _number, _number),
)  # fmt: skip
FILTERS = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        inner.map(lambda a: {"op": "not", "args": [a]}),
        st.builds(lambda op, parts: {"op": op, "args": parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4)),
    ),
    max_leaves=8,
)  # fmt: skip
_COMPARE = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def truth(tree: Any, row: dict[str, Any]) -> Any:
    """The value of a tree for a row: None is unknown."""
    if not isinstance(tree, dict):
        return tree
    if "property" in tree:
        return row[tree["property"]]
    if "date" in tree:
        return date.fromisoformat(tree["date"])
    op, args = tree["op"], tree["args"]
    if op == "s_intersects":
        west, south, east, north = args[1]["bbox"]
        return None if row["g"] is None else west <= row["g"][0] <= east and south <= row["g"][1] <= north
    if op == "in":
        return truth({"op": "or", "args": [{"op": "=", "args": [args[0], item]} for item in args[1]]}, row)
    if op == "between":
        return truth(
            {"op": "and", "args": [{"op": ">=", "args": args[:2]}, {"op": "<=", "args": [args[0], args[2]]}]}, row
        )
    values = [truth(arg, row) for arg in args]
    if op in ("and", "or"):
        decided = op == "or"
        return decided if decided in values else None if None in values else not decided
    if op == "isNull":
        return values[0] is None
    if None in values:
        return None
    return _plain(op, values)


def _plain(op: str, values: list[Any]) -> Any:
    if op == "not":
        return not values[0]
    if op == "like":
        parts = re.findall(r"\\.|.", values[1], re.DOTALL)
        marks = {"%": ".*", "_": "."}
        return bool(re.fullmatch("".join(marks.get(p) or re.escape(p[-1]) for p in parts), values[0], re.DOTALL))
    if op in _COMPARE:
        return _COMPARE[op](*values)
    if op == "/" and values[1] == 0:
        return None
    found = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[op](*values)
    return found if math.isfinite(found) else None


@given(tree=FILTERS)
def test_rows_are_those_of_a_plain_reading(features: Features, tree: Any) -> None:
    over = Filter(features, ("id", "t", "u", "x", "y", "b", "d"))
    right = [n for n, row in enumerate(ROWS) if truth(tree, row) is True]
    assert np.flatnonzero(mask(over, tree)).tolist() == right
    read = parse(json.dumps(tree), "cql2-json") if isinstance(tree, dict) else tree
    assert np.flatnonzero(mask(over, read)).tolist() == right
    if isinstance(tree, dict):
        assert np.flatnonzero(mask(over, parse(cql2.parse_json(json.dumps(tree)).to_text()))).tolist() == right


@given(tree=FILTERS)
def test_a_filter_and_its_opposite_never_hold_together(features: Features, tree: Any) -> None:
    over = Filter(features, ("id", "t", "u", "x", "y", "b", "d"))
    assert not (mask(over, tree) & mask(over, {"op": "not", "args": [tree]})).any()


@given(st.lists(st.floats(-179, 179), min_size=2, max_size=2), st.lists(st.floats(-80, 80), min_size=2, max_size=2))
def test_a_box_finds_what_it_holds(features: Features, x: list[float], y: list[float]) -> None:
    west, east, south, north = *x, *sorted(y)
    over_the_meridian = west > east

    def inside(row: dict[str, Any]) -> bool:
        if row["g"] is None:
            return True
        at_x, at_y = row["g"]
        fits = at_x >= west or at_x <= east if over_the_meridian else west <= at_x <= east
        return fits and south <= at_y <= north

    found = within(features, read_box(f"{west!r},{south!r},{east!r},{north!r}", DEFAULT))
    assert found.tolist() == [inside(row) for row in ROWS]


@given(st.floats(118, 122), st.floats(30, 36), st.sampled_from(list(SYSTEMS.values())))
def test_there_and_back_again(east: float, north: float, crs: Any) -> None:
    back = to_lonlat(from_lonlat(np.array([shapely.Point(east, north)]), crs), crs)
    assert shapely.get_coordinates(back)[0] == pytest.approx([east, north], abs=2e-7 if crs.decimals == 7 else 2e-8)


def test_the_features_of_the_law_lie_on_disk(features: Features) -> None:
    assert isinstance(features.folder, Path) and features.count == len(ROWS) == int(features.table.height)
