"""One example answer for every route, invented, in the shape that the route gives (a test compares them)."""

from __future__ import annotations

from typing import Any

from api import examples_overview

_HEAD: dict[str, Any] = {"release_id": "2024-sunan-2017-3f2a9c", "year": 2024, "policy": "sunan-2017"}
_PLACE = {"all": {"rank": 812, "of": 19204}, "industry_2": {"rank": 96, "of": 1711}, "size": {"rank": 402, "of": 9120}}
ROW: dict[str, Any] = {
    "rank": 12,
    "of": 340,
    "percentile": 96.75516224188791,
    "enterprise_id": "u91320507000000001X",
    "uscc": "91320507000000001X",
    "name": "示例化工有限公司",
    "industry_code": "2614",
    "industry_name": "有机化学原料制造",
    "region_code": "320507001",
    "region_name": "示例街道",
    "size": "small",
    "scale_group": "above_scale",
    "land_mu": 16.2,
    "output_wan_yuan": 7344.5,
    "tax_wan_yuan": 415.25,
    "output_per_mu": 453.36419753086420,
    "benefit_per_mu": 25.632716049382715,
    "score": None,
    "grade": None,
    "ranks": {"output_per_mu": _PLACE, "benefit_per_mu": _PLACE},
    "flags": [],
    "release_id": _HEAD["release_id"],
}
_FIGURES = {"of": 340, "ratio": 18.9, "mean": 21.4, "p10": 2.1, "p25": 6.0, "p50": 13.2, "p75": 27.5, "p90": 49.0}
_INDICATOR = {
    "name": "benefit_per_mu",
    "title": "亩均效益",
    "title_en": "Benefit per mu",
    "unit": "万元/亩",
    "unit_en": "10,000 yuan per mu",
    "groupings": ["all", "industry_2"],
    "default": False,
}
_COLUMN = {
    "name": "land_mu",
    "title": "用地面积",
    "title_en": "Land",
    "unit": "亩",
    "unit_en": "mu",
    "kind": "number",
    "decimals": 2,
    "shown": True,
}
_TITLE = {"zh": "苏南工业企业资源集约利用排名", "en": "Ranking of southern Jiangsu"}
_POLICY = {"id": "sunan-2017", "title": _TITLE, "status": "complete", "place": "32", "sha256": "9b1c…", "years": [2024]}
_STEP = {
    "kind": "fact",
    "name": "vat_fen",
    "value": 1250000,
    "unit": "元",
    "note": "",
    "source": {"load_id": "state_tax-2024-0a1b2c3d4e5f", "file": "2024.xlsx", "sheet": "增值税", "row": 18},
}
_FEATURE = {
    "type": "Feature",
    "id": "320507001001GB00001",
    "properties": {
        "parcel_code": "320507001001GB00001",
        "enterprise_ids": [ROW["enterprise_id"]],
        "rank": 812,
        "grade": None,
    },
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[120.6, 31.3], [120.601, 31.3], [120.601, 31.301], [120.6, 31.3]]],
    },
}
_RELEASE = {
    **_HEAD,
    "state": "draft",
    "rows": 20000,
    "rankings_sha256": "5d41…",
    "created_at": "2025-03-01T02:00:00.000000+00:00",
    "available": True,
    "layers": ["parcels", "enterprises", "regions", "low_efficiency", "idle"],
    "policy_title": _TITLE,
    "default_metric": "output_per_mu",
    "metrics": ["output_per_mu", "benefit_per_mu"],
    "synthetic": True,
    "loads": [{"load_id": "state_tax-2024-0a1b2c3d4e5f", "source": "state_tax", "sha256": "0a1b2c3d4e5f…"}],
}
_SUMMARY = {
    "key": {"industry": "26"},
    "enterprises": 360,
    "land_mu": 5832.0,
    "output_wan_yuan": 2512000.0,
    "tax_wan_yuan": 110224.8,
    "metrics": {"benefit_per_mu": _FIGURES},
    "grades": {"A": 72, "B": 144, "C": 126, "D": 18},
}
_INDUSTRY = {"code": "26", "name": "化学原料和化学制品制造业", "level": "division", "enterprises": 360}
_REGION = {"code": "3205", "name": "苏州市", "level": "city", "enterprises": 7410}
_SIZE = {"code": "small", "name": "小型", "name_en": "small", "enterprises": 9500}

