"""Which enterprises a group holds: industry × region × size × scale as conditions, each on one dimension."""

from __future__ import annotations

import polars as pl

from engine.query.parameters import refuse
from engine.query.selection import Group
from engine.served import Served
from engine.served.index import Wanted

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


def codes(served: Served, group: Group, zones: frozenset[str], own_industries: frozenset[str]) -> Wanted:
    """The same conditions as codes of the prepared dimensions, looked up."""
    found: Wanted = {}
    if (code := group.industry) is not None:
        _check_industry(code, own_industries)
        found["industry"] = served.holding("industry", (_level(code), code, None), ("industry_code", code, None))
    if (code := group.region) is not None:
        _check_region(code, zones)
        zone = [("zone_code", code, None)] if code in zones else []
        found["region"] = served.holding("region", ("region_code", code, len(code)), *zone)
    if group.size is not None:
        found["size"] = served.holding("size", ("size", group.size, None))
    if group.group != "all":
        name = "land" if group.group.startswith("land_") else "scale"
        found[name] = served.holding(name, (f"{name}_group", group.group, None))
    return found


def _level(code: str) -> str:
    return "industry_section" if len(code) == 1 else f"industry_{len(code)}"


def _check_region(code: str, zones: frozenset[str]) -> None:
    if code not in zones and not code.isdigit():
        refuse("region", code)


def _check_industry(code: str, own: frozenset[str]) -> None:
    if len(code) > 1 and not code.isdigit() and code not in own:
        refuse("industry", code)


def _industry(code: str, own: frozenset[str]) -> pl.Expr:
    _check_industry(code, own)
    level = pl.col(_level(code)) == code
    return level.fill_null(False) | (pl.col("industry_code") == code)  # a place's own codes have no levels


def _region(code: str, zones: frozenset[str]) -> pl.Expr:
    _check_region(code, zones)
    place = pl.col("region_code").str.starts_with(code)
    # some records state a zone's pseudo code as their region: they belong to the zone as well
    return (pl.col("zone_code") == code).fill_null(False) | place if code in zones else place
