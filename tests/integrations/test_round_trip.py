"""SDK integrations on the wire: fields become the bytes that a service reads, and a service's bytes become fields.

Of many operations, every field of the parameters is sent to a server of this machine and read there by moto's parsers
of AWS's protocols; every member of the answer is written by its serializers. What comes out is what was put in.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from werkzeug.datastructures import Headers, MultiDict

from kaidan.integrations import aws_sdk
from kaidan.integrations.aws_shapes import BINARY_FIELDS
from kaidan.integrations.clients import AwsSettings, ClientFactory, model_loader
from kaidan.integrations.naming import member_names
from tests.integrations.loopback import Answer, Asked, Exchange, Loopback, loopback

SEED = int(os.environ.get("KAIDAN_SEED") or 7)
ALL = bool(os.environ.get("KAIDAN_ALL_MODELS"))

NOT_HERE = {
    "accountaccessruntime",  # calls are signed by tokens of AWS's single sign-on
    "cloudfrontkeyvaluestore",  # the host is read off a real ARN
    "cloudsearchdomain",  # long queries go as a form, which no model says
    "codecatalyst",  # as the first
    "route53globalresolver",  # filters and the rest share the query: they cannot be told apart again
    "s3",  # the bucket is in the path, which the model does not say; test_aws_sdk.py has S3
    "amp:listScrapers",  # as route53globalresolver
    "eventbridge:putEvents",  # an EndpointId takes a signature that botocore leaves to its C library
    "machinelearning:predict",  # sends to the address that is a parameter
    "sesv2:sendBulkEmail",  # as eventbridge:putEvents
    "sesv2:sendEmail",
}
"""Services and actions whose calls need more than a model and a server."""

MOTO_CANNOT = {
    *(
        f"apigatewayv2:{verb}Product{page}"
        for verb in ("create", "get", "update")
        for page in ("Page", "RestEndpointPage")
    ),
    "bedrockagentcore:getAgentCard",
    "medialive:describeThumbnails",
    "qbusiness:listMessages",
    "qconnect:renderMessageTemplate",
    "securityagent:listActorMessages",
}
"""Answers that moto's serializers cannot write, or write wrongly: shapes of one name at two depths, documents."""

OF_HTTP = frozenset(("content-encoding", "content-length", "content-md5", "content-type", "transfer-encoding"))
"""Headers that say how the bytes go: not any value will do."""

TIME = datetime(2024, 5, 1, 10, 0, 1, tzinfo=UTC)

Sides = tuple[Any, Any]
"""A value twice: as a state has it, and as the service has it."""


# --- values ------------------------------------------------------------------------------------------------


def sides(service: str, shape: Any, name: str = "", within: tuple[str, ...] = (), *, answer: bool = False) -> Sides:
    """A value for everything in a shape; None where a shape holds itself, or too much."""
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return {"a": [1]}, {"a": [1]}
        case "structure" if shape.name in within or len(within) > 4:
            return None, None
        case "structure":
            return _structure(service, shape, (*within, shape.name), answer)
        case "list":
            ours, theirs = sides(service, shape.member, name, within, answer=answer)
            return (None, None) if ours is None else ([ours], [theirs])
        case "map":
            ours, theirs = sides(service, shape.value, name, within, answer=answer)
            key = (getattr(shape.key, "enum", None) or ["kEy"])[0]
            return (None, None) if ours is None else ({key: ours}, {key: theirs})
        case "blob" if shape.serialization.get("streaming"):
            return "text", b"text" if answer else b'"text"'
        case "blob":
            return ("AAH/", b"\x00\x01\xff") if name in BINARY_FIELDS else ("d\u00e9j\u00e0", "d\u00e9j\u00e0".encode())
        case "string" if shape.serialization.get("jsonvalue") and shape.serialization.get("location") == "header":
            return '{"a":1}', {"a": 1}
        case "timestamp":
            return "2024-05-01T10:00:01Z", TIME
        case "boolean":
            return True, True
        case "integer" | "long":
            return 7, 7
        case "float" | "double":
            return 1.5, 1.5
    text = (getattr(shape, "enum", None) or ["v-1"])[0]
    return text, text


def _structure(service: str, shape: Any, within: tuple[str, ...], answer: bool) -> Sides:
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    spelled = member_names(service, shape.name, shape.members, union=shape.is_tagged_union)
    for field, member in spelled.items():
        item = shape.members[member]
        if _is_of_http(item) or member == "SourceRegion":  # which is sent as the address of the other region
            continue
        value = sides(service, item, field, within, answer=answer)
        if value[0] is not None:
            ours[field], theirs[member] = value
        if ours and shape.is_tagged_union:
            break
    return (ours, theirs) if ours or len(within) == 1 else (None, None)


def _is_of_http(shape: Any) -> bool:
    serialization = shape.serialization
    return (
        serialization.get("eventstream")
        or serialization.get("location") == "statusCode"
        or serialization.get("name", "").lower() in OF_HTTP
    )


