"""Tiles that others wrote (mapbox/mvt-fixtures): the ids that are counted are those of the fixture's own description."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from engine.layers.archive import feature_ids


def test_mvt_fixtures_ids(shared: Path) -> None:
    folder, compared = shared / "judges" / "mvt-fixtures" / "fixtures", 0
    for fixture in sorted(folder.iterdir()):
        if not json.loads((fixture / "info.json").read_text("utf-8"))["validity"]["v2"]:
            continue
        told = json.loads((fixture / "tile.json").read_text("utf-8"))
        expected = {
            layer["name"]: [f["id"] for f in layer.get("features", ()) if f.get("id") is not None]
            for layer in told.get("layers", ())
        }
        assert feature_ids(gzip.compress((fixture / "tile.mvt").read_bytes())) == expected, fixture.name
        compared += 1
    assert compared > 40
