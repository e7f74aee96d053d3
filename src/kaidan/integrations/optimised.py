"""Optimised integrations, `arn:aws:states:::sqs:sendMessage`: what they have in common.

A service is data: how the older AWS SDK for Java, which stands behind these integrations, speaks of it, and a table
of its actions. An action is an operation of botocore's model and where it differs from that. From the two come the
checks of parameters, the request, the result and the errors:

    {"QueueUrl": "…", "MessageBody": {"a": 1}}
    {"MD5OfMessageBody": "…", "MessageId": "…", "SdkHttpMetadata": {…}, "SdkResponseMetadata": {"RequestId": "…"}}
    SQS.AmazonSQSException: … (Service: AmazonSQS; Status Code: 400; Error Code: X; Request ID: r; Proxy: null)

Members are the API's own with a capital at the front, in alphabetical order, times are Unix milliseconds (recorded).
Knows no state and no history; jobs.py has the waiting of `.sync`. Source: AWS guide, "Integrating optimized services".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

from kaidan.arns import Pattern, TaskResource
from kaidan.errors import RUNTIME, StateError, runtime_error
from kaidan.integrations import aws_sdk
from kaidan.integrations.aws_shapes import FieldProblem, Members, missing_fields, to_request
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.form import REQUIRED, Complaint
from kaidan.integrations.jobs import Call, Fields, Job, Watch
from kaidan.integrations.naming import member_names
from kaidan.protocol.effects import Role, RunTask
from kaidan.values import JSON, dumps

T = TypeVar("T")

Shape: TypeAlias = Any
"""A botocore.model.Shape; botocore has no types."""

ONCE = uuid.UUID("8d5f1c2e-4a0b-4c8e-9a53-0f6f3c1f2a77")
"""Under which the names of requests that may be carried out once only are made."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a task knows beside its parameters. `call`: operations of its service; `arn`: of its execution, or ""."""

    resource: TaskResource
    arn: str
    clients: ClientFactory
    role: Role | None
    call: Call


def as_they_are(fields: Fields) -> Fields:
    return fields


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a service.

    operation: what botocore calls it, of `client` where that is another than the service's. renamed: the action's own
    fields and the members they stand for, `{"ClusterId": "JobFlowIds"}`; what stands for a list goes into one.
    barred: members it does not take. spare: required members that may be absent, for the action makes them up.
    known: parameters without what the operation has never heard of.
    complaint: what else is wrong with parameters, before they are sent.
    marked: parameters as they are sent and as the history shows them; doing it twice changes nothing.
    completed: the same, with what is only known when the task runs. result: of the answer; may raise StateError.
    again: of an answer that says to send the request once more. jobs: what `.sync` and `.sync:2` wait for.
    taken_on: with a pattern, raises StateError when the answer says that the work was not.
    """

    operation: str
    token: bool = False
    jobs: Mapping[Pattern, Job] = field(default_factory=dict)
    client: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    barred: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    known: Callable[[Fields], Fields] = as_they_are
    complaint: Callable[[Fields], str | None] | None = None
    marked: Callable[[TaskResource, Fields], Fields] | None = None
    completed: Callable[[Fields, Situation], Fields] | None = None
    result: Callable[[Fields, Fields, Situation], JSON] | None = None
    again: Callable[[Fields], bool] | None = None
    taken_on: Callable[[Fields], None] | None = None

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Those it has, request-response first."""
        waits: tuple[Pattern, ...] = (".waitForTaskToken",) if self.token else ()
        return ("", *self.jobs, *waits)


@dataclass(frozen=True, slots=True)
class Service:
    """One optimised integration.

    token: its name in resources. client: botocore's. prefix: of its errors. product: its name in causes.
    exception: what stands for a code that the model does not know. metadata: results say how the HTTP answer was.
    empty_lists: lists that the answer lacks are empty in the result, for its older classes made them so (recorded).
    """

    token: str
    client: str
    prefix: str
    product: str
    exception: str
    actions: Mapping[str, Action]
    metadata: bool = True
    empty_lists: bool = False


# --- parameters -------------------------------------------------------------------------------------------


def model_of(client: str, operation: str) -> Any:
    return aws_sdk.service_model(client).operation_model(operation)


