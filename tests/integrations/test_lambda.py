"""Lambda functions: where they are, what they are sent, what comes back, and how they fail."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from kaidan.errors import StateError
from kaidan.integrations.files import FileError
from kaidan.integrations.lambda_ import FORM, Lambda
from kaidan.integrations.lambda_local import Invocation, LocalFunctions
from kaidan.integrations.lambda_targets import (
    Aws,
    Command,
    Endpoint,
    InProcess,
    LambdaTargets,
    Nowhere,
    PythonFile,
    function_name,
    parse_targets,
    read_targets,
)
from kaidan.values import JSON
from tests.integrations.support import FakeReply, Script, at_once, refusal, task

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"

FILE = """\
import os, time, sys

def identity(event, context):
    return event

def fail(event, context):
    raise Exception("on purpose")

class Wrong(Exception):
    pass

def fail_deeper(event, context):
    def deeper():
        raise Wrong("deep")
    deeper()

def about(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    return {
        "name": context.function_name, "arn": context.invoked_function_arn, "version": context.function_version,
        "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(), "pid": os.getpid(),
        "table": os.environ.get("TABLE"), "memory": context.memory_limit_in_mb, "variable": os.environ["_HANDLER"],
    }

def sleep(event, context):
    time.sleep(30)

def leave(event, context):
    os._exit(3)

def unwritable(event, context):
    return object()

def raw(event, context):
    return b'"as it is"'
"""


@pytest.fixture
def handler(tmp_path: Path) -> Path:
    path = tmp_path / "handler.py"
    path.write_text(FILE)
    return path


class Functions:
    """A Lambda whose functions are all the same target."""

    def __init__(self, script: Script | None = None) -> None:
        self.lambda_ = Lambda(script or Script({}), at_once)  # type: ignore[arg-type]

    def invoke(self, target: Any, **parameters: JSON) -> FakeReply:
        return self._run("lambda:invoke", target, {"FunctionName": "orders", **parameters})

    def wait(self, target: Any, **parameters: JSON) -> FakeReply:
        return self._run("lambda:invoke.waitForTaskToken", target, {"FunctionName": "orders", **parameters})

    def resource(self, target: Any, data: JSON) -> FakeReply:
        return self._run(ARN, target, data)

    def _run(self, resource: str, target: Any, parameters: JSON) -> FakeReply:
        self.lambda_.targets = LambdaTargets(default=target)
        reply = FakeReply()
        work = task(resource, parameters)
        (self.lambda_.resource if resource == ARN else self.lambda_.invoke)(work, reply)
        return reply


@pytest.fixture
def functions() -> Iterator[Functions]:
    found = Functions()
    yield found
    found.lambda_.close()


def python(path: Path, function: str, **more: Any) -> PythonFile:
    return PythonFile(path, function, **more)


# --- files of Python --------------------------------------------------------------------------------------


def test_a_result(functions: Functions, handler: Path) -> None:
    result = functions.invoke(python(handler, "identity"), Payload={"b": 1, "a": "é"}).result
    assert list(result) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    assert result["ExecutedVersion"] == "$LATEST"
    assert result["Payload"] == {"b": 1, "a": "é"}
    assert result["StatusCode"] == 200
    request_id = result["SdkResponseMetadata"]["RequestId"]
    headers = result["SdkHttpMetadata"]["HttpHeaders"]
    assert headers["x-amzn-RequestId"] == request_id
    assert headers["Content-Length"] == str(len('{"b": 1, "a": "é"}'.encode()))
    assert next(iter(result["SdkHttpMetadata"]["AllHttpHeaders"])) == "X-Amz-Executed-Version"


@pytest.mark.parametrize(
    ("payload", "event"),
    [({"a": 1}, {"a": 1}), ('{"a":1}', {"a": 1}), ("0", 0), (None, {}), ([1], [1]), ('"text"', "text")],
)
def test_what_it_is_sent(functions: Functions, payload: JSON, event: JSON) -> None:
    assert functions.invoke(InProcess(lambda event, _: event), Payload=payload).result["Payload"] == event


def test_what_is_no_json(functions: Functions) -> None:
    error, cause = functions.invoke(InProcess(lambda event, _: event), Payload="hello").failure
    assert error == "Lambda.InvalidRequestContentException"
    assert cause.startswith("Could not parse request body into json: ")
    assert "(Service: AWSLambda; Status Code: 400; Error Code: InvalidRequestContentException; Request ID: " in cause


def test_as_the_resource(functions: Functions, handler: Path) -> None:
    assert functions.resource(python(handler, "identity"), {"a": 1}).told == [("started",), ("succeeded", {"a": 1})]
    assert functions.resource(python(handler, "raw"), {}).result == "as it is"


def test_it_knows_where_it_is(functions: Functions, handler: Path) -> None:
    target = python(handler, "about", environment={"TABLE": "orders"}, memory_mb=256)
    first = functions.resource(target, {}).result
    assert first.pop("left") in range(1000, 3001)
    again = functions.resource(target, {}).result
    assert again["pid"] == first.pop("pid"), "processes stay warm"
    assert first == {
        "name": "orders",
        "arn": ARN,
        "version": "$LATEST",
        "id": first["id"],
        "table": "orders",
        "memory": "256",
        "variable": "handler.about",
    }


def test_a_file_that_was_changed_is_read_again(functions: Functions, handler: Path) -> None:
    target = python(handler, "identity")
    assert functions.resource(target, 1).result == 1
    handler.write_text("def identity(event, context):\n    return 'changed'\n")
    assert functions.resource(target, 1).result == "changed"


def test_the_end_of_its_log(functions: Functions, handler: Path) -> None:
    result = functions.invoke(python(handler, "about"), LogType="Tail").result
    lines = base64.b64decode(result["LogResult"]).decode().splitlines()
    request_id = result["SdkResponseMetadata"]["RequestId"]
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[1:3] == ["printed", "to stderr"] or lines[1:3] == ["to stderr", "printed"]
    assert lines[3] == f"END RequestId: {request_id}"
    assert lines[4].startswith("REPORT")


TRACE = '  File "{0}", line 7, in fail\n    raise Exception("on purpose")\n'


def test_a_function_that_raises(functions: Functions, handler: Path) -> None:
    error, cause = functions.invoke(python(handler, "fail")).failure
    assert error == "Exception"
    described = json.loads(cause)
    assert list(described) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert described["errorMessage"] == "on purpose"
    assert described["stackTrace"] == [TRACE.format(handler)]
    assert cause == json.dumps(described, separators=(",", ":"))


def test_as_the_resource_its_cause_is_the_functions_own_text(functions: Functions, handler: Path) -> None:
    error, cause = functions.resource(python(handler, "fail_deeper"), {}).failure
    assert error == "Wrong"
    assert cause == json.dumps(json.loads(cause))
    assert [line.split("in ")[1].split("\n")[0] for line in json.loads(cause)["stackTrace"]] == [
        "fail_deeper",
        "deeper",
    ]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        ("sleep", "Sandbox.Timedout", "Error: Task timed out after 0.30 seconds"),
        ("leave", "Runtime.ExitError", "Error: Runtime exited with error: exit status 3"),
        ("unwritable", "Runtime.MarshalError", "Unable to marshal response: Object of type object is not JSON"),
        ("nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'handler'"),
    ],
)
def test_how_else_it_fails(functions: Functions, handler: Path, function: str, error: str, message: str) -> None:
    timeout_s = 0.3 if function == "sleep" else 10.0
    found, cause = functions.invoke(python(handler, function, timeout_s=timeout_s)).failure
    assert found == error
    assert message in json.loads(cause)["errorMessage"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def identity(:", "Runtime.UserCodeSyntaxError"),
        ("import no_such_module", "Runtime.ImportModuleError"),
        (None, "Runtime.ImportModuleError"),
        ("raise KeyError('TABLE')", "KeyError"),
        ("import os; os._exit(3)", "Runtime.ExitError"),
    ],
)
def test_a_file_that_cannot_be_loaded(functions: Functions, tmp_path: Path, text: str | None, error: str) -> None:
    path = tmp_path / "broken.py"
    if text is not None:
        path.write_text(text)
    found, cause = functions.invoke(python(path, "identity")).failure
    assert found == error
    frames = json.loads(cause).get("stackTrace", [])
    assert all("broken.py" in frame for frame in frames)
    assert bool(frames) == (error in ("KeyError", "Runtime.UserCodeSyntaxError"))


def test_loading_has_a_time_of_its_own(functions: Functions, tmp_path: Path) -> None:
    path = tmp_path / "slow_to_load.py"
    path.write_text("import time\ntime.sleep(0.4)\ndef identity(event, context):\n    return event\n")
    assert functions.invoke(python(path, "identity", timeout_s=0.3), Payload=1).result["Payload"] == 1


def test_a_file_stands_in_its_own_directory(functions: Functions, tmp_path: Path) -> None:
    """Beside files of any name: none of them takes the place of one of Python's own."""
    (tmp_path / "json.py").write_text("raise Exception('not this one')\n")
    (tmp_path / "rates.txt").write_text("7")
    path = tmp_path / "reads.py"
    path.write_text("def rate(event, context):\n    return open('rates.txt').read()\n")
    assert functions.invoke(python(path, "rate")).result["Payload"] == "7"


def test_what_is_printed_is_shown(functions: Functions, handler: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = python(handler, "about")
    functions.invoke(target)
    assert sorted(capfd.readouterr().err.splitlines()) == ["orders | printed", "orders | to stderr"]
    functions.invoke(target)
    assert sorted(capfd.readouterr().err.splitlines()) == ["orders | printed", "orders | to stderr"]
    functions.invoke(command("import sys; print('why', file=sys.stderr); sys.exit(3)"))
    assert capfd.readouterr().err == "orders | why\n"


def test_more_invocations_than_it_may_have(handler: Path) -> None:
    local = LocalFunctions()
    target = python(handler, "identity", concurrency=1)
    with local._place(target, "first"), pytest.raises(StateError) as raised:
        local.run(target, Invocation("orders", ARN, "{}", "second"))
    assert raised.value.error == "Lambda.TooManyRequestsException"
    assert "Status Code: 429" in str(raised.value.cause)
    assert local.run(target, Invocation("orders", ARN, "{}", "third")).payload == "{}"
    local.close()


# --- commands ---------------------------------------------------------------------------------------------


def command(code: str, **more: Any) -> Command:
    return Command((sys.executable, "-c", code), Path(), **{"timeout_s": 10.0, **more})


ECHO = "import sys; sys.stdout.write(sys.stdin.read())"


@pytest.mark.parametrize(
    ("target", "result"),
    [
        (command(ECHO), {"a": 1}),
        (command("pass"), None),
        (command("print('no json')"), "no json"),
        (command("import os; print(os.environ['TABLE'])", environment={"TABLE": "7"}), 7),
    ],
)
def test_a_commands_output_is_the_result(functions: Functions, target: Command, result: JSON) -> None:
    assert functions.invoke(target, Payload={"a": 1}).result["Payload"] == result


@pytest.mark.parametrize(
    ("target", "error", "cause"),
    [
        (
            command('print(\'{"errorType": "Mine", "errorMessage": "m"}\'); exit(1)'),
            "Mine",
            '{"errorType":"Mine","errorMessage":"m"}',
        ),
        (command("exit(2)"), "Runtime.ExitError", "exit status 2"),
        (command("import time; time.sleep(30)", timeout_s=0.2), "Sandbox.Timedout", "after 0.20 seconds"),
        (Command(("/no/such/program",), Path()), "Runtime.InvalidEntrypoint", "No such file"),
    ],
)
def test_a_command_that_fails(functions: Functions, target: Command, error: str, cause: str) -> None:
    found, text = functions.invoke(target).failure
    assert (found, cause in text) == (error, True)


# --- AWS and other endpoints ------------------------------------------------------------------------------


def answer(payload: str, **more: Any) -> dict[str, Any]:
    metadata = {"RequestId": "r", "HTTPStatusCode": 200, "HTTPHeaders": {"date": "d"}}
    return {
        "StatusCode": 200,
        "ExecutedVersion": "5",
        "Payload": BytesIO(payload.encode()),
        "ResponseMetadata": metadata,
        **more,
    }


def on_aws(resource: str, payload: str, data: Any = None, **more: Any) -> tuple[Script, FakeReply]:
    script = Script({"lambda.invoke": []})
    script._answers["lambda.invoke"] = [answer(payload, **more)]
    functions = Functions(script)
    parameters = data if resource == ARN else {"FunctionName": "orders", "Payload": data}
    return script, functions._run(resource, Aws(), parameters)


def test_on_aws() -> None:
    script, reply = on_aws("lambda:invoke", '{"a": 1.0}', {"b": [1, 2]})
    assert script.asked == [("lambda.invoke", {"FunctionName": "orders", "Payload": b'{"b":[1,2]}'})]
    assert reply.result["Payload"] == {"a": 1.0}
    assert reply.result["ExecutedVersion"] == "5"
    assert reply.result["SdkHttpMetadata"]["HttpHeaders"] == {"date": "d"}


def test_without_a_payload() -> None:
    script, _ = on_aws("lambda:invoke", "null")
    assert script.asked == [("lambda.invoke", {"FunctionName": "orders"})]


def test_as_the_resource_on_aws() -> None:
    script, reply = on_aws(ARN, '{"a":  1}', {"b": 1})
    assert script.asked == [("lambda.invoke", {"FunctionName": ARN, "Payload": b'{"b":1}'})]
    assert reply.result == {"a": 1}


@pytest.mark.parametrize(
    ("payload", "error", "cause"),
    [
        ('{"errorMessage": "m", "errorType": "E"}', "E", '{"errorMessage":"m","errorType":"E"}'),
        ('{"errorMessage": "m"}', "Lambda.Unknown", 'Returned payload: {"errorMessage":"m"}'),
        ("no json", "Lambda.Unknown", "Returned payload: no json"),
    ],
)
def test_a_function_error_on_aws(payload: str, error: str, cause: str) -> None:
    _, reply = on_aws("lambda:invoke", payload, FunctionError="Unhandled")
    assert reply.failure[0] == error
    assert reply.failure[1].endswith(cause)


def test_a_refusal_of_lambda() -> None:
    script = Script({"lambda.invoke": [refusal("TooManyRequestsException", "Rate Exceeded.", 429)]})
    error, cause = Functions(script).invoke(Aws()).failure
    assert error == "Lambda.TooManyRequestsException"
    assert cause == (
        "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; "
        "Request ID: r; Proxy: null)"
    )


def test_nowhere(functions: Functions) -> None:
    error, cause = functions.invoke(Nowhere()).failure
    assert error == "Lambda.ResourceNotFoundException"
    assert cause.startswith("Function not found: orders (Service: AWSLambda; Status Code: 404; ")


# --- invocations that are not waited for ------------------------------------------------------------------


def test_an_event(functions: Functions) -> None:
    seen: list[JSON] = []

    def function(event: JSON, context: Any) -> JSON:
        seen.append(event)
        raise ValueError("nobody hears of it")

    result = functions.invoke(InProcess(function), InvocationType="Event", Payload={"a": 1}).result
    assert seen == [{"a": 1}]
    assert result["StatusCode"] == 202
    assert "Payload" not in result
    assert "ExecutedVersion" not in result


def test_a_dry_run(functions: Functions) -> None:
    result = functions.invoke(InProcess(lambda *_: pytest.fail("ran")), InvocationType="DryRun").result
    assert result["StatusCode"] == 204


def test_wait_for_task_token(functions: Functions) -> None:
    reply = functions.wait(InProcess(lambda event, _: event), Payload={"token": "t"})
    assert reply.names == ["started", "submitted"]
    assert reply.told[1][1]["Payload"] == {"token": "t"}


def test_wait_for_task_token_of_a_function_that_fails(functions: Functions) -> None:
    def function(event: JSON, context: Any) -> JSON:
        raise ValueError("v")

    assert functions.wait(InProcess(function)).failure[0] == "ValueError"


def test_time_that_a_function_takes(functions: Functions) -> None:
    reply = functions.invoke(InProcess(lambda event, _: 1, takes_s=60.0))
    assert reply.names == ["started"]
    reply.pass_time(59)
    assert reply.names == ["started"]
    reply.pass_time(2)
    assert reply.result["Payload"] == 1


# --- parameters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"FunctionName": "f"}, None),
        ({"FunctionName": "f", "Payload": [1], "InvocationType": "Event", "LogType": None}, None),
        ({}, "The field 'FunctionName' is required but was missing"),
        ({"FunctionName": "f", "Input": 1}, 'The field "Input" is not supported by Step Functions'),
        ({"FunctionName": 1}, "The value of the field 'FunctionName' has an invalid format"),
        ({"FunctionName": "f", "LogType": "All"}, "The value of the field 'LogType' has an invalid format"),
    ],
)
def test_parameters(parameters: JSON, complaint: str | None) -> None:
    assert (", ".join(FORM.problems(parameters)) or None) == complaint


