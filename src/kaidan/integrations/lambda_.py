"""AWS Lambda: `lambda:invoke`, and a function's ARN as the Resource of a Task.

    {"FunctionName": "orders", "Payload": {"id": 7}}
    {"ExecutedVersion": "$LATEST", "Payload": {"done": true}, "SdkHttpMetadata": {…}, "SdkResponseMetadata": {…},
     "StatusCode": 200}

As the Resource the function takes the state's data and gives its result, nothing around them. A function that raises
fails the task with the type of its error, and its payload as the cause. Where functions are is for lambda_targets.py
to say. Source: AWS guide, "Invoke an AWS Lambda function with Step Functions"; recordings of AWS.
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, assert_never

from kaidan.errors import RUNTIME, StateError
from kaidan.integrations import form
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.form import Form
from kaidan.integrations.jobs import Fields
from kaidan.integrations.lambda_local import Invocation, LocalFunctions, Outcome, run_in_process
from kaidan.integrations.lambda_targets import (
    Aws,
    Command,
    Endpoint,
    InProcess,
    LambdaTargets,
    Nowhere,
    PythonFile,
    Target,
    function_name,
)
from kaidan.integrations.optimised import Calls, Service, http_metadata, request_name, sdk_metadata
from kaidan.protocol.effects import Role, RunTask
from kaidan.values import JSON, InvalidJson, Payload, dumps, json_or_text, loads

SERVICE = Service(
    token="lambda",
    client="lambda",
    prefix="Lambda",
    product="AWSLambda",
    exception="AWSLambdaException",
    actions={},
)

PATTERNS = ("", ".waitForTaskToken")

FORM = Form(
    {
        "FunctionName": form.text,
        "Payload": form.anything,
        "Qualifier": form.text,
        "InvocationType": form.one_of("RequestResponse", "Event", "DryRun"),
        "LogType": form.one_of("None", "Tail"),
        "ClientContext": form.text,
        "DurableExecutionName": form.text,
        "TenantId": form.text,
    },
    required=("FunctionName",),
)

UNTYPED = "The cause could not be determined because Lambda did not return an error type. Returned payload: "
NOT_FOUND = (
    "Function not found: {} (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; "
    "Request ID: {}; Proxy: null)"
)
STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Invoke answers. `payload` is JSON text, "" when there is none; `failed`: it describes an error."""

    payload: str
    failed: bool
    status: int
    version: str | None
    log: str | None
    metadata: Fields


class Lambda:
    """Carries out `lambda:invoke` and functions as Resources."""

    def __init__(self, clients: ClientFactory, run_blocking: RunBlocking, targets: LambdaTargets | None = None) -> None:
        self._clients = clients
        self._run_blocking = run_blocking
        self._local = LocalFunctions()
        self._endpoints: dict[str, ClientFactory] = {}
        self.targets = targets or LambdaTargets()

    def close(self) -> None:
        """End the processes of local functions."""
        self._local.close()

    def invoke(self, task: RunTask, reply: Reply) -> None:
        """`lambda:invoke`, with `.waitForTaskToken` too."""
        if task.resource.action != "invoke" or task.resource.pattern not in PATTERNS:
            raise StateError(RUNTIME, f"Nothing here carries out {task.resource.arn}")
        parameters = task.parameters.value
        to = Then(reply, reply.submitted, reply.failed) if task.resource.pattern else reply
        self._run(task, reply, parameters, lambda answer: to.succeeded(_result(answer)))

    def resource(self, task: RunTask, reply: Reply) -> None:
        """A function's ARN as the Resource: its input and its result as they are, text and all."""
        parameters = {"FunctionName": task.resource.arn, "Payload": task.parameters.text}
        self._run(task, reply, parameters, lambda answer: reply.succeeded(_payload(answer.payload)))

    def _run(self, task: RunTask, reply: Reply, parameters: Fields, done: Callable[[Answer], None]) -> None:
        target = self.targets.find(parameters["FunctionName"])
        request_id = request_name(task, reply) or str(uuid.uuid4())

        def work() -> JSON:
            answer = self._answer(target, parameters, task.role, request_id)
            if answer.failed:
                raise function_error(answer.payload, as_sent=task.resource.kind == "lambda")
            return answer

        if parameters.get("InvocationType") == "Event" and isinstance(target, (PythonFile, Command, InProcess)):
            reply.started()
            done(_local_answer(Outcome(""), "Event", None, request_id))
            self._run_blocking(work, Then(reply, _ignore, _ignore))
        elif isinstance(target, InProcess) and target.takes_s:
            reply.started()
            reply.later(target.takes_s, lambda: self._run_blocking(work, Then(reply, done, reply.failed)))
        else:
            self._run_blocking(work, Then(reply, done, reply.failed))

    def _answer(self, target: Target, parameters: Fields, role: Role | None, request_id: str) -> Answer:
        match target:
            case Aws():
                return _invoke(Calls(SERVICE, self._clients, role), parameters)
            case Endpoint():
                renamed = parameters if target.name is None else {**parameters, "FunctionName": target.name}
                return _invoke(Calls(SERVICE, self._at(target.url)), renamed)
            case Nowhere():
                cause = NOT_FOUND.format(parameters["FunctionName"], request_id)
                raise StateError("Lambda.ResourceNotFoundException", cause)
            case PythonFile() | Command() | InProcess():
                return self._locally(target, parameters, request_id)
            case _:
                assert_never(target)

    def _at(self, url: str) -> ClientFactory:
        if url not in self._endpoints:
            anyone = AwsSettings(
                region=self._clients.region, endpoint_urls={"lambda": url}, access_key="test", secret_key="test"
            )
            self._endpoints[url] = ClientFactory(anyone)
        return self._endpoints[url]

    def _locally(self, target: PythonFile | Command | InProcess, parameters: Fields, request_id: str) -> Answer:
        reference = parameters["FunctionName"]
        payload = _sent(parameters.get("Payload")) or "{}"
        _require_json(payload, request_id)
        arn = reference if reference.startswith("arn:") else f"arn:aws:lambda:::function:{reference}"
        context = parameters.get("ClientContext")
        invocation = Invocation(function_name(reference), arn, payload, request_id, context)
        kind = parameters.get("InvocationType") or "RequestResponse"
        if kind == "DryRun":
            return _local_answer(Outcome(""), kind, None, request_id)
        if isinstance(target, InProcess):
            outcome = run_in_process(target, invocation)
        else:
            outcome = self._local.run(target, invocation)
        log = b64encode(outcome.log).decode() if parameters.get("LogType") == "Tail" else None
        return _local_answer(outcome, kind, log, request_id)


