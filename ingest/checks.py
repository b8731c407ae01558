"""Apply a plan to batches: every row is kept, refused under its first reason, or furniture. None is lost.

Everything is vectorised; rows that pass cost no Python. Furniture below the header (totals, notes, repeated headers)
is looked for only among rows that fail a check or carry a total word in a key.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from engine.schema.names import name_key
from ingest import columns as typing
from ingest import quick
from ingest.columns import Typed
from ingest.declarations import Field, dtype, key_kind
from ingest.furniture import TOTAL, is_furniture
from ingest.map import Plan
from ingest.ranges import outside
from ingest.refusals import REFUSED_SCHEMA, Refusals
from ingest.values import SPACES, Period, parse_period, year_of

__all__ = ["REFUSED_SCHEMA", "Checked", "Checker"]

_WORDS = ("name", "text", "account")


@dataclass
class Checked:
    """What became of one batch."""

    kept: pl.DataFrame
    refused: pl.DataFrame
    rows_in: int
    furniture: int
    furniture_rows: list[int]


@dataclass
class _Batch:
    """``values`` by field, ``problems`` in the order in which they count, ``suspect`` rows that may hold a total's name."""

    cells: pl.DataFrame
    values: dict[str, pl.Series] = field(default_factory=dict)
    problems: list[tuple[str, str, np.ndarray]] = field(default_factory=list)
    suspects: dict[str, np.ndarray] = field(default_factory=dict)

    def first_problem(self) -> np.ndarray:
        """Index of each row's first problem, −1 where it has none."""
        first = np.full(self.cells.height, -1, dtype=np.int32)
        for number, (_, _, mask) in enumerate(self.problems):
            if mask.any():
                first[(first < 0) & mask] = number
        return first


_MANY = 10_000
_TYPING = ThreadPoolExecutor(2, "permu-type")


