"""Whether whole numbers end before the figures do: asked of the largest figure of each column, before anything is ranked.

Amounts are Int64 until the one division of an indicator. Beyond 2⁶³ Polars would go on with a wrong number and Spark
would stop in the middle; neither may happen for a figure that somebody typed with six zeros too many.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

import narwhals as nw

from engine.policy.formula import parse
from engine.policy.model import Policy
from engine.ranking.amounts import needed_facts
from engine.ranking.base_facts import facts_of
from engine.schema.errors import PermuError
from engine.schema.units import DM2_PER_MU

END = 2**63 - 1
_LAND_TIMES = DM2_PER_MU.denominator * 1000  # land is compared with mu to the thousandth
_TENANTS = 1000  # an owner and its tenants together are taken to have no more than this many times the largest figure


def check_bounds(policy: Policy, year: int, days: int, facts: nw.LazyFrame) -> None:
    """PermuError figure_too_large where an amount, an indicator's side or a sum of the year could pass 2⁶³."""
    known = set(facts.collect_schema().names())
    names = [f for f in needed_facts(policy) if f in known]
    largest, total, rows = _figures(facts, names, _averaged(policy))
    one = largest
    if policy.tenants.rule in ("merged", "both"):
        one = {n: min(v * rows, v * _TENANTS) for n, v in largest.items()}
    for what, fact in _beyond(policy, days, one) + _sums_beyond(policy, total, largest, rows):
        raise _refused(year, what, fact, facts)


def _averaged(policy: Policy) -> set[str]:
    """The facts that sums under averages are taken of."""
    items = [name for _, name, item in policy.scored if item.base is not None and item.base.average_of]
    known = [policy.all_indicators[name] for name in items]
    return {f for one in known for side in (one.numerator, one.denominator) for f in facts_of(policy, side)}


def _figures(facts: nw.LazyFrame, names: list[str], summed: set[str]) -> tuple[dict[str, int], dict[str, int], int]:
    """The largest figure of each column without its sign, sums of some (at most 10⁻¹² too large), how many rows there are."""
    asked: dict[str, nw.Expr] = {"rows": nw.len()}
    for name in names:
        asked |= {f"low__{name}": nw.col(name).min(), f"high__{name}": nw.col(name).max()}
    asked |= {f"sum__{n}": nw.col(n).cast(nw.Float64).abs().sum() for n in names if n in summed}
    found = dict(zip(asked, facts.select(**asked).collect("polars").row(0), strict=True))
    largest = {n: max(abs(found[f"low__{n}"] or 0), abs(found[f"high__{n}"] or 0)) for n in names}
    total = {n: int((found[f"sum__{n}"] or 0) * (1 + 1e-12)) for n in names if n in summed}
    return largest, total, found["rows"]


def _beyond(policy: Policy, days: int, largest: Mapping[str, int]) -> list[tuple[str, str]]:
    """What could pass the end for one enterprise, each with the fact that is to blame."""
    found = []
    for amount, formula in policy.amounts.items():
        if _bound(policy, amount, largest, 1) > END:
            found.append((amount, _blamed(policy, formula, largest)))
    for name in policy.computed:
        one = policy.all_indicators[name]
        times = one.times * (days if one.per_land else 1)
        if _bound(policy, one.denominator, largest, 1) == 0:  # nobody's is known: nothing is divided
            continue
        for side, factor in ((one.numerator, times), (one.denominator, one.by)):
            if _bound(policy, side, largest, 1) * factor > END:
                found.append((name, _blamed(policy, side, largest)))
    if largest.get("land_dm2_days", 0) * _LAND_TIMES > END:
        found.append(("land_mu", "land_dm2_days"))
    return found


def _sums_beyond(
    policy: Policy, total: Mapping[str, int], largest: Mapping[str, int], rows: int
) -> list[tuple[str, str]]:
    """The sums under averages that could pass the end."""
    found = []
    for _, name, item in policy.scored:
        one = policy.all_indicators[name]
        for side in (one.numerator, one.denominator):
            if item.base is not None and item.base.average_of and _bound(policy, side, total, rows) > END:
                found.append((name, _blamed(policy, side, largest)))
    return found


def _bound(policy: Policy, formula: str, known: Mapping[str, int], rows: int) -> int:
    """The most that a formula can come to without its sign, by the most of each fact (or by its sum over ``rows``)."""

    def of(node: ast.expr, factor: bool = False) -> int:
        match node:
            case ast.Name(id=name) if name in policy.amounts and name not in known:
                return of(parse(policy.amounts[name]))
            case ast.Name(id=name):
                return known.get(name, 0)
            case ast.Constant(value=int(value)):
                return abs(value) * (1 if factor else rows)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return of(left, factor=True) * of(right, factor=True)
            case ast.BinOp(left=left, right=right):
                return of(left, factor) + of(right, factor)
            case ast.Call(func=ast.Name(id="first"), args=args):
                return max(of(a, factor) for a in args)
            case ast.Call(args=args):
                return sum(of(a, factor) for a in args)
        raise AssertionError(node)

    return of(parse(formula))


def _blamed(policy: Policy, formula: str, largest: Mapping[str, int]) -> str:
    """The fact under a formula that alone comes to the most in it."""
    return max(largest, key=lambda fact: (_bound(policy, formula, {fact: largest[fact]}, 0), largest[fact]))


def _refused(year: int, what: str, fact: str, facts: nw.LazyFrame) -> PermuError:
    value = nw.col(fact)
    ends = facts.select(low=value.min(), high=value.max()).collect("polars").row(0)
    worst = max(ends, key=abs)
    who = facts.filter(value == worst).select(nw.col("enterprise_id").min()).collect("polars").item()
    return PermuError(
        "figure_too_large",
        f"{year}: {fact} of enterprise {who} is {worst}: too large to compute {what} in whole numbers (they end at {END}); "
        f"nothing was ranked. Correct the figure in its file and load it again, or with `permu correct`",
        f"{year} 年：企业 {who} 的 {fact} 为 {worst}，过大，无法以整数计算 {what}（上限 {END}），未作排名；"
        "请在源文件中更正后重新导入，或用 permu correct 更正",
        fact=fact,
        enterprise_id=who,
        value=worst,
    )
