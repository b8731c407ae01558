"""Typst turns a template and its data into PDF or PNG pages, with a Chinese font of the machine embedded.

Without a CJK font typst draws boxes while the text still extracts: that is refused before a page is set.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.schema.errors import PermuError

if TYPE_CHECKING:  # a press of 10 MB, loaded where something is printed
    import typst

TEMPLATES = Path(__file__).parent / "typst"
# Families with simplified Chinese glyphs, the best first: text faces (Song), then faces of headings (Hei).
TEXT_FACES = ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "SimSun", "AR PL UMing CN")
HEAD_FACES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "PingFang SC",
)


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """The fonts of this machine, looked up once."""
    import typst

    return typst.Fonts()


def faces(found: typst.Fonts) -> dict[str, list[str]]:
    """The families for text and for headings; PermuError no_font where none of them has Chinese glyphs."""
    held = set(found.families())
    text, head = ([f for f in some if f in held] for some in (TEXT_FACES, HEAD_FACES))
    if text or head:
        return {"text": text + head, "head": head + text}
    raise PermuError(
        "no_font",
        "this machine has no font with Chinese characters, so a PDF would show boxes: install fonts-noto-cjk "
        "(apt install fonts-noto-cjk) and ask again",
        "本机没有中文字体，PDF 会显示方框：请安装 fonts-noto-cjk（apt install fonts-noto-cjk）后重试",
    )


def pdf(template: str, data: dict[str, Any]) -> bytes:
    """The document as PDF, with its fonts embedded."""
    import typst

    made: bytes = typst.compile(**_asked(template, data), format="pdf")
    return made


def png(template: str, data: dict[str, Any], ppi: float = 72.0) -> list[bytes]:
    """The document's pages as PNG."""
    import typst

    made = typst.compile(**_asked(template, data), format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


def _asked(template: str, data: dict[str, Any]) -> dict[str, Any]:
    found = fonts()
    told = json.dumps(data | {"faces": faces(found)}, ensure_ascii=False, default=str)
    return {
        "input": str(TEMPLATES / template),
        "root": str(TEMPLATES),
        "font_paths": found,
        "sys_inputs": {"data": told},
    }
