"""``permu refused replay``: take corrected rows back, each with its lineage to the original cell and the correction.

The file as received is read again, the corrected cells take the place of the original ones, and the rows go through
the same checks as any other. What is still wrong is refused again. Each original load gives one load of its own, whose
file is the corrected workbook; ``refused/<source>/<load_id>.corrections.parquet`` says which cell was what.
"""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.warehouse import Warehouse
from ingest.declared import adopt, find_source, load_mapping
from ingest.discover import Drop
from ingest.load import LoadReport, file_sha256, load, locked, told_failures
from ingest.loading import Job, Progress
from ingest.map import Plan, settle_period, understand
from ingest.read import batches, open_file
from ingest.read.sheet import Sheet
from ingest.refused import CORRECTION_SCHEMA, NOW, WAS, corrections, live_loads, open_rows
from ingest.store import MAPPING_COPY

_Place = tuple[str, str, int]  # load, sheet, row


@dataclass(frozen=True)
class Replay:
    """``loads`` that were made, and rows of the workbook without a correction, or that were corrected before."""

    loads: list[LoadReport]
    untouched: int
    already: int

    def as_dict(self) -> dict[str, Any]:
        """The shape of ``permu refused replay --json``."""
        return {"loads": [r.as_dict() for r in self.loads], "untouched": self.untouched, "already": self.already}


@dataclass
class _Line:
    """A row of the workbook: where it stands there, which refused row it means, what its cells say by field."""

    sheet: str
    row: int
    place: _Place
    was: dict[str, str | None]
    now: dict[str, str]
    letters: dict[str, str]


@dataclass
class _Corrected:
    """A line with the original row that it leads back to and every cell that differs from it."""

    line: _Line
    of: _Place
    base: _Place
    cells: dict[str, str]


def replay(warehouse: Warehouse, workbook: Path, wait: bool = False, progress: Progress | None = None) -> Replay:
    """Take a corrected workbook back; the same one twice changes nothing.

    Raises:
        PermuError: ``not_an_export``, ``unknown_rows``, ``unreadable_file``, ``write_failed``, ``warehouse_busy``.
    """
    adopt(warehouse.require().home)
    lines = _lines(workbook)
    sha = file_sha256(workbook)
    with locked(warehouse, "refused replay", wait):
        with told_failures(warehouse, str(warehouse.home)):
            known = _Known(warehouse)
        found = [known.corrected(workbook, line) for line in lines]
        made: dict[str, list[_Corrected]] = defaultdict(list)
        for one in found:
            if isinstance(one, _Corrected):
                made[one.base[0]].append(one)
        reports = [_load(warehouse, workbook, sha, known.loads[b], rows, progress) for b, rows in made.items()]
    return Replay(reports, found.count("untouched"), found.count("already"))


# --- the workbook ------------------------------------------------------------------------------------------------


def _lines(workbook: Path) -> list[_Line]:
    sheets = open_file(workbook)
    lines = [line for sheet in sheets for cells in batches(sheet, workbook) for line in _of_sheet(sheet, cells)]
    if not any("load_id" in sheet.sample.row(0) for sheet in sheets if sheet.sample.height):
        raise PermuError(
            "not_an_export",
            f"{workbook}: not a workbook of permu refused export: its first row does not hold load_id; export again and "
            "write into the yellow columns",
            f"{workbook}：不是 permu refused export 导出的表（首行没有 load_id）；请重新导出，并在黄色列中填写更正值",
        )
    return lines


def _of_sheet(sheet: Sheet, cells: pl.DataFrame) -> list[_Line]:
    keys = [str(k) for k in sheet.sample.drop("row").row(0)] if sheet.sample.height else []
    if "load_id" not in keys or "row" not in keys:
        return []
    letters = {k.removeprefix(NOW): sheet.letter(i) for i, k in enumerate(keys) if k.startswith(NOW)}
    lines = []
    for number, *values in cells.select("row", *sheet.columns).iter_rows():
        told = dict(zip(keys, values, strict=True))
        row = str(told.get("row") or "").removesuffix(".0")
        if told.get("load_id") and row.isdigit():
            was = {k.removeprefix(WAS): v for k, v in told.items() if k.startswith(WAS)}
            now = {k.removeprefix(NOW): v.strip() for k, v in told.items() if k.startswith(NOW) and v and v.strip()}
            place = (str(told["load_id"]), str(told.get("sheet") or ""), int(row))
            lines.append(_Line(sheet.name, number, place, was, now, letters))
    return lines


# --- what is known of the rows -------------------------------------------------------------------------------------


class _Known:
    """Open refused rows, and what corrected ones became."""

    def __init__(self, warehouse: Warehouse) -> None:
        loads = live_loads(warehouse)
        self.loads = {str(x["load_id"]): x for x in loads}
        self.open = {
            (r["load_id"], r["sheet"], r["row"]): json.loads(r["raw"])
            for r in open_rows(warehouse).iter_rows(named=True)
        }
        self.later: dict[_Place, _Place] = {}
        self.base: dict[_Place, tuple[_Place, dict[str, str]]] = {}
        for c in corrections(warehouse, loads).iter_rows(named=True):
            place = (c["load_id"], c["sheet"], c["row"])
            self.later[c["of_load"], c["of_sheet"], c["of_row"]] = place
            first = self.base.setdefault(place, ((c["base_load"], c["base_sheet"], c["base_row"]), {}))
            first[1][c["field"]] = c["now"]

    def corrected(self, workbook: Path, line: _Line) -> _Corrected | str:
        """The row with its corrections; ``untouched`` without any, ``already`` where they were taken before."""
        place = line.place
        while place in self.later:
            place = self.later[place]
        raw = self.open.get(place)
        if raw is None and place != line.place:
            return "already"
        if raw is None:
            raise _unknown(workbook, line)
        base, before = self.base.get(place, (place, {}))
        # Who writes over the cell itself instead of beside it means the same.
        over = {
            n: v.strip() for n, v in line.was.items() if v and _differs(v, self._came(line, n)) and n not in line.now
        }
        changed = {n: v for n, v in (over | line.now).items() if _differs(v, raw.get(n))}
        if changed:
            return _Corrected(line, place, base, before | changed)
        return "untouched" if place == line.place else "already"

    def _came(self, line: _Line, name: str) -> str | None:
        told = self.open.get(line.place, {})
        value = told.get(name, line.was.get(name))
        return None if value is None else str(value)