def request_of(
    service: Service, action: Action, parameters: JSON, *, template: bool = False
) -> tuple[Members, list[FieldProblem]]:
    """The request of parameters, and what is wrong with them. `template`: as `aws_shapes.to_request` has it."""
    client = action.client or service.client
    shape = model_of(client, action.operation).input_shape
    if not isinstance(parameters, dict):
        return to_request(client, action.operation, shape, parameters, template=template)
    foreign = {*action.renamed.values(), *action.barred}
    barred = [FieldProblem(f"/{name}", name) for name in parameters if name.removesuffix(".$") in foreign]
    given = {name: value for name, value in parameters.items() if name.removesuffix(".$") not in foreign}
    fields = _respelled(client, shape, _renamed(action, shape, given))
    request, problems = to_request(client, action.operation, shape, fields, template=template)
    return request, barred + problems


def _renamed(action: Action, shape: Shape, parameters: Fields) -> Fields:
    """By the operation's members, not the action's own fields."""
    given: Fields = {}
    for name, value in parameters.items():
        plain = name.removesuffix(".$")
        member = action.renamed.get(plain)
        if member is None:
            given[name] = value
        else:
            one_of_many = shape.members[member].type_name == "list" and not isinstance(value, list)
            given[member + name[len(plain) :]] = [value] if one_of_many and value is not None else value
    return given


