"""SDK integrations: `arn:aws:states:::aws-sdk:<service>:<action>` for every operation that botocore models.

    operation = resolve("ec2", "describeImages")
    call(operation, {"Owners": ["self"]}, clients)      {"Images": [{"ImageId": "ami-…", …}]}

Here are the names that a resource may have, the call, and what is said when it fails; naming.py has the
spelling, aws_shapes.py the values. Synchronous, safe in any thread; knows no state and no history. Sources:
AWS guide, "Learning to use AWS service SDK integrations", and recordings of AWS.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kaidan.errors import DATA_LIMIT_EXCEEDED, PERMISSIONS, StateError, runtime_error
from kaidan.integrations.aws_shapes import FieldProblem, missing_fields, to_request, to_result
from kaidan.integrations.clients import ClientFactory, model_loader
from kaidan.integrations.naming import action_name, did_you_mean, exception_name, nearest, service_name
from kaidan.limits import AWS
from kaidan.protocol.effects import Role
from kaidan.values import JSON, dumps

log = logging.getLogger(__name__)

_RETIRED = """
elasticinference finspace finspacedata honeycode iotanalytics iotevents ioteventsdata iotfleethub
lookoutvision opsworkscm panorama privatenetworks sagemakerruntimehttp2 simspaceweaver sms tnb
"""
RETIRED = frozenset(_RETIRED.split())
"""Services of AWS's list that botocore does not model: a definition may name them, no call can reach them."""

UNSUPPORTED = {
    token: frozenset(operations.split())
    for token, operations in {
        "applicationdiscovery": "DescribeExportConfigurations ExportConfigurations",
        "codedeploy": """BatchGetDeploymentInstances GetDeploymentInstance ListDeploymentInstances
            SkipWaitTimeForInstanceTermination""",
        "comprehendmedical": "DetectEntities",
        "dataexchange": "SendApiAsset",
        "directconnect": """AllocateConnectionOnInterconnect DescribeConnectionLoa
            DescribeConnectionsOnInterconnect DescribeInterconnectLoa""",
        "efs": "CreateTags",
        "emr": "DescribeJobFlows",
        "iot": "AttachPrincipalPolicy DetachPrincipalPolicy ListPolicyPrincipals ListPrincipalPolicies",
        "lambda": "InvokeAsync",
        "mediapackage": "RotateChannelCredentials",
        "rdsdata": "ExecuteSql",
        "shield": "DeleteSubscription",
        "sts": "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity",
    }.items()
}
"""Operations that AWS's list excludes. It excludes those that stream events too: the models tell which."""

BODILESS_ERRORS = {
    ("s3", "HeadObject", 404): "NoSuchKey",
    ("s3", "HeadBucket", 404): "NoSuchBucket",
}
"""(service, operation, status) of errors that come without a body, to what the Java SDK calls them."""


class UnknownService(ValueError):
    """No such service; the text gives the nearest names."""


class UnknownAction(ValueError):
    """No such action of this service, or one that no state can call; the text says which."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation in three spellings: botocore's `service` and `operation_name` ("stepfunctions",
    "StartExecution"), a resource's `token` and `action` ("sfn", "startExecution"), the `prefix` of an error
    ("Sfn")."""

    service: str
    operation_name: str
    token: str
    action: str
    prefix: str


# --------------------------------------------------------------------------------------- services and actions


@cache
def services() -> Mapping[str, str]:
    """Token to botocore's name of every service that can be called, `{"sfn": "stepfunctions"}`, as
    tools/generate_aws_services.py wrote it."""
    index: dict[str, str] = json.loads(Path(__file__).with_name("aws_services.json").read_bytes())
    return index


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What one service can do: action to operation, and which operations stream events."""

    prefix: str
    actions: Mapping[str, str]
    streaming: frozenset[str]


@cache
def _catalogue(service: str) -> _Catalogue:
    """From the raw model: neither client nor session is needed."""
    model = model_loader().load_service_model(service, "service-2")
    shapes, operations = model["shapes"], model["operations"]

    def streams_events(operation: Mapping[str, Any]) -> bool:
        ends = [shapes[operation[end]["shape"]] for end in ("input", "output") if end in operation]
        members = [member for end in ends for member in end.get("members", {}).values()]
        return any(shapes[member["shape"]].get("eventstream") for member in members)

    return _Catalogue(
        service_name(model["metadata"]["serviceId"]),
        {action_name(name): name for name in operations},
        frozenset(name for name, operation in operations.items() if streams_events(operation)),
    )


def known_service(service_token: str) -> bool:
    """Whether a definition may name this service. Reads the index, imports nothing."""
    return service_token in services() or service_token in RETIRED


def resolve(service_token: str, action: str) -> Operation:
    """The operation of a resource: `resolve("sfn", "startExecution")`.

    Raises UnknownService or UnknownAction, whose text says what there is instead. Loads one service's model.
    """
    service = services().get(service_token)
    if service is None:
        raise UnknownService(_unknown_service(service_token))
    catalogue = _load_catalogue(service_token, service)
    name = catalogue.actions.get(action)
    if name is None:
        hint = did_you_mean(nearest(action, catalogue.actions))
        raise UnknownAction(f"unknown action '{action}' of service '{service_token}'{hint}")
    if name in catalogue.streaming:
        raise UnknownAction(f"action '{action}' of service '{service_token}' streams events: no state can call it")
    if name in UNSUPPORTED.get(service_token, ()):
        raise UnknownAction(f"action '{action}' of service '{service_token}' is not supported by Step Functions")
    return Operation(service, name, service_token, action, catalogue.prefix)


def _load_catalogue(token: str, service: str) -> _Catalogue:
    from botocore.exceptions import DataNotFoundError, UnknownServiceError

    try:
        return _catalogue(service)
    except (DataNotFoundError, UnknownServiceError):
        raise UnknownService(f"service '{token}' is not in the installed botocore, as '{service}'") from None


def _unknown_service(token: str) -> str:
    if token in RETIRED:
        return f"service '{token}' cannot be called: the installed botocore does not model it"
    index = services()
    by_botocore_name = {service: known for known, service in index.items()}
    names = (by_botocore_name[token],) if token in by_botocore_name else nearest(token, index)
    return f"unknown service '{token}'{did_you_mean(names)}"


@cache
def service_model(service: str) -> Any:
    """botocore's ServiceModel, one for the process."""
    from botocore.model import ServiceModel

    return ServiceModel(model_loader().load_service_model(service, "service-2"), service)


