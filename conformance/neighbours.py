"""AWS's other services for a service under test: moto in a process of its own, with what it lacks.

`python -m conformance.neighbours` serves on a free port, prints it, and ends with its input. Moto is asked to forget
everything between cases. Answers have the headers and the JSON without blanks that AWS sends, and where moto says
something else than AWS did when the cases were recorded, it is corrected here.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import urllib.request
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from functools import cache
from typing import Any

from conformance.cases import ACCOUNT

HOST = "127.0.0.1"

Headers = list[tuple[str, str]]


@cache
def start() -> str:
    """The URL of a server that lives as long as this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.neighbours"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=kept | {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "NO_PROXY": HOST},
    )
    atexit.register(process.kill)
    assert process.stdout is not None
    return f"http://{HOST}:{int(process.stdout.readline())}"


def forget(url: str) -> None:
    """Make everything new."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=30).read()


# --- the process ------------------------------------------------------------------------------------------


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer, make_server

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True
        request_queue_size = 64

    class Answering(ServerHandler):
        server_software = ""
        environ: dict[str, Any]

        def send_preamble(self) -> None:
            """With what an application may not say itself."""
            super().send_preamble()
            for name, value in _outermost(self.environ):
                self._write(f"{name}: {value}\r\n".encode())

    class Requests(WSGIRequestHandler):
        def handle(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if self.parse_request():
                server: Any = self.server
                streams: tuple[Any, Any, Any] = (self.rfile, self.wfile, self.get_stderr())
                Answering(*streams, self.get_environ()).run(server.get_app())

        def log_message(self, format: str, *args: object) -> None:
            pass

    _correct()
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server(HOST, 0, _as_aws(moto), server_class=Server, handler_class=Requests)
    answers.write(f"{server.server_address[1]}\n")
    answers.flush()
    import threading

    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def _as_aws(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application with the bodies and the headers that AWS sends (recorded)."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said: list[Any] = []
        body = b"".join(application(environ, lambda status, headers, *_: said.extend((status, headers))))
        status, headers = said
        given = {name.lower(): value for name, value in headers}
        service, operation = _addressed(environ)
        environ["kaidan.service"] = service
        content = _body(service, operation, body)
        if service == "" or operation == "HeadObject":
            start_response(status, headers)
            return [body]
        request_id = given.get("x-amzn-requestid") or str(uuid.uuid4())
        start_response(status, list(_headers(service, operation, content, request_id, given)))
        return [content]

    return answer


def _addressed(environ: dict[str, Any]) -> tuple[str, str]:
    """Service and operation of a request; ("", "") where the answer stays as it is."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    known = {"AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb", "AmazonEC2ContainerServiceV20141113": "ecs"}
    service, _, operation = target.partition(".")
    if service in known:
        return known[service], operation
    if "/sns/" in environ.get("HTTP_AUTHORIZATION", ""):
        return "sns", "Publish"
    return "", ""


def _body(service: str, operation: str, body: bytes) -> bytes:
    if service == "sns" and b"<PublishResponse" in body:
        return body.replace(b"\n    \n", b"\n").strip()
    try:
        return json.dumps(json.loads(body), separators=(",", ":")).encode()
    except ValueError:
        return body


def _headers(
    service: str, operation: str, body: bytes, request_id: str, given: dict[str, str]
) -> Iterator[tuple[str, str]]:
    kinds = {"sns": "text/xml", "ecs": "application/x-amz-json-1.1"}
    yield "x-amzn-requestid" if operation == "GetItem" else "x-amzn-RequestId", request_id
    yield "Content-Type", kinds.get(service, "application/x-amz-json-1.0")
    yield "Content-Length", str(len(body))
    yield "Date", formatdate(usegmt=True)
    if service == "dynamodb":
        yield "Server", "Server"
        yield "x-amz-crc32", str(zlib.crc32(body))
    if "x-amzn-query-error" in given:
        yield "x-amzn-query-error", given["x-amzn-query-error"]


def _outermost(environ: dict[str, Any]) -> Headers:
    names = {"sqs": "connection", "sns": "connection", "dynamodb": "Connection"}
    service = environ.get("kaidan.service", "")
    return [(names[service], "keep-alive")] if service in names else [("Connection", "close")]


def _correct() -> None:
    """Where moto is not like AWS."""


if __name__ == "__main__":
    main()
