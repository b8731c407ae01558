"""A layer as GeoParquet 1.1: WKB, the coordinate system as PROJJSON, the ``bbox`` of each row for readers that skip, and the
origin as ``permu``, where other Parquet exports have it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import shapely


def write(rows: pl.DataFrame, place: Path, crs: str, told: dict[str, Any]) -> None:
    """Rows with ``geometry`` (WKB in ``crs``, x before y, null where nothing is drawn)."""
    import geopandas
    import pyarrow.parquet as pq

    plain = rows.drop("geometry").with_columns(pl.selectors.float().fill_nan(None))
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    # Arrow's own arrays: a whole number beside an empty cell stays one.
    frame = geopandas.GeoDataFrame(plain.to_pandas(use_pyarrow_extension_array=True), geometry=shapes, crs=crs)
    made = io.BytesIO()
    frame.to_parquet(made, index=False, schema_version="1.1.0", write_covering_bbox=True)
    table = pq.read_table(made)
    # Without the Arrow schema: Polars' large texts and lists are not known to every reader, those of Parquet are.
    with pq.ParquetWriter(place, table.schema, compression="zstd", store_schema=False) as file:
        file.write_table(table)
        file.add_key_value_metadata({"geo": table.schema.metadata[b"geo"], "permu": orjson.dumps(told)})
