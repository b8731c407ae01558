"""Prepared features: what is read back is what was written, in order of the ids, whichever way it is asked."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
import shapely

from engine.features import Features, build
from engine.schema.errors import PermuError

SHAPES = [
    shapely.box(0, 0, 1, 1).reverse(),
    None,
    shapely.MultiPolygon([shapely.box(5, 5, 6, 6), shapely.box(7, 7, 8, 8)]),
    shapely.box(0.123456789, 0, 2, 2),
]
IDS = ["d", "a", "c", "b"]


def _frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "code": IDS,
            "n": [1, None, 3, 4],
            "share": [0.1, None, 1 / 3, float("nan")],
            "names": [["x", "引号\"'"], [], ["y"], None],
            "day": [date(2024, 2, 29), None, None, None],
            "at": [datetime(2024, 1, 1, 12), None, None, None],
            "geometry": [None if s is None else shapely.to_wkb(s) for s in SHAPES],
        }
    )


@pytest.fixture
def made(tmp_path: Path) -> Features:
    """Four rows, one of them without a geometry."""
    return Features(build(_frame(), "code", tmp_path / "held"))


def _read(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(b"[" + body + b"]")
    return found


def test_features_are_valid_and_in_order(made: Features) -> None:
    found = _read(made.joined(np.arange(4)))
    assert [f["id"] for f in found] == ["a", "b", "c", "d"]
    assert found[0]["geometry"] is None and made.undrawn.tolist() == [True, False, False, False]
    assert found[3]["properties"] == {
        "code": "d", "n": 1, "share": 0.1, "names": ["x", "引号\"'"], "day": "2024-02-29",
        "at": "2024-01-01T12:00:00Z",
    }  # fmt: skip
    assert found[1]["properties"]["share"] is None  # NaN is no number of JSON
    ring = shapely.geometry.shape(found[3]["geometry"]).exterior
    assert shapely.is_ccw(ring) and found[1]["geometry"]["coordinates"][0][0][0] in (0.1234568, 2)


@pytest.mark.parametrize("rows", [[], [2], [0, 1], [0, 2, 3], [1, 3], [0, 1, 2, 3]])
def test_any_rows_join(made: Features, rows: list[int]) -> None:
    whole = _read(made.joined(np.arange(4)))
    assert _read(made.joined(np.array(rows, dtype=np.int64))) == [whole[n] for n in rows]
    assert [
        f["properties"] for f in _read(made.joined_with(np.array(rows, dtype=np.int64), made.shapes(np.array(rows))))
    ] == [whole[n]["properties"] for n in rows]


def test_about(made: Features) -> None:
    assert (made.count, made.identity, made.kind) == (4, "code", "MultiPolygon")
    assert made.extent == [0, 0, 8, 8] and "geometry" not in made.schema
    assert [made.number(one) for one in ("a", "d", "e", "", "A", "bb")] == [0, 3, None, None, None, None]
    assert made.meeting(1.5, 1.5, 5.5, 5.5).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ([shapely.Point(1, 1)], "Point"),
        ([shapely.Point(1, 1), shapely.MultiPoint([(1, 1)])], "MultiPoint"),
        ([shapely.Point(1, 1), shapely.box(0, 0, 1, 1)], "Geometry"),
        ([shapely.LineString([(0, 0), (1, 1)])], "LineString"),
        ([None], None),
        ([], None),
    ],
)
def test_kinds(tmp_path: Path, shapes: list[shapely.Geometry | None], kind: str | None) -> None:
    frame = pl.DataFrame(
        {"id": [str(n) for n in range(len(shapes))], "geometry": [s and shapely.to_wkb(s) for s in shapes]},
        schema={"id": pl.String, "geometry": pl.Binary},
    )
    found = Features(build(frame, "id", tmp_path / "held"))
    assert found.kind == kind and found.count == len(shapes)
    assert (found.extent is None) == (kind is None)
    assert len(_read(found.joined(np.arange(found.count)))) == len(shapes)


def test_a_folder_is_whole_or_not_there(made: Features, tmp_path: Path) -> None:
    assert [place.name for place in tmp_path.iterdir()] == ["held"]
    build(_frame(), "code", made.folder)  # somebody was first
    assert [place.name for place in tmp_path.iterdir()] == ["held"]
    broken = _frame().with_columns(geometry=pl.lit(1))
    with pytest.raises((TypeError, ValueError)):
        build(broken, "code", tmp_path / "other")
    assert [place.name for place in tmp_path.iterdir()] == ["held"]


@pytest.mark.parametrize("gone", ["about.json", "table.arrow", "boxes.npy", "places.npy", "features.bin"])
def test_a_damaged_folder_is_told(made: Features, gone: str) -> None:
    (made.folder / gone).unlink()
    with pytest.raises(PermuError, match=r"remove the folder|删除") as told:
        Features(made.folder)
    assert told.value.code == "release_gone"
    assert len(_read(made.joined(np.arange(4)))) == 4  # what was open lives on
