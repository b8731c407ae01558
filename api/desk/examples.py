"""One example answer for every route of the desk, invented, in the shape that the route gives (a test compares them)."""

from __future__ import annotations

from typing import Any

_D = "/api/v1/desk"
_RELEASE = "2024-huaian-2024-70cd35d5"
_AT = {"at": "2025-03-02T02:00:00.000000+00:00", "who": "wang"}
_PLACE = {"load_id": "power-2024-875e9dd7b1a2", "file": "用电量2024年01月.csv", "sheet": "", "row": 22098}
_ITEM: dict[str, Any] = {
    "id": "U000fded8c233", "kind": "unlinked", "state": "open", "year": 2024, "source": "power", **_PLACE,
    "record_key": "account:3290000683", "name": "吴中示例铭锐睿专用设备有限公司", "field": None, "value": None,
    "reason": "needs_review", "rows": 12, "candidates": 1, "decided": None,
}  # fmt: skip
_CANDIDATE: dict[str, Any] = {
    "enterprise_id": "E2C34A0ECBE199ED", "uscc": "91320506X00035334M", "name": "吴中示例铭锐鼎专用设备有限公司",
    "region_code": "320506005", "region": "吴中区横泾街道", "address": "吴中区横泾街道示例大道12号", "capital_fen": 412000000,
    "sure_percent": 98.4, "why": "one_character", "why_en": "one character differs", "why_zh": "仅一字之差",
    "links": {"state_tax": 1}, "alike": {"name": 92.3, "address": 100.0, "region": True, "capital": None},
}  # fmt: skip
_DECISION = {**_AT, "verdict": "accept", "enterprise_id": "E2C34A0ECBE199ED", "reason": "the meter's contract"}
_DISPUTE: dict[str, Any] = {
    "year": 2024, "enterprise_id": "E2C34A0ECBE199ED", "uscc": "91320506X00035334M", "name": "示例机械有限公司",
    "field": "employees", "unit": "", "value_taken": 120, "source_taken": "statistics", "spread": 30, "title": "从业人数",
    "title_en": "employees", "trust": ["statistics", "hr"],
    "claims": [{"source": "hr", "value": 90, "records": 1, "file": "参保.xlsx", "sheet": "参保", "row": 7, "load_id": "hr-2024-1"}],
}  # fmt: skip
_FINDING: dict[str, Any] = {
    "number": 0, "kind": "area_dispute", "year": 2024, "parcel_code": "320102007001GB00018", "enterprise_id": None,
    "name": None, "value": 798730, "unit": "dm2", "note_zh": "登记面积与图形面积相差 11.98 亩", "note_en": "declared and drawn "
    "area differ by 11.98 mu", "load_id": "land-2024-7b493c58c1aa", "sheet": "使用权", "row": 7524, "region_code": "320102",
    "declared_mu": 39.94, "drawn_mu": 51.92,
}  # fmt: skip
_REFUSED: dict[str, Any] = {
    "year": 2024, "source": "commerce", "table": "enterprise", "load_id": "commerce-2024-882b7d8df9e5", "file": "企业.xlsx",
    "sheet": "企业信息", "row": 6845, "column": "B", "header": "统一社会信用代码", "field": "uscc", "value": "91310115X98430008H",
    "code": "bad_credit_code", "zh": "…请更正", "en": "… correct the code",
    "cells": [{"field": "uscc", "header": "统一社会信用代码", "value": "91310115X98430008H", "at_fault": True}],
}  # fmt: skip
_COVERAGE: dict[str, Any] = {
    "source": "power", "title": "供电", "title_en": "power supply", "year": 2024, "loads": 12, "rows_in": 240000,
    "kept": 239000, "refused": 1000, "months": 12, "months_held": [1, 2], "counties_by_month": [42, 42], "counties": [], "holes": [],
}  # fmt: skip
_DIFFERENCE: dict[str, Any] = {
    "enterprises": 20000, "entered": 0, "left": 0, "matrix": {"A": {"A": 3000}}, "moved": 12, "worst": "D",
    "into_worst_count": 1, "out_of_worst_count": 0, "out_of_worst": [],
    "into_worst": [{"enterprise_id": "E2C34A0ECBE199ED", "name": "示例机械有限公司", "before": "C", "after": "D"}],
}  # fmt: skip
_STATE: dict[str, Any] = {
    "release_id": _RELEASE, "state": "draft", "may_become": ["public", "final", "withdrawn"],
    "events": [{**_AT, "state": "draft", "reason": "ranked"}],
}  # fmt: skip
_CHANGED: dict[str, Any] = {
    "enterprise_id": "E2C34A0ECBE199ED", "uscc": "91320506X00035334M", "name": "示例机械有限公司", "grade_before": "B",
    "grade_after": "A", "score_before": 81.2, "score_after": 83.0, "rank_before": 40, "rank_after": 36, "of_before": 190,
    "of_after": 190, "line_of": "A", "line_before": 82.1, "line_after": 82.4, "why": ["score"], "items": {"tax_per_mu": 1.8},
    "reason": "得分 81.20 → 83.00", "reason_en": "score 81.20 → 83.00",
}  # fmt: skip

