"""200,000 parcels as a layer: GeoJSON made and read, tiles made and served, beside what others do with the same rows.

``python -m tests.bench.layers WAY HOME``. The release is written here: a plain of parcels as real ones lie
(``tests.bench.parcels``), one enterprise each, two ranked figures and a grade.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import polars as pl
import shapely

from engine.layers import geojson, prepared, table, tiles
from engine.layers.archive import Archive
from engine.policy.packs import load_pack
from engine.releases import Release, open_release
from engine.schema.warehouse import Warehouse
from tests.bench.measure import RUNS, Line, Run, in_turn, lines, peak_mb, process
from tests.bench.parcels import write as write_parcels
from tests.bench.serve import serving, uvicorn

SIZE, NAME, LOOKED_UP = 200_000, "2024-bench", 20_000


def build(home: Path, size: int = SIZE) -> Path:
    """A warehouse with one release of ``size`` parcels and as many enterprises; where the release lies."""
    warehouse = Warehouse(home).create()
    folder = warehouse.releases / NAME
    folder.mkdir()
    drawn = pl.read_parquet(write_parcels(folder / "drawn.parquet", size))
    rng, at = np.random.default_rng(7), np.arange(size)
    drawn = drawn.with_columns(geometry=_plots(drawn["geometry"], rng))
    ids = pl.Series([f"E{n:015}" for n in at])
    area = pl.Series(rng.integers(200_000, 3_000_000, size))
    drawn.with_columns(area_dm2=area, drawn_dm2=area).write_parquet(folder / "parcels.parquet")
    uses = {"enterprise_id": ids, "parcel_code": drawn["parcel_code"], "dm2_days": area * 366}
    pl.DataFrame(uses).write_parquet(folder / "land_use.parquet")
    values = np.round(rng.lognormal(3, 1.2, size), 6)
    ranks = pl.Series(values).rank("min", descending=True).cast(pl.Int32)
    metric = "output_per_mu"
    columns = {
        "enterprise_id": ids, "name": pl.Series([f"示例第{n}机械制造有限公司" for n in at]),
        "industry_code": pl.Series(["3451"] * size), "region_code": pl.Series([f"3205{n % 90:02}001" for n in at]),
        "size": pl.Series(["small"] * size), "scale_group": pl.Series(["above_scale"] * size),
        "grade": pl.Series(np.array(list("ABCD"))[at % 4]), "land_mu": area / (200_000 / 3), metric: values,
        "benefit_per_mu": values / 7, f"rank__{metric}__all": ranks, f"of__{metric}__all": pl.Series([size] * size),
        "rank__benefit_per_mu__all": ranks,
    }  # fmt: skip
    pl.DataFrame(columns).write_parquet(folder / "rankings.parquet")
    pack = load_pack("sunan-2017")
    told = {
        "release_id": NAME, "year": 2024, "default_metric": metric, "metrics": [metric, "benefit_per_mu"],
        "policy": {"id": pack.policy.id}, "groupings": ["all"], "synthetic": True,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "policy.yaml").write_text(pack.text, encoding="utf-8")
    (folder / "drawn.parquet").unlink()
    with warehouse.connect() as db:
        entry = (NAME, 2024, pack.policy.id, "2025-01-01T00:00:00+00:00", "merge", "polars", size, "0" * 64)
        db.execute("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entry)
        db.execute("INSERT INTO release_events VALUES (?, ?, 'bench', 'draft', 'made')", (NAME, entry[3]))
    return folder


def _plots(wkb: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Valid shapes of different sizes, as the merge leaves them: each its parcel's rectangle or L, drawn smaller."""
    shapes = shapely.from_wkb(wkb.to_numpy())
    shapes = np.where(shapely.is_valid(shapes), shapes, shapely.envelope(shapes))
    centres, smaller = shapely.get_coordinates(shapely.centroid(shapes)), rng.uniform(0.3, 1, len(shapes))
    corners, of = shapely.get_coordinates(shapes, return_index=True)
    moved = centres[of] + (corners - centres[of]) * smaller[of, None]
    return pl.Series(list(shapely.to_wkb(shapely.set_coordinates(shapes, moved))), dtype=pl.Binary)


