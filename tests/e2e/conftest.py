"""The tour of the command line, made once for a run."""

from __future__ import annotations

import pytest

from tests.conftest import made_once
from tests.e2e.tour import Tour, make, said_in


@pytest.fixture(scope="session")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """A folder with the small demo and its releases; for reading only."""
    folder = made_once(tmp_path_factory, "tour", make)
    return Tour(folder, said_in(folder))