def lost(wanted: Any, found: Any, place: str = "") -> Iterator[str]:
    """What is not in `found` of all that was put in."""
    match wanted, found:
        case dict(), dict():
            for name, value in wanted.items():
                yield from lost(value, found.get(name), f"{place}/{name}")
        case list(), list() if len(wanted) == len(found):
            for index, value in enumerate(wanted):
                yield from lost(value, found[index], f"{place}/{index}")
        case datetime(), datetime():
            yield from lost(wanted.isoformat(), found.replace(tzinfo=UTC).isoformat(), place)
        case _ if wanted != found:
            yield f"{place}: {wanted!r} became {found!r}"


# --- the service -------------------------------------------------------------------------------------------


def read(model: Any, protocol: str, asked: Asked) -> dict[str, Any]:
    """The members of a request."""
    url = urlsplit(asked.path)
    query = asked.body if protocol in ("query", "ec2") else url.query
    request: Any = {
        "body": asked.content,
        "headers": Headers(list(asked.headers.items())),
        "method": asked.method,
        "url_params": in_path(model.http.get("requestUri", "/").partition("?")[0], url.path),
        "url_path": url.path,
        "values": MultiDict(parse_qsl(query, keep_blank_values=True)),
    }
    found: dict[str, Any] = PROTOCOL_PARSERS[protocol](model).parse(request)
    return found


def in_path(template: str, path: str) -> dict[str, str]:
    """`/a/{Name}/{Rest+}` and `/a/b/c/d` are `{"Name": "b", "Rest": "c/d"}`."""
    names = re.findall(r"{([^}]+)}", template)
    pattern = re.sub(r"\\{[^}]+\\\+\\}", "(.+)", re.escape(template))
    pattern = re.sub(r"\\{[^}]+\\}", "([^/]+)", pattern)
    found = re.fullmatch(pattern, path)
    assert found, (template, path)
    return dict(zip((name.rstrip("+") for name in names), map(unquote, found.groups()), strict=True))


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with loopback(lambda exchange: None) as server:
        yield server


def answering(answer: Any) -> Answer:
    headers = {name.replace("-", "_"): str(value) for name, value in answer["headers"].items()}
    headers.pop("Content_Length", None)
    return lambda exchange: _reply(exchange, answer, headers)


def _reply(exchange: Exchange, answer: Any, headers: dict[str, str]) -> None:
    exchange.reply(answer["status_code"], answer["body"] or "", **headers)


# --- operations --------------------------------------------------------------------------------------------


def sample() -> list[str]:
    """Services: some of each protocol, all of them with KAIDAN_ALL_MODELS=1."""
    tokens = sorted(token for token in aws_sdk.services() if token not in NOT_HERE)
    return tokens if ALL else ["dynamodb", "ec2", "iam", "s3control", "sfn", *random.Random(SEED).sample(tokens, 12)]


@pytest.mark.parametrize("token", sample())
def test_fields_come_back(token: str, server: Loopback) -> None:
    """KAIDAN_SEED chooses others."""
    service = aws_sdk.services()[token]
    theirs = ServiceModel(model_loader().load_service_model(service, "service-2"), service)
    protocol = aws_sdk.service_model(service).resolved_protocol
    if protocol not in PROTOCOL_PARSERS:
        pytest.skip(f"moto does not speak {protocol}")
    settings = AwsSettings(region="us-east-1", endpoint_url=server.url, access_key="a", secret_key="b", max_attempts=1)
    clients = ClientFactory(settings)
    without = NOT_HERE | MOTO_CANNOT
    actions = [action for action in aws_sdk._catalogue(service).actions if f"{token}:{action}" not in without]
    chosen = actions if ALL else random.Random(SEED).sample(actions, min(6, len(actions)))
    problems = [problem for action in chosen for problem in _problems(token, action, theirs, protocol, clients, server)]
    assert problems == []


def _problems(
    token: str, action: str, theirs: Any, protocol: str, clients: ClientFactory, server: Loopback
) -> Iterator[str]:
    try:
        operation = aws_sdk.resolve(token, action)
    except aws_sdk.UnknownAction:  # one that AWS refuses
        return
    model = aws_sdk.service_model(operation.service).operation_model(operation.operation_name)
    on_the_wire = theirs.operation_model(operation.operation_name)
    given, wanted = sides(operation.service, model.input_shape) if model.input_shape else ({}, {})
    result, answered = sides(operation.service, model.output_shape, answer=True) if model.output_shape else ({}, {})
    answer = get_serializer_class(operation.service, protocol)(on_the_wire).serialize(answered)
    server.answer = answering(answer)
    found = aws_sdk.call(operation, given, clients)
    yield from lost(wanted, read(on_the_wire, protocol, server.last), f"{token}:{action} request ")
    if answer["status_code"] != 204:  # which has no body, whatever the model says
        yield from lost(result, found, f"{token}:{action} result ")
