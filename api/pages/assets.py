"""The built page: index.html anew each time, everything else for ever (its name holds its hash)."""

from __future__ import annotations

from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.guard import POLICY
from api.operations.settings import Basemap
from engine.schema.errors import PermuError

STATIC = Path(__file__).parent / "static"
INDEX = STATIC / "app" / "index.html"
KEPT = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """The folder ``static``; files under ``app/`` never change their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if path.startswith("app/") and not path.endswith("index.html"):
            answer.headers["Cache-Control"] = KEPT
        return answer


def index(basemap: Basemap | None) -> Response:
    """The page's frame, told of the basemap. PermuError page_not_built where the checkout's assets were not made."""
    if not INDEX.is_file():
        raise PermuError(
            "page_not_built",
            "the page's files are not built: run `make page` in the checkout (the API works without them)",
            "网页文件尚未生成：请在代码目录运行 make page（接口不受影响）",
        )
    page, headers = INDEX.read_text("utf-8"), {"Cache-Control": "no-cache"}
    if basemap:
        told = f'data-basemap="{escape(basemap.address)}" data-credit="{escape(basemap.credit)}"'
        page = page.replace('data-basemap="" data-credit=""', told)
        headers["Content-Security-Policy"] = policy_with(basemap.origin)
    return HTMLResponse(page, headers=headers)


def policy_with(origin: str) -> str:
    """The guard's policy, with one more origin to fetch tiles and show them from."""
    parts = POLICY.split("; ")
    return "; ".join(f"{p} {origin}" if p.startswith(("img-src", "connect-src")) else p for p in parts)
