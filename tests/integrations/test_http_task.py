"""HTTP tasks against a server of this machine: what is sent, how it is authorised, and what comes of each answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import pytest

from kaidan.errors import StateError
from kaidan.integrations import http_task, web, web_client
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.connections import Connections, read_secrets
from kaidan.integrations.files import FileError
from kaidan.integrations.http_task import HttpTask
from kaidan.protocol.effects import Role
from kaidan.values import JSON
from tests.integrations.loopback import Exchange, Loopback, loopback, new_certificate
from tests.integrations.support import FakeReply, Script, at_once, refusal, task

ARN = "arn:aws:events:us-east-1:123456789012:connection/{}/81210c42-8af1-456b-9c4a-6ff02fc664ac"

KEY = {
    "AuthorizationType": "API_KEY",
    "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"}},
}


@pytest.fixture
def api() -> Iterator[Loopback]:
    with loopback(lambda exchange: exchange.reply(200, '{"id": 7}')) as server:
        yield server


def invoke(
    api: Loopback,
    connection: dict[str, Any] = KEY,
    settings: web.WebSettings | None = None,
    **parameters: Any,
) -> FakeReply:
    secrets = {"Example": connection}
    clients = ClientFactory(AwsSettings(region="eu-west-1"))
    handler = HttpTask(Connections(clients, secrets), clients, at_once, settings or web.WebSettings())
    given = {
        "ApiEndpoint": api.url + "/things",
        "Method": "GET",
        "InvocationConfig": {"ConnectionArn": ARN.format("Example")},
        **parameters,
    }
    reply = FakeReply()
    handler(task("http:invoke", given), reply)
    return reply


# --- what is sent -----------------------------------------------------------------------------------------


def test_the_request_and_the_result(api: Loopback) -> None:
    result = invoke(api).result
    asked = api.last
    assert (asked.method, asked.path, asked.body) == ("GET", "/things", "")
    assert asked.headers["x-key"] == "k"
    assert asked.headers["user-agent"] == "Amazon|StepFunctions|HttpInvoke|eu-west-1"
    assert asked.headers["range"] == "bytes=0-262144"
    assert asked.headers["host"] == api.url.removeprefix("http://")
    assert result["ResponseBody"] == {"id": 7}
    assert (result["StatusCode"], result["StatusText"]) == (200, "OK")
    assert result["Headers"]["Content-Type"] == ["application/json"]


@pytest.mark.parametrize("method", web.METHODS)
def test_methods(api: Loopback, method: str) -> None:
    assert invoke(api, Method=method).result["StatusCode"] == 200
    assert api.last.method == method


def test_a_connection_is_stronger_than_the_task(api: Loopback) -> None:
    """The example of AWS's guide, "Merging EventBridge connection and HTTP Task definition data"."""

    def one(key: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": f"connection_{key}"}]

    more = {
        "InvocationHttpParameters": {
            "BodyParameters": one("BodyParam"),
            "HeaderParameters": one("Header-Param"),
            "QueryStringParameters": one("QueryParam"),
        }
    }
    connection = {**KEY, "AuthParameters": {**KEY["AuthParameters"], **more}}  # type: ignore[dict-item]
    invoke(
        api,
        connection,
        Method="POST",
        Headers={"Request-Id": "r", "header-param": "task"},
        RequestBody={"Job": "Engineer", "BodyParam": "task"},
        QueryParameters={"QueryParam": "task", "q": ["a b", "c"]},
    )
    asked = api.last
    assert asked.path == "/things?QueryParam=connection_QueryParam&q=a%20b&q=c"
    assert asked.headers["header-param"] == "connection_Header-Param"
    assert asked.headers["request-id"] == "r"
    assert asked.headers["content-type"] == "application/json; charset=UTF-8"
    assert asked.body == '{"Job":"Engineer","BodyParam":"connection_BodyParam"}'
    refused = invoke(api, connection, Method="POST", RequestBody="text")
    assert refused.failure[0] == "States.Runtime"


@pytest.mark.parametrize(
    ("array_format", "body"),
    [
        ("INDICES", "a%5B0%5D=1&a%5B1%5D=x%20y&m%5Bn%5D=true"),
        ("REPEAT", "a=1&a=x%20y&m%5Bn%5D=true"),
        ("COMMAS", "a=1,x%20y&m%5Bn%5D=true"),
        ("BRACKETS", "a%5B%5D=1&a%5B%5D=x%20y&m%5Bn%5D=true"),
    ],
)
def test_url_encoded_bodies(api: Loopback, array_format: str, body: str) -> None:
    transform = {
        "RequestBodyEncoding": "URL_ENCODED",
        "RequestEncodingOptions": {"ArrayFormat": array_format},
    }
    invoke(api, Method="POST", RequestBody={"a": [1, "x y"], "m": {"n": True}}, Transform=transform)
    assert api.last.body == body
    assert api.last.headers["content-type"] == "application/x-www-form-urlencoded"


_FORBIDDEN = """
A-IM Accept-Charset Accept-Datetime Accept-Encoding Authorization Cache-Control Connection Content-Encoding Content-MD5
Date Expect Forwarded From Host HTTP2-Settings If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since
Max-Forwards Origin Pragma Proxy-Authorization Referer Server TE Trailer Transfer-Encoding Upgrade Via Warning
HOST X-Forwarded-For x-amz-date X-Amzn-Trace-Id
"""


@pytest.mark.parametrize("header", _FORBIDDEN.split())
def test_headers_that_a_task_may_not_set(header: str) -> None:
    given = {
        "ApiEndpoint": "https://api.example.com",
        "Method": "GET",
        "InvocationConfig": {"ConnectionArn": ARN.format("Example")},
        "Headers": {header: "x", "X-Own": "y"},
    }
    [complaint] = http_task.FORM.problems(given)
    assert header in complaint and "X-Own" not in complaint


# --- how it is authorised ---------------------------------------------------------------------------------


def test_basic(api: Loopback) -> None:
    parameters = {"BasicAuthParameters": {"Username": "user", "Password": "secret"}}
    invoke(api, {"AuthorizationType": "BASIC", "AuthParameters": parameters})
    assert api.last.headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="


class OAuth:
    """An authorization server and the API behind it, which takes tokens that have not been revoked."""

    def __init__(self) -> None:
        self.tokens = 0
        self.revoked: set[str] = set()

    def __call__(self, exchange: Exchange) -> None:
        if exchange.asked.path.startswith("/token"):
            self.tokens += 1
            exchange.reply(200, json.dumps({"access_token": f"t{self.tokens}", "expires_in": 3600}))
        elif exchange.asked.headers.get("authorization", "").removeprefix("Bearer ") in self.revoked:
            exchange.reply(401, '{"error": "revoked"}')
        else:
            exchange.reply(200, json.dumps(exchange.asked.headers["authorization"]))


def test_oauth() -> None:
    server = OAuth()
    with loopback(server) as api:
        connection = {
            "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS",
            "AuthParameters": {
                "OAuthParameters": {
                    "AuthorizationEndpoint": api.url + "/token",
                    "HttpMethod": "POST",
                    "ClientParameters": {"ClientID": "me", "ClientSecret": "secret"},
                    "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "read"}]},
                }
            },
        }
        clients = ClientFactory(AwsSettings(region="us-east-1"))
        handler = HttpTask(Connections(clients, {"Example": connection}), clients, at_once, web.WebSettings())

        def body() -> Any:
            reply = FakeReply()
            given = {
                "ApiEndpoint": api.url + "/things",
                "Method": "GET",
                "InvocationConfig": {"ConnectionArn": ARN.format("Example")},
            }
            handler(task("http:invoke", given), reply)
            return reply.result["ResponseBody"]

        assert body() == "Bearer t1"
        asked = next(each for each in api.requests if each.path == "/token")
        assert asked.headers["authorization"] == "Basic bWU6c2VjcmV0"
        assert asked.body == "grant_type=client_credentials&scope=read"
        assert body() == "Bearer t1", "a token is kept while it holds"
        server.revoked.add("t1")
        assert body() == "Bearer t2", "one that is refused is asked for anew"
        assert server.tokens == 2


def test_a_connection_that_gives_no_token(api: Loopback) -> None:
    parameters = {
        "AuthorizationEndpoint": api.url + "/token",
        "ClientParameters": {"ClientID": "me", "ClientSecret": "secret"},
    }
    connection = {"AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": {"OAuthParameters": parameters}}
    error, cause = invoke(api, connection).failure
    assert error == "Events.ConnectionResource.InvalidConnectionState"
    assert "secret" not in cause


def test_connections_of_eventbridge(api: Loopback) -> None:
    script = Script(
        {
            "events.describe_connection": [
                {
                    "ConnectionState": "AUTHORIZED",
                    "AuthorizationType": "API_KEY",
                    "SecretArn": "arn:secret",
                    "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}},
                }
            ],
            "secretsmanager.get_secret_value": [
                {"SecretString": '{"api_key_name": "X-Key", "api_key_value": "hidden"}'}
            ],
        }
    )
    clients: Any = script
    handler = HttpTask(Connections(clients), clients, at_once, web.WebSettings())
    given = {
        "ApiEndpoint": api.url,
        "Method": "GET",
        "Authentication": {"ConnectionArn": ARN.format("Theirs")},
    }
    handler(task("http:invoke", given, role=Role("arn:aws:iam::123456789012:role/r")), FakeReply())
    assert api.last.headers["x-key"] == "hidden"
    assert script.asked[0] == ("events.describe_connection", {"Name": "Theirs"})
    assert script.asked[1] == ("secretsmanager.get_secret_value", {"SecretId": "arn:secret"})
    assert set(script.roles) == {Role("arn:aws:iam::123456789012:role/r")}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"ConnectionState": "DEAUTHORIZED"}, "InvalidConnectionState"),
        ({"ConnectionState": "FAILED_CONNECTIVITY"}, "InvalidPrivateConnectionState"),
        ({"ConnectionState": "AUTHORIZING"}, "AuthInProgress"),
        (refusal("ResourceNotFoundException", "no"), "ResourceNotFound"),
        (refusal("AccessDeniedException", "no"), "AccessDenied"),
        (refusal("ConcurrentModificationException", "no"), "ConcurrentModification"),
        (refusal("InternalException", "no"), "InternalError"),
    ],
)
def test_a_connection_that_cannot_be_used(answer: Any, error: str) -> None:
    """All the errors that AWS's guide lists."""
    clients: Any = Script({"events.describe_connection": [answer]})
    with pytest.raises(StateError) as refused:
        Connections(clients).find(ARN.format("Theirs"), None)
    assert refused.value.error == f"Events.ConnectionResource.{error}"


