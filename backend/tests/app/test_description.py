"""The OpenAPI description of the gateway is complete."""

from typing import Any

import pytest

from battery_api.app.main import create_app
from battery_api.app.openapi import EXAMPLES, describe
from battery_servicekit.testing.contract import faults_of_examples, gaps_of


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe(create_app())


def test_the_description_leaves_nothing_unsaid(description: dict[str, Any]) -> None:
    assert gaps_of(description) == []


def test_every_example_is_one_of_what_its_operation_takes_and_answers(description: dict[str, Any]) -> None:
    assert faults_of_examples(description, EXAMPLES) == []


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("post", "/api/v1/telemetry", "Needs the role engineer or a key with the scope `telemetry:write`."),
        ("get", "/api/v1/batteries", "Needs the role viewer or a key with the scope `fleet:read`."),
        ("post", "/api/v1/batteries/{battery_id}/retire", "Needs the role admin; API keys are refused."),
        ("post", "/api/v1/auth/login", "Needs no credentials."),
    ],
)
def test_an_operation_names_the_least_role_and_the_scope(
    description: dict[str, Any], method: str, path: str, sentence: str
) -> None:
    assert description["paths"][path][method]["description"].endswith(sentence)


def test_errors_are_declared_where_they_can_happen_and_only_there(description: dict[str, Any]) -> None:
    conflicts = {
        path
        for path, operations in description["paths"].items()
        if any("409" in operation["responses"] for operation in operations.values())
    }
    assert "/api/v1/alerts/{alert_id}/acknowledge" in conflicts
    assert "/api/v1/batteries" not in conflicts
    login = description["paths"]["/api/v1/auth/login"]["post"]["responses"]
    assert login["429"]["headers"].keys() == {"Retry-After"}
    assert "403" not in login
