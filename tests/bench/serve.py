"""The benchmarks of serving a ranking of a million: pages beside FastAPI's hello and datasette, filters, memory.

Load by wrk on loopback, one worker; before any time is taken, answers are compared with DuckDB's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import serve_world as world
from tests.bench.datasette import asked as datasette_asked
from tests.bench.datasette import command as datasette_command
from tests.bench.measure import SIZE, Line

SECONDS = 3
PAGES, FILTERS = 4_000, 2_000
_FACTORY = ["--factory", "api.app:from_environment"]
_LUA = """
local paths, at = {}, 0
for line in io.lines(os.getenv("PERMU_PATHS")) do paths[#paths + 1] = line end
request = function() at = at % #paths + 1; return wrk.format("GET", paths[at]) end
"""
_LEFT_OUT = "serve: no wrk here (Debian package wrk), so the benchmarks of serving are left out"


@dataclass(frozen=True)
class Load:
    """What wrk saw (rate a second, seconds of the 50th and 99th per cent) and the processor's seconds a request."""

    rate: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True)
class Server:
    """A server under test."""

    pid: int
    port: int

    def load(self, paths: list[str], connections: int, seconds: int = SECONDS, *more: str) -> Load:
        """Ask the paths in turn (``more`` words for wrk); SystemExit where an answer is not 200."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "paths").write_text("\n".join(paths))
            (Path(folder) / "load.lua").write_text(_LUA)
            words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", *more, "-s", f"{folder}/load.lua"]
            before, environment = self.cpu(), {**os.environ, "PERMU_PATHS": f"{folder}/paths"}
            told = subprocess.run([*words, self.url("")], env=environment, capture_output=True, text=True, check=True)
        if "Non-2xx" in told.stdout or "Socket errors" in told.stdout:
            raise SystemExit(f"bench: not every answer was 200:\n{told.stdout}")
        found = dict(re.findall(r"(50|99)%\s+([0-9.]+[mu]?s)", told.stdout))
        count = int(re.findall(r"([0-9]+) requests in", told.stdout)[0])
        rate = float(re.findall(r"Requests/sec:\s+([0-9.]+)", told.stdout)[0])
        return Load(rate, _seconds(found["50"]), _seconds(found["99"]), (self.cpu() - before) / max(count, 1))

    def url(self, path: str) -> str:
        """An address of the server."""
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu(self) -> float:
        """Seconds of processor time so far, with those of the processes that it started."""
        told = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in _family(self.pid)]
        return sum(int(each[11]) + int(each[12]) for each in told) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, float]:
        """Megabytes: ``rss`` resident, ``pss`` shared pages by share, ``uss`` its own alone, ``peak`` resident so far.

        With the processes that it started, which write its audit log or are its workers."""
        found = {"rss": 0.0, "pss": 0.0, "uss": 0.0, "peak": 0.0}
        for pid in _family(self.pid):
            told = Path(f"/proc/{pid}/smaps_rollup").read_text() + Path(f"/proc/{pid}/status").read_text()
            kb = {name: int(n) for name, n in re.findall(r"^(\w+):\s+([0-9]+) kB", told, re.MULTILINE)}
            own = kb["Private_Clean"] + kb["Private_Dirty"]
            for name, n in zip(found, (kb["Rss"], kb["Pss"], own, kb["VmHWM"]), strict=True):
                found[name] += n / 1024
        return found


def _family(pid: int) -> list[int]:
    """A process and those that it and its threads started."""
    told = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *(found for child in told.split() for found in _family(int(child)))]


def _seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([mu]?s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"s": 1.0, "ms": 1e-3, "us": 1e-6}[unit]


@contextmanager
def serving(words: list[str], ready: str, home: Path | None = None) -> Iterator[Server]:
    """A server process on a free port (``{port}`` in its words) until it answers ``ready``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, **({"PERMU_HOME": str(home)} if home else {})}
    process = subprocess.Popen(
        [w.format(port=port) for w in words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        server = Server(process.pid, port)
        for _ in range(600):
            try:
                with urllib.request.urlopen(server.url(ready), timeout=30):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"bench: {' '.join(words)} does not answer {ready}")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def uvicorn(*words: str) -> list[str]:
    """One worker as ``permu serve`` runs it."""
    return [sys.executable, "-m", "uvicorn", "--port", "{port}", "--log-level", "error", *words]


def check(server: Server, asked: list[world.Question], board: world.Board) -> None:
    """SystemExit unless the server and DuckDB name the same enterprises for each question."""
    for question in asked:
        with urllib.request.urlopen(server.url(world.address(question)), timeout=30) as answer:
            ours = [row["enterprise_id"] for row in json.load(answer)["rows"]]
        if ours != (theirs := world.ids_by_query(board, question)):
            raise SystemExit(f"bench serve: {question}: {ours[:3]}… where DuckDB says {theirs[:3]}…")


def _line(name: str, engine: str, load: Load, mark: float | None, server: Server, of: str = "rate") -> Line:
    """A row: seconds per thousand requests (or the 99th per cent), resident memory; the load's figures as text."""
    told = f"{name} {engine}: {load.rate:.0f}/s, p50 {load.p50 * 1e3:.1f} ms, p99 {load.p99 * 1e3:.1f} ms"
    print(f"{told}, {load.cpu * 1e6:.0f} µs of processor a request", flush=True)
    seconds = 1000 / load.rate if of == "rate" else load.p99
    ratio = None if mark is None else round(seconds / mark, 2)
    return Line(name, SIZE, engine, round(seconds, 3), round(server.memory()["peak"]), ratio, None)


def _median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(getattr(one, field) for one in loads) for field in Load.__dataclass_fields__))


