"""Figures computed ahead are those that would be computed when asked, and nothing depends on them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest

from engine.query import Board, Selection, ahead, summary
from engine.query.summary import FIGURES, FIRST
from engine.releases import Release
from tests.unit.served.conftest import Pair


@pytest.fixture(params=["sunan-2017", "huaian-2024"])
def prepared(boards: dict[str, Pair], request: pytest.FixtureRequest) -> Board:
    return boards[request.param][0]


def again(board: Board) -> Board:
    """The same release, nothing kept."""
    return Board(board.release, board.served)


def made(board: Board) -> None:
    assert board.served is not None and isinstance(board.release, Release)
    ahead.ready(board.release.folder, board.served)


def test_a_process_makes_what_would_be_computed(prepared: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepared.served is not None
    place = prepared.served.folder / FIGURES
    place.unlink(missing_ok=True)
    made(prepared)
    assert not place.exists()  # four hundred enterprises need none
    computed = {names: summary(again(prepared), Selection(), names) for names in (*FIRST, ("size",))}
    monkeypatch.setattr("engine.query.ahead.FEW", 10)
    made(prepared)
    stamp = place.stat().st_mtime_ns
    made(prepared)
    assert place.stat().st_mtime_ns == stamp
    monkeypatch.setattr(
        import_module("engine.query.summary"), "_lines", lambda *_: pytest.fail("computed though it was ahead")
    )
    for names in FIRST:
        assert summary(again(prepared), Selection(), names) == computed[names]
        assert summary(again(prepared), Selection(order="worst", limit=5), names) == computed[names]


@pytest.mark.parametrize("spoil", [lambda p: p.write_text("{"), lambda p: p.write_text("{}"), lambda p: p.unlink()])
def test_without_them_the_figures_are_computed(prepared: Board, spoil: Callable[..., object]) -> None:
    assert prepared.served is not None
    place = prepared.served.folder / FIGURES
    place.write_text("{}")
    spoil(place)
    (whole,) = summary(again(prepared), Selection())
    assert whole["enterprises"] == prepared.height
    place.unlink(missing_ok=True)


def test_only_everybody_is_ahead(prepared: Board) -> None:
    assert prepared.served is not None
    place = prepared.served.folder / FIGURES
    place.write_text(
        '{"": [{"enterprises": -1, "metrics": {}}], "region_county": [{"enterprises": -1, "metrics": {}}]}'
    )
    assert summary(again(prepared), Selection())[0]["enterprises"] == -1
    for asked in (
        Selection(size="small"),
        Selection(by="output_per_mu"),
        Selection(q="示例"),
        Selection(group="above_scale"),
    ):
        assert all(line["enterprises"] > 0 for line in summary(again(prepared), asked))
    place.unlink()
