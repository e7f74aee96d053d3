"""HTTP task: `http:invoke` calls an API anywhere, authorised by an EventBridge connection.

    {"ApiEndpoint": "https://api.example.com/v1/things", "Method": "POST",
     "InvocationConfig": {"ConnectionArn": "arn:aws:events:…:connection/Example/…"},      or Authentication
     "Headers": {"a": "b"}, "QueryParameters": {"c": ["d", "e"]}, "RequestBody": {…},
     "Transform": {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "INDICES"}}}
    {"Headers": {"content-type": ["application/json"], …}, "ResponseBody": {…}, "StatusCode": 200, "StatusText": "OK"}

Where the task and its connection name the same header, parameter or member, the connection's value is sent. Any other
status than 2xx is the error `States.Http.StatusCode.404`; no answer within 60 seconds is `States.Http.Socket`.
Source: AWS guide, "Call HTTPS APIs in Step Functions workflows".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

from kaidan.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateError, runtime_error
from kaidan.integrations import form, web
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.connections import Connection, Connections
from kaidan.integrations.contract import Reply, RunBlocking, spectator
from kaidan.integrations.form import Form
from kaidan.integrations.jobs import Fields
from kaidan.limits import AWS
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON

TIMEOUT_S = 60.0
SOCKET = "States.Http.Socket"
STATUS = "States.Http.StatusCode.{}"
RENEWED_AFTER = (401, 407)
"""Statuses after which a token is asked for anew, once."""

_FORBIDDEN = """
a-im accept-charset accept-datetime accept-encoding authorization cache-control connection content-encoding content-md5
date expect forwarded from host http2-settings if-match if-modified-since if-none-match if-range if-unmodified-since
max-forwards origin pragma proxy-authorization referer server te trailer transfer-encoding upgrade via warning
"""
BARRED = form.headers(_FORBIDDEN, "x-forwarded-", "x-amz-", "x-amzn-")

BINARY_TYPES = ("application/octet-stream", "image/", "video/", "audio/")

JSON_TYPE = "application/json; charset=UTF-8"
FORM_TYPE = "application/x-www-form-urlencoded"


# --- parameters -------------------------------------------------------------------------------------------


def _is_address(value: JSON) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _names_connection(value: JSON) -> bool:
    return isinstance(value, dict) and isinstance(value.get("ConnectionArn"), str)


def _is_transform(value: JSON) -> bool:
    if not isinstance(value, dict) or value.get("RequestBodyEncoding", "NONE") not in ("NONE", "URL_ENCODED"):
        return False
    options = value.get("RequestEncodingOptions") or {}
    return isinstance(options, dict) and options.get("ArrayFormat", "INDICES") in ARRAY_FORMATS


FORM = Form(
    {
        "ApiEndpoint": _is_address,
        "Method": form.one_of(*web.METHODS),
        "InvocationConfig": _names_connection,
        "Authentication": _names_connection,
        "Headers": form.object_,
        "QueryParameters": form.object_,
        "RequestBody": form.anything,
        "Transform": _is_transform,
    },
    required=("ApiEndpoint", "Method", ("InvocationConfig", "Authentication")),
    barred=BARRED,
)


# --- the call ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over HTTP. `open`: the request without what the connection adds. `response` None: no answer came."""

    sent: web.Request
    open: web.Request
    response: web.Response | None


class HttpTask:
    """Carries out `http:invoke`."""

    def __init__(
        self,
        connections: Connections,
        clients: ClientFactory,
        run_blocking: RunBlocking,
        settings: web.WebSettings,
    ) -> None:
        self._connections = connections
        self._clients = clients
        self._run_blocking = run_blocking
        self._settings = settings

    def __call__(self, task: RunTask, reply: Reply) -> None:
        if task.resource.action != "invoke" or task.resource.pattern:
            raise StateError(RUNTIME, f"Nothing here carries out {task.resource.arn}")
        self._run_blocking(lambda: self._invoke(task, reply), reply)

    def _invoke(self, task: RunTask, reply: Reply) -> JSON:
        parameters: Fields = task.parameters.value
        named: Fields = parameters.get("InvocationConfig") or parameters.get("Authentication") or {}
        connection = self._connections.find(named["ConnectionArn"], task.role)
        request = request_of(parameters, connection, self._clients.region)
        sent = authorised(request, self._connections.authorization(connection))
        response = None
        try:
            response = self._send(sent)
            if response.status in RENEWED_AFTER and connection.type == "OAUTH_CLIENT_CREDENTIALS":
                sent = authorised(request, self._connections.authorization(connection, renew=True))
                response = self._send(sent)
        finally:
            if (seen := spectator(reply)) is not None:
                alone = request_of(parameters, replace(connection, secrets={}), self._clients.region)
                seen(Exchange(sent, alone, response))
        return _result(response)

    def _send(self, request: web.Request) -> web.Response:
        try:
            return web.send(request, timeout_s=TIMEOUT_S, bytes_max=AWS.payload_bytes_max, settings=self._settings)
        except web.WebError as problem:
            raise StateError(SOCKET, problem.reason) from problem
        except web.TooLarge:
            raise StateError(DATA_LIMIT_EXCEEDED, web.TOO_LARGE.format("http")) from None


