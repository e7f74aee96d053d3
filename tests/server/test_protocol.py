"""AWS JSON 1.0, without a server."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from kaidan.server import protocol
from kaidan.server.members import known
from kaidan.service.errors import ApiError, invalid

TARGET = "AWSStepFunctions.StartExecution"

READ: list[tuple[str, bytes, dict[str, Any]]] = [
    ("plain", b'{"stateMachineArn": "a", "input": "{}"}', {"stateMachineArn": "a", "input": "{}"}),
    ("null is absent", b'{"stateMachineArn": "a", "name": null}', {"stateMachineArn": "a"}),
    ("unknown members are ignored", b'{"stateMachineArn": "a", "colour": 1}', {"stateMachineArn": "a"}),
    ("wrong types are left to the check", b'{"stateMachineArn": [1]}', {"stateMachineArn": [1]}),
    ("UTF-8", '{"name": "\u968e\u6bb5"}'.encode(), {"name": "\u968e\u6bb5"}),
    ("empty", b"{}", {}),
]


@pytest.mark.parametrize(("body", "params"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_requests(body: bytes, params: dict[str, Any]) -> None:
    assert protocol.read(TARGET, body) == ("StartExecution", params)


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"


@pytest.mark.parametrize(
    ("trace", "taken"), [(TRACE, TRACE), (None, "mine"), ("", "mine"), ("a" * 257, "mine"), ("\xe9", "mine")]
)
def test_the_trace_of_the_header_goes_before_that_of_the_body(trace: str | None, taken: str) -> None:
    assert protocol.read(TARGET, b'{"traceHeader": "mine"}', trace)[1] == {"traceHeader": taken}
    assert protocol.read("AWSStepFunctions.ListStateMachines", b"{}", trace)[1] == {}


REFUSED: list[tuple[str, str | None, bytes, str]] = [
    ("no JSON", TARGET, b"{", "SerializationException"),
    ("no body", TARGET, b"", "SerializationException"),
    ("a list", TARGET, b"[]", "SerializationException"),
    ("a scalar", TARGET, b"1", "SerializationException"),
    ("no UTF-8", TARGET, b'{"a": "\xff"}', "SerializationException"),
    ("deep", TARGET, b"[" * 100_000, "SerializationException"),
    ("a number of 5,000 digits", TARGET, b'{"a": ' + b"1" * 5_000 + b"x}", "SerializationException"),
    ("no target", None, b"{}", "UnknownOperationException"),
    ("an empty target", "", b"{}", "UnknownOperationException"),
    ("an unknown operation", "AWSStepFunctions.MakeCoffee", b"{}", "UnknownOperationException"),
    ("another service", "DynamoDB_20120810.ListTables", b"{}", "UnknownOperationException"),
    ("an operation alone", "StartExecution", b"{}", "UnknownOperationException"),
    ("no text", "AWSStepFunctions.\udcff", b"{}", "UnknownOperationException"),
]


@pytest.mark.parametrize(("target", "body", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_requests(target: str | None, body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        protocol.read(target, body)
    assert refusal.value.code == code
    json.loads(protocol.refusal(refusal.value).body)


def test_members_are_known_at_every_depth() -> None:
    params = {"name": "x", "tags": [{"key": "a", "hue": 1}, None, 7], "loggingConfiguration": {"level": None, "x": 1}}
    kept = {"name": "x", "tags": [{"key": "a"}, None, 7], "loggingConfiguration": {}}
    assert known("CreateStateMachine", params) == kept


ERRORS: list[tuple[ApiError, dict[str, str]]] = [
    (
        ApiError("InvalidArn", "Invalid Arn: 'x'"),
        {"__type": "com.amazonaws.swf.service.v2.model#InvalidArn", "message": "Invalid Arn: 'x'"},
    ),
    (
        invalid("1 validation error detected: \u2026"),
        {"__type": "com.amazon.coral.validate#ValidationException", "message": "1 validation error detected: \u2026"},
    ),
    (
        invalid("m", "INVALID_ROUTING_CONFIGURATION"),
        {
            "__type": "com.amazonaws.swf.service.v2.model#ValidationException",
            "message": "m",
            "reason": "INVALID_ROUTING_CONFIGURATION",
        },
    ),
    (ApiError("SerializationException", ""), {"__type": "com.amazon.coral.service#SerializationException"}),
    (ApiError("InternalFailure", "", 500), {"__type": "com.amazon.coral.service#InternalFailure"}),
]


@pytest.mark.parametrize(("error", "body"), ERRORS, ids=[row[1]["__type"] for row in ERRORS])
def test_errors(error: ApiError, body: dict[str, str]) -> None:
    answer = protocol.refusal(error)
    assert (answer.status, json.loads(answer.body)) == (error.status, body)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (1_762_424_242_123, "1.762424242123E9"),  # as recorded from AWS
        (1_762_424_242_000, "1.762424242E9"),
        (1_700_000_000_000, "1.7E9"),
    ],
)
def test_times_are_seconds_in_the_spelling_of_aws(milliseconds: int, text: str) -> None:
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    assert protocol.answer({"startDate": moment}).body == f'{{"startDate":{text}}}'.encode()
    assert json.loads(text) == milliseconds / 1000
