"""Which enterprise uses how much land: own + rented in − rented out, in dm² × days of the year.

Every use is a line that says parcel, kind, area, share, days and the record it comes from, so that the sum of an
enterprise can be read line by line. On every day the parts of a parcel's holders sum to the parcel at most, and nobody
leaves more of it than he has: what records say beyond that is cut, and listed (:func:`occupancy`).
Source: DOMAIN facts of 苏政办发〔2017〕44号 practice; "own + rented in − rented out" as used by county platforms.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.leases import balanced, circles, leases
from ingest.lookup import Lookup, repeated
from ingest.periods import days_of, in_year, running, with_days
from ingest.rights import WHOLE, holdings, rights
from ingest.rules import Limits

__all__ = ["WHOLE", "Occupancy", "days_of", "holdings", "in_year", "keys", "leases", "occupancy", "rights", "used"]

USE = ("enterprise_id", "counterpart_id", "parcel_code", "kind", "area_dm2", "share_ppb", "from_on", "to_on", "days",
       "dm2_days", "assumed", "origin")  # fmt: skip
_KEYS = {"record_key": pl.String, "rows": pl.Int32, "origin": pl.Int64}
FOUND = {"finding": pl.String, "parcel_code": pl.String, "record_key": pl.String, "enterprise_id": pl.String,
         "other": pl.String, "value": pl.Int64, "origin": pl.Int64}  # fmt: skip
Frame = pl.DataFrame | None


@dataclass(frozen=True)
class Occupancy:
    """``uses``: the lines of land used (columns ``USE``) in enterprise order; ``findings``: columns of ``FOUND``."""

    uses: pl.DataFrame
    findings: pl.DataFrame


def keys(held: Frame, leased: Frame) -> pl.DataFrame:
    """The distinct record keys that land records name: holders, lessors, lessees."""
    named = [] if held is None else [held.select("record_key", "origin")]
    if leased is not None:
        named += [leased.select("origin", record_key=side) for side in ("lessor_key", "lessee_key")]
    if not named:
        return pl.DataFrame(schema=_KEYS)
    every = pl.concat([n.select("record_key", "origin") for n in named]).drop_nulls("record_key")
    return every.group_by("record_key").agg(rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min()).sort("origin")


def occupancy(
    held: Frame, leased: Frame, links: pl.DataFrame, parcels: pl.DataFrame, year: int, limits: Limits
) -> Occupancy:
    """The land used in ``year`` and what is wrong with the records of it.

    ``held`` (:func:`rights`), ``leased`` (:func:`leases`): stated rows or None; ``links``: record_key, enterprise_id;
    ``parcels``: parcel_code, area_dm2, drawn_dm2; ``limits``: when holders' own areas exceed the drawn parcel.
    """
    who = links.select("record_key", "enterprise_id").drop_nulls()
    parts = None if held is None else _of_holders(holdings(held, year), who)
    lines, found = [], []
    own = _own(parts) if parts is not None else None
    if held is not None and parts is not None and own is not None:
        lines.append(own)
        found += [_of_rights(held, parts, year), _of_areas(parts, parcels, year, limits)]
    if leased is not None:
        sides = _sides(leased, who)
        fair = balanced(sides.filter(~_to_itself()), _ownership(own), year)
        lines += [_rented(fair.leases, kind, year) for kind in ("rented_in", "rented_out")]
        found += [
            _of_leases(sides, year),
            _told(fair.found.join(sides, on=["origin", "parcel_code"], nulls_equal=True)),
        ]
    uses = pl.concat(lines).sort("enterprise_id", "origin", "kind", "from_on")
    found += [_of_uses(uses, parts, parcels, year)]
    return Occupancy(uses, pl.concat(found).sort("finding", "origin", "parcel_code", "record_key"))


def _of_holders(parts: pl.DataFrame, who: pl.DataFrame) -> pl.DataFrame:
    """``parts`` with the ``enterprise_id`` of each holder's record, null where it is not linked."""
    return parts.with_columns(who["enterprise_id"].gather(Lookup(who["record_key"]).places(parts["record_key"])))


