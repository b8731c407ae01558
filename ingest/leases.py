"""Leases: the leased land by area, floor space or share; who leases in a circle, to himself, or more than he has.

Floor space: land = floor ÷ total floor × the parcel's area (DOMAIN §5); where only the plot ratio is known, total floor
is plot ratio × area, so that land = floor ÷ plot ratio.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from ingest.canonical import Year
from ingest.periods import handed_over, joined, running, with_days
from ingest.rights import WHOLE

_ROW = ("parcel_code", "lessor_key", "lessee_key", "area_dm2", "share_ppb", "from_on", "to_on", "origin")
_FLOORS = {"floor_area_dm2": pl.Int64, "total_floor_dm2": pl.Int64}
_TURNS = 200


class Held(NamedTuple):
    """Leases with cut areas, and what was found: (finding, origin, parcel_code, value in dm²)."""

    leases: pl.DataFrame
    found: pl.DataFrame


def leases(year: Year, areas: pl.DataFrame) -> pl.DataFrame | None:
    """Occupancy rows with the leased area: as stated, else by floor space, else share × the parcel's area; ``same_day``.

    ``areas``: parcel_code, area. A share above 1, or more floor than there is, is ``over_one`` and means the whole.
    """
    rows = year.scan("land", "occupancy")
    if rows is None:
        return None
    names = rows.collect_schema().names()
    floors = [pl.col(n) if n in names else pl.lit(None, dtype=kind).alias(n) for n, kind in _FLOORS.items()]
    stated = rows.select(*_ROW, *floors).collect()
    parcels = areas.select("parcel_code", parcel_area="area").join(_floors(year), on="parcel_code", how="left")
    known = stated.join(parcels, on="parcel_code", how="left", maintain_order="left")
    floor, area = pl.col("floor_area_dm2"), pl.col("parcel_area")
    ratio = (pl.col("plot_ratio") * 10**6).round().cast(pl.Int64)
    total = pl.coalesce("total_floor_dm2", "parcel_floor_dm2", _times(area, ratio, 10**6))
    by_floor = pl.when(total > 0).then(_times(floor, area, total))
    by_share = _times(area, pl.col("share_ppb"), WHOLE)
    worked_out = pl.coalesce(by_floor, by_share)
    known = known.with_columns(
        over_one=(pl.col("area_dm2").is_null() & (worked_out > area)).fill_null(False),
        area_dm2=pl.coalesce("area_dm2", pl.when(worked_out.is_not_null()).then(pl.min_horizontal(worked_out, area))),
    )
    return handed_over(known.select(*_ROW, "over_one"), ["parcel_code", "lessor_key"])


def _times(one: pl.Expr, two: pl.Expr, by: pl.Expr | int) -> pl.Expr:
    """one · two ÷ by, rounded half up, in Int128 on the way."""
    over = pl.lit(by, dtype=pl.Int128) if isinstance(by, int) else by.cast(pl.Int128)
    return ((2 * one.cast(pl.Int128) * two + over) // (2 * over)).cast(pl.Int64)


def _floors(year: Year) -> pl.DataFrame:
    """Total floor and plot ratio of each parcel, where its rows state them."""
    nothing = pl.DataFrame(schema={"parcel_code": pl.String, "parcel_floor_dm2": pl.Int64, "plot_ratio": pl.Float64})
    rows = year.scan("land", "parcel")
    if rows is None:
        return nothing
    names = rows.collect_schema().names()
    told = {"parcel_floor_dm2": "total_floor_dm2", "plot_ratio": "plot_ratio"}
    stated = {
        new: (pl.col(old) if old in names else pl.lit(None, dtype=nothing.schema[new])).max()
        for new, old in told.items()
    }
    return rows.group_by("parcel_code").agg(**stated).collect()


# --- who leases what he has not -------------------------------------------------------------------------------------


def balanced(leased: pl.DataFrame, own: pl.DataFrame, year: int) -> Held:
    """Leases of which no lessor leaves more of a parcel than he has there on any day.

    ``leased``: with lessor_id and lessee_id (null where not linked). ``own``: parcel_code, enterprise_id, area_dm2 and
    dates of what is held. A lessor who has less than he leases has his leases of those days cut in proportion
    (``rented_out_over_held``); one who has nothing there on record (``lessor_without_right``) keeps them as stated.
    """
    dated = with_days(leased, year)
    held = with_days(own.join(leased.select("parcel_code").unique(), on="parcel_code", how="semi"), year)
    flows = [held.select("parcel_code", "enterprise_id", "start", "end", flow="area_dm2")]
    for side, sign in (("lessee_id", 1), ("lessor_id", -1)):
        flows.append(
            dated.select(
                "parcel_code", pl.col(side).alias("enterprise_id"), "start", "end", flow=sign * pl.col("area_dm2")
            )
        )
    known = pl.concat(flows).drop_nulls()
    short = running(known, ["parcel_code", "enterprise_id"], "flow").filter(pl.col("least") < 0)
    odd = pl.col("parcel_code").is_in(short["parcel_code"].unique().implode()).fill_null(False)
    cut, found = [dated.filter(~odd).drop("start", "end")], []
    for (code,), rows in dated.filter(odd).group_by("parcel_code", maintain_order=True):
        lines, told = _balanced(str(code), rows, held.filter(pl.col("parcel_code") == code))
        cut.append(lines)
        found += told
    schema = {"finding": pl.String, "origin": pl.Int64, "parcel_code": pl.String, "value": pl.Int64}
    return Held(pl.concat(cut).sort("origin", "from_on"), pl.DataFrame(found, schema=schema, orient="row"))


def _balanced(code: str, rows: pl.DataFrame, own: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, int, str, int]]]:
    """The leases of one parcel, period by period."""
    some = rows.filter((pl.col("end") > pl.col("start")) & pl.col("area_dm2").is_not_null())
    days = sorted({*some["start"], *some["end"], *own["start"], *own["end"]})
    lines: list[dict[str, Any]] = []
    found: dict[tuple[str, int], int] = {}
    for since, until in pairwise(days):
        now = [r for r in some.iter_rows(named=True) if r["start"] <= since < r["end"]]
        has: dict[str, int] = defaultdict(int)
        for holder, area, start, end in own.select("enterprise_id", "area_dm2", "start", "end").iter_rows():
            has[holder] += area if start <= since < end else 0
        left = _within(now, has)
        for row, area in zip(now, left, strict=True):
            lines.append({**row, "area_dm2": area, "since": since, "until": until})
            if area < row["area_dm2"]:
                key = ("rented_out_over_held", row["origin"])
                found[key] = max(found.get(key, 0), row["area_dm2"] - area)
        for row in _without_right(now, has):
            found["lessor_without_right", row["origin"]] = row["area_dm2"]
    rest = rows.join(some.select("origin"), on="origin", how="anti").drop("start", "end")
    drawn = pl.DataFrame(lines, schema=rows.schema | {"since": pl.Int32, "until": pl.Int32})
    kept = joined(drawn, ["area_dm2"]).select(rest.columns) if lines else rest.clear()
    return pl.concat([rest, kept]), [(kind, origin, code, value) for (kind, origin), value in found.items()]


def _without_right(rows: list[dict[str, Any]], has: dict[str, int]) -> Iterator[dict[str, Any]]:
    renting = {r["lessee_id"] for r in rows}
    return (r for r in rows if r["lessor_id"] and not has.get(r["lessor_id"]) and r["lessor_id"] not in renting)


def _within(rows: list[dict[str, Any]], has: dict[str, int]) -> list[int]:
    """The areas of leases that run at one time, none leaving more than its lessor has (own + rented in)."""
    areas = [int(r["area_dm2"]) for r in rows]
    without = {r["lessor_id"] for r in _without_right(rows, has)}
    lessors = sorted({r["lessor_id"] for r in rows if r["lessor_id"]} - without)
    for _ in range(_TURNS):  # what is cut for one lessor may be missing to the next; areas only fall
        before = list(areas)
        for lessor in lessors:
            mine = [n for n, r in enumerate(rows) if r["lessor_id"] == lessor]
            own = has.get(lessor, 0) + sum(a for a, r in zip(areas, rows, strict=True) if r["lessee_id"] == lessor)
            out = sum(areas[n] for n in mine)
            if out > own:
                parts = _proportional([areas[n] for n in mine], own)
                for n, part in zip(mine, parts, strict=True):
                    areas[n] = part
        if areas == before:
            break
    return areas


def _proportional(areas: list[int], total: int) -> list[int]:
    """``total`` split as ``areas`` are, by largest remainder; ties to the earlier."""
    whole = sum(areas)
    parts = [a * total // whole for a in areas]
    order = sorted(range(len(areas)), key=lambda n: (-(areas[n] * total % whole), n))
    for n in order[: total - sum(parts)]:
        parts[n] += 1
    return parts


# --- circles -----------------------------------------------------------------------------------------------------------


def circles(leased: pl.DataFrame, year: int) -> list[int]:
    """Origins of the leases that pass a parcel round in a circle (A to B, B to A) on some day of the year."""
    dated = with_days(leased, year).filter(pl.col("end") > pl.col("start")).drop_nulls("parcel_code")
    party = {s: pl.coalesce(f"{s}_id", f"{s}_key") for s in ("lessor", "lessee")}
    named = dated.select("parcel_code", "origin", "start", "end", **party).drop_nulls()
    both = named.join(named, left_on=["parcel_code", "lessor"], right_on=["parcel_code", "lessee"], how="semi")
    found: set[int] = set()
    for _, rows in both.group_by("parcel_code"):
        for day in rows["start"].unique():
            running_then = rows.filter((pl.col("start") <= day) & (day < pl.col("end")))
            found |= _circle(list(running_then.select("lessor", "lessee", "origin").iter_rows()))
    return sorted(found)


def _circle(edges: list[tuple[str, str, int]]) -> set[int]:
    """The edges on circles, taken one circle after the other."""
    found: set[int] = set()
    while True:
        graph: dict[str, set[str]] = defaultdict(set)
        for lessor, lessee, origin in edges:
            if origin not in found:
                graph[lessor].add(lessee)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            ring = error.args[1]
            steps = {*pairwise(ring), *pairwise(ring[::-1])}
            found |= {o for a, b, o in edges if (a, b) in steps}
        else:
            return found
