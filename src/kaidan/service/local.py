"""Step Functions called from a state machine: `states:startExecution…`, `aws-sdk:sfn:…` and activities, answered
by this very service instead of AWS.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from kaidan.arns import Arn
from kaidan.errors import RUNTIME, TASK_FAILED, StateError
from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.dispatch import Dispatcher
from kaidan.protocol.effects import Role, RunTask
from kaidan.service import activities, shapes
from kaidan.service.apart import apart
from kaidan.service.errors import ApiError
from kaidan.service.state import Answer, Service
from kaidan.service.test_state import test_state
from kaidan.service.wire import epoch_text
from kaidan.values import JSON, dumps, loads, type_name

Call = Callable[[str, dict[str, Any]], dict[str, Any]]

Begin = Callable[[str, dict[str, Any], Answer], object]
"""`Api.begin`."""

TaskHandler = Callable[[RunTask, Reply], None]

WAITING = ("GetActivityTask", "StartSyncExecution")
"""Operations whose callers wait: nobody may block the engine meanwhile."""

POLL_MS = 1000
"""How often `.sync` looks at the execution that it waits for."""


class LocalClients(ClientFactory):
    """AWS's clients, but for Step Functions: that one is this service, unless a role of another account asks."""

    def __init__(self, call: Call, clients: ClientFactory, account: str) -> None:
        super().__init__(clients.settings)
        self._call = call
        self._account = account

    def client(self, service: str, role: Role | None = None) -> Any:
        if service == "stepfunctions" and not is_foreign(role, self._account):
            return _LocalClient(self._call)
        return super().client(service, role)


def is_foreign(role: Role | None, account: str) -> bool:
    """Whether a role is of another account than this: what it calls is on AWS, Step Functions too."""
    if role is None:
        return False
    try:
        return Arn.parse(role.arn).account != account
    except ValueError:
        return False


