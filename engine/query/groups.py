"""Which enterprises a group holds: industry × region × size × scale as conditions, each on one dimension."""

from __future__ import annotations

import polars as pl

from engine.query.parameters import refuse
from engine.query.selection import Group

# dimension of engine.served → condition on its columns
Conditions = dict[str, pl.Expr]


def conditions(group: Group, zones: frozenset[str], own_industries: frozenset[str]) -> Conditions:
    """The conditions of a group, by dimension; ``bad_parameter`` for a region that is neither digits nor a zone, and for
    an industry that is neither a code of GB/T 4754 nor one of the place's own."""
    found: Conditions = {}
    if group.industry is not None:
        found["industry"] = _industry(group.industry, own_industries)
    if group.region is not None:
        found["region"] = _region(group.region, zones)
    if group.size is not None:
        found["size"] = pl.col("size") == group.size
    if group.group != "all":
        land = group.group.startswith("land_")
        found["land" if land else "scale"] = pl.col("land_group" if land else "scale_group") == group.group
    return found


def _industry(code: str, own: frozenset[str]) -> pl.Expr:
    if len(code) > 1 and not code.isdigit() and code not in own:
        refuse("industry", code)
    level = pl.col("industry_section" if len(code) == 1 else f"industry_{len(code)}") == code
    return level.fill_null(False) | (pl.col("industry_code") == code)  # a place's own codes have no levels


def _region(code: str, zones: frozenset[str]) -> pl.Expr:
    if code not in zones and not code.isdigit():
        refuse("region", code)
    place = pl.col("region_code").str.starts_with(code)
    # some records state a zone's pseudo code as their region: they belong to the zone as well
    return (pl.col("zone_code") == code).fill_null(False) | place if code in zones else place
