"""Apply a plan to batches: every row is kept, refused under its first reason, or furniture. None is lost.

Everything is vectorised; rows that pass cost no Python. Furniture below the header (totals, notes, repeated headers)
is looked for only among rows that fail a check or carry a total word in a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from engine.schema.names import name_key
from ingest import columns as typing
from ingest.columns import Typed
from ingest.declarations import Field, dtype, key_kind
from ingest.ids import hide_personal
from ingest.map import Plan
from ingest.reasons import reason
from ingest.values import SPACES, Period, parse_period, year_of

_TOTAL = r"^(?:合计|总计|小计|共计|累计|全部合计|合计数|总合计|total|subtotal|sub-total|grandtotal|sum)[:：]?$|(?:合计|小计|总计)[:：]?$"
_NOTE = (
    r"^(?:[（(]?注[：:0-9一二三]|注$|备注[:：]|说明[:：]|附注|资料来源|数据来源|填表|制表|审核|复核|填报|报表|单位负责|统计负责|负责人|经办|"
    r"联系(?:人|电话)|打印|导出|第\d+页|共\d+页|以上|以下|note|source|※|★|\*)"
)
_SECTION = r"^(?:[一二三四五六七八九十]+[、.．]|[（(][一二三四五六七八九十]+[)）])"
_KEYS = ("uscc", "org_code", "reg_no", "permit", "account", "parcel")


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
    cells: pl.DataFrame
    clean: dict[str, pl.Series]
    values: dict[str, pl.Series]
    problems: list[tuple[str, str, np.ndarray]] = field(default_factory=list)

    def first_problem(self) -> np.ndarray:
        """Index of each row's first problem, −1 where it has none."""
        first = np.full(self.cells.height, -1, dtype=np.int32)
        for number, (_, _, mask) in enumerate(self.problems):
            first[(first < 0) & mask] = number
        return first


REFUSED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "load_id": pl.String, "source": pl.String, "table": pl.String, "file": pl.String, "sheet": pl.String,
    "row": pl.Int32, "column": pl.String, "header": pl.String, "field": pl.String, "value": pl.String,
    "code": pl.String, "zh": pl.String, "en": pl.String, "raw": pl.String,
}  # fmt: skip


