"""Find the table in a sheet: its header rows, its columns, where the data starts.

Departments put titles, units and notes around a table, merge header cells over up to five rows and write them in two
languages. The header is found by what it must contain: the rows that name most fields of a declared table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from ingest.declarations import Source, Table
from ingest.headers import Index, Match, bracketed, fold, is_unit_of_any, normal, units_in
from ingest.layout import Kinds, Month, kinds, month_named, months, stated_unit, value_matches
from ingest.read.sheet import Sheet
from ingest.values import EMPTY_MARKS, SPACES

_SEARCH_ROWS, _MAX_HEADER = 40, 5
_CJK = re.compile(r"[一-鿿]")
_AFTER_HEADER = 4
Rows = list[list[str | None]]


@dataclass
class Column:
    """One column of the sheet: the header texts that apply to it, most specific first, and where they came from."""

    index: int
    texts: list[str] = field(default_factory=list)
    own: int = 0

    @property
    def label(self) -> str:
        """The header as the file shows it."""
        return self.texts[0] if self.texts else ""


@dataclass
class Found:
    """A declared table found in a sheet. Rows are 1-based; ``last_header`` 0 means that the format names the columns."""

    name: str
    table: Table
    first_header: int
    last_header: int
    columns: list[Column]
    matched: dict[str, tuple[Column, Match]]
    twins: dict[str, list[Column]]
    lines: list[str]
    unit_row: dict[int, str] = field(default_factory=dict)
    header_furniture: list[int] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)
    kinds: Kinds | None = None

    @property
    def missing(self) -> list[list[str]]:
        """Required groups of which no column was found."""
        return [g for g in self.table.require if not any(self.has(n) for n in g)]

    def has(self, name: str) -> bool:
        return name in self.matched or name in self.table.constants


def sample_rows(sheet: Sheet) -> Rows:
    """The sample's cells as lists, stripped; empty cells None."""
    strip = [pl.col(c).str.strip_chars(SPACES).replace("", None) for c in sheet.columns]
    return [list(r) for r in sheet.sample.select(strip).rows()] if sheet.columns else []


def find_tables(sheet: Sheet, source: Source) -> list[Found]:
    """Every declared table as well as it can be found in ``sheet``, best first; [] where no header is known."""
    rows = sample_rows(sheet)
    found = [f for name, table in source.tables.items() if (f := _best(sheet, rows, name, Index(table)))]
    return sorted(found, key=lambda f: (bool(f.missing), -len(f.matched)))


def _best(sheet: Sheet, rows: Rows, name: str, index: Index) -> Found | None:
    if sheet.header is not None:
        columns = [Column(i, [h], 1) for i, h in enumerate(sheet.header)]
        return _found(sheet, name, index, columns, (0, 0), rows)
    best: tuple[tuple[int, int, int], Found] | None = None
    for start, stop in _header_spans(rows):
        found = _found(sheet, name, index, _columns(rows[start:stop]), (start, stop), rows)
        if found is not None:
            score = (len(found.matched) + len(found.months), start - stop, -start)
            best = max(best or (score, found), (score, found), key=lambda b: b[0])
        elif best and not best[1].missing and start > best[1].last_header + _AFTER_HEADER:
            break
    return best[1] if best else None


def _header_spans(rows: Rows) -> Iterator[tuple[int, int]]:
    """Runs of one to five rows that could be a header: they begin and end with something, and none is data."""
    data = [_is_data(r) for r in rows[: _SEARCH_ROWS + _MAX_HEADER]]
    for start in range(min(len(rows), _SEARCH_ROWS)):
        for stop in range(start + 1, min(start + _MAX_HEADER, len(data)) + 1):
            if data[stop - 1]:
                break
            if any(rows[start]) and any(rows[stop - 1]):
                yield start, stop


def _is_data(row: list[str | None]) -> bool:
    """A third of the cells or more are numbers, dates or ids: four digits without ideographs, or mostly digits."""
    cells = [c for c in row if c]
    named = [m for c in cells if (m := month_named(c))]
    if len(set(named)) >= 2:
        return False
    digits = [sum(ch.isdigit() for ch in c) for c in cells]
    like = sum(1 for c, d in zip(cells, digits, strict=True) if (d >= 4 and not _CJK.search(c)) or d > len(c) / 2)
    return bool(cells) and like * 3 >= len(cells)


