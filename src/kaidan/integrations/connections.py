"""EventBridge connections: how an HTTP task authorises itself, and what it adds to the request.

They come from a file of secrets, by ARN or name, in the form of EventBridge's CreateConnection:

    Stripe:
      AuthorizationType: BASIC                # API_KEY, BASIC or OAUTH_CLIENT_CREDENTIALS
      AuthParameters:
        BasicAuthParameters: {Username: "${STRIPE_KEY}", Password: ""}
        InvocationHttpParameters:
          HeaderParameters: [{Key: X-Team, Value: billing}]

where `${NAME}` is a variable of the environment; or else from EventBridge and the secret that it keeps in Secrets
Manager. Knows no task. Source: EventBridge user guide, "Connections for HTTP endpoint targets"; AWS guide, "Call HTTPS
APIs in Step Functions workflows".
"""

from __future__ import annotations

import os
import re
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from kaidan.arns import Arn
from kaidan.errors import StateError
from kaidan.integrations import web
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.files import FileError, fields, read_value
from kaidan.integrations.naming import words
from kaidan.protocol.effects import Role
from kaidan.values import JSON, dumps, loads

ERROR = "Events.ConnectionResource."
TOKEN_BYTES_MAX = 1 << 20
TOKEN_TIMEOUT_S = 30.0
REFUSALS = {
    "AccessDeniedException": "AccessDenied",
    "ConcurrentModificationException": "ConcurrentModification",
    "ResourceNotFoundException": "ResourceNotFound",
}
"""Codes of the services that keep a connection, to the error of the task; any other is an InternalError."""

USABLE = ("AUTHORIZED", "ACTIVE")
NOT_USABLE = {
    "AUTHORIZING": "AuthInProgress",
    "CREATING": "AuthInProgress",
    "UPDATING": "AuthInProgress",
    "FAILED_CONNECTIVITY": "InvalidPrivateConnectionState",
}
"""States of a connection to the error of the task; in any other one that is not usable, InvalidConnectionState."""

EXPIRES_EARLIER_S = 60
"""A token is asked for anew so long before it expires."""

Secrets = Mapping[str, JSON]
"""What a connection keeps secret, flat and in small letters: `{"api_key_name": "X-Key", "api_key_value": "…"}`."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection: what it adds to every request. `secrets` is never shown."""

    name: str
    type: str
    secrets: Secrets = field(repr=False)

    def parameters(self, kind: str, of: str = "invocation_http_parameters") -> dict[str, str]:
        """`header`, `query_string` or `body` parameters by name."""
        listed = (self.secrets.get(of) or {}).get(f"{kind}_parameters") or []
        return {str(each["key"]): str(each["value"]) for each in listed}