def _answer(body: bytes) -> str:
    """The same whatever the order of members and the spelling of a number: features, ids, sums."""
    found = json.loads(body)["features"]
    told = [len(found), sorted(str(f["properties"]["parcel_code"]) for f in found[:50])]
    told += [round(sum(f["properties"]["output_per_mu"] for f in found), 3)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def make(release: Release) -> bytes:
    """permu: from the release's tables to the bytes of the layer."""
    return geojson(release, "parcels")


def make_with_geopandas(release: Release) -> bytes:
    """The usual way: a frame, ``to_json``."""
    import geopandas as gpd

    rows = table(release, "parcels")
    columns = {c: rows[c].to_list() for c in rows.columns if c != "geometry"}
    frame = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries.from_wkb(rows["geometry"].to_list(), crs="EPSG:4490"))
    return bytes(frame.to_json(drop_id=False).encode())


def send(release: Release) -> bytes:
    """permu: the prepared file, read as it is sent."""
    return prepared.prepare(release, "parcels", "geojson").read_bytes()


def tiles_permu(release: Release) -> bytes:
    """permu: the archive, by tippecanoe, with the count of what each zoom leaves out."""
    with tempfile.TemporaryDirectory() as folder:
        told = tiles.write(release, "parcels", Path(folder) / "parcels.pmtiles")
    top = told.zooms[-1]
    assert top.dropped == 0 and max(z.largest_bytes for z in told.zooms) <= tiles.BUDGET
    return json.dumps([told.features, top.features]).encode()


def look_ups(release: Release) -> bytes:
    """permu: tiles out of the archive in one thread."""
    archive = Archive(prepared.prepare(release, "parcels", "pmtiles"))
    places = [place for place, _ in archive.tiles()]
    found = sum(archive.get(*places[n % len(places)]) is not None for n in range(LOOKED_UP))
    return json.dumps([found == LOOKED_UP]).encode()


