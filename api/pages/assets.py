"""The built page: index.html anew each time, everything else for ever (its name holds its hash)."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


def index() -> Response:
    """The page's frame. PermuError page_not_built where the checkout's assets were not made."""
    if not INDEX.is_file():
        raise PermuError(
            "page_not_built",
            "the page's files are not built: run `make page` in the checkout (the API works without them)",
            "网页文件尚未生成：请在代码目录运行 make page（接口不受影响）",
        )
    return FileResponse(INDEX, headers={"Cache-Control": "no-cache"}, media_type="text/html; charset=utf-8")