class Connections:
    """Connections by ARN. Safe in any thread."""

    def __init__(self, clients: ClientFactory, secrets: Mapping[str, JSON] | None = None) -> None:
        """`secrets`: what `read_secrets` gives."""
        self._clients = clients
        self._secrets = secrets or {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._asking: defaultdict[str, Lock] = defaultdict(Lock)

    def find(self, arn: str, role: Role | None) -> Connection:
        """Raises StateError, `Events.ConnectionResource.ResourceNotFound` and the like."""
        name = connection_name(arn)
        given = self._secrets.get(arn) or self._secrets.get(name)
        if given is not None:
            return Connection(name, str(given.get("AuthorizationType")), flat(given.get("AuthParameters") or {}))
        return self._of_eventbridge(name, role)

    def _of_eventbridge(self, name: str, role: Role | None) -> Connection:
        described = self._ask("events", role, lambda client: client.describe_connection(Name=name))
        state = described.get("ConnectionState", "AUTHORIZED")
        if state not in USABLE:
            error = NOT_USABLE.get(state, "InvalidConnectionState")
            raise StateError(ERROR + error, f"The connection '{name}' is {state}")
        secret = self._ask(
            "secretsmanager", role, lambda client: client.get_secret_value(SecretId=described["SecretArn"])
        )
        secrets = flat(described.get("AuthParameters") or {}) | snake(loads(secret["SecretString"]))
        return Connection(name, described["AuthorizationType"], secrets)

    def _ask(self, service: str, role: Role | None, ask: Callable[[Any], Any]) -> Any:
        try:
            return ask(self._clients.client(service, role))
        except Exception as problem:  # the edge: whatever a client raises is something a state can catch
            code = getattr(problem, "response", {}).get("Error", {}).get("Code", "InternalError")
            raise StateError(ERROR + REFUSALS.get(code, "InternalError"), str(problem)) from problem

    def authorization(self, connection: Connection, *, renew: bool = False) -> dict[str, str]:
        """The headers that authorise a request. `renew`: the last token was refused. Raises StateError."""
        secrets = connection.secrets
        match connection.type:
            case "API_KEY":
                return {str(secrets["api_key_name"]): str(secrets["api_key_value"])}
            case "BASIC":
                return {"Authorization": basic(str(secrets["username"]), str(secrets.get("password") or ""))}
            case "OAUTH_CLIENT_CREDENTIALS":
                return {"Authorization": f"Bearer {self._token(connection, renew)}"}
        raise StateError(ERROR + "InvalidConnectionState", f"'{connection.type}' is not a type of authorization")

    def _token(self, connection: Connection, renew: bool) -> str:
        with self._asking[connection.name]:
            token, expires = self._tokens.get(connection.name, ("", 0.0))
            if renew or time.monotonic() >= expires:
                token, lasts_s = _new_token(connection)
                self._tokens[connection.name] = token, time.monotonic() + lasts_s - EXPIRES_EARLIER_S
            return token


def connection_name(arn: str) -> str:
    """`arn:aws:events:us-east-1:123456789012:connection/Stripe/81210c42-…` is Stripe. Raises StateError."""
    try:
        kind, name = Arn.parse(arn).resource.split("/")[:2]
    except ValueError:
        kind, name = "", ""
    if kind != "connection":
        raise StateError(ERROR + "ResourceNotFound", f"not the ARN of a connection: {arn}")
    return name


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _new_token(connection: Connection) -> tuple[str, float]:
    """A token and for how many seconds it holds (RFC 6749, section 4.4)."""
    secrets = connection.secrets
    client = secrets.get("client_parameters") or secrets
    body = {"grant_type": "client_credentials"} | connection.parameters("body", "oauth_http_parameters")
    headers = {
        "Authorization": basic(str(client.get("client_id")), str(client.get("client_secret"))),
        "Content-Type": "application/x-www-form-urlencoded",
        **connection.parameters("header", "oauth_http_parameters"),
    }
    url = str(secrets["authorization_endpoint"]) + web.query(
        connection.parameters("query_string", "oauth_http_parameters")
    )
    method = str(secrets.get("http_method") or "POST")
    request = web.Request(method, url, list(headers.items()), urlencode(body).encode() if method != "GET" else None)
    try:
        response = web.send(request, timeout_s=TOKEN_TIMEOUT_S, bytes_max=TOKEN_BYTES_MAX)
        answer = response.parsed()
    except (web.WebError, web.TooLarge, UnicodeDecodeError) as problem:
        raise StateError(ERROR + "InvalidConnectionState", f"no token of {connection.name}: {problem}") from problem
    if response.status != 200 or not isinstance(answer, dict) or "access_token" not in answer:
        cause = f"no token of {connection.name}: the authorization server answered {response.status}"
        raise StateError(ERROR + "InvalidConnectionState", cause)
    return str(answer["access_token"]), float(answer.get("expires_in") or 300)


# --- secrets ----------------------------------------------------------------------------------------------


def flat(parameters: Mapping[str, JSON]) -> dict[str, JSON]:
    """CreateConnection's AuthParameters as EventBridge keeps them: one level less, in small letters."""
    merged: dict[str, JSON] = {}
    for name, value in parameters.items():
        merged |= {name: value} if name == "InvocationHttpParameters" else value
    return {**snake(merged)}


def snake(value: JSON) -> JSON:
    """`ApiKeyName` is api_key_name, at any depth."""
    if isinstance(value, dict):
        return {_snake(name): snake(item) for name, item in value.items()}
    if isinstance(value, list):
        return [snake(item) for item in value]
    return value


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in words(name.replace("OAuth", "Oauth")))


def read_secrets(path: str | Path) -> dict[str, JSON]:
    """The connections of a file, YAML or JSON, by ARN or name. Raises FileError."""
    listed = fields(read_value(path), str(path))
    return {name: _connection(_filled(each, f"{path}: {name}"), f"{path}: {name}") for name, each in listed.items()}


_REQUIRED = {
    "API_KEY": ("ApiKeyAuthParameters", ("ApiKeyName", "ApiKeyValue")),
    "BASIC": ("BasicAuthParameters", ("Username",)),
    "OAUTH_CLIENT_CREDENTIALS": ("OAuthParameters", ("AuthorizationEndpoint", "ClientParameters")),
}
"""Type of authorization → where its secrets are, and without which it cannot be."""


def _connection(given: JSON, place: str) -> JSON:
    """A connection in the form of CreateConnection. Raises FileError."""
    type = fields(given, place, "Name", "Description", "AuthorizationType", "AuthParameters").get("AuthorizationType")
    if type not in _REQUIRED:
        raise FileError(f"{place}.AuthorizationType: must be one of {', '.join(_REQUIRED)}, not {dumps(type)}")
    within, required = _REQUIRED[type]
    parameters = fields(given.get("AuthParameters"), f"{place}.AuthParameters", within, "InvocationHttpParameters")
    secrets = fields(parameters.get(within), f"{place}.AuthParameters.{within}")
    for name in required:
        if name not in secrets:
            raise FileError(f"{place}.AuthParameters.{within}: must have {name}")
    return given


def _filled(value: Any, place: str) -> JSON:
    """With variables of the environment in place of `${NAME}`."""

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise FileError(f"{place}: the environment has no variable {match[1]}")
        return os.environ[match[1]]

    if isinstance(value, dict):
        return {str(key): _filled(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, place) for item in value]
    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", variable, value) if isinstance(value, str) else value