def authorised(request: web.Request, authorization: dict[str, str]) -> web.Request:
    return replace(request, headers=merged_headers(request.headers, authorization))


def request_of(parameters: Fields, connection: Connection, region: str) -> web.Request:
    """The request of a task and its connection, but for the authorization."""
    body = _body(parameters, connection.parameters("body"))
    headers = merged_headers(web.header_pairs(parameters.get("Headers") or {}), connection.parameters("header"))
    kind = next((value for name, value in headers if name.lower() == "content-type"), None)
    encoded = (parameters.get("Transform") or {}).get("RequestBodyEncoding") == "URL_ENCODED"
    if body is not None and kind is None:
        headers.append(("Content-Type", FORM_TYPE if encoded else JSON_TYPE))
    headers += [
        ("User-Agent", f"Amazon|StepFunctions|HttpInvoke|{region}"),
        ("Range", f"bytes=0-{AWS.payload_bytes_max}"),
    ]
    query = {**(parameters.get("QueryParameters") or {}), **connection.parameters("query_string")}
    content = None if body is None else _encoded(body, parameters.get("Transform") or {}, kind)
    return web.Request(parameters["Method"], web.with_query(parameters["ApiEndpoint"], query), headers, content)


def merged_headers(given: list[tuple[str, str]], stronger: dict[str, str]) -> list[tuple[str, str]]:
    """Names are the same whatever their capitals; the stronger value replaces all others."""
    replaced = {name.lower() for name in stronger}
    return [pair for pair in given if pair[0].lower() not in replaced] + list(stronger.items())


def _body(parameters: Fields, stronger: dict[str, str]) -> JSON:
    body = parameters.get("RequestBody")
    if not stronger:
        return body
    if body is not None and not isinstance(body, dict):
        raise runtime_error("The request body is no object: the body parameters of the connection cannot be added")
    return {**(body or {}), **stronger}


def _encoded(body: JSON, transform: Fields, kind: str | None) -> bytes:
    if transform.get("RequestBodyEncoding") == "URL_ENCODED":
        options = transform.get("RequestEncodingOptions") or {}
        return url_encoded(body, options.get("ArrayFormat", "INDICES")).encode()
    if isinstance(body, str) and kind is not None and "json" not in kind.lower():
        return body.encode()
    return web.json_bytes(body)


ARRAY_FORMATS: dict[str, Callable[[str, list[JSON]], list[tuple[str, JSON]]]] = {
    "INDICES": lambda name, items: [(f"{name}[{index}]", item) for index, item in enumerate(items)],
    "REPEAT": lambda name, items: [(name, item) for item in items],
    "COMMAS": lambda name, items: [(name, ",".join(map(web.text, items)))],
    "BRACKETS": lambda name, items: [(f"{name}[]", item) for item in items],
}


def url_encoded(body: JSON, array_format: str) -> str:
    """`customer=1&metadata%5Border_details%5D=monthly%20report`: members of members in brackets."""
    if not isinstance(body, dict):
        raise runtime_error("The request body is no object: it cannot be URL-encoded")
    pairs = [pair for name, value in body.items() for pair in _pairs(name, value, ARRAY_FORMATS[array_format])]
    return "&".join(f"{quote(name, safe='')}={quote(web.text(value), safe=',')}" for name, value in pairs)


def _pairs(
    name: str, value: JSON, arrays: Callable[[str, list[JSON]], list[tuple[str, JSON]]]
) -> list[tuple[str, JSON]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _pairs(f"{name}[{key}]", item, arrays)]
    if isinstance(value, list):
        return [pair for key, item in arrays(name, value) for pair in _pairs(key, item, arrays)]
    return [] if value is None else [(name, value)]


def _result(response: web.Response) -> JSON:
    kind = response.header("content-type").lower()
    try:
        if kind.startswith(BINARY_TYPES):
            raise runtime_error(f"The response has the unsupported content type '{kind}'")
        body = response.parsed()
        if not 200 <= response.status < 300:
            raise StateError(STATUS.format(response.status), response.text or response.reason)
    except UnicodeDecodeError:
        raise runtime_error("The response is not a valid string") from None
    return {
        "Headers": response.header_lists(),
        "ResponseBody": body,
        "StatusCode": response.status,
        "StatusText": response.reason,
    }
