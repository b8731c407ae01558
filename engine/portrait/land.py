"""The parcels that an enterprise holds or rents, as RFC 7946 GeoJSON with what it uses of each."""

from __future__ import annotations

import calendar

import orjson
import polars as pl

from engine.layers import features
from engine.releases import Release
from engine.schema.units import divided, land_mu

_SHOWN = ("parcel_code", "kinds", "area_mu", "drawn_mu", "used_mu", "users", "disputed")


def parcels(release: Release, enterprise_id: str) -> bytes:
    """A FeatureCollection, a feature a parcel in order of its code: ``kinds`` (own, rented_in, rented_out), ``area_mu``
    as registered, ``drawn_mu``, ``used_mu`` over the year (rented out counts against it), ``users`` of the parcel,
    ``disputed`` (registered and drawn area differ). What is not drawn has no geometry. Lines without a parcel are left
    to the explanation.
    """
    found = ",\n".join(line for batch in features(_table(release, enterprise_id), "parcel_code") for line in batch)
    about = {"release_id": release.id, "year": release.manifest["year"], "enterprise_id": enterprise_id}
    return b'{"type":"FeatureCollection","permu":' + orjson.dumps(about) + b',"features":[' + found.encode() + b"]}"


def _table(release: Release, enterprise_id: str) -> pl.DataFrame:
    if not release.has("land_use") or not release.has("parcels"):
        return pl.DataFrame(schema=[*_SHOWN, "geometry"])
    uses = release.table("land_use").filter(pl.col("parcel_code").is_not_null())
    days = 366 if calendar.isleap(int(release.manifest["year"])) else 365
    mine = (
        uses.filter(pl.col("enterprise_id") == enterprise_id)
        .group_by("parcel_code")
        .agg(kinds=pl.col("kind").unique().sort(), used=pl.col("dm2_days").sum())
        .with_columns(used_mu=divided(pl.col("used") * 3, 200_000 * days))
        .collect()
    )
    here = pl.col("parcel_code").is_in(mine["parcel_code"].implode())
    users = uses.filter(here).group_by("parcel_code").agg(users=pl.col("enterprise_id").n_unique())
    drawn = (
        release.table("parcels")
        .filter(here)
        .with_columns(area_mu=land_mu(pl.col("area_dm2")), drawn_mu=land_mu(pl.col("drawn_dm2")))
    )
    joined = mine.lazy().join(drawn, on="parcel_code", how="left").join(users, on="parcel_code", how="left")
    return joined.with_columns(_disputed(release)).select(*_SHOWN, "geometry").sort("parcel_code").collect()


def _disputed(release: Release) -> pl.Expr:
    if not release.has("area_disputes"):
        return pl.lit(False).alias("disputed")
    codes = release.table("area_disputes").select("parcel_code").collect().to_series()
    return pl.col("parcel_code").is_in(codes.implode()).alias("disputed")