def test_a_file_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(
        "Stripe:\n"
        "  AuthorizationType: BASIC\n"
        '  AuthParameters: {BasicAuthParameters: {Username: "${STRIPE_KEY}", Password: ""}}\n'
    )
    with pytest.raises(FileError, match=r"connections.yaml: Stripe: the environment has no variable STRIPE_KEY"):
        read_secrets(file)
    monkeypatch.setenv("STRIPE_KEY", "sk")
    connections = Connections(ClientFactory(AwsSettings()), read_secrets(file))
    stripe = connections.find(ARN.format("Stripe"), None)
    assert connections.authorization(stripe) == {"Authorization": "Basic c2s6"}
    assert "sk" not in repr(stripe)


PASSWORD = {"BasicAuthParameters": {"Username": "u"}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "must be an object, not []"),
        ({"A": 5}, "A: must be an object, not 5"),
        ({"A": {"AuthorizationTyp": "BASIC"}}, "A: unknown field 'AuthorizationTyp' (allowed: Name, Description, Auth"),
        ({"A": {"AuthorizationType": "BASC", "AuthParameters": PASSWORD}}, "must be one of API_KEY, BASIC, OAUTH_"),
        ({"A": {"AuthorizationType": "BASIC"}}, "A.AuthParameters: must be an object, not null"),
        ({"A": {"AuthorizationType": "API_KEY", "AuthParameters": PASSWORD}}, "unknown field 'BasicAuthParameters'"),
        (
            {"A": {"AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {}}}},
            "A.AuthParameters.BasicAuthParameters: must have Username",
        ),
    ],
)
def test_a_file_of_secrets_that_cannot_be_used(tmp_path: Path, value: JSON, said: str) -> None:
    file = tmp_path / "connections.json"
    file.write_text(json.dumps(value))
    with pytest.raises(FileError) as refusal:
        read_secrets(file)
    assert said in str(refusal.value)
    assert "connections.json" in str(refusal.value)


