"""docs/comparison.md is made by its own commands: ``python -m tests.e2e.comparison_page > docs/comparison.md``."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.tour import environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "comparison.md"
_BLOCK = re.compile(r"```sh\n(?P<commands>.*?)```\n(?:\n```text\n(?P<shown>.*?)```\n)?", re.DOTALL)
_HASH = re.compile(r"(\d{4}-[a-z]+-\d{4})-[0-9a-f]{8}|(merge \d{4})-\d{8}T\d{6}-\d+")  # of releases and merges


def filled(page: str, folder: Path) -> str:
    """The page with what its commands print in ``folder`` in place of what it shows; ids of releases and merges shortened."""

    def run(block: re.Match[str]) -> str:
        said = [_said(line, folder) for line in block["commands"].splitlines()]
        shown = "" if block["shown"] is None else f"\n```text\n{_HASH.sub(_short, said[-1])}```\n"
        return f"```sh\n{block['commands']}```\n{shown}"

    return _BLOCK.sub(run, page)


def _short(found: re.Match[str]) -> str:
    return f"{found[1] or found[2]}-…"


def _said(line: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(COLUMNS="100"), capture_output=True, text=True, timeout=600
    )
    if done.returncode > 1:
        raise RuntimeError(f"{line}: {done.stderr}")
    return "\n".join(part.rstrip() for part in done.stdout.splitlines()) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        sys.stdout.write(filled(PAGE.read_text("utf-8"), Path(empty)))
