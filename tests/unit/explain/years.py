"""Releases of small years made by hand, under a pack written for the purpose."""

from __future__ import annotations

from pathlib import Path

import narwhals as nw
import polars as pl

from engine.policy.packs import read_pack
from engine.ranking.pipeline import YearTables, rankings
from engine.releases import Release
from tests.unit.ranking.firms import Firm, enterprises_of, facts_of, wide_of

YEAR = 2024


def tables_of(firms: list[Firm], relations: pl.DataFrame | None = None) -> dict[str, pl.DataFrame]:
    """The tables of a merge."""
    found = {"enterprises": enterprises_of(firms), "facts": facts_of(firms), "facts_wide": wide_of(firms)}
    return found if relations is None else found | {"relations": relations}


def ranked_under(text: str, firms: list[Firm], relations: pl.DataFrame | None = None) -> pl.DataFrame:
    """The rankings of a year under a pack."""
    tables = {n: nw.from_native(t.lazy()) for n, t in tables_of(firms, relations).items()}
    this = YearTables(YEAR, tables["enterprises"], tables["facts_wide"], relations=tables.get("relations"))
    return rankings(read_pack(text, "made").policy, this, None).to_native().collect()


def release_of(folder: Path, text: str, firms: list[Firm], relations: pl.DataFrame | None = None) -> Release:
    """A release of such a year in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = tables_of(firms, relations) | {"rankings": ranked_under(text, firms, relations)}
    told = {"source": pl.lit("made"), "unit": pl.lit(""), "how": pl.lit("only_claim"), "spread": pl.lit(0)}
    tables["facts"] = tables["facts"].with_columns(**told)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    policy = {"id": read_pack(text, "made").policy.id}
    known = {
        "release_id": "made",
        "policy": policy,
        "year": YEAR,
        "merge_id": "m",
        "base_merge_id": None,
        "loads": [],
        "metrics": [],
    }
    return Release(folder, known)
