"""TestState: small tables of what goes in and what comes out. Answers and messages are AWS's where it was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.arns import task_resource
from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply
from kaidan.integrations.dispatch import Dispatcher, Surroundings
from kaidan.integrations.mock_results import POLLED, RENAMED, SDK_TOKENS, UnfitResult, Validation, check_result
from kaidan.protocol.effects import RunTask
from kaidan.service.api import Api, ApiError
from kaidan.service.test_state.spans import written
from kaidan.values import JSON, Payload, dumps

ROLE = "arn:aws:iam::123456789012:role/tester"
NEVER, FAILS = "never", "fails"


@dataclass
class World:
    """Answers tasks after three seconds with their parameters, but for two functions."""

    seen: list[RunTask] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self.seen.append(task)
        reply.started()
        called = task.resource.arn.rpartition(":")[2]
        reply.on_cancel(lambda: self.cancelled.append(called))
        if called == FAILS:
            reply.failed("Some.Error", "it broke")
        elif called != NEVER:
            reply.later(3, lambda: reply.succeeded({"did": task.parameters.value}))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        raise AssertionError("nothing here outlives a restart")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    api = Api()
    api.service.engine.handler = world
    yield api
    api.close()


def call(api: Api, definition: Any, **params: Any) -> dict[str, Any]:
    """TestState, with JSON where the API takes text."""
    sent: dict[str, Any] = {"definition": definition if isinstance(definition, str) else json.dumps(definition)}
    for name, value in params.items():
        as_text = name in ("input", "context", "variables") and not isinstance(value, str)
        sent[name] = json.dumps(value) if as_text else value
    return api.call("TestState", sent)


def result(value: JSON, **more: JSON) -> dict[str, Any]:
    return {"result": json.dumps(value), **more}


ERROR = {"errorOutput": {"error": "E", "cause": "why"}}

PASS = {"Type": "Pass", "End": True}
INVOKE: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f", "Payload.$": "$"},
    "End": True,
}
JSONATA_TASK: dict[str, Any] = {
    "Type": "Task",
    "QueryLanguage": "JSONata",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Arguments": {"FunctionName": "{% $states.input.f %}"},
    "Output": "{% $states.result.Payload %}",
    "Next": "After",
}
INNER = {"StartAt": "In", "States": {"In": PASS}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **INNER}
MAP: dict[str, Any] = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": INNER, "End": True}
OTHER = {"StartAt": "Other", "States": {"Other": PASS}}
PARALLEL: dict[str, Any] = {"Type": "Parallel", "Branches": [INNER, OTHER], "End": True}
WAY = {
    "StartAt": "Way",
    "States": {
        "Way": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": INNER, "Next": "Ready"},
        "Ready": {"Type": "Succeed"},
    },
}

CASES: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("succeed", {"Type": "Succeed"}, {"input": "[1,  2]"}, {"status": "SUCCEEDED", "output": "[1,  2]"}),
    ("no input is {}", PASS, {}, {"status": "SUCCEEDED", "output": "{}"}),
    (
        "next state, by a state that is not there",
        {"Type": "Pass", "Result": 1, "Next": "Elsewhere"},
        {},
        {"status": "SUCCEEDED", "output": "1", "nextState": "Elsewhere"},
    ),
    (
        "a state may lead to itself",
        {"Type": "Pass", "Next": "StateName"},
        {},
        {"status": "SUCCEEDED", "output": "{}", "nextState": "StateName"},
    ),
    (
        "fail",
        {"Type": "Fail", "ErrorPath": "$.e", "Cause": "c"},
        {"input": {"e": "E"}},
        {"status": "FAILED", "error": "E", "cause": "c"},
    ),
    (
        "an error of the state comes without where it happened",
        {"Type": "Pass", "Parameters": {"a.$": "$.a"}, "End": True},
        {},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "The JSONPath '$.a' specified for the field 'a.$' could not be found in the input '{}'",
        },
    ),
    ("a wait passes", {"Type": "Wait", "Seconds": 300, "End": True}, {}, {"status": "SUCCEEDED", "output": "{}"}),
    (
        "but not for longer than a test may take",
        {"Type": "Wait", "Seconds": 301, "End": True},
        {},
        {"status": "FAILED", "error": "States.Timeout"},
    ),
    (
        "variables",
        {"Type": "Pass", "Parameters": {"n.$": "$n"}, "Assign": {"m.$": "$.n"}, "End": True},
        {"variables": {"n": 5}, "inspectionLevel": "DEBUG"},
        {
            "status": "SUCCEEDED",
            "output": '{"n":5}',
            "inspectionData": {
                "input": "{}",
                "afterInputPath": "{}",
                "afterParameters": '{"n":5}',
                "afterResultSelector": '{"n":5}',
                "afterResultPath": '{"n":5}',
                "variables": '{"n":5,"m":5}',
            },
        },
    ),
    (
        "a caught error of the state itself",
        {**JSONATA_TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]},
        {"mock": result({})},
        {
            "status": "CAUGHT_ERROR",
            "error": "States.QueryEvaluationError",
            "cause": "The JSONata expression '$states.input.f' specified for the field 'Arguments/FunctionName' "
            "returned nothing (undefined).",
            "nextState": "Caught",
            "output": dumps(
                {
                    "Error": "States.QueryEvaluationError",
                    "Cause": "The JSONata expression '$states.input.f' specified for the field "
                    "'Arguments/FunctionName' returned nothing (undefined).",
                }
            ),
        },
    ),
    (
        "inside a Map, found by name",
        WAY,
        {"stateName": "In", "input": {"a": 1}},
        {"status": "SUCCEEDED", "output": '{"a": 1}'},
    ),
    (
        "the Map around it",
        WAY,
        {"stateName": "Way", "input": {"items": [1]}, "mock": result(["one"])},
        {"status": "SUCCEEDED", "output": '["one"]', "nextState": "Ready"},
    ),
]


@pytest.mark.parametrize(
    ("definition", "params", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_answer(api: Api, definition: Any, params: dict[str, Any], answer: dict[str, Any]) -> None:
    assert call(api, definition, **params) == answer


SHOWN: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    (
        "Pass",
        {**PASS, "InputPath": "$.a", "ResultPath": "$.r"},
        {"input": '{"a": [1]}'},
        {
            "input": '{"a": [1]}',
            "afterInputPath": "[1]",
            "afterParameters": "[1]",
            "afterResultSelector": "[1]",
            "afterResultPath": '{"a":[1],"r":[1]}',
        },
    ),
    (
        "Pass with Result ignores its input",
        {**PASS, "InputPath": "$.a", "Parameters": {"b.$": "$.b"}, "Result": [1]},
        {},
        {"input": "{}", "result": "[1]", "afterResultSelector": "[1]", "afterResultPath": "[1]"},
    ),
    ("Succeed", {"Type": "Succeed"}, {}, {"input": "{}", "afterInputPath": "{}"}),
    ("Wait", {"Type": "Wait", "Seconds": 1, "End": True}, {}, {"input": "{}", "afterInputPath": "{}"}),
    ("Fail", {"Type": "Fail"}, {}, {"input": "{}", "afterInputPath": "{}"}),
    ("Fail, JSONata", {"Type": "Fail", "QueryLanguage": "JSONata"}, {}, {"input": "{}"}),
    (
        "Choice",
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "N"}], "Default": "D"},
        {},
        {"input": "{}", "afterInputPath": "{}"},
    ),
    (
        "Task",
        {**INVOKE, "ResultSelector": {"p.$": "$.Payload"}},
        {"mock": result({"Payload": 5}), "input": '{"x":1}'},
        {
            "input": '{"x":1}',
            "afterInputPath": '{"x":1}',
            "afterParameters": '{"FunctionName":"f","Payload":{"x":1}}',
            "result": '{"Payload": 5}',
            "afterResultSelector": '{"p":5}',
            "afterResultPath": '{"p":5}',
        },
    ),
    (
        "Task that fails",
        INVOKE,
        {"mock": ERROR},
        {"input": "{}", "afterInputPath": "{}", "afterParameters": '{"FunctionName":"f","Payload":{}}'},
    ),
    (
        "Task, JSONata",
        JSONATA_TASK,
        {"mock": result({"Payload": 5}), "input": {"f": "g"}},
        {"input": '{"f": "g"}', "afterArguments": '{"FunctionName":"g"}', "result": '{"Payload": 5}'},
    ),
    (
        "Parallel: its result alone",
        {**PARALLEL, "Parameters": {"a": 1}, "ResultPath": "$.r"},
        {"mock": result([1, 2])},
        {"input": "{}", "afterResultSelector": "[1, 2]", "afterResultPath": '{"r":[1,2]}'},
    ),
    (
        "Map: items keep the spacing of the input",
        {
            **MAP,
            "MaxConcurrency": 3,
            "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "k.$": "$.k"},
        },
        {"mock": result([]), "input": '{"k": 0, "items":  [7,  {"a" : 8}] }'},
        {
            "input": '{"k": 0, "items":  [7,  {"a" : 8}] }',
            "afterInputPath": '{"k": 0, "items":  [7,  {"a" : 8}] }',
            "afterItemsPath": '[7,  {"a" : 8}]',
            "afterItemSelector": '[{"v":7,"i":0,"k":0},{"v":{"a":8},"i":1,"k":0}]',
            "maxConcurrency": 3,
            "afterResultSelector": "[]",
            "afterResultPath": "[]",
        },
    ),
    (
        "Map whose items are none",
        MAP,
        {"mock": result([]), "input": {"items": 5}},
        {"input": '{"items": 5}', "afterInputPath": '{"items": 5}'},
    ),
    (
        "Map, JSONata: tolerance by expressions",
        {
            "Type": "Map",
            "QueryLanguage": "JSONata",
            "Items": "{% $states.input %}",
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": DISTRIBUTED,
            "ToleratedFailureCount": "{% 1 %}",
            "ToleratedFailurePercentage": "{% 2 %}",
            "End": True,
        },
        {"mock": result([]), "input": [4]},
        {
            "input": "[4]",
            "afterItemSelector": '[{"v":4}]',
            "maxConcurrency": 0,
            "toleratedFailureCount": 1,
            "toleratedFailurePercentage": 2.0,
        },
    ),
    (
        "Map in batches",
        {
            **MAP,
            "ItemProcessor": DISTRIBUTED,
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}},
        },
        {"mock": result([]), "input": '{"k":0,"items":[7,8,9]}'},
        {
            "input": '{"k":0,"items":[7,8,9]}',
            "afterInputPath": '{"k":0,"items":[7,8,9]}',
            "afterItemsPath": "[7,8,9]",
            "afterItemSelector": '[{"v":7},{"v":8},{"v":9}]',
            "afterItemBatcher": dumps(
                [
                    {"BatchInput": {"k": 0}, "Items": [{"v": 7}, {"v": 8}]},
                    {"BatchInput": {"k": 0}, "Items": [{"v": 9}]},
                ]
            ),
            "maxConcurrency": 0,
            "afterResultSelector": "[]",
            "afterResultPath": "[]",
        },
    ),
    (
        "Map of an object's members",
        {
            "Type": "Map",
            "QueryLanguage": "JSONata",
            "Items": {"a": 1},
            "ItemSelector": "{% $states.context.Map.Item %}",
            "ItemProcessor": DISTRIBUTED,
            "ItemBatcher": {"MaxInputBytesPerBatch": 100},
            "End": True,
        },
        {"mock": result([])},
        {
            "input": "{}",
            "afterItemSelector": '[{"Index":0,"Value":1,"Key":"a","Source":"STATE_DATA"}]',
            "afterItemBatcher": '[{"Items":[{"Index":0,"Value":1,"Key":"a","Source":"STATE_DATA"}]}]',
            "maxConcurrency": 0,
        },
    ),
    (
        "Map with a reader",
        {
            **MAP,
            "ItemProcessor": DISTRIBUTED,
            "ItemsPath": "$",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/orders/0", "MaxItems": 2},
                "Parameters": {"Bucket": "b", "Key": "k"},
            },
        },
        {"mock": result([]), "stateConfiguration": {"mapItemReaderData": '{"orders": [[1, 2, 3]]}'}},
        {
            "input": "{}",
            "afterInputPath": "{}",
            "afterItemsPointer": "[1,2,3]",
            "afterItemsPath": "[1,2]",
            "maxConcurrency": 0,
            "afterResultSelector": "[]",
            "afterResultPath": "[]",
        },
    ),
]


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
@pytest.mark.parametrize(
    ("definition", "params", "shown"), [case[1:] for case in SHOWN], ids=[case[0] for case in SHOWN]
)
def test_inspection(api: Api, definition: Any, params: dict[str, Any], shown: dict[str, Any], level: str) -> None:
    assert call(api, definition, **params, inspectionLevel=level)["inspectionData"] == shown


def test_info_shows_nothing(api: Api) -> None:
    assert "inspectionData" not in call(api, PASS, inspectionLevel="INFO")
    assert "inspectionData" not in call(api, PASS)


# --- Retry and Catch

RETRY = [{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2}]
CATCH = [{"ErrorEquals": ["Other"], "Next": "O"}, {"ErrorEquals": ["States.ALL"], "Next": "C", "ResultPath": "$.e"}]

RECOVERY: list[tuple[dict[str, Any], dict[str, Any], str, dict[str, int]]] = [
    ({"Retry": RETRY}, {}, "RETRIABLE", {"retryIndex": 1, "retryBackoffIntervalSeconds": 2}),
    (
        {"Retry": RETRY},
        {"stateConfiguration": {"retrierRetryCount": 2}},
        "RETRIABLE",
        {"retryIndex": 1, "retryBackoffIntervalSeconds": 8},
    ),
    (
        {"Retry": RETRY},
        {"context": {"State": {"RetryCount": 1}}},
        "RETRIABLE",
        {"retryIndex": 1, "retryBackoffIntervalSeconds": 4},
    ),
    ({"Retry": RETRY}, {"stateConfiguration": {"retrierRetryCount": 3}}, "FAILED", {"retryIndex": 1}),
    ({"Retry": RETRY[:1]}, {}, "FAILED", {}),
    ({"Catch": CATCH}, {}, "CAUGHT_ERROR", {"catchIndex": 1}),
    ({"Catch": CATCH[:1]}, {}, "FAILED", {}),
    (
        {"Retry": RETRY, "Catch": CATCH},
        {"stateConfiguration": {"retrierRetryCount": 3}},
        "CAUGHT_ERROR",
        {"catchIndex": 1, "retryIndex": 1},
    ),
]


@pytest.mark.parametrize("state", [INVOKE, PARALLEL, MAP], ids=["Task", "Parallel", "Map"])
@pytest.mark.parametrize(("fields", "params", "status", "details"), RECOVERY)
def test_recovery(
    api: Api,
    state: dict[str, Any],
    fields: dict[str, Any],
    params: dict[str, Any],
    status: str,
    details: dict[str, int],
) -> None:
    answer = call(api, state | fields, mock=ERROR, inspectionLevel="DEBUG", input={"items": []}, **params)
    assert (answer["status"], answer["error"], answer["cause"]) == (status, "E", "why")
    assert answer["inspectionData"].get("errorDetails", {}) == details
    caught = {"nextState": "C", "output": '{"items":[],"e":{"Error":"E","Cause":"why"}}'}
    expected = caught if status == "CAUGHT_ERROR" else {}
    assert {name: answer[name] for name in ("nextState", "output") if name in answer} == expected


TOLERANCE: list[tuple[dict[str, Any], int, bool]] = [
    ({}, 3, False),
    ({"ToleratedFailureCount": 1}, 1, False),
    ({"ToleratedFailureCount": 1}, 2, True),
    ({"ToleratedFailurePercentage": 67}, 2, False),
    ({"ToleratedFailurePercentage": 66}, 2, True),
    ({"ToleratedFailureCountPath": "$.tolerated"}, 2, True),
]


@pytest.mark.parametrize(("fields", "failures", "exceeded"), TOLERANCE)
def test_tolerated_failures(api: Api, fields: dict[str, Any], failures: int, exceeded: bool) -> None:
    """Recorded: a Map that says nothing about failures tolerates all of them."""
    state = MAP | {"ItemProcessor": DISTRIBUTED} | fields
    config = {"mapIterationFailureCount": failures}
    answer = call(api, state, mock=result([1]), stateConfiguration=config, input={"items": [1, 2, 3], "tolerated": 0})
    if exceeded:
        assert answer == {
            "status": "FAILED",
            "error": "States.ExceedToleratedFailureThreshold",
            "cause": "The specified tolerated failure threshold was exceeded",
        }
    else:
        assert answer == {"status": "SUCCEEDED", "output": "[1]"}


# --- the Context object

CONTEXT = {**PASS, "Parameters": {"it.$": "$$"}}


def seen_context(answer: dict[str, Any]) -> Any:
    return json.loads(answer["output"])["it"]


def test_context_made(api: Api) -> None:
    context = seen_context(call(api, CONTEXT, input={"a": 1}, roleArn=ROLE))
    machine, name = context["StateMachine"]["Name"], context["Execution"]["Name"]
    arn = "arn:aws:states:us-east-1:123456789012"
    assert context == {
        "Execution": {
            "Id": f"{arn}:express:{machine}:{name}",
            "Input": {"a": 1},
            "Name": name,
            "RoleArn": ROLE,
            "StartTime": "2023-11-14T22:13:20Z",
        },
        "StateMachine": {"Id": f"{arn}:stateMachine:{machine}", "Name": machine},
        "State": {"Name": "StateName", "EnteredTime": "2023-11-14T22:13:20Z"},
    }


def test_context_inside_a_map(api: Api) -> None:
    inside = {"StartAt": "X", "States": {"X": CONTEXT}}
    machine = {"StartAt": "M", "States": {"M": {**MAP, "ItemProcessor": inside}}}
    context = seen_context(call(api, machine, stateName="X", input={"a": 1}))
    assert context["State"]["Name"] == "X"
    assert context["Map"] == {"Item": {"Index": 0, "Value": {"a": 1}}}


@pytest.mark.parametrize("context", [{}, {"Execution": {"Input": [1]}, "State": {}}, {"Task": {"Token": "t"}}])
def test_context_given(api: Api, context: Any) -> None:
    """It is taken as it is: nothing is added. In a Catcher too."""
    state = {**JSONATA_TASK, "Arguments": {"FunctionName": "f"}, "Output": "{% $states.context %}"}
    state["Catch"] = [{"ErrorEquals": ["E"], "Next": "C", "Output": "{% $states.context %}"}]
    for mock in (result({}), ERROR):
        assert json.loads(call(api, state, mock=mock, context=context)["output"]) == context


# --- without a mock

A_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
RUN = {**INVOKE, "Resource": A_FUNCTION + "thing", "Parameters": {"a": 1}}


def test_task_is_carried_out(api: Api, world: World) -> None:
    answer = call(api, RUN, roleArn=ROLE)
    assert answer == {"status": "SUCCEEDED", "output": '{"did":{"a":1}}'}
    assert [task.parameters.value for task in world.seen] == [{"a": 1}]
    assert not world.cancelled
    assert not api.service.engine.runs


def test_task_fails(api: Api) -> None:
    state = {**RUN, "Resource": A_FUNCTION + FAILS}
    assert call(api, state, roleArn=ROLE) == {"status": "FAILED", "error": "Some.Error", "cause": "it broke"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, "FAILED"), ({"TimeoutSeconds": 9, "Retry": [{"ErrorEquals": ["States.ALL"]}]}, "RETRIABLE")],
)
def test_task_takes_too_long(api: Api, world: World, fields: dict[str, Any], status: str) -> None:
    answer = call(api, {**RUN, "Resource": A_FUNCTION + NEVER, **fields}, roleArn=ROLE)
    assert answer == {"status": status, "error": "States.Timeout"}
    assert world.cancelled == [NEVER]


def test_own_service(world: World) -> None:
    """Without a world of its own, a test reaches what executions reach: here, this very service."""
    api = Api()
    state = {**RUN, "Resource": "arn:aws:states:::aws-sdk:sfn:createActivity", "Parameters": {"Name": "made"}}
    answer = call(api, state, roleArn=ROLE)
    assert json.loads(answer["output"])["ActivityArn"].endswith(":activity:made")
    api.close()


# --- HTTP tasks

HTTP_SECRETS = {
    "Team": {
        "AuthorizationType": "BASIC",
        "AuthParameters": {
            "BasicAuthParameters": {"Username": "u", "Password": "p"},
            "InvocationHttpParameters": {
                "HeaderParameters": [{"Key": "X-Team", "Value": "billing"}],
                "QueryStringParameters": [{"Key": "team", "Value": "b"}],
                "BodyParameters": [{"Key": "hidden", "Value": "h"}],
            },
        },
    }
}


class Echo(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(int(self.path[1:4]))
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def http_api() -> Iterator[Api]:
    api = Api()
    api.service.engine.handler = Dispatcher(ClientFactory(), api._pool.run, Surroundings(secrets=HTTP_SECRETS))
    yield api
    api.close()


def http_task(url: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {
            "ApiEndpoint": url,
            "Method": "POST",
            "InvocationConfig": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/Team/1"},
            "RequestBody": {"a": 1},
            "QueryParameters": {"q": "1"},
            "Headers": {"X-Own": "o"},
        },
        "End": True,
    }


PLAIN_HEADERS = "Content-Type: application/json; charset=UTF-8, User-Agent: Amazon|StepFunctions|HttpInvoke|us-east-1, "
HTTP_SHOWN = [
    (False, "?q=1", f"[X-Own: o, {PLAIN_HEADERS}Range: bytes=0-262144]", '{"a":1}'),
    (
        True,
        "?q=1&team=b",
        f"[X-Own: o, X-Team: billing, {PLAIN_HEADERS}Range: bytes=0-262144, Authorization: Basic dTpw]",
        '{"a":1,"hidden":"h"}',
    ),
]


@pytest.mark.parametrize(("reveals", "query", "headers", "body"), HTTP_SHOWN)
@pytest.mark.parametrize(("status", "reason"), [(200, "OK"), (404, "Not Found")])
def test_http_is_traced(
    http_api: Api, echo: str, status: int, reason: str, reveals: bool, query: str, headers: str, body: str
) -> None:
    """AWS's guide: what the connection adds is shown on demand only, and only at this level."""
    state = http_task(f"{echo}/{status}")
    answer = call(http_api, state, roleArn=ROLE, inspectionLevel="TRACE", revealSecrets=reveals)
    shown = answer["inspectionData"]
    assert shown["request"] == {
        "protocol": "http",
        "method": "POST",
        "url": f"{echo}/{status}{query}",
        "headers": headers,
        "body": body,
    }
    assert shown["response"] == {
        "protocol": "http",
        "statusCode": str(status),
        "statusMessage": reason,
        "headers": "[Content-Type: text/plain, Content-Length: 2]",
        "body": "ok",
    }
    assert answer["status"] == ("SUCCEEDED" if status == 200 else "FAILED")
    assert "request" not in call(http_api, state, roleArn=ROLE, inspectionLevel="DEBUG")["inspectionData"]


