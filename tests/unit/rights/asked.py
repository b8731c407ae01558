"""What is asked of every route in the tests of rights: addresses with ids that there are, of both sides of the border."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from fastapi.routing import iter_route_contexts

from engine.layers import LAYERS
from tests.unit.rights.conftest import World

RELEASE = "2024-huaian-2024"
FORMATS = ("csv", "xlsx", "parquet", "arrow")
# Sign-in by an identity provider, and files of the page: nothing that a rule of roles could cut.
SILENT = ("/login/oidc", "/login/callback", "/static")
_BY_RELEASE = ("/api/v1/industries", "/api/v1/regions", "/api/v1/sizes", "/api/v1/indicators")
_PLACES = ("10/416/854", "8/104/213")
_CHANGE = "changes=weights.tax_per_mu%3D50&rescale=true"


@dataclass(frozen=True)
class Real:
    """Ids that there are, each of the bureau's city first and of elsewhere second: the release, firms, the features
    of each layer, parcels with a finding; and an item that waits for the bureau."""

    release: str
    firms: tuple[str, str]
    features: dict[str, tuple[str, ...]]
    parcels: tuple[str, ...]
    item: str


def real_ids(world: World) -> Real:
    """Those of the demo, as its regulator and its bureau are shown them."""
    release, table = world.releases[RELEASE], world.table(RELEASE)
    other = table.filter(~pl.col("region_code").str.starts_with(world.city))["enterprise_id"].sort()[0]
    features: dict[str, tuple[str, ...]] = {}
    for layer in LAYERS:
        page = world.get("regulator", f"/ogc/releases/{release}/collections/{layer}/items?limit=10000").json()
        placed = [(str(f["id"]), str(f["properties"].get("region_code") or "")) for f in page["features"]]
        features[layer] = both_sides(placed, world.city)
    features["enterprises"] = (world.firm, other)
    findings = world.get("regulator", "/api/v1/desk/disputes/land").json()["findings"]
    codes = [(f["parcel_code"], f["region_code"] or "") for f in findings if f["parcel_code"]]
    item = world.get("land_bureau", "/api/v1/desk/review").json()["items"][0]["id"]
    return Real(release, (world.firm, other), features, both_sides(codes, world.city), item)


def both_sides(placed: list[tuple[str, str]], city: str) -> tuple[str, ...]:
    """The first id within a region and the first without."""
    inside = [one for one, region in placed if region.startswith(city)]
    outside = [one for one, region in placed if not region.startswith(city)]
    return (*inside[:1], *outside[:1])


def routes(world: World) -> Iterator[tuple[str, list[str]]]:
    """Template and methods of every route of the application."""
    for context in iter_route_contexts(world.client.app.routes):  # type: ignore[attr-defined]
        if getattr(context, "path", None):
            yield str(context.path), sorted(context.methods or ["GET"])


def addresses(template: str, real: Real) -> list[str]:
    """Addresses of a route that is read."""
    at = f"release={real.release}"
    if template.startswith(SILENT):
        return []
    if template.startswith("/ogc"):
        return _ogc(template, real)
    if template.startswith("/layers/"):
        return [f"{template.replace('{layer}', layer)}?{at}" for layer in LAYERS]
    if "{enterprise_id}" in template:
        more = [""] if template.endswith(("/history", "/facts")) or template[1] == "e" else [f"?{at}"]
        more = [f"?{at}&format={form}" for form in ("xlsx", "pdf")] if template.endswith("/checkup") else more
        return [template.replace("{enterprise_id}", who) + m for who in real.firms for m in more]
    if template in (found := _questions(at)):
        return found[template]
    filled = template.replace("{policy_id}", "huaian-2024").replace("{release_id}", real.release)
    if "{parcel_code}" in template:
        return [filled.replace("{parcel_code}", code) for code in real.parcels]
    asked = f"?{at}" if template in _BY_RELEASE or "overview" in template else ""
    return [filled.replace("{item_id}", real.item) + asked]


def _questions(at: str) -> dict[str, list[str]]:
    """Routes with parameters that matter."""
    files = [f"format={form}" for form in FORMATS]
    asked = {
        "/api/v1/rankings": ["limit=500", "order=worst", "grade=D", *files],
        "/api/v1/rankings/bottom": ["percent=20", "within=region", *(f"percent=50&{f}" for f in files)],
        "/api/v1/summary": ["by=score", "group_by=region_town", "group_by=industry_4,size"],
        "/api/v1/report": [""],
        "/api/v1/desk/simulate/draft": [_CHANGE],
        "/api/v1/desk/simulate": ["", _CHANGE],
    }
    found = {route: [f"{route}?{at}&{more}".rstrip("&") for more in mores] for route, mores in asked.items()}
    return {**found, "/api/v1/overview/movement": ["/api/v1/overview/movement?policy=sunan-2017"]}


def _ogc(template: str, real: Real) -> list[str]:
    """Of the default release one collection is enough: the routes are the same."""
    named = "{release_id}" in template
    start = template.replace("{release_id}", real.release).replace("{tms}", "WebMercatorQuad")
    if "{collection_id}" not in start:
        return [start]
    found = []
    for layer in LAYERS if named else ("enterprises",):
        address = start.replace("{collection_id}", layer)
        if "{feature_id" in address:
            found += [address.replace("{feature_id:path}", one) for one in real.features[layer]]
        elif "{z}" in address:
            found += [address.replace("{z}/{y}/{x}", place) for place in _PLACES]
        elif address.endswith("/items"):
            found += [f"{address}?f=json&limit=1000", f"{address}?f=html&limit=1000"]
        else:
            found.append(address)
    return found
