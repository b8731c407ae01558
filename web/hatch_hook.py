"""Build hook: a wheel carries the built page. It is made by ``make page`` where it is missing or older than web/."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def is_built(root: Path) -> bool:
    """Whether the page is there and no source of it is newer (files of an sdist all have one time)."""
    index = root / "api" / "pages" / "static" / "app" / "index.html"
    sources = [
        f for f in (root / "web").rglob("*") if f.is_file() and f.suffix in (".ts", ".tsx", ".css", ".html", ".js")
    ]
    return index.is_file() and all(f.stat().st_mtime <= index.stat().st_mtime for f in sources)


class BuildPage(BuildHookInterface[Any]):
    """Runs before files are collected. An editable install needs no page: ``make run`` and ``make test`` build it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or is_built(root):
            return
        done = subprocess.run(["make", "--quiet", "page"], cwd=root, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the page could not be built; run `make page` and look:\n{done.stderr[-2000:]}")
