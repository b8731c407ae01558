"""``permu demo``: a seeded synthetic southern Jiangsu, written as departments write it, with the truth beside it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data.demo import amounts, commerce, holdings, land, lists, ranks, reports, taxes, tessellation, utilities, world
from data.demo.settings import NOT_LINKABLE, trap_count, vocabulary
from data.demo.truth import Tables, Uses, YearTruth, land_frames
from data.demo.year import DemoYear

Progress = Callable[[str, int, int], None]
_WRITERS: dict[str, Callable[[DemoYear], None]] = {
    "commerce": commerce.write,
    "state_tax": taxes.write_state,
    "local_tax": taxes.write_local,
    "power": utilities.write_power,
    "gas": utilities.write_gas,
    "water": utilities.write_water,
    "environment": reports.write_environment,
    "statistics": reports.write_statistics,
    "hr": reports.write_hr,
    "regions": lists.write_regions,
    "relations": lists.write_relations,
    "exemptions": lists.write_exemptions,
    "events": lists.write_events,
}
_LABEL = {
    "zh": "合成示例数据：企业、宗地、金额均为随机生成，不对应任何真实企业或宗地",
    "en": "synthetic data: enterprises, parcels and amounts are random and stand for nobody and nothing real",
}


@dataclass(frozen=True)
class DemoReport:
    """What was written: where, how much, how long it took, and how many of each trap stand in each year's drops."""

    out: str
    synthetic: bool
    seed: int
    enterprises: int
    years: tuple[int, ...]
    files: int
    bytes: int
    rows: int
    seconds: float
    traps: dict[str, dict[str, int]]

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self)


def generate(
    out: Path,
    *,
    enterprises: int = 20_000,
    years: Sequence[int] = (2022, 2023, 2024),
    seed: int = 7,
    progress: Progress | None = None,
) -> DemoReport:
    """Write ``out/drops/<source>/<year>/…`` and ``out/truth/``; what stood there before gives way.

    The same arguments give the same bytes. ``progress(what, done, of)`` is called after each source.
    """
    began = time.monotonic()
    for folder in ("drops", "truth"):
        shutil.rmtree(out / folder, ignore_errors=True)
    people = world.build(enterprises, tuple(years), seed)
    country = tessellation.tessellate(people.regions)
    room = _room(people)
    held = holdings.build(people, enterprises, tessellation.cell_cap_dm2(country.towns, room))
    room = np.maximum(room, np.bincount(held.town, minlength=len(room)))
    drawn = tessellation.draw(country, held, room, seed, enterprises)
    codes = land.parcel_codes(people.regions, held.town)
    holders = land.Holders(people, held)
    books = []
    with Tables(out / "truth") as tables:
        for number, year in enumerate(years):
            truth = YearTruth(year, people.firms["uscc"])
            used = land.uses(held, holders, year)
            land_mu = used.total(people.size, NOT_LINKABLE) / _days(year) * 3 / 200_000
            earned = amounts.build(people, year, land_mu, enterprises)
            y = DemoYear(people, held, country, drawn, codes, earned, year, enterprises, out / "drops", truth)
            _write(y, holders, progress, number, len(years))
            _collect(tables, y, used)
            books.append(truth.forget())
    _describe(out / "truth" / "demo.json", books, enterprises, seed)
    return _report(out, books, enterprises, seed, time.monotonic() - began)


def _room(people: world.World) -> np.ndarray:
    """How many parcels each town's cells are made for."""
    return np.bincount(people.town, minlength=len(people.regions.towns)) * 5 // 4 + 4


def _days(year: int) -> int:
    return int((np.datetime64(f"{year + 1}-01-01") - np.datetime64(f"{year}-01-01")).astype(int))


def _write(y: DemoYear, holders: land.Holders, progress: Progress | None, number: int, years: int) -> None:
    of = years * (len(_WRITERS) + 1)
    done = number * (len(_WRITERS) + 1)
    for source, write in _WRITERS.items():
        write(y)
        done += 1
        if progress:
            progress(f"{y.year} {source}", done, of)
    land.write(y, holders)
    if progress:
        progress(f"{y.year} land", done + 1, of)


def _collect(tables: Tables, y: DemoYear, used: Uses) -> None:
    _count_users(y, used)
    lines, sums = land_frames(used, y.year, y.truth.uscc, y.parcel_codes)
    tables.append("enterprises", _enterprises(y))
    tables.append("links", y.truth.links_frame())
    tables.append("land", lines)
    tables.append("land_used", sums)
    for facts in y.truth.facts_frames():
        tables.append("facts", facts)
    for part in ranks.ranks(y.world, y.truth, used, _days(y.year)):
        tables.append("ranks", part)


def _count_users(y: DemoYear, used: Uses) -> None:
    """How many enterprises have no land, several parcels, or rent."""
    own, rented = used.kind == 0, used.kind == 1
    parcels = np.bincount(used.enterprise[own], minlength=y.world.size)[y.active]
    tenants = np.unique(used.enterprise[rented])
    without = np.setdiff1d(y.active, used.enterprise)
    y.truth.trap("enterprises_without_land", len(without))
    y.truth.trap("enterprises_with_several_parcels", int((parcels > 1).sum()))
    y.truth.trap("enterprises_that_rent", len(tenants))


def _enterprises(y: DemoYear) -> pl.DataFrame:
    """The register of the year as it truly is: industry in the 2017 vintage, region by town."""
    w, at = y.world, y.active
    return w.firms.select("uscc", "org_code", "reg_no", "name")[at].with_columns(
        year=pl.lit(y.year, dtype=pl.Int32),
        industry_code=pl.Series(w.industries.classes).gather(w.industry[at]),
        region_code=pl.Series(w.regions.towns).gather(w.town[at]),
    )


def _describe(path: Path, books: list[YearTruth], enterprises: int, seed: int) -> None:
    about = {
        "synthetic": True,
        "label": _LABEL,
        "seed": seed,
        "enterprises": enterprises,
        "years": [b.year for b in books],
        "assumed": "industry effects, names and geometry are invented; see docs/demo.md",
        "trap_rates_per_20000": {name: trap_count(name, 20_000) for name in vocabulary()["traps"]},
        "traps": {str(b.year): dict(sorted(b.traps.items())) for b in books},
        "rows": {str(b.year): b.rows for b in books},
        "refused": {str(b.year): b.refused for b in books},
    }
    path.write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _report(out: Path, books: list[YearTruth], enterprises: int, seed: int, seconds: float) -> DemoReport:
    files = [f for f in (out / "drops").rglob("*") if f.is_file()]
    return DemoReport(
        str(out),
        True,
        seed,
        enterprises,
        tuple(b.year for b in books),
        len(files),
        sum(f.stat().st_size for f in files),
        sum(sum(b.rows.values()) for b in books),
        round(seconds, 2),
        {str(b.year): dict(sorted(b.traps.items())) for b in books},
    )