def test_http_without_an_answer(http_api: Api) -> None:
    answer = call(http_api, http_task("http://127.0.0.1:1/x"), roleArn=ROLE, inspectionLevel="TRACE")
    assert answer["error"] == "States.Http.Socket"
    assert answer["inspectionData"]["request"]["method"] == "POST"
    assert "response" not in answer["inspectionData"]


# --- refusals

NO_MOCK = "TestState does not support {} when a mock is not specified."
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"

REFUSED: list[tuple[Any, dict[str, Any], str, str]] = [
    (PASS, {"mock": result(1)}, "ValidationException", "State type 'Pass' is not supported when a mock is specified"),
    (PARALLEL, {"mock": result({})}, "ValidationException", "Mocked result must be an array."),
    (
        PARALLEL,
        {"mock": result([1])},
        "ValidationException",
        "Mocked result must contain the same number of items as number of Parallel branches.",
    ),
    (MAP, {"mock": result({})}, "ValidationException", "Mocked result must be an array."),
    (
        {
            **MAP,
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}},
        },
        {"mock": result([])},
        "ValidationException",
        "Mocked result must be a JSON object.",
    ),
    (
        INVOKE,
        {"mock": {"result": "no", "fieldValidationMode": "NONE"}},
        "ValidationException",
        "Mocked result must be valid JSON",
    ),
    (
        INVOKE,
        {"mock": {**ERROR, **result({})}},
        "ValidationException",
        "A test mock should have only one of the following fields: [result, errorOutput].",
    ),
    (
        INVOKE,
        {"mock": result({}), "revealSecrets": True},
        "ValidationException",
        "TestState does not support RevealSecrets when a mock is specified.",
    ),
    (
        MAP,
        {"stateConfiguration": {"mapIterationFailureCount": 0}},
        "ValidationException",
        NO_MOCK.format("MapIterationFailureCount"),
    ),
    (
        INVOKE,
        {"stateConfiguration": {"retrierRetryCount": 0}},
        "ValidationException",
        NO_MOCK.format("RetrierRetryCount"),
    ),
    (INVOKE, {"context": {}}, "ValidationException", NO_MOCK.format("Context")),
    (
        MAP,
        {"input": {"items": [1]}, "mock": result([1]), "stateConfiguration": {"mapIterationFailureCount": 2}},
        "ValidationException",
        "Map iteration failure count must be less than or equal to the number of Map iterations",
    ),
    (
        MAP,
        {"mock": ERROR, "stateConfiguration": {"errorCausedByState": "Out"}},
        "ValidationException",
        "The state 'Out' given as ErrorCausedByState is not inside the state under test.",
    ),
    (
        MAP,
        {},
        "InvalidDefinition",
        "TestState API does not support Map or Parallel states. "
        "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
    ),
    (INVOKE, {}, "ValidationException", "RoleArn must be specified when testing a Task state"),
    ({**INVOKE, "Resource": ACTIVITY}, {"roleArn": ROLE}, "ValidationException", NO_MOCK.format("Activity tasks")),
    (
        {**INVOKE, "Resource": CALLBACK, "Parameters": {"QueueUrl": "q", "MessageBody": "b"}},
        {"roleArn": ROLE},
        "ValidationException",
        NO_MOCK.format("the .waitForTaskToken integration pattern"),
    ),
    (WAY, {"stateName": "Nowhere"}, "ValidationException", "State not found in definition"),
    (
        PASS,
        {"stateName": "Way"},
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field 'Type' is not supported at /, "
        "SCHEMA_VALIDATION_FAILED: Field 'End' is not supported at /, "
        "SCHEMA_VALIDATION_FAILED: These fields are required: [States, StartAt] at /'",
    ),
    (
        {"Type": "Pass", "Nxt": "A", "Next": "Elsewhere"},
        {},
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field 'Nxt' is not supported at /'",
    ),
    (PASS, {"input": "{"}, "InvalidExecutionInput", "Invalid State Machine Execution Input: "),
    (PASS, {"variables": "[]"}, "ValidationException", "Variables must be a valid JSON object"),
]


