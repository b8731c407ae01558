"""The bureau's own lists: regions with polygons, relations, exemptions and events."""

from __future__ import annotations

import numpy as np
import polars as pl
import shapely

from data.demo.settings import TITLE, ZONE, ZONE_COUNTY, Ints, pick
from data.demo.writers import Sheet, write_book, write_csv, write_layer
from data.demo.year import DemoYear

_REASONS = ["搬迁政策保护期", "在建期", "公益性企业", "投产未满两年"]
_RELATIONS = ["关联企业", "租户", "合并评价"]
_EVENTS = [
    ("上市", "示例交易所公告"),
    ("安全事故", "示例事故调查报告"),
    ("失信", "示例失信名单"),
    ("行政处罚", "示例处罚决定书"),
    ("加分", "示例表彰文件"),
]


def write_regions(y: DemoYear) -> None:
    """Cities, counties, towns and one zone, as GeoPackage in the first year and GeoJSON after."""
    r, m = y.world.regions, y.map
    zone = m.counties[r.counties.index(ZONE_COUNTY)][None]
    boxes = np.vstack([m.cities, m.counties, m.towns, zone])
    count = (len(r.cities), len(r.counties), len(r.towns), 1)
    frame = pl.DataFrame(
        {
            "区划代码": [*r.cities, *r.counties, *r.towns, ZONE],
            "区划名称": [*r.city_names, *r.county_names, *r.town_names, "苏州工业园区（示例开发区）"],
            "级别": [level for level, n in zip(("市", "县", "镇", "开发区"), count, strict=True) for _ in range(n)],
            "开发区代码": [None] * sum(count[:3]) + [ZONE],
            "年版": ["2023"] * sum(count),
            "生效日期": ["2023-01-01"] * sum(count),
        }
    )
    suffix = "gpkg" if y.year == y.world.years[0] else "geojson"
    polygons = shapely.box(*boxes.T)
    write_layer(y.folder("regions") / f"行政区划_{y.year}.{suffix}", frame, polygons, layer="行政区划")
    y.truth.written("regions", frame.height)


def _chosen(y: DemoYear, label: str, trap: str) -> Ints:
    return pick(y.rng(label), y.plain(), y.count(trap))


def _head(y: DemoYear, at: Ints) -> dict[str, pl.Series]:
    firms = y.world.firms
    return {"统一社会信用代码": firms["uscc"].gather(at), "企业名称": firms["name"].gather(at)}


def _book(y: DemoYear, source: str, title: str, frame: pl.DataFrame, at: Ints) -> None:
    sheet = Sheet(frame, above=[[f"{title}{TITLE}"]], name=title)
    write_book(y.folder(source) / f"{title}{y.year}.xlsx", sheet)
    _record(y, source, at)


def _record(y: DemoYear, source: str, at: Ints) -> None:
    y.truth.link(source, "uscc:" + y.world.firms["uscc"].gather(at), at, True, "id")
    y.truth.written(source, len(at))
    y.truth.trap(source, len(at))


def write_relations(y: DemoYear) -> None:
    """Affiliates, tenants and firms that are evaluated together."""
    at = _chosen(y, "relations", "relations")
    other = np.roll(at, 1)
    firms = y.world.firms
    columns = {
        "关联企业统一社会信用代码": firms["uscc"].gather(other),
        "关联企业名称": firms["name"].gather(other),
        "关系类型": pl.Series([_RELATIONS[i % 3] for i in range(len(at))]),
        "起始日期": pl.repeat("2020-01-01", len(at), eager=True),
        "终止日期": pl.repeat("2030-12-31", len(at), eager=True),
    }
    _book(y, "relations", "企业关联关系", pl.DataFrame(_head(y, at) | columns), at)


def write_exemptions(y: DemoYear) -> None:
    """Firms that are not evaluated for a time, with the reason."""
    at = _chosen(y, "exemptions", "exemptions")
    columns = {
        "豁免原因": pl.Series([_REASONS[i % len(_REASONS)] for i in range(len(at))]),
        "起始日期": pl.repeat(f"{y.year}-01-01", len(at), eager=True),
        "终止日期": pl.repeat(f"{y.year}-12-31", len(at), eager=True),
    }
    write_csv(y.folder("exemptions") / f"豁免名单{y.year}.csv", pl.DataFrame(_head(y, at) | columns))
    _record(y, "exemptions", at)


def write_events(y: DemoYear) -> None:
    """Listings, accidents, dishonesty, penalties and bonus items of the year, with synthetic evidence."""
    at = _chosen(y, "events", "events")
    kinds = [_EVENTS[i % len(_EVENTS)] for i in range(len(at))]
    columns = {
        "事项类别": pl.Series([k for k, _ in kinds]),
        "年度": pl.repeat(str(y.year), len(at), eager=True),
        "依据": pl.Series([f"{e}第{i:04d}号" for i, (_, e) in enumerate(kinds)]),
    }
    _book(y, "events", "企业事项", pl.DataFrame(_head(y, at) | columns), at)