def encode(release: Release) -> bytes:
    """mapbox-vector-tile on the fly: one tile of zoom 12 from its rows, as tile servers without an archive do."""
    import mapbox_vector_tile

    rows = table(release, "parcels").drop("enterprise_ids").filter(pl.col("geometry").is_not_null())
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    middle = shapely.centroid(shapes[len(shapes) // 2])
    half = 360 / 2**13
    box = (middle.x - half, middle.y - half * 0.86, middle.x + half, middle.y + half * 0.86)
    near = np.flatnonzero(shapely.intersects(shapes, shapely.box(*box)))
    properties = rows[near].drop("geometry").to_dicts()
    began = time.perf_counter()
    found = [{"geometry": shapes[n], "properties": p} for n, p in zip(near, properties, strict=True)]
    body = mapbox_vector_tile.encode([{"name": "parcels", "features": found}], default_options={"quantize_bounds": box})
    return json.dumps({"seconds": time.perf_counter() - began, "features": len(near), "bytes": len(body)}).encode()


WAYS: dict[str, tuple[str, Callable[[Release], bytes]]] = {
    "geojson_permu": ("geojson", make), "geojson_geopandas": ("geojson", make_with_geopandas),
    "geojson_prepared": ("geojson", send), "tiles_permu": ("tiles", tiles_permu),
    "look_ups": ("", look_ups), "encode": ("", encode),
}  # fmt: skip


def layer_geojson() -> list[Line]:
    """The whole layer as GeoJSON: made from the release's tables, prepared and over HTTP (at most 0.3 s), and by geopandas."""
    with tempfile.TemporaryDirectory() as home:
        folder = build(Path(home))
        words = {
            way: [sys.executable, "-m", "tests.bench.layers", f"geojson_{way}", home] for way in ("permu", "prepared")
        }
        runs = in_turn({"permu": words["permu"], "permu_kept": words["prepared"]})
        runs |= _over_http(Path(home), open_release(folder))
        runs["geopandas"] = [process(sys.executable, "-m", "tests.bench.layers", "geojson_geopandas", home)]
    return lines("layer_geojson", SIZE, runs, mark="geopandas")


def _over_http(home: Path, release: Release) -> dict[str, list[Run]]:
    """The prepared layer from one worker, to the last byte: as it is, and packed as browsers and GDAL take it."""
    prepared.prepare(release, "parcels", "geojson")
    found: dict[str, list[Run]] = {"permu_http": [], "permu_gzip": []}
    with serving(uvicorn("--factory", "api.app:from_environment"), "/readyz", home) as ours:
        for _ in range(RUNS):
            for way, headers in (("permu_http", {}), ("permu_gzip", {"Accept-Encoding": "gzip"})):
                begun = time.perf_counter()
                with urlopen(Request(ours.url("/layers/parcels.geojson"), headers=headers), timeout=60) as answer:
                    body = b"".join(iter(partial(answer.read, 1 << 20), b""))
                seconds = time.perf_counter() - begun
                told = _answer(gzip.decompress(body) if headers else body)
                found[way].append(Run({"seconds": seconds, "answer_sha256": told}, ours.memory()["peak"]))
    return found


def tiles_served() -> list[Line]:
    """Making the archive; a thousand tiles out of it, and over HTTP by one worker and by two (mark: FastAPI's hello, one);
    one encoded on the fly."""
    with tempfile.TemporaryDirectory() as home:
        folder = build(Path(home))
        made = process(sys.executable, "-m", "tests.bench.layers", "tiles_permu", home)
        fly = process(sys.executable, "-m", "tests.bench.layers", "encode", home)
        found = lines("tiles", SIZE, {"make": [made]}, allowed=60.0)
        found += [Line("tiles", SIZE, "mvt_on_fly", round(1000 * fly.seconds, 2), round(fly.peak_mb), None, None)]
        if shutil.which("wrk") is not None:
            found += _served(Path(home), open_release(folder))
    return found


def _served(home: Path, release: Release) -> list[Line]:
    archive = Archive(prepared.prepare(release, "parcels", "pmtiles"))
    start = "/ogc/collections/parcels/tiles/WebMercatorQuad"
    paths = [f"{start}/{z}/{y}/{x}" for (z, x, y), _ in archive.tiles()]
    print(f"tiles: {len(paths)} of them, the densest {archive.largest()} bytes of at most {tiles.BUDGET}", flush=True)
    gzip, app = ("-H", "Accept-Encoding: gzip"), uvicorn("--factory", "api.app:from_environment")
    with (
        serving(uvicorn("tests.bench.hello:app"), "/hello") as hello,
        serving(app, paths[0], home) as one,
        serving([*app, "--workers", "2"], paths[0], home) as two,
    ):
        two.load(paths, 16, 3, *gzip)  # both have it open
        rates = [(h.rate, o.rate, t.rate) for h, o, t in (
            (hello.load(["/hello"], 16), one.load(paths, 16, 3, *gzip), two.load(paths, 16, 3, *gzip)) for _ in range(3)
        )]  # fmt: skip
        peak, both = round(one.memory()["peak"]), round(two.memory()["peak"])
    theirs, mine, pair = (statistics.median(1000 / rate for rate in side) for side in zip(*rates, strict=True))
    print(
        f"tiles: {1000 / mine:.0f}/s by one worker, {1000 / pair:.0f}/s by two, hello {1000 / theirs:.0f}/s", flush=True
    )
    archive_run = process(sys.executable, "-m", "tests.bench.layers", "look_ups", str(home))
    thousand = 1000 * archive_run.seconds / LOOKED_UP
    print(f"tiles: {1000 / thousand:.0f}/s out of the archive in one thread", flush=True)
    found = {
        "archive_1000": (thousand, round(archive_run.peak_mb)), "serve_1000": (mine, peak),
        "serve_2_1000": (pair, both), "hello_1000": (theirs, 0),
    }  # fmt: skip
    return [Line("tiles", SIZE, n, round(s, 3), mb, round(s / theirs, 2), None) for n, (s, mb) in found.items()]


def main(way: str, home: str) -> None:
    """One way in a process of its own: seconds and the hash of its answer as the last line."""
    kind, run = WAYS[way]
    release = open_release(Path(home) / "releases" / NAME)
    if way in ("geojson_prepared", "look_ups"):
        run(release)  # prepares
    began = time.perf_counter()
    body = run(release)
    told = {"seconds": time.perf_counter() - began, "peak_mb": peak_mb()}
    if way == "encode":
        told |= json.loads(body)  # the encoding alone, without reading the rows
    told["answer_sha256"] = _answer(body) if kind == "geojson" else hashlib.sha256(body).hexdigest() if kind else None
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
