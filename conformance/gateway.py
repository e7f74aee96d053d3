"""An API Gateway for one case: REST APIs whose methods invoke a Lambda function, made by the API's own operations and
served on a loopback port under the Host of each API.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conformance.cases import JsonObject
from conformance.targets import ApiError

Invoke = Callable[[str, Any], Any]
"""(function, event) → result"""

_HEADERS = ("Via", "x-amz-apigw-id", "X-Amz-Cf-Id", "X-Amz-Cf-Pop", "x-amzn-RequestId", "X-Amzn-Trace-Id")
"""Headers of AWS's answers beside those that every server sends (recorded)."""


class Gateway:
    """The APIs of a case."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke
        self._resources: dict[str, tuple[str, str]] = {}
        self._integrations: dict[tuple[str, str, str], JsonObject] = {}
        self._server: ThreadingHTTPServer | None = None

    # --- the operations -------------------------------------------------------------------------------------

    def call(self, operation: str, params: JsonObject) -> JsonObject:
        """Do one operation of API Gateway's own API."""
        match operation:
            case "CreateRestApi":
                api, root = uuid.uuid4().hex[:10], uuid.uuid4().hex[:6]
                self._resources[root] = (api, "")
                return {"id": api, "rootResourceId": root, "name": params["name"]}
            case "CreateResource":
                resource = uuid.uuid4().hex[:6]
                parent = self._resources[params["parentId"]][1]
                self._resources[resource] = (params["restApiId"], f"{parent}/{params['pathPart']}")
                return {"id": resource}
            case "PutIntegration":
                api, path = self._resources[params["resourceId"]]
                self._integrations[api, path, params["httpMethod"]] = params
                return {}
            case "PutMethod" | "PutMethodResponse" | "PutIntegrationResponse" | "CreateDeployment":
                return {}
        raise ApiError("UnknownOperationException", f"apigateway {operation} is not there", 404)

    # --- the APIs -------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        if self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
            threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, host: str, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of a request to an API: the stage comes first in the path."""
        parts = urlsplit(target)
        path = "/" + parts.path.lstrip("/").partition("/")[2]
        integration = self._integrations.get((host.split(".")[0], path, method))
        if integration is None:
            return 403, b'{"message":"Missing Authentication Token"}'
        function = re.findall(r"function:([^/]+)/", integration["uri"])[0]
        template = integration.get("requestTemplates", {}).get("application/json")
        event = json.loads(_filled(template, parts.query, body) if template else body or b"{}")
        return 200, json.dumps(self._invoke(function, event)).encode()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _filled(template: str, query: str, body: bytes) -> str:
    """The two references of mapping templates that the cases have."""
    parameters = ", ".join(f"{name}={values[0]}" for name, values in parse_qs(query).items())
    whole = (body or b"{}").decode()
    return template.replace("$input.json('$')", whole).replace("$input.params().querystring", f"{{{parameters}}}")


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = gateway.answer(self.headers["Host"], self.command, self.path, content)
            self.send_response_only(status)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(answer)))):
                self.send_header(name, value)
            for name in _HEADERS:
                self.send_header(name, uuid.uuid4().hex)
            self.send_header("Date", formatdate(usegmt=True))
            self.send_header("Connection", "keep-alive")
            self.send_header("X-Cache", "Miss from cloudfront")
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
