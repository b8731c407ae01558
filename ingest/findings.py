"""``findings.parquet``: what a land bureau should look at, one row a finding, each with a note in Chinese and English.

Columns: kind, parcel_code, enterprise_id, region_code, value (in ``unit``), unit, note_zh, note_en, load_id, sheet,
row, other (the second parcel or party, a county), record_key (of records that are not linked). Findings of records
(rights, leases) and of drawings come with their row; those taken from the merged facts have none of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from ingest.canonical import Year
from ingest.periods import days_of

SCHEMA = {
    "kind": pl.String, "parcel_code": pl.String, "enterprise_id": pl.String, "region_code": pl.String,
    "value": pl.Int64, "unit": pl.String, "note_zh": pl.String, "note_en": pl.String, "load_id": pl.String,
    "sheet": pl.String, "row": pl.Int32, "other": pl.String, "record_key": pl.String,
}  # fmt: skip
_LATER = ("unit", "note_zh", "note_en", "load_id", "sheet", "row")
OUTPUT = ("invoiced_sales_fen", "main_revenue_fen", "output_value_fen")  # what a firm that works declares
_GONE = "注销|吊销"

# kind → (unit, note zh, note en). {mu}: the value in mu, {wan}: in 万元, {kwh}: in kWh; {other}: see above.
NOTES: dict[str, tuple[str, str, str]] = {
    "parcel_without_enterprise": ("dm2", "宗地 {mu} 亩，没有企业使用", "parcel of {mu} mu that no enterprise uses"),
    "idle_candidate": ("dm2", "宗地 {mu} 亩，使用企业全年无用电记录，疑似闲置",
                       "parcel of {mu} mu whose enterprises show no power in the year: idle?"),
    "output_without_power": ("fen", "申报产出 {wan} 万元而无用电", "declares output of {wan} 万元 and shows no power"),
    "power_without_output": ("wh", "用电 {kwh} 千瓦时而无申报产出", "used {kwh} kWh and declares no output"),
    "land_of_deregistered": ("dm2", "企业登记状态为 {other}，仍占用土地 {mu} 亩", "holds {mu} mu though its registration is {other}"),
    "landless": ("", "没有用地记录，不计算亩均指标", "has no land on record: no figure per mu"),
    "area_dispute": ("dm2", "登记面积与图形面积相差 {mu} 亩", "declared and drawn area differ by {mu} mu"),
    "parcel_overlap": ("dm2", "与宗地 {other} 重叠 {mu} 亩", "overlaps parcel {other} by {mu} mu"),
    "outside_region": ("dm2", "有 {mu} 亩在宗地代码所属区划之外（位于 {other}）",
                       "{mu} mu of it lie outside the county of its code (they lie in {other})"),
    "geometry_repaired": ("dm2", "图形自相交，已修复：修复前 {mu} 亩，修复后 {other} 亩",
                          "its ring crossed itself and was repaired: {mu} mu before, {other} mu after"),
    "parcel_shares_over_one": ("dm2", "各方份额之和超过 1，已按比例折减，计 {mu} 亩", "shares sum to more than 1: cut in proportion to {mu} mu"),
    "share_assumed": ("dm2", "未注明份额，按均分或剩余计 {mu} 亩", "no share stated: {mu} mu taken as an equal part, or as what is left"),
    "two_owners": ("dm2", "同一时期登记了两个权利人，重叠期间均分，计 {mu} 亩", "two owners for the same days: {mu} mu, an equal part while they overlap"),
    "same_day_sale": ("", "转让双方登记为同一天：转出方计至前一日", "seller and buyer name the same day: the seller counts until the day before"),
    "same_day_lease": ("", "前后两份租赁登记为同一天：前一份计至前一日", "two leases name the same day: the first counts until the day before"),
    "dates_reversed": ("", "终止日期早于起始日期，未计入", "ends before it begins: counts for no day"),
    "areas_over_parcel": ("dm2", "各权利人面积之和超出宗地 {mu} 亩", "its holders' areas exceed the parcel by {mu} mu"),
    "lease_without_area": ("dm2", "租赁未注明面积，无法计算，未计入", "lease without an area, floor or share that could be worked out: not counted"),
    "leased_to_itself": ("dm2", "出租方与承租方为同一企业，未计入", "lessor and lessee are the same: not counted"),
    "lease_cycle": ("dm2", "循环出租（出租方 {other}），{mu} 亩", "leased in a circle (lessor {other}), {mu} mu"),
    "lease_over_one": ("dm2", "租赁份额或建筑面积超过整宗地，按整宗计 {mu} 亩", "more than the whole parcel leased by share or floor: {mu} mu, the whole, taken"),
    "lessor_not_linked": ("dm2", "出租方 {other} 未关联到企业：{mu} 亩未从出租方扣除", "lessor {other} is not linked: {mu} mu are deducted from nobody"),
    "lessor_without_right": ("dm2", "出租方 {other} 在该宗地没有权利记录，按所报 {mu} 亩计", "lessor {other} has no right in the parcel on record; {mu} mu taken as stated"),
    "rented_out_over_held": ("dm2", "出租方 {other} 出租超过其所有，已折减 {mu} 亩", "lessor {other} leases more than he has: cut by {mu} mu"),
    "rented_out_over_all": ("dm2", "租出超过自有与租入之和，差 {mu} 亩", "rents out more than it has in all, by {mu} mu"),
    "used_over_parcel": ("dm2", "某日各方用地之和超出宗地 {mu} 亩", "more is used on some day than the parcel has, by {mu} mu"),
}  # fmt: skip
# Found in the records of rights and leases themselves: a person has to correct a record or decide.
REVIEW = tuple(NOTES)[list(NOTES).index("area_dispute") :]


def write(year: Year, folder: Path, records: list[pl.DataFrame], places: pl.DataFrame) -> dict[str, int]:
    """Write ``findings.parquet`` from ``records`` (finding, parcel_code, …, origin: of rights, leases, drawings) and
    the year's merged tables in ``folder``; counts by kind. ``places``: parcel_code, origin of its first row."""
    parcels = pl.read_parquet(folder / "parcels.parquet", columns=["parcel_code", "area_dm2", "drawn_dm2"])
    told = [_repaired(r, parcels).rename({"finding": "kind"}) for r in records]
    at_parcels = pl.concat([_with(frame, kind) for kind, frame in _of_parcels(folder, parcels, year.year)])
    placed = at_parcels.join(places, on="parcel_code", how="left")
    firms = [_with(frame, kind) for kind, frame in _of_firms(folder, has_land=not parcels.is_empty())]
    none = pl.DataFrame(schema={n: kind for n, kind in SCHEMA.items() if n not in _LATER} | {"origin": pl.Int64})
    every = pl.concat([none, *told, placed, *firms], how="diagonal_relaxed")
    rows = year.origins(noted(every).sort("kind", "parcel_code", "enterprise_id", "origin", "other"))
    rows.select([pl.col(n).cast(kind) for n, kind in SCHEMA.items()]).write_parquet(folder / "findings.parquet")
    return dict(rows.group_by("kind").len().sort("kind").iter_rows())