PROBLEM = {
    "type": "urn:permu:problem:bad_parameter",
    "title": "Bad Request",
    "status": 400,
    "code": "bad_parameter",
    "detail": "size='tiny' is not allowed: one of large, medium, small, micro",
    "detail_zh": "参数 size='tiny' 无效：取值 large、medium、small、micro",
    "instance": "/api/v1/rankings",
    "parameter": "size",
    "allowed": "one of large, medium, small, micro",
}
_V1 = "/api/v1"
EXAMPLES: dict[str, Any] = {
    **examples_overview.EXAMPLES,
    f"{_V1}/releases": {"releases": [_RELEASE]},
    f"{_V1}/industries": {**_HEAD, "industries": [_INDUSTRY]},
    f"{_V1}/regions": {**_HEAD, "regions": [_REGION]},
    f"{_V1}/sizes": {**_HEAD, "sizes": [_SIZE]},
    f"{_V1}/indicators": {**_HEAD, "indicators": [_INDICATOR]},
    f"{_V1}/columns": {"columns": [_COLUMN]},
    f"{_V1}/policies": {"policies": [_POLICY]},
    f"{_V1}/policies/{{policy_id}}": {"id": "sunan-2017", "sha256": "9b1c…", "title": _TITLE, "status": "complete"},
    f"{_V1}/rankings": {**_HEAD, "by": "output_per_mu", "of": 340, "total": 360, "rows": [ROW], "next": None},
    f"{_V1}/rankings/places": {
        **_HEAD,
        "by": "output_per_mu",
        "against": {"release_id": "2023-sunan-2017-77b0d1", "year": 2023, "policy": "sunan-2017"},
        "places": {ROW["enterprise_id"]: {"rank": 15, "of": 331}},
    },
    f"{_V1}/rankings/ids": {**_HEAD, "total": 1, "ids": [ROW["enterprise_id"]]},
    f"{_V1}/rankings/bottom": {
        **_HEAD,
        "by": "output_per_mu",
        "groups": [{"key": {"industry": "26"}, "of": 340, "rows": [{**ROW, "rank": 340, "percentile": 0.0}]}],
    },
    f"{_V1}/summary": {**_HEAD, "group_by": ["industry"], "groups": [_SUMMARY]},
    f"{_V1}/enterprises/{{enterprise_id}}": {**_HEAD, "by": "output_per_mu", **ROW, "facts": [], "land_use": []},
    f"{_V1}/enterprises/{{enterprise_id}}/explain": {
        "enterprise_id": ROW["enterprise_id"],
        "year": 2024,
        "policy": "sunan-2017",
        "score": None,
        "grade": None,
        "steps": [_STEP],
    },
    f"{_V1}/enterprises/{{enterprise_id}}/history": {
        "enterprise_id": ROW["enterprise_id"],
        "years": [{**_HEAD, "by": "output_per_mu", **ROW}],
    },
    "/layers/{layer}.geojson": {"type": "FeatureCollection", "features": [_FEATURE]},
    "/healthz": {"status": "ok"},
    "/metrics": 'permu_requests_total{method="GET",route="/api/v1/rankings",status="200"} 3.0',
    "/api/v1/me": {
        "name": "wang",
        "role": "land_bureau",
        "region": "3205",
        "enterprise": None,
        "can": ["rankings", "bottom"],
        "login": True,
    },
    "/readyz": {"status": "ready", "release_id": _HEAD["release_id"]},
}
