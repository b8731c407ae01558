"""Map layers of a release: parcels with the rank, grade and indicators of who uses them, as RFC 7946 GeoJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
import polars as pl
import shapely

from engine.schema.errors import PermuError
from engine.schema.units import land_mu

LAYERS = ("parcels",)
_DECIMALS = 7  # about 1 cm: RFC 7946 advises no more than the survey supports
_BATCH = 20_000


class Source(Protocol):
    """What a layer needs of a release."""

    @property
    def folder(self) -> Path: ...

    @property
    def manifest(self) -> dict[str, Any]: ...

    @property
    def rankings(self) -> pl.DataFrame: ...


def _users(folder: Path) -> pl.DataFrame:
    """``parcel_code``, ``enterprise_ids`` (the one that uses most of it first, then by id)."""
    if not (folder / "land_use.parquet").is_file():  # no holder of any parcel is stated
        return pl.DataFrame(schema={"parcel_code": pl.String, "enterprise_ids": pl.List(pl.String)})
    # what is rented out counts with a minus in land_use
    used = pl.scan_parquet(folder / "land_use.parquet", glob=False).select(
        "parcel_code", "enterprise_id", days="dm2_days"
    )
    named = used.filter(pl.col("parcel_code").is_not_null() & pl.col("enterprise_id").is_not_null())
    each = named.group_by("parcel_code", "enterprise_id").agg(pl.col("days").sum())
    ordered = each.sort(["days", "enterprise_id"], descending=[True, False])
    return ordered.group_by("parcel_code", maintain_order=True).agg(enterprise_ids="enterprise_id").collect()


def _figures(release: Source) -> pl.DataFrame:
    """What a parcel shows of its main user: names, codes, grade, rank and indicators."""
    table, metric = release.rankings, release.manifest["default_metric"]
    text = [c for c in ("name", "industry_code", "region_code", "size", "scale_group", "grade") if c in table.columns]
    metrics = [m for m in release.manifest["metrics"] if m in table.columns]
    ranks = [pl.col(f"rank__{metric}__all").alias("rank"), pl.col(f"of__{metric}__all").alias("of")]
    ranks += [pl.col(f"rank__{m}__all").alias(f"rank_{m}") for m in metrics if m != metric]
    return table.select("enterprise_id", *text, "land_mu", *metrics, *ranks)


def parcels(release: Source) -> pl.DataFrame:
    """One row per parcel in order of parcel_code: properties and ``geometry`` (WKB, lon/lat)."""
    stored = pl.read_parquet(
        release.folder / "parcels.parquet", columns=["parcel_code", "area_dm2", "drawn_dm2", "geometry"]
    )
    shown = stored.with_columns(area_mu=land_mu(pl.col("area_dm2")), drawn_mu=land_mu(pl.col("drawn_dm2")))
    joined = shown.drop("area_dm2", "drawn_dm2").join(_users(release.folder), on="parcel_code", how="left")
    main = pl.col("enterprise_ids").list.first()
    joined = joined.with_columns(enterprise_id=main, enterprises=pl.col("enterprise_ids").list.len().fill_null(0))
    joined = joined.join(_figures(release), on="enterprise_id", how="left").sort("parcel_code")
    lead = ["parcel_code", "area_mu", "drawn_mu", "enterprise_id", "enterprise_ids", "enterprises"]
    return joined.with_columns(pl.col("enterprise_ids").fill_null([])).select(*lead, pl.exclude(*lead))


def _geometries(wkb: pl.Series) -> list[str]:
    """WKB → GeoJSON geometry texts: exterior rings counter-clockwise, seven decimals; ``null`` where there is none."""
    shapes = shapely.from_wkb(np.asarray(wkb.to_list(), dtype=object), on_invalid="ignore")
    shapes = shapely.orient_polygons(shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS)))
    return [text if text is not None else "null" for text in shapely.to_geojson(shapes)]


def features(frame: pl.DataFrame, identity: str) -> list[bytes]:
    """Each row as a GeoJSON feature; ``identity`` names the column that is its id."""
    found: list[bytes] = []
    for start in range(0, frame.height, _BATCH):
        part = frame.slice(start, _BATCH)
        rows = part.drop("geometry").to_dicts()
        for row, shape in zip(rows, _geometries(part["geometry"]), strict=True):
            head = b'{"type":"Feature","id":' + orjson.dumps(row[identity])
            found.append(head + b',"properties":' + orjson.dumps(row) + b',"geometry":' + shape.encode() + b"}")
    return found


def geojson(release: Source, layer: str = "parcels") -> bytes:
    """A whole layer as a FeatureCollection (RFC 7946, lon/lat), with the release it belongs to."""
    if layer not in LAYERS:
        raise PermuError(
            "unknown_layer",
            f"no layer {layer[:60]!r}: there are {', '.join(LAYERS)}",
            f"没有图层 {layer[:60]!r}：现有 {'、'.join(LAYERS)}",
        )
    if not (release.folder / "parcels.parquet").is_file():
        raise PermuError(
            "no_layer",
            f"release {release.manifest['release_id']} has no parcels: ingest the land bureau's parcels and rank again",
            f"版本 {release.manifest['release_id']} 没有宗地：请导入国土部门的宗地后重新排名",
        )
    kept = ("release_id", "year", "synthetic")
    head = {k: release.manifest[k] for k in kept if k in release.manifest}
    opening = b'{"type":"FeatureCollection","permu":' + orjson.dumps(head) + b',"features":[\n'
    return opening + b",\n".join(features(parcels(release), "parcel_code")) + b"\n]}\n"
