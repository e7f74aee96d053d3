"""AWS JSON 1.0, as Step Functions speaks it: requests read, answers and refusals written. Knows no sockets.

    POST /                                             200 OK
    X-Amz-Target: AWSStepFunctions.StartExecution      x-amzn-RequestId: 5f0c…
    {"stateMachineArn": "arn:…"}                       {"executionArn": "arn:…", "startDate": 1.762424242123E9}

    400 {"__type": "com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist", "message": "…"}

Clients read of `__type` what stands behind the `#`. X-Amzn-Trace-Id goes before the `traceHeader` of a body. Source:
AWS JSON 1.0 protocol (smithy.io); API reference, StartExecution; the name spaces, and what has no message, as users
and other implementations have seen them on AWS.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from kaidan.server.members import known
from kaidan.service.errors import ApiError
from kaidan.service.shapes import operation_names
from kaidan.service.wire import epoch_text
from kaidan.values import InvalidJson, loads

CONTENT_TYPE = "application/x-amz-json-1.0"

TARGET_PREFIX = "AWSStepFunctions."

REQUEST_BYTES_MAX = 1_048_576 + 65_536
"""AWS guide, "Quotas related to API requests": 1 MB a request; and room for the escapes in a definition of 1 MB."""

TRACE_CHARS_MAX = 256
"""API reference, `traceHeader`; a longer X-Amzn-Trace-Id is nobody's, and left alone."""

_SERVICE = "com.amazonaws.swf.service.v2.model"
_FRAMEWORK = "com.amazon.coral.service"
_VALIDATION = "com.amazon.coral.validate"

_FRAMEWORK_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "IncompleteSignatureException",
        "InternalFailure",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestEntityTooLargeException",
        "RequestTimeoutException",
        "SerializationException",
        "ServiceUnavailableException",
        "UnknownOperationException",
        "UnrecognizedClientException",
    }
)
"""Errors that are not Step Functions' own; every service has them."""


class Request(NamedTuple):
    """A request as it arrived. Names of headers are in lower case."""

    method: str
    path: str
    """With the query string, if there is one."""
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What goes back: the status and the body; `headers` makes the rest of it."""

    status: int
    body: bytes


def headers(request_id: str) -> dict[str, str]:
    """What every answer carries."""
    return {"x-amzn-RequestId": request_id, "Content-Type": CONTENT_TYPE, "Server": "Kaidan"}


# --- requests ---------------------------------------------------------------------------------------------


def read(target: str | None, body: bytes, trace: str | None = None) -> tuple[str, dict[str, Any]]:
    """The operation and its input: members that it has, with values. `trace`: X-Amzn-Trace-Id. Raises ApiError."""
    params = _parsed(body)
    if trace and trace.isascii() and len(trace) <= TRACE_CHARS_MAX:
        params["traceHeader"] = trace
    operation = (target or "").removeprefix(TARGET_PREFIX)
    if not target or operation == target or operation not in operation_names():
        raise ApiError("UnknownOperationException", "")
    return operation, known(operation, params)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        params = loads(body)
    except InvalidJson:
        raise ApiError("SerializationException", "") from None
    if not isinstance(params, dict):
        kind = "list" if isinstance(params, list) else "scalar"
        raise ApiError("SerializationException", f"Unexpected {kind} where a structure was expected")
    return params


# --- answers ----------------------------------------------------------------------------------------------


def answer(output: Mapping[str, Any]) -> Answer:
    """The output of an operation; `datetime`s become seconds since 1970, in AWS's spelling."""
    return Answer(200, orjson.dumps(output, _plain, orjson.OPT_PASSTHROUGH_DATETIME))


def refusal(error: ApiError) -> Answer:
    """An error; one without a message has no such member."""
    body: dict[str, Any] = {"__type": f"{_namespace(error)}#{error.code}"}
    if error.message:
        body["message"] = error.message
    return Answer(error.status, orjson.dumps(body | error.members))


def _namespace(error: ApiError) -> str:
    if error.code in _FRAMEWORK_ERRORS:
        return _FRAMEWORK
    if error.code == "ValidationException" and not error.members:
        return _VALIDATION
    return _SERVICE


def _plain(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return orjson.Fragment(epoch_text(round(value.timestamp() * 1000)))
    raise TypeError(f"no JSON: {type(value).__name__}")
