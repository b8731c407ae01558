"""One release, ready for questions: which rows a group holds and how they stand by a metric.

A board keeps the table in enterprise_id order, so that a row's number is its place in the id order and a stable
sort breaks ties by id. With the prepared files of engine.served a group in order is found; without them (a release
in memory) it is a filter and a sort, paid once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl

from engine.policy.packs import Pack
from engine.query.groups import codes, conditions
from engine.query.parameters import DIMENSIONS, refuse
from engine.query.selection import Group
from engine.query.standing import Standing
from engine.schema.columns import GRADES
from engine.schema.errors import PermuError
from engine.served import Listing, Served, shape
from engine.served.orders import by_rank, ranks_by_value
from engine.served.search import SEPARATOR, Search, needle

CACHE_BYTES = 48 * 2**20
# Best first, as numbers that rank.
_GRADE_VALUES = {grade: float(len(GRADES) - n) for n, grade in enumerate(GRADES)}


class Opened(Protocol):
    """What a board needs of a release (see engine.releases.Release)."""

    @property
    def manifest(self) -> dict[str, Any]: ...

    @property
    def rankings(self) -> pl.DataFrame: ...

    @property
    def pack(self) -> Pack: ...

    def has(self, name: str) -> bool: ...

    def table(self, name: str) -> pl.LazyFrame: ...


class Board:
    """Answers about one immutable release; safe to share between threads."""

    def __init__(self, release: Opened, served: Served | None = None) -> None:
        self.release = release
        self.served = served
        self.manifest = release.manifest
        self.release_id: str = release.manifest["release_id"]
        self.year: int = int(release.manifest["year"])
        policy = release.manifest["policy"]
        self.policy: str = policy["id"] if isinstance(policy, dict) else policy
        self._cache: OrderedDict[Any, Any] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    @cached_property
    def table(self) -> pl.DataFrame:
        """The rankings in enterprise_id order: mapped columns where the release is prepared."""
        if self.served is not None:
            return self.served.table
        table = self.release.rankings
        return table if table["enterprise_id"].is_sorted() else table.sort("enterprise_id")

    @property
    def is_read(self) -> bool:
        """Whether nothing has to be read any more for :attr:`table`."""
        return self.served is not None or "table" in vars(self)

    @property
    def height(self) -> int:
        """How many enterprises."""
        return self.served.height if self.served is not None else self.table.height

    # --- what can be asked -------------------------------------------------------------------------------------

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """Indicator columns of this release, in its own order."""
        return shape.indicators(self.table.schema)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Base and points of each item of a composite score; empty where the policy has none."""
        return shape.parts(self.table.columns)

    @cached_property
    def _columns(self) -> frozenset[str]:
        return frozenset(self.table.columns)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Everything ``by`` may name: the ranked metrics first, then other indicators and the amounts."""
        ranked = [m for m in self.manifest["metrics"] if m in self.table.columns]
        others = [*self.indicators, *(a for a in shape.AMOUNTS if a in self.table.columns)]
        return tuple(dict.fromkeys([*ranked, *others]))

    def metric(self, by: str | None) -> str:
        """The metric asked, or the release's default; ``bad_parameter`` for one it does not have."""
        name = by or self.manifest.get("default_metric") or self.metrics[0]
        if name not in self.metrics and not (name == "grade" and "grade" in self._columns):
            listed = ", ".join(self.metrics)
            refuse("by", name, f"release {self.release_id} has {listed}", f"版本 {self.release_id} 的指标为 {listed}")
        return str(name)

    @cached_property
    def zones(self) -> frozenset[str]:
        """Codes of the development zones that occur in the release."""
        if self.served is not None:
            return frozenset(self.served.combinations["region"]["zone_code"].drop_nulls())
        held = "zone_code" in self.table.columns
        return frozenset(self.table["zone_code"].drop_nulls().unique()) if held else frozenset()

    @cached_property
    def own_industries(self) -> frozenset[str]:
        """Industry codes of the release that are a place's own: with letters in them."""
        held = self.table if self.served is None else self.served.combinations["industry"]
        if "industry_code" not in held.columns:
            return frozenset()
        codes = held["industry_code"].drop_nulls().unique()
        return frozenset(codes.filter(~codes.str.contains(r"^\d+$")))

    # --- groups ------------------------------------------------------------------------------------------------

    def members(self, group: Group) -> np.ndarray:
        """Row numbers of a group, in id order."""
        return self.cached(("members", group), lambda: self._members(group), lambda rows: rows.nbytes)

    def _members(self, group: Group) -> np.ndarray:
        if self.served is not None:
            return self.served.members(self.wanted(self.served, group))
        asked = conditions(group, self.zones, self.own_industries)
        return self.where(pl.all_horizontal(asked.values())) if asked else np.arange(self.height, dtype=np.uint32)

    def wanted(self, served: Served, group: Group) -> dict[str, np.ndarray]:
        """Dimension → which of its codes belong to the group."""
        return codes(served, group, self.zones, self.own_industries)

    def where(self, condition: pl.Expr) -> np.ndarray:
        """Row numbers that meet a condition, in id order."""
        return self.table.lazy().select(pl.arg_where(condition)).collect().to_series().to_numpy()

    # --- orders ------------------------------------------------------------------------------------------------

    def listing(self, group: Group, metric: str) -> Listing:
        """A group in order of a metric (kept)."""
        return self.cached(("listing", group, metric), lambda: self._made(group, metric), lambda found: found.nbytes)

    def _made(self, group: Group, metric: str) -> Listing:
        if self.served is not None:
            self.served.tidy()
        return self._listing(group, metric)

    def at_hand(self, group: Group, metric: str) -> Listing | None:
        """A listing that was found before, or that stands in the files as it is: a quarter of a millisecond at most."""
        key = ("listing", group, metric)
        with self._lock:
            found = self._cache.get(key)
        if found is not None or self.served is None:
            return found[0] if found else None
        standing = self.served.prepared(metric, self.wanted(self.served, group))
        return None if standing is None else self.cached(key, lambda: standing, lambda held: held.nbytes)

    def _listing(self, group: Group, metric: str) -> Listing:
        if self.served is not None and metric in self.served.metrics:
            wanted = self.wanted(self.served, group)
            return self.served.prepared(metric, wanted) or self.served.narrowed(metric, wanted)
        everybody = self._everybody(metric)
        if group == Group():
            return everybody
        members = self.members(group)
        if 8 * len(members) < self.height:
            return Listing(members[np.argsort(everybody.ranks[members], kind="stable")], everybody.ranks)
        held = np.zeros(self.height, dtype=bool)
        held[members] = True
        return Listing(everybody.rows[held[everybody.rows]], everybody.ranks)

    def _everybody(self, metric: str) -> Listing:
        """All rows in order of a metric."""
        if self.served is not None and (found := self.served.everybody(metric)) is not None:
            return found
        return self.cached(("everybody", metric), lambda: self._ranked(metric), lambda found: 2 * found.ranks.nbytes)

    def _ranked(self, metric: str) -> Listing:
        ranks = ranks_by_value(self.column(metric))
        return Listing(by_rank(ranks), ranks)

    def standing(self, group: Group, metric: str) -> Standing:
        """How a group stands by a metric, in id order."""
        listing = self.listing(group, metric)
        by_id = np.argsort(listing.rows[: listing.of], kind="stable")
        return Standing(listing.rows[by_id], listing.every_rank()[by_id], listing.rows[listing.of :])

    def column(self, metric: str) -> pl.Series:
        """What a metric ranks on: the integer total for the score, the quotient for an indicator."""
        if metric == "grade":
            return self.table["grade"].replace_strict(_GRADE_VALUES, default=None, return_dtype=pl.Float64)
        return self.table["score_e10" if metric == "score" and "score_e10" in self.table.columns else metric]

    # --- filters on rows ---------------------------------------------------------------------------------------

    def graded(self, grades: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
        """Which of these rows hold one of the grades (a mask)."""
        if self.served is not None:
            held = self.served.holding("grade", *(("grade", grade, None) for grade in grades))
            return np.asarray(held[self.served.codes["grade"][rows]])
        if "grade" not in self.table.columns:
            return np.zeros(len(rows), dtype=bool)
        return self.table["grade"].gather(pl.Series(rows)).is_in(list(grades)).fill_null(False).to_numpy()

    def found(self, q: str, rows: np.ndarray) -> np.ndarray:
        """Which of these rows hold the text in name, credit code, id or pinyin initials (a mask)."""
        if (
            32 * len(rows) < self.height and SEPARATOR not in q
        ):  # a text picked out costs as much as twenty looked through
            return self._search.among(needle(q), rows)
        mask = np.zeros(self.height, dtype=bool)
        mask[self.holding(q)] = True
        return np.asarray(mask[rows])

    def holding(self, q: str) -> np.ndarray:
        """Row numbers that hold the text, in id order."""
        return self.cached(("holding", q), lambda: self._holding(q), lambda rows: rows.nbytes)

    def _holding(self, q: str) -> np.ndarray:
        mask = np.zeros(self.height, dtype=bool)
        if SEPARATOR not in q:
            for rows in self._search.holding(needle(q)):
                mask[rows] = True
                if self.served is not None:
                    self.served.tidy()
        return np.flatnonzero(mask).astype(np.uint32)

    def within(self, group: Group, rows: np.ndarray) -> np.ndarray:
        """Which of these rows are in the group (a mask)."""
        if self.served is not None:
            return self.served.among(rows, self.wanted(self.served, group))
        return np.isin(rows, self.members(group))

    @cached_property
    def _search(self) -> Search:
        return self.served.search if self.served is not None else Search.of(self.table)

    def number_of(self, enterprise: str) -> int:
        """The row number of an enterprise id; -1 where there is none."""
        ids = self.table["enterprise_id"]
        place = int(ids.search_sorted(enterprise))
        return place if place < len(ids) and ids[place] == enterprise else -1

    def keyed(self, members: np.ndarray, dimensions: tuple[str, ...]) -> pl.DataFrame:
        """These rows' numbers (``row``) with their codes in dimensions of ``within`` or ``group_by``."""
        codes = {name: self.table[DIMENSIONS[name]].gather(members) for name in dimensions}
        return pl.DataFrame({**codes, "row": members})

    # --- one enterprise ----------------------------------------------------------------------------------------

    def find(self, enterprise: str) -> int:
        """The row number of an enterprise id or credit code; ``unknown_enterprise`` where there is none."""
        wanted = enterprise.strip().upper()
        for key in (enterprise, wanted):
            if (place := self.number_of(key)) >= 0:
                return place
        rows = self.where(pl.col("uscc") == wanted)
        if len(rows):
            return int(rows[0])
        raise PermuError(
            "unknown_enterprise",
            f"no enterprise {enterprise[:60]!r} in release {self.release_id}: give an enterprise id or a credit code",
            f"版本 {self.release_id} 中没有企业 {enterprise[:60]!r}：请给出企业编号或统一社会信用代码",
        )

    def cached(self, key: Any, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """``make()`` once per key; the least recently used answers go when they exceed the budget of bytes."""
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key][0]
        value = make()
        with self._lock:
            if key not in self._cache:
                self._cache[key] = (value, size(value))
                self._held += size(value)
            while self._held > CACHE_BYTES and len(self._cache) > 1:
                self._held -= self._cache.popitem(last=False)[1][1]
        return value
