"""``permu layers export``: map layers as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, out, show_json, warehouse
from engine.layer_files import export
from engine.releases import find

app = typer.Typer(no_args_is_help=True, help="Map layers. 图层。")


class Layer(StrEnum):
    """Layers that a release has."""

    parcels = "parcels"
    enterprises = "enterprises"
    regions = "regions"
    low_efficiency = "low_efficiency"
    idle = "idle"


class Form(StrEnum):
    """File formats of a layer."""

    geojson = "geojson"
    gpkg = "gpkg"
    fgb = "fgb"
    geoparquet = "geoparquet"
    shp = "shp"


@app.command("export")
def export_layer(
    place: Annotated[Path, typer.Option("--out", help="The file to write.")],
    layer: Annotated[Layer, typer.Option(help="Which layer.")] = Layer.parcels,
    form: Annotated[Form, typer.Option("--format", help="The file format.")] = Form.geojson,
    crs: Annotated[str, typer.Option(help="Coordinate system of the file (.geojson is always lon/lat).")] = "EPSG:4490",
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write a layer of a release with rank and grade as properties. 导出图层。"""
    one = find(warehouse(home).require(), release, year, policy)
    features = export(one, layer.value, form.value, place, crs)
    if json:
        show_json({"release_id": one.id, "layer": layer.value, "file": str(place), "features": features})
    else:
        out.print(f"{place}: {features} features of {one.id}", highlight=False)