class Checker:
    """Types and checks the batches of one sheet. ``counts`` gathers findings that refuse nothing."""

    def __init__(
        self, plan: Plan, year: int, load_id: Callable[[], str], source: str, file: str, *, fast: bool = True
    ) -> None:
        """``fast=False`` sends every cell the long way; the answer is the same."""
        self.plan, self.table, self.year, self.fast = plan, plan.table, year, fast
        self.counts: dict[str, int] = {}
        self.samples: dict[str, list[int]] = {}
        self.daily = False
        self.periods: list[int] = []
        self.refusals = Refusals(plan, load_id, source, file)
        self._header_rows = {*range(1, plan.last_header + 1), *plan.furniture}

    # --- one batch ---------------------------------------------------------------------------------------

    def check(self, cells: pl.DataFrame) -> Checked:
        """``row``, ``c0 …`` (and ``geometry``) → kept rows in the canonical schema, refused rows, counts."""
        cells, above = self._split_header(cells)
        cells = self._non_empty(cells)
        batch = self._typed(cells)
        first = batch.first_problem()
        bad = first >= 0
        furniture = self._furniture(batch, bad)
        good = ~(bad | furniture)
        kept = self._canonical(batch)
        kept = kept if good.all() else kept.filter(pl.Series(good))
        refused = self._refused(batch, bad & ~furniture, first)
        self._note_periods(kept)
        rows = [*above, *cells["row"].filter(pl.Series(furniture)).to_list()]
        return Checked(kept, refused, cells.height + len(above), len(rows), rows)

    def _split_header(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
        """Rows up to the header (and unit rows under it) are furniture where they are not empty."""
        last = max(self._header_rows, default=0)
        if last == 0 or cells.height == 0 or cells["row"][0] > last:
            return cells, []
        is_header = cells["row"].is_in(list(self._header_rows))
        return cells.filter(~is_header), self._non_empty(cells.filter(is_header))["row"].to_list()

    def _non_empty(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Without the rows that hold nothing, or nothing but spaces."""
        names = [c for c in cells.columns if c != "row"]
        if "geometry" in names or not names:
            return cells
        # Only a row that begins with nearly nothing can be empty.
        begins = cells.select(
            pl.all_horizontal((pl.col(c).str.len_bytes() <= 3).fill_null(True) for c in names[:3]).alias("maybe")
        )["maybe"]
        if not begins.any():
            return cells
        at = begins.arg_true()
        stripped = [pl.col(n).str.strip_chars(SPACES).replace("", None).is_null() for n in names]
        empty = at.filter(cells[at].select(pl.all_horizontal(stripped)).to_series())
        return cells.filter(~pl.Series(np.isin(np.arange(cells.height), empty.to_numpy()))) if empty.len() else cells

    def _typed(self, cells: pl.DataFrame) -> _Batch:
        batch = _Batch(cells)
        also: list[tuple[str, pl.Series]] = []
        fields = [(name, declared) for name, declared in self.table.fields.items() if name in self.plan.uses]
        # Columns are typed beside each other: most of the work leaves Python's lock.
        side_by_side = _TYPING.map if cells.height >= _MANY else map
        for (name, declared), typed in zip(
            fields, side_by_side(lambda field: self._column_typed(batch, *field), fields), strict=True
        ):
            batch.values[name] = typed.values
            batch.problems += [(code, name, mask.to_numpy()) for code, mask in typed.problems]
            if (beyond := outside(name, declared, typed.values)) is not None:
                batch.problems.append(("out_of_range", name, beyond.to_numpy()))
            also += [(n, s) for n, s in typed.also.items() if self._noted(name, n, s, cells)]
        for name, series in also:
            self._fill(batch, name, series)
        self._require(batch)
        self._extra(batch)
        return batch

    def _column_typed(self, batch: _Batch, name: str, declared: Field) -> Typed:
        """Cheaply where the cells are clean as they stand; the same values either way."""
        use = self.plan.uses[name]
        if use.index < 0:
            return typing.geometry(batch.cells["geometry"])
        raw = batch.cells[f"c{use.index}"]
        slow: Callable[[pl.Series], Typed] = lambda cells: self._type(name, declared, typing.clean(cells))  # noqa: E731
        if not self.fast:
            return slow(raw)
        if declared.type in _WORDS:
            typed, batch.suspects[name] = quick.words(declared.type, raw, slow)
            return typed
        if declared.type == "uscc":
            return quick.uscc(raw, slow)
        if declared.type == "amount":
            return quick.amount(raw, use.factor, declared.negative, slow)
        return quick.by_distinct(raw, slow)

    def _type(self, name: str, declared: Field, texts: pl.Series) -> Typed:
        use = self.plan.uses[name]
        match declared.type:
            case "amount":
                return typing.amount(typing.without_spaces(texts), use.factor, declared.negative)
            case "share":
                return typing.share(texts, use.factor)
            case "period":
                return self._period(name, texts)
            case "account":
                return typing.code_text(texts)
            case other:
                typed: Typed = getattr(typing, other)(texts)
                return typed

    def _period(self, name: str, texts: pl.Series) -> Typed:
        typed = typing.period(texts, self.year)
        period = pl.col("p")
        year = pl.when(period > 9999).then(period // 100).otherwise(period).cast(pl.Int32)
        years = typed.values.to_frame("p").select(year).to_series()
        outside = (years != self.year).fill_null(False)
        if outside.any():
            typed.problems.append(("period_outside_year", outside))
        if name == "year":
            typed.values = years
        return typed

    def _noted(self, name: str, also: str, series: pl.Series, cells: pl.DataFrame) -> bool:
        """Keep what goes to other fields; count what was repaired or not read."""
        if not also.startswith("__"):
            return True
        if found := int(series.sum() or 0):
            key = f"{name}{also.removeprefix('_')}"
            self.counts[key] = self.counts.get(key, 0) + found
            rows = self.samples.setdefault(key, [])
            rows += cells["row"].filter(series).head(max(0, 20 - len(rows))).to_list()
        return False

    def _fill(self, batch: _Batch, name: str, series: pl.Series) -> None:
        """A value told by another column (an organisation code inside a taxpayer id) where the field has none."""
        if name != "day" and name not in self.table.fields:
            return
        series = series.rename(name)
        own = batch.values.get(name)
        batch.values[name] = series if own is None else own.zip_with(own.is_not_null(), series)

    def _require(self, batch: _Batch) -> None:
        for name in self.table.required_values:
            values = batch.values.get(name)
            if name in self.table.constants or (name == self.table.period and values is None):
                continue
            missing = np.ones(batch.cells.height, bool) if values is None else values.is_null().to_numpy()
            # A value that is there and wrong has its own reason, found before this one.
            batch.problems.append((f"missing_{name}", name, missing))
        required_key = [n for n in self.table.record_key if n in self.table.require[0]] if self.table.require else []
        if required_key:
            present = [batch.values[n].is_not_null().to_numpy() for n in required_key if n in batch.values]
            none = ~np.logical_or.reduce(present) if present else np.ones(batch.cells.height, bool)
            first = next((n for n in required_key if n in self.plan.uses), required_key[0])
            batch.problems.append((f"missing_{first}", first, none))
        period = self.table.period
        if period in self.plan.uses and not self.table.undated:
            batch.problems.append((f"missing_{period}", str(period), batch.values[str(period)].is_null().to_numpy()))

    def _extra(self, batch: _Batch) -> None:
        start = self.plan.extra_from
        names = [c for c in batch.cells.columns if c.startswith("c") and start is not None and int(c[1:]) >= start]
        if not names:
            return
        over = batch.cells.select(pl.any_horizontal(pl.col(n).is_not_null() for n in names)).to_series()
        if over.any():
            batch.problems.insert(0, ("extra_cells", names[0], over.to_numpy()))

    # --- furniture -----------------------------------------------------------------------------------------

    def _furniture(self, batch: _Batch, bad: np.ndarray) -> np.ndarray:
        """Totals, notes, section lines and repeated headers among the rows that look like no record."""
        result = np.zeros(batch.cells.height, dtype=bool)
        if "geometry" in batch.cells.columns or self.plan.sheet.header is not None:
            return result
        at = np.flatnonzero(bad | self._total_word(batch) | self._says_little(batch))
        if at.size:
            result[at] = is_furniture(self.plan, batch.cells[at], {n: s.gather(at) for n, s in batch.values.items()})
        return result

    def _total_word(self, batch: _Batch) -> np.ndarray:
        found = np.zeros(batch.cells.height, dtype=bool)
        for name in dict.fromkeys(n for names in self.table.key_columns.values() for n in names):
            texts = batch.values.get(name)
            if texts is None or self.table.fields[name].type not in _WORDS:
                continue
            at = batch.suspects.get(name, np.arange(len(texts)))
            found[at] |= texts.gather(at).str.contains(TOTAL).fill_null(False).to_numpy()
        return found

    def _says_little(self, batch: _Batch) -> np.ndarray:
        """Rows with one mapped value at most: a note or a section's title may stand in the column of names."""
        columns = [batch.values[n] for n in self.plan.uses if n in batch.values]
        whole = sum(1 for texts in columns if texts.null_count() == 0)
        if whole > 1 or len(columns) < 3:
            return np.zeros(batch.cells.height, dtype=bool)
        filled = [texts.is_not_null().to_numpy() for texts in columns if texts.null_count()]
        return np.asarray(np.sum(filled, axis=0, dtype=np.int32) + whole <= 1)

    # --- results ---------------------------------------------------------------------------------------------

    def _canonical(self, batch: _Batch) -> pl.DataFrame:
        height = batch.cells.height
        out: dict[str, pl.Series] = {"row": batch.cells["row"]}
        for name, declared in self.table.fields.items():
            out[name] = self._column(batch, name, declared, height)
        if self.table.period:
            day = batch.values.get("day")
            out["day"] = pl.Series("day", [None] * height, dtype=pl.Int32) if day is None else day.cast(pl.Int32)
        frame = pl.DataFrame({n: s.rename(n) for n, s in out.items()})
        keys = [_key(frame, fields).rename(name) for name, fields in self.table.key_columns.items()]
        return frame.with_columns(pl.lit(self.plan.sheet.name).alias("sheet"), *keys).select(list(self.table.columns))

    def _column(self, batch: _Batch, name: str, declared: Field, height: int) -> pl.Series:
        kind = dtype(declared)
        if name in batch.values:
            values = batch.values[name].cast(kind)
            return values.fill_null(declared.default) if declared.default and kind == pl.String else values
        constant: object = self.table.constants.get(name, declared.default)
        if name == self.table.period and constant is None:
            constant = self.plan.period
        if isinstance(constant, str):
            constant = _constant(constant, declared, self.year)
        return (
            pl.Series(name, [constant], dtype=kind).new_from_index(0, height) if height else pl.Series(name, [], kind)
        )

    def _refused(self, batch: _Batch, bad: np.ndarray, first: np.ndarray) -> pl.DataFrame:
        at = np.flatnonzero(bad)
        if at.size == 0:
            return pl.DataFrame(schema=REFUSED_SCHEMA)
        problems = [batch.problems[i] for i in first[at]]
        codes, fields = [code for code, _, _ in problems], [name for _, name, _ in problems]
        return self.refusals.of_cells(batch.cells[at], codes, fields)

    def refused_again(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Refused rows for canonical ``rows`` with a ``code``: typed rows that turned out to repeat a key."""
        return self.refusals.of_rows(rows)

    def _note_periods(self, kept: pl.DataFrame) -> None:
        name = self.table.period
        if name is None or kept.height == 0:
            return
        self.periods += [p for p in (kept[name].min(), kept[name].max()) if isinstance(p, int)]
        self.periods = [min(self.periods), max(self.periods)] if self.periods else []
        days = kept["day"].drop_nulls().unique()
        self.daily = self.daily or bool(((days > 1) & (days < 28)).any())


def _constant(text: str, declared: Field, year: int) -> object:
    """A constant of a mapping, or a default, in the column's type."""
    if declared.type == "period":
        period: Period | None = parse_period(text, year)
        return period and (year_of(period.value) if period.value < 10_000 else period.value)
    if declared.type in ("amount", "share", "flag"):
        return int(text)
    return float(text) if declared.type == "number" else text


# Names that their key equals.
_FOLDED = r"[^0-9A-Z()&/一-鿿-]|有限责任公司|\((?:原|曾用名)"


def _key(frame: pl.DataFrame, fields: list[str]) -> pl.Series:
    """``<kind>:<value>`` of the first field that has a value; null where none has."""
    key = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    for name in fields:
        # Where every row has its key already, what follows, names above all, need not be folded.
        if (missing := key.is_null()).any():
            kind = key_kind(name)
            part = pl.select(pl.lit(f"{kind}:") + (_name_keys(frame[name]) if kind == "name" else frame[name]))
            key = key.zip_with(~missing, part.to_series()) if key.null_count() < frame.height else part.to_series()
    return key


def _name_keys(names: pl.Series) -> pl.Series:
    at = names.str.contains(_FOLDED).fill_null(False).arg_true()
    if at.len() == 0:
        return names
    return names.clone().scatter(at, names.gather(at).to_frame("n").select(name_key(pl.col("n"))).to_series())
