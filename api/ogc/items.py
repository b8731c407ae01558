"""Items: parse → find → page → render; features are prepared bytes unless other coordinates are asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.ogc.collections import Collection
from api.ogc.crs import CRS84, Crs, from_lonlat, read_crs
from api.ogc.documents import queryables_header
from api.ogc.find import find
from api.ogc.links import Link, itself, link, with_query
from api.ogc.negotiate import GEOJSON, HTML, reply
from api.ogc.question import Question, read, require_known, write_cursor
from api.ogc.scope import Scope
from engine.schema.errors import PermuError


@dataclass(frozen=True)
class Page:
    """A page of a collection's features: the rows on it, how many match in all, its links, its coordinates."""

    collection: Collection
    rows: np.ndarray
    matched: int
    links: list[Link]
    crs: Crs

    def features(self) -> bytes:
        """The page's features as JSON, a comma between two."""
        held = self.collection.features()
        if self.crs.uri == CRS84:
            return held.joined(self.rows)
        return held.joined_with(self.rows, from_lonlat(held.shapes(self.rows), self.crs))

    def geojson(self) -> bytes:
        """The FeatureCollection."""
        head = {
            "type": "FeatureCollection",
            "timeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "numberMatched": self.matched,
            "numberReturned": len(self.rows),
            "links": self.links,
        }
        return orjson.dumps(head)[:-1] + b',"features":[\n' + self.features() + b"\n]}\n"


def page(request: Request, scope: Scope, collection: Collection, form: str) -> Page:
    """The page that was asked. PermuError bad_parameter, unknown_parameter."""
    bound = f"{scope.opened.board.release_id}|{scope.opened.listed.rankings_sha256}|{scope.view.key}"
    asked = read(request.query_params, collection, bound)
    shown, matched, following = _shown(scope, collection, asked)
    links = _links(request, scope, collection, form)
    if following is not None:
        token = write_cursor(following, (bound, collection.id, asked.identity))
        links.append(_next(request, scope, collection, form, token))
    return Page(collection, shown, matched, links, asked.crs)


def _shown(scope: Scope, collection: Collection, asked: Question) -> tuple[np.ndarray, int, int | None]:
    """The rows of the page, how many match in all, the first row of the next page."""
    if asked.identity:
        rows = find(scope.shelf, collection, asked)
        first = int(np.searchsorted(rows, asked.start))
        end = first + asked.limit
        return rows[first:end], len(rows), int(rows[end]) if end < len(rows) else None
    count = collection.features().count
    end = asked.start + asked.limit
    return np.arange(min(asked.start, count), min(end, count)), count, end if end < count else None


def geojson(request: Request, scope: Scope, found: Page) -> Response:
    """The answer with a page as GeoJSON."""
    named = queryables_header(scope, found.collection.id)
    return reply(request, scope, found.geojson, GEOJSON, {**content_crs(found.crs), **named})


def _url(scope: Scope, collection: Collection) -> str:
    return scope.url(f"/collections/{collection.id}/items")


def _links(request: Request, scope: Scope, collection: Collection, form: str) -> list[Link]:
    asked = dict(request.query_params)
    back = link("collection", scope.url(f"/collections/{collection.id}"), "application/json")
    return [*itself(_url(scope, collection), form, GEOJSON, asked), back]


def _next(request: Request, scope: Scope, collection: Collection, form: str, token: str) -> Link:
    asked = {**request.query_params, "f": form, "cursor": token}
    return link("next", with_query(_url(scope, collection), asked), GEOJSON if form == "json" else HTML, "Next page")


def feature(request: Request, scope: Scope, collection: Collection, identity: str, form: str) -> dict[str, Any]:
    """One feature with its links. PermuError unknown_feature, bad_parameter."""
    require_known(request.query_params, ["f", "crs"])
    crs = read_crs("crs", request.query_params.get("crs"))
    held = collection.features()
    row = held.number(identity)
    if row is None:
        raise PermuError(
            "unknown_feature",
            f"collection {collection.id} has no feature {identity[:80]!r}",
            f"图层 {collection.id} 没有要素 {identity[:80]!r}",
        )
    found: dict[str, Any] = orjson.loads(Page(collection, np.array([row]), 1, [], crs).features())
    url = f"{_url(scope, collection)}/{quote(identity, safe='')}"
    back = link("collection", scope.url(f"/collections/{collection.id}"), "application/json")
    return {**found, "links": [*itself(url, form, GEOJSON, dict(request.query_params)), back]}


def content_crs(crs: Crs) -> dict[str, str]:
    """The header that names the coordinate system of an answer (part 2)."""
    return {"Content-Crs": f"<{crs.uri}>"}
