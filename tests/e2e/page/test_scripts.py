"""Laws of the page's own arithmetic: weights that stay at 100, shares that keep rising, what differs between two names."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

MODULES = {"weights": "web/views/whatif/weights.ts", "differs": "web/views/desk/differs.ts"}
Call = Callable[[str, str, list[Any]], list[Any]]
fixed = settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def call(browser: Browser, checkout: Path, built: Path) -> Iterator[Call]:
    """``call(module, body, cases)``: what ``body`` makes of each case ``c``, with the module's functions as ``m``."""
    esbuild = next((checkout / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    page = browser.new_page()
    for name, file in MODULES.items():
        words = [str(esbuild), str(checkout / file), "--bundle", "--format=iife", f"--global-name={name}"]
        page.add_script_tag(content=subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    yield lambda module, body, cases: page.evaluate(
        f"(cases) => {{ const m = {module}; return cases.map((c) => {body}); }}", cases
    )  # type: ignore[no-any-return]
    page.close()


@st.composite
def packs(draw: st.DrawFn) -> dict[str, Any]:
    """Whole weights that sum to 100, one that is moved, and some that are locked."""
    count = draw(st.integers(2, 6))
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=count - 1, max_size=count - 1)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    names = [f"w{n}" for n in range(count)]
    locked = draw(st.sets(st.sampled_from(names[1:]), max_size=count - 1))
    return {
        "values": dict(zip(names, weights, strict=True)),
        "wanted": draw(st.integers(-20, 140)),
        "locked": sorted(locked),
    }


@fixed
@given(cases=st.lists(packs(), min_size=30, max_size=60))
def test_weights_stay_at_100(call: Call, cases: list[dict[str, Any]]) -> None:
    for case, after in zip(
        cases, call("weights", "m.balanced(c.values, 'w0', c.wanted, new Set(c.locked))", cases), strict=True
    ):
        assert sum(after.values()) == 100 and min(after.values()) >= 1
        assert all(after[n] == case["values"][n] for n in case["locked"])
        free = len(case["values"]) - 1 - len(case["locked"])
        most = 100 - sum(case["values"][n] for n in case["locked"]) - free
        assert after["w0"] == (min(max(case["wanted"], 1), most) if free else most)


@fixed
@given(cases=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-10, 120)), min_size=20, max_size=40))
def test_shares_keep_rising(call: Call, cases: list[tuple[str, int]]) -> None:
    shares = [{"grade": g, "before": p, "after": p} for g, p in (("A", 20), ("B", 60), ("C", 95), ("D", 100))]
    values = {s["grade"]: s["before"] for s in shares}
    asked = [{"shares": shares, "values": values, "grade": g, "wanted": w} for g, w in cases]
    for after in call("weights", "m.raised(c.shares, c.values, c.grade, c.wanted)", asked):
        assert 0 < after["A"] < after["B"] < after["C"] < after["D"] == 100


@fixed
@given(cases=st.lists(packs(), min_size=20, max_size=40))
def test_an_address_gives_back_its_values(call: Call, cases: list[dict[str, Any]]) -> None:
    groups = [{"group": "all", "items": [{"name": n, "before": 7} for n in c["values"]], "shares": []} for c in cases]
    asked = [{"groups": [g], "weights": {"all": c["values"]}} for g, c in zip(groups, cases, strict=True)]
    body = "m.valuesOf(c.groups, m.changesOf(c.groups, c.weights, {})).weights.all"
    assert call("weights", body, asked) == [c["values"] for c in cases]


names = st.text("甲乙丙昆山示例机械有限公司一二", min_size=0, max_size=14)


@fixed
@given(cases=st.lists(st.tuples(names, names), min_size=40, max_size=80))
def test_marks_leave_the_text_whole_and_mark_only_what_the_other_lacks(
    call: Call, cases: list[tuple[str, str]]
) -> None:
    for (text, beside), parts in zip(
        cases, call("differs", "m.differs(c[0], c[1])", [list(c) for c in cases]), strict=True
    ):
        assert "".join(p["text"] for p in parts) == text
        rest = iter(beside)
        assert all(letter in rest for p in parts if not p["other"] for letter in p["text"])  # in this order
        if text == beside:
            assert not any(p["other"] for p in parts)
