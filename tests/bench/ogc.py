"""One bbox over 5,184 of 200,000 parcels as GeoJSON over HTTP: /ogc, and tipg over PostGIS on the same data.

``python -m tests.bench.ogc serve FOLDER PORT`` is the server that is measured. tipg runs where build/tipg is an
environment that holds it (``make bench`` does not make one) and PostGIS is installed; else it is left out.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import geopandas
import numpy as np
import orjson
import polars as pl
import shapely

from tests.bench.measure import Line, Run, lines

SIDE, ASKED = 447, 72  # 199,809 parcels, of which a square of 5,184 is asked
ALLOWED = 0.030
TURNS = 15
_STEP = 0.001
TIPG = Path(__file__).resolve().parents[2] / "build" / "tipg" / "bin" / "python"


def parcels() -> geopandas.GeoDataFrame:
    """Squares in a grid with what a GIS layer shows of each."""
    at = np.arange(SIDE * SIDE)
    west, south = 118.5 + (at % SIDE) * _STEP, 31.0 + (at // SIDE) * _STEP
    shapes = shapely.box(west, south, west + 0.8 * _STEP, south + 0.8 * _STEP)
    table = pl.DataFrame({"n": at}).select(
        parcel_code=pl.format("320{}", pl.col("n").cast(pl.String).str.zfill(16)),
        name=pl.format("示例{}有限公司", pl.col("n")),
        region_code=pl.format("3205{}", (pl.col("n") % 97).cast(pl.String).str.zfill(5)),
        size=pl.lit("small"), grade=pl.lit("B"), land_mu=pl.col("n") % 977 / 7, output_per_mu=pl.col("n") % 9973 / 13,
        benefit_per_mu=pl.col("n") % 997 / 11, rank=pl.col("n") + 1, of=pl.lit(SIDE * SIDE),
    )  # fmt: skip
    columns = {name: table[name].to_list() for name in table.columns}
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")


def asked() -> str:
    """The box that holds the square's parcels and meets no other."""
    first = 200
    west, south = 118.5 + first * _STEP, 31.0 + first * _STEP
    numbers = (west - 0.1 * _STEP, south - 0.1 * _STEP, west + (ASKED - 0.1) * _STEP, south + (ASKED - 0.1) * _STEP)
    return ",".join(f"{x:.6f}" for x in numbers)


def serve(folder: Path, port: int) -> None:
    """The application over a hand-made release, with the parcels beside it, as one worker."""
    import uvicorn

    from api.app import create_app
    from api.ogc import add_file
    from engine.schema.warehouse import Warehouse

    app = create_app(Warehouse(folder / "warehouse"))
    add_file(app, folder / "parcels.fgb", "bench_parcels")
    uvicorn.run(app, port=port, log_level="warning")


def ask(port: int, path: str) -> Run:
    """One request: seconds to the last byte, and the codes that came, in order."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begin = time.perf_counter()
    connection.request("GET", path, headers={"Accept": "application/geo+json"})
    body = connection.getresponse().read()
    seconds = time.perf_counter() - begin
    codes = sorted(f["properties"]["parcel_code"] for f in orjson.loads(body)["features"])
    if len(codes) != ASKED * ASKED:
        raise SystemExit(f"bench ogc_bbox: {len(codes)} features came, {ASKED * ASKED} were asked: {body[:300]!r}")
    return Run({"seconds": seconds, "answer_sha256": hashlib.sha256("".join(codes).encode()).hexdigest()}, 0)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def _server(words: list[str], port: int, ready: str, environment: dict[str, str]) -> Iterator[int]:
    """A process that listens; its id. It is ended at the end."""
    child = subprocess.Popen(words, env={**os.environ, **environment})
    try:
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", ready)
                if connection.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"bench ogc_bbox: {words[0]} does not answer")
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def tipg(frame: geopandas.GeoDataFrame) -> Iterator[tuple[int, int]]:
    """tipg over a PostGIS of its own that holds the parcels, with the index and statistics that it wants."""
    from tests.postgres import server

    with server() as database, tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        hexed = shapely.to_wkb(shapely.set_srid(frame.geometry.to_numpy(), 4326), hex=True, include_srid=True)
        frame.drop(columns="geometry").assign(geom=hexed).to_csv(file, index=False)
        file.flush()
        Path(file.name).chmod(0o644)
        columns = (
            "parcel_code text primary key, name text, region_code text, size text, grade text, land_mu float8, "
            "output_per_mu float8, benefit_per_mu float8, rank int, of int, geom geometry(Geometry, 4326)"
        )
        database.run(
            "CREATE EXTENSION postgis; CREATE TABLE parcels ("
            f"{columns}); COPY parcels FROM '{file.name}' CSV HEADER; CREATE INDEX ON parcels USING gist (geom); ANALYZE;"
        )
        port = _port()
        key = quote(database.password, safe="")
        told = {
            "DATABASE_URL": f"postgresql://{database.user}:{key}@127.0.0.1:{database.port}/postgres",
            "TIPG_DEFAULT_FEATURES_LIMIT": "10000",
            "TIPG_MAX_FEATURES_PER_QUERY": "10000",
        }
        words = [str(TIPG), "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--log-level", "warning"]
        with _server(words, port, "/healthz", told) as pid:
            yield port, pid


def ogc_bbox() -> list[Line]:
    """The whole of a box of 5,184 features, at most 30 ms, asked in turns."""
    from engine.schema.warehouse import Warehouse
    from tests.unit.api.firms import FIRMS
    from tests.unit.api.release_builder import build

    with tempfile.TemporaryDirectory() as name, ExitStack() as open_now:
        folder, frame = Path(name), parcels()
        build(Warehouse(folder / "warehouse").create(), FIRMS)
        frame.to_file(folder / "parcels.fgb", layer="bench_parcels", driver="FlatGeobuf", engine="pyogrio")
        port, box = _port(), asked()
        words = [sys.executable, "-m", "tests.bench.ogc", "serve", name, str(port)]
        ready = "/ogc/collections/bench_parcels/items?limit=1"
        places = {"permu": (port, f"/ogc/collections/bench_parcels/items?limit=10000&bbox={box}")}
        pids = {"permu": open_now.enter_context(_server(words, port, ready, {}))}
        if not TIPG.is_file():
            print("ogc_bbox: no build/tipg with tipg and uvicorn in it, so it is left out", flush=True)
        else:
            other, pids["tipg"] = open_now.enter_context(tipg(frame))
            places["tipg"] = other, f"/collections/public.parcels/items?limit=10000&bbox={box}"
        for place in places.values():
            ask(*place)
        runs: dict[str, list[Run]] = {engine: [] for engine in places}
        for _ in range(TURNS):
            for engine, place in places.items():
                runs[engine].append(ask(*place))
        for engine, pid in pids.items():
            runs[engine][0].peak_mb = _peak_mb(pid)
    found = lines("ogc_bbox", ASKED * ASKED, runs, allowed=ALLOWED)
    medians = {engine: statistics.median(run.seconds for run in each) for engine, each in runs.items()}
    return [replace(line, seconds_median=round(medians[line.engine], 4)) for line in found]


if __name__ == "__main__" and sys.argv[1:2] == ["serve"]:
    serve(Path(sys.argv[2]), int(sys.argv[3]))
