"""Looking up by hashes is the join, whatever the hashes are."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import lookup

TEXTS = st.lists(st.none() | st.text("ab甲", max_size=3), max_size=12)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["hash", "alike"])
def hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The library's hashes, and a hash under which most texts meet."""
    if request.param == "alike":
        monkeypatch.setattr(pl.Series, "hash", lambda texts: texts.str.len_bytes().cast(pl.UInt64).fill_null(0))
    return str(request.param)


@shared
@given(asked=TEXTS, held=st.lists(st.text("ab甲", max_size=3), max_size=12, unique=True))
def test_places_are_those_of_a_join(hashes: str, asked: list[str | None], held: list[str]) -> None:
    found = lookup.Lookup(pl.Series(held, dtype=pl.String)).places(pl.Series(asked, dtype=pl.String))
    assert found.to_list() == [held.index(a) if a in held else None for a in asked]
    assert found.dtype == pl.UInt32


@shared
@given(texts=TEXTS)
def test_repeated_is_duplicated(hashes: str, texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert lookup.repeated(column).to_list() == column.is_duplicated().to_list()
