"""The documents as HTML: plain, valid, self-contained, with a sketch of the page's features."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import orjson
import shapely

from api.ogc.crs import Crs
from api.ogc.items import Page
from api.ogc.scope import Scope

STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:0;color:#1d2530;background:#f6f7f9}
header,main{max-width:72rem;margin:auto;padding:1rem 1.5rem}
header{border-bottom:1px solid #cfd6de}
main{overflow-x:auto}
h1{font-size:1.4rem;margin:.4rem 0}
a{color:#0b5394}
table{border-collapse:collapse;background:#fff;margin:.6rem 0}
th,td{border:1px solid #d9dfe6;padding:.25rem .55rem;text-align:left;vertical-align:top}
th{background:#eef1f5}
svg{background:#fff;border:1px solid #d9dfe6;max-width:100%;height:auto}
path{fill:#8fb8de;fill-opacity:.5;stroke:#0b5394;stroke-width:1;vector-effect:non-scaling-stroke}
"""
_WIDTH, _HEIGHT = 640, 400


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return escape(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _links(links: Iterable[dict[str, Any]]) -> str:
    shown = (
        f'<li><a href="{escape(one["href"])}" rel="{escape(one["rel"])}">{escape(one.get("title") or one["rel"])}</a>'
        f" <small>{escape(one['rel'])}, {escape(one['type'])}</small></li>"
        for one in links
    )
    return f"<ul>{''.join(shown)}</ul>"


def frame(scope: Scope, title: str, *parts: str) -> bytes:
    """A whole document."""
    home = escape(scope.url("/?f=html"))
    body = "".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{escape(scope.url("/style.css"))}"/></head>'
        f'<body><header><a href="{home}">permu · OGC API</a></header><main><h1>{escape(title)}</h1>{body}</main>'
        "</body></html>\n"
    ).encode()


def landing(scope: Scope, document: dict[str, Any]) -> bytes:
    """The landing page."""
    return frame(
        scope, document["title"], f"<p>{escape(document['description'])}</p>", _links(document["links"])
    )  # fmt: skip


def conformance(scope: Scope, document: dict[str, Any]) -> bytes:
    """The conformance classes."""
    names = "".join(f"<li>{escape(uri)}</li>" for uri in document["conformsTo"])
    return frame(scope, "Conformance", f"<ul>{names}</ul>", _links(document["links"]))


def _extent(entry: dict[str, Any]) -> str:
    box = entry.get("extent", {}).get("spatial", {}).get("bbox", [[]])[0]
    time = entry.get("extent", {}).get("temporal", {}).get("interval", [[]])[0]
    return f"{_cell(box)}<br/>{escape(' / '.join(x or '..' for x in time))}"


def collections(scope: Scope, document: dict[str, Any]) -> bytes:
    """The list of collections."""
    rows = (
        (
            f'<a href="{escape(scope.url("/collections/" + one["id"] + "?f=html"))}">{escape(one["id"])}</a>',
            escape(one["title"]), escape(one["description"]), _extent(one), _links(one["links"]),
        )
        for one in document["collections"]
    )  # fmt: skip
    head = ("id", "title", "features", "extent", "links")
    return frame(scope, "Collections", _table(head, rows), _links(document["links"]))


def collection(scope: Scope, document: dict[str, Any]) -> bytes:
    """One collection."""
    systems = "".join(f"<li>{escape(uri)}</li>" for uri in document["crs"])
    about = f"<p>{escape(document['description'])}</p><p>{_extent(document)}</p>"
    return frame(
        scope, f"{document['title']} ({document['id']})", about, _links(document["links"]),
        f"<h2>CRS</h2><ul>{systems}</ul>",
    )  # fmt: skip


def queryables(scope: Scope, document: dict[str, Any]) -> bytes:
    """The queryables of a collection."""
    rows = (
        (escape(name), escape(held.get("title", "")), escape(held.get("type", held.get("format", ""))))
        for name, held in document["properties"].items()
    )
    return frame(scope, f"Queryables · {document['title']}", _table(("name", "title", "type"), rows))


def items(scope: Scope, page: Page) -> bytes:
    """A page of features: sketch, table, links."""
    document = orjson.loads(page.geojson())
    found = document["features"]
    names = list(found[0]["properties"]) if found else []
    base = scope.url(f"/collections/{page.collection.id}/items/")
    rows = (
        (
            f'<a href="{escape(base + str(one["id"]))}?f=html">{escape(str(one["id"]))}</a>',
            *(_cell(one["properties"][name]) for name in names),
        )
        for one in found
    )
    count = f"<p>{document['numberReturned']} / {document['numberMatched']}</p>"
    title = f"{page.collection.zh} · {page.collection.en}"
    return frame(
        scope, title, count, _links(page.links), sketch(found, page.crs), _table(("id", *names), rows)
    )  # fmt: skip


def feature(scope: Scope, document: dict[str, Any], crs: Crs) -> bytes:
    """One feature."""
    rows = ((escape(name), _cell(value)) for name, value in document["properties"].items())
    return frame(
        scope, str(document["id"]), _links(document["links"]), sketch([document], crs), _table(("name", "value"), rows)
    )


def sketch(found: list[dict[str, Any]], crs: Crs) -> str:
    """The outlines as a drawing; nothing where nothing is drawn."""
    drawn = [one["geometry"] for one in found if one["geometry"]]
    if not drawn:
        return ""
    shapes = shapely.from_geojson(orjson.dumps({"type": "GeometryCollection", "geometries": drawn}))
    if crs.northern_first:
        shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    west, south, east, north = shapely.bounds(shapes)
    scale = min(_WIDTH / max(east - west, 1e-9), _HEIGHT / max(north - south, 1e-9), 1e7)
    placed = shapely.transform(shapes, lambda xy: ((xy - [west, north]) * [scale, -scale]).round(1))
    paths = "".join(_path(part) for part in shapely.get_parts(placed))
    return f'<svg viewBox="-4 -4 {_WIDTH + 8} {_HEIGHT + 8}" width="{_WIDTH}" role="img" aria-label="map">{paths}</svg>'


def _path(shape: shapely.Geometry) -> str:
    lines = []
    for part in shapely.get_parts(shape):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = [f"{x:g} {y:g}" for x, y in shapely.get_coordinates(ring)]
            lines.append(
                f"M{points[0]}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0" if len(points) == 1 else f"M{'L'.join(points)}"
            )
    return f'<path d="{"".join(lines)}"/>'
