"""OGC API Features (parts 1 to 3) over the layers of a release, at /ogc and /ogc/releases/{release_id}."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from api.ogc.collections import of_file
from api.ogc.routes import make_router

__all__ = ["add_file", "make_router"]


def add_file(app: FastAPI, place: Path, layer: str | None = None, times: tuple[str, str] | None = None) -> None:
    """Serve a layer of a map file (GeoPackage, GeoJSON …, lon/lat) as a further collection to everybody who may ask.

    ``times`` names the columns of a feature's start and end. PermuError bad_file.
    """
    state = app.state
    held = getattr(state, "ogc_files", {})
    state.ogc_files = {**held, **of_file(state.ogc_shelf, place, layer, times)}
