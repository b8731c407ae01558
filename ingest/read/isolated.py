"""Files whose readers a damaged file can crash or send round in circles (old binary workbooks, map layers) are read in a
process of their own. It is stopped after a time, held to a memory limit, and says nothing on the terminal.

It is started once and serves every such file of a run; the rows come back batch by batch as Arrow files in a temporary
folder, which are mapped, not held.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from engine.schema.errors import PermuError
from ingest.read.sheet import SAMPLE_ROWS, Sheet, holding, telling, unreadable

_SECONDS = 20  # and one more for each megabyte
_STARTING = 120  # what a busy machine may need until the process stands, which is no fault of a file
_MEMORY = 6 << 30  # of address space; what is really used stays far below
_TOLD = ("name", "kind", "header", "first", "rows", "cut_headers", "notes")


class _Reader:
    """The other process; started when first needed, again after it died or was stopped."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        atexit.register(self.stop)

    def ask(self, path: Path, kind: str, crs: str | None, folder: str) -> dict[str, Any] | None:
        """Its answer; None where it died or did not end."""
        patience = _SECONDS + (_size(path) >> 20)
        question = [str(path.absolute()), kind, crs, folder, patience]
        with self._lock:
            child = self._child or self._start()
            assert child.stdin and child.stdout
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(json.dumps(question) + "\n")
                child.stdin.flush()
            ready, _, _ = select.select([child.stdout], [], [], patience)
            line = child.stdout.readline() if ready else ""
            if not line:
                self.stop()
                return None
            answer: dict[str, Any] = json.loads(line)
            return answer

    def _start(self) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "POLARS_MAX_THREADS": "1"}
        command = [sys.executable, "-P", "-m", "ingest.read.isolated"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        child = subprocess.Popen(command, text=True, env=env, **pipes)  # type: ignore[call-overload]
        self._child = child
        ready, _, _ = select.select([child.stdout], [], [], _STARTING)
        if ready:
            child.stdout.readline()
        return child

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


_reader = _Reader()


def open_sheets(path: Path, kind: str, crs: str | None = None) -> list[Sheet]:
    """The sheets of an old binary workbook (``old excel``) or the layers of a map file (``spatial``).

    Raises:
        PermuError: ``unreadable_file``, ``no_crs``: as the kind's own reader says, or reading it does not end.
    """
    folder = tempfile.TemporaryDirectory(prefix="permu-")
    answer = _reader.ask(path, kind, crs, folder.name)
    if answer is None:
        raise unreadable(path, "it is damaged: its reader fails or finds no end", "文件已损坏，无法读完")
    if "code" in answer:
        texts = [text.replace(str(path.absolute()), str(path)) for text in (answer["en"], answer["zh"])]
        raise PermuError(answer["code"], texts[0], texts[1], path=str(path))
    return holding([_sheet(Path(folder.name) / f"{i}.arrow", told) for i, told in enumerate(answer["sheets"])], folder)


def _size(path: Path) -> int:
    return sum(f.stat().st_size for f in path.iterdir()) if path.is_dir() else path.stat().st_size


def _sheet(file: Path, told: dict[str, Any]) -> Sheet:
    def read() -> Iterator[pl.DataFrame]:
        with pa.memory_map(str(file)) as mapped, pa.ipc.open_file(mapped) as cells:
            for i in range(cells.num_record_batches):
                frame = pl.from_arrow(cells.get_batch(i))
                assert isinstance(frame, pl.DataFrame)
                yield frame

    with pa.memory_map(str(file)) as mapped, pa.ipc.open_file(mapped) as cells:
        empty = pl.from_arrow(cells.schema.empty_table())
    assert isinstance(empty, pl.DataFrame)
    return Sheet(sample=next(read(), empty).head(SAMPLE_ROWS), read=read, **told)


# --- the other process -----------------------------------------------------------------------------------------


def _answer(path: Path, kind: str, crs: str | None, folder: Path) -> dict[str, Any]:
    from ingest.read import excel, spatial

    try:
        with telling(path):
            sheets = spatial.open_sheets(path, crs) if kind == "spatial" else excel.open_sheets(path)
            for i, sheet in enumerate(sheets):
                _write(sheet, folder / f"{i}.arrow")
            return {"sheets": [{name: getattr(sheet, name) for name in _TOLD} for sheet in sheets]}
    except PermuError as error:
        return {"code": error.code, "en": error.en, "zh": error.zh}


def _write(sheet: Sheet, target: Path) -> None:
    schema = sheet.sample.to_arrow().schema
    with pa.OSFile(str(target), "wb") as out, pa.ipc.new_file(out, schema) as writer:
        for cells in sheet.read():
            writer.write_table(cells.to_arrow().cast(schema))


def main() -> None:
    """Answer for every line [path, kind, crs, folder, seconds] on stdin; ends with it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Answers go where nothing else can print.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from ingest.read import excel, spatial  # noqa: F401 - loaded before a file's time begins

    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        path, kind, crs, folder, seconds = json.loads(line)
        # Should the asking process be gone when a reader runs in circles, the alarm ends this one.
        signal.alarm(seconds + 5)
        print(json.dumps(_answer(Path(path), kind, crs, Path(folder))), file=answers, flush=True)
        signal.alarm(0)


if __name__ == "__main__":
    main()