def used(lines: pl.DataFrame) -> pl.DataFrame:
    """One record an enterprise: Σ of its lines in dm² × days, with the origin of the first."""
    return (
        lines.group_by("enterprise_id", maintain_order=True)
        .agg(land_dm2_days=pl.col("dm2_days").sum(), rows=pl.len().cast(pl.Int32), origin=pl.col("origin").min())
        .with_columns(
            record_key=pl.lit("land_use"),
            method=pl.lit("land_use"),
            share_ppb=pl.lit(None, dtype=pl.Int64),
            sharer_no=pl.lit(0, dtype=pl.Int32),
        )
    )


# --- lines ----------------------------------------------------------------------------------------------------------


def _own(parts: pl.DataFrame) -> pl.DataFrame:
    linked = parts.filter(pl.col("enterprise_id").is_not_null())
    return linked.with_columns(
        kind=pl.lit("own"), area_dm2="part_dm2", share_ppb="share", counterpart_id=pl.lit(None, dtype=pl.String),
        dm2_days=pl.col("part_dm2") * pl.col("days"),
    ).select(USE)  # fmt: skip


def _ownership(own: Frame) -> pl.DataFrame:
    columns = {
        "parcel_code": pl.String,
        "enterprise_id": pl.String,
        "area_dm2": pl.Int64,
        "from_on": pl.Date,
        "to_on": pl.Date,
    }
    return pl.DataFrame(schema=columns) if own is None else own.select(list(columns))


def _sides(leased: pl.DataFrame, who: pl.DataFrame) -> pl.DataFrame:
    for side in ("lessor", "lessee"):
        renamed = who.rename({"record_key": f"{side}_key", "enterprise_id": f"{side}_id"})
        leased = leased.join(renamed, on=f"{side}_key", how="left", maintain_order="left")
    return leased


def _to_itself() -> pl.Expr:
    keys = pl.col("lessor_key") == pl.col("lessee_key")
    return keys.fill_null(False) | (pl.col("lessor_id") == pl.col("lessee_id")).fill_null(False)


def _rented(leased: pl.DataFrame, kind: str, year: int) -> pl.DataFrame:
    """A line of ``kind`` for the side of each lease that has it, where it is linked; what is left counts negative."""
    mine, other, sign = ("lessee_id", "lessor_id", 1) if kind == "rented_in" else ("lessor_id", "lessee_id", -1)
    known = leased.filter(pl.col("area_dm2").is_not_null() & pl.col(mine).is_not_null())
    return (
        known.with_columns(
            enterprise_id=mine, counterpart_id=other, days=in_year(year), kind=pl.lit(kind), assumed=pl.lit(False)
        )
        .with_columns(dm2_days=sign * pl.col("area_dm2") * pl.col("days"))
        .select(USE)
    )


# --- findings -------------------------------------------------------------------------------------------------------


def _told(rows: pl.DataFrame, finding: str | None = None) -> pl.DataFrame:
    """``rows`` as findings: of rights the holder's record and enterprise, of leases the lessee's, other: the lessor's."""
    if finding:
        rows = rows.with_columns(finding=pl.lit(finding))
    if "lessee_key" in rows.columns:
        other = pl.coalesce("lessor_id", "lessor_key")
        rows = rows.with_columns(record_key="lessee_key", enterprise_id="lessee_id", other=other)
    return rows.select(
        pl.col(n) if n in rows.columns else pl.lit(None, dtype=kind).alias(n) for n, kind in FOUND.items()
    )


def _of_rights(held: pl.DataFrame, parts: pl.DataFrame, year: int) -> pl.DataFrame:
    counted = parts.filter(pl.col("days") > 0)
    flags = {"parcel_shares_over_one": "over_one", "share_assumed": "assumed", "two_owners": "two_owners"}
    found = [
        _told(counted.filter(flag).with_columns(value="part_dm2").unique("origin", keep="first"), finding)
        for finding, flag in flags.items()
    ]
    odd = held.filter(pl.col("same_day") | _reversed())
    whose = parts.filter(pl.col("origin").is_in(odd["origin"].implode())).select("origin", "enterprise_id").unique()
    dated = odd.join(whose, on="origin", how="left")
    return pl.concat([*found, *_of_dates(dated, "same_day_sale", year)])


