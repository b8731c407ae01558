"""Requests that the OpenAPI documents allow, and those next to them, drawn by schemathesis for every route and as whom
it may be asked: no 5xx, and no status or media type that the document does not name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from api.app import create_app
from api.operations.settings import Settings
from api.rights import users
from api.rights.routes import OPEN, rule_of
from engine.releases import find, list_releases
from engine.schema.warehouse import Warehouse
from engine.states import change_state

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
ADMINISTRATOR, PUBLIC, BUREAU = "local administrator", "public", "land_bureau"


@dataclass(frozen=True)
class Asker:
    """An application over a warehouse of its own, and the headers that somebody asks with."""

    app: Any
    release: str
    headers: dict[str, str] = field(default_factory=dict)

    def document(self, root: str) -> schemathesis.BaseSchema:
        """The document of everything (``/``), or of what an asker is offered below an OGC landing page."""
        if root == "/":
            return schemathesis.openapi.from_asgi("/openapi.json", self.app, headers=self.headers)
        root = root.replace("RELEASE", self.release)
        with TestClient(self.app, base_url="http://localhost", headers=self.headers) as client:
            told = client.get(f"{root}/api").json()
        told["servers"] = [{"url": f"http://localhost{root}"}]
        found = schemathesis.openapi.from_dict(told)
        found.app = self.app
        return found


def operations() -> list[tuple[str, str]]:
    """Every path and method of the document, whatever routes there are."""
    described = create_app(Warehouse(Path("nowhere"))).openapi()["paths"]
    return [
        (path, method.upper()) for path, methods in described.items() for method in methods if method != "parameters"
    ]


def _copied(demo: Warehouse, place: Path) -> tuple[Warehouse, str]:
    """A copy of the small demo whose releases of 2024 are published, and its default release."""
    warehouse = Warehouse(Path(shutil.copytree(demo.home, place, ignore=shutil.ignore_patterns("*-shm", "lock"))))
    for listed in list_releases(warehouse):
        if listed["year"] == 2024:
            change_state(warehouse, listed["release_id"], "public", "for the test")
    return warehouse, find(warehouse, year=2024).id


@pytest.fixture(scope="module")
def askers(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asker]:
    """Whoever is on this machine while there are no users; the public and a city's bureau by their keys."""
    folder = tmp_path_factory.mktemp("any")
    (alone, release), (shared, _) = (_copied(demo_home, folder / name) for name in ("alone", "shared"))
    rows = pl.read_parquet(shared.releases / release / "rankings.parquet", columns=["region_city"])
    city = rows["region_city"].drop_nulls().mode().sort()[0]
    keys = {PUBLIC: users.add(shared, "hu", "public")[1], BUREAU: users.add(shared, "li", "land_bureau", city)[1]}
    app = create_app(shared)
    return {
        ADMINISTRATOR: Asker(create_app(alone), release, {"Host": "localhost"}),
        **{who: Asker(app, release, {"Host": "localhost", "Authorization": f"Bearer {k}"}) for who, k in keys.items()},
    }


def ask(operation: Any, asker: Asker, examples: int) -> set[int]:
    """The statuses of requests that the document allows and of some next to them."""
    statuses: set[int] = set()
    good, bad = (operation.as_strategy(generation_mode=m) for m in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

    @settings(
        max_examples=examples, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip
    @given(good | bad)
    def one(case: Case) -> None:
        statuses.add(case.call_and_validate(checks=CHECKS, headers=asker.headers).status_code)

    one()
    return statuses


@pytest.fixture(scope="module")
def documents(askers: dict[str, Asker]) -> dict[str, schemathesis.BaseSchema]:
    """The document as each of them reads it."""
    return {who: asker.document("/") for who, asker in askers.items()}


@pytest.mark.parametrize("who", [ADMINISTRATOR, PUBLIC, BUREAU])
@pytest.mark.parametrize(("path", "method"), operations())
def test_every_route_answers_as_documented(
    documents: dict[str, schemathesis.BaseSchema], askers: dict[str, Asker], path: str, method: str, who: str
) -> None:
    operation = documents[who][path][method]
    parameters = len(operation.definition.raw.get("parameters", ()))
    statuses = ask(operation, askers[who], max(6, parameters) if who == ADMINISTRATOR else max(2, parameters // 2))
    assert 401 not in statuses and 429 not in statuses  # else it was nobody who asked


@pytest.mark.parametrize(
    ("who", "root"),
    [(PUBLIC, "/ogc"), (BUREAU, "/ogc"), (PUBLIC, "/ogc/releases/RELEASE"), (ADMINISTRATOR, "/ogc/releases/RELEASE")],
)
def test_what_is_offered_below_a_landing_page_answers_as_documented(
    askers: dict[str, Asker], who: str, root: str
) -> None:
    found = [one.ok() for one in askers[who].document(root).get_all_operations()]
    assert len(found) >= 6 + 7 * (2 if who == PUBLIC else 5)
    if who != PUBLIC:  # whose two layers are enough: tiles are made anew for every role, seconds for a layer
        found = [operation for operation in found if "/tiles/" not in operation.path]
    assert {200, 400, 404} <= set().union(*(ask(operation, askers[who], 3) for operation in found))


def test_who_is_refused_is_refused_as_documented(home: Warehouse) -> None:
    """Without a key, with a wrong one, as a role that may not, and too often."""
    _, key = users.add(home, "hu", "public")
    role = {"Authorization": f"Bearer {key}"}
    client, hasty = (
        TestClient(create_app(home, settings=s), base_url="http://localhost", headers={"Sec-Fetch-Site": "same-origin"})
        for s in (Settings(), Settings(rate=0.001, burst=1))
    )
    with client, hasty:
        assert hasty.get("/api/v1/me", headers=role).status_code == 200  # its one request
        for path, method in operations():
            described = client.app.openapi()["paths"][path][method.lower()]["responses"]  # type: ignore[attr-defined]
            rule, address = rule_of(path), path.replace("{", "").replace("}", "")
            is_open = rule is not None and rule.action == OPEN
            assert ({"429"} if is_open else {"401", "403", "429"}) <= described.keys(), path
            nobody = [client.request(method, address, headers=h) for h in ({}, {"Authorization": "Bearer nope"})]
            often = hasty.request(method, address, headers=role)
            assert is_open or {a.status_code for a in nobody} == {401}, path
            assert often.status_code == 429 and often.headers["retry-after"], path
            for answer in (*nobody, often, client.request(method, address, headers=role)):
                media = answer.headers["content-type"].partition(";")[0]
                assert media in described[str(answer.status_code)]["content"], (path, answer.status_code)
