"""From a found table to a plan: which column feeds which field, in which unit, for which period.

Understanding happens once, on a sheet's first rows; :mod:`ingest.checks` then applies the plan batch by batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.units import find_unit, unit_names
from ingest.declarations import Source, Table, default_unit, quantity
from ingest.headers import CUT, Index, is_unit_of_any, looks_like_unit
from ingest.read.sheet import Sheet
from ingest.shift import repair
from ingest.table import Column, Found, assign, find_tables, sample_rows, scan_below_header, unit_texts
from ingest.values import EMPTY_MARKS, parse_period, plain_number, year_of

_ENOUGH = 10  # values below which a median says nothing
_AREA_MU = (Fraction(15, 100), 2000)  # 100 m² … 133 ha: medians of parcels outside it are in another unit


@dataclass(frozen=True)
class Use:
    """A column that feeds a field. ``index`` is the sheet's column (c<index>), −1 the geometry."""

    index: int
    header: str
    letter: str
    unit: str = ""
    factor: Fraction = Fraction(1)
    stated: str = "default"


@dataclass
class Plan:
    """How one sheet becomes rows of one table."""

    sheet: Sheet
    name: str
    table: Table
    first_header: int
    last_header: int
    furniture: list[int]
    uses: dict[str, Use]
    headers: list[str]
    notes: list[str] = field(default_factory=list)
    period: int | None = None
    titles: list[str] = field(default_factory=list)
    extra_from: int | None = None

    def as_dict(self) -> dict[str, object]:
        """What was understood, for the ledger and ``--dry-run``."""
        columns = {n: {"column": u.letter, "header": u.header, "unit": u.unit} for n, u in self.uses.items()}
        last = self.sheet.letter(max(len(self.headers) - 1, 0))
        end = self.sheet.rows or ""
        return {
            "sheet": self.sheet.name,
            "table": self.name,
            "range": f"{self.sheet.letter(0)}{max(self.first_header, 1)}:{last}{end}",
            "header_rows": [self.first_header, self.last_header],
            "header": self.headers,
            "columns": columns,
            "constants": dict(self.table.constants),
            "period": self.period,
            "notes": [*self.sheet.notes, *self.notes],
        }


def understand(path: Path, sheets: list[Sheet], source: Source, mapped: bool) -> tuple[list[Plan], list[str]]:
    """A plan for every sheet that holds a declared table, and the names of the sheets that hold none.

    Raises:
        PermuError: ``no_table``, ``missing_column``, ``ambiguous_column``, ``ambiguous_unit``.
    """
    plans, skipped, partial = [], [], []
    for sheet in sheets:
        found = find_tables(sheet, source)
        if found and not found[0].missing:
            plans.append(_plan(path, sheet, found[0], mapped))
            continue
        skipped.append(sheet.name)
        partial += [(sheet, f) for f in found]
    if plans:
        return plans, skipped
    raise _none_found(path, source, partial)


def _none_found(path: Path, source: Source, partial: list[tuple[Sheet, Found]]) -> PermuError:
    close = max(partial, key=lambda p: len(p[1].matched) - len(p[1].missing), default=None)
    if close is None:
        return PermuError(
            "no_table",
            f"{path}: no table of {source.source} found: no row of its first 40 holds a known header; "
            f"add its headers to ingest/sources/{source.source}.yaml or pass --mapping",
            f"{path}：未找到{source.title.get('zh', source.source)}的表：前 40 行没有认识的表头；"
            f"请把表头加入 ingest/sources/{source.source}.yaml，或用 --mapping",
        )
    sheet, found = close
    group = found.missing[0]
    looked = ", ".join(dict.fromkeys(h for n in group for h in found.table.fields[n].headers[:4]))
    where = f"{path}, sheet {sheet.name or '-'}, header row {found.first_header}"
    file = f"ingest/sources/{source.source}.yaml"
    return PermuError(
        "missing_column",
        f"{where}: no column for {' or '.join(group)} (looked for {looked}); add the header to {file} under "
        f"{found.name}.{group[0]}.headers, or pass --mapping",
        f"{path}，工作表 {sheet.name or '-'}，表头第 {found.first_header} 行：缺少 {' 或 '.join(group)} 列（找过：{looked}）；"
        f"请把表头加入 {file} 的 {found.name}.{group[0]}.headers，或用 --mapping",
        field=group[0],
    )