@pytest.mark.parametrize(("definition", "params", "code", "message"), REFUSED)
def test_refused(api: Api, definition: Any, params: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        call(api, definition, **params)
    assert refusal.value.code == code
    assert refusal.value.message[: len(message)] == message


CONTEXTS: list[tuple[Any, str]] = [
    ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
    ({"Execution": {"pokemon": "squirtle"}}, "Field 'pokemon' is not allowed"),
    ({"Pokedex": {}}, "Field 'Pokedex' is not allowed"),
    ({"Execution": 5}, "Field 'Execution' must be an object"),
    ({"Execution": {"Id": 5}}, "Field 'Id' must be a string"),
    ({"State": {"RetryCount": True}}, "Field 'RetryCount' must be a number"),
    ([], "must be a JSON object"),
    ("{", "must be valid JSON"),
]


CONTEXTS_IN_MAPS: list[tuple[Any, str]] = [
    ({"Map": 1}, "Field 'Map' must be an object"),
    ({"Map": {"Items": {}}}, "Field 'Items' is not allowed"),
    ({"Map": {"Item": []}}, "Field 'Item' must be an object"),
    ({"Map": {"Item": {"Position": 1}}}, "Field 'Position' is not allowed"),
    ({"Map": {"Item": {"Index": "1"}}}, "Field 'Index' must be a number"),
    ({"Map": {"Item": {"Key": 1}}}, "Field 'Key' must be a string"),
]


@pytest.mark.parametrize(("context", "problem"), CONTEXTS_IN_MAPS)
def test_context_refused_inside_a_map(api: Api, context: Any, problem: str) -> None:
    inside = {"StartAt": "X", "States": {"X": INVOKE}}
    machine = {"StartAt": "M", "States": {"M": {**MAP, "ItemProcessor": inside}}}
    with pytest.raises(ApiError) as refusal:
        call(api, machine, stateName="X", mock=result({}), context=context)
    assert refusal.value.message == f"Invalid Context object provided: {problem}"


@pytest.mark.parametrize(("context", "problem"), CONTEXTS)
def test_context_refused(api: Api, context: Any, problem: str) -> None:
    with pytest.raises(ApiError) as refusal:
        call(api, INVOKE, mock=result({}), context=context)
    assert refusal.value.message == f"Invalid Context object provided: {problem}"


# --- mocked results against the services' models

START = "states:startExecution"
FUNCTION = "aws-sdk:lambda:getFunction"

MISFITS: list[tuple[str, JSON, str]] = [
    ("events:putEvents", {"Entries": "no"}, "Field 'Entries' must be an array"),
    ("events:putEvents", {"Entries": [5]}, "Field 'Entries' must be an object"),
    ("events:putEvents", {"Entries": [{"EventId": "a"}, {"EventId": ["b"]}]}, "Field 'EventId' must be a string"),
    ("lambda:invoke", {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
    ("lambda:invoke", {"StatusCode": True}, "Field 'StatusCode' must be a number"),
    ("dynamodb:putItem", {"ConsumedCapacity": {"CapacityUnits": "1"}}, "Field 'CapacityUnits' must be a number"),
    ("dynamodb:getItem", {"Item": []}, "Field 'Item' must be an object"),
    ("dynamodb:getItem", {"Item": {"id": {"S": 5}}}, "Field 'S' must be a string"),
    ("aws-sdk:s3:getObject", {"ContentLength": "9"}, "Field 'ContentLength' must be a number"),
    ("aws-sdk:s3:getObject", {"StorageClass": "Papyrus"}, "Field 'StorageClass' is not an expected value"),
    ("aws-sdk:s3:getObject", {"DeleteMarker": "true"}, "Field 'DeleteMarker' must be a boolean"),
    (FUNCTION, {"Configuration": {"MemorySize": 127}}, "Field 'MemorySize' is less than the minimum value"),
    (FUNCTION, {"Configuration": {"MemorySize": 10_241}}, "Field 'MemorySize' exceeds the maximum value"),
    (FUNCTION, {"Configuration": {"Timeout": 0}}, "Field 'Timeout' is less than the minimum value"),
    (START, {"ExecutionArn": 5}, "Field 'ExecutionArn' must be a string"),
    (START, {"ExecutionArn": "a" * 257}, "Field 'ExecutionArn' exceeds the maximum length"),
    (START, {"StartDate": 1.5}, "Field 'StartDate' must be a string"),
    (START + ".sync:2", {"Output": {}}, "Field 'Output' must be a string"),
    ("batch:submitJob.sync", {"Jobs": {}}, "Field 'Jobs' must be an array"),
]

FITS: list[tuple[str, JSON]] = [
    (FUNCTION, {"Configuration": {"MemorySize": 10_240}}),
    ("lambda:invoke", {"Payload": {"any": ["thing"]}, "Unknown": 5}),
    ("events:putEvents", {}),
    ("events:putEvents", {"Entries": None}),
    ("batch:submitJob", {"JobId": "1", "JobName": "j", "Jobs": 5}),
    (START, {"ExecutionArn": "a", "StartDate": "2025-01-01T00:00:00"}),
    (CALLBACK.removeprefix("arn:aws:states:::"), "anything"),
    ("http:invoke", 5),
    ("apigateway:invoke", [5]),
    ("eks:call", "x"),
    ("eks:runJob.sync", "x"),
    ("aws-sdk:nobody:knowsThis", 5),
]


def resource(name: str) -> Any:
    return task_resource(f"arn:aws:states:::{name}")


@pytest.mark.parametrize("mode", ["PRESENT", "STRICT"])
@pytest.mark.parametrize(("name", "value", "problem"), MISFITS)
def test_misfit(name: str, value: JSON, problem: str, mode: Validation) -> None:
    if mode == "STRICT" and name.startswith(START):
        whole = {"ExecutionArn": "a", "StateMachineArn": "b", "Status": "FAILED", "StartDate": "2025-01-01T00:00:00Z"}
        value = whole | value
    with pytest.raises(UnfitResult) as refusal:
        check_result(resource(name), value, mode)
    assert str(refusal.value) == f"Mock result schema validation error: {problem}"


@pytest.mark.parametrize(("name", "value"), FITS)
def test_fit(name: str, value: JSON) -> None:
    check_result(resource(name), value, "STRICT")


def test_required_fields_are_required_in_strict_mode_only(api: Api) -> None:
    state = {**INVOKE, "Resource": "arn:aws:states:::states:startExecution", "Parameters": {"StateMachineArn": "a"}}
    own_spelling = {"executionArn": "a", "startDate": "2025-01-01T00:00:00Z"}
    for mode in ("PRESENT", "NONE"):
        assert call(api, state, mock=result(own_spelling, fieldValidationMode=mode))["status"] == "SUCCEEDED"
    for mock in (result(own_spelling), result({}, fieldValidationMode="STRICT")):
        with pytest.raises(ApiError, match="Required field 'ExecutionArn' is missing"):
            call(api, state, mock=mock)


def test_every_operation_of_the_tables_exists() -> None:
    for key, (token, action) in RENAMED.items():
        assert key[0] in SDK_TOKENS
        assert aws_sdk.resolve(token, action)
    for (service, _), action in POLLED.items():
        assert aws_sdk.resolve(SDK_TOKENS[service], action)


# --- readers and texts


@pytest.mark.parametrize(
    ("text", "config"),
    [("{", {}), ("{}", {"ItemsPointer": "/a"}), ("x", {"InputType": "JSONL"}), ("5", {})],
)
def test_unreadable(api: Api, text: str, config: dict[str, Any]) -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", **config}}
    state = {**MAP, "ItemProcessor": DISTRIBUTED, "ItemReader": reader | {"Parameters": {"Bucket": "b", "Key": "k"}}}
    del state["ItemsPath"]
    with pytest.raises(ApiError, match="Invalid MapItemReaderData provided"):
        call(api, state, mock=result([]), stateConfiguration={"mapItemReaderData": text})


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def containers(value: JSON) -> Iterator[JSON]:
    if isinstance(value, (dict, list)):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)


@settings(derandomize=True, max_examples=150)
@given(_VALUES, st.sampled_from([None, 1, "\t"]))
def test_a_part_is_found_in_its_text(value: JSON, indent: int | str | None) -> None:
    """However a text is spaced, each container in it reads back from where it stands."""
    whole = Payload.of_text(json.dumps(value, indent=indent))
    for part in containers(whole.value):
        text = written(part, whole)
        assert text is not None and text in whole.text and json.loads(text) == part


def test_what_is_no_part_is_not_found() -> None:
    assert written([1], Payload.of_text("[[1]]")) is None


def test_of_equal_names_the_last_counts() -> None:
    whole = Payload.of_text('{"a": [1], "a":[2] }')
    assert written(whole.value["a"], whole) == "[2]"
