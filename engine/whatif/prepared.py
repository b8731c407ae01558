"""A release made ready for many what-if questions: what the weights and shares asked do not touch is computed once.

Points, totals, ranks and grades are then those of engine.whatif.simulate, by the same expressions over tables in memory.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from functools import cached_property
from typing import Any

import narwhals as nw
import polars as pl

from engine.policy.model import Policy
from engine.policy.packs import Pack
from engine.ranking.pipeline import Ready, check, finished, ready
from engine.ranking.run import own_year
from engine.releases import Release
from engine.schema.warehouse import Warehouse
from engine.whatif.changes import changed
from engine.whatif.graded import graded, scored
from engine.whatif.simulate import Simulation, bases_year, beside, grades

# What says nothing about who is evaluated, by which figures and bases.
_ABOUT = {"id", "title", "status", "missing", "replaces", "valid_from", "valid_to", "basis", "notes", "bottom_percent"}
# A question about bases or scope makes tables of its own (0.5 kB an enterprise): the last few stay, no more than this.
_KEPT_MB = 64.0


class Prepared:
    """One release; safe to share between threads."""

    def __init__(self, warehouse: Warehouse, release: Release) -> None:
        scored(release)  # no_composite
        self.warehouse, self.release = warehouse, release
        self._made: OrderedDict[str, tuple[Ready, float]] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def _before(self) -> pl.DataFrame:
        return graded(self.release.rankings, self.release.pack.policy)

    def simulate(self, changes: list[str], *, rescale: bool = False) -> Simulation:
        """As :func:`engine.whatif.simulate.simulate`; no change asked gives the release beside itself."""
        own = self.release.pack
        pack = changed(own, changes, rescale=rescale) if changes else own
        table = finished(pack.policy, self._ready(pack)).sort("enterprise_id")
        after = graded(table.to_native().collect(), pack.policy)
        order = grades(own.policy, pack.policy)
        return Simulation(self.release, pack, changes, beside(self._before, after, order, self.release.id))

    def draft(self, changes: list[str], *, rescale: bool = False) -> Pack:
        """The changed pack alone: a draft, which needs a change."""
        return changed(self.release.pack, changes, rescale=rescale)

    def _ready(self, pack: Pack) -> Ready:
        key = unweighted(pack.policy)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(pack)
            self._made.move_to_end(key)
            made = self._made[key][0]
            while sum(mb for _, mb in self._made.values()) > _KEPT_MB:
                self._made.popitem(last=False)
            return made

    def _make(self, pack: Pack) -> tuple[Ready, float]:
        """The tables before the points, and their size in MB."""
        last = bases_year(self.warehouse, self.release, pack)
        this, before = own_year(self.release).tables(), last.tables() if last else None
        check(pack.policy, this, before)
        made = ready(pack.policy, this, before)
        wide = made.wide.to_native().collect()
        ranges = None if made.ranges is None else nw.from_native(made.ranges.to_native().collect().lazy())
        return Ready(nw.from_native(wide.lazy()), ranges), wide.estimated_size("mb")


def unweighted(policy: Policy) -> str:
    """What decides the tables before the points: the pack without its words, weights and shares."""
    told: dict[str, Any] = policy.model_dump(mode="json", exclude=_ABOUT)
    for group in told["score"]["groups"].values():
        group["shares"] = None
        group["items"] = {name: item | {"weight": None} for name, item in group["items"].items()}
    return json.dumps(told, sort_keys=True)
