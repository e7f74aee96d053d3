"""ValidateStateMachineDefinition: how findings are told. What is found is the language's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.support import PASS, ROLE, Service, text

WARNED = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x": "$.y"}, "End": True}}}
BROKEN = {"StartAt": "A", "States": {name: {"Type": "Pass", "Next": "Nowhere" + name} for name in "AB"}}


def validate(service: Service, definition: dict[str, Any], **params: Any) -> dict[str, Any]:
    return service("ValidateStateMachineDefinition", definition=json.dumps(definition), **params)


def test_a_good_definition(service: Service) -> None:
    assert validate(service, PASS) == {"result": "OK", "diagnostics": [], "truncated": False}


def test_warnings_are_for_those_who_ask(service: Service) -> None:
    assert validate(service, WARNED)["diagnostics"] == []
    asked = validate(service, WARNED, severity="WARNING")
    assert (asked["result"], [found["code"] for found in asked["diagnostics"]]) == ("OK", ["NO_DOLLAR"])
    assert asked["diagnostics"][0]["severity"] == "WARNING"


def test_findings_are_cut_off(service: Service) -> None:
    every = validate(service, BROKEN)
    assert (every["result"], every["truncated"]) == ("FAIL", False)
    assert len(every["diagnostics"]) > 1
    assert every["diagnostics"][0]["location"].startswith("/States/")
    one = validate(service, BROKEN, maxResults=1)
    assert (one["diagnostics"], one["truncated"]) == (every["diagnostics"][:1], True)
    assert validate(service, BROKEN, maxResults=0) == every


@pytest.mark.parametrize("definition", ["StartAt: A", text(PASS) + "// done", "[]", " "])
def test_the_api_takes_plain_json_only(service: Service, definition: str) -> None:
    assert service("ValidateStateMachineDefinition", definition=definition)["result"] == "FAIL"


def task(resource: str, parameters: Any, field: str = "Parameters", **more: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", field: parameters, "End": True, **more}
    return {"StartAt": "A", "States": {"A": state}}


VPC = {"awsVpcConfiguration": {"Subnets": ["s"]}}

PARAMETERS: list[tuple[dict[str, Any], list[str]]] = [
    (task("lambda:invoke", {}), ["The field 'FunctionName' is required but was missing"]),
    (task("lambda:invoke", {"FunctionName.$": "$.f"}), []),
    (task("lambda:invoke", {"FunctionName": "f", "Body": 1}), ['The field "Body" is not supported by Step Functions']),
    (task("lambda:invoke", {"FunctionName": "f", "TaskToken.$": "$.t"}), []),
    (task("sqs:sendMessage", {"QueueUrl": "u"}), ["The field 'MessageBody' is required but was missing"]),
    (
        task("ecs:runTask", {"TaskDefinition": "t", "NetworkConfiguration": VPC}),
        ['The field "awsVpcConfiguration" is not supported by Step Functions'],
    ),
    (
        task("aws-sdk:ec2:describeImages", {"Filters": [{"Name": "a", "Value": []}]}),
        ['The field "Value" is not supported by Step Functions'],
    ),
    (task("aws-sdk:ec2:describeImages", {"Filters": "wrong", "MaxResults": "many"}), []),
    (task("aws-sdk:ec2:describeImages", {"Filters": "{% $f %}"}, "Arguments", QueryLanguage="JSONata"), []),
    (
        task("sqs:sendMessage", {"MessageBody": "{% $b %}"}, "Arguments", QueryLanguage="JSONata"),
        ["The field 'QueueUrl' is required but was missing"],
    ),
]


@pytest.mark.parametrize(
    "resource",
    ["lamda:invoke", "Lambda:invoke", "lambda:run", "sns:publish.sync", "states:startExecution.sync:3", "aws-sdk:a:b"],
)
def test_integrations_that_do_not_exist(service: Service, resource: str) -> None:
    """One finding: what such a task would take cannot be said."""
    (found,) = validate(service, task(resource, {}))["diagnostics"]
    assert found["message"].startswith(f"The resource provided arn:aws:states:::{resource} is not recognized.")
    assert found["location"] == "/States/A/Resource"


@pytest.mark.parametrize(("definition", "messages"), PARAMETERS)
def test_parameters_of_integrations(service: Service, definition: dict[str, Any], messages: list[str]) -> None:
    answer = validate(service, definition)
    assert [found["message"] for found in answer["diagnostics"]] == messages
    field = "Arguments" if "Arguments" in definition["States"]["A"] else "Parameters"
    assert all(found["location"] == f"/States/A/{field}" for found in answer["diagnostics"])
    if messages:
        code, message = service.refuses("CreateStateMachine", name="m", definition=text(definition), roleArn=ROLE)
        assert code == "InvalidDefinition"
        assert f"SCHEMA_VALIDATION_FAILED: {messages[0]} at /States/A/{field}" in message


@pytest.mark.parametrize(
    ("definition", "count"),
    [(text(BROKEN), 3), ("[]", 1), ('{"StartAt": ', 1), ('{"StartAt": "A", "States": {"A": {}, "A": {}}}', 1)],
)
def test_a_refusal_joins_the_findings(service: Service, definition: str, count: int) -> None:
    """Quoted by users: what has no place is "at null". What is no JSON has its place twice, for AWS's message about
    it ends with the place (recorded)."""
    found = service("ValidateStateMachineDefinition", definition=definition)["diagnostics"]
    joined = ", ".join(f"{each['code']}: {each['message']} at {each.get('location', 'null')}" for each in found)
    assert len(found) == count
    assert service.refuses("CreateStateMachine", name="m", definition=definition, roleArn=ROLE) == (
        "InvalidDefinition",
        f"Invalid State Machine Definition: '{joined}'",
    )
