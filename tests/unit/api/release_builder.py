"""Releases written by hand: the folder layout of the engine, every number computed here in plain Python.

Ranks by counting how many are better, figures as fractions: nothing of the code under test is used for them.
"""

from __future__ import annotations

import calendar
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import shapely

from engine.policy.packs import load_pack
from engine.schema.warehouse import Warehouse

GROUPINGS: dict[str, tuple[str, ...]] = {
    "all": (),
    "industry_2": ("industry_2",),
    "industry_3": ("industry_3",),
    "industry_4": ("industry_4",),
    "region_city": ("region_city",),
    "region_county": ("region_county",),
    "region_town": ("region_town",),
    "size": ("size",),
    "scale_group": ("scale_group",),
    "industry_region_size": ("industry_2", "region_county", "size"),
}
CREATED = "2025-03-01T08:00:00.000000+00:00"


@dataclass(frozen=True)
class Firm:
    """One enterprise as a test states it. Land in dm², money in fen; None is missing."""

    id: str
    output_fen: int | None = None
    tax_fen: int | None = None
    land_dm2: int | None = 1_000_000
    industry: str = "2614"
    region: str = "320507001"
    size: str | None = "small"
    scale: str = "above_scale"
    zone: str | None = None
    name: str | None = None
    score_e10: int | None = None
    grade: str | None = None
    flags: str = ""

    @property
    def uscc(self) -> str:
        """A credit code of the right length (its check digit is not the point here)."""
        return f"9132{self.id[-6:]:0>6}00000000"


def per_mu(fen: int | None, land_dm2: int | None) -> float | None:
    """万元 per mu: fen ÷ (15 · dm²), rounded once; None where there is nothing to divide by."""
    return None if fen is None or not land_dm2 else float(Fraction(fen, 15 * land_dm2))


def _section(industry: str) -> str | None:
    divisions = {"B": range(6, 13), "C": range(13, 44), "D": range(44, 47)}
    return next((s for s, r in divisions.items() if industry[:2].isdigit() and int(industry[:2]) in r), None)


def row_of(firm: Firm, year: int) -> dict[str, Any]:
    """A row of rankings.parquet without its ranks."""
    days = 366 if calendar.isleap(year) else 365
    land, digits = firm.land_dm2, firm.industry if firm.industry.isdigit() else ""
    return {
        "enterprise_id": firm.id,
        "uscc": firm.uscc,
        "name": firm.name or f"企业{firm.id}",
        "industry_code": firm.industry,
        "industry_section": _section(firm.industry),
        **{f"industry_{n}": digits[:n] if len(digits) >= n else None for n in (2, 3, 4)},
        "region_code": firm.region,
        **{f"region_{k}": firm.region[:n] if len(firm.region) >= n else None for k, n in _REGION},
        "zone_code": firm.zone,
        "size": firm.size,
        "scale_group": firm.scale,
        "land_group": "land_below_3mu" if (land or 0) < 200_000 else "land_3mu_up",
        "land_dm2_days": None if land is None else land * days,
        "output_fen": firm.output_fen,
        "tax_fen": firm.tax_fen,
        "land_mu": None if land is None else float(Fraction(land * 3, 200_000)),
        "output_wan_yuan": None if firm.output_fen is None else float(Fraction(firm.output_fen, 10**6)),
        "tax_wan_yuan": None if firm.tax_fen is None else float(Fraction(firm.tax_fen, 10**6)),
        "output_per_mu": per_mu(firm.output_fen, land),
        "benefit_per_mu": per_mu(firm.tax_fen, land),
        "score_e10": firm.score_e10,
        "score": None if firm.score_e10 is None else firm.score_e10 / 10**10,
        "grade_initial": firm.grade,
        "grade": firm.grade,
        "flags": firm.flags,
    }


def composite_part(row: dict[str, Any]) -> dict[str, Any]:
    """Indicators, bases and points of huaian-2024; all points stand on the tax, nobody has energy."""
    found = {"tax_per_mu": row["benefit_per_mu"], "sales_per_mu": row["output_per_mu"], "tax_per_tce": None}
    found |= {"base__tax_per_mu": 10.0, "base__sales_per_mu": 100.0, "base__tax_per_tce": None}
    return found | {"item__tax_per_mu": row["score"], "item__sales_per_mu": 0.0, "item__tax_per_tce": None}


_REGION = (("city", 4), ("county", 6), ("town", 9))
_TEXT = [
    "enterprise_id",
    "uscc",
    "name",
    "industry_code",
    "industry_section",
    "industry_2",
    "industry_3",
    "industry_4",
    "region_code",
    "region_city",
    "region_county",
    "region_town",
    "zone_code",
    "size",
    "scale_group",
    "land_group",
    "grade_initial",
    "grade",
    "flags",
]
_INTEGERS = ("land_dm2_days", "output_fen", "tax_fen", "score_e10")


def schema(composite: bool, metrics: Iterable[str]) -> dict[str, Any]:
    """Column → type in the order of the engine."""
    kinds: dict[str, Any] = dict.fromkeys(_TEXT, pl.String) | dict.fromkeys(_INTEGERS, pl.Int64)
    names = list(row_of(Firm("x"), 2024))
    place = names.index("score_e10")
    names[place:place] = list(composite_part(row_of(Firm("x"), 2024))) if composite else []
    found = {n: kinds.get(n, pl.Float64) for n in names}
    for metric in metrics:
        for grouping in GROUPINGS:
            found |= {f"{kind}__{metric}__{grouping}": pl.Int32 for kind in ("rank", "of")}
    return found


