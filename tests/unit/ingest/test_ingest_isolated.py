"""Readers in a process of their own: one that hangs or dies costs the file, not the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema.errors import PermuError
from ingest.read import isolated, open_file
from tests.unit.ingest import seeds


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> isolated._Reader:
    fresh = isolated._Reader()
    monkeypatch.setattr(isolated, "_reader", fresh)
    monkeypatch.setattr(isolated, "_SECONDS", 3)
    return fresh


def layer(folder: Path, name: str = "a.geojson") -> Path:
    path = folder / name
    seeds.SEEDS[name](path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(PermuError) as error:
        open_file(path)
    assert error.value.code == "unreadable_file"
    return error.value.en


def child_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str) -> None:
    """A reader of layers that does something else in the other process only."""
    module = "import os, time\nfrom ingest.read import spatial\n"
    (tmp_path / "sitecustomize.py").write_text(f"{module}spatial.open_sheets = lambda path, crs: {does}\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("does", ["os.abort()", "time.sleep(60)", "os._exit(0)", "bytearray(1 << 40)", "1 / 0"])
def test_a_reader_that_fails_costs_the_file_only(
    reader: isolated._Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    path = layer(tmp_path)
    with monkeypatch.context() as patch:
        child_that(patch, tmp_path, does)
        assert "a.geojson: not readable" in refused(path)
    reader.stop()
    assert [s.rows for s in open_file(path)] == [seeds.ROWS]


def test_one_process_serves_many_files(reader: isolated._Reader, tmp_path: Path) -> None:
    for name in ("a.geojson", "a.gpkg", "a.fgb"):
        assert [s.rows for s in open_file(layer(tmp_path, name))] == [seeds.ROWS]
        first = reader._child
    assert reader._child is first
    reader.stop()


def test_modules_of_the_current_folder_are_not_run(
    reader: isolated._Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = layer(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit(3)\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert [s.rows for s in open_file(path)] == [seeds.ROWS]
    reader.stop()
