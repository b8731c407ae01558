"""Releases made by hand of a few firms, ranked by the pipeline: what comparisons need of a release and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import yaml

from engine.policy.packs import load_pack, read_pack
from engine.ranking.pipeline import rankings
from engine.releases import Release
from tests.unit.ranking.firms import Firm, enterprises_of, firm, wide_of, year_of

LAND = 10_000_000 * 365  # 150 mu over a year
SHAPE = {
    "enterprise_id": pl.String, "field": pl.String, "year": pl.Int32, "before": pl.Int64, "value": pl.Int64,
}  # fmt: skip


def worker(number: int, tax: int, sales: int = 10**9, **given: object) -> Firm:
    """A firm above scale on 150 mu with so many fen of tax and sales."""
    usual = {"land_dm2_days": LAND, "vat_fen": tax, "invoiced_sales_fen": sales, "power_wh": 10**9, "is_above_scale": 1}
    return firm(number, **(usual | given))


def release(
    folder: Path,
    firms: Iterable[Firm],
    policy: str = "huaian-2024",
    *,
    year: int = 2024,
    last: Iterable[Firm] | None = None,
    corrections: list[tuple[str, str, int, int | None, int]] | None = None,
    weights: dict[str, int] | None = None,
) -> Release:
    """A release of ``firms`` in ``folder``, with ``last`` as its base year and ``weights`` in place of the pack's."""
    text = _weighted(load_pack(policy).text, weights or {})
    pack = read_pack(text, policy)
    folder.mkdir(parents=True)
    firms, before = list(firms), None if last is None else list(last)
    _tables(folder, firms)
    if before is not None:
        (folder / "base").mkdir()
        _tables(folder / "base", before)
    tables = year_of(firms, year), None if before is None else year_of(before, year - 1)
    rankings(pack.policy, *tables).to_native().collect().write_parquet(folder / "rankings.parquet")
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    if corrections is not None:
        table = pl.DataFrame(corrections, schema=SHAPE, orient="row")
        table.write_parquet(folder / "corrections.parquet")
    manifest = {
        "release_id": folder.name, "year": year, "policy": {"id": policy, "sha256": pack.sha256},
        "metrics": pack.policy.metrics, "merge_id": "m", "base_merge_id": None if before is None else "b",
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Release(folder, manifest)


def _weighted(text: str, weights: dict[str, int]) -> str:
    raw = yaml.safe_load(text)
    for item, weight in weights.items():
        raw["score"]["items"][item]["weight"] = weight
    return yaml.safe_dump(raw, allow_unicode=True, sort_keys=False) if weights else text


def _tables(folder: Path, firms: list[Firm]) -> None:
    enterprises_of(firms).write_parquet(folder / "enterprises.parquet")
    wide_of(firms).write_parquet(folder / "facts_wide.parquet")
