"""Amazon API Gateway: `apigateway:invoke` calls a REST or HTTP API at its own address.

    {"ApiEndpoint": "id.execute-api.us-east-1.amazonaws.com", "Stage": "prod", "Method": "POST", "Path": "bills",
     "Headers": {"a": ["b"]}, "QueryParameters": {"c": ["d"]}, "RequestBody": {…}, "AuthType": "IAM_ROLE"}
    {"Headers": {"Content-Type": ["application/json"], …}, "ResponseBody": {…}, "StatusCode": 200, "StatusText": "OK"}

Any other status than 2xx is the error `ApiGateway.404`, with the body as its cause. Where the settings of the clients
name an endpoint, that is called, with the API's own name as Host. Source: AWS guide, "Create API Gateway REST APIs with
Step Functions"; recordings of AWS.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from kaidan.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateError
from kaidan.integrations import form, web
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking, Then
from kaidan.integrations.form import Form
from kaidan.integrations.jobs import Fields
from kaidan.limits import AWS
from kaidan.protocol.effects import Role, RunTask
from kaidan.values import JSON

TIMEOUT_S = 60.0
WITH_BODY = ("PATCH", "POST", "PUT")

_FORBIDDEN = """
authorization connection content-md5 expect host max-forwards proxy-authenticate server te transfer-encoding trailer
upgrade via www-authenticate
"""
BARRED = form.headers(_FORBIDDEN, "x-forwarded", "x-amz")


# --- parameters -------------------------------------------------------------------------------------------


FORM = Form(
    {
        "ApiEndpoint": form.text,
        "Method": form.one_of(*web.METHODS),
        "Headers": form.lists,
        "Stage": form.text,
        "Path": form.text,
        "QueryParameters": form.lists,
        "RequestBody": form.anything,
        "AllowNullValues": form.boolean,
        "AuthType": form.one_of("NO_AUTH", "IAM_ROLE", "RESOURCE_POLICY"),
    },
    required=("ApiEndpoint", "Method"),
    barred=BARRED,
)

PATTERNS = ("", ".waitForTaskToken")


# --- the call ---------------------------------------------------------------------------------------------


class ApiGateway:
    """Carries out `apigateway:invoke`."""

    def __init__(self, clients: ClientFactory, run_blocking: RunBlocking, settings: web.WebSettings) -> None:
        self._clients = clients
        self._run_blocking = run_blocking
        self._settings = settings

    def __call__(self, task: RunTask, reply: Reply) -> None:
        if task.resource.action != "invoke" or task.resource.pattern not in PATTERNS:
            raise StateError(RUNTIME, f"Nothing here carries out {task.resource.arn}")
        to = Then(reply, reply.submitted, reply.failed) if task.resource.pattern else reply
        self._run_blocking(lambda: self._invoke(task.parameters.value, task.role), to)

    def _invoke(self, parameters: Fields, role: Role | None) -> JSON:
        request = self._request(parameters)
        if parameters.get("AuthType") in ("IAM_ROLE", "RESOURCE_POLICY"):
            request = sign(request, "execute-api", _region(parameters, self._clients), self._clients, role)
        return _result(_sent(request, self._settings))

    def _request(self, parameters: Fields) -> web.Request:
        body = _body(parameters)
        headers = web.header_pairs(parameters.get("Headers") or {})
        if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/json"))
        return web.Request(parameters["Method"], url(parameters), headers, body, self._endpoint())

    def _endpoint(self) -> str | None:
        """Where an emulator answers for all APIs; None for AWS."""
        settings = self._clients.settings
        return settings.endpoint_urls.get("execute-api") or settings.endpoint_url


def url(parameters: Fields) -> str:
    """`https://id.execute-api.us-east-1.amazonaws.com/prod/bills?a=b`."""
    steps = [parameters.get("Stage") or "", (parameters.get("Path") or "").removeprefix("/")]
    path = "/".join(quote(step, safe="/~%") for step in steps if step)
    return f"https://{parameters['ApiEndpoint']}/{path}{web.query(parameters.get('QueryParameters') or {})}"


def _body(parameters: Fields) -> bytes | None:
    """JSON text, of a string too (recorded: `"HelloWorld"` with its quotes); no body for null."""
    body = parameters.get("RequestBody")
    if body is None or parameters["Method"] not in WITH_BODY:
        return None
    return web.json_bytes(body if parameters.get("AllowNullValues") else web.without_nulls(body))


def _sent(request: web.Request, settings: web.WebSettings) -> web.Response:
    try:
        return web.send(request, timeout_s=TIMEOUT_S, bytes_max=AWS.payload_bytes_max, settings=settings)
    except web.WebError as problem:
        raise StateError(f"ApiGateway.{problem.kind}", problem.reason) from problem
    except web.TooLarge:
        raise StateError(DATA_LIMIT_EXCEEDED, web.TOO_LARGE.format("apigateway")) from None


def _result(response: web.Response) -> JSON:
    if not 200 <= response.status < 300:
        raise StateError(f"ApiGateway.{response.status}", response.body.decode("utf-8", "replace"))
    return {
        "Headers": response.header_lists(),
        "ResponseBody": response.parsed(),
        "StatusCode": response.status,
        "StatusText": response.reason,
    }


def _region(parameters: Fields, clients: ClientFactory) -> str:
    """The API's: `id.execute-api.<region>.amazonaws.com`."""
    parts = str(parameters["ApiEndpoint"]).split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "execute-api" else clients.region


def sign(request: web.Request, service: str, region: str, clients: ClientFactory, role: Role | None) -> web.Request:
    """The request with Signature Version 4. Raises StateError where there are no credentials."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials: Any = clients.session(role).get_credentials()
    if credentials is None:
        raise StateError("ApiGateway.SdkClientException", "Unable to load credentials from any of the providers")
    signed = AWSRequest(request.method, request.url, data=request.body)
    for name, value in request.headers:
        signed.headers[name] = value  # beside the values that the name has already
    SigV4Auth(credentials.get_frozen_credentials(), service, region).add_auth(signed)
    return web.Request(request.method, request.url, list(signed.headers.items()), request.body, request.address)
