"""Pages of features and a tile of zoom 12 of 200,000 parcels over HTTP: /ogc beside tipg over PostGIS on the same rows."""

from __future__ import annotations

import gzip
import json
import math
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import mapbox_vector_tile
import polars as pl
import shapely

from engine.layers import table
from engine.releases import Release, open_release
from tests.bench import layers, ogc
from tests.bench.measure import Line
from tests.bench.serve import Server, serving, uvicorn

LIMITS, PAGES, BOX, ZOOM, CONNECTIONS = (100, 10), 40, 5_184, 12, 4
_SAME = [
    "parcel_code",
    "name",
    "region_code",
    "size",
    "grade",
    "land_mu",
    "output_per_mu",
    "benefit_per_mu",
    "rank",
    "of",
]


def _frame(release: Release) -> geopandas.GeoDataFrame:
    rows = table(release, "parcels").filter(pl.col("geometry").is_not_null())
    shapes = geopandas.GeoSeries.from_wkb(rows["geometry"].to_list(), crs="EPSG:4326")
    return geopandas.GeoDataFrame({name: rows[name].to_list() for name in _SAME}, geometry=shapes)


def _tile(frame: geopandas.GeoDataFrame) -> tuple[int, int]:
    """Column and row of the tile that holds the parcel in the middle."""
    middle = frame.geometry.iloc[len(frame) // 2].centroid
    down = math.asinh(math.tan(math.radians(middle.y))) / math.pi
    return int((middle.x + 180) / 360 * 2**ZOOM), int((1 - down) / 2 * 2**ZOOM)


def _fetch(server: Server, path: str) -> bytes:
    asked = urllib.request.Request(server.url(path), headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=120) as answer:
        body: bytes = answer.read()
        return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body


def _pages(engine: str, server: Server, base: str, limit: int) -> list[str]:
    """The addresses of pages that follow each other. SystemExit unless they hold as many different parcels as asked."""
    paths, codes = [f"{base}/items?limit={limit}"], set()
    while True:
        document = json.loads(_fetch(server, paths[-1]))
        codes |= {feature["properties"]["parcel_code"] for feature in document["features"]}
        if len(paths) == PAGES:
            break
        following = next(one["href"] for one in document["links"] if one["rel"] == "next")
        paths.append(following.partition(f":{server.port}")[2])
    if len(codes) != PAGES * limit:
        raise SystemExit(f"bench ogc_tipg: {PAGES} pages of {limit} of {engine} hold {len(codes)} parcels")
    return paths


def _box(frame: geopandas.GeoDataFrame) -> tuple[str, list[str]]:
    """A box in the middle that meets about 5,184 parcels, and their codes."""
    west, south, east, north = frame.total_bounds
    part, met = math.sqrt(BOX / len(frame)) / 2, frame["parcel_code"]
    for _ in range(6):  # parcels do not lie evenly
        wide, high = part * (east - west), part * (north - south)
        x, y = (west + east) / 2, (south + north) / 2
        numbers = [round(n, 6) for n in (x - wide, y - high, x + wide, y + high)]
        met = frame[frame.intersects(shapely.box(*numbers))]["parcel_code"]
        part *= math.sqrt(BOX / max(len(met), 1))
    return ",".join(f"{n:.6f}" for n in numbers), sorted(met)


def _box_of(engine: str, server: Server, base: str, box: str, codes: list[str]) -> list[str]:
    """The address of all that a box meets. SystemExit unless it is answered with these parcels."""
    path = f"{base}/items?limit=10000&bbox={box}"
    found = sorted(f["properties"]["parcel_code"] for f in json.loads(_fetch(server, path))["features"])
    print(f"ogc_tipg box {engine}: {len(found)} features", flush=True)
    if found != codes:
        raise SystemExit(f"bench ogc_tipg: {engine} finds {len(found)} parcels in the box, shapely {len(codes)}")
    return [path]


def _tile_of(engine: str, server: Server, base: str, x: int, y: int) -> list[str]:
    """The tile's address. SystemExit where nothing is drawn on it."""
    path = f"{base}/tiles/WebMercatorQuad/{ZOOM}/" + (f"{y}/{x}" if engine == "permu" else f"{x}/{y}")
    decoded: dict[str, Any] = mapbox_vector_tile.decode(_fetch(server, path))
    drawn = sum(len(layer["features"]) for layer in decoded.values())
    print(f"ogc_tipg tile {engine}: {drawn} features", flush=True)
    if not drawn:
        raise SystemExit(f"bench ogc_tipg: nothing is drawn on {path} of {engine}")
    return [path]


@contextmanager
def _servers(home: Path, frame: geopandas.GeoDataFrame) -> Iterator[dict[str, Server]]:
    with serving(
        uvicorn("--factory", "api.app:from_environment"), "/ogc/collections/parcels/items?limit=1", home
    ) as ours:
        if not ogc.TIPG.is_file():
            print("ogc_tipg: no build/tipg with tipg and uvicorn in it, so it is left out", flush=True)
            yield {"permu": ours}
            return
        with ogc.tipg(frame) as (port, pid):
            yield {"permu": ours, "tipg": Server(pid, port)}


def ogc_tipg() -> list[Line]:
    """Seconds for a thousand pages of 100 and of 10 features, each another, boxes of 5,184 and tiles of zoom 12."""
    base = {"permu": "/ogc/collections/parcels", "tipg": "/collections/public.parcels"}
    with tempfile.TemporaryDirectory() as name:
        release = open_release(layers.build(Path(name)))
        layers.prepared.prepare(release, "parcels", "pmtiles")
        frame = _frame(release)
        place = _tile(frame)
        box, codes = _box(frame)
        asked = {f"items_{n}": partial(_pages, limit=n) for n in LIMITS} | {
            "box": partial(_box_of, box=box, codes=codes)
        }
        asked |= {"tile": partial(_tile_of, x=place[0], y=place[1])}
        found: list[Line] = []
        with _servers(Path(name), frame) as servers:
            for what, paths in asked.items():
                seconds: dict[str, float] = {}
                for engine, server in servers.items():
                    known = paths(engine, server, base[engine])
                    many = 1 if what == "box" else CONNECTIONS
                    load = server.load(known, many, 5, "--timeout", "20", "-H", "Accept-Encoding: gzip")
                    told = f"{load.rate:.0f}/s, p50 {load.p50 * 1e3:.1f} ms, p99 {load.p99 * 1e3:.1f} ms"
                    print(f"ogc_tipg {what} {engine}: {told}", flush=True)
                    seconds[engine] = 1000 / load.rate
                for engine, each in seconds.items():
                    peak = round(servers[engine].memory()["peak"])
                    ratio = round(each / seconds["permu"], 2)
                    found.append(Line(f"ogc_{what}", len(frame), engine, round(each, 3), peak, ratio, None))
    return found
