"""200,000 parcels: areas, validity and overlaps, beside the same with geopandas. ``python -m tests.bench.parcels WAY FILE``.

The parcels tile a plain as real ones do (neighbours share their boundary, rows are turned, every 40th is L-shaped);
a known number is drawn over a neighbour and a known number crosses itself. Both ways must give the same counts,
the same overlapping pairs and areas that sum to the same km² before a time is reported.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

SIZE = 200_000
_EACH = 400  # every so manieth is drawn over its neighbour; every so manieth and one crosses itself
_PERCENT, _LEAST_M2 = 2, 100 / 3  # no pair of the plain lies near a limit
Answer = tuple[NDArray[np.float64], int, list[tuple[int, int]]]


def write(place: Path, size: int = SIZE) -> Path:
    """The layer as Parquet: ``parcel_code`` and ``geometry`` (WKB, lon/lat)."""
    columns = int(np.ceil(np.sqrt(size)))
    at = np.arange(size)
    centre = np.stack([118.5 + (at % columns) * 0.0012, 31.0 + (at // columns) * 0.001], axis=1)
    box = np.array([(-1, -1), (1, -1), (1, 0.2), (0.3, 0.2), (0.3, 1), (-1, 1), (-1, -1)], float)
    corners = np.repeat(box[None], size, axis=0)
    corners[at % 40 != 0, 2:4] = (1, 1)
    corners = corners * (0.0006, 0.0005)
    corners[at % _EACH == 7] *= 1.2
    crossed = at % _EACH == 8
    corners[crossed] = corners[crossed][:, [0, 2, 1, 5, 5, 5, 0]]
    turned = corners @ np.array([(0.96, 0.28), (-0.28, 0.96)])
    shapes = shapely.polygons(turned + (centre @ np.array([(0.96, 0.28), (-0.28, 0.96)]))[:, None])
    codes = pl.Series(at).cast(pl.String).str.zfill(19)
    pl.DataFrame({"parcel_code": codes, "geometry": pl.Series(list(shapely.to_wkb(shapes)))}).write_parquet(place)
    return place


def ours(file: Path) -> Answer:
    """As ingest and merge do it."""
    from ingest.columns import geometry
    from ingest.drawn import overlaps
    from ingest.geometry import dm2
    from ingest.parcels import union_parcels

    read = pl.read_parquet(file)
    typed = geometry(read["geometry"])
    declared = pl.DataFrame(schema={"parcel_code": pl.String, "area_dm2": pl.Int64})
    table = union_parcels(declared, read.with_columns(typed.values.alias("geometry")))
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    found = overlaps(table["parcel_code"], dm2(shapes), shapes, _PERCENT, int(_LEAST_M2 * 100))
    pairs = list(zip(found["parcel_code"].cast(pl.Int64), found["other"].cast(pl.Int64), strict=True))
    return table["drawn_dm2"].to_numpy() / 100, int(typed.also["__repaired"].sum()), pairs


def with_geopandas(file: Path) -> Answer:
    """The usual way: make_valid, an equal-area projection, a spatial join, an overlay of each pair."""
    import geopandas as gpd

    read = pl.read_parquet(file)
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries.from_wkb(read["geometry"].to_list(), crs="EPSG:4490"))
    broken = ~frame.is_valid
    frame.loc[broken, "geometry"] = frame.loc[broken, "geometry"].make_valid()
    flat = frame.to_crs("+proj=cea +lon_0=119.5 +ellps=GRS80")
    joined = gpd.sjoin(flat, flat, predicate="intersects")
    one, two = joined.index.to_numpy(), joined["index_right"].to_numpy()
    one, two = one[one < two], two[one < two]
    shared = flat.geometry.iloc[one].reset_index(drop=True).intersection(flat.geometry.iloc[two].reset_index(drop=True))
    areas = flat.area.to_numpy()
    sizes = shared.area.to_numpy()
    at = (sizes > _LEAST_M2) & (sizes * 100 > np.minimum(areas[one], areas[two]) * _PERCENT)
    return areas, int(broken.sum()), sorted(zip(one[at].tolist(), two[at].tolist(), strict=True))


WAYS = {"permu": ours, "geopandas": with_geopandas}


def main(way: str, file: str) -> None:
    """One way in a process of its own: seconds and the hash of its answer as the last line."""
    began = time.perf_counter()
    areas, repaired, pairs = WAYS[way](Path(file))
    seconds = time.perf_counter() - began
    assert repaired and pairs and len(areas) and (areas > 0).all()
    told = [round(float(areas.sum()) / 1e6), repaired, [list(map(int, pair)) for pair in pairs]]
    answer = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "answer_sha256": answer, "pairs": len(pairs), "repaired": repaired}))


if __name__ == "__main__":
    main(*sys.argv[1:])
