"""docs/comparison.md shows what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.comparison_page import PAGE, filled


@pytest.mark.slow
def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert filled(page, tmp_path) == page, "write it again: python -m tests.e2e.comparison_page > docs/comparison.md"
    assert page.count("```text") >= 3 and "weights and bases" in page and "rank bands" in page
