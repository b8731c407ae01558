"""The bureau's regions as drawn: ``regions.parquet`` of a merge, and the counties that parcels are held against."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import shapely

from ingest.canonical import Year

_COUNTY = r"^\d{4}(0[1-9]|[1-9]\d)$"


def drawn_regions(year: Year) -> pl.DataFrame | None:
    """region_code, zone_code, name, level, geometry (valid WKB, lon/lat): the newest edition of each that was drawn.

    None where no regions were loaded, or none of them has a shape.
    """
    rows = year.scan("regions", "region")
    if rows is None or "geometry" not in rows.collect_schema().names():
        return None
    order = [pl.col("vintage").fill_null(""), pl.col("valid_from").dt.to_string().fill_null(""), pl.col("origin")]
    drawn = rows.filter(pl.col("geometry").is_not_null()).sort(order)
    newest = drawn.unique(["region_code", "zone_code"], keep="last", maintain_order=True)
    # twelve digits are six for a county, nine for a town
    code = pl.col("region_code").str.replace(r"^(\d{6})0{6}$", "$1").str.replace(r"^(\d{9})0{3}$", "$1")
    table = newest.select(code, "zone_code", "name", "level", "geometry").sort("region_code", "zone_code").collect()
    valid = shapely.to_wkb(shapely.make_valid(shapely.from_wkb(table["geometry"].to_numpy())))
    return table.with_columns(geometry=pl.Series(list(valid), dtype=pl.Binary)) if table.height else None


def write_regions(year: Year, folder: Path) -> dict[str, shapely.Geometry]:
    """Write ``regions.parquet`` where there are any; county code (6 digits) → its area."""
    table = drawn_regions(year)
    if table is None:
        return {}
    table.write_parquet(folder / "regions.parquet")
    county = pl.col("region_code").str.contains(_COUNTY) & pl.col("zone_code").is_null()
    counties = table.filter(county.fill_null(False))
    return dict(zip(counties["region_code"], shapely.from_wkb(counties["geometry"].to_list()), strict=True))