def _bench(run: Callable[[], list[Line]]) -> Callable[[], list[Line]]:
    def found() -> list[Line]:
        if shutil.which("wrk") is None:
            print(_LEFT_OUT, flush=True)
            return []
        return run()

    return found


@_bench
def serve_page() -> list[Line]:
    """Pages of 20, every address another question: at least 60 % of hello's rate (ratio ≤ 1.67), p99 ≤ 20 ms."""
    warehouse, board = world.world()
    questions = world.pages(board, PAGES)
    paths = [world.address(asked) for asked in questions]
    with (
        serving(uvicorn("tests.bench.hello:app"), "/hello") as hello,
        serving(uvicorn(*_FACTORY), "/readyz", warehouse.home) as ours,
    ):
        check(ours, [asked for asked in questions if "cursor" not in asked][:25], board)
        cold = ours.load(paths, 16)
        turns = [(hello.load(["/hello"], 16), ours.load(paths, 16)) for _ in range(3)]
        theirs, warm = _median([h for h, _ in turns]), _median([o for _, o in turns])
        mark = 1000 / theirs.rate
        found = [
            _line("serve_page", "permu", warm, mark, ours),
            _line("serve_page_p99", "permu", warm, 0.02, ours, of="p99"),
            _line("serve_page", "permu_cold", cold, mark, ours),
            _line("serve_page", "hello", theirs, mark, hello),
        ]
    return found + _datasette(board, mark)


def _datasette(board: world.Board, mark: float) -> list[Line]:
    """datasette over the same rows with an index for what is asked, 16 connections."""
    with tempfile.TemporaryDirectory() as folder:
        words = datasette_command(board, Path(folder) / "rankings.db")
        if words is None:
            return []
        with serving(words, "/-/versions.json") as server:
            load = server.load(datasette_asked(board, 500), 16, 2 * SECONDS)
            if load.rate:
                return [_line("serve_page", "datasette", load, mark, server)]
            print("serve_page: datasette answered nothing in the time", flush=True)
            return []


@_bench
def serve_filters() -> list[Line]:
    """Any combination of filters at 4 connections: the 99th per cent against 100 ms."""
    warehouse, board = world.world()
    questions = world.filters(board, FILTERS)
    with serving(uvicorn(*_FACTORY), "/readyz", warehouse.home) as ours:
        check(ours, questions[:25], board)
        load = ours.load([world.address(asked) for asked in questions], 4, 4 * SECONDS)
        return [_line("serve_filters", "permu", load, 0.1, ours, of="p99")]


def serve_bottom() -> list[Line]:
    """The bottom 5 % of everybody as XLSX out of a server: seconds to the first byte (at most 1) and to the last where it
    was asked before, and to the last where it is made."""
    import fastexcel

    warehouse, _ = world.world()
    first, last = [], []
    with serving(uvicorn(*_FACTORY), "/readyz", warehouse.home) as ours:
        path = "/api/v1/rankings/bottom?percent=5&format=xlsx"
        for _ in range(4):
            begun = time.perf_counter()
            with urllib.request.urlopen(ours.url(path), timeout=120) as answer:
                body = answer.read(1)
                first.append(time.perf_counter() - begun)
                body += answer.read()
                last.append(time.perf_counter() - begun)
        page = fastexcel.read_excel(body).load_sheet(0, header_row=None, skip_rows=6).to_polars()
        ranked = json.load(urllib.request.urlopen(ours.url("/api/v1/rankings?limit=1"), timeout=30))["of"]
        if abs(page.height - ranked * 0.05) > 0.001 * ranked:  # ties at the line stay together
            raise SystemExit(f"bench serve_bottom: {page.height} rows of {ranked} ranked are not the bottom 5 %")
        peak = round(ours.memory()["peak"])
    told = ", ".join(f"{one:.2f}" for one in last)
    print(f"serve_bottom: {page.height} rows × {page.width}, {len(body) / 1e6:.1f} MB, in turn {told} s", flush=True)
    found = {"first_byte": statistics.median(first[1:]), "permu": statistics.median(last[1:]), "made": last[0]}
    return [
        Line(
            "serve_bottom",
            page.height,
            name,
            round(each, 3),
            peak,
            round(each, 2) if name == "first_byte" else None,
            None,
        )
        for name, each in found.items()
    ]


@_bench
def serve_memory() -> list[Line]:
    """Resident memory of a worker after pages, filters and files, and its peak: at most 500 MB (the ratio)."""
    warehouse, board = world.world()
    with serving(uvicorn(*_FACTORY), "/readyz", warehouse.home) as ours:
        ours.load([world.address(asked) for asked in world.pages(board, PAGES)], 16)
        ours.load([world.address(asked) for asked in world.filters(board, FILTERS)], 4)
        for by in world.METRICS:
            path = f"/api/v1/rankings/bottom?percent=5&by={by}&format=xlsx"
            with urllib.request.urlopen(ours.url(path), timeout=120) as answer:
                answer.read()
        time.sleep(3)  # what is given back is given back by then
        found = ours.memory()
    print("serve_memory: " + ", ".join(f"{name} {mb:.0f} MB" for name, mb in found.items()), flush=True)
    return [Line("serve_memory", SIZE, "permu", 0.0, round(found["rss"]), round(found["rss"] / 500, 2), None)]