class _LocalClient:
    """Looks like boto3's client: `client.start_execution(stateMachineArn=…)`, and raises its ClientError."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        return lambda **params: self._request(operation, params)

    def _request(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        metadata = {
            "RequestId": "00000000-0000-4000-8000-000000000000",
            "HTTPStatusCode": 200,
            "HTTPHeaders": {},
        }
        try:
            return {**self._call(operation, params), "ResponseMetadata": metadata}
        except ApiError as refusal:
            response = {
                "Error": {"Code": refusal.code, "Message": refusal.message},
                "ResponseMetadata": metadata | {"HTTPStatusCode": refusal.status},
            }
            raise ClientError(response, operation) from None


class StepFunctionsTasks:
    """Handlers of the tasks that Step Functions itself carries out."""

    def __init__(
        self, service: Service, call: Call, begin: Begin, clients: ClientFactory, run_blocking: RunBlocking
    ) -> None:
        self._service = service
        self._call = call
        self._begin = begin
        self._clients = clients
        self._run_blocking = run_blocking

    def register(self, dispatcher: Dispatcher) -> None:
        dispatcher.by_kind["activity"] = self._activity
        on_aws, resume_on_aws = dispatcher.by_service["states"], dispatcher.resumers["states"]

        def resume(task: RunTask, job: JSON, reply: Reply) -> None:
            (resume_on_aws if self._is_foreign(task) else self._resume)(task, job, reply)

        dispatcher.by_service["states"] = self._unless_foreign(self._start_execution, on_aws)
        dispatcher.resumers["states"] = resume
        dispatcher.by_service["aws-sdk:sfn"] = self._unless_foreign(self._sdk, dispatcher.sdk)

    def _is_foreign(self, task: RunTask) -> bool:
        return is_foreign(task.role, self._service.account)

    def _unless_foreign(self, here: TaskHandler, on_aws: TaskHandler) -> TaskHandler:
        return lambda task, reply: (on_aws if self._is_foreign(task) else here)(task, reply)

    def _activity(self, task: RunTask, reply: Reply) -> None:
        activities.offer(self._service, task, reply)

    def _sdk(self, task: RunTask, reply: Reply) -> None:
        operation = aws_sdk.resolve("sfn", task.resource.action)
        reply.started()
        if operation.operation_name in WAITING:
            return self._wait_for(operation, task, reply)
        if operation.operation_name == "TestState":
            return self._test(operation, task, reply)
        result = aws_sdk.call(operation, task.parameters.value, self._clients)
        if task.resource.pattern:
            reply.submitted(result)
        else:
            reply.succeeded(result)
        return None

    def _test(self, operation: aws_sdk.Operation, task: RunTask, reply: Reply) -> None:
        """A state under test may take minutes: in a thread, on an engine of its own."""
        service = apart(self._service)

        def call(name: str, params: dict[str, Any]) -> dict[str, Any]:
            shapes.check(name, params)
            return test_state(service, params)

        self._run_blocking(
            lambda: aws_sdk.call(operation, task.parameters.value, self._answering(call)),
            Then(reply, reply.submitted, reply.failed) if task.resource.pattern else reply,
        )

    def _wait_for(self, operation: aws_sdk.Operation, task: RunTask, reply: Reply) -> None:
        """The call twice: once to begin, and when the answer has come, for the form that the SDK gives it."""

        def begin(name: str, params: dict[str, Any]) -> dict[str, Any]:
            self._begin(name, params, answered)
            return {}

        def answered(answer: dict[str, Any]) -> None:
            try:
                reply.succeeded(aws_sdk.call(operation, task.parameters.value, self._answering(lambda *asked: answer)))
            except StateError as error:
                reply.failed(error.error, error.cause)

        aws_sdk.call(operation, task.parameters.value, self._answering(begin))

    def _answering(self, call: Call) -> ClientFactory:
        return LocalClients(call, self._clients, self._service.account)

    def _start_execution(self, task: RunTask, reply: Reply) -> None:
        """`states:startExecution`, with `.sync`, `.sync:2` and `.waitForTaskToken`."""
        reply.started()
        try:
            started = self._call("StartExecution", _start_params(task))
        except ApiError as refusal:
            raise self.refused(refusal) from None
        answer = self._started(started)
        if task.resource.pattern == "":
            return reply.succeeded(answer)
        reply.job(started["executionArn"])
        reply.submitted(answer)
        if task.resource.pattern.startswith(".sync"):
            self._resume(task, started["executionArn"], reply)
        return None

    def _resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """Wait for the execution that was started, `job` being its ARN."""
        Watch(self, task, reply, job).look()

    def _started(self, started: dict[str, Any]) -> JSON:
        """The result as the older SDK gives it, with what it says of the HTTP answer (recorded)."""
        arn, start_ms = started["executionArn"], round(started["startDate"].timestamp() * 1000)
        request_id = self._service.source.uuid4()
        length = str(len(f'{{"executionArn":"{arn}","startDate":{epoch_text(start_ms)}}}'))
        headers = {
            "x-amzn-RequestId": request_id,
            "connection": "keep-alive",
            "Content-Length": length,
            "Date": started["startDate"].strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "Content-Type": "application/x-amz-json-1.0",
        }
        return {
            "ExecutionArn": arn,
            "SdkHttpMetadata": {
                "AllHttpHeaders": {name: [value] for name, value in headers.items()},
                "HttpHeaders": headers,
                "HttpStatusCode": 200,
            },
            "SdkResponseMetadata": {"RequestId": request_id},
            "StartDate": start_ms,
        }

    def describe(self, arn: str) -> dict[str, Any]:
        return self._call("DescribeExecution", {"executionArn": arn})

    def stop(self, arn: str) -> None:
        self._call("StopExecution", {"executionArn": arn})

    def refused(self, refusal: ApiError) -> StateError:
        """A refusal in the words of the older SDK (recorded)."""
        cause = (
            f"{refusal.message} (Service: AWSStepFunctions; Status Code: {refusal.status}; "
            f"Error Code: {refusal.code}; Request ID: {self._service.source.uuid4()}; Proxy: null)"
        )
        return StateError(f"StepFunctions.{refusal.code}Exception", cause)


class Watch:
    """`.sync`: looks at an execution until it has ended, and answers with its description, or with the refusal of one
    that cannot be looked at: Express ones, and those that are gone. With the task the execution is stopped (AWS guide,
    "Discover service integration patterns")."""

    def __init__(self, tasks: StepFunctionsTasks, task: RunTask, reply: Reply, arn: str) -> None:
        self._tasks = tasks
        self._reply = reply
        self._arn = arn
        self._json = task.resource.pattern == ".sync:2"
        reply.on_cancel(lambda: tasks.stop(arn))

    def look(self) -> None:
        if self._reply.ended:
            return None
        try:
            described = self._tasks.describe(self._arn)
        except ApiError as refusal:
            error = self._tasks.refused(refusal)
            return self._reply.failed(error.error, error.cause)
        if described["status"] == "RUNNING":
            return self._reply.later(POLL_MS / 1000, self.look)
        result = _description(described, as_json=self._json)
        if described["status"] == "SUCCEEDED":
            return self._reply.succeeded(result)
        return self._reply.failed(TASK_FAILED, dumps(result))


def _start_params(task: RunTask) -> dict[str, Any]:
    """`{"StateMachineArn", "Input", "Name"}` as the operation takes it: Input as text, null as absent.

    Without a name it gets one that is the task's own: begun again after a restart, it starts nothing twice.
    """
    given = task.parameters.value
    if not isinstance(given, dict):
        raise StateError(RUNTIME, f"The parameters of {task.resource.arn} must be an object, not {type_name(given)}")
    params = {key[:1].lower() + key[1:]: value for key, value in given.items() if value is not None}
    if "input" in params and not isinstance(params["input"], str):
        params["input"] = dumps(params["input"])
    if task.token:
        params.setdefault("name", str(uuid.uuid5(uuid.NAMESPACE_OID, task.token)))
    return params


def _description(described: dict[str, Any], *, as_json: bool) -> JSON:
    """DescribeExecution in the spelling of results: PascalCase, milliseconds; `.sync:2` gives data as JSON."""
    result = _pascal(described)
    for name in ("StartDate", "StopDate"):
        result[name] = round(result[name].timestamp() * 1000)
    for name in ("Input", "Output"):
        if as_json and name in result:
            result[name] = loads(result[name])
    return {key: result[key] for key in sorted(result)}


def _pascal(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _pascal(member) for key, member in value.items()}
    return value
