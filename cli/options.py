"""Options that every command shares, and how results are printed: JSON for programs, text and tables for people."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from engine.schema.errors import PermuError, language
from engine.schema.warehouse import Warehouse
from ingest.declared import adopt

Home = Annotated[
    Path | None, typer.Option("--home", help="The warehouse folder (else PERMU_HOME, else data/warehouse).")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]
Year = Annotated[int, typer.Option("--year", min=1949, max=2100, help="The year.")]
MaybeYear = Annotated[int | None, typer.Option("--year", min=1949, max=2100, help="The year.")]
Policy = Annotated[str, typer.Option("--policy", help="A policy id, or a policy file (.yaml).")]
MaybePolicy = Annotated[str | None, typer.Option("--policy", help="A policy id (default sunan-2017).")]
ReleaseId = Annotated[
    str | None, typer.Option("--release", help="A release id (else the newest of --year and --policy).")
]


class _Out(Console):
    """A console whose reader may leave: ``permu rankings | head`` has seen enough, and that is no failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


people = Console(stderr=True)
# A pipe or a file has no width that a table would have to be squeezed into.
_FILE_WIDTH = 200
_WIDE = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
out = _Out(soft_wrap=True, width=_WIDE)


def warehouse(home: Path | None) -> Warehouse:
    """The warehouse that the command works on, with the sources and facts that it declares itself."""
    found = Warehouse.locate(home)
    adopt(found.home)
    return found


def say(zh: str, en: str) -> str:
    """``zh`` or ``en`` by the user's language."""
    return zh if language() == "zh" else en


def dumped(value: Any) -> bytes:
    """One JSON document."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, option=options, default=str)


def show_json(value: Any) -> None:
    """One JSON document on stdout."""
    hand_over(dumped(value), None)


def plain(table: Table) -> bytes:
    """A table as text for a file, unsqueezed."""
    page = Console(file=io.StringIO(), width=_FILE_WIDTH, soft_wrap=True)
    page.print(table)
    return page.file.getvalue().encode()  # type: ignore[attr-defined]


def hand_over(data: bytes, place: Path | None) -> None:
    """The bytes to a file, whole or not at all, or to stdout (no place, or ``-``); PermuError cannot_write."""
    if place is None or str(place) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_bytes(data)
        part.replace(place)
    except OSError as error:
        raise PermuError(
            "cannot_write",
            f"{place}: {error.strerror}; name a file in a folder that exists and that you may write",
            f"{place}：{error.strerror}；请指定可写目录中的文件",
        ) from error


def finish(needs_person: bool) -> None:
    """End with 1 where something waits for a person, else go on to 0."""
    if needs_person:
        raise typer.Exit(1)
