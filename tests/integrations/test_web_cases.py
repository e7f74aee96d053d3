"""API Gateway's APIs and the Kubernetes API, over HTTP: requests, answers, who calls, and jobs to their ends."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kaidan.integrations import apigateway, web
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.dispatch import Dispatcher, check_parameters
from kaidan.protocol.effects import Role
from tests.integrations.cases.case import THEN
from tests.integrations.cases.web import API, CASES, CLUSTER, PETS, WebCase
from tests.integrations.loopback import Asked, Loopback, loopback
from tests.integrations.modelled import modelled_aws
from tests.integrations.support import FakeReply, at_once, task

ROLE = "arn:aws:iam::123456789012:role/r"
RUNS = [(case, pattern) for case in CASES for pattern in case.patterns]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback(lambda exchange: exchange.reply(200, '{"ok": true}')) as server:
        yield server


def settings(server: Loopback, **endpoints: str) -> AwsSettings:
    return AwsSettings(
        region="us-east-1",
        endpoint_urls={"execute-api": server.url, **endpoints},
        access_key="AKIATEST",
        secret_key="secret",
        max_attempts=1,
    )


def begin(server: Loopback, resource: str, parameters: Any, role: str | None = None, **endpoints: str) -> FakeReply:
    reply = FakeReply()
    given = {**parameters, "Endpoint": server.url} if "Endpoint" in parameters else parameters
    the_task = task(resource, given, role=Role(role) if role is not None else None)
    assert check_parameters(the_task.resource, given) is None
    Dispatcher(ClientFactory(settings(server, **endpoints)), at_once)(the_task, reply)
    return reply


# --- requests and answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "pattern"), RUNS, ids=lambda value: getattr(value, "name", value))
def test_a_call(server: Loopback, case: WebCase, pattern: str) -> None:
    status, headers, body = case.answer
    server.answer = lambda exchange: exchange.reply(status, body, **headers)
    reply = begin(server, case.action + pattern, case.parameters)
    asked = server.last
    assert (asked.method, asked.path, asked.body) == case.asked
    assert {name: asked.headers.get(name) for name in case.headers} == case.headers
    assert len(server.requests) == 1
    if case.error is not None:
        assert reply.failure == case.error
    else:
        assert reply.names == ["started", "submitted" if pattern else "succeeded"]
        result = dict(reply.told[1][1])
        assert "Headers" not in result or result.pop("Headers")["Content-Type"]
        assert result == case.result


def test_headers_of_an_answer(server: Loopback) -> None:
    server.answer = lambda exchange: exchange.reply(200, "{}", X_Own="a")
    headers = begin(server, "apigateway:invoke", PETS).result["Headers"]
    assert headers["X-Own"] == ["a"]
    assert list(headers) == sorted(headers, key=str.lower)


@pytest.mark.parametrize(
    "header", ["Authorization", "Connection", "content-md5", "Host", "TE", "X-Amz-Date", "X-Amzn-X", "X-Forwarded-For"]
)
def test_headers_that_a_task_may_not_set(header: str) -> None:
    parameters = {**PETS, "Headers": {header: ["x"], "X-Own": ["y"]}}
    complaint = check_parameters(task("apigateway:invoke").resource, parameters)
    assert complaint == f"The 'Headers' field contains unsupported values: ['{header}']"


@pytest.mark.parametrize(
    ("resource", "parameters", "error", "too_large"),
    [
        ("apigateway:invoke", PETS, "ApiGateway", web.TOO_LARGE.format("apigateway")),
        ("eks:call", {**CLUSTER, "Method": "GET", "Path": "/"}, "EKS", web.TOO_LARGE.format("eks")),
    ],
)
def test_no_answer(server: Loopback, resource: str, parameters: Any, error: str, too_large: str) -> None:
    server.answer = lambda exchange: exchange.connection.shutdown(SHUT_RDWR)
    assert begin(server, resource, parameters).failure[0].startswith(f"{error}.")
    server.answer = lambda exchange: exchange.reply(200, "x" * 300_000)
    assert begin(server, resource, parameters).failure == ("States.DataLimitExceeded", too_large)


def test_an_answer_that_takes_too_long(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apigateway, "TIMEOUT_S", 0.2)
    server.answer = lambda exchange: time.sleep(1)
    cause = "127.0.0.1: timed out"
    assert begin(server, "apigateway:invoke", PETS).failure == ("ApiGateway.SocketTimeoutException", cause)


# --- who calls an API -------------------------------------------------------------------------------------


class _AsStated(SigV4Auth):  # type: ignore[misc]
    """Signs the headers that were signed."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers


def signature(asked: Asked, credentials: Credentials) -> str:
    """What the signature of a request must be."""
    names = asked.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: asked.headers[name] for name in names}
    assert set(asked.headers) - set(names) <= {"authorization", "accept-encoding", "content-length", "user-agent"}
    request = AWSRequest(asked.method, f"https://{API}{asked.path}", signed, asked.body.encode())
    request.context["timestamp"] = asked.headers["x-amz-date"]
    auth = _AsStated(credentials, "execute-api", "us-east-1")
    found: str = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return found


SIGNED = {
    **PETS,
    "Method": "POST",
    "Path": "pets/a b",
    "Headers": {"key": ["value1", "value2"]},
    "QueryParameters": {"q": ["b c", "a"], "p": ["1"]},
    "RequestBody": {"name": "\u00e9"},
}


@pytest.mark.parametrize("kind", ["IAM_ROLE", "RESOURCE_POLICY"])
def test_signed(server: Loopback, kind: str) -> None:
    reply = begin(server, "apigateway:invoke", {**SIGNED, "AuthType": kind})
    assert reply.result["StatusCode"] == 200
    authorization = server.last.headers["authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert "/us-east-1/execute-api/aws4_request" in authorization
    assert server.last.headers["key"] == "value1,value2"
    assert authorization.endswith("Signature=" + signature(server.last, Credentials("AKIATEST", "secret")))


def test_signed_by_a_role(server: Loopback) -> None:
    assumed = {"AccessKeyId": "ASIA" + "0" * 12, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": THEN}
    with modelled_aws() as aws:
        fresh = THEN.replace(year=2999)
        aws.begin({"sts.AssumeRole": [{"Credentials": {**assumed, "Expiration": fresh}}]})
        sts = aws.clients.settings.endpoint_urls["sts"]
        begin(server, "apigateway:invoke", {**SIGNED, "AuthType": "IAM_ROLE"}, ROLE, sts=sts)
        assert aws.asked == [("sts.AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "kaidan"})]
        assert aws.faults == []
    assert server.last.headers["x-amz-security-token"] == "t"
    credentials = Credentials("ASIA" + "0" * 12, "s", "t")
    assert server.last.headers["authorization"].endswith("Signature=" + signature(server.last, credentials))


# --- who calls a cluster ----------------------------------------------------------------------------------


def test_the_bearer_of_a_token(server: Loopback) -> None:
    """A request to STS that says who they are, signed for a minute and for this cluster."""
    begin(server, "eks:call", {**CLUSTER, "Method": "GET", "Path": "/"})
    kind, _, token = server.last.headers["authorization"].partition(" ")
    assert kind == "Bearer"
    prefix, _, encoded = token.partition(".")
    url = urlsplit(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert prefix == "k8s-aws-v1"
    assert url.hostname is not None and url.hostname.startswith("sts.")
    assert (query["Action"], query["X-Amz-Expires"]) == ("GetCallerIdentity", "60")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Credential"].startswith("AKIATEST/")
