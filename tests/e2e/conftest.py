"""The tour of the command line, made once for a run."""

from __future__ import annotations

import pytest

from tests.e2e.tour import Tour, make


@pytest.fixture(scope="session")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """A folder with the small demo and its releases; for reading only."""
    return make(tmp_path_factory.mktemp("tour"))