def _model(operation: Operation) -> Any:
    return service_model(operation.service).operation_model(operation.operation_name)


# ------------------------------------------------------------------------------------------------------ calls


def unknown_fields(operation: Operation, template: JSON) -> list[FieldProblem]:
    """The fields of a state's Parameters or Arguments that the operation does not have; see `form.Complaint`."""
    shape = _model(operation).input_shape
    problems = to_request(operation.service, operation.operation_name, shape, template, template=True)[1]
    return [problem for problem in problems if problem.expected is None]


def unfit_parameters(operation: Operation, parameters: JSON) -> list[FieldProblem]:
    """The same of parameters as they are sent, when all values are known."""
    shape = _model(operation).input_shape
    return to_request(operation.service, operation.operation_name, shape, {} if parameters is None else parameters)[1]


def call(
    operation: Operation,
    parameters: JSON,
    clients: ClientFactory,
    role: Role | None = None,
    *,
    result_bytes_max: int = AWS.payload_bytes_max,
) -> JSON:
    """Call the service and give its answer: `{"ExecutionArn": "arn:…", "StartDate": "2025-11-06T12:20:01Z"}`.

    Raises StateError: `Sfn.InvalidTokenException` and the like from the service, `Sfn.SdkClientException`
    when there was no answer, `States.Permissions` when the role cannot be assumed, `States.Runtime` for
    parameters that do not fit, `States.DataLimitExceeded` for a streamed body over `result_bytes_max`.
    """
    try:
        return send(operation, parameters, clients, role, result_bytes_max=result_bytes_max)[0]
    except StateError:
        raise
    except Exception as problem:  # the edge: whatever a client raises is something a state can catch
        raise translate(operation, problem, role) from problem


def send(
    operation: Operation,
    parameters: JSON,
    clients: ClientFactory,
    role: Role | None = None,
    *,
    result_bytes_max: int = AWS.payload_bytes_max,
) -> tuple[JSON, dict[str, Any]]:
    """`call`, with botocore's ResponseMetadata beside the result and botocore's exceptions as they are."""
    from botocore import xform_name

    def drain(body: Any) -> bytes:
        try:
            content: bytes = body.read(result_bytes_max + 1)
        finally:
            body.close()
        if len(content) > result_bytes_max:
            raise StateError(DATA_LIMIT_EXCEEDED, TOO_LARGE.format(operation.token))
        return content

    request = _request(operation, {} if parameters is None else parameters)
    client = clients.client(operation.service, role)
    answer = getattr(client, xform_name(operation.operation_name))(**request)
    shape = _model(operation).output_shape
    result = {} if shape is None else to_result(operation.service, shape, answer, drain)
    return result, answer.get("ResponseMetadata", {})


def _request(operation: Operation, parameters: JSON) -> dict[str, Any]:
    shape = _model(operation).input_shape
    request, problems = to_request(operation.service, operation.operation_name, shape, parameters)
    if problems:
        listed = ", ".join(problem.sentence for problem in problems)
        raise runtime_error(UNFIT.format(dumps(parameters), listed))
    if missing := missing_fields(operation.service, shape, request):
        raise StateError(f"{operation.prefix}.SdkClientException", MISSING.format(missing[0]))
    return request


# ----------------------------------------------------------------------------------------------------- errors

TOO_LARGE = (
    "The state/task 'aws-sdk:{}' returned a result with a size exceeding the maximum number of bytes service limit."
)
UNFIT = "The Parameters '{}' could not be used to start the Task: [{}]"
MISSING = "Parameter '{}' must not be null or empty"
CREDENTIALS = "Unable to load credentials from any of the providers in the chain: {}"
HTTP = "Unable to execute HTTP request: {}"

