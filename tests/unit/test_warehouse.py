"""The warehouse: one writer who is named, staging that leaves nothing, settling, and errors in two languages."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.schema.errors import PermuError, language
from engine.schema.warehouse import Warehouse, now, settle

_HOLD = """
import sys, time
from pathlib import Path
from engine.schema.warehouse import Warehouse
with Warehouse(Path(sys.argv[1])).lock("ingest of a test"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(home: Warehouse, checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home.home)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_lock_names_its_holder_and_its_age(home: Warehouse, holder: subprocess.Popen[str]) -> None:
    lock = home.home / "lock"
    told = json.loads(lock.read_text())
    lock.write_text(json.dumps(told | {"since": time.time() - 125}))
    with pytest.raises(PermuError) as caught, home.lock("merge 2024"):
        raise AssertionError("two writers")
    error = caught.value
    assert error.code == "warehouse_busy"
    for text in (error.en, error.zh):
        assert f"ingest of a test (pid {holder.pid}, " in text
        seconds = re.search(r"(\d+) (?:s\b|秒)", text)
        assert seconds and 125 <= int(seconds.group(1)) <= 135


def test_a_dead_holder_holds_nothing(home: Warehouse, holder: subprocess.Popen[str]) -> None:
    left = home.tmp / "half"
    left.mkdir()
    (left / "part.parquet").write_text("half")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with home.lock("merge 2024"):
        assert list(home.tmp.iterdir()) == []
        assert json.loads((home.home / "lock").read_text())["action"] == "merge 2024"


def test_a_waiting_writer_does_not_sweep_what_the_holder_builds(home: Warehouse) -> None:
    with home.lock("one"), home.staging() as folder:
        (folder / "x").touch()
        with pytest.raises(PermuError), home.lock("two"):
            pass
        assert (folder / "x").exists()
    assert not folder.exists()


def test_the_lock_is_free_after_an_error(home: Warehouse) -> None:
    with pytest.raises(ValueError, match="x"), home.lock("one"):
        raise ValueError("x")
    with home.lock("two"):
        pass


def test_staging_is_cleaned_on_success_and_on_failure(home: Warehouse) -> None:
    with home.staging() as one:
        (one / "a").mkdir()
    with pytest.raises(KeyError), home.staging() as two:
        (two / "b").touch()
        raise KeyError
    assert one != two and list(home.tmp.iterdir()) == []


def test_settle_moves_a_whole_folder(home: Warehouse) -> None:
    place = home.merged / "m1"
    for content in ("old", "new"):
        with home.staging() as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / "f").write_text(content)
            if content == "new":
                (folder / "more").touch()
            settle(folder, place)
        assert (place / "sub" / "f").read_text() == content
    assert (place / "more").exists() and list(home.tmp.iterdir()) == []


def test_settle_replaces_a_file(home: Warehouse) -> None:
    place = home.refused / "gas" / "x.parquet"
    for content in ("old", "new"):
        with home.staging() as folder:
            (folder / "f").write_text(content)
            settle(folder / "f", place)
        assert place.read_text() == content


def test_a_transaction_is_all_or_nothing(home: Warehouse) -> None:
    def audit() -> int:
        with home.read() as db:
            return int(db.execute("SELECT count(*) FROM audit").fetchone()[0])

    with home.connect() as db:
        db.execute("INSERT INTO audit VALUES ('t', 'w', 'a', 'd')")
    with pytest.raises(ZeroDivisionError), home.connect() as db:
        db.execute("INSERT INTO audit VALUES ('t', 'w', 'b', 'd')")
        raise ZeroDivisionError
    assert audit() == 1


def test_readers_do_not_wait_for_a_writer_and_cannot_write(home: Warehouse) -> None:
    with home.connect() as db:
        db.execute("INSERT INTO audit VALUES ('t', 'w', 'a', 'd')")
    with home.connect() as writer:
        writer.execute("INSERT INTO audit VALUES ('t', 'w', 'b', 'd')")
        begun = time.monotonic()
        with home.read() as reader:
            assert reader.execute("SELECT count(*) FROM audit").fetchone()[0] == 1
        assert time.monotonic() - begun < 5
    with home.read() as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM audit")


def test_what_was_received_is_for_its_owner_only(home: Warehouse) -> None:
    assert home.loads.stat().st_mode & 0o777 == 0o700


def test_where_a_warehouse_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PERMU_HOME", raising=False)
    assert Warehouse.locate().home == tmp_path / "data" / "warehouse"
    monkeypatch.setenv("PERMU_HOME", str(tmp_path / "other"))
    assert Warehouse.locate().home == tmp_path / "other"
    assert Warehouse.locate(tmp_path / "named").home == tmp_path / "named"
    assert list(tmp_path.iterdir()) == [], "to look is not to make"


def test_no_warehouse_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PermuError, match="permu ingest PATH") as caught:
        Warehouse(tmp_path / "none").require()
    assert caught.value.code == "no_warehouse" and str(tmp_path / "none") in caught.value.zh


def test_moments_never_tie() -> None:
    moments = [now() for _ in range(50)]
    assert moments == sorted(moments) and all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", m) for m in moments
    )


# --- languages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "spoken"), [("zh", "zh"), ("EN", "en"), ("en", "en"), ("Zh", "zh")])
def test_permu_lang_decides(monkeypatch: pytest.MonkeyPatch, asked: str, spoken: str) -> None:
    monkeypatch.setenv("PERMU_LANG", asked)
    error = PermuError("x", "in English", "中文")
    assert language() == spoken and str(error) == {"en": "in English", "zh": "中文"}[spoken]
    assert (error.text("en"), error.text("zh")) == ("in English", "中文")


@pytest.mark.parametrize(
    ("place", "spoken"),
    [("zh_CN", "zh"), ("zh_TW", "zh"), ("de_DE", "en"), (None, "en"), ("Chinese (Simplified)_China", "zh")],
)
def test_else_the_locale_decides(monkeypatch: pytest.MonkeyPatch, place: str | None, spoken: str) -> None:
    monkeypatch.setenv("PERMU_LANG", "fr")
    monkeypatch.setattr("locale.getlocale", lambda _: (place, "UTF-8"))
    assert language() == spoken


def test_an_error_keeps_what_programs_need() -> None:
    error = PermuError("bad_row", "e", "z", row=7)
    assert (error.code, error.details) == ("bad_row", {"row": 7})
