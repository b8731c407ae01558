"""docs/overview.md names every route, and its example of base figures is one that is read."""

from __future__ import annotations

import re
from pathlib import Path

from api.examples_overview import EXAMPLES
from engine.overview.target_files import load_bases, load_targets


def test_every_route_is_told(checkout: Path) -> None:
    text = (checkout / "docs" / "overview.md").read_text("utf-8").replace("{id}", "{enterprise_id}")
    assert len(EXAMPLES) == 8 and [route for route in EXAMPLES if route not in text] == []


def test_the_example_of_base_figures_is_read(checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "docs" / "overview.md").read_text("utf-8")
    found = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1
    (tmp_path / "targets.yaml").write_text(found[0], "utf-8")
    figure = load_bases(tmp_path).of("3205", "energy_per_value_added")
    assert figure is not None and figure.value == 0.56


def test_every_goal_is_told(checkout: Path) -> None:
    text = (checkout / "docs" / "overview.md").read_text("utf-8")
    for target in load_targets().targets:
        goal = f"{abs(target.goal) * 100:g} %"
        assert goal in text, target.id