def _ignore(*_: object) -> None:
    """Nobody waits for the outcome of an asynchronous invocation."""


# --- Lambda's API -----------------------------------------------------------------------------------------


def _invoke(calls: Calls, parameters: Fields) -> Answer:
    request = {name: value for name, value in parameters.items() if value is not None and name != "Payload"}
    payload = _sent(parameters.get("Payload"))
    if payload is not None:
        request["Payload"] = payload.encode()
    return calls.read("Invoke", request, _read)


def _read(answer: dict[str, Any]) -> Answer:
    return Answer(
        payload=answer["Payload"].read().decode("utf-8", "replace") if "Payload" in answer else "",
        failed=bool(answer.get("FunctionError")),
        status=answer.get("StatusCode", 200),
        version=answer.get("ExecutedVersion"),
        log=answer.get("LogResult"),
        metadata=sdk_metadata(answer.get("ResponseMetadata", {}), answer.get("kaidan:headers")),
    )


def _sent(payload: JSON) -> str | None:
    """A string is JSON text already (recorded: `"0"` invokes with 0); null is no payload."""
    if payload is None or isinstance(payload, str):
        return payload
    return dumps(payload)


# --- functions here ---------------------------------------------------------------------------------------


def _local_answer(outcome: Outcome, kind: str, log: str | None, request_id: str) -> Answer:
    headers = dict(_headers(outcome, log, request_id))
    metadata = {
        "SdkHttpMetadata": http_metadata(headers.items(), STATUS[kind]),
        "SdkResponseMetadata": {"RequestId": request_id},
    }
    version = "$LATEST" if kind != "Event" else None
    return Answer(outcome.payload, outcome.failed, STATUS[kind], version, log, metadata)


def _headers(outcome: Outcome, log: str | None, request_id: str) -> Iterable[tuple[str, str]]:
    """As Lambda sends them (recorded)."""
    yield "Content-Type", "application/json"
    yield "Content-Length", str(len(outcome.payload.encode()))
    yield "Connection", "keep-alive"
    yield "Date", formatdate(usegmt=True)
    yield "x-amzn-RequestId", request_id
    yield "x-amzn-Remapped-Content-Length", "0"
    yield "X-Amz-Executed-Version", "$LATEST"
    yield "X-Amzn-Trace-Id", f"root=1-{request_id[:8]}-{request_id.replace('-', '')[8:32]};sampled=0"
    if log is not None:
        yield "X-Amz-Log-Result", log


def _require_json(payload: str, request_id: str) -> None:
    try:
        loads(payload)
    except InvalidJson as problem:
        cause = (
            f"Could not parse request body into json: {problem} (Service: AWSLambda; Status Code: 400; "
            f"Error Code: InvalidRequestContentException; Request ID: {request_id}; Proxy: null)"
        )
        raise StateError("Lambda.InvalidRequestContentException", cause) from None


# --- results ----------------------------------------------------------------------------------------------


def _result(answer: Answer) -> JSON:
    result = {"ExecutedVersion": answer.version, "LogResult": answer.log, **answer.metadata}
    if answer.payload:
        result["Payload"] = json_or_text(answer.payload)
    result["StatusCode"] = answer.status
    return {name: result[name] for name in sorted(result) if result[name] is not None or name == "Payload"}


def _payload(text: str) -> JSON:
    try:
        return Payload.of_text(text or "null")
    except InvalidJson:
        return text


def function_error(payload: str, *, as_sent: bool) -> StateError:
    """The error of a function, from the payload that describes it: its type, and all of it as the cause.

    `as_sent`: as the function wrote it, blanks and all; `lambda:invoke` has read it and writes it anew (recorded).
    """
    described = json_or_text(payload)
    text = payload if as_sent or described is payload else dumps(described)
    kind = described.get("errorType") if isinstance(described, dict) else None
    if isinstance(kind, str) and kind:
        return StateError(kind, text)
    return StateError("Lambda.Unknown", UNTYPED + text)
