"""Total and sub-total rows compared with the sum of their rows: a difference is a finding, never a refusal.

A sub-total (小计, 昆山市合计) stands for the rows since the total before it, a total (合计, 总计) for those since the
last total of its rank or since the beginning; one that stands before its rows, for those that follow. Rows that were
refused for another reason count too: the department added them up. 累计 carries earlier periods and is not compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import polars as pl

from ingest import columns as typing
from ingest.checks import Checked
from ingest.map import Plan, Use
from ingest.values import SPACES

_WORDS = re.compile(
    r"^(?P<part>.*小计|.*小計|.*sub-?total|.+(?:合计|总计))$|^(?P<all>总计|总合计|全部合计|grandtotal)$"
    r"|^(?P<sum>合计|合计数|共计|total|sum)$",
    re.IGNORECASE,
)
_SUSPECT = r"(?i)(?:小计|小計|合计|合计数|总计|共计|total|sum)[:：]?$"
_RANK = {"part": 1, "sum": 2, "all": 3}
_MOST = 100  # findings kept of one sheet


@dataclass
class _Total:
    """A total row: its number, word, rank, and what it states by field: (text of the cell, smallest unit)."""

    row: int
    word: str
    rank: int
    stated: dict[str, tuple[str, int]]


@dataclass
class _Segment:
    """Rows between two totals: their number, sums by field, and fields of which a row's value could not be read."""

    rows: int = 0
    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unread: set[str] = field(default_factory=set)


