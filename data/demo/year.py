"""What every department's writer needs to know of one year, and how traps are dealt out among enterprises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data.demo import ids, names, world
from data.demo.amounts import Amounts
from data.demo.holdings import Holdings
from data.demo.settings import BY_ID, NOT_LINKABLE, Flags, Floats, Ints, stream, trap_count
from data.demo.tessellation import Drawn, Map
from data.demo.truth import YearTruth
from data.demo.world import World

# Name-only records: how often each spelling of names.SPELLINGS occurs.
_SPELLING_SHARES = (0.53, 0.11, 0.11, 0.05, 0.07, 0.03, 0.03, 0.02, 0.01, 0.02, 0.02)
_SISTERS = 0.03  # of the firms with a near name stand at the same address
_NUMBER_OF_STRANGERS = 9_000_000  # organisation codes of enterprises that no register knows begin here
_SEASON = np.array([0.95, 0.75, 1.0, 1.02, 1.03, 1.06, 1.04, 1.03, 1.05, 1.0, 1.02, 1.05]) / 12


@dataclass(frozen=True)
class Spelled:
    """Name-only records: names as written, whether they identify (``BY_NAME`` or not), and which spelling it is."""

    names: pl.Series
    level: Ints
    kind: Ints


@dataclass(frozen=True)
class DemoYear:
    """One year of the world on its way to the drops."""

    world: World
    holdings: Holdings
    map: Map
    drawn: Drawn
    parcel_codes: pl.Series
    amounts: Amounts
    year: int
    enterprises: int
    drops: Path
    truth: YearTruth

    @property
    def active(self) -> Ints:
        """Enterprises in the register of the year."""
        return self.world.active(self.year)

    def rng(self, *labels: object, every_year: bool = False) -> np.random.Generator:
        """A stream of its own; with ``every_year`` the same one in all years."""
        return stream(self.world.seed, *labels, *(() if every_year else (self.year,)))

    def count(self, trap: str) -> int:
        """How many of a trap the year's drops shall hold."""
        return trap_count(trap, self.enterprises)

    def folder(self, source: str) -> Path:
        """Where the files of a source go."""
        return self.drops / source / str(self.year)

    def plain(self) -> Ints:
        """Active since before the first year and to the last, without a trap of identity."""
        w = self.world
        odd = w.twin | w.branch | w.org_only | w.reg_only
        return np.flatnonzero((w.first == w.years[0]) & (w.last == w.years[-1]) & ~odd)

    def deal(self, rng: np.random.Generator, eligible: Ints, *traps: str) -> dict[str, Ints]:
        """Disjoint sets of enterprises, one a trap, ascending; fewer where there are not enough."""
        order = rng.permutation(eligible)
        ends = np.cumsum([self.count(t) for t in traps])
        return {t: np.sort(part) for t, part in zip(traps, np.split(order[: ends[-1]], ends[:-1]), strict=True)}

    def code_level(self, at: Ints) -> Ints:
        """Whether a credit code finds each enterprise: not those whose register row has only an old number."""
        return np.where(self.old_number()[1][at], NOT_LINKABLE, BY_ID)

    def old_number(self) -> tuple[Flags, Flags]:
        """Whose register row has no credit code: only the organisation code, only the registration number.

        In the last year every other one has got its credit code.
        """
        w = self.world
        still = (np.arange(w.size) % 2 == 0) | (self.year < w.years[-1]) | (len(w.years) == 1)
        return w.org_only & still, w.reg_only & still

    def spell(self, rng: np.random.Generator, at: Ints) -> Spelled:
        """The names of ``at`` as a department without codes writes them."""
        kind = np.asarray(rng.choice(len(_SPELLING_SHARES), len(at), p=_SPELLING_SHARES))
        written, level = self.world.spell(at, kind)
        return Spelled(written, level, kind)

    def near_names(self, source: str) -> pl.DataFrame:
        """``name``, ``address`` and ``county`` (index) of firms that the register does not hold though one of nearly
        this name is there; the same ones every year."""
        w, rng = self.world, self.rng(source, "near", every_year=True)
        count = self.count(f"near_names_{source}")
        base, other = (rng.integers(0, w.size, count) for _ in range(2))
        written, kind = names.near(w.firms[base], w.firms[other], rng)
        same = (rng.random(count) < _SISTERS) | ((kind == 1) & (rng.random(count) < 0.5))
        county = np.where(kind == 3, w.county[other], w.county[base])
        town = w.town_of(rng, county)
        place = world.addresses(rng, w.regions, town)
        frame = pl.DataFrame({"name": written, "own": w.firms["address"].gather(base), "else": place, "county": county})
        known = names.keys(frame["name"]).is_in(w.name_keys.implode())
        address = pl.when(pl.Series(same)).then("own").otherwise("else")
        return frame.select("name", "county", address=address).filter(~known).unique("name", maintain_order=True)

    def strangers(self, source: str, count: int) -> pl.DataFrame:
        """``uscc`` and ``name`` of enterprises that the register does not hold."""
        number = _NUMBER_OF_STRANGERS + np.arange(count) + 1000 * sum(map(ord, source))
        region = np.full(count, 310115)
        return pl.DataFrame(
            {
                "uscc": ids.credit_codes(np.full(count, 91), region, number),
                "name": [f"外埠示例{n:05d}号{source}商贸有限公司" for n in range(count)],
            }
        )


def monthly(rng: np.random.Generator, annual: Floats, month: int, step: int = 1) -> Ints:
    """A month's part of annual amounts, in whole multiples of ``step``."""
    noise = rng.uniform(0.85, 1.15, len(annual))
    return np.rint(annual * (_SEASON[month - 1] * noise) / step).astype(np.int64) * step
