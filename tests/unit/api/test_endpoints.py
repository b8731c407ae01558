"""Every route: what it answers and how it refuses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

V1 = "/api/v1"
JSON_ROUTES = (
    "/releases", "/industries", "/regions", "/sizes", "/policies", "/policies/sunan-2017", "/indicators", "/rankings",
    "/rankings/bottom", "/summary", "/enterprises/E01", "/enterprises/E01/explain", "/enterprises/E01/history",
)  # fmt: skip
EVERY_ROUTE = (*(V1 + r for r in JSON_ROUTES), "/layers/parcels.geojson", "/healthz", "/readyz")


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(V1 + path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, path: str, status: int, code: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status and problem["code"] == code and problem["title"] and problem["detail_zh"]
    return problem


@pytest.mark.parametrize("path", EVERY_ROUTE)
def test_unknown_and_repeated_parameters_are_refused_everywhere(client: TestClient, path: str) -> None:
    problem = refused(client, f"{path}?colour=red", 400, "unknown_parameter")
    assert problem["parameter"] == "colour" and "allowed" in problem
    assert refused(client, f"{path}?release=a&release=b", 400, "repeated_parameter")["parameter"] == "release"


@pytest.mark.parametrize("path", EVERY_ROUTE)
def test_head_answers_like_get_without_a_body(client: TestClient, path: str) -> None:
    answer = client.head(path)
    assert answer.status_code == 200 and answer.content == b""


@pytest.mark.parametrize("path", EVERY_ROUTE)
def test_other_methods_are_405(client: TestClient, path: str) -> None:
    answer = client.post(path)
    assert (
        answer.status_code == 405 and answer.json()["code"] == "method_not_allowed" and "GET" in answer.headers["allow"]
    )


@pytest.mark.parametrize("path", [V1 + r for r in JSON_ROUTES])
def test_etag_gives_304_until_the_question_changes(client: TestClient, path: str) -> None:
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag


def test_etag_differs_by_release_and_question(client: TestClient, ids: dict[str, str]) -> None:
    asked = [{"release": ids["2024"]}, {"release": ids["2023"]}, {"release": ids["2024"], "limit": 2}]
    assert len({client.get(f"{V1}/rankings", params=a).headers["etag"] for a in asked}) == 3


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("size=tiny", "size"), ("size=", "size"), ("region=320", "region"), ("region=nowhere", "region"), ("industry=26145", "industry"),
        ("industry=XYZ", "industry"),
        ("group=x", "group"), ("grade=E", "grade"), ("by=profit", "by"), ("order=up", "order"), ("limit=0", "limit"),
        ("limit=99999", "limit"), ("limit=abc", "limit"), ("q=", "q"), ("format=pdf", "format"), ("year=24", "year"), ("lang=de", "lang"),
        ("cursor=", "cursor"), ("cursor=abc", "cursor"), ("cursor=%FF", "cursor"), ("cursor=" + "A" * 300, "cursor"),
        ("cursor=" + quote("第一页"), "cursor"),
    ],
)  # fmt: skip
def test_malformed_values_are_400_with_the_name(client: TestClient, query: str, name: str) -> None:
    problem = refused(client, f"{V1}/rankings?{query}", 400, "bad_parameter")
    assert problem["parameter"] == name and problem["allowed"]


@pytest.mark.parametrize("query", ["percent=0", "percent=nan", "count=0", "within=name", "percent=5&count=5"])
def test_malformed_bottom_lists_are_400(client: TestClient, query: str) -> None:
    refused(client, f"{V1}/rankings/bottom?{query}", 400, "bad_parameter")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{V1}/enterprises/nobody", "unknown_enterprise"),
        (f"{V1}/enterprises/nobody/explain", "unknown_enterprise"),
        (f"{V1}/enterprises/nobody/history", "unknown_enterprise"),
        (f"{V1}/rankings?release=none", "unknown_release"),
        (f"{V1}/rankings?year=1999", "no_release"),
        (f"{V1}/rankings?policy=none", "no_release"),
        (f"{V1}/policies/none", "unknown_policy"),
        (f"{V1}/policies/..%2F..%2Fpyproject.toml", "not_found"),
        ("/layers/roads.geojson", "unknown_layer"),
        ("/layers/parcels.dwg", "not_found"),
        ("/layers/regions.geojson", "no_layer"),
        ("/nothing", "not_found"),
        ("/static/../app.py", "not_found"),
    ],
)
def test_what_is_not_there_is_404(client: TestClient, path: str, code: str) -> None:
    refused(client, path, 404, code)


def test_release_must_agree_with_year_and_policy(client: TestClient, ids: dict[str, str]) -> None:
    assert (
        refused(client, f"{V1}/rankings?release={ids['2023']}&year=2024", 400, "bad_parameter")["parameter"] == "year"
    )
    assert (
        refused(client, f"{V1}/rankings?release={ids['2023']}&policy=huaian-2024", 400, "bad_parameter")["parameter"]
        == "policy"
    )


def test_the_default_release_is_the_newest_of_the_default_policy(client: TestClient, ids: dict[str, str]) -> None:
    assert get(client, "/rankings")["release_id"] == ids["2024"]
    assert get(client, "/rankings", year=2023)["release_id"] == ids["2023"]
    assert get(client, "/rankings", policy="huaian-2024")["release_id"] == ids["graded"]
    assert client.get("/readyz").json() == {"status": "ready", "release_id": ids["2024"]}


def test_rankings_shape(client: TestClient, ids: dict[str, str]) -> None:
    body = get(client, "/rankings", limit=2, by="benefit_per_mu")
    assert {k: body[k] for k in ("year", "policy", "by", "of", "total")} == {
        "year": 2024, "policy": "sunan-2017", "by": "benefit_per_mu", "of": 10, "total": 12,
    }  # fmt: skip
    assert [r["enterprise_id"] for r in body["rows"]] == ["E09", "E01"] and body["next"]
    assert body["rows"][0]["benefit_per_mu"] == 10_000_000_000 / (15 * 150_000)  # unrounded
    assert body["rows"][0]["release_id"] == ids["2024"]
    assert get(client, "/rankings", by="land_mu", limit=1)["rows"][0]["land_mu"] == 15.0


def test_pages_joined_are_the_whole_and_stay_with_their_release(client: TestClient) -> None:
    whole = get(client, "/rankings", order="worst")["rows"]
    rows, cursor = [], None
    for _ in range(20):
        page = get(client, "/rankings", order="worst", limit=5, **({"cursor": cursor} if cursor else {}))
        rows, cursor = rows + page["rows"], page["next"]
        if cursor is None:
            break
    assert rows == whole


def test_a_cursor_of_another_question_or_release_is_refused(client: TestClient, ids: dict[str, str]) -> None:
    cursor = get(client, "/rankings", limit=2)["next"]
    forged = cursor[:4] + ("B" if cursor[4] != "B" else "C") + cursor[5:]
    for asked in (f"cursor={cursor}&size=small", f"cursor={forged}", f"cursor={cursor}&by=benefit_per_mu",
                  f"cursor={cursor}&release={ids['2023']}", f"cursor={cursor}&order=worst"):  # fmt: skip
        assert refused(client, f"{V1}/rankings?limit=2&{asked}", 400, "bad_parameter")["parameter"] == "cursor"
    assert get(client, "/rankings", limit=9, cursor=cursor)["rows"][0]["enterprise_id"] == "E03"
    assert refused(client, f"{V1}/rankings?cursor={cursor}&year=2023", 400, "bad_parameter")["parameter"] == "year"


def test_bottom_lists(client: TestClient) -> None:
    groups = get(client, "/rankings/bottom", count=1, within="industry,size")["groups"]
    assert next(g["key"] for g in groups) == {"industry": "26", "size": "large"}
    assert all(set(g) == {"key", "of", "rows"} for g in groups)
    assert get(client, "/rankings/bottom", percent="2.5")["groups"][0]["rows"][0]["enterprise_id"] == "E08"
    assert get(client, "/rankings/bottom", industry="99")["groups"] == [{"key": {}, "of": 0, "rows": []}]


def test_catalogue(client: TestClient, ids: dict[str, str]) -> None:
    releases = get(client, "/releases")["releases"]
    assert [r["release_id"] for r in releases] == [ids["graded"], ids["2024"], ids["2023"]]
    assert [r["state"] for r in releases] == ["draft", "draft", "final"] and releases[0]["loads"][0]["source"] == "land"
    industries = {x["code"]: x for x in get(client, "/industries")["industries"]}
    assert (
        industries["26"]["enterprises"] == 10 and industries["C"]["level"] == "section" and industries["2614"]["name"]
    )
    regions = {x["code"]: x for x in get(client, "/regions")["regions"]}
    assert regions["3205"] == {"code": "3205", "name": "苏州市", "level": "city", "enterprises": 10}
    assert regions["320571"]["level"] == "zone"
    assert [s["code"] for s in get(client, "/sizes")["sizes"]] == ["large", "medium", "small", "micro"]
    named = {x["name"]: x for x in get(client, "/indicators", policy="huaian-2024")["indicators"]}
    assert named["score"]["default"] and named["land_mu"]["unit"] == "亩" and named["land_mu"]["groupings"] == []
    policies = {p["id"]: p for p in get(client, "/policies")["policies"]}
    assert policies["sunan-2017"]["years"] == [2023, 2024]
    assert get(client, "/policies/huaian-2024")["score"]["groups"]["all"]["items"]


def test_enterprise_by_id_and_by_credit_code(client: TestClient) -> None:
    one = get(client, "/enterprises/E03")
    assert one == get(client, f"/enterprises/{one['uscc']}")
    assert (one["rank"], one["of"], one["benefit_per_mu"]) == (2, 10, None)
    assert one["land_use"][0]["kind"] == "own" and one["facts"] == []
    assert get(client, "/enterprises/E05")["rank"] is None


def test_history_goes_through_the_years(client: TestClient) -> None:
    told = get(client, "/enterprises/E01/history", policy="sunan-2017")
    assert [(y["year"], y["rank"], y["of"]) for y in told["years"]] == [(2023, 1, 7), (2024, 1, 10)]
    assert [y["year"] for y in get(client, "/enterprises/E12/history", policy="sunan-2017")["years"]] == [2024]


def test_history_says_how_long_an_enterprise_stood_in_the_bottom(client: TestClient) -> None:
    years = get(client, "/enterprises/E08/history", policy="sunan-2017")["years"]
    standing = [y["standing"] for y in years]
    assert [(s["rank"], s["of"], s["in_bottom"], s["years_in_bottom"]) for s in standing] == [
        (7, 7, True, 1),
        (10, 10, True, 2),
    ]
    assert [(s["places"], s["percentile_change"]) for s in standing] == [(None, None), (-3, 0.0)]


def test_explanation_is_the_engine_s(client: TestClient) -> None:
    told = get(client, "/enterprises/E01/explain", policy="huaian-2024", lang="en")
    assert {"enterprise_id", "year", "policy", "score", "grade", "steps"} <= set(told)
    assert all({"kind", "name", "value", "unit", "note"} <= set(s) for s in told["steps"])


def test_summary(client: TestClient) -> None:
    lines = get(client, "/summary", group_by="industry", policy="huaian-2024")["groups"]
    assert lines[0]["key"] == {"industry": "26"} and lines[0]["grades"]["A"] == 3
    assert lines[0]["metrics"]["score"]["of"] == 10
