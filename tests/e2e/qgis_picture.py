"""The picture of docs/layers.md: QGIS draws the parcels that the server sends, by grade, over the regions. `make shots`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from engine.layers.files import export
from engine.releases import find
from engine.schema.warehouse import Warehouse
from tests.bench.serve import serving, uvicorn
from tests.e2e.test_qgis_layers import look

PLACE = Path(__file__).parents[2] / "docs" / "pictures" / "qgis-parcels.png"
EXTENT = "120.19,32.15,120.31,32.245"  # a part of the demo with many parcels


def draw(home: Path, place: Path) -> None:
    """Draw the newest graded release of a warehouse of the demo; SystemExit where QGIS complains."""
    release = find(Warehouse(home), year=2024, policy="huaian-2024")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(uvicorn("--factory", "api.app:from_environment"), "/ogc/", home) as ours,
    ):
        regions = Path(folder) / "regions.geojson"
        export(release, "regions", "geojson", regions)
        told = look(
            place, EXTENT, f"oapif:{ours.url('/ogc/releases/')}{release.id}@parcels", f"outline:{regions}",
            "title:2024 · huaian-2024 · 宗地按等级 parcels by grade · 合成数据 synthetic data",
        )  # fmt: skip
    if told["errors"]:
        raise SystemExit(f"QGIS: {told['errors']}")


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--home", type=Path, required=True)
    words.add_argument("--out", type=Path, default=PLACE)
    asked = words.parse_args(sys.argv[1:])
    draw(asked.home, asked.out)
