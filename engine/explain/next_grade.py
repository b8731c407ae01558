"""What the next grade would take: for every amount that is scored, the smallest change that lifts the enterprise over
the line, all else equal.

The change is one of a fact under the amount in its smallest unit (fen), found exactly by engine.explain.reach: every
amount that reads the fact follows, and where a base or range is this year's, it moves with the change, and the others'
scores with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from engine.explain.reach import Computed, Lever, Search
from engine.explain.telling import Step, Telling, plain, step
from engine.policy.scoring import Share
from engine.schema.columns import column
from engine.schema.facts import FACTS


@dataclass(frozen=True)
class Need:
    """The smallest change of an amount (in its smallest unit; negative where less is better) that reaches ``grade``.

    ``lever`` is what is changed, ``items`` are those that divide the amount, ``up_to`` is the grade's cumulative per cent. ``change`` is None where no
    change of this amount alone reaches it (a cap, or a figure that cannot fall below 0).
    """

    amount: str
    lever: Lever
    items: tuple[str, ...]
    grade: str
    up_to: Decimal
    change: int | None


def steps(told: Telling, computed: Computed) -> Iterator[Step]:
    """A step ``next`` for every amount that is scored, for a graded enterprise that is not in the best grade."""
    search = _search(told, computed)
    if search is not None:
        for need in _needs(search):
            yield _told(told, need, search)


def needs(told: Telling, computed: Computed) -> list[Need]:
    """What each scored amount would have to become for the next better grade by the quota, all else equal."""
    search = _search(told, computed)
    return [] if search is None else _needs(search)


def _next(told: Telling) -> Share | None:
    """The share of the next better grade than the enterprise's by the quota; None where there is none."""
    if told.group is None or told.row["grade_rank"] is None or not told.group.shares:
        return None
    rank, of = int(told.row["grade_rank"]), int(told.row["grade_of"])
    better = [s for s in told.group.shares if rank * 100 > s.up_to_percent * of]
    return better[-1] if better else None


def _search(told: Telling, computed: Computed) -> Search | None:
    """The search for the next grade; None for who has none to reach."""
    share = _next(told)
    return None if share is None else Search.of(told, computed, share)


def _needs(search: Search) -> list[Need]:
    """The amounts above the division lines of the items, each with the items that it moves and the change it takes."""
    known, share = search.told.policy.all_indicators, search.share
    found: dict[str, list[str]] = {}
    for name in search.group.items:
        found.setdefault(known[name].numerator, []).append(name)
    needed = []
    for amount, items in found.items():
        lever = search.lever(amount)
        change = search.smallest(lever, known[items[0]].direction == "less")
        needed.append(Need(amount, lever, tuple(items), share.grade, share.up_to_percent, change))
    return needed


def _told(told: Telling, need: Need, search: Search) -> Step:
    first = need.items[0]
    one = told.policy.all_indicators[first]
    unit, what = told.unit(one.unit), _what(told, need)
    if need.change is None:
        note = told.say(
            f"仅靠{what}无法升至 {need.grade} 等（其余不变）", f"no change of {what} alone reaches grade {need.grade}"
        )
        return step("next", first, None, unit, note)
    then = search.own(need.lever, np.array([need.change], dtype=np.int64))
    became = {n: then[n][0] for n in need.items}
    change = became[first] - (told.row[first] or 0.0)
    amount, amount_unit = told.amount(need.amount, need.change)
    parts = "; ".join(
        f"{told.title(n)} {plain(told.row[n])} → {plain(v)} {told.unit(told.policy.all_indicators[n].unit)}".rstrip()
        for n, v in became.items()
    )
    last = int(told.row["grade_of"] * need.up_to // 100)
    if told.row.get("adjustment"):
        parts += told.say(
            f"；等级另受调整规则影响：{told.row['adjustment']}",
            f"; rules also adjust the grade: {told.row['adjustment']}",
        )
    note = told.say(
        f"其余不变，{what}{amount:+,.10g} {amount_unit}（精确 {need.change:+d}）即达 {need.grade} 等（前 {last} 名）：{parts}",
        f"all else equal, {what} {amount:+,.10g} {amount_unit} (exactly {need.change:+d}) reaches grade {need.grade} "
        f"(rank {last} or better): {parts}",
    )
    return step("next", first, change, unit, note)


def _what(told: Telling, need: Need) -> str:
    """The amount by name: a fact's title, an amount's column (tax_fen → 税收), else the indicator that it stands above."""
    if need.amount in FACTS:
        return told.say(FACTS[need.amount].zh, FACTS[need.amount].en)
    known = column(need.amount.rpartition("_")[0] + "_wan_yuan")
    titled = told.title(need.items[0]) if known.zh == known.name else known.title("zh" if told.zh else "en").lower()
    return f"{titled} ({need.amount})"
