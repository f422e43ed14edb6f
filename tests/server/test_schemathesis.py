"""Requests made up from openapi.json: never a 500, never an answer outside the description."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from activation_server.app import create_app, describe_api
from activation_server.session import ModelSession
from activation_server.settings import Settings

HOST = {"host": "127.0.0.1"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = sorted(
    operation["operationId"]
    for path in describe_api().openapi()["paths"].values()
    for operation in path.values()
)


@pytest.fixture
def api(session: ModelSession) -> schemathesis.schemas.BaseSchema:
    app = create_app(Settings(), session)
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HOST)


# schemathesis itself draws from `random` inside some of its strategies.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("name", OPERATIONS)
def test_made_up_requests_are_answered_as_described(
    api: schemathesis.schemas.BaseSchema, name: str
) -> None:
    operation = api.find_operation_by_id(name)

    @settings(
        max_examples=5 if name == "self_check" else 30,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=HOST, checks=CHECKS)

    check()
