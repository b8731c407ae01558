"""What the next grade would take: for every amount that is scored, the smallest change that lifts the enterprise over
the line, all else equal.

The change is one of the enterprise's own amount in its smallest unit (fen), found exactly: the enterprise is scored again
by the pipeline's own functions with candidate amounts, and what it would reach is compared with the other enterprises of
its group. Where a base is this year's average of the group, it moves with the change, and the others' scores with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import narwhals as nw
import numpy as np
import polars as pl

from engine.explain.bases import Sums, sums
from engine.explain.telling import Step, Telling, plain, step
from engine.policy.formula import compile_formula, names_in
from engine.policy.scoring import Group, Share
from engine.ranking.amounts import quotient
from engine.ranking.bases import items_of
from engine.ranking.extras import with_events
from engine.ranking.ranks import GROUPINGS
from engine.ranking.scores import with_items, with_missing, with_total
from engine.schema.columns import column
from engine.schema.facts import FACTS

Computed = dict[str, int | None]
_WIDEST = 4096  # candidates of one look
_CELLS = 250_000  # rows that are scored at once where a change moves the others' scores too
_MOST = 10**16  # of the smallest unit: 10¹⁰ 万元; beyond it the integers of an indicator would overflow


@dataclass(frozen=True)
class Need:
    """The smallest change of an amount (in its smallest unit; negative where less is better) that reaches ``grade``.

    ``items`` are those that the amount moves, ``up_to`` is the grade's cumulative per cent. ``change`` is None where no
    change of this amount alone reaches it (a cap, or a figure that cannot fall below 0).
    """

    amount: str
    items: tuple[str, ...]
    grade: str
    up_to: Decimal
    change: int | None


def steps(told: Telling, computed: Computed) -> Iterator[Step]:
    """A step ``next`` for every amount that is scored, for a graded enterprise that is not in the best grade."""
    search = _Search.of(told, computed)
    if search is not None:
        for need in search.needs():
            yield _told(told, need, search)


def needs(told: Telling, computed: Computed) -> list[Need]:
    """What each scored amount would have to become for the next better grade by the quota, all else equal."""
    search = _Search.of(told, computed)
    return [] if search is None else search.needs()


def _next(told: Telling) -> Share | None:
    """The share of the next better grade than the enterprise's by the quota; None where there is none."""
    if told.group is None or told.row["grade_rank"] is None or not told.group.shares:
        return None
    rank, of = int(told.row["grade_rank"]), int(told.row["grade_of"])
    better = [s for s in told.group.shares if rank * 100 > s.up_to_percent * of]
    return better[-1] if better else None


