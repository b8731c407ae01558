"""OGC API Features (parts 1 to 3) over the layers of a release, at /ogc and /ogc/releases/{release_id}."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from api.ogc.collections import of_file
from api.ogc.routes import make_router
from engine.layers import LAYERS
from engine.schema.errors import PermuError

__all__ = ["add_file", "make_router"]


def add_file(app: FastAPI, place: Path, layer: str | None = None, times: tuple[str, str] | None = None) -> None:
    """Serve a layer of a map file (GeoPackage, GeoJSON …, lon/lat) as a further collection to everybody who may ask.

    ``times`` names the columns of a feature's start and end. PermuError bad_file.
    """
    state = app.state
    found = of_file(state.ogc_shelf, place, layer, times)
    if taken := sorted(found.keys() & LAYERS.keys()):
        raise PermuError(
            "bad_file",
            f"{taken[0]} is a layer of every release: name the file's otherwise",
            f"{taken[0]} 是固有图层，请改名",
        )
    state.ogc_files = {**getattr(state, "ogc_files", {}), **found}
