"""The built page: index.html anew each time, everything else for ever (its name holds its hash)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.guard import POLICY
from api.operations.settings import Basemap
from api.respond import accepts_gzip
from engine.schema.errors import PermuError

STATIC = Path(__file__).parent / "static"
INDEX = STATIC / "app" / "index.html"
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
KEPT = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """The folder ``static``; files under ``app/`` never change their content and lie beside their gzip."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not path.startswith("app/"):
            return await super().get_response(path, scope)
        packed = Path(path).suffix in KINDS and accepts_gzip(Request(scope)) and (STATIC / f"{path}.gz").is_file()
        answer = await super().get_response(f"{path}.gz" if packed else path, scope)
        answer.headers["Cache-Control"] = KEPT
        answer.headers["Vary"] = "Accept-Encoding"
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
            answer.headers["Content-Type"] = KINDS[Path(path).suffix]
        return answer


def index(view: str, asked: Iterable[str], basemap: Basemap | None) -> Response:
    """The page's frame with what its view loads and asks first, told of the basemap. PermuError page_not_built where the checkout's assets were not made."""
    if not INDEX.is_file():
        raise PermuError(
            "page_not_built",
            "the page's files are not built: run `make page` in the checkout (the API works without them)",
            "网页文件尚未生成：请在代码目录运行 make page（接口不受影响）",
        )
    views = orjson.loads((INDEX.parent / "views.json").read_bytes())
    links = [f'<link rel="preload" href="{escape(href)}" as="fetch" crossorigin="anonymous">' for href in asked]
    page = INDEX.read_text("utf-8").replace("<!-- view -->", "\n    ".join([views.get(view, ""), *links]))
    headers = {"Cache-Control": "no-cache"}
    if basemap:
        told = f'data-basemap="{escape(basemap.address)}" data-credit="{escape(basemap.credit)}"'
        page = page.replace('data-basemap="" data-credit=""', told)
        headers["Content-Security-Policy"] = policy_with(basemap.origin)
    return HTMLResponse(page, headers=headers)


def policy_with(origin: str) -> str:
    """The guard's policy, with one more origin to fetch tiles and show them from."""
    parts = POLICY.split("; ")
    return "; ".join(f"{p} {origin}" if p.startswith(("img-src", "connect-src")) else p for p in parts)
