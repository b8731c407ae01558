"""From a found table to a plan: which column feeds which field, in which unit, for which period.

Understanding happens once, on a sheet's first rows; :mod:`ingest.checks` then applies the plan batch by batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from engine.schema.errors import PermuError
from engine.schema.units import find_unit
from ingest.ambiguity import check_medians, needed, settle_rivals, unclear_unit
from ingest.declarations import Source, Table, default_unit, quantity
from ingest.headers import CUT, Index, is_unit_of_any, looks_like_unit
from ingest.layout import Month, month_sheets, spread
from ingest.map_use import Use
from ingest.read.sheet import Sheet
from ingest.reshape import with_stand_ins
from ingest.shift import repair
from ingest.table import Column, Found, assign, find_tables, sample_rows, scan_below_header, unit_texts
from ingest.values import EMPTY_MARKS, parse_period, plain_number, year_of


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
    findings: list[dict[str, str]] = field(default_factory=list)  # what a person should look at
    period: int | None = None
    month: Month | None = None
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
            plans += _by_month(_plan(path, sheet, found[0], mapped), found[0])
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
    told, stand_in = settle_rivals(path, sheet, found, data)
    uses, left = _uses(path, sheet, found, data)
    notes += [*told, *(finding["en"] for finding in left)]
    # 吨 under 综合能耗 may be another figure in a wrong column; capital in 万美元 is what it says
    doubts = [finding for finding in left if is_unit_of_any(finding["unit"])]
    check_medians(path, sheet, found, uses, data)
    if not mapped:
        _vintage(found, uses)
    notes += [f"{n}: header {u.header} taken as cut off" for n, u in uses.items() if found.matched[n][1].rank == CUT]
    notes += [f"{n}: no unit stated, taken as {u.unit}" for n, u in uses.items() if u.unit and u.stated == "default"]
    headers = [c.label for c in found.columns]
    plan = Plan(
        with_stand_ins(sheet, stand_in),
        found.name,
        found.table,
        found.first_header,
        found.last_header,
        found.header_furniture,
        uses,
        headers,
        notes,
        doubts,
    )
    plan.titles = found.lines
    if found.kinds:
        plan.sheet, plan.uses = spread(plan.sheet, found.kinds, Index(found.table), uses)
        plan.table = found.table.model_copy(update={"unique": []})
        plan.notes.append("a row names its amount: rows of a key are summed")
        return plan
    if sheet.kind == "csv":
        plan.extra_from = _extra_from(found.columns, data)
    return plan


def _by_month(plan: Plan, found: Found) -> list[Plan]:
    """A plan for each month's column of a wide table; the plan itself where the table is none."""
    value = found.table.wide
    if not found.months or value is None:
        return [plan]
    above = max(plan.last_header, *plan.furniture, 0)
    plans: list[Plan] = []
    for month, sheet in month_sheets(plan.sheet, found.months, above):
        use = replace(plan.uses[value], index=month.column, header=month.texts[0], letter=sheet.letter(month.column))
        notes = plan.notes if not plans else []
        plans.append(replace(plan, sheet=sheet, uses={**plan.uses, value: use}, month=month, notes=list(notes)))
    plans[0].notes.append(f"{value}: {len(plans)} columns named as months; every filled cell is a record")
    return plans


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


def _uses(
    path: Path, sheet: Sheet, found: Found, data: list[list[str | None]]
) -> tuple[dict[str, Use], list[dict[str, str]]]:
    """The columns' uses; one in a unit of something else that no row needs is left out, and told."""
    uses: dict[str, Use] = {}
    left = []
    for name in list(found.matched):
        try:
            uses[name] = _use(path, sheet, found, name, data)
        except PermuError as error:
            if "foreign" not in error.details or needed(found, name):
                raise
            label = " ".join(found.matched.pop(name)[0].label.split())
            left.append(_left_empty(name, label, str(error.details["foreign"])))
    return uses, left


def _left_empty(name: str, label: str, unit: str) -> dict[str, str]:
    return {
        "kind": "foreign_unit",
        "unit": unit,
        "en": f"{name}: column {label} is in {unit}, no unit of {quantity(name)}: left empty; if it does hold {name}, "
        "put the unit in the header right, or pass --mapping",
        "zh": f"{name}：“{label}”列的单位是 {unit}，不是该指标的计量单位，未予采用；若该列确为此指标，请更正表头单位或使用 --mapping",
    }


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
        raise unclear_unit(path, sheet, found, name, " / ".join(text for _, text, _ in near))
    if not near and wrong and kind not in ("share", "count"):
        raise unclear_unit(path, sheet, found, name, wrong[0], foreign=wrong[0])
    return (near[0][0], near[0][1]) if near else None


def _vintage(found: Found, uses: dict[str, Use]) -> None:
    """行业代码（GB/T 4754-2011） says its vintage in the header: a constant of this sheet, where no column says it."""
    code = uses.get("industry_code")
    stated = code and re.search(r"(?<!\d)(2002|2011|2017)(?!\d)", code.header)
    if stated and "industry_vintage" not in uses:
        constants = {**found.table.constants, "industry_vintage": stated[1]}
        found.table = found.table.model_copy(update={"constants": constants})


# --- the period of a file that has no period column -----------------------------------------------------------

_SPAN = re.compile(r"\d{1,2}\s*月?\s*[-~至—]\s*\d{1,2}\s*月")
_NAMED_MONTH = re.compile(r"(20\d\d)\s*年?[-_./]?\s*(1[0-2]|0?[1-9])\s*月|(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)|(?<!\d)(20\d\d)(?=年|0[1-9]|1[0-2])")


def settle_period(plan: Plan, file: Path, year: int) -> None:
    """Without a period column the rows are of the month that sheet, title or file name says, else of the year."""
    if plan.month is not None:
        plan.period = _stated_month(plan, plan.month, file, year)
        return
    if (
        plan.table.undated
        or plan.table.period is None
        or plan.table.period in plan.uses
        or plan.table.period in plan.table.constants
    ):
        return
    short = re.match(r"^(\d{1,2}|[一二三四五六七八九十]{1,2})月份?$", plan.sheet.name.strip())
    named = parse_period(plan.sheet.name.strip(), year) if short else None
    texts = [plan.sheet.name, *plan.titles, file.stem]
    plan.period = named.value if named else next((p for t in texts if (p := _month_in(t, year))), year)
    plan.notes.append(f"no period column: rows are of {plan.period}")


def _stated_month(plan: Plan, month: Month, file: Path, year: int) -> int:
    """The month that a column's header names, which must be of the load's year."""
    if month.year not in (None, year):
        raise PermuError(
            "period_outside_year",
            f"{file}: column {month.texts[0]} is of {month.year}, the load of {year}; pass --year {month.year} or remove it",
            f"{file}：列 {month.texts[0]} 属于 {month.year} 年，而本次导入 {year} 年；请用 --year {month.year} 或删去该列",
        )
    return year * 100 + month.month


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
