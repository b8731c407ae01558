"""What large files need: cut in pieces, spilled to disk, copied meanwhile, without a change of the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest import raw, unique
from ingest.declared import sources
from ingest.load import ingest
from ingest.read import delimited, transcode

LINES = ["户号,户名,月份,用电量（千瓦时）", *(f"{n:06d},示例{n}号厂,2024-{n % 12 + 1:02d},{n}.5" for n in range(500))]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a few kilobytes were gigabytes."""
    monkeypatch.setattr(transcode, "_WORTH", 2_000)
    monkeypatch.setattr(transcode, "_CHUNK", 37)
    monkeypatch.setattr(transcode.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(unique, "_HELD", 100)
    monkeypatch.setattr(unique, "_AT_ONCE", 7)
    monkeypatch.setattr(raw, "_LARGE", 1)
    monkeypatch.setattr(raw, "_STEP", 4096)


@pytest.mark.parametrize("encoding", ["gb18030", "cp1252", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_pieces_rewritten_by_processes_are_the_whole(
    tmp_path: Path, small_steps: None, encoding: str, ending: str
) -> None:
    text = ending.join(LINES if encoding != "cp1252" else ["é,ü,ñ"] * 1200) + ending
    path = tmp_path / "f.csv"
    path.write_bytes(text.encode(encoding))
    (one,) = transcode.as_utf8(path, encoding, tmp_path, whole=True)
    assert one.read_bytes().decode() == text
    pieces = transcode.as_utf8(path, encoding, tmp_path, whole=False)
    assert len(pieces) == (1 if encoding == "utf-16" else 4)
    assert b"".join(p.read_bytes() for p in pieces).decode() == text


def test_a_piece_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path, small_steps: None) -> None:
    path = tmp_path / "f.csv"
    path.write_text("\n".join(LINES), encoding="gb18030")
    (tmp_path / "utf8.2").mkdir()
    with pytest.raises(OSError, match=r"directory"):
        transcode.as_utf8(path, "gb18030", tmp_path, whole=False)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rows_keep_their_numbers_and_repeats_are_found_on_disk(
    home: Warehouse, tmp_path: Path, small_steps: None, encoding: str
) -> None:
    again = [LINES[n] for n in range(1, 40)]
    other = [line.replace(".5", ".75") for line in LINES[100:120]]
    path = tmp_path / "用电.csv"
    path.write_text("\n".join([*LINES, *again, *other]) + "\n", encoding=encoding)
    (report,) = ingest(home, [path], source="power", year=2024)
    assert report.reasons == {"duplicate_row": 39, "conflicting_row": 20}
    table = pl.read_parquet(home.canonical / "power" / report.load_id / "usage.parquet", glob=False)
    assert table["row"].to_list() == list(range(2, 502))
    assert table["account"].to_list() == [line[:6] for line in LINES[1:]]
    kept = home.loads / report.load_id / path.name
    assert kept.read_bytes() == path.read_bytes()


def test_against_an_older_load_on_disk(home: Warehouse, tmp_path: Path, small_steps: None) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    changed = [line.replace(".5", ".75") for line in LINES[200:260]]
    second.write_text("\n".join([LINES[0], *LINES[1:150], *changed]) + "\n", encoding="utf-8")
    (old,) = ingest(home, [first], source="power", year=2024)
    (new,) = ingest(home, [second], source="power", year=2024, accept_shrink=True)
    assert (new.reasons, new.replaced) == ({"duplicate_row": 149}, 60)
    place = home.canonical / "power" / old.load_id / "usage.superseded.parquet"
    assert sorted(pl.read_parquet(place, glob=False)["row"]) == list(range(201, 261))


def test_hashes_in_parts_are_all_hashes(tmp_path: Path, small_steps: None) -> None:
    table = sources()["power"].tables["usage"]
    keys = unique.Keys(table, tmp_path / "keys")
    days = pl.Series([None, *([None] * 999)], dtype=pl.Int32)
    rows = pl.DataFrame({"record_key": [f"account:{n % 700}" for n in range(1000)], "period": 202401, "day": days})
    for part in rows.iter_slices(90):
        keys.add(part)
    keys.add(rows.head(50).with_columns(day=pl.lit(3, dtype=pl.Int32)))
    for daily, distinct in ((False, 700), (True, 750)):
        whole = np.concatenate(list(keys.parts(daily)))
        assert len(whole) == 1050
        assert len(np.unique(whole)) == distinct


def test_an_endless_line_is_refused_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 1 << 20)
    path = tmp_path / "用电.csv"
    path.write_bytes(("\n".join(LINES) + "\n" + "甲" * 1_500_000).encode())
    with pytest.raises(PermuError, match="a line is longer"):
        ingest(Warehouse(tmp_path / "home"), [path], source="power", year=2024)


def test_a_copy_that_fails_is_told(tmp_path: Path) -> None:
    with raw.copied_meanwhile(tmp_path / "raw", tmp_path / "gone.csv") as copy, pytest.raises(FileNotFoundError):
        copy.result()
    assert not any((tmp_path / "raw").iterdir())
