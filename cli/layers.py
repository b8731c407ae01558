"""``permu layers export`` and ``prepare``: map layers as files, and those that the server sends, made ahead."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Home, Json, MaybePolicy, MaybeYear, ReleaseId, out, show_json, warehouse
from engine.layers.files import NATIVE, export
from engine.layers.prepared import prepare_all
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
    pmtiles = "pmtiles"


@app.command("export")
def export_layer(
    place: Annotated[Path, typer.Option("--out", help="The file to write (a shapefile: .shp, or .zip for all of it).")],
    layer: Annotated[Layer, typer.Option(help="Which layer.")] = Layer.parcels,
    form: Annotated[Form, typer.Option("--format", help="The file format.")] = Form.geojson,
    crs: Annotated[
        str, typer.Option(help="Coordinate system of the file (.geojson is always lon/lat, .pmtiles EPSG:3857).")
    ] = NATIVE,
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write a layer of a release with rank and grade as properties. 导出图层。"""
    one = find(warehouse(home).require(), release, year, policy)
    told = export(one, layer.value, form.value, place, crs)
    if json:
        show_json({"release_id": one.id, "layer": layer.value, "file": str(place), **told})
        return
    out.print(f"{place}: {told['features']} features of {one.id}", highlight=False)
    for zoom in told.get("zooms", ()):
        held = f"zoom {zoom['zoom']}: {zoom['features']} features, {zoom['dropped']} left out"
        out.print(f"  {held}; {zoom['tiles']} tiles, the largest {zoom['largest_bytes']} bytes", highlight=False)


@app.command("prepare")
def prepare_layers(
    year: MaybeYear = None,
    policy: MaybePolicy = None,
    release: ReleaseId = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make the GeoJSON and the tiles of every layer now, that the server else makes at the first ask. 预先生成图层文件。"""
    one = find(warehouse(home).require(), release, year, policy)
    files = prepare_all(one, lambda name: typer.echo(name, err=True))
    if json:
        show_json({"release_id": one.id, "files": [{"file": str(f), "bytes": f.stat().st_size} for f in files]})
    else:
        out.print(f"{one.id}: {len(files)} files in {one.folder / 'layers'}", highlight=False)