class Checker:
    """Types and checks the batches of one sheet. ``counts`` gathers findings that refuse nothing."""

    def __init__(self, plan: Plan, year: int, load_id: str, source: str, file: str) -> None:
        self.plan, self.table, self.year = plan, plan.table, year
        self.load_id, self.source, self.file = load_id, source, file
        self.counts: dict[str, int] = {}
        self.samples: dict[str, list[int]] = {}
        self.daily = False
        self.periods: list[int] = []
        self._header_rows = {*range(1, plan.last_header + 1), *plan.furniture}

    # --- one batch ---------------------------------------------------------------------------------------

    def check(self, cells: pl.DataFrame) -> Checked:
        """``row``, ``c0 …`` (and ``geometry``) → kept rows in the canonical schema, refused rows, counts."""
        cells, above = self._split_header(cells)
        cells = self._non_empty(cells)
        batch = self._typed(cells)
        first = batch.first_problem()
        furniture = self._furniture(batch, first >= 0)
        kept = self._canonical(batch).filter(pl.Series((first < 0) & ~furniture))
        bad = (first >= 0) & ~furniture
        refused = self._refused(batch, bad, first)
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
        names = [c for c in cells.columns if c != "row"]
        if "geometry" in names:
            return cells
        empty = cells.select(pl.all_horizontal(pl.col(n).is_null() for n in names)).to_series()
        maybe = cells.select(pl.col(n) for n in names[:3]).select(
            pl.all_horizontal((pl.col(c).str.len_bytes() <= 3).fill_null(True) for c in names[:3])
        )
        # Cells of nothing but spaces: looked at only in rows that begin with nearly nothing.
        if (maybe.to_series() & ~empty).any():
            stripped = [pl.col(n).str.strip_chars(SPACES).replace("", None).is_null() for n in names]
            empty = cells.select(pl.all_horizontal(stripped)).to_series()
        return cells.filter(~empty) if empty.any() else cells

    def _typed(self, cells: pl.DataFrame) -> _Batch:
        batch = _Batch(cells, {}, {})
        for name, use in self.plan.uses.items():
            raw = cells["geometry" if use.index < 0 else f"c{use.index}"]
            batch.clean[name] = raw if use.index < 0 else typing.clean(raw)
        also: list[tuple[str, pl.Series]] = []
        for name, declared in self.table.fields.items():
            if name in batch.clean:
                typed = self._type(name, declared, batch.clean[name])
                batch.values[name] = typed.values
                batch.problems += [(code, name, mask.to_numpy()) for code, mask in typed.problems]
                also += [(n, s) for n, s in typed.also.items() if self._noted(name, n, s, cells)]
        for name, series in also:
            self._fill(batch, name, series)
        self._require(batch)
        self._extra(batch)
        return batch

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
        years = typed.values.to_numpy()
        outside = pl.Series(np.where(years > 9999, years // 100, years) != self.year) & typed.values.is_not_null()
        if outside.any():
            typed.problems.append(("period_outside_year", outside))
        if name == "year":
            typed.values = pl.Series(np.where(years > 9999, years // 100, years)).cast(pl.Int32)
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
        if period in self.plan.uses:
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
        suspect = bad | self._total_word(batch)
        at = np.flatnonzero(suspect)
        if at.size == 0 or "geometry" in batch.cells.columns or self.plan.sheet.header is not None:
            return result
        result[at] = self._is_furniture(batch.cells[at], {n: s.gather(at) for n, s in batch.values.items()})
        return result

    def _total_word(self, batch: _Batch) -> np.ndarray:
        found = np.zeros(batch.cells.height, dtype=bool)
        for names in self.table.key_columns.values():
            for name in names:
                texts = batch.values.get(name)
                if texts is not None and self.table.fields[name].type in ("name", "text", "account"):
                    found |= texts.str.contains("(?i)" + _TOTAL).fill_null(False).to_numpy()
        return found

    def _is_furniture(self, cells: pl.DataFrame, values: dict[str, pl.Series]) -> np.ndarray:
        names = [c for c in cells.columns if c != "row"]
        packed = [pl.col(n).str.replace_all(rf"[\s{SPACES}]+", "").replace("", None) for n in names]
        texts = cells.select(packed)
        head = texts.select(
            pl.coalesce(names).alias("first"), pl.sum_horizontal(pl.col(n).is_not_null() for n in names).alias("cells")
        )
        texts_used = [
            f"c{u.index}" for n, u in self.plan.uses.items() if self.table.fields[n].type in ("name", "text", *_KEYS)
        ]
        looked = list(dict.fromkeys([*names[:3], *texts_used]))
        total = texts.select(
            pl.any_horizontal(pl.col(n).str.contains("(?i)" + _TOTAL).fill_null(False) for n in looked)
        )
        no_id = ~self._has_id(values, cells.height)
        note = head["first"].str.contains("(?i)" + _NOTE).fill_null(False).to_numpy() & self._no_amount(
            values, cells.height
        )
        alone = (head["cells"] == 1).to_numpy() & (len(self.plan.uses) >= 3)
        section = head["first"].str.contains(_SECTION).fill_null(False).to_numpy()
        long = (head["first"].str.len_chars() > 40).fill_null(False).to_numpy()
        repeated = self._repeats_header(texts)
        return (no_id & (total.to_series().to_numpy() | note | (alone & (section | long)))) | repeated

    def _has_id(self, values: dict[str, pl.Series], height: int) -> np.ndarray:
        """Rows with a valid id; a total word in an id column is none."""
        found = np.zeros(height, dtype=bool)
        for name, declared in self.table.fields.items():
            if declared.type in _KEYS and name in values:
                texts = values[name]
                found |= (texts.is_not_null() & texts.str.contains(r"\d").fill_null(False)).to_numpy()
        return found

    def _no_amount(self, values: dict[str, pl.Series], height: int) -> np.ndarray:
        held = np.zeros(height, dtype=bool)
        for name, declared in self.table.fields.items():
            if declared.type == "amount" and name in values:
                held |= values[name].is_not_null().to_numpy()
        return ~held

    def _repeats_header(self, texts: pl.DataFrame) -> np.ndarray:
        """Rows that hold the header's own words in half or more of the mapped columns (page breaks)."""
        used = [u for u in self.plan.uses.values() if u.index >= 0 and u.header]
        same = [(pl.col(f"c{u.index}") == re.sub(r"\s+", "", u.header)).fill_null(False).cast(pl.Int32) for u in used]
        if len(same) < 2:
            return np.zeros(texts.height, dtype=bool)
        hits = texts.select(pl.sum_horizontal(same)).to_series().to_numpy()
        return hits >= max(2, len(same) / 2)

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
        keys = [_key(frame, fields).alias(name) for name, fields in self.table.key_columns.items()]
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
        cells = batch.cells[at]
        return self.refused_rows(cells, [code for code, _, _ in problems], [name for _, name, _ in problems])

    def refused_rows(self, cells: pl.DataFrame, codes: list[str], fields: list[str]) -> pl.DataFrame:
        """The refused table's rows for ``cells`` (row and c0 …), each with its reason and the field at fault."""
        raw = self._raw(cells)
        rows = []
        for i, (code, name) in enumerate(zip(codes, fields, strict=True)):
            use = self.plan.uses.get(name)
            column = use.letter if use else self.plan.sheet.letter(int(name[1:])) if name[1:].isdigit() else ""
            value = cells[f"c{use.index}"][i] if use and use.index >= 0 else None
            rows.append(self._refusal(cells["row"][i], column, use.header if use else "", name, value, code, raw[i]))
        return pl.DataFrame(rows, schema=REFUSED_SCHEMA, orient="row")

    def refused_again(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Refused rows for canonical ``rows`` with a ``code``: typed rows that turned out to repeat a key."""
        name = next((n for n in self.table.unique if n in self.plan.uses), next(iter(self.plan.uses)))
        use = self.plan.uses[name]
        shown = [n for n in self.plan.uses if n != "geometry"]
        raw = rows.select(pl.struct(shown).struct.json_encode()).to_series().to_list()
        told = zip(rows["row"], rows[name].cast(pl.String, strict=False), rows["code"], raw, strict=True)
        out = [self._refusal(row, use.letter, use.header, name, value, code, text) for row, value, code, text in told]
        return pl.DataFrame(out, schema=REFUSED_SCHEMA, orient="row")

    def _refusal(
        self, row: int, column: str, header: str, name: str, value: str | None, code: str, raw: str
    ) -> tuple[object, ...]:
        value = hide_personal(value)
        en, zh = reason(code)
        sheet = self.plan.sheet.name
        shown = "" if value is None else value
        zh = (
            f"{self.file}{f'，工作表 {sheet}' if sheet else ''}，第 {row} 行 {column} 列 {header or name}：{shown} {zh}"
        )
        en = f"{self.file}{f', sheet {sheet}' if sheet else ''}, row {row}, column {column} {header or name}: {shown} {en}"
        told = (self.load_id, self.source, self.plan.name, self.file, sheet, row, column, header)
        return (*told, name, value, code, zh, en, raw)

    def _raw(self, cells: pl.DataFrame) -> list[str]:
        """Mapped cells as JSON by field: unmapped columns may hold personal data and never get here."""
        used = {n: u for n, u in self.plan.uses.items() if u.index >= 0}
        if not used:
            return ["{}"] * cells.height
        masked = [
            pl.Series(n, [hide_personal(v) for v in cells[f"c{u.index}"].to_list()], dtype=pl.String)
            for n, u in used.items()
        ]
        return pl.DataFrame(masked).select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()

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


def _key(frame: pl.DataFrame, fields: list[str]) -> pl.Expr:
    """``<kind>:<value>`` of the first field that has a value; null where none has."""
    parts = []
    for name in fields:
        kind = key_kind(name)
        value = name_key(pl.col(name)) if kind == "name" else pl.col(name)
        parts.append(pl.lit(f"{kind}:") + value)
        if frame[name].null_count() == 0:
            break  # Every row has its key: what follows, names above all, need not be folded.
    return pl.coalesce(parts) if parts else pl.lit(None, dtype=pl.String)
