"""Run one command again and again, killed with SIGKILL at its first, second, third … step, and check what is left.

``python -m tests.e2e.killed FOLDER SCENARIO`` is a process of its own, so that it can fork before any thread runs.
A step is every file that Python opens, renames, makes or removes in the warehouse, every fsync and every SQL
statement. After each kill the warehouse must stand as after some number of whole loads; then the command runs again
to its end, and everything must be as if it had never been killed. Prints the number of steps.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.ma  # noqa: F401  (numpy brings it when first used; here, so that no forked process brings it again)

from engine.schema.warehouse import Warehouse
from ingest.canonical import Year
from ingest.declared import find_source
from ingest.load import ingest
from ingest.refused import NOW, export
from ingest.replay import replay

A, B, C = "91110108551385082Q", "91110000600037341L", "91310112087994932F"
HEAD = "纳税人识别号,纳税人名称,所属期,增值税\n"
_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate", "shutil.copyfile",
           "shutil.rmtree", "sqlite3.connect", "os.chmod")  # fmt: skip


def prepare(folder: Path) -> None:
    """A warehouse with two loads; files that replace one of them whole, replace rows of the other, and add rows."""
    home = Warehouse(folder / "base").create()
    for name, text in {
        "old/a.csv": f"{A},甲,202401,1\n{B},乙,202401,很多\n",
        "old/b.csv": f"{A},甲,202402,1\n{B},乙,202402,1\n",
        "new/a.csv": f"{A},甲,202401,2\n{B},乙,202401,三\n",
        "new/c.csv": f"{A},甲,202402,5\n{B},乙,202402,1\n{C},丙,202402,7\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(HEAD + text, "utf-8")
    ingest(home, [folder / "old"], source="state_tax", accept_shrink=True)
    export(home, folder / "refused.xlsx")
    _correct(folder / "refused.xlsx")


def _correct(path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(path)
    sheet = book["state_tax.payment"]
    at = [c.value for c in sheet[1]].index(NOW + "vat_fen") + 1
    sheet.cell(3, at).value = "9"
    book.save(path)


SCENARIOS: dict[str, Callable[[Warehouse, Path], Any]] = {
    "ingest": lambda home, folder: ingest(home, [folder / "new"], source="state_tax", accept_shrink=True),
    "replay": lambda home, folder: replay(home, folder / "refused.xlsx"),
    "first": lambda home, folder: ingest(home, [folder / "old"], source="state_tax", accept_shrink=True),
}


def state(home: Warehouse) -> list[Any]:
    """What counts in the warehouse: loads, rows, and that each load is whole."""
    import polars as pl

    if not home.ledger.is_file():
        return []
    with home.read() as db:
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = db.execute("SELECT * FROM loads ORDER BY load_id").fetchall() if "loads" in tables else []
    for row in rows:
        folder = home.canonical / row["source"] / row["load_id"]
        files = [f for f in folder.glob("*.parquet") if not f.name.endswith(".superseded.parquet")]
        assert sum(pl.read_parquet(f, glob=False).height for f in files) == row["kept"], row["load_id"]
        refused = pl.read_parquet(home.refused / row["source"] / f"{row['load_id']}.parquet", glob=False)
        assert refused.height == row["refused"]
        assert (home.loads / row["load_id"] / Path(row["file"]).name).is_file()
    if not rows:
        return []
    counting = Year(home, 2024).scan("state_tax", "payment").select("record_key", "period", "vat_fen").collect()  # type: ignore[union-attr]
    return [[r["load_id"], r["superseded_by"]] for r in rows] + [sorted(map(str, counting.rows()))]


def _child(work: Callable[[], Any]) -> tuple[int, Any]:
    """Run ``work`` in a forked process: (exit status, its answer)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        code = 1
        try:
            os.write(writer, json.dumps(work(), default=str).encode())
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    return status, json.loads(text) if text else None


def _die_at(step: int, home: Path) -> None:
    """From now on count steps, and kill this process at the given one."""
    left = [step]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in _EVENTS and any(str(home) in str(a) for a in args):
            count()

    real_sync, real_connect = os.fsync, sqlite3.connect

    def sync(fd: int) -> None:
        count()
        real_sync(fd)
        count()

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        db = real_connect(*args, **options)
        db.set_trace_callback(count)
        return db

    os.fsync, sqlite3.connect = sync, connect  # type: ignore[assignment]
    sys.addaudithook(watch)


def run(folder: Path, scenario: str) -> int:
    """Kill at every step; the number of steps that the command has."""
    command = SCENARIOS[scenario]
    find_source("state_tax")  # the declarations are read once, before anything is forked
    assert _child(lambda: prepare(folder))[0] == 0
    start = folder / ("empty" if scenario == "first" else "base")
    start.mkdir(exist_ok=True)
    whole = _wholes(folder, start, command)
    for step in range(1, 10_000):
        home = Warehouse(_copy(start, folder / "killed"))

        def work(step: int = step, home: Warehouse = home) -> int:
            _die_at(step, home.home)
            command(home, folder)
            return step

        status, _ = _child(work)
        if status == 0:
            return step - 1
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (step, status)

        def again(home: Warehouse = home) -> list[list[Any]]:
            left = state(home)
            command(home, folder)
            return [left, state(home)]

        _, (left, done) = _child(again)
        assert left in whole, (step, left)
        assert done == whole[-1], (step, done)
        assert not list(home.tmp.iterdir()), step
    raise AssertionError("it never ends")


def _wholes(folder: Path, start: Path, command: Callable[[Warehouse, Path], Any]) -> list[list[Any]]:
    """The states that may be seen: before, after each load of the command, after the last."""
    import ingest.load
    import ingest.store

    home = Warehouse(_copy(start, folder / "whole"))

    def work() -> list[list[Any]]:
        seen = [state(home)]
        real = ingest.store.publish

        def publish(*args: Any) -> None:
            real(*args)
            seen.append(state(home))

        ingest.load.publish = publish
        command(home, folder)
        return seen

    status, seen = _child(work)
    assert status == 0 and len(seen) > 1
    found: list[list[Any]] = seen
    return found


def _copy(start: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(start, to))


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), sys.argv[2]))
