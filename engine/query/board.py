"""One release, ready for questions: which rows a group holds and how they stand by a metric.

A board keeps the table in enterprise_id order, so that a row's number is its place in the id order and a stable
sort breaks ties by id. What a group's standing costs (a filter and a sort) is paid once; pages are then slices.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl

from engine.policy.packs import Pack
from engine.query.parameters import DIMENSIONS, refuse
from engine.query.selection import Group
from engine.schema.errors import PermuError

CACHE_BYTES = 64 * 2**20
_NOT_METRICS = ("rank__", "of__", "base__", "item__")
_AMOUNTS = ("land_mu", "output_wan_yuan", "tax_wan_yuan")


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


@dataclass(frozen=True)
class Standing:
    """How a group stands by one metric.

    ``rows``: row numbers with a value, in id order; ``rank``: their competition ranks (1, 2, 2, 4), same order;
    ``unranked``: row numbers without a value, in id order.
    """

    rows: np.ndarray
    rank: np.ndarray
    unranked: np.ndarray

    @property
    def of(self) -> int:
        """Enterprises of the group with a value."""
        return len(self.rows)

    @cached_property
    def best(self) -> np.ndarray:
        """Positions into ``rows``, best first, ties by id."""
        return np.argsort(self.rank, kind="stable").astype(np.uint32)

    @cached_property
    def worst(self) -> np.ndarray:
        """Positions into ``rows``, worst first, ties by id."""
        return np.argsort(-self.rank, kind="stable").astype(np.uint32)

    @property
    def nbytes(self) -> int:
        """Memory held, both orders counted."""
        return int(self.rows.nbytes + self.rank.nbytes + self.unranked.nbytes + 8 * len(self.rows)) + 200


def competition_ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, the greatest first, equal values share the better rank; no NaN among them."""
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    place = np.where(first, np.arange(1, len(values) + 1, dtype=np.int32), 0)
    rank = np.empty(len(values), dtype=np.int32)
    rank[order] = np.maximum.accumulate(place)
    return rank


class Board:
    """Answers about one immutable release; safe to share between threads."""

    def __init__(self, release: Opened) -> None:
        self.release = release
        self.manifest = release.manifest
        self.release_id: str = release.manifest["release_id"]
        self.year: int = int(release.manifest["year"])
        policy = release.manifest["policy"]
        self.policy: str = policy["id"] if isinstance(policy, dict) else policy
        table = release.rankings
        ordered = table["enterprise_id"].is_sorted()
        self.table = table if ordered else table.sort("enterprise_id")
        self._cache: OrderedDict[Any, Any] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    # --- what can be asked -------------------------------------------------------------------------------------

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """Indicator columns of this release, in its own order."""
        known = (*_AMOUNTS, "score")
        schema = self.table.schema
        return tuple(
            n for n, t in schema.items() if t == pl.Float64 and n not in known and not n.startswith(_NOT_METRICS)
        )

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Base and points of each item of a composite score; empty where the policy has none."""
        return tuple(n for n in self.table.columns if n.startswith(("base__", "item__")))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Everything ``by`` may name: the ranked metrics first, then other indicators and the amounts."""
        ranked = [m for m in self.manifest["metrics"] if m in self.table.columns]
        others = [*self.indicators, *(a for a in _AMOUNTS if a in self.table.columns)]
        return tuple(dict.fromkeys([*ranked, *others]))

    def metric(self, by: str | None) -> str:
        """The metric asked, or the release's default; ``bad_parameter`` for one it does not have."""
        name = by or self.manifest.get("default_metric") or self.metrics[0]
        if name not in self.metrics:
            listed = ", ".join(self.metrics)
            refuse("by", name, f"release {self.release_id} has {listed}", f"版本 {self.release_id} 的指标为 {listed}")
        return str(name)

    @cached_property
    def zones(self) -> frozenset[str]:
        """Codes of the development zones that occur in the release."""
        return (
            frozenset(self.table["zone_code"].drop_nulls().unique())
            if "zone_code" in self.table.columns
            else frozenset()
        )

    # --- groups ------------------------------------------------------------------------------------------------

    def members(self, group: Group) -> np.ndarray:
        """Row numbers of a group, in id order."""
        return self.cached(("members", group), lambda: self._members(group), lambda rows: rows.nbytes)

    def _members(self, group: Group) -> np.ndarray:
        wanted = [self._industry(group.industry), self._region(group.region), self._scale(group.group)]
        if group.size is not None:
            wanted.append(pl.col("size") == group.size)
        asked = [w for w in wanted if w is not None]
        if not asked:
            return np.arange(self.table.height, dtype=np.uint32)
        return self.where(pl.all_horizontal(asked))

    def where(self, condition: pl.Expr) -> np.ndarray:
        """Row numbers that meet a condition, in id order."""
        return self.table.lazy().select(pl.arg_where(condition)).collect().to_series().to_numpy()

    def _industry(self, code: str | None) -> pl.Expr | None:
        if code is None:
            return None
        level = pl.col("industry_section" if len(code) == 1 else f"industry_{len(code)}") == code
        return level | (pl.col("industry_code") == code)  # a place's own codes have no levels

    def _region(self, code: str | None) -> pl.Expr | None:
        if code is None:
            return None
        if code not in self.zones and not code.isdigit():
            refuse("region", code)
        place = pl.col("region_code").str.starts_with(code)
        # some records state a zone's pseudo code as their region: they belong to the zone as well
        return (pl.col("zone_code") == code) | place if code in self.zones else place

    def _scale(self, group: str) -> pl.Expr | None:
        if group == "all":
            return None
        return pl.col("land_group" if group.startswith("land_") else "scale_group") == group

    # --- standings ---------------------------------------------------------------------------------------------

    def standing(self, group: Group, metric: str) -> Standing:
        """How a group stands by a metric (kept)."""
        return self.cached(
            ("standing", group, metric), lambda: self.stand(self.members(group), metric), lambda s: s.nbytes
        )

    def stand(self, members: np.ndarray, metric: str) -> Standing:
        """How these rows (in id order) stand by a metric; missing, NaN and infinite values do not rank."""
        picked = self.column(metric).gather(members)
        usable = picked.is_finite().fill_null(False)
        values, mask = picked.filter(usable).to_numpy(), usable.to_numpy()
        return Standing(members[mask], competition_ranks(values), members[~mask])

    def column(self, metric: str) -> pl.Series:
        """What a metric ranks on: the integer total for the score, the quotient for an indicator."""
        return self.table["score_e10" if metric == "score" and "score_e10" in self.table.columns else metric]

    def keyed(self, members: np.ndarray, dimensions: tuple[str, ...]) -> pl.DataFrame:
        """These rows' numbers (``row``) with their codes in dimensions of ``within`` or ``group_by``."""
        codes = {name: self.table[DIMENSIONS[name]].gather(members) for name in dimensions}
        return pl.DataFrame({**codes, "row": members})

    # --- one enterprise ----------------------------------------------------------------------------------------

    def find(self, enterprise: str) -> int:
        """The row number of an enterprise id or credit code; ``unknown_enterprise`` where there is none."""
        ids, wanted = self.table["enterprise_id"], enterprise.strip().upper()
        for key in (enterprise, wanted):
            place = int(ids.search_sorted(key))
            if place < len(ids) and ids[place] == key:
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
