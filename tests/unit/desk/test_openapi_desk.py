"""What the OpenAPI document says of the desk is what its routes answer."""

from __future__ import annotations

from typing import Any

import pytest

from api.desk.examples import BODIES, EXAMPLES
from api.desk.openapi import START
from tests.unit.desk.conftest import DESK, Asking


@pytest.fixture(scope="module")
def document(desk: Asking) -> dict[str, Any]:
    found: dict[str, Any] = desk.client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def asked(desk: Asking) -> dict[str, str]:
    """What stands for each path parameter."""
    return {
        "item_id": desk.get("review", kind="unlinked", sure_from=50, limit=1)["items"][0]["id"],
        "release_id": desk.releases["2024-huaian-2024"],
        "parcel_code": desk.get("disputes/land", reason="area_dispute", limit=1)["findings"][0]["parcel_code"],
    }


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    paths = {p: o for p, o in document["paths"].items() if p.startswith(START)}
    assert len(paths) >= 12
    for path, operations in paths.items():
        for method, told in operations.items():
            assert told["summary"] and {"200", "400", "401", "403", "404", "409", "503"} <= set(told["responses"]), path
            assert all(p["description"] for p in told["parameters"]), path
            assert (method == "post") == ("requestBody" in told)


def test_examples_look_like_the_answers(desk: Asking, asked: dict[str, str]) -> None:
    for path, example in EXAMPLES.items():
        if path.startswith("POST "):
            continue
        more = (
            {"changes": "shares.A=25"}
            if path.endswith("simulate")
            else {"target": "public"}
            if "publish" in path
            else {}
        )
        _within(example, desk.get(path.removeprefix(f"{DESK}/").format(**asked), **more), path)


def test_example_bodies_are_taken(desk: Asking, asked: dict[str, str]) -> None:
    path = f"{DESK}/review/{{item_id}}"
    told = desk.post(path.removeprefix(f"{DESK}/").format(**asked), BODIES[path])
    _within(EXAMPLES[f"POST {path}"], told, path)
    desk.post(f"review/{asked['item_id']}", {"verdict": "reopen"})
    path = f"{DESK}/publish/{{release_id}}"
    told = desk.post(path.removeprefix(f"{DESK}/").format(**asked), BODIES[path])
    _within(EXAMPLES[f"POST {path}"], told, path)


_FREE = (
    "counts",
    "cells",
    "matrix",
    "grades",
    "refused",
    "disputes",
    "land",
    "review",
    "links",
    "items",
    "missing_sources",
)


def _within(example: Any, given: Any, where: str) -> None:
    """Every key of the example occurs in the answer; lists by their first lines."""
    if isinstance(example, dict) and isinstance(given, dict):
        assert set(example) <= set(given), (where, set(example) - set(given))
        for key in example:
            if key not in _FREE or isinstance(example[key], list):
                _within(example[key], given[key], f"{where}.{key}")
    elif isinstance(example, list) and example and isinstance(given, list) and given:
        _within(example[0], given[0], where)
