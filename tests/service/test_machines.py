"""State machines: made, changed, described, listed, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.support import ARN, PASS, ROLE, WAIT, Service, text

ORDERS = ARN + "stateMachine:orders"
OTHER_ROLE = "arn:aws:iam::123456789012:role/other"
LOG = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:x:*"}}
BARE = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:x"}}
NO_LOG = {"level": "OFF", "includeExecutionData": False}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def test_defaults(service: Service) -> None:
    arn = service.machine()
    described = service("DescribeStateMachine", stateMachineArn=arn)
    created = described.pop("creationDate")
    assert described == {
        "stateMachineArn": ORDERS,
        "name": "orders",
        "status": "ACTIVE",
        "definition": text(PASS),
        "roleArn": ROLE,
        "type": "STANDARD",
        "loggingConfiguration": NO_LOG,
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    assert created == service.api.now()


CREATE = {"name": "orders", "definition": text(PASS), "roleArn": ROLE}

SAME: list[dict[str, Any]] = [
    {},
    {"type": "STANDARD"},
    {"roleArn": OTHER_ROLE},
    {"tags": [{"key": "k", "value": "v"}]},
    {"loggingConfiguration": {"level": "OFF"}},
    {"tracingConfiguration": {"enabled": False}},
    {"publish": False},
]
DIFFERENT: list[dict[str, Any]] = [
    {"definition": text(PASS, "other")},
    {"definition": json.dumps(PASS, indent=1)},
    {"type": "EXPRESS"},
    {"loggingConfiguration": {"level": "ALL", "destinations": [LOG]}},
    {"tracingConfiguration": {"enabled": True}},
    {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY}},
    {"publish": True},
]


@pytest.mark.parametrize("change", SAME)
def test_creating_the_same_again(service: Service, change: dict[str, Any]) -> None:
    first = service("CreateStateMachine", **CREATE)
    service.pass_time(1000)
    assert service("CreateStateMachine", **CREATE | change) == first
    assert service("DescribeStateMachine", stateMachineArn=ORDERS)["roleArn"] == ROLE
    assert service("ListTagsForResource", resourceArn=ORDERS) == {"tags": []}


@pytest.mark.parametrize("change", DIFFERENT)
def test_creating_something_else_under_the_name(service: Service, change: dict[str, Any]) -> None:
    service("CreateStateMachine", **CREATE)
    refusal = service.refuses("CreateStateMachine", **CREATE | change)
    assert refusal == ("StateMachineAlreadyExists", f"State Machine Already Exists: '{ORDERS}'")


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "no good"}, "InvalidName", "Invalid Name: 'no good'"),
    ({"roleArn": "nobody"}, "InvalidArn", "Invalid Role Arn: 'nobody'"),
    (
        {"versionDescription": "first"},
        "ValidationException",
        "Version description can only be set when publish is true",
    ),
    (
        {"loggingConfiguration": {"level": "ERROR"}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    ),
    (
        {"loggingConfiguration": {"level": "ALL", "destinations": [LOG, LOG]}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    ),
    (
        {"loggingConfiguration": {"level": "ALL", "destinations": [BARE]}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Log Group ARN must be provided with '*' qualifier.",
    ),
    (
        {"definition": '{"StartAt": "Only"}'},
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
    ),
]


@pytest.mark.parametrize(("change", "code", "message"), REFUSED)
def test_what_cannot_be_created(service: Service, change: dict[str, Any], code: str, message: str) -> None:
    assert service.refuses("CreateStateMachine", **CREATE | change) == (code, message)
    assert service("ListStateMachines") == {"stateMachines": []}


@pytest.mark.parametrize(
    "encryption", [{"type": "CUSTOMER_MANAGED_KMS_KEY"}, {"type": "AWS_OWNED_KEY", "kmsKeyId": KEY}]
)
def test_encryption_that_says_too_little_or_too_much(service: Service, encryption: dict[str, Any]) -> None:
    code, _ = service.refuses("CreateStateMachine", **CREATE, encryptionConfiguration=encryption)
    assert code == "InvalidEncryptionConfiguration"


def test_configurations_are_completed(service: Service) -> None:
    given = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY}
    log = {"level": "ALL", "destinations": [LOG]}
    service.machine(encryptionConfiguration=given, loggingConfiguration=log, tracingConfiguration={})
    described = service("DescribeStateMachine", stateMachineArn=ORDERS)
    assert described["encryptionConfiguration"] == given | {"kmsDataKeyReusePeriodSeconds": 300}
    assert described["loggingConfiguration"] == log | {"includeExecutionData": False}
    assert described["tracingConfiguration"] == {"enabled": False}


def test_updates_make_revisions(service: Service) -> None:
    service.machine()
    assert "revisionId" not in service("UpdateStateMachine", stateMachineArn=ORDERS, roleArn=ROLE)
    service.pass_time(1000)
    first = service("UpdateStateMachine", stateMachineArn=ORDERS, roleArn=OTHER_ROLE)
    again = service("UpdateStateMachine", stateMachineArn=ORDERS, roleArn=OTHER_ROLE, definition=text(PASS))
    assert again == first
    second = service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(PASS, "new"))
    assert second["revisionId"] != first["revisionId"]
    described = service("DescribeStateMachine", stateMachineArn=ORDERS)
    assert described["definition"] == text(PASS, "new")
    assert (described["roleArn"], described["revisionId"]) == (OTHER_ROLE, second["revisionId"])


@pytest.mark.parametrize(
    "change",
    [
        {"loggingConfiguration": {"level": "ALL", "destinations": [LOG]}},
        {"tracingConfiguration": {"enabled": True}},
        {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY}},
    ],
)
def test_every_setting_is_part_of_a_revision(service: Service, change: dict[str, Any]) -> None:
    service.machine()
    assert service("UpdateStateMachine", stateMachineArn=ORDERS, **change)["revisionId"]


@pytest.mark.parametrize("params", [{}, {"publish": True}])
def test_an_update_of_nothing(service: Service, params: dict[str, Any]) -> None:
    service.machine()
    refusal = service.refuses("UpdateStateMachine", stateMachineArn=ORDERS, **params)
    assert refusal == (
        "MissingRequiredParameter",
        "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
    )


def test_a_bad_update_changes_nothing(service: Service) -> None:
    service.machine()
    before = service("DescribeStateMachine", stateMachineArn=ORDERS)
    code, _ = service.refuses("UpdateStateMachine", stateMachineArn=ORDERS, definition="{}", roleArn=OTHER_ROLE)
    assert code == "InvalidDefinition"
    assert service("DescribeStateMachine", stateMachineArn=ORDERS) == before


def test_metadata_only(service: Service) -> None:
    assigned = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Parameters": {"a.$": "$b"}, "End": True}}}
    service.machine(definition=assigned)
    whole = service("DescribeStateMachine", stateMachineArn=ORDERS)
    assert whole["variableReferences"] == {"Only": ["b"]}
    part = service("DescribeStateMachine", stateMachineArn=ORDERS, includedData="METADATA_ONLY")
    assert part == {key: value for key, value in whole.items() if key != "variableReferences"} | {"definition": "{}"}


MISSING = ARN + "stateMachine:missing"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeStateMachine", {}),
        ("DescribeStateMachine", {"stateMachineArn": MISSING + ":1"}),
        ("UpdateStateMachine", {"roleArn": ROLE}),
        ("StartExecution", {}),
        ("StartExecution", {"stateMachineArn": MISSING + ":PROD"}),
        ("StartSyncExecution", {}),
        ("ListExecutions", {}),
        ("ListStateMachineVersions", {}),
        ("ListStateMachineAliases", {}),
        ("PublishStateMachineVersion", {}),
    ],
)
def test_a_machine_that_is_not_there(service: Service, operation: str, params: dict[str, Any]) -> None:
    asked = {"stateMachineArn": MISSING} | params
    message = f"State Machine Does Not Exist: '{asked['stateMachineArn']}'"
    assert service.refuses(operation, **asked) == ("StateMachineDoesNotExist", message)


def test_listed_by_name(service: Service) -> None:
    for name in ("b", "a", "c-express"):
        service.machine(name, type="EXPRESS" if "express" in name else "STANDARD")
    first = service("ListStateMachines", maxResults=2)
    rest = service("ListStateMachines", nextToken=first["nextToken"])
    listed = first["stateMachines"] + rest["stateMachines"]
    assert [(item["name"], item["type"]) for item in listed] == [
        ("a", "STANDARD"),
        ("b", "STANDARD"),
        ("c-express", "EXPRESS"),
    ]


def test_deleting(service: Service) -> None:
    arn = service.machine()
    execution = service.run(arn)
    service("DeleteStateMachine", stateMachineArn=arn)
    service("DeleteStateMachine", stateMachineArn=arn)
    assert service("ListStateMachines") == {"stateMachines": []}
    assert service("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"
    assert service("DescribeStateMachineForExecution", executionArn=execution)["definition"] == text(PASS)


def test_a_machine_lives_until_its_executions_enter_their_next_state(service: Service) -> None:
    arn = service.machine(definition=WAIT)
    execution = service.run(arn)
    service("DeleteStateMachine", stateMachineArn=arn)
    assert service("DescribeStateMachine", stateMachineArn=arn)["status"] == "DELETING"
    assert service("DescribeExecution", executionArn=execution)["status"] == "RUNNING"
    deleting = ("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")
    assert service.refuses("StartExecution", stateMachineArn=arn) == deleting
    assert service.refuses("UpdateStateMachine", stateMachineArn=arn, roleArn=OTHER_ROLE) == deleting
    assert service.refuses("PublishStateMachineVersion", stateMachineArn=arn) == deleting
    assert service.refuses("ListStateMachineAliases", stateMachineArn=arn) == deleting
    assert service.refuses("CreateStateMachine", name="orders", definition=text(WAIT), roleArn=ROLE) == deleting
    service.settle(600)
    assert service("DescribeExecution", executionArn=execution)["status"] == "ABORTED"
    assert service.refuses("DescribeStateMachine", stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    types = [event["type"] for event in service("GetExecutionHistory", executionArn=execution)["events"]]
    assert types == ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionAborted"]


def test_a_new_machine_has_none_of_the_executions_of_its_namesake(service: Service) -> None:
    arn = service.machine()
    service.run(arn, name="one")
    service("DeleteStateMachine", stateMachineArn=arn)
    service.machine()
    assert service("ListExecutions", stateMachineArn=arn) == {"executions": []}
    assert service.refuses("StartExecution", stateMachineArn=arn, name="one")[0] == "ExecutionAlreadyExists"