def _with(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    columns = ("parcel_code", "enterprise_id", "region_code", "value", "other")
    return frame.with_columns(kind=pl.lit(kind)).select(
        "kind", *(pl.col(c) if c in frame.columns else pl.lit(None, dtype=SCHEMA[c]).alias(c) for c in columns)
    )


def noted(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with unit and both notes by their kind."""
    figures = {
        "mu": (pl.col("value") * 3 / 200_000).round(2), "wan": (pl.col("value") / 10**6).round(2),
        "kwh": pl.col("value") // 1000, "other": pl.col("other").fill_null("?"),
    }  # fmt: skip

    def note(text: str) -> pl.Expr:
        named = [figures[n].cast(pl.String).fill_null("?") for n in re.findall(r"{(\w+)}", text)]
        return pl.format(re.sub(r"{\w+}", "{}", text), *named) if named else pl.lit(text)

    parts = [
        part.with_columns(unit=pl.lit(NOTES[kind][0]), note_zh=note(NOTES[kind][1]), note_en=note(NOTES[kind][2]))
        for (kind,), part in rows.group_by("kind", maintain_order=True)
        if isinstance(kind, str)
    ]
    text = {n: pl.lit(None, dtype=pl.String) for n in ("unit", "note_zh", "note_en")}
    return pl.concat(parts) if parts else rows.with_columns(**text)


def _repaired(rows: pl.DataFrame, parcels: pl.DataFrame) -> pl.DataFrame:
    """Beside the area before a repair (``value``) the area that the parcel has now, in mu."""
    concerned = rows.filter(pl.col("finding") == "geometry_repaired").select("parcel_code")
    here = parcels.join(concerned, on="parcel_code", how="semi")
    now = here.select("parcel_code", now=(pl.col("drawn_dm2") * 3 / 200_000).round(2).cast(pl.String))
    joined = rows.join(now, on="parcel_code", how="left", maintain_order="left")
    repaired = pl.col("finding") == "geometry_repaired"
    return joined.with_columns(other=pl.when(repaired).then("now").otherwise("other")).drop("now")


# --- from the merged tables ------------------------------------------------------------------------------------------


def _of_parcels(folder: Path, parcels: pl.DataFrame, year: int) -> list[tuple[str, pl.DataFrame]]:
    size = pl.coalesce("drawn_dm2", "area_dm2")
    disputes = pl.read_parquet(folder / "area_disputes.parquet")
    off = (pl.col("area_dm2") - pl.col("drawn_dm2")).abs()
    lines = _lines(folder)
    # held or rented on a day of the year, be it of no stated area
    used = lines.filter(pl.col("days") > 0).select("parcel_code").collect()
    nobody = parcels.join(used, on="parcel_code", how="anti").with_columns(value=size)
    found = [("area_dispute", disputes.with_columns(value=off)), ("parcel_without_enterprise", nobody)]
    power = _facts(folder, ["power_wh"])
    if "power_wh" in power.columns:
        dark = power.filter(pl.col("power_wh").fill_null(0) == 0).select("enterprise_id")
        users = _users(lines, dark)
        idle = users.join(users.join(dark, on="enterprise_id", how="anti"), on="parcel_code", how="anti")
        main = idle.sort("parcel_code", "dm2_days", "enterprise_id", descending=[False, True, False])
        main = main.unique("parcel_code", keep="first").select("parcel_code", "enterprise_id")
        found.append(("idle_candidate", main.join(parcels, on="parcel_code").with_columns(value=size)))
    status = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", other="status")
    gone = status.filter(pl.col("other").str.contains(_GONE)).collect()
    left = _users(lines, gone).join(gone, on="enterprise_id").with_columns(value=pl.col("dm2_days") // days_of(year))
    return [*found, ("land_of_deregistered", left)]


def _lines(folder: Path) -> pl.LazyFrame:
    """The lines of land used that name a parcel."""
    place = folder / "land_use.parquet"
    if not place.is_file():
        schema = {"parcel_code": pl.String, "enterprise_id": pl.String, "dm2_days": pl.Int64, "days": pl.Int64}
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(place, glob=False).filter(pl.col("parcel_code").is_not_null())


def _users(lines: pl.LazyFrame, firms: pl.DataFrame) -> pl.DataFrame:
    """Who uses the parcels that any of the ``firms`` uses: parcel_code, enterprise_id, dm2_days of the year above 0."""
    theirs = lines.join(firms.lazy(), on="enterprise_id", how="semi").select("parcel_code").unique()
    summed = lines.join(theirs, on="parcel_code", how="semi").group_by("parcel_code", "enterprise_id")
    return summed.agg(pl.col("dm2_days").sum()).filter(pl.col("dm2_days") > 0).collect()


def _facts(folder: Path, names: list[str]) -> pl.DataFrame:
    """Those of the facts that were supplied for anybody, one row an enterprise."""
    place = folder / "facts_wide.parquet"
    held = pl.scan_parquet(place, glob=False).collect_schema().names()
    table = pl.read_parquet(place, columns=["enterprise_id", *(n for n in names if n in held)], glob=False)
    return table.select(c for c in table.get_columns() if c.null_count() < table.height or c.name == "enterprise_id")


def _of_firms(folder: Path, has_land: bool) -> list[tuple[str, pl.DataFrame]]:
    facts = _facts(folder, ["land_dm2_days", "power_wh", *OUTPUT])
    about = pl.scan_parquet(folder / "enterprises.parquet", glob=False).select("enterprise_id", "region_code", "status")

    def placed(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.lazy().join(about, on="enterprise_id", how="left").collect()

    found = []
    stated = [n for n in OUTPUT if n in facts.columns]
    if "power_wh" in facts.columns and stated:
        output, power = pl.max_horizontal(stated).fill_null(0), pl.col("power_wh").fill_null(0)
        found.append(("output_without_power", placed(facts.filter(output > 0, power == 0).with_columns(value=output))))
        found.append(("power_without_output", placed(facts.filter(power > 0, output <= 0).with_columns(value=power))))
    if has_land and "land_dm2_days" in facts.columns:
        gone = pl.col("status").str.contains(_GONE).fill_null(False)
        found.append(("landless", placed(facts.filter(pl.col("land_dm2_days").fill_null(0) <= 0)).filter(~gone)))
    return found