def with_ranks(rows: list[dict[str, Any]], metrics: Iterable[str]) -> None:
    """Ranks by definition: one more than the number of members with a better value."""
    for metric in metrics:
        column = "score_e10" if metric == "score" else metric
        for grouping, keys in GROUPINGS.items():
            groups: dict[tuple[Any, ...], list[Any]] = {}
            for row in rows:
                groups.setdefault(tuple(row[k] for k in keys), []).append(row[column])
            for row in rows:
                key = tuple(row[k] for k in keys)
                values = [v for v in groups[key] if v is not None]
                own, known = row[column], None not in key
                ranked = known and own is not None
                row[f"rank__{metric}__{grouping}"] = 1 + sum(v > own for v in values) if ranked else None
                row[f"of__{metric}__{grouping}"] = len(values) if known else None


def build(
    warehouse: Warehouse,
    firms: Iterable[Firm],
    *,
    year: int = 2024,
    policy: str = "sunan-2017",
    created: str = CREATED,
    state: str = "draft",
    synthetic: bool = True,
) -> str:
    """Write a release of these firms and enter it in the ledger; its id."""
    composite = policy != "sunan-2017"
    metrics = (["score"] if composite else []) + ["output_per_mu", "benefit_per_mu"]
    rows = [row_of(f, year) for f in sorted(firms, key=lambda f: f.id)]
    for row in rows if composite else ():
        row |= composite_part(row)
    with_ranks(rows, metrics)
    table = pl.DataFrame(rows, schema=schema(composite, metrics))
    return write(warehouse, table, metrics, year=year, policy=policy, created=created, state=state, synthetic=synthetic)


def write(
    warehouse: Warehouse, table: pl.DataFrame, metrics: list[str], *, year: int, policy: str, created: str, state: str,
    synthetic: bool,
) -> str:  # fmt: skip
    """The folder and the ledger entry of a finished table."""
    sha256 = hashlib.sha256(table.write_json().encode()).hexdigest()
    release_id = f"{year}-{policy}-{hashlib.sha256((sha256 + created).encode()).hexdigest()[:8]}"
    pack = load_pack(policy)
    manifest = {
        "release_id": release_id,
        "year": year,
        "policy": {"id": policy, "sha256": pack.sha256, "status": "complete", "title": {"zh": "办法", "en": "policy"}},
        "metrics": metrics,
        "default_metric": metrics[0],
        "groupings": list(GROUPINGS),
        "loads": [{"load_id": f"land-{year}-0123456789ab", "source": "land", "file": "宗地.xlsx", "sha256": "01" * 32}],
        "code_version": "0.1.0",
        "counts": {"enterprises": table.height},
        "rankings_sha256": sha256,
        "created_at": created,
        "synthetic": synthetic,
        "engine": "polars",
    }
    folder = warehouse.create().releases / release_id
    folder.mkdir()
    table.write_parquet(folder / "rankings.parquet")
    (folder / "policy.yaml").write_text(pack.text, encoding="utf-8")
    _land(folder, table)
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    with warehouse.connect() as db:
        entry = (release_id, year, policy, created, "merge", "polars", table.height, sha256)
        db.execute("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entry)
        db.execute("INSERT INTO release_events VALUES (?, ?, 'test', ?, 'made')", (release_id, created, state))
    return release_id


def square(number: int) -> bytes:
    """A clockwise square of 0.001° in southern Jiangsu, one per number, as WKB."""
    x, y = 120.0 + 0.002 * (number % 500), 31.0 + 0.002 * (number // 500)
    ring = [(x, y), (x, y + 0.001), (x + 0.001, y + 0.001), (x + 0.001, y), (x, y)]
    return bytes(shapely.to_wkb(shapely.Polygon(ring)))


def _land(folder: Path, table: pl.DataFrame) -> None:
    """One parcel per firm; the second firm also rents the first one's parcel; the last parcel has no polygon."""
    ids = table["enterprise_id"].to_list()
    codes = [f"320507001001GB{n:05}" for n in range(len(ids))]
    shapes = [square(n) if n < len(ids) - 1 or n == 0 else None for n in range(len(ids))]
    area = [1_000_000] * len(ids)
    frame = {"parcel_code": codes, "area_dm2": area, "drawn_dm2": area, "geometry": shapes}
    kinds = {"parcel_code": pl.String, "area_dm2": pl.Int64, "drawn_dm2": pl.Int64, "geometry": pl.Binary}
    pl.DataFrame(frame, schema=kinds).write_parquet(folder / "parcels.parquet")
    uses = [_use(i, c, "own", 1_000_000) for i, c in zip(ids, codes, strict=True)]
    if len(ids) > 1:
        uses += [_use(ids[1], codes[0], "rented_in", 10_000), _use(ids[0], codes[0], "rented_out", -10_000)]
    pl.DataFrame(uses).write_parquet(folder / "land_use.parquet")


def _use(enterprise: str, parcel: str, kind: str, dm2: int) -> dict[str, Any]:
    """A line of land_use over a whole year; what is rented out counts with a minus."""
    origin = {"load_id": "land-2024-0123456789ab", "sheet": "宗地", "row": 3}
    area = {"area_dm2": abs(dm2), "share_ppb": 10**9, "days": 365, "dm2_days": dm2 * 365}
    return {"enterprise_id": enterprise, "parcel_code": parcel, "kind": kind, **area, **origin}