def test_templates() -> None:
    assert FORM.template_problems({"FunctionName.$": "$.f", "LogType": "{% $x %}"}) == []
    assert FORM.template_problems("{% $everything %}") == []
    assert FORM.template_problems({"Payload.$": "$"}) == ["The field 'FunctionName' is required but was missing"]


# --- which function is where ------------------------------------------------------------------------------

YAML = """
functions:
  orders: {handler: code/orders.py:handler, timeout: 10, memory: 512, environment: {N: 1}}
  ship: {command: [node, ship.js], concurrency: 1}
  legacy: {endpoint: "http://127.0.0.1:3001", name: old}
  "report-*": aws
default: none
"""


def test_a_file_of_targets(tmp_path: Path) -> None:
    path = tmp_path / "functions.yaml"
    path.write_text(YAML)
    targets = read_targets(path)
    orders = PythonFile((tmp_path / "code/orders.py").resolve(), "handler", 10.0, 512, {"N": "1"})
    for reference in ("orders", "orders:prod", ARN, ARN + ":7", "123456789012:function:orders"):
        assert targets.find(reference) == orders
    assert targets.find("ship") == Command(("node", "ship.js"), tmp_path.resolve(), concurrency=1)
    assert targets.find("legacy") == Endpoint("http://127.0.0.1:3001", "old")
    assert targets.find("report-daily") == Aws()
    assert targets.find("other") == Nowhere()
    assert LambdaTargets().find("other") == Aws()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", None),
        ("{}", None),
        ("[]", "functions.yaml: must be an object, not []"),
        ("functions: [a]", "functions: must be an object"),
        ("function: {}", "unknown field 'function' (allowed: functions, default)"),
        (
            "functions: {f: somewhere}",
            ".f: must be aws, none, or an object with exactly one of: handler, command, endpoint",
        ),
        ("functions: {f: {handler: a.py:h, command: [a]}}", ".f: must be aws, none, or an object with exactly one of"),
        ("functions: {f: {handler: a.py}}", ".f.handler: must be path/to/file.py:function, not a.py"),
        ("functions: {f: {handler: a.py:h, memroy: 1}}", ".f: unknown field 'memroy' (allowed: handler, timeout"),
        ("functions: {f: {command: ls}}", ".f.command: must be an array: the program and its arguments"),
        ("functions: {f: {command: [ls], timeout: -1}}", ".f.timeout: must be a number from 0.001 to 900, not -1"),
        ("functions: {f: {command: [ls], timeout: 901}}", ".f.timeout: must be a number from 0.001 to 900, not 901"),
        ("functions: {f: {command: [ls], concurrency: 0}}", ".f.concurrency: must be a whole number from 1 to 1000"),
        (
            "functions: {f: {handler: a.py:h, memory: 64}}",
            ".f.memory: must be a whole number from 128 to 10240",
        ),
        ("functions: {f: {command: [ls], environment: 1}}", ".f.environment: must be an object"),
        (
            "functions: {f: {command: [ls], environment: {A: }}}",
            ".f.environment.A: must be a string, a number",
        ),
        ("functions: {f: {endpoint: localhost}}", ".f.endpoint: must be a URL, such as http://127.0.0.1:3001"),
        ("default: nowhere", "default: must be aws, none, or an object"),
        ("functions: {", "functions.yaml: "),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, problem: str | None) -> None:
    path = tmp_path / "functions.yaml"
    path.write_text(text)
    if problem is None:
        assert read_targets(path) == LambdaTargets()
        return
    with pytest.raises(FileError) as raised:
        read_targets(path)
    assert problem in str(raised.value)


def test_json_and_values(tmp_path: Path) -> None:
    path = tmp_path / "functions.json"
    path.write_text('{"functions": {"f": "none"}}')
    assert read_targets(path) == parse_targets({"functions": {"f": "none"}}, tmp_path)
    assert function_name(ARN + ":prod") == "orders"