EXAMPLES: dict[str, Any] = {
    f"{_D}/review": {"total": 1, "counts": {"kind": {"unlinked": 1}}, "items": [{**_ITEM, "sure_percent": 98.4}], "next": None},
    f"{_D}/review/{{item_id}}": {
        "item": _ITEM,
        "record": {"name": _ITEM["name"], "address": "吴中区横泾街道示例大道12号", "region_code": "320506", "region": "吴中区",
                   "capital_fen": None, "cells": {"account": "3290000683", "power_wh": 12000000}},
        "candidates": [_CANDIDATE], "decisions": [], "position": 1, "total": 1, "previous": None, "next": None,
    },
    f"POST {_D}/review/{{item_id}}": {
        "item_id": _ITEM["id"], "verdict": "accept", "enterprise_id": "E2C34A0ECBE199ED", "reason": None, "decided": 1,
        "unchanged": 0, "corrected": 0, "decisions": [_DECISION],
    },
    f"{_D}/refused": {"total": 1, "counts": {"code": {"bad_credit_code": 1}}, "rows": [_REFUSED], "next": None},
    f"{_D}/disputes": {"total": 1, "counts": {"field": {"employees": 1}}, "disputes": [_DISPUTE], "next": None},
    f"{_D}/disputes/facts": {"total": 1, "counts": {"field": {"employees": 1}}, "disputes": [_DISPUTE], "next": None},
    f"{_D}/disputes/land": {"total": 1, "counts": {"kind": {"area_dispute": 1}}, "findings": [_FINDING], "next": None},
    f"{_D}/disputes/land/{{parcel_code}}": {
        "year": 2024, "parcel_code": "320102007001GB00018", "declared_mu": 39.94, "drawn_mu": 51.92, "neighbours": [],
        "feature": None, "users": [], "findings": [_FINDING],
    },
    f"{_D}/disputes/corrections": {"corrections": []},
    f"{_D}/status": {
        "coverage": [_COVERAGE], "missing_sources": [], "refused": {"bad_credit_code": 180}, "findings": 0,
        "disputes": {"areas": 57}, "land": {"area_dispute": 57}, "review": {"needs_review": 2200, "refused_open": 184},
        "merges": [{"year": 2024, "merge_id": "2024-1", "created_at": _AT["at"], "stale": False, "why_en": None, "why_zh": None,
                    "decisions_since": 0}],
        "releases": [{"release_id": _RELEASE, "year": 2024, "policy": "huaian-2024", "state": "draft", "created_at": _AT["at"],
                      "rows": 20000, "outdated": False}],
        "lock": None,
    },
    f"{_D}/simulate": {
        "release_id": _RELEASE, "year": 2024, "policy": "huaian-2024", "title": {"zh": "…", "en": "…"},
        "changes": ["weights.tax_per_mu=40"], "of": 20000, "moved": 1, "matrix": {"A": {"A": 3000}},
        "groups": [{"group": "all", "title": None, "within": "region_county",
                    "items": [{"name": "tax_per_mu", "title": "亩均税收", "title_en": "Tax per mu", "before": 45.0, "after": 40.0}],
                    "shares": [{"grade": "A", "before": 20.0, "after": 20.0}]}],
        "grades": {"A": {"zh": "优先发展", "en": "develop first"}}, "rows": [_CHANGED],
    },
    f"{_D}/publish/{{release_id}}": {
        **_STATE, "target": "public", "year": 2024, "policy": "huaian-2024", "enterprises": 20000, "grades": {"A": 3000}, "outside": 0,
        "public": {"before": "2024-huaian-2024-0a1b2c3d", "after": _RELEASE, "difference": _DIFFERENCE},
        "bureau": {"before": _RELEASE, "after": _RELEASE, "difference": None},
    },
    f"POST {_D}/publish/{{release_id}}": {"release_id": _RELEASE, "before": "draft", "state": "public", **_AT, "reason": "公示"},
}  # fmt: skip
BODIES: dict[str, Any] = {
    f"{_D}/review/{{item_id}}": {"verdict": "accept", "enterprise": "1", "reason": "the meter's contract"},
    f"{_D}/publish/{{release_id}}": {"state": "public", "reason": "公示七日", "expected": "draft"},
}