class Totals:
    """Gathers one sheet's sums and total rows batch by batch; memory is one line a total row."""

    def __init__(self, plan: Plan) -> None:
        fields = plan.table.fields
        self.plan = plan
        self.amounts = {n: u for n, u in plan.uses.items() if fields[n].type == "amount" and u.index >= 0}
        self.totals: list[_Total] = []
        self.segments = [_Segment()]

    def add(self, cells: pl.DataFrame, checked: Checked) -> None:
        """Take one batch: the cells as they came and what the checks made of them."""
        if not self.amounts:
            return
        found = self._totals(cells, checked)
        counted = self._counted(cells, checked)
        if not found:
            self._take(self.segments[-1], counted)
            return
        places = pl.Series([t.row for t in found], dtype=pl.Int32)
        parts = counted.with_columns(part=places.search_sorted(counted["row"]).cast(pl.Int32))
        sums = parts.group_by("part").agg(
            pl.len().alias("rows"),
            *(pl.col(n).cast(pl.Int128).sum() for n in self.amounts),
            *(pl.col(f"{n}__unread").any() for n in self.amounts),
        )
        fresh = [self.segments[-1], *(_Segment() for _ in found)]
        for line in sums.iter_rows(named=True):
            segment = fresh[line["part"]]
            segment.rows += line["rows"]
            for name in self.amounts:
                segment.sums[name] += int(line[name])
                segment.unread |= {name} if line[f"{name}__unread"] else set()
        self.segments += fresh[1:]
        self.totals += found

    def _take(self, segment: _Segment, counted: pl.DataFrame) -> None:
        """All rows of a batch without totals, which nearly every batch is."""
        segment.rows += counted.height
        for name in self.amounts:
            segment.sums[name] += _sum(counted[name])
            segment.unread |= {name} if counted[f"{name}__unread"].any() else set()

    def findings(self) -> list[dict[str, object]]:
        """What does not add up: one entry a total row and column, with both figures in the file's unit."""
        found: list[dict[str, object]] = []
        for at in range(len(self.totals)):
            if len(found) < _MOST:
                found += self._compared(at)
        return found

    # --- gathering -----------------------------------------------------------------------------------------

    def _counted(self, cells: pl.DataFrame, checked: Checked) -> pl.DataFrame:
        """row, the amounts of kept and refused rows, and whether a refused row's amount could not be read."""
        no = {f"{n}__unread": pl.lit(False) for n in self.amounts}
        kept = checked.kept.select("row", *self.amounts).with_columns(**no)
        if checked.refused.height == 0:
            return kept
        wrong = cells.filter(pl.col("row").is_in(checked.refused["row"].implode()))
        read = {n: self._read(wrong, u) for n, u in self.amounts.items()}
        unread = {f"{n}__unread": values.is_null() & texts.is_not_null() for n, (texts, values) in read.items()}
        refused = pl.DataFrame({"row": wrong["row"], **{n: v for n, (_, v) in read.items()}, **unread})
        return pl.concat([kept, refused.select(kept.columns)])

    def _read(self, cells: pl.DataFrame, use: Use) -> tuple[pl.Series, pl.Series]:
        texts = typing.clean(cells[f"c{use.index}"])
        return texts, typing.amount(texts, use.factor, True).values

    def _totals(self, cells: pl.DataFrame, checked: Checked) -> list[_Total]:
        below = [r for r in checked.furniture_rows if r > self.plan.last_header]
        if not below:
            return []
        rows = cells.filter(pl.col("row").is_in(below))
        named = [f"c{u.index}" for n, u in self.plan.uses.items() if n not in self.amounts and u.index >= 0]
        looked = list(dict.fromkeys([*[c for c in rows.columns if c.startswith("c")][:3], *named]))
        packed = rows.select("row", *(pl.col(c).str.replace_all(rf"[\s{SPACES}]+", "") for c in looked))
        suspect = packed.filter(pl.any_horizontal(pl.col(c).str.contains(_SUSPECT).fill_null(False) for c in looked))
        return [t for line in suspect.iter_rows() if (t := self._total(rows, line))]

    def _total(self, rows: pl.DataFrame, line: tuple) -> _Total | None:
        found = next((m for text in line[1:] if text and (m := _WORDS.match(text.rstrip(":：")))), None)
        if found is None:
            return None
        cells = rows.filter(pl.col("row") == line[0])
        read = {n: self._read(cells, u) for n, u in self.amounts.items()}
        stated = {n: (texts[0], values[0]) for n, (texts, values) in read.items() if values[0] is not None}
        return _Total(line[0], found[0], _RANK[str(found.lastgroup)], stated) if stated else None

    # --- comparing -------------------------------------------------------------------------------------------

    def _compared(self, at: int) -> list[dict[str, object]]:
        total, spans = self.totals[at], self._spans(at)
        if self.segments[at].rows == 0 and not any(value for _, value in total.stated.values()):
            return []  # the total of a section without rows
        wrong = [self._wrong(total, span) for span in spans]
        return min(wrong, key=len) if wrong else []

    def _spans(self, at: int) -> list[list[_Segment]]:
        """The runs of rows that a total may stand for, the likeliest first; without rows it stands for nothing."""
        rank = self.totals[at].rank
        same = [i for i, t in enumerate(self.totals) if t.rank >= rank]
        before = max((i + 1 for i in same if i < at), default=0)
        after = min((i for i in same if i > at), default=len(self.totals))
        spans = [self.segments[before : at + 1], self.segments[: at + 1], self.segments[at + 1 : after + 1]]
        if rank == _RANK["part"]:
            spans = [self.segments[at : at + 1], spans[0], self.segments[at + 1 : at + 2], spans[2]]
        return [s for s in spans if sum(x.rows for x in s)]

    def _wrong(self, total: _Total, span: list[_Segment]) -> list[dict[str, object]]:
        rows = sum(s.rows for s in span)
        found = []
        for name, (text, stated) in total.stated.items():
            summed = sum(s.sums[name] for s in span)
            unread = any(name in s.unread for s in span)
            if not unread and abs(stated - summed) > _tolerance(text, self.amounts[name].factor, rows):
                found.append(self._finding(total, name, text, stated, summed, rows))
        return found

    def _finding(self, total: _Total, name: str, text: str, stated: int, summed: int, rows: int) -> dict[str, object]:
        use, sheet = self.amounts[name], self.plan.sheet.name
        told, less = written(summed, use.factor), written(stated - summed, use.factor)
        return {
            "kind": "total_differs", "sheet": sheet, "table": self.plan.name, "row": total.row, "word": total.word,
            "column": use.letter, "header": use.header, "field": name, "unit": use.unit,
            "stated": text, "sum": told, "difference": less, "rows": rows,
            "zh": f"{f'工作表 {sheet}，' if sheet else ''}第 {total.row} 行 {use.letter} 列 {use.header}：{total.word}为 {text}，"
            f"而其 {rows} 行之和为 {told}（差 {less} {use.unit}）；请与报送单位核对",
            "en": f"{f'sheet {sheet}, ' if sheet else ''}row {total.row}, column {use.letter} {use.header}: {total.word} "
            f"says {text}, its {rows} rows sum to {told} (difference {less} {use.unit}); ask the department",
        }  # fmt: skip


def _tolerance(text: str, factor: Fraction, rows: int) -> Fraction:
    """Half a unit of the total's last decimal; where the unit is no whole number of smallest units (亩), each row's rounding."""
    decimals = len(text.replace(",", "").partition(".")[2])
    each = Fraction(rows + 1, 2) if factor.denominator != 1 else Fraction(1)
    return max(factor / (2 * 10**decimals) if decimals < 12 else Fraction(0), each)


def written(value: int, factor: Fraction) -> str:
    """An amount in the smallest unit as a plain decimal number of the unit with ``factor``, to twelve decimals."""
    scaled = round(Fraction(abs(value), 1) / factor * 10**12)
    whole, part = divmod(scaled, 10**12)
    text = f"{whole}.{part:012d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and scaled else text


def _sum(values: pl.Series) -> int:
    """The exact sum: in 64 bits where it cannot leave them."""
    low, high = values.min(), values.max()
    if low is None or high is None:
        return 0
    assert isinstance(low, int) and isinstance(high, int)
    wide = max(abs(low), abs(high)) * len(values) >= 1 << 63
    return int((values.cast(pl.Int128) if wide else values).sum())
