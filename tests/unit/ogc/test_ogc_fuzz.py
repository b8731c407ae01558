"""Requests made from the OpenAPI document of /ogc: no error of the server, no status that is not described."""

from __future__ import annotations

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from api.app import create_app
from engine.schema.warehouse import Warehouse


@pytest.fixture(scope="module")
def described(served_home: Warehouse) -> schemathesis.BaseSchema:
    """The definition of the default release."""
    app = create_app(served_home)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        document = client.get("/ogc/api").json()
    document["servers"] = [{"url": "http://127.0.0.1/ogc"}]
    found = schemathesis.openapi.from_dict(document)
    found.app = app
    return found


EXAMPLES = 20  # of each operation
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]


def test_requests_from_the_definition(described: schemathesis.BaseSchema) -> None:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 6 + 7 * 5
    statuses: set[int] = set()
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(
                base_url="http://127.0.0.1/ogc", headers={"Host": "127.0.0.1"}, checks=CHECKS
            )
            statuses.add(answer.status_code)

        ask()
    assert {200, 400, 404} <= statuses
