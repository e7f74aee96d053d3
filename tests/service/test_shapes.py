"""Requests that do not fit the model: AWS's words, and the cost of looking."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.service import shapes
from kaidan.service.api import OPERATIONS
from kaidan.service.errors import ApiError

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
ROUTE = {"stateMachineVersionArn": "v", "weight": 1}

FITS: list[tuple[str, Any]] = [
    ("StartExecution", {"stateMachineArn": MACHINE}),
    ("StartExecution", {"stateMachineArn": MACHINE, "name": "n" * 80, "input": "x" * 262_144, "traceHeader": ""}),
    ("StartExecution", {"stateMachineArn": MACHINE, "name": None}),
    ("StartExecution", {"stateMachineArn": MACHINE, "unknown": 1}),
    ("ListStateMachines", {}),
    ("ListStateMachines", {"maxResults": 0}),
    ("ListStateMachines", {"maxResults": 1000}),
    ("UpdateMapRun", {"mapRunArn": "m", "toleratedFailurePercentage": 12.5, "toleratedFailureCount": 0}),
    ("TagResource", {"resourceArn": "r", "tags": [{"key": "k", "value": ""}]}),
    ("CreateStateMachineAlias", {"name": "v1.2-beta", "routingConfiguration": [ROUTE]}),
]


@pytest.mark.parametrize(("operation", "params"), FITS)
def test_what_fits(operation: str, params: Any) -> None:
    shapes.check(operation, params)


FAILS: list[tuple[str, Any, str]] = [
    (
        "UpdateMapRun",
        {"mapRunArn": "m", "toleratedFailurePercentage": 101},
        "Value '101.0' at 'toleratedFailurePercentage' failed to satisfy constraint: "
        "Member must have value less than or equal to 100",
    ),
    ("StartExecution", {}, "Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null"),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "name": "n" * 81},
        f"Value '{'n' * 81}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80",
    ),
    (
        "StartExecution",
        {"stateMachineArn": ""},
        "Value '' at 'stateMachineArn' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "input": "é" * 131_073},
        "Value at 'input' failed to satisfy constraint: "
        "Member must have size less than or equal to 262144 bytes in UTF-8 encoding",
    ),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "traceHeader": "é"},
        r"Value 'é' at 'traceHeader' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: \p{ASCII}*",
    ),
    (
        "ListStateMachines",
        {"maxResults": 1001},
        "Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ),
    (
        "ListStateMachines",
        {"maxResults": -1},
        "Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0",
    ),
    (
        "ListExecutions",
        {"statusFilter": "DONE"},
        "Value 'DONE' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: "
        "[RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE]",
    ),
    (
        "SendTaskFailure",
        {"taskToken": "t", "error": "e" * 257},
        "Value at 'error' failed to satisfy constraint: Member must have length less than or equal to 256",
    ),
    ("SendTaskSuccess", {"taskToken": "t"}, "Value at 'output' failed to satisfy constraint: Member must not be null"),
    (
        "CreateStateMachineAlias",
        {"name": "7", "routingConfiguration": [ROUTE]},
        r"Value '7' at 'name' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$",
    ),
    (
        "CreateStateMachineAlias",
        {"name": "p", "routingConfiguration": [ROUTE, ROUTE, {"stateMachineVersionArn": "w", "weight": 2}]},
        "Value '[RoutingConfigurationListItem(stateMachineVersionArn=v, weight=1), "
        "RoutingConfigurationListItem(stateMachineVersionArn=v, weight=1), "
        "RoutingConfigurationListItem(stateMachineVersionArn=w, weight=2)]' at 'routingConfiguration' "
        "failed to satisfy constraint: Member must have length less than or equal to 2",
    ),
    (
        "CreateStateMachineAlias",
        {"name": "p", "routingConfiguration": [ROUTE, {"stateMachineVersionArn": "w", "weight": 101}]},
        "Value '101' at 'routingConfiguration.2.member.weight' failed to satisfy constraint: "
        "Member must have value less than or equal to 100",
    ),
    (
        "CreateStateMachine",
        {"name": "n", "definition": "{}", "roleArn": "r", "encryptionConfiguration": {}},
        "Value null at 'encryptionConfiguration.type' failed to satisfy constraint: Member must not be null",
    ),
    (
        "UntagResource",
        {"resourceArn": "r", "tagKeys": ["good", ""]},
        "Value '[good, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]",
    ),
]


@pytest.mark.parametrize(("operation", "params", "problem"), FAILS)
def test_what_does_not_fit(operation: str, params: Any, problem: str) -> None:
    with pytest.raises(ApiError) as refusal:
        shapes.check(operation, params)
    assert refusal.value.code == "ValidationException"
    assert refusal.value.message == f"1 validation error detected: {problem}"


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ApiError) as refusal:
        shapes.check("CreateActivity", {"name": "", "tags": [{"key": ""}]})
    assert refusal.value.message == (
        "2 validation errors detected: "
        "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; "
        "Value '' at 'tags.1.member.key' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


WRONG_TYPES: list[tuple[str, Any, str]] = [
    ("StartExecution", {"stateMachineArn": 5}, "NUMBER_VALUE can not be converted to a String"),
    ("StartExecution", {"stateMachineArn": True}, "TRUE_VALUE can not be converted to a String"),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "input": {}},
        "Start of structure or map found where not expected.",
    ),
    ("StartExecution", {"stateMachineArn": MACHINE, "input": []}, "Start of list found where not expected"),
    ("ListStateMachines", {"maxResults": "5"}, "STRING_VALUE can not be converted to an Integer"),
    ("ListStateMachines", {"maxResults": True}, "TRUE_VALUE can not be converted to an Integer"),
    ("TagResource", {"resourceArn": "r", "tags": {}}, "Expected list or null"),
    ("UntagResource", {"resourceArn": "r", "tagKeys": [1]}, "NUMBER_VALUE can not be converted to a String"),
    ("ListStateMachines", [], "Start of list found where not expected"),
]


@pytest.mark.parametrize(("operation", "params", "problem"), WRONG_TYPES)
def test_wrong_types(operation: str, params: Any, problem: str) -> None:
    with pytest.raises(ApiError) as refusal:
        shapes.check(operation, params)
    assert (refusal.value.code, refusal.value.message) == ("SerializationException", problem)


def test_every_operation_is_there() -> None:
    assert set(OPERATIONS) | {"RedriveExecution"} == shapes.operation_names()
