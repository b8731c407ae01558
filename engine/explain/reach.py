"""The smallest change of one figure that brings an enterprise within a share of its group, found exactly.

A place need not rise steadily with a figure: more sales lift sales per mu and press research per sales. So changes are
searched by bounds, leftmost first: of an interval of changes the best score that the enterprise can have in it, and the
least that every other can have, are known from its ends, because each item moves one way over it. Where even these do
not reach the line no change within does; the others are cut into smaller ones, down to a single change, whose scores are
computed as the pipeline computes them. (Branch and bound: Land and Doig, Econometrica 28, 1960.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import numpy as np
import polars as pl

from engine.explain.bases import Sums, evaluated_at, sums
from engine.explain.telling import Telling
from engine.policy.formula import compile_formula, names_in
from engine.policy.scoring import Group, Item, Share
from engine.ranking.amounts import quotient, with_amounts
from engine.ranking.bases import items_of
from engine.ranking.exact import mean, mean_sums
from engine.ranking.extras import with_events
from engine.ranking.ranks import GROUPINGS
from engine.ranking.scores import with_items, with_missing, with_total
from engine.schema.facts import FACTS

Computed = dict[str, int | None]
_PARTS = 256  # intervals of one look
_CELLS = 250_000  # rows that are scored at once where a change moves the others' scores too
_MOST = 10**16  # of the smallest unit: 10¹⁰ 万元
_ROUNDS = 300  # looks after which float rounding is no longer allowed for


@dataclass(frozen=True)
class Lever:
    """What is moved for an amount: the first fact that moves it one to one, else the amount itself.

    ``slopes`` is what one unit of it adds to every fact and amount that it moves.
    """

    name: str
    slopes: dict[str, int]


@dataclass(frozen=True)
class Search:
    """One enterprise, its group, and the line to reach."""

    told: Telling
    computed: Computed
    group: Group
    share: Share
    others: pl.DataFrame  # the rankings rows of the others in its quota group

    @classmethod
    def of(cls, told: Telling, computed: Computed, share: Share) -> Search:
        """The search for the place of ``share`` in the enterprise's quota group."""
        assert told.group is not None
        mine = pl.col("enterprise_id") == told.row["enterprise_id"]
        alike = (pl.col("score_group") == told.row["score_group"]) & _same(told, told.row["grade_within"])
        if told.policy.tenants.rule == "own_list":
            alike = alike & (_is_tenant(pl.col("flags")) == pl.select(_is_tenant(pl.lit(told.row["flags"]))).item())
        rows = told.release.table("rankings").filter(alike & pl.col("score_e10").is_not_null() & ~mine)
        return cls(told, computed, told.group, share, rows.select(_read(told)).collect())

    def lever(self, amount: str) -> Lever:
        """The figure to move for an amount."""
        facts = [amount] if amount in FACTS else list(dict.fromkeys(_facts_under(self.told, amount)))
        for fact in facts:
            one, two = (self._amounts(fact, np.array([n])).row(0, named=True) for n in (1, 2))
            slopes = {n: two[n] - one[n] for n in two if one[n] is not None and two[n] != one[n]}
            if slopes.get(amount) == 1 and (one[amount] or 0) == (self.computed[amount] or 0) + 1:
                return Lever(fact, slopes)
        return Lever(amount, {amount: 1, **dict.fromkeys(self._above(amount), 1)})

    def smallest(self, lever: Lever, less: bool) -> int | None:
        """The smallest change (negative where ``less`` is better) that reaches the line; None where none does."""
        most = self._most(lever, less)
        left = [(1, most)] if most > 0 else []
        for turn in range(1 << 30):
            if not left:
                return None
            low, high = left.pop(0)
            cuts = self._cuts(lever, low, high)
            starts, ends = cuts[:-1], cuts[1:] - 1
            hopeful = self.reachable(lever, -starts if less else starts, -ends if less else ends, turn < _ROUNDS)
            kept = [(int(a), int(b)) for a, b in zip(starts[hopeful], ends[hopeful], strict=True)]
            if kept and kept[0][0] == kept[0][1]:
                return -kept[0][0] if less else kept[0][0]
            left = kept + left
        return None

    def _cuts(self, lever: Lever, low: int, high: int) -> np.ndarray:
        """The starts of the parts of an interval, and what follows its end."""
        rows = 4 * max(1, self.others.height) if self._moving(lever) else 4
        parts = max(8, min(_PARTS, _CELLS // rows))
        cuts = low + (high + 1 - low) * np.arange(parts + 1, dtype=object) // parts
        return np.unique(cuts.astype(np.int64))

    def _most(self, lever: Lever, less: bool) -> int:
        """How far a figure can move: down to nothing, or up to where the integers of an indicator end."""
        if less:
            return self.computed[lever.name] or 0
        known = [self.told.policy.all_indicators[n] for n in self.group.items]
        times = max(max(i.times * (self.told.days if i.per_land else 1), i.by) for i in known)
        there = max(abs(v or 0) for v in self.computed.values())
        return min(_MOST, (2**62 // times - there) // max(abs(s) for s in lever.slopes.values()))

    # --- bounds ---------------------------------------------------------------------------------------------------

    def reachable(self, lever: Lever, starts: np.ndarray, ends: np.ndarray, wary: bool = True) -> np.ndarray:
        """For each interval of changes whether its best case is within the share: exact where start and end are one."""
        score = self.told.policy.score
        assert score is not None
        at = self.own(lever, np.concatenate([starts, ends]))
        first, last = at[: len(starts)], at[len(starts) :]
        mine, unsure = self._best(lever, first, last)
        wide = starts != ends
        if wary and self._crossed(lever):
            mine = np.where(wide, mine + 2 + (np.abs(mine) >> 45), mine)
        better = self._better(lever, first, last, mine, worse=score.ties == "share_worse_rank")
        top, bottom = self.share.up_to_percent.as_integer_ratio()
        within = (better + 1) * (100 * bottom) <= top * self.told.row["grade_of"]
        return (within & ~np.isnan(unsure)) | (wide & (unsure == 1))

    def _best(self, lever: Lever, first: pl.DataFrame, last: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """The highest ``score_e10`` over each interval; and 1 where a value is known at one end only, nan without a score."""
        corners = [first, last]
        moved = self._moving(lever)
        if moved and self._crossed(lever):
            corners += [first.with_columns(last.select(moved)), last.with_columns(first.select(moved))]
        points = [_pointed(self.told, c) for c in corners]
        names = [f"item__{n}" for n in self.group.items]
        best = points[0].with_columns(**{n: pl.Series(_most_of([p[n] for p in points])) for n in names})
        ends = [points[0], points[1]]
        values = [*names, *self.group.items]
        apart = pl.select(
            pl.any_horizontal(*(ends[0][n].is_null() != ends[1][n].is_null() for n in values))
        ).to_series()
        total = _totalled(self.told, best)
        unsure = np.where(apart.to_numpy(), 1.0, np.where(total.is_null().to_numpy(), np.nan, 0.0))
        return total.fill_null(-(2**62)).to_numpy(), unsure

    def _crossed(self, lever: Lever) -> bool:
        """Whether the change moves both sides of an item's division, or its value and the base: floats then wiggle."""
        known = self.told.policy.all_indicators
        both = (known[n].numerator in lever.slopes and known[n].denominator in lever.slopes for n in self.group.items)
        return any(both) or any(m.startswith("base__") for m in self._moving(lever))

    def _better(
        self, lever: Lever, first: pl.DataFrame, last: pl.DataFrame, mine: np.ndarray, worse: bool
    ) -> np.ndarray:
        """How many others surely stand before a score of each interval (``worse``: or beside it)."""
        moved = [c for c in self._moving(lever) if c in first.columns]
        if not moved or not self.others.height:
            still = np.sort(self.others["score_e10"].to_numpy())
            return len(still) - np.searchsorted(still, mine, side="left" if worse else "right")
        step = max(1, _CELLS // (2 * max(1, self.others.height)))
        found = []
        for at in range(0, len(mine), step):
            ends = (self._crossing(f[at : at + step].select(moved)) for f in (first, last))
            points = [_pointed(self.told, crossed) for crossed in ends]
            names = [f"item__{n}" for n in self.group.items]
            least = points[0].with_columns(**{n: pl.Series(_least_of([p[n] for p in points])) for n in names})
            scores = _totalled(self.told, least).fill_null(-(2**62)).to_numpy()
            grid = scores.reshape(-1, self.others.height)
            beside = mine[at : at + step, None]
            found.append((grid >= beside if worse else grid > beside).sum(axis=1))
        return np.concatenate(found)

    def _crossing(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Every other enterprise under the bases and ranges of each row, where it shares them."""
        rows = measures.select(pl.all().name.prefix("then__")).with_row_index("k")
        crossed = rows.join(self.others, how="cross", maintain_order="left_right")
        return crossed.with_columns(
            **{m: pl.when(self._shared(m)).then(f"then__{m}").otherwise(m) for m in measures.columns}
        )

    # --- the enterprise as it would be ----------------------------------------------------------------------------

    def own(self, lever: Lever, changes: np.ndarray) -> pl.DataFrame:
        """The enterprise's row once for each change, with the amounts, indicators, bases and ranges that follow."""
        told, known = self.told, self.told.policy.all_indicators
        frame = nw.from_native(self._amounts(lever.name, changes).lazy())
        values = frame.with_columns(**{n: quotient(known[n], told.days) for n in self.group.items})
        schema = self.others.schema
        rows = values.to_native().collect()
        kept = [c for c in schema if c not in rows.columns]
        rows = rows.with_columns(**{c: pl.lit(told.row[c], dtype=schema[c]) for c in kept})
        for name in self._bases(lever):
            rows = self._with_base(rows, name)
        return rows.with_columns(**self._ranges(lever))

    def _amounts(self, moved: str, changes: np.ndarray) -> pl.DataFrame:
        """Facts and amounts with one of them changed; what is computed from it follows."""
        rows = pl.DataFrame({n: pl.Series([v] * len(changes), dtype=pl.Int64) for n, v in self.computed.items()})
        rows = rows.with_columns((pl.col(moved).fill_null(0) + pl.Series(changes)).alias(moved))
        if moved in FACTS:
            return with_amounts(nw.from_native(rows.lazy()), self.told.policy).to_native().collect()
        return _followed(rows, self.told, self._above(moved))

    def _above(self, moved: str) -> list[str]:
        """The amounts that are computed from a figure, in the pack's order."""
        names = {moved}
        for name, formula in self.told.policy.amounts.items():
            if name not in names and names_in(formula) & names:
                names.add(name)
        return [n for n in self.told.policy.amounts if n in names and n != moved]

    def _bases(self, lever: Lever) -> list[str]:
        """The items whose base is this year's average of values that the figure moves."""
        known = self.told.policy.all_indicators
        this = [n for n, i in self.group.items.items() if i.base and i.base.average_of == "this_year"]
        return [n for n in this if {known[n].numerator, known[n].denominator} & lever.slopes.keys()]

    def _ranged(self, lever: Lever) -> list[str]:
        known = self.told.policy.all_indicators
        this = [n for n, i in self.group.items.items() if i.form == "minmax_20_80"]
        return [n for n in this if {known[n].numerator, known[n].denominator} & lever.slopes.keys()]

    def _moving(self, lever: Lever) -> list[str]:
        """The columns of bases and ranges that the change moves, for the others too."""
        ends = [f"{end}__{n}" for n in self._ranged(lever) for end in ("low", "high")]
        return [f"base__{n}" for n in self._bases(lever)] + ends

    def _shared(self, measure: str) -> pl.Expr:
        """Which others are measured by the same base or range."""
        end, _, name = measure.partition("__")
        base = self.group.items[name].base
        level = base.within if end == "base" and base is not None else self.group.graded_within
        return _same(self.told, level)

    def _ranges(self, lever: Lever) -> dict[str, pl.Expr]:
        found = {}
        for name in self._ranged(lever):
            held = self.others.filter(self._shared(f"low__{name}"))[name]
            found[f"low__{name}"] = pl.min_horizontal(name, pl.lit(held.min(), dtype=pl.Float64))
            found[f"high__{name}"] = pl.max_horizontal(name, pl.lit(held.max(), dtype=pl.Float64))
        return found

    def _with_base(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        """This year's average with the enterprise's own figures as they would be: see engine.ranking.bases."""
        item = self.group.items[name]
        assert item.base is not None
        if item.base.average == "simple_mean":
            return self._with_mean(rows, name, item)
        one = self.told.policy.all_indicators[name]
        without = self._without[name]
        times = one.times * item.base.times_exact.numerator * (self.told.days if one.per_land else 1)
        by = one.by * item.base.times_exact.denominator
        known = pl.col(name).is_not_null()
        top, bottom = (
            pl.when(known).then(pl.col(c)).otherwise(0) + there
            for c, there in ((one.numerator, without.numerator), (one.denominator, without.denominator))
        )
        value = (top.cast(pl.Float64) * float(times)) / (bottom.cast(pl.Float64) * float(by))
        return rows.with_columns(pl.when((top > 0) & (bottom > 0)).then(value).alias(f"base__{name}"))

    @cached_property
    def _without(self) -> dict[str, Sums]:
        """The sums behind each Σ/Σ base of this year, without the enterprise."""
        found = {}
        for name, item in self.group.items.items():
            if item.base is None or item.base.average_of != "this_year" or item.base.average != "sigma_over_sigma":
                continue
            all_, one = sums(self.told, name, item.base), self.told.policy.all_indicators[name]
            assert all_ is not None
            counted = self.told.row[name] is not None
            own = [(self.computed[n] or 0) if counted else 0 for n in (one.numerator, one.denominator)]
            found[name] = Sums(all_.numerator - own[0], all_.denominator - own[1], all_.count - counted)
        return found

    def _with_mean(self, rows: pl.DataFrame, name: str, item: Item) -> pl.DataFrame:
        assert item.base is not None
        parts = mean_sums(name, nw.col(name))
        all_ = evaluated_at(self.told, item.base)
        assert all_ is not None
        there = nw.from_native(all_).select(**parts).to_native()
        mine = nw.from_native(pl.DataFrame({name: [self.told.row[name]]}, schema={name: pl.Float64}))
        own = mine.select(**parts).to_native()
        each = nw.from_native(rows.with_row_index("_k").lazy()).group_by("_k").agg(**parts).sort("_k")
        totals = each.to_native().collect().with_columns(**{c: pl.col(c) + (there[c][0] - own[c][0]) for c in parts})
        value = nw.from_native(totals).select(base=mean(name)).to_native()["base"]
        return rows.with_columns(pl.when(value > 0).then(value * float(item.base.times_exact)).alias(f"base__{name}"))


def _same(told: Telling, level: str) -> pl.Expr:
    """Who is at the enterprise's place of a level."""
    keys = [k for k in GROUPINGS[level] if k in told.row]
    return pl.all_horizontal(pl.lit(True), *(pl.col(k) == told.row[k] for k in keys))


def _is_tenant(flags: pl.Expr) -> pl.Expr:
    return flags.str.split(",").list.contains("tenant")


def _facts_under(told: Telling, amount: str) -> list[str]:
    """The facts that an amount is computed from, in the dictionary's order."""
    names = names_in(told.policy.amounts[amount])
    while inner := names & told.policy.amounts.keys() - {amount}:
        names = (names - inner).union(*(names_in(told.policy.amounts[n]) for n in inner))
    return [f for f in FACTS if f in names]


def _followed(rows: pl.DataFrame, told: Telling, names: list[str]) -> pl.DataFrame:
    """The amounts that are computed from a changed amount, computed again."""
    for name in names:
        again = compile_formula(told.policy.amounts[name]).alias(name)
        rows = nw.from_native(rows.lazy()).with_columns(again).to_native().collect()
    return rows


def _read(told: Telling) -> list[str]:
    """The columns of rankings that scores are computed from, and the places that they are measured in."""
    parts = ("base__", "low__", "high__", "item__")
    known = [c for c in told.row if c.startswith(parts)]
    score = told.policy.score
    indicators = items_of(score) if score else []
    places = [k for keys in GROUPINGS.values() for k in keys if k in told.row]
    return list(dict.fromkeys(["enterprise_id", "score_group", "score_e10", *indicators, *known, *places]))


def _pointed(told: Telling, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of rankings with their item scores by the pipeline's own steps, from indicators, bases and ranges.

    What a missing value gets of the group's average stays as it was.
    """
    score = told.policy.score
    assert score is not None
    means = {f"mean__{n}": pl.col(f"item__{n}") for n in items_of(score)}
    wide = nw.from_native(rows.with_columns(evaluation=pl.lit("in"), **means).with_row_index("_place").lazy())
    return with_missing(with_items(wide, score), score, None).to_native().collect().sort("_place")


def _totalled(told: Telling, pointed: pl.DataFrame) -> pl.Series:
    """``score_e10`` of rows with their item scores."""
    score = told.policy.score
    assert score is not None
    events = nw.from_native(told.release.table("events")) if told.release.has("events") else None
    wide = with_total(with_events(nw.from_native(pointed.lazy()), events, score, told.year), score)
    return wide.select("_place", "score_e10").to_native().collect().sort("_place")["score_e10"]


def _ends_of(choose: Callable[..., pl.Expr]) -> Callable[[list[pl.Series]], pl.Series]:
    def chosen(points: list[pl.Series]) -> pl.Series:
        named = [p.alias(f"at{n}") for n, p in enumerate(points)]
        return pl.select(choose(*(pl.lit(p) for p in named)).alias("chosen")).to_series()

    return chosen


_most_of, _least_of = _ends_of(pl.max_horizontal), _ends_of(pl.min_horizontal)
