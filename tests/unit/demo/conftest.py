"""One small demo for these tests: 400 enterprises, 2023 and 2024, drops and truth only (nothing is ingested)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.demo import DemoReport, generate


class Written:
    """The folder of a demo with its report, truth tables and recorded traps."""

    def __init__(self, folder: Path, report: DemoReport) -> None:
        self.folder, self.report = folder, report
        self.about: dict[str, Any] = json.loads((folder / "truth" / "demo.json").read_text(encoding="utf-8"))

    def files(self, source: str, year: int) -> list[Path]:
        return sorted((self.folder / "drops" / source / str(year)).iterdir())

    def truth(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "truth" / f"{table}.parquet")

    def trap(self, name: str, year: int) -> int:
        return int(self.about["traps"][str(year)][name])


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("written")
    return Written(folder, generate(folder, enterprises=400, years=(2023, 2024), seed=3))