@pytest.mark.parametrize("arn", ["Stripe", "arn:aws:events:us-east-1:123456789012:rule/x"])
def test_what_is_no_connection(arn: str) -> None:
    with pytest.raises(StateError) as refused:
        Connections(ClientFactory(AwsSettings())).find(arn, None)
    assert refused.value.error == "Events.ConnectionResource.ResourceNotFound"


# --- what comes of each answer ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers"),
    [(301, {"Location": "/elsewhere"}), (400, {}), (404, {}), (429, {"Retry_After": "1"}), (500, {}), (503, {})],
)
def test_statuses(api: Loopback, status: int, headers: dict[str, str]) -> None:
    """Neither are redirects followed nor calls repeated: what to do is the state's to say."""
    api.answer = lambda exchange: exchange.reply(status, "no luck", **headers)
    assert invoke(api).failure == (f"States.Http.StatusCode.{status}", "no luck")
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        ("application/json", b"[1]", [1]),
        ("application/json", b"not json", "not json"),
        ("text/plain", b'{"shows": 1}', {"shows": 1}),
        ("text/html", b"<p>", "<p>"),
        ("text/plain", "é".encode(), "é"),
        ("application/json", b"", ""),
    ],
)
def test_bodies(api: Loopback, kind: str, content: bytes, body: Any) -> None:
    api.answer = lambda exchange: exchange.reply(200, content, Content_Type=kind)
    assert invoke(api).result["ResponseBody"] == body