def _respelled(service: str, shape: Shape | None, value: JSON) -> JSON:
    """Fields as these integrations spell them in the spelling of `aws_shapes`; what is unknown stays as it is."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        spelling = _spelling(service, shape)
        return dict(_respelled_member(service, shape, spelling, name, item) for name, item in value.items())
    if shape.type_name == "list" and isinstance(value, list):
        return [_respelled(service, shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _respelled(service, shape.value, item) for key, item in value.items()}
    return value


def _respelled_member(
    service: str, shape: Shape, spelling: Mapping[str, tuple[str, str]], name: str, item: JSON
) -> tuple[str, JSON]:
    known = spelling.get(name.removesuffix(".$"))
    if known is None:
        return name, item
    if name.endswith(".$"):
        return known[0] + ".$", item
    return known[0], _respelled(service, shape.members[known[1]], item)


def _spelling(service: str, shape: Shape) -> Mapping[str, tuple[str, str]]:
    return _spellings(service, shape.name, tuple(shape.members), shape.is_tagged_union)


@cache
def _spellings(service: str, shape: str, members: tuple[str, ...], union: bool) -> Mapping[str, tuple[str, str]]:
    """A field to its name in `aws_shapes` and its member. `attempts` means Attempts (as AWS's guide writes it too)."""
    sdk = {member: name for name, member in member_names(service, shape, members, union=union).items()}
    return {
        **{member: (sdk[member], member) for member in members},
        **{field_name(member): (sdk[member], member) for member in members},
    }


def field_name(member: str) -> str:
    """`gpuIds` is GpuIds, and MD5OfMessageBody stays what it is (recorded)."""
    return member[:1].upper() + member[1:]


def check_parameters(service: Service, action: Action, parameters: JSON) -> str | None:
    """Why these parameters cannot start the task: all problems in a row, or None."""
    given = action.known(parameters) if isinstance(parameters, dict) else parameters
    problems = [problem.sentence for problem in request_of(service, action, given)[1]]
    if not problems and action.complaint is not None and isinstance(parameters, dict):
        problems = list(filter(None, [action.complaint(parameters)]))
    return ", ".join(problems) or None


def check_template(service: Service, action: Action, template: JSON) -> list[Complaint]:
    """What is wrong with Parameters or Arguments as they stand in a definition: see `Complaint`."""
    if not isinstance(template, dict):
        return []
    problems = request_of(service, action, action.known(template), template=True)[1]
    found: list[Complaint] = [(each.sentence, each.hint) for each in problems if each.expected is None]
    model = model_of(action.client or service.client, action.operation)
    made_up = {*action.barred, *action.spare, *model.idempotent_members}
    stands_for = {member: name for name, member in action.renamed.items()}
    given = {name.removesuffix(".$") for name in template}
    for member in model.input_shape.required_members if model.input_shape is not None else ():
        name = stands_for.get(member, field_name(member))
        if not given & {name, member} and member not in made_up:
            found.append((REQUIRED.format(name), None))
    return found


# --- calls ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one service, with the credentials of one role."""

    service: Service
    clients: ClientFactory
    role: Role | None = None
    client: str = ""

    def send(self, action: Action, parameters: JSON, once: str | None = None) -> Fields:
        """Do an action: the answer with what it says of HTTP. Raises StateError.

        `once`: the request's name, so that the service carries it out once however often it is sent.
        """
        return self.call(action.operation, self.request(action, parameters, once))

    def request(self, action: Action, parameters: JSON, once: str | None = None) -> Members:
        """The request of parameters. Raises StateError for what cannot be sent."""
        request, problems = request_of(self.service, action, {} if parameters is None else parameters)
        if problems:
            listed = ", ".join(problem.sentence for problem in problems)
            raise runtime_error(aws_sdk.UNFIT.format(dumps(parameters), listed))
        model = model_of(self.client or self.service.client, action.operation)
        if missing := missing_fields(model.service_model.service_name, model.input_shape, request):
            cause = aws_sdk.MISSING.format(missing[0])
            raise StateError(f"{self.service.prefix}.SdkClientException", cause)
        if once is not None:
            request |= {member: once for member in model.idempotent_members if member not in request}
        return request

    def call(self, operation: str, request: Members) -> Fields:
        """Call an operation with botocore's members: `{"Status": "RUNNING", …}`. Raises StateError."""
        return self.read(operation, request, lambda answer: self._result(operation, answer))

    def read(self, operation: str, request: Members, read: Callable[[Members], T]) -> T:
        """Call an operation and read botocore's answer, streams and all. Raises StateError."""
        from botocore import xform_name

        try:
            client = self.clients.client(self.client or self.service.client, self.role)
            _listen(client)
            return read(getattr(client, xform_name(operation))(**request))
        except Exception as problem:  # the edge: whatever a client raises is something a state can catch
            raise self._error(operation, problem) from problem

    def _result(self, operation: str, answer: Members) -> Fields:
        shape = model_of(self.client or self.service.client, operation).output_shape
        result = to_result(shape, answer, empty_lists=self.service.empty_lists) if shape is not None else {}
        if self.service.metadata:
            result |= sdk_metadata(answer.get("ResponseMetadata", {}), answer.get(_HEADERS))
        return dict(sorted(result.items()))

    def _error(self, operation: str, problem: Exception) -> StateError:
        from botocore.exceptions import ClientError

        service = self.service
        assumed = isinstance(problem, ClientError) and problem.operation_name == "AssumeRole"
        if isinstance(problem, ClientError) and not (assumed and self.role):
            return service_error(service, self.client or service.client, problem.response)
        named = aws_sdk.Operation(service.client, operation, service.token, operation, service.prefix)
        return aws_sdk.translate(named, problem, self.role)


def request_name(task: RunTask, reply: Reply) -> str | None:
    """The same for the same attempt of a task, also when it is begun again after a restart; None when unknown."""
    arn = reply.execution_arn
    return str(uuid.uuid5(ONCE, f"{arn} {task.request_id}")) if arn else None


def service_error(service: Service, client: str, response: Mapping[str, Any]) -> StateError:
    """`SNS.NotFoundException`, "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound;
    Request ID: …; Proxy: null)" (recorded)."""
    error, metadata = response["Error"], response.get("ResponseMetadata", {})
    known = aws_sdk.exceptions(client)
    codes = (error.get("QueryErrorCode"), error.get("Code"))
    name = next((known[code] for code in codes if code in known), service.exception)
    status, request_id = metadata.get("HTTPStatusCode", 0), metadata.get("RequestId") or "null"
    cause = (
        f"{error.get('Message') or 'null'} (Service: {service.product}; Status Code: {status}; "
        f"Error Code: {error.get('Code')}; Request ID: {request_id}; Proxy: null)"
    )
    return StateError(f"{service.prefix}.{name}", cause)


# --- results ----------------------------------------------------------------------------------------------


NEWER = frozenset({"neuronDeviceIds"})
"""Lists that the older classes do not have (recorded: ECS)."""


def to_result(shape: Shape, value: Any, *, empty_lists: bool = False) -> JSON:
    """An answer as JSON, with nothing in it that the model does not name: `{"StartedAt": 1591403928719}`."""
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            found = {
                field_name(member): to_result(shape.members[member], value[member], empty_lists=empty_lists)
                for member in shape.members
                if value.get(member) is not None
            }
            if empty_lists:
                lists = (name for name, member in shape.members.items() if member.type_name == "list")
                lists = (name for name in lists if name not in NEWER)
                found = {field_name(name): [] for name in lists} | found
            return dict(sorted(found.items()))
        case "list":
            return [to_result(shape.member, item, empty_lists=empty_lists) for item in value]
        case "map":
            return {key: to_result(shape.value, item, empty_lists=empty_lists) for key, item in value.items()}
        case "timestamp" if isinstance(value, datetime):
            return round(value.timestamp() * 1000)
        case "blob" if hasattr(value, "read"):
            return value.read().decode("utf-8", "replace")
        case "blob" if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
    return value


def sdk_metadata(metadata: Mapping[str, Any], headers: Iterable[tuple[str, str]] | None = None) -> Fields:
    """SdkHttpMetadata and SdkResponseMetadata. `headers` as the service spelled them; botocore's have no capitals."""
    pairs = list(headers if headers is not None else metadata.get("HTTPHeaders", {}).items())
    return {
        "SdkHttpMetadata": http_metadata(pairs, metadata.get("HTTPStatusCode", 200)),
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
    }


def http_metadata(headers: Iterable[tuple[str, str]], status: int) -> JSON:
    """Headers twice: as lists in the order of a hash table, and one value each in alphabetical order (recorded)."""
    by_name = dict(headers)
    return {
        "AllHttpHeaders": {name: [by_name[name]] for name in _hash_order(by_name)},
        "HttpHeaders": {name: by_name[name] for name in sorted(by_name, key=str.lower)},
        "HttpStatusCode": status,
    }


def _hash_order(names: Iterable[str]) -> list[str]:
    """Names in the order in which Java's HashMap goes over them."""
    table = sorted(names)
    buckets = 16
    while len(table) > buckets * 3 // 4:
        buckets *= 2
    return sorted(table, key=lambda name: (_hash(name) ^ _hash(name) >> 16) & (buckets - 1))


def _hash(text: str) -> int:
    code = 0
    for character in text:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return code


_HEADERS = "kaidan:headers"


def _listen(client: Any) -> None:
    """Have botocore keep the headers of answers as they were spelled, beside the members of the answer."""
    if hasattr(client, "meta"):
        client.meta.events.register("before-parse", _keep_headers, unique_id=_HEADERS)


def _keep_headers(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    customized_response_dict[_HEADERS] = list(response_dict["headers"].items())


# --- handlers ---------------------------------------------------------------------------------------------


class Optimised:
    """Carries out the tasks of one service."""

    def __init__(self, service: Service, clients: ClientFactory, run_blocking: RunBlocking) -> None:
        self.service = service
        self._clients = clients
        self._run_blocking = run_blocking

    def __call__(self, task: RunTask, reply: Reply) -> None:
        action = action_of(self.service, task.resource)
        job = action.jobs.get(task.resource.pattern)
        if job is not None:
            watch = Watch(job, self._calls(action, task).call, reply, self._run_blocking)
            watch.submit(lambda: self._submit(action, task, reply), task.parameters.value)
        else:
            self._send(action, task, reply)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """After a restart: go on watching the job that was submitted before it."""
        action = action_of(self.service, task.resource)
        calls = self._calls(action, task)
        Watch(action.jobs[task.resource.pattern], calls.call, reply, self._run_blocking).resume(job)

    def _calls(self, action: Action, task: RunTask) -> Calls:
        return Calls(self.service, self._clients, task.role, action.client)

    def _submit(self, action: Action, task: RunTask, reply: Reply) -> JSON:
        calls = self._calls(action, task)
        situation = Situation(task.resource, reply.execution_arn, self._clients, task.role, calls.call)
        parameters = task.parameters.value
        sent = action.marked(task.resource, parameters) if action.marked else parameters
        sent = action.completed(sent, situation) if action.completed else sent
        answer = calls.send(action, sent, request_name(task, reply))
        if task.resource.pattern and action.taken_on is not None:
            action.taken_on(answer)
        return action.result(answer, parameters, situation) if action.result else answer

    def _send(self, action: Action, task: RunTask, reply: Reply, times: int = 0) -> None:
        def answered(answer: JSON) -> None:
            if action.again is not None and action.again(answer) and times < AGAIN_MAX:
                reply.later(2.0**times, lambda: self._send(action, task, reply, times + 1))
            elif task.resource.pattern:
                reply.submitted(answer)
            else:
                reply.succeeded(answer)

        self._run_blocking(lambda: self._submit(action, task, reply), Then(reply, answered, reply.failed))


AGAIN_MAX = 6
"""How often a request is sent once more: after 1, 2, 4, … seconds, a minute in all."""


def action_of(service: Service, resource: TaskResource) -> Action:
    """Raises StateError when the service has no such action, or not with this pattern."""
    action = service.actions.get(resource.action)
    if action is None or resource.pattern not in action.patterns:
        raise StateError(RUNTIME, f"Nothing here carries out {resource.arn}")
    return action