@dataclass(frozen=True)
class _Search:
    """One enterprise, its group, and the line to reach."""

    told: Telling
    computed: Computed
    group: Group
    share: Share
    others: pl.DataFrame  # the rankings rows of the others in its quota group
    moving: dict[str, Sums]  # items whose base is this year's Σ/Σ of a group that it belongs to: the group's sums

    @classmethod
    def of(cls, told: Telling, computed: Computed) -> _Search | None:
        """The search for the next grade; None for who has none to reach."""
        group, share = told.group, _next(told)
        if group is None or share is None:
            return None
        alike = pl.col("score_group") == told.row["score_group"]
        for key in GROUPINGS[told.row["grade_within"]]:
            if key in told.row:
                alike = alike & (pl.col(key) == told.row[key])
        mine = pl.col("enterprise_id") == told.row["enterprise_id"]
        rows = told.release.table("rankings").filter(alike & pl.col("score_e10").is_not_null() & ~mine)
        others = rows.select(_read(told)).collect()
        moving = {n: s for n, i in group.items.items() if i.base and i.base.average_of == "this_year"
                  and i.base.average == "sigma_over_sigma" and (s := sums(told, n, i.base)) is not None}  # fmt: skip
        return cls(told, computed, group, share, others, moving)

    def needs(self) -> list[Need]:
        """The amounts above the division lines of the items, each with the items that it moves and the change it takes."""
        found: dict[str, list[str]] = {}
        for name in self.group.items:
            found.setdefault(self.told.policy.all_indicators[name].numerator, []).append(name)
        grade, up_to = self.share.grade, self.share.up_to_percent
        levers = [Need(amount, tuple(items), grade, up_to, None) for amount, items in found.items()]
        return [replace(n, change=self.smallest(n)) for n in levers]

    def smallest(self, need: Need) -> int | None:
        """The smallest change that reaches the line, by ever finer looks between what fails and what does."""
        less = self.told.policy.all_indicators[need.items[0]].direction == "less"
        most = (self.computed[need.amount] or 0) if less else _MOST
        if most <= 0:  # not known, or nothing left to take away
            return None
        looks, low = np.unique(np.minimum(2 ** np.arange(0, 54, dtype=np.int64), most)), 0
        width = max(64, min(_WIDEST, _CELLS // max(1, self.others.height)))
        while True:
            reached = np.flatnonzero(self.reaches(need, -looks if less else looks))
            if not len(reached):
                return None
            first = int(reached[0])
            low, high = (int(looks[first - 1]) if first else low), int(looks[first])
            if high - low <= 1:
                return -high if less else high
            looks = low + (high - low) * np.arange(1, width + 1, dtype=object) // width
            looks = np.unique(looks.astype(np.int64))
            looks = looks[looks > low]

    def reaches(self, need: Need, changes: np.ndarray) -> np.ndarray:
        """For each change whether the enterprise's place would be within the share."""
        own = self.own(need.amount, changes)
        score = self.told.policy.score
        assert score is not None
        of, mine = self.told.row["grade_of"], rescored(self.told, own)
        better = self._better(need, own, mine, worse=score.ties == "share_worse_rank")
        top, bottom = self.share.up_to_percent.as_integer_ratio()
        return (better + 1) * (100 * bottom) <= top * of

    def own(self, amount: str, changes: np.ndarray) -> pl.DataFrame:
        """The enterprise's row once for each changed amount, with the indicators and bases that follow from it."""
        told = self.told
        rows = pl.DataFrame({n: pl.Series([v] * len(changes), dtype=pl.Int64) for n, v in self.computed.items()})
        rows = rows.with_columns((pl.col(amount).fill_null(0) + pl.Series(changes)).alias(amount))
        frame = nw.from_native(_followed(rows, told.policy.amounts, amount).lazy())
        known = told.policy.all_indicators
        values = frame.with_columns(**{n: quotient(known[n], told.days) for n in self.group.items})
        schema = self.others.schema
        kept = [c for c in schema if c not in self.group.items and c not in rows.columns]
        fixed = {c: pl.lit(told.row[c], dtype=schema[c]) for c in kept}
        rows = values.to_native().collect().with_columns(**fixed)
        return rows.with_columns(**self._measures(amount))

    def _measures(self, amount: str) -> dict[str, pl.Expr]:
        """Bases and ranges that the change moves, over the enterprise's own rows."""
        found = {f"base__{n}": self._base(n, held) for n, held in self.moving.items()}
        for name, item in self.group.items.items():
            if item.form == "minmax_20_80" and self.told.policy.all_indicators[name].numerator == amount:
                held = self._alike(f"low__{name}", f"high__{name}")[name]
                found[f"low__{name}"] = pl.min_horizontal(name, pl.lit(held.min(), dtype=pl.Float64))
                found[f"high__{name}"] = pl.max_horizontal(name, pl.lit(held.max(), dtype=pl.Float64))
        return found

    def _base(self, name: str, held: Sums) -> pl.Expr:
        """The group's average with the enterprise's own amounts as they would be: see engine.ranking.bases."""
        one, item = self.told.policy.all_indicators[name], self.group.items[name]
        assert item.base is not None
        without = held.numerator - (self.computed[one.numerator] or 0)
        times = one.times * item.base.times_exact.numerator * (self.told.days if one.per_land else 1)
        by = one.by * item.base.times_exact.denominator
        top = (pl.col(one.numerator) + without).cast(pl.Float64) * float(times)
        return top / pl.lit(float(held.denominator) * float(by))

    def _alike(self, *measures: str) -> pl.DataFrame:
        """The others that are measured by the same bases or ranges as the enterprise."""
        return self.others.filter(pl.all_horizontal(pl.col(m) == self.told.row[m] for m in measures))

    def _better(self, need: Need, own: pl.DataFrame, mine: np.ndarray, worse: bool) -> np.ndarray:
        """How many others stand before each row of ``own`` (``worse``: or beside it), as the change makes their scores."""
        moved = [c for c in self._measures(need.amount) if own[c].n_unique() > 1 or own[c][0] != self.told.row[c]]
        if not moved:
            still = np.sort(self.others["score_e10"].to_numpy())
            return len(still) - np.searchsorted(still, mine, side="left" if worse else "right")
        step = max(1, _CELLS // max(1, self.others.height))
        found = []
        for start in range(0, own.height, step):
            part = own[start : start + step].select(pl.col(moved).name.prefix("then__")).with_row_index("k")
            crossed = part.join(self.others, how="cross", maintain_order="left_right")
            then = {m: pl.when(pl.col(m) == self.told.row[m]).then(f"then__{m}").otherwise(m) for m in moved}
            scores = rescored(self.told, crossed.with_columns(**then)).reshape(part.height, self.others.height)
            beside = mine[start : start + step, None]
            found.append((scores >= beside if worse else scores > beside).sum(axis=1))
        return np.concatenate(found)


def rescored(told: Telling, rows: pl.DataFrame) -> np.ndarray:
    """``score_e10`` of rankings rows by the pipeline's own steps, from their indicators, bases and ranges.

    What a missing value gets of the group's average stays as it was.
    """
    score = told.policy.score
    assert score is not None
    means = {f"mean__{n}": pl.col(f"item__{n}") for n in items_of(score)}
    wide = nw.from_native(rows.with_columns(evaluation=pl.lit("in"), **means).with_row_index("_place").lazy())
    events = nw.from_native(told.release.table("events")) if told.release.has("events") else None
    wide = with_events(wide, events, score, told.year)
    wide = with_total(with_missing(with_items(wide, score), score, None), score)
    return wide.select("_place", "score_e10").to_native().collect().sort("_place")["score_e10"].to_numpy()


def _read(told: Telling) -> list[str]:
    """The columns of rankings that scores are computed from."""
    parts = ("base__", "low__", "high__", "item__")
    known = [c for c in told.row if c.startswith(parts)]
    score = told.policy.score
    indicators = items_of(score) if score else []
    return list(dict.fromkeys(["enterprise_id", "score_group", "score_e10", *indicators, *known]))


def _followed(rows: pl.DataFrame, formulas: dict[str, str], changed: str) -> pl.DataFrame:
    """The amounts that are computed from a changed one, computed again."""
    moved = {changed}
    for name, formula in formulas.items():
        if name not in moved and names_in(formula) & moved:
            rows = nw.from_native(rows.lazy()).with_columns(compile_formula(formula).alias(name)).to_native().collect()
            moved.add(name)
    return rows


def _told(told: Telling, need: Need, search: _Search) -> Step:
    first = need.items[0]
    one = told.policy.all_indicators[first]
    unit, what = told.unit(one.unit), _what(told, need)
    if need.change is None:
        note = told.say(
            f"仅靠{what}无法升至 {need.grade} 等（其余不变）", f"no change of {what} alone reaches grade {need.grade}"
        )
        return step("next", first, None, unit, note)
    then = search.own(need.amount, np.array([need.change], dtype=np.int64))
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