def _columns(header: Rows) -> list[Column]:
    """Texts per column: own cells joined, each own cell, then the merged cells above that reach over it."""
    reach = [_spread(row, header[i + 1 :]) for i, row in enumerate(header)]
    columns = []
    for at in range(len(header[0])):
        own = [row[at] for row in header]
        stack = [(row[at], i) for i, row in enumerate(reach) if row[at]]
        texts = _texts([t for t in own if t], [t for t, _ in stack if t])
        columns.append(Column(at, texts, len([t for t in own if t])))
    return columns


def _texts(own: list[str], stack: list[str]) -> list[str]:
    """Longest joins first: 出租方+名称 before 名称; inherited texts alone come last."""
    joins = ["".join(stack[i:j]) for i in range(len(stack)) for j in range(len(stack), i, -1)]
    ordered = ["".join(stack), "".join(own), *reversed(own), *joins]
    return list(dict.fromkeys(t for t in ordered if t))


def _spread(row: list[str | None], below: Rows) -> list[str | None]:
    """A merged cell's text over the empty cells to its right, where something stands below them."""
    out: list[str | None] = []
    last: str | None = None
    for at, cell in enumerate(row):
        last = cell or (last if any(r[at] for r in below) else None)
        out.append(cell or last)
    return out


def _found(
    sheet: Sheet, name: str, index: Index, columns: list[Column], span: tuple[int, int], rows: Rows
) -> Found | None:
    matched, twins = assign(index, columns, sheet.cut_headers)
    if "geometry" in index.table.fields and "geometry" in sheet.sample.columns:
        matched["geometry"] = (Column(-1, ["geometry"]), Match("geometry", 0, 0, None))
    laid_out = _laid_out(index, columns, matched, twins)
    if not matched:
        return None
    lines = [c for row in rows[: span[0]] for c in row if c]
    found = Found(name, index.table, span[0] + 1, span[1], columns, matched, twins, lines)
    found.months, found.kinds = laid_out
    if sheet.header is not None:
        found.first_header = 0
    return found


def _laid_out(
    index: Index, columns: list[Column], matched: dict[str, tuple[Column, Match]], twins: dict[str, list[Column]]
) -> tuple[list[Month], Kinds | None]:
    """Columns named as months, or rows that name their amount (:mod:`ingest.layout`): their amounts count as found."""
    texts = [(c.index, c.texts) for c in columns if c.texts]
    named = {c.index: c for c in columns}
    if found := months(index, texts):
        value = str(index.table.wide)
        matched[value] = (named[found[0].column], Match(value, 0, 0, stated_unit(found[0].texts)))
        twins.pop(value, None)
        return found, None
    amounts = {n for n in matched if index.table.fields[n].type == "amount"}
    two = kinds(index.table, texts)
    if two is None or amounts - {n for n in amounts if matched[n][0].index == two.value}:
        return [], None
    for name, match in value_matches(index, stated_unit(two.value_texts)).items():
        matched[name] = (named[two.value], match)
        twins.pop(name, None)
    return [], two


def assign(
    index: Index, columns: list[Column], cut: bool
) -> tuple[dict[str, tuple[Column, Match]], dict[str, list[Column]]]:
    """Field → its best column; ``twins`` lists further columns that name the field as exactly, by whatever synonym."""
    options: dict[str, list[tuple[tuple[int, int, int], Column, Match]]] = {}
    for column in columns:
        for depth, text in enumerate(column.texts):
            if found := index.matches(text, cut):
                inherited = 0 if depth <= column.own + 1 and column.own else 1
                for match in found:
                    options.setdefault(match.field, []).append(((inherited, match.rank, match.place), column, match))
                break
    matched, twins = {}, {}
    for name, rivals in options.items():
        rivals.sort(key=lambda r: (r[0], r[1].index))
        matched[name] = rivals[0][1:]
        if equal := [r[1] for r in rivals[1:] if r[0][:2] == rivals[0][0][:2]]:
            twins[name] = equal
    return matched, twins


