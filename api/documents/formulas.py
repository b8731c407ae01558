"""What a policy computes, as formulas that a spreadsheet computes again: amounts, indicators, points, total, grade.

A figure that is missing is an empty cell or ``""``, never 0. The order of the operations is the engine's, so that a
spreadsheet's float64 gives the same quotients.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.policy.formula import parse
from engine.policy.indicators import Indicator
from engine.policy.scoring import Item, Share

LONGEST = 8_000  # a spreadsheet takes 8,192 characters
_SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


def amount(text: str, cells: Mapping[str, str]) -> str:
    """A pack's formula over the cells of the names that it reads; empty where the engine gives null."""
    tree = parse(text)
    names = _plain_names(tree)
    if names:
        listed = ",".join(cells[n] for n in names)
        return f'=IF(COUNT({listed})=0,"",SUM({listed}))'
    known, value = _built(tree, cells)
    return f'=IF({known},{value},"")'


def _plain_names(tree: ast.expr) -> list[str]:
    """The names of ``total(a, b, …)`` where nothing but names are added: then COUNT and SUM say it shortest."""
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "total"):
        return []
    names = [a.id for a in tree.args if isinstance(a, ast.Name)]
    return names if len(names) == len(tree.args) else []


def _built(node: ast.expr, cells: Mapping[str, str]) -> tuple[str, str]:
    """(whether it is known, its value) as parts of a formula."""
    match node:
        case ast.Name(id=name):
            return f"ISNUMBER({cells[name]})", cells[name]
        case ast.Constant(value=value):
            return "TRUE", str(value)
        case ast.BinOp(left=left, right=right):
            (known_a, a), (known_b, b) = _built(left, cells), _built(right, cells)
            known = " ".join(k for k in (known_a, known_b) if k != "TRUE").replace(" ", ",")
            return (f"AND({known})" if "," in known else known or "TRUE"), f"({a}{_SIGNS[type(node.op)]}{b})"
        case ast.Call(func=ast.Name(id="first"), args=args):
            parts = [_built(a, cells) for a in args]
            value = parts[-1][1]
            for known, one in reversed(parts[:-1]):
                value = f"IF({known},{one},{value})"
            return f"OR({','.join(k for k, _ in parts)})", value
        case ast.Call(args=args):
            parts = [_built(a, cells) for a in args]
            return f"OR({','.join(k for k, _ in parts)})", "+".join(f"IF({k},{v},0)" for k, v in parts)
    raise AssertionError(node)


def quotient(one: Indicator, days: int, cells: Mapping[str, str]) -> str:
    """numerator × times ÷ (denominator × by); empty unless both are known and the divisor is above 0."""
    top, bottom = cells[one.numerator], cells[one.denominator]
    times = one.times * (days if one.per_land else 1)
    above = top if times == 1 else f"{top}*{times}"
    below = bottom if one.by == 1 else f"({bottom}*{one.by})"
    return f'=IF(AND(ISNUMBER({top}),N({bottom})>0),{above}/{below},"")'


def points(item: Item, value: str, base: str, high: str, weight: str, mean: str) -> str:
    """The points of an item by its form; ``base`` holds the lowest value where the form is a range. A missing value gets
    what its rule says; ``mean`` is the cell of the group's average points."""
    return f"=IF(ISNUMBER({value}),{_form(item, value, base, high, weight)},{_missing(item, mean)})"


def _form(item: Item, value: str, base: str, high: str, weight: str) -> str:
    match item.form:
        case "ratio":
            free = f"{value}/{base}*{weight}"
            if item.floor is not None:
                free = f"MAX({number(item.floor)}*{weight},{free})"
            return free if item.cap is None else f"MIN({number(item.cap)}*{weight},{free})"
        case "inverse":
            return f"MIN({weight},MAX(0,(2-{value}/{base})*({weight}/2)))"
        case "minmax_20_80":
            return f"IF({high}>{base},({value}-{base})/({high}-{base})*({weight}*80/100)+{weight}*20/100,{weight})"
        case "rank_only":
            return value


def _missing(item: Item, mean: str) -> str:
    if item.missing == "group_average_score":
        return f"N({mean})"
    if item.missing == "exclude_reweight":
        return '""'
    return number(item.penalty) if item.penalty is not None else "0"


def total(items: Mapping[str, Item], cells: Mapping[str, tuple[str, str]]) -> str:
    """Σ of the points (``cells``: name → cells of weight and points) from left to right; where items leave the total by
    ``exclude_reweight``, the others' weights are scaled up to 100."""
    summed = "+".join(f"N({points_})" for _, points_ in cells.values())
    if all(i.missing != "exclude_reweight" for i in items.values()):
        return f"={summed}"
    weights = "+".join(f"IF(ISNUMBER({p}),{w},0)" for w, p in cells.values())
    return f'=IF({weights}>0,({summed})*100/({weights}),"")'


def score(items: str, bonus: str | None, deduction: str | None, digits: int | None) -> str:
    """The total with bonus and deduction as a whole number of 10⁻¹⁰ (or of the pack's digits), rounded half up."""
    whole = items + (f"+{bonus}" if bonus else "") + (f"-{deduction}" if deduction else "")
    scale = 10 ** (10 if digits is None else digits)
    return f"=INT(({whole})*{scale}+0.5)/{scale}"


def grade(shares: Iterable[Share], rank: str, of: str, limits: Mapping[str, str]) -> str:
    """The grade by the quota: the first whose cumulative share (``limits``: grade → cell) reaches the rank."""
    *better, last = shares
    formula = f'"{last.grade}"'
    for share in reversed(better):
        formula = f'IF({rank}*100<={limits[share.grade]}*{of},"{share.grade}",{formula})'
    return f"={formula}"


def number(value: Decimal | float | int) -> str:
    """A decimal as a formula writes it."""
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)
