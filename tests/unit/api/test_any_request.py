"""Requests that the OpenAPI document allows, and those next to them, drawn by schemathesis for every route: no 5xx, and
no status or media type that the document does not name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from api.app import create_app
from engine.schema.warehouse import Warehouse

EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
HEADERS = {"Host": "localhost"}
Document = schemathesis.BaseSchema


def operations() -> list[tuple[str, str]]:
    """Every path and method of the document, whatever routes there are."""
    described = create_app(Warehouse(Path("nowhere"))).openapi()["paths"]
    return [
        (path, method.upper()) for path, methods in described.items() for method in methods if method != "parameters"
    ]


@pytest.fixture(scope="module")
def document(demo_home: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The application over a copy of the small demo, as the local administrator meets it."""
    home = tmp_path_factory.mktemp("any") / "home"
    shutil.copytree(demo_home.home, home)
    app = create_app(Warehouse(home), hosts=("localhost", "testserver"))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize(("path", "method"), operations())
def test_every_route_answers_as_documented(document: Document, path: str, method: str) -> None:
    operation = document[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=modes[0]) | operation.as_strategy(generation_mode=modes[1]))
    def ask(case: Case) -> None:
        case.call_and_validate(checks=CHECKS, headers=HEADERS)

    ask()