@pytest.mark.parametrize(
    ("kind", "content"), [("image/png", b"\x89PNG"), ("application/octet-stream", b"a"), ("text/plain", b"\xff\xfe")]
)
def test_bodies_that_are_no_text(api: Loopback, kind: str, content: bytes) -> None:
    api.answer = lambda exchange: exchange.reply(200, content, Content_Type=kind)
    assert invoke(api).failure[0] == "States.Runtime"


def test_compressed_bodies(api: Loopback) -> None:
    api.answer = lambda exchange: exchange.reply(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    assert invoke(api).result["ResponseBody"] == {"a": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large(api: Loopback, packed: bool) -> None:
    """Also one that is small until it is unpacked."""
    content = b"x" * 50_000_000
    body, headers = (gzip.compress(content), {"Content_Encoding": "gzip"}) if packed else (content, {})
    api.answer = lambda exchange: exchange.reply(200, body, **headers)
    error, cause = invoke(api).failure
    assert error == "States.DataLimitExceeded"
    assert cause == web.TOO_LARGE.format("http")


# --- no answer --------------------------------------------------------------------------------------------


def test_a_server_that_says_nothing(api: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_task, "TIMEOUT_S", 0.2)
    api.answer = lambda exchange: time.sleep(1)
    assert invoke(api).failure == ("States.Http.Socket", "127.0.0.1: timed out")


def test_a_server_that_never_ends(api: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, all of them do not."""
    monkeypatch.setattr(http_task, "TIMEOUT_S", 0.3)

    def drip(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", "1000")
        exchange.end_headers()
        for _ in range(1000):
            exchange.wfile.write(b"x")
            time.sleep(0.02)

    api.answer = drip
    began = time.monotonic()
    assert invoke(api).failure == ("States.Http.Socket", "127.0.0.1: timed out")
    assert time.monotonic() - began < 5


def test_nobody_listens(api: Loopback) -> None:
    error, cause = invoke(api, ApiEndpoint="http://127.0.0.1:1/").failure
    assert (error, cause) == ("States.Http.Socket", "127.0.0.1: Connection refused")
    error, cause = invoke(api, ApiEndpoint="http://nowhere.invalid/").failure
    assert (error, cause) == ("States.Http.Socket", "nowhere.invalid: Name or service not known")


def test_a_server_that_cannot_prove_who_it_is(api: Loopback, tmp_path: Path) -> None:
    error, cause = invoke(api, ApiEndpoint=api.url.replace("http:", "https:")).failure
    assert (error, cause) == ("States.Http.Socket", "127.0.0.1: WRONG_VERSION_NUMBER")
    with loopback(
        lambda exchange: exchange.reply(200), certificate=new_certificate(tmp_path / "certificate.pem")
    ) as server:
        error, cause = invoke(server).failure
        assert (error, cause) == ("States.Http.Socket", "127.0.0.1: CERTIFICATE_VERIFY_FAILED")
        assert server.requests == []


def test_a_server_that_hangs_up(api: Loopback) -> None:
    api.answer = lambda exchange: exchange.connection.shutdown(SHUT_RDWR)
    assert invoke(api).failure[0] == "States.Http.Socket"


def test_addresses_that_are_refused(api: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a connection is made, whatever the name was, and before a word is said."""
    monkeypatch.setattr(web_client, "METADATA_NETWORKS", (ip_network("127.0.0.0/8"),))
    error, cause = invoke(api).failure
    assert error == "States.Http.Socket"
    assert "link-local addresses may not be called" in cause
    assert api.requests == []
    assert invoke(api, settings=web.WebSettings(metadata_allowed=True)).result["StatusCode"] == 200


@pytest.mark.parametrize(
    ("address", "metadata"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("fd00:ec2::254", True),
        ("127.0.0.1", False),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
    ],
)
def test_addresses_of_metadata_services(address: str, metadata: bool) -> None:
    assert web_client.is_metadata(address) is metadata