def _differs(text: str | None, other: object) -> bool:
    """Whether two cells say different things; spreadsheets change line ends and spaces at the end by themselves."""
    return "".join(str(text or "").split()) != "".join(str("" if other is None else other).split())


def _unknown(workbook: Path, line: _Line) -> PermuError:
    load_id, sheet, row = line.place
    return PermuError(
        "unknown_rows",
        f"{workbook}, sheet {line.sheet}, row {line.row}: no refused row {row} of load {load_id} {sheet} waits any more "
        "(a newer file may have replaced it); export again",
        f"{workbook}，工作表 {line.sheet}，第 {line.row} 行：批次 {load_id} {sheet} 第 {row} 行不在待更正之列"
        "（可能已被新文件替换）；请重新导出",
    )


# --- one original load ---------------------------------------------------------------------------------------------


def _load(
    warehouse: Warehouse,
    workbook: Path,
    sha: str,
    origin: dict[str, Any],
    rows: list[_Corrected],
    progress: Progress | None,
) -> LoadReport:
    source, year, base = str(origin["source"]), int(origin["year"]), str(origin["load_id"])
    drop = Drop(workbook, f"refused replay/{sha[:8]}/{workbook.name}", find_source(source), year)
    plans, lineage = _plans(warehouse, origin, rows)
    extra: dict[str, object] = {"replay_of": base}
    hashed: Future[str] = Future()
    hashed.set_result(sha)
    job = Job(drop, hashed, base, None, origin["mapping_sha256"], year, plans, [], extra, lineage)
    return load(warehouse, job, set(), progress=progress)


def _plans(warehouse: Warehouse, origin: dict[str, Any], rows: list[_Corrected]) -> tuple[list[Plan], pl.DataFrame]:
    """The plans of the file as received, each over nothing but the corrected rows, and the cells that changed."""
    folder = warehouse.loads / str(origin["load_id"])
    raw = folder / Path(str(origin["file"])).name
    mapping = folder / MAPPING_COPY
    mapped = mapping.is_file()
    declared = load_mapping(mapping) if mapped else find_source(str(origin["source"]))
    plans, _ = understand(raw, open_file(raw, declared.crs), declared, mapped)
    made, lineage = [], []
    for plan in plans:
        settle_period(plan, raw, int(origin["year"]))
        wanted = {r.base[2]: r for r in rows if r.base[1] == plan.sheet.name}
        if wanted:
            line = next(iter(wanted.values())).line
            name = line.sheet if len({r.base[1] for r in rows}) == 1 else f"{line.sheet} {plan.sheet.name}"
            cells, told = _cells(plan, raw, wanted)
            made.append(_over(plan, cells, name, line.letters))
            lineage += [(name, row, *of, base[0], origin["file"], *base[1:], *cell) for row, of, base, *cell in told]
    return made, pl.DataFrame(lineage, schema=CORRECTION_SCHEMA, orient="row")


def _cells(plan: Plan, raw: Path, wanted: dict[int, _Corrected]) -> tuple[pl.DataFrame, list[tuple[Any, ...]]]:
    """The original cells of the wanted rows with the corrections in place, numbered as the workbook's rows; and for
    each corrected cell: row in the workbook, the row corrected, the original row, field, header, was, now."""
    numbers = pl.Series(list(wanted), dtype=pl.Int32).implode()
    cells = pl.concat([part.filter(pl.col("row").is_in(numbers)) for part in batches(plan.sheet, raw)])
    told: list[tuple[Any, ...]] = []
    columns = {name: cells[name].to_list() for name in cells.columns}
    for at, number in enumerate(columns["row"]):
        one = wanted[number]
        for name, value in one.cells.items():
            use = plan.uses.get(name)
            if use is None or use.index < 0:
                continue
            was, columns[f"c{use.index}"][at] = columns[f"c{use.index}"][at], value
            told.append((one.line.row, one.of, one.base, name, use.header, was, value))
        columns["row"][at] = one.line.row
    return pl.DataFrame(columns, schema=cells.schema), told


def _over(plan: Plan, cells: pl.DataFrame, name: str, letters: dict[str, str]) -> Plan:
    """The plan on corrected cells: no header, no furniture, and columns as the workbook names them."""
    uses = {n: replace(u, letter=letters.get(n, u.letter)) for n, u in plan.uses.items()}
    sheet = replace(plan.sheet, name=name, sample=cells, read=lambda: iter([cells]), rows=cells.height)
    return replace(
        plan, sheet=sheet, uses=uses, first_header=0, last_header=0, furniture=[], extra_from=None,
        notes=["corrected rows of an earlier load"],
    )  # fmt: skip
