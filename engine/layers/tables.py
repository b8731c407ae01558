"""The layers of a release as tables: properties and ``geometry`` (WKB in lon/lat, null where nothing is drawn)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import shapely

from engine.releases import Release
from engine.schema.units import land_mu


def users(folder: Path) -> pl.DataFrame:
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


def figures(release: Release) -> pl.DataFrame:
    """What is shown of an enterprise: names, codes, grade, rank and indicators."""
    table, metric = release.rankings, release.manifest["default_metric"]
    text = [c for c in ("name", "industry_code", "region_code", "size", "scale_group", "grade") if c in table.columns]
    metrics = [m for m in release.manifest["metrics"] if m in table.columns]
    ranks = [pl.col(f"rank__{metric}__all").alias("rank"), pl.col(f"of__{metric}__all").alias("of")]
    ranks += [pl.col(f"rank__{m}__all").alias(f"rank_{m}") for m in metrics if m != metric]
    return table.select("enterprise_id", *text, "land_mu", *metrics, *ranks)


def parcels(release: Release) -> pl.DataFrame:
    """One row per parcel in order of parcel_code, with the figures of its main user."""
    stored = pl.read_parquet(
        release.folder / "parcels.parquet", columns=["parcel_code", "area_dm2", "drawn_dm2", "geometry"]
    )
    shown = stored.with_columns(area_mu=land_mu(pl.col("area_dm2")), drawn_mu=land_mu(pl.col("drawn_dm2")))
    joined = shown.drop("area_dm2", "drawn_dm2").join(users(release.folder), on="parcel_code", how="left")
    main = pl.col("enterprise_ids").list.first()
    joined = joined.with_columns(enterprise_id=main, enterprises=pl.col("enterprise_ids").list.len().fill_null(0))
    joined = joined.join(figures(release), on="enterprise_id", how="left").sort("parcel_code")
    lead = ["parcel_code", "area_mu", "drawn_mu", "enterprise_id", "enterprise_ids", "enterprises"]
    return joined.with_columns(pl.col("enterprise_ids").fill_null([])).select(*lead, pl.exclude(*lead))


def low_efficiency(release: Release) -> pl.DataFrame:
    """The parcels all of whose users rank low: in the policy's bottom list (last ``bottom_percent`` of all enterprises
    by the release's main metric, rank·100 > (100 − p)·of) or of grade D. Whoever has no rank is in no bottom list."""
    m, table = release.manifest, release.rankings
    rank, of = (pl.col(f"{part}__{m['default_metric']}__all").cast(pl.Int64) for part in ("rank", "of"))
    last = (rank * 100 > of * (100 - int(m["bottom_percent"]))).fill_null(False)
    grade = (pl.col("grade") == "D").fill_null(False) if "grade" in table.columns else pl.lit(False)
    low = table.filter(last | grade)["enterprise_id"]
    all_low = pl.col("enterprise_ids").list.eval(pl.element().is_in(low.implode())).list.all()
    return parcels(release).filter((pl.col("enterprises") > 0) & all_low)


def idle(release: Release) -> pl.DataFrame:
    """The parcels whose enterprises show no power for the year (finding ``idle_candidate``), with its note."""
    found = pl.read_parquet(release.folder / "findings.parquet", glob=False).filter(pl.col("kind") == "idle_candidate")
    notes = found.select("parcel_code", "note_zh", "note_en")
    return parcels(release).join(notes, on="parcel_code", how="inner", maintain_order="left")


def enterprises(release: Release) -> pl.DataFrame:
    """One row per enterprise of the ranking, at a point within the parcel of which it uses most; null where none is
    drawn. In order of enterprise_id."""
    uses = release.folder / "land_use.parquet"
    shown = figures(release).sort("enterprise_id")
    if not (uses.is_file() and (release.folder / "parcels.parquet").is_file()):
        none = {"parcel_code": pl.lit(None, dtype=pl.String), "geometry": pl.lit(None, dtype=pl.Binary)}
        return shown.with_columns(**none)
    drawn = pl.scan_parquet(release.folder / "parcels.parquet", glob=False).select("parcel_code", "geometry")
    days = pl.scan_parquet(uses, glob=False).group_by("enterprise_id", "parcel_code").agg(pl.col("dm2_days").sum())
    ordered = (
        days.filter(pl.col("dm2_days") > 0)
        .join(drawn.drop_nulls(), on="parcel_code")
        .sort(["enterprise_id", "dm2_days", "parcel_code"], descending=[False, True, False])
    )
    main = ordered.unique("enterprise_id", keep="first", maintain_order=True).drop("dm2_days").collect()
    points = shapely.to_wkb(shapely.point_on_surface(shapely.from_wkb(main["geometry"].to_numpy())))
    placed = main.with_columns(geometry=pl.Series(list(points), dtype=pl.Binary))
    return shown.join(placed, on="enterprise_id", how="left", maintain_order="left")
