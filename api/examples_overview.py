"""Example answers of the overview's and the portrait's routes, invented, in the shape that the routes give."""

from __future__ import annotations

from typing import Any

_HEAD: dict[str, Any] = {"release_id": "2024-sunan-2017-3f2a9c", "year": 2024, "policy": "sunan-2017"}
_ID = "u91320507000000001X"
_COUNTED = {"of": 340, "missing": 20}
_TARGET = {
    "id": "energy_per_value_added",
    "zh": "单位工业增加值能耗",
    "en": "Energy per industrial value added",
    "kind": "change",
    "goal": -0.18,
    "above": ["energy_ce"],
    "below": "value_added_fen",
    "scale": None,
    "unit_zh": "吨标准煤/万元",
    "unit_en": "tce per 10,000 yuan",
    "chosen": None,
}
_PROGRESS = {
    "region": "3205",
    "region_name": "苏州市",
    "applies": True,
    "target": "energy_per_value_added",
    "of": 1904,
    "members": 6841,
    "value": 0.42,
    "base": {"value": 0.56, "source": "示例统计年鉴 2016，表 8-3"},
    "progress": -0.25,
    "goal": -0.18,
    "met": True,
    "reason": None,
}
_TARGETS = {
    "id": "sunan-2017",
    "title": {"zh": "苏南五市2019年目标（与2015年相比）", "en": "Targets of 2019 against 2015"},
    "number": "苏政办发〔2017〕44号",
    "source": "third-party copy",
    "base_year": 2015,
    "until": 2019,
    "targets": [_TARGET],
    "lines": [_PROGRESS],
}
_FACT = {
    "field": "vat_fen",
    "zh": "增值税",
    "en": "value added tax",
    "unit": "万元",
    "unit_en": "×10,000 yuan",
    "values": {"2024": {"value": 153.75, "exact": 153750000, "source": "state_tax", "how": "only_claim", "spread": 0}},
}
_PARCEL = {
    "type": "Feature",
    "id": "320507001001GB00001",
    "properties": {
        "parcel_code": "320507001001GB00001",
        "kinds": ["own"],
        "area_mu": 16.2,
        "drawn_mu": 16.1,
        "used_mu": 16.2,
        "users": 1,
        "disputed": False,
    },
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[120.6, 31.3], [120.601, 31.3], [120.601, 31.301], [120.6, 31.3]]],
    },
}
_STANDING = {
    "metric": "benefit_per_mu",
    "title": "亩均效益",
    "title_en": "Benefit per mu",
    "unit": "万元/亩",
    "unit_en": "10,000 yuan per mu",
    "value": 25.6,
    "base": None,
    "points": None,
    "groups": [
        {
            "grouping": "industry_2",
            "key": {"industry_2": "26"},
            "rank": 96,
            "of": 1711,
            "median": 13.2,
            "with_value": 1711,
        }
    ],
}
_OVERVIEW, _ENTERPRISE = "/api/v1/overview", "/api/v1/enterprises/{enterprise_id}"
EXAMPLES: dict[str, Any] = {
    f"{_OVERVIEW}/distribution": {
        **_HEAD,
        "by": "benefit_per_mu",
        **_COUNTED,
        "edges": [0.0, 10.0, 20.0],
        "counts": [4, 160, 120, 56],
    },
    f"{_OVERVIEW}/concentration": {
        **_HEAD,
        "by": "benefit_per_mu",
        **_COUNTED,
        "above": "benefit_fen",
        "below": "land_dm2_days",
        "gini": 0.48,
        "half": 0.17,
        "points": [[0.0, 0.0], [0.5, 0.17], [1.0, 1.0]],
        "reason": None,
    },
    f"{_OVERVIEW}/quadrant": {
        **_HEAD,
        "x": "output_per_mu",
        "y": "benefit_per_mu",
        **_COUNTED,
        "cross": {"median": {"x": 313.1, "y": 12.9}, "base": {"x": None, "y": None}},
        "counts": {"high_high": 150, "high_low": 20, "low_high": 20, "low_low": 150},
        "points": [{"enterprise_id": _ID, "name": "示例化工有限公司", "grade": None, "x": 453.4, "y": 25.6}],
        "cells": None,
        "per_decade": 8,
        "hidden": 0,
    },
    f"{_OVERVIEW}/movement": {
        **_HEAD,
        "against": {**_HEAD, "release_id": "2023-sunan-2017-9fe951", "year": 2023},
        "kind": "grade",
        "by": None,
        "states": [{"state": "A", "before": 70, "after": 72}, {"state": "B", "before": 2, "after": 0}],
        "links": [{"from": "A", "to": "A", "count": 70}, {"from": "B", "to": "A", "count": 2}],
        "hidden": 0,
    },
    f"{_OVERVIEW}/targets": {**_HEAD, **_TARGETS},
    f"{_ENTERPRISE}/facts": {
        "enterprise_id": _ID,
        "years": [{"year": 2024, "release_id": _HEAD["release_id"]}],
        "facts": [_FACT],
    },
    f"{_ENTERPRISE}/parcels": {
        "type": "FeatureCollection",
        "permu": {"release_id": _HEAD["release_id"], "year": _HEAD["year"], "enterprise_id": _ID},
        "features": [_PARCEL],
    },
    f"{_ENTERPRISE}/standing": {**_HEAD, "enterprise_id": _ID, "metrics": [_STANDING]},
}