def _plan(path: Path, sheet: Sheet, found: Found, mapped: bool) -> Plan:
    rows = sample_rows(sheet)
    scan_below_header(found, rows)
    data = rows[max(found.last_header, *found.header_furniture, 0) :] if sheet.header is None else rows
    notes = _shift_repaired(found, data) if sheet.header is None else []
    notes += _settle_twins(path, sheet, found, data)
    uses = {name: _use(path, sheet, found, name, data) for name in found.matched}
    if not mapped:
        _plausible(path, sheet, found, uses, data)
        _vintage(found, uses)
    notes += [f"{n}: header {u.header} taken as cut off" for n, u in uses.items() if found.matched[n][1].rank == CUT]
    notes += [f"{n}: no unit stated, taken as {u.unit}" for n, u in uses.items() if u.unit and u.stated == "default"]
    headers = [c.label for c in found.columns]
    plan = Plan(
        sheet,
        found.name,
        found.table,
        found.first_header,
        found.last_header,
        found.header_furniture,
        uses,
        headers,
        notes,
    )
    plan.titles = found.lines
    if sheet.kind == "csv":
        plan.extra_from = _extra_from(found.columns, data)
    return plan


def _shift_repaired(found: Found, data: list[list[str | None]]) -> list[str]:
    index = Index(found.table)
    found.columns, told = repair(found.columns, index, data)
    if not told:
        return []
    geometry = found.matched.get("geometry")
    found.matched, found.twins = assign(index, found.columns, False)
    if geometry:
        found.matched["geometry"] = geometry
    return [told]


def _extra_from(columns: list[Column], data: list[list[str | None]]) -> int:
    """The first of the unnamed columns at the right end that are empty in most rows: a value there is one too many."""
    last = max((c.index for c in columns if c.texts), default=-1) + 1
    while last < len(columns) and sum(1 for r in data if r[last]) > len(data) / 2:
        last += 1
    return last


def _settle_twins(path: Path, sheet: Sheet, found: Found, data: list[list[str | None]]) -> list[str]:
    """Two columns that name the same field: the same values or a descriptive text → the first; else a person decides."""
    notes = []
    for name, others in found.twins.items():
        first = found.matched[name][0]
        same = all(r[first.index] == r[o.index] for r in data for o in others)
        labels = " / ".join(f"{sheet.letter(c.index)} {c.label}" for c in (first, *others))
        if not same and found.table.fields[name].type not in ("text", "name"):
            raise PermuError(
                "ambiguous_column",
                f"{path}, sheet {sheet.name or '-'}: {labels} could all be {name} and differ; "
                "name the right one in a file for --mapping",
                f"{path}，工作表 {sheet.name or '-'}：{labels} 都可能是 {name}，且值不同；请用 --mapping 文件指明",
                field=name,
            )
        notes.append(f"{name}: {labels} all match; the first is used")
    return notes


def _use(path: Path, sheet: Sheet, found: Found, name: str, data: list[list[str | None]]) -> Use:
    column = found.matched[name][0]
    letter = sheet.letter(column.index) if column.index >= 0 else ""
    declared = found.table.fields[name]
    if declared.type not in ("amount", "share"):
        return Use(column.index, column.label, letter)
    stated = _stated_unit(path, sheet, found, name)
    if stated is None and declared.type == "share" and _percent(data, column.index):
        return Use(column.index, column.label, letter, "%", Fraction(10**7), "values")
    unit = (stated and find_unit(stated[1], quantity(name))) or default_unit(name, declared)
    return Use(column.index, column.label, letter, unit.name, unit.factor, stated[0] if stated else "default")


def _percent(data: list[list[str | None]], index: int) -> bool:
    """Bare numbers above 1 in a share column: they can only be per cent."""
    numbers = [plain_number(r[index]) for r in data if r[index]]
    return any(float(n) > 1 for n in numbers if n)


def _stated_unit(path: Path, sheet: Sheet, found: Found, name: str) -> tuple[str, str] | None:
    """(where, text) of the nearest stated unit; the header beats the unit row, both must agree."""
    kind = quantity(name)
    texts = unit_texts(found, name)
    known = [(where, text, unit.factor) for where, text in texts if (unit := find_unit(text, kind))]
    near = [k for k in known if k[0] != "unit line"] or known
    wrong = [text for where, text in texts if where != "unit line" and (is_unit_of_any(text) or looks_like_unit(text))]
    if len({factor for *_, factor in near}) > 1:
        raise _unclear(path, sheet, found, name, " / ".join(text for _, text, _ in near))
    if not near and wrong and kind not in ("share", "count"):
        raise _unclear(path, sheet, found, name, wrong[0])
    return (near[0][0], near[0][1]) if near else None


