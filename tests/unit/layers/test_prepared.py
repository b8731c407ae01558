"""Prepared files: made once however many ask, whole or not at all, beside the release and no part of it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.layers import Limits, geojson, prepared
from engine.layers.prepared import FORMS, counted, folder_of, held, prepare, prepare_all
from engine.ranking.run import stored_sha256
from engine.releases import Release, open_release
from engine.schema.errors import PermuError


@pytest.fixture
def release(sunan: Release, tmp_path: Path) -> Release:
    shutil.copytree(sunan.folder, tmp_path / sunan.id)
    shutil.rmtree(tmp_path / sunan.id / "layers", ignore_errors=True)
    return open_release(tmp_path / sunan.id)


def test_everything_that_is_asked_first(release: Release) -> None:
    before = stored_sha256(release)
    said: list[str] = []
    files = prepare_all(release, said.append)
    assert [f.name for f in files] == said and len(files) == 10 and all(f.is_file() for f in files)
    assert stored_sha256(open_release(release.folder)) == before
    assert counted(release, "parcels")["features"] == release.table("parcels").collect().height
    plain = folder_of(release) / "idle.geojson"
    assert plain.read_bytes() == geojson(release, "idle")
    assert gzip.decompress(plain.with_name("idle.geojson.gz").read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize("ending", list(FORMS))
def test_each_ending(release: Release, ending: str) -> None:
    assert held(release, "low_efficiency", ending) is None
    place = prepare(release, "low_efficiency", ending)
    assert place.name == f"low_efficiency.{ending}" and held(release, "low_efficiency", ending) == place
    stamp = place.stat().st_mtime_ns
    assert prepare(release, "low_efficiency", ending) == place and place.stat().st_mtime_ns == stamp


def test_many_ask_and_one_makes(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real, both = prepared._make, threading.Barrier(6)

    def counting(*given: object) -> None:
        made.append("x")
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(prepared, "_make", counting)

    def ask(_: int) -> Path:
        both.wait()
        return prepare(release, "idle", "geojson")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1
    assert made == ["x"]


def test_a_process_killed_while_it_makes_leaves_nothing_in_the_way(release: Release) -> None:
    code = (
        "import os, sys, signal\nfrom pathlib import Path\nfrom engine.layers import prepared\n"
        "from engine.releases import open_release\n"
        "def die(release, layer, ending, place, limits):\n"
        "    place.write_bytes(b'half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "prepared._make = die\nprepared.prepare(open_release(Path(sys.argv[1])), 'idle', 'geojson')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, str(release.folder)], env=environment, check=False)
    assert done.returncode == -9 and held(release, "idle", "geojson") is None
    assert list(folder_of(release).glob(".part-*"))
    assert json.loads(prepare(release, "idle", "geojson").read_bytes())["features"]
    assert not list(folder_of(release).glob(".part-*"))


def test_each_view_has_a_folder_of_its_own(release: Release) -> None:
    keys = ["all", "gis", "land_bureau/3205", "land_bureau/3206", "land_bureau_3205", "enterprise@E1", "../x"]
    folders = {folder_of(release, Limits(key)) for key in keys}
    assert len(folders) == len(keys) and all(f.parent == folder_of(release).parent for f in folders)


def test_where_nothing_may_be_written_it_is_said(release: Release) -> None:
    (release.folder / "layers").write_text("in the way")
    with pytest.raises(PermuError) as error:
        prepare(release, "idle", "geojson")
    assert error.value.code == "cannot_prepare" and "writable" in error.value.en