CLIENT_ERRORS = {
    "CredentialRetrievalError": CREDENTIALS,
    "InvalidConfigError": CREDENTIALS,
    "LoginError": CREDENTIALS,
    "MetadataRetrievalError": CREDENTIALS,
    "NoCredentialsError": CREDENTIALS,
    "PartialCredentialsError": CREDENTIALS,
    "ProfileNotFound": CREDENTIALS,
    "SSOError": CREDENTIALS,
    "TokenRetrievalError": CREDENTIALS,
    "ConnectionError": HTTP,
    "HTTPClientError": HTTP,
    "IncompleteReadError": HTTP,
}
"""An exception of botocore's, or a class above it, to how the Java SDK begins to speak of it."""

HTTP_TIMEOUTS = {"ReadTimeoutError": "Read timed out", "ConnectTimeoutError": "connect timed out"}


def translate(operation: Operation, problem: Exception, role: Role | None = None) -> StateError:
    """What a state sees of an exception of botocore's."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(problem, ClientError):
        if role is not None and problem.operation_name == "AssumeRole":
            message = problem.response["Error"].get("Message")
            return StateError(PERMISSIONS, f"The role '{role.arn}' could not be assumed: {message}")
        return _service_error(operation, problem.response)
    if not isinstance(problem, BotoCoreError):
        log.debug("%s:%s failed in the client", operation.token, operation.action, exc_info=problem)
    return StateError(f"{operation.prefix}.SdkClientException", _client_cause(problem))


def _service_error(operation: Operation, response: Mapping[str, Any]) -> StateError:
    """`S3.NoSuchKeyException`, "The specified key does not exist. (Service: S3, Status Code: 404, Request ID:
    …, Extended Request ID: …) (SDK Attempt Count: 1)". Without the message where the service sent none."""
    error, metadata = response["Error"], response.get("ResponseMetadata", {})
    details = {
        "Service": operation.prefix,
        "Status Code": metadata.get("HTTPStatusCode"),
        "Request ID": metadata.get("RequestId") or "null",
        "Extended Request ID": metadata.get("HTTPHeaders", {}).get("x-amz-id-2") or metadata.get("HostId"),
    }
    listed = ", ".join(f"{name}: {value}" for name, value in details.items() if value)
    attempts = metadata.get("RetryAttempts", 0) + 1
    name = _exception(operation, error, metadata.get("HTTPStatusCode"))
    bodiless = str(error.get("Code")).isdigit()  # botocore then puts the status and its meaning here
    message = "" if bodiless else error.get("Message")
    cause = f"{message or ''} ({listed}) (SDK Attempt Count: {attempts})"
    return StateError(f"{operation.prefix}.{name}", cause.lstrip())


def _exception(operation: Operation, error: Mapping[str, Any], status: int | None) -> str:
    """The modelled exception for a code on the wire; for a code outside the model, the service's own."""
    known = exceptions(operation.service)
    bodiless = BODILESS_ERRORS.get((operation.service, operation.operation_name, status or 0))
    codes = (bodiless, error.get("QueryErrorCode"), error.get("Code"))
    return next((known[code] for code in codes if code in known), f"{operation.prefix}Exception")


@cache
def exceptions(client: str) -> dict[str | None, str]:
    """Code on the wire, or name of the shape, to the exception; in a stream of events the name begins small."""
    shapes = service_model(client).error_shapes
    in_streams: dict[str | None, str] = {
        shape.name[:1].lower() + shape.name[1:]: exception_name(shape.name) for shape in shapes
    }
    by_name = {shape.name: exception_name(shape.name) for shape in shapes}
    return in_streams | by_name | {shape.error_code: exception_name(shape.name) for shape in shapes}


def _client_cause(problem: Exception) -> str:
    """One line, as the Java SDK's: "Unable to execute HTTP request: 127.0.0.1:1: Connection refused"."""
    names = (cls.__name__ for cls in type(problem).__mro__)
    template = next((CLIENT_ERRORS[name] for name in names if name in CLIENT_ERRORS), "{}")
    text = _http_reason(problem) or str(problem) or type(problem).__name__
    return " ".join(template.format(text).split())


def _http_reason(problem: Exception) -> str | None:
    """The host and why it did not answer: recorded as `no-such-queue: Name or service not known`."""
    details = getattr(problem, "kwargs", {})
    host = urlsplit(str(details.get("endpoint_url", ""))).netloc
    reason = HTTP_TIMEOUTS.get(type(problem).__name__) or _system_reason(details.get("error"))
    return f"{host}: {reason}" if host and reason else None


def _system_reason(problem: BaseException | None) -> str | None:
    """What the operating system said, below the layers of the HTTP library."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.strerror:
            return problem.strerror
        problem = problem.__cause__ or problem.__context__ or getattr(problem, "reason", None)
    return None