# --- rows between the header and the data -----------------------------------------------------------------------

_NUMBERING = re.compile(r"^[(（]?(?:\d{1,3}|[a-zA-Z]|[甲乙丙丁戊己庚辛壬癸]|[一二三四五六七八九十]+)[)）]?$")


def scan_below_header(found: Found, rows: Rows) -> None:
    """Note the rows right under the header that belong to it: units, column numbers, the other language."""
    if not found.last_header:
        return
    seen, kind = 0, None
    for at in range(found.last_header, min(len(rows), found.last_header + 2 * _AFTER_HEADER)):
        cells = {i: c for i, c in enumerate(rows[at]) if c and normal(c) not in EMPTY_MARKS}
        if not cells:
            continue
        seen += 1
        kind = _header_row_kind(cells, found, kind)
        if kind is None or seen > _AFTER_HEADER:
            return
        found.header_furniture.append(at + 1)
        if kind == "units":
            found.unit_row |= {i: normal(c).strip("()（） ") for i, c in cells.items()}


def _header_row_kind(cells: dict[int, str], found: Found, above: str | None) -> str | None:
    texts = list(cells.values())
    words = [t for t in texts if not is_unit_of_any(t)]
    units = len(texts) - len(words)
    if units and units >= len(words) and all(units_in(w) or fold(w) in ("单位", "计量单位", "unit", "") for w in words):
        return "units"
    if len(texts) == 1 and units_in(texts[0]):
        found.lines.append(texts[0])
        return "unit line"
    if len(texts) >= 2 and all(_NUMBERING.match(t) for t in texts) and _counts_up(texts):
        return "numbers"
    return "other language" if _other_language(cells, found, 1 if above == "other language" else 2) else None


def _counts_up(texts: list[str]) -> bool:
    """甲 乙 1 2 3, A B C: letters from the first on, then numbers that rise by one."""
    bare = [t.strip("()（）") for t in texts]
    numbers = [int(t) for t in bare if t.isdigit()]
    letters = "".join(t for t in bare if not t.isdigit()).upper()
    begun = any(
        row.startswith(letters)
        for row in ("甲乙丙丁戊己庚辛壬癸", "一二三四五六七八九十", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    )
    rising = all(b - a == 1 for a, b in pairwise(numbers))
    return begun and rising and numbers[:1] in ([], [0], [1], [len(letters) + 1]) and len(texts) >= 2


def _other_language(cells: dict[int, str], found: Found, least: int) -> bool:
    """English words under a Chinese header (or the reverse): no digit anywhere, words in ``least`` id or amount columns."""
    typed = [c.index for n, (c, _) in found.matched.items() if found.table.fields[n].type not in ("name", "text")]
    held = [cells[i] for i in typed if i in cells]
    if len(held) < least or any(ch.isdigit() for t in cells.values() for ch in t):
        return False
    chinese = any(_CJK.search(c.label) for c in found.columns)
    latin = [bool(re.fullmatch(r"[A-Za-z\s.,()&/%-]+", t)) for t in cells.values()]
    return all(latin) if chinese else not any(latin)


def unit_texts(found: Found, name: str) -> list[tuple[str, str]]:
    """Every place where the file states the unit of a field: (where, text), the nearest first."""
    column, match = found.matched[name]
    stated = [("header", match.unit)] if match.unit else []
    stated += [("header", inner) for text in column.texts for inner in bracketed(text)]
    stated += [("unit row", found.unit_row[column.index])] if column.index in found.unit_row else []
    stated += [("unit line", unit) for line in found.lines for unit in (*units_in(line), *bracketed(line))]
    whole = [(where, text) for where, text in stated if text]
    parts = [(where, part) for where, text in whole for part in _parts(text)]
    return list(dict.fromkeys([*whole, *parts]))


def _parts(text: str) -> list[str]:
    """（净入库，万元） states its unit beside a remark; the words of ``100 million yuan`` are one unit."""
    pieces = [p.strip() for p in re.split(r"[,，、;；:：]+", text) if p.strip()]
    return [word for piece in pieces for word in ([piece] if is_unit_of_any(piece) else piece.split())]
