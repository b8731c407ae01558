"""Merge rules are data: an order of trust that names nobody, or somebody twice, is refused and not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema.errors import PermuError
from ingest.rules import load_rules

AREA = 'area_dispute: {percent: 10, least_mu: "0.5"}\n'
BROKEN = {
    "unknown field": ("trust: {employee: [hr]}\n" + AREA, ["employee"]),
    "unknown source": ("trust: {employees: [hr, statistic]}\n" + AREA, ["statistic", "employees", "statistics"]),
    "twice": ("trust: {employees: [hr, hr]}\n" + AREA, ["employees", "twice"]),
    "no list": ("trust: {employees: hr}\n" + AREA, ["trust.employees"]),
    "no trust": (AREA, ["trust", "required"]),
    "unknown rule": ("trust: {}\nothers: 1\n" + AREA, ["others"]),
    "per cent": ('trust: {}\narea_dispute: {percent: 101, least_mu: "0.5"}\n', ["percent"]),
    "least": ('trust: {}\narea_dispute: {percent: 10, least_mu: "half"}\n', ["least_mu", "half"]),
    "negative": ('trust: {}\narea_dispute: {percent: 10, least_mu: "-1"}\n', ["negative"]),
    "no mapping": ("- trust\n", ["dictionary"]),
    "no yaml": ("trust: [\n", ["expected"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rules_are_refused_in_their_words(name: str, tmp_path: Path) -> None:
    text, words = BROKEN[name]
    file = tmp_path / "rules.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(PermuError) as caught:
        load_rules(file)
    assert caught.value.code == "bad_rules" and len(caught.value.en.splitlines()) == 1
    assert all(w in caught.value.en for w in [*words, str(file)]), caught.value.en


def test_an_order_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("trust: {employees: [hr, statistics]}\n" + AREA, "utf-8")
    assert load_rules(file).order("employees", ["commerce", "hr", "statistics"]) == ["hr", "statistics", "commerce"]
