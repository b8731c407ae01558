"""The prepared files of a release: its own, else those made beside it when it is first served."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.schema.errors import PermuError
from engine.served.index import Served
from engine.served.layout import FOLDER, INDEX, VERSION
from engine.served.prepare import prepare

FEW = 50_000  # rows that are made within this process: half a second, tens of megabytes


def held(folder: Path) -> Served | None:
    """What a folder holds, None where it is not there, of another version or not whole."""
    if not (folder / INDEX).is_file():
        return None
    try:
        return Served(folder)
    except (OSError, ValueError, KeyError):
        return None


def place_of(rankings_sha256: str, cache: Path) -> Path:
    """Where the files of these rankings are made."""
    return cache / f"{FOLDER}-{VERSION}-{rankings_sha256[:12]}"


def is_ready(release: Path, rankings_sha256: str, cache: Path) -> bool:
    """Whether files were made (not yet whether they are whole): a look or two, nothing is read."""
    return any((folder / INDEX).is_file() for folder in (place_of(rankings_sha256, cache), release / FOLDER))


def found(release: Path, manifest: dict[str, Any], cache: Path) -> Served | None:
    """The prepared files of the release in ``release``; None where they were not made."""
    return held(release / FOLDER) or held(place_of(str(manifest.get("rankings_sha256", "")), cache))


def ready(release: Path, manifest: dict[str, Any], cache: Path) -> Served | None:
    """The prepared files of the release in ``release``; made once under ``cache`` where it came without.

    A process of its own makes those of a large release, so that a server does not keep the memory of it; others wait
    at the lock.
    None where nothing can be made there: the release is then served from its table in memory.
    """
    there = found(release, manifest, cache)
    if there is not None or not manifest.get("metrics"):
        return there
    place = place_of(str(manifest.get("rankings_sha256", "")), cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{FOLDER}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return held(place) or _made(release, place)
    except OSError:
        return None


def _made(release: Path, place: Path) -> Served | None:
    part = place.with_name(f".{place.name}.part")
    for stale in (part, place):
        shutil.rmtree(stale, ignore_errors=True)
    try:
        if pq.read_metadata(release / "rankings.parquet").num_rows <= FEW:
            make(release, part)
        else:
            subprocess.run([sys.executable, "-m", "engine.served", str(release), str(part)], check=True)
    except (OSError, subprocess.CalledProcessError, pa.ArrowException, pl.exceptions.PolarsError, PermuError):
        return None
    part.rename(place)
    _forget_older(place)
    return held(place)


def _forget_older(place: Path) -> None:
    """Take away what earlier versions of the program made of the release: no later one reads it."""
    for other in (*place.parent.glob(f"{FOLDER}-*"), *place.parent.glob(f".{FOLDER}-*.part")):
        version = other.name.split("-")[1]
        if version.isdecimal() and int(version) < VERSION:
            shutil.rmtree(other, ignore_errors=True)


def make(release: Path, folder: Path) -> None:
    """Write the prepared files of a release folder."""
    rankings = pl.read_parquet(release / "rankings.parquet", glob=False).sort("enterprise_id")
    prepare(rankings, orjson.loads((release / "manifest.json").read_bytes()), folder)
