"""Small files of every kind, as departments send them, for the fuzz tests to break."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import polars as pl
import shapely

ROWS = 40


def usage() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "户号": [f"{i:010d}" for i in range(ROWS)],
            "户名": [f"苏州第{i}“示例”厂, 一车间" for i in range(ROWS)],
            "月份": [202401 + i % 12 for i in range(ROWS)],
            "用电量（千瓦时）": [i * 1.25 for i in range(ROWS)],
        }
    )


def html(path: Path) -> None:
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in usage().rows())
    head = "".join(f"<th>{c}</th>" for c in usage().columns)
    page = f"<html><body><table><tr><td colspan=4 rowspan=2>用电</td></tr><tr></tr><tr>{head}</tr>{body}</table></body></html>"
    path.write_bytes(page.encode("gb18030"))


def text(encoding: str, separator: str = ",") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(usage().write_csv(separator=separator).encode(encoding)) and None


def layer(**options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        shapes = [shapely.box(120 + i / 100, 31, 120.005 + i / 100, 31.005) for i in range(ROWS)]
        data = {"宗地代码": [f"320583001001GB{i:05d}" for i in range(ROWS)], "权利人": ["甲公司"] * ROWS}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:4490").to_file(path, **options)

    return write


def packed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("一月/用电.csv", usage().write_csv())
        out.writestr("二月.csv", usage().write_csv().encode("gbk"))


# name → how it is written; a shapefile has its parts beside it.
SEEDS: dict[str, Callable[[Path], object]] = {
    "a.csv": text("utf-8"),
    "gbk.csv": text("gb18030"),
    "wide.txt": text("utf-16", "\t"),
    "a.xlsx": lambda path: usage().write_excel(path),
    "a.parquet": lambda path: usage().write_parquet(path),
    "a.feather": lambda path: usage().write_ipc(path),
    "page.xls": html,
    "a.zip": packed,
    "a.gpkg": layer(),
    "a.fgb": layer(driver="FlatGeobuf"),
    "a.geojson": layer(),
    "a.shp": layer(encoding="GB18030"),
}


def write(folder: Path) -> dict[str, Path]:
    """Every seed in ``folder``."""
    for name, make in SEEDS.items():
        make(folder / name)
    return {name: folder / name for name in SEEDS}