def _unclear(path: Path, sheet: Sheet, found: Found, name: str, text: str) -> PermuError:
    label = found.matched[name][0].label
    known = ", ".join(unit_names(quantity(name))[:8])
    return PermuError(
        "ambiguous_unit",
        f"{path}, sheet {sheet.name or '-'}, column {label}: unit {text} does not settle {name} (known: {known}); "
        "state one unit in the header or name it in a file for --mapping",
        f"{path}，工作表 {sheet.name or '-'}，列 {label}：单位 {text} 不能确定 {name}（可用：{known}）；"
        "请在表头写明一个单位，或用 --mapping 文件指明",
        field=name,
    )


def _vintage(found: Found, uses: dict[str, Use]) -> None:
    """行业代码（GB/T 4754-2011） says its vintage in the header: a constant of this sheet, where no column says it."""
    code = uses.get("industry_code")
    stated = code and re.search(r"(?<!\d)(2002|2011|2017)(?!\d)", code.header)
    if stated and "industry_vintage" not in uses:
        constants = {**found.table.constants, "industry_vintage": stated[1]}
        found.table = found.table.model_copy(update={"constants": constants})


def _plausible(path: Path, sheet: Sheet, found: Found, uses: dict[str, Use], data: list[list[str | None]]) -> None:
    """Areas in m² under a header that says mu (or the reverse): the median betrays them. Ask, never guess."""
    use = uses.get("area_dm2")
    if use is None or "parcel_code" not in uses:
        return
    cells = pl.Series([plain_number(r[use.index] or "") for r in data], dtype=pl.String).cast(pl.Float64).drop_nulls()
    positive = cells.filter(cells > 0)
    if positive.len() < _ENOUGH:
        return
    median = positive.median()
    assert isinstance(median, float)
    mu = median * float(use.factor) * 3 / 200_000
    low, high = float(_AREA_MU[0]), float(_AREA_MU[1])
    if mu > high or (mu < low and use.stated == "default"):
        raise _unclear(path, sheet, found, "area_dm2", f"{use.unit} (median {median:g})")


# --- the period of a file that has no period column -----------------------------------------------------------

_SPAN = re.compile(r"\d{1,2}\s*月?\s*[-~至—]\s*\d{1,2}\s*月")
_NAMED_MONTH = re.compile(r"(20\d\d)\s*年?[-_./]?\s*(1[0-2]|0?[1-9])\s*月|(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)|(?<!\d)(20\d\d)(?=年|0[1-9]|1[0-2])")


def settle_period(plan: Plan, file: Path, year: int) -> None:
    """Without a period column the rows are of the month that sheet, title or file name says, else of the year."""
    if plan.table.period is None or plan.table.period in plan.uses or plan.table.period in plan.table.constants:
        return
    short = re.match(r"^(\d{1,2}|[一二三四五六七八九十]{1,2})月份?$", plan.sheet.name.strip())
    named = parse_period(plan.sheet.name.strip(), year) if short else None
    texts = [plan.sheet.name, *plan.titles, file.stem]
    plan.period = named.value if named else next((p for t in texts if (p := _month_in(t, year))), year)
    plan.notes.append(f"no period column: rows are of {plan.period}")


def _month_in(text: str, year: int) -> int | None:
    found = None if _SPAN.search(text) else _NAMED_MONTH.search(text)
    if not found:
        return None
    stated, month = int(found[1] or found[3]), int(found[2] or found[4])
    return stated * 100 + month if stated == year else None


def year_in_rows(plans: list[Plan]) -> int | None:
    """The one year that the sample's periods are of; None where there is none or more than one."""
    years: set[int] = set()
    for plan in plans:
        use = plan.uses.get(plan.table.period or "")
        if use is None:
            continue
        data = sample_rows(plan.sheet)[plan.last_header :]
        texts = {r[use.index] for r in data if r[use.index] and r[use.index] not in EMPTY_MARKS}
        periods = [parse_period(t, None) for t in texts if t]
        years |= {year_of(p.value) for p in periods if p}
    return years.pop() if len(years) == 1 else None


def year_in_text(texts: list[str]) -> int | None:
    """The first 20xx in file name or titles."""
    return next((int(found[1] or found[2]) for t in texts if (found := _YEAR.search(t))), None)
