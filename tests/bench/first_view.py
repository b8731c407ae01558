"""The page's first view in a real Chromium over loopback: map, rankings and overview, of 20,000 and a million enterprises.

``python -m tests.bench.first_view make HOME N`` makes a release to look at, ``… look BASE N`` looks at it.

A load is a new browser profile (nothing kept) in a browser that runs, at a server whose release is open. It ends when the
view says that everything asked is there and the frame that shows it was made: for the map the regions in their colours
and the legend with its numbers. WebGL is drawn by the processor. What the page then shows must name every enterprise.
"""

from __future__ import annotations

import hashlib
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from data.demo.codes import Regions
from data.demo.tessellation import tessellate
from engine.layers.prepared import prepare
from engine.query import ahead
from engine.ranking.run import rank
from engine.releases import find
from engine.schema.codes import regions
from engine.served import ready
from tests.bench import facts
from tests.bench.measure import Line, lines, process
from tests.bench.serve import serving, uvicorn
from tests.e2e.page.visitor import CHROMIUM

# Enterprises, and seconds that the map may take.
SIZES = {20_000: 1.5, 1_000_000: 3.0}
LOADS = 7
# Below zoom 10 no parcel is drawn: of their archive only the head is read, so more of them would tell nothing.
PARCELS = 200_000
# The view's address, and the part of it that names how many enterprises there are.
VIEWS = {
    "permu": ("/", ".best > a"),
    "permu_rankings": ("/?view=rankings", ".rankings-view [role=status]"),
    "permu_overview": ("/?view=overview", ".cards"),
}
_WATCH = """
new MutationObserver(() => {
  if (window.seen || !document.querySelector("main [data-ready=true]")) return;
  window.seen = -1; // the frame that shows it is made between these two
  requestAnimationFrame(() => requestAnimationFrame(() => { window.seen = performance.now(); }));
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });
"""


def first_view() -> list[Line]:
    """Seconds from the navigation to the drawn view, the map against what it may take."""
    if CHROMIUM is None:
        print("first_view: no Chromium here (Debian package chromium-headless-shell), so it is left out", flush=True)
        return []
    found = []
    for size, allowed in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="permu-bench-") as folder:
            process(sys.executable, "-m", "tests.bench.first_view", "make", folder, str(size))
            with serving(uvicorn("--factory", "api.app:from_environment"), "/readyz", Path(folder)) as server:
                words = [sys.executable, "-m", "tests.bench.first_view", "look", server.url(""), str(size)]
                runs = {view: [process(*words, view)] for view in VIEWS}
        found += lines("first_view", size, runs, allowed=allowed)
    return found


def make(home: str, size: str) -> dict[str, Any]:
    """A ranked release with regions and parcels drawn, and its archives made, as they are when people come."""
    warehouse = facts.build(Path(home), int(size))
    merged = warehouse.merged / f"{facts.YEAR}-bench"
    _draw(merged, min(int(size) * 3 // 4, PARCELS))
    rank(warehouse, facts.YEAR, "sunan-2017")
    release = find(warehouse)
    served = ready(release.folder, release.manifest, warehouse.home / "cache" / release.id)
    assert served is not None
    ahead.ready(release.folder, served)
    return {"made": [prepare(release, layer, "pmtiles").name for layer in ("regions", "parcels")]}


def _everywhere() -> Regions:
    """The towns that :mod:`tests.bench.facts` gives to enterprises, their counties and cities."""
    table = regions()
    names = dict(zip(table["code"], table["name"], strict=True))
    towns = sorted(table.filter(pl.col("level") == "town")["code"].to_list())
    counties, cities = (sorted({t[:n] for t in towns}) for n in (6, 4))
    return Regions(
        towns, [names[t] for t in towns], np.array([counties.index(t[:6]) for t in towns]),
        counties, [names.get(c, c) for c in counties], np.array([cities.index(c[:4]) for c in counties]),
        cities, [names[c] for c in cities],
    )  # fmt: skip


def _draw(merged: Path, parcels: int) -> None:
    """``regions``, and ``parcels`` with one user each on a grid in the box of the user's town, as a merge leaves them."""
    where = _everywhere()
    drawn = tessellate(where)
    boxes, codes = (
        np.vstack([drawn.cities, drawn.counties, drawn.towns]),
        [*where.cities, *where.counties, *where.towns],
    )
    columns = {"region_code": codes, "zone_code": [None] * len(codes), "level": ["市"] * len(codes)}
    names = [*where.city_names, *where.county_names, *where.town_names]
    shapes = pl.Series(list(shapely.to_wkb(shapely.box(*boxes.T))))
    frame = pl.DataFrame({**columns, "name": names}, schema_overrides={"zone_code": pl.String})
    frame.with_columns(geometry=shapes).write_parquet(merged / "regions.parquet")

    firms = pl.read_parquet(merged / "enterprises.parquet", columns=["enterprise_id", "region_code"]).head(parcels)
    town = np.searchsorted(where.towns, firms["region_code"].to_numpy())
    nth = firms.select(pl.int_range(pl.len()).over("region_code")).to_series().to_numpy()
    side = np.ceil(np.sqrt(np.bincount(town, minlength=len(where.towns))))[town]
    west, south, east, north = drawn.towns[town].T
    wide, high = (east - west) / side, (north - south) / side
    x, y = west + (nth % side) * wide, south + (nth // side) * high
    plots = pl.Series(list(shapely.to_wkb(shapely.box(x, y, x + wide * 0.6, y + high * 0.6))))
    code, area = firms["enterprise_id"].str.slice(1).str.zfill(19), pl.Series(np.full(parcels, 2_000_000))
    pl.DataFrame({"parcel_code": code, "area_dm2": area, "drawn_dm2": area, "geometry": plots}).write_parquet(
        merged / "parcels.parquet"
    )
    uses = {"enterprise_id": firms["enterprise_id"], "parcel_code": code, "dm2_days": area * facts.DAYS}
    pl.DataFrame(uses).write_parquet(merged / "land_use.parquet")


def look(base: str, size: str, view: str) -> dict[str, Any]:
    """The median of some loads, once the page has shown the right number."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.page.visitor import launch

    address, names = VIEWS[view]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        seconds = [_load(browser, base + address, names, int(size)) for _ in range(LOADS + 1)]
        browser.close()
    print(f"first_view {view} {size}: {' '.join(f'{s:.2f}' for s in seconds)}, the first not counted", file=sys.stderr)
    # the first is the browser's own start, and the server's first answers
    return {"seconds": statistics.median(seconds[1:]), "answer_sha256": hashlib.sha256(size.encode()).hexdigest()}


def _load(browser: Any, address: str, names: str, size: int) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(_WATCH)
    page.goto(address)
    page.wait_for_selector("main [data-ready=true]", state="attached", timeout=60_000)
    page.wait_for_timeout(1_000)  # not asked again and again: that would cost what is measured
    seen, shown = page.evaluate("window.seen"), page.locator(names).first.inner_text()
    context.close()
    if seen is None or seen <= 0 or f"{size:,}" not in re.sub(r"\s", " ", shown):
        raise SystemExit(
            f"bench first_view: {address} shows {shown[:80]!r} after {seen} ms, and not {size:,} enterprises"
        )
    return float(seen) / 1000


if __name__ == "__main__":
    print(json.dumps({"make": make, "look": look}[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
