"""Where a file does not settle what a column is: two columns for one field, a unit of something else, values that belie it.

Nothing is guessed: a person is asked, both columns named. Two things need no asking. A second column of ids stands in where
the first is empty, as long as the two do not contradict each other. A column in a foreign unit (注册资本（万美元）) that no row
needs is left out and noted.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from engine.schema.errors import PermuError
from engine.schema.units import unit_names
from ingest.declarations import Field, default_unit, quantity
from ingest.headers import normal
from ingest.map_use import Use
from ingest.read.sheet import Sheet
from ingest.table import Column, Found
from ingest.values import EMPTY_MARKS, plain_number

_IDS = ("uscc", "org_code", "reg_no", "permit")
# Of these the first by the declaration's order is taken: the others say the same thing in another form.
_ORDERED = ("text", "name", "date", "period", "region", "industry", "flag")
_CONTRADICTS = 0.1
_ENOUGH_HIGH, _ENOUGH_LOW = 3, 10
Data = list[list[str | None]]


def settle_rivals(path: Path, sheet: Sheet, found: Found, data: Data) -> tuple[list[str], dict[int, list[int]]]:
    """What was decided about fields that several columns name, and column → the columns that stand in where it is empty.

    Raises:
        PermuError: ``ambiguous_column``.
    """
    notes: list[str] = []
    stand_in: dict[int, list[int]] = {}
    for name, others in found.twins.items():
        first, kind = found.matched[name][0], found.table.fields[name].type
        labels = " / ".join(f"{sheet.letter(c.index)} {c.label}" for c in (first, *others))
        same = all(r[first.index] == r[o.index] for r in data for o in others)
        if not same and kind in _IDS and not any(_contradict(data, first, o) for o in others):
            stand_in[first.index] = [o.index for o in others]
            notes.append(f"{name}: {labels}: each where those before it are empty")
        elif same or _in_order(found, name, kind, others):
            notes.append(f"{name}: {labels} all match; the first is used")
        else:
            raise _ambiguous(path, sheet, labels, name)
    return notes, stand_in


def _in_order(found: Found, name: str, kind: str, others: list[Column]) -> bool:
    """Whether the declaration's own order of headers decides; the same header twice only where it is a description."""
    if kind not in _ORDERED:
        return False
    return kind in ("text", "name") or not any(_folded(found.matched[name][0]) == _folded(o) for o in others)


def _folded(column: Column) -> str:
    return "".join(normal(column.label).split())


def _contradict(data: Data, one: Column, other: Column) -> bool:
    """Two ids in a row that do not name the same enterprise, in more than a few rows."""
    both = [(r[one.index], r[other.index]) for r in data]
    ids = [(_bare(a), _bare(b)) for a, b in both if a and b and _bare(a) and _bare(b)]
    return sum(not _same_id(a, b) for a, b in ids) > _CONTRADICTS * len(ids)


def _bare(text: str) -> str:
    bare = "".join(c for c in normal(text).upper() if c.isalnum())
    return "" if normal(text) in EMPTY_MARKS else bare


def _same_id(one: str, other: str) -> bool:
    """Equal, or an organisation code (9) or old taxpayer id (15) of the credit code (18) beside it."""
    inner = {18: slice(8, 17), 15: slice(6, 15), 9: slice(0, 9)}
    same_org = len(one) in inner and len(other) in inner and one[inner[len(one)]] == other[inner[len(other)]]
    return one == other or (same_org and len(one) != len(other))


def _ambiguous(path: Path, sheet: Sheet, labels: str, name: str) -> PermuError:
    return PermuError(
        "ambiguous_column",
        f"{path}, sheet {sheet.name or '-'}: {labels} could all be {name} and differ; "
        "name the right one in a file for --mapping",
        f"{path}，工作表 {sheet.name or '-'}：{labels} 都可能是 {name}，且值不同；请用 --mapping 文件指明",
        field=name,
    )


def unclear_unit(path: Path, sheet: Sheet, found: Found, name: str, text: str, **details: object) -> PermuError:
    """``ambiguous_unit``: the unit that the file states, or leaves out, does not settle the field."""
    label = " ".join(found.matched[name][0].label.split())
    known = ", ".join(unit_names(quantity(name))[:8])
    return PermuError(
        "ambiguous_unit",
        f"{path}, sheet {sheet.name or '-'}, column {label}: unit {text} does not settle {name} (known: {known}); "
        "state one unit in the header or name it in a file for --mapping",
        f"{path}，工作表 {sheet.name or '-'}，列 {label}：单位 {text} 不能确定 {name}（可用：{known}）；"
        "请在表头写明一个单位，或用 --mapping 文件指明",
        field=name,
        **details,
    )


def needed(found: Found, name: str) -> bool:
    """Whether no row can do without ``name``: required, or the only one of a required group that was found."""
    only = any(name in group and not any(found.has(n) for n in group if n != name) for group in found.table.require)
    return only or name in found.table.required_values


def check_medians(path: Path, sheet: Sheet, found: Found, uses: dict[str, Use], data: Data) -> None:
    """A column whose values belie its unit (6,667 under 亩) by the declared ``median``.

    Raises:
        PermuError: ``ambiguous_unit``.
    """
    for name, use in uses.items():
        declared = found.table.fields[name]
        if declared.median is None or declared.type != "amount":
            continue
        median = _median(data, use)
        if median is not None and _implausible(name, declared, median, use):
            low, high = declared.median
            said = f"{use.unit} (median {median[0]:g}; {low:g} to {high:g} {declared.unit} is plausible)"
            raise unclear_unit(path, sheet, found, name, said)


def _median(data: Data, use: Use) -> tuple[float, int] | None:
    numbers = pl.Series([plain_number(r[use.index] or "") for r in data], dtype=pl.String).cast(pl.Float64).drop_nulls()
    positive = numbers.filter(numbers > 0)
    median = positive.median()
    return (median, positive.len()) if isinstance(median, float) else None


def _implausible(name: str, declared: Field, median: tuple[float, int], use: Use) -> bool:
    assert declared.median is not None
    value = median[0] * float(use.factor / default_unit(name, declared).factor)
    low, high = declared.median
    # A few small ones may be true (a pump house); a few huge ones hardly.
    return (value > high and median[1] >= _ENOUGH_HIGH) or (value < low and median[1] >= _ENOUGH_LOW)
