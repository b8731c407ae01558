"""docs/layers.md names every layer, format, ending and zoom that there is."""

from __future__ import annotations

from pathlib import Path

from engine.layers import LAYERS, table, tiles
from engine.layers.files import FORMATS
from engine.layers.prepared import FORMS
from engine.releases import Release


def test_the_page_names_everything(checkout: Path, graded: Release) -> None:
    words = (checkout / "docs" / "layers.md").read_text("utf-8")
    assert all(f"`{name}`" in words for name in (*LAYERS, *FORMATS)) and all(f".{ending}" in words for ending in FORMS)
    assert f"{tiles.BUDGET:,} bytes" in words and f"{tiles.FROM}–{tiles.TO}" in words
    metrics = set(graded.manifest["metrics"])
    told = set(words.replace("`", " ").split())
    for layer in LAYERS:
        for name in table(graded, layer).columns:
            general = name in metrics or name.removeprefix("rank_") in metrics or name.startswith(("grade_", "note_"))
            assert name in told or general or name == "geometry", name