def _of_dates(rows: pl.DataFrame, same_day: str, year: int) -> list[pl.DataFrame]:
    """Rows whose day of transfer both sides claimed, in this year, and rows that end before they begin."""
    this = pl.col("to_on").dt.offset_by("1d").dt.year() == year
    plain = rows.drop("value", strict=False)
    return [
        _told(plain.filter("same_day", this), same_day),
        _told(plain.filter(~pl.col("same_day") & _reversed()), "dates_reversed"),
    ]


def _reversed() -> pl.Expr:
    return pl.col("to_on") < pl.col("from_on")


def _of_areas(parts: pl.DataFrame, parcels: pl.DataFrame, year: int, limits: Limits) -> pl.DataFrame:
    """Parcels whose holders state more land of their own than is drawn, by more than the limits of a dispute."""
    drawn = parcels.filter(pl.col("drawn_dm2").is_not_null())
    several = parts.filter(repeated(parts["parcel_code"])).join(drawn, on="parcel_code", how="semi")
    most = running(with_days(several, year), ["parcel_code"], "part_dm2").join(drawn, on="parcel_code")
    over = pl.col("most") - pl.max_horizontal("area_dm2", "drawn_dm2")
    far = (over > limits.least_dm2) & (over * 100 > pl.col("drawn_dm2") * limits.percent)
    first = several.group_by("parcel_code").agg(origin=pl.col("origin").min())
    return _told(most.with_columns(value=over).filter(far).join(first, on="parcel_code"), "areas_over_parcel")


def _of_leases(sides: pl.DataFrame, year: int) -> pl.DataFrame:
    sides = sides.with_columns(value="area_dm2")
    bare = sides.filter(pl.col("area_dm2").is_null() & (in_year(year) > 0))
    ring = sides.filter(pl.col("origin").is_in(circles(sides.filter(~_to_itself()), year)))
    stranger = sides.filter(
        pl.col("lessor_id").is_null() & pl.col("lessor_key").is_not_null() & pl.col("lessee_id").is_not_null()
    )
    named = {
        "lease_without_area": bare,
        "leased_to_itself": sides.filter(_to_itself() & (in_year(year) > 0)),
        "lease_cycle": ring,
        "lease_over_one": sides.filter("over_one", in_year(year) > 0),
        "lessor_not_linked": stranger.filter(in_year(year) > 0),
    }
    found = [_told(rows, finding) for finding, rows in named.items()]
    return pl.concat([*found, *_of_dates(sides, "same_day_lease", year)])


def _of_uses(uses: pl.DataFrame, parts: Frame, parcels: pl.DataFrame, year: int) -> pl.DataFrame:
    """Enterprises left with less than no land, and parcels of which more is used on some day than there is."""
    below = used(uses).filter(pl.col("land_dm2_days") < 0)
    below = below.with_columns(record_key="enterprise_id", value=pl.col("land_dm2_days") // days_of(year))
    leased = (
        uses.filter(pl.col("kind") != "own").select("parcel_code").unique().drop_nulls()
    )  # elsewhere shares are ≤ 1
    signed = uses.join(leased, on="parcel_code", how="semi").with_columns(
        area=pl.when(pl.col("kind") == "rented_out").then(-pl.col("area_dm2")).otherwise("area_dm2")
    )
    most = running(with_days(signed, year), ["parcel_code"], "area").drop_nulls("parcel_code")
    first = signed.group_by("parcel_code").agg(origin=pl.col("origin").min())
    known = most.join(parcels, on="parcel_code").join(first, on="parcel_code")
    if parts is not None:
        there = parts.join(leased, on="parcel_code", how="semi")
        held = running(with_days(there, year), ["parcel_code"], "part_dm2").select("parcel_code", held="most")
        known = known.join(held, on="parcel_code", how="left")
    most_there = pl.max_horizontal("area_dm2", *(["held"] if parts is not None else []))
    over = known.with_columns(value=pl.col("most") - most_there).filter(pl.col("value") > 0)
    return pl.concat([_told(below, "rented_out_over_all"), _told(over, "used_over_parcel")])
