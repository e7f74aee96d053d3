"""AWS's other services for a service under test: moto in a process of its own, with what it lacks.

`python -m conformance.neighbours` serves on a free port, prints it, and ends with its input. Moto is asked to forget
everything between cases. Answers have the headers and the JSON without blanks that AWS sends, and where moto says
something else than AWS did when the cases were recorded, it is corrected here.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
import uuid
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from conformance.cases import ACCOUNT

HOST = "127.0.0.1"


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
    from moto.events.utils import EventTemplateParser
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    template = EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE
    EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE = template.replace('"region"', '"account": "<account>", "region"')
    _sign_as_recorded()
    server = ThreadingHTTPServer((HOST, 0), _handler(DomainDispatcherApplication(create_backend_app)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    answers.write(f"{server.server_port}\n")
    answers.flush()
    sys.stdin.read()
    os._exit(0)


def _sign_as_recorded() -> None:
    """Topics sign by version 1 unless they are told otherwise (recorded); moto knows version 2 only."""
    from moto.sns.models import Subscription

    post_data = Subscription.get_post_data
    signed = {"SignatureVersion": "1"}
    setattr(Subscription, "get_post_data", lambda *args, **named: post_data(*args, **named) | signed)  # noqa: B010


def _handler(moto: Callable[..., Iterable[bytes]]) -> type[BaseHTTPRequestHandler]:
    """Serves a WSGI application with nothing added to its headers."""

    class Handler(BaseHTTPRequestHandler):
        server: ThreadingHTTPServer
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self._body()
            try:
                self._answer(*(_refusal(self.headers, body) or self._ask_moto(body)), body)
            except Exception as problem:
                self._answer("500 Internal Server Error", {}, repr(problem).encode(), body)

        def _ask_moto(self, body: bytes) -> tuple[str, dict[str, str], bytes]:
            said: list[Any] = []
            environ = self._environ(_understood(self.headers, body))
            parts = moto(environ, lambda status, headers, *_: said.extend((status, headers)))
            content = b"".join(parts)
            return said[0], dict(said[1]), content

        def _answer(self, status: str, headers: dict[str, str], body: bytes, asked: bytes) -> None:
            service, operation = _addressed(self.headers)
            content = _content(service, asked, body)
            code, _, reason = status.partition(" ")
            self.send_response_only(int(code), reason)
            for name, value in _headers(service, operation, content, headers):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _environ(self, body: bytes) -> dict[str, Any]:
            path, _, query = self.path.partition("?")
            named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
            return {
                **named,
                "REQUEST_METHOD": self.command,
                "SCRIPT_NAME": "",
                "PATH_INFO": unquote(path, "iso-8859-1"),
                "RAW_URI": self.path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "SERVER_NAME": HOST,
                "SERVER_PORT": str(self.server.server_port),
                "SERVER_PROTOCOL": self.request_version,
                "REMOTE_ADDR": HOST,
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.input": BytesIO(body),
                "wsgi.errors": sys.stderr,
                "wsgi.multithread": True,
                "wsgi.multiprocess": False,
                "wsgi.run_once": False,
            }

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


# --- as AWS answers ---------------------------------------------------------------------------------------

_TARGETS = {"AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb", "AmazonEC2ContainerServiceV20141113": "ecs"}
_KINDS = {"sns": "text/xml", "ecs": "application/x-amz-json-1.1"}
_CONNECTION = {"sqs": "connection", "sns": "connection", "dynamodb": "Connection"}


def _addressed(headers: Any) -> tuple[str, str]:
    """Service and operation of a request; ("", "") where the headers of the answer stay as they are."""
    service, _, operation = headers.get("X-Amz-Target", "").partition(".")
    if service in _TARGETS:
        return _TARGETS[service], operation
    for service in ("s3", "sns"):
        if f"/{service}/" in headers.get("Authorization", ""):
            return service, ""
    return "", ""


def _understood(headers: Any, body: bytes) -> bytes:
    """A request in which moto sees what AWS refuses: for EventBridge, details that are JSON but no object."""
    if headers.get("X-Amz-Target") != "AWSEvents.PutEvents":
        return body
    asked = json.loads(body)
    for entry in asked["Entries"]:
        if not entry.get("Detail", "{").lstrip().startswith("{"):
            entry["Detail"] = "{"
    return json.dumps(asked).encode()


def _content(service: str, asked: bytes, body: bytes) -> bytes:
    """JSON and XML as AWS writes it: JSON without blanks, and nothing about capacity that was not asked for."""
    if service in _TARGETS.values():
        return _json(service, asked, body)
    if service == "sns" and b"<PublishResult>" in body:
        message = re.findall(rb"<MessageId>(.*?)<", body)[0]
        return _PUBLISHED % (message, str(uuid.uuid4()).encode())
    for theirs, aws in _SNS_ERRORS if service == "sns" else ():
        body = body.replace(theirs, aws)
    return body


def _json(service: str, asked: bytes, body: bytes) -> bytes:
    answer = json.loads(body or b"{}")
    if service == "dynamodb" and b"ReturnConsumedCapacity" not in asked:
        answer.pop("ConsumedCapacity", None)
    return json.dumps(answer, separators=(",", ":")).encode()


_SNS_ERRORS = (
    (b"Endpoint does not exist", b"Topic does not exist"),
    (b"MissingParameter", b"InvalidParameter"),
    (
        b"The request must contain the parameter MessageGroupId.",
        b"Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
    ),
)

_PUBLISHED = b"""\
<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <PublishResult>
    <MessageId>%b</MessageId>
  </PublishResult>
  <ResponseMetadata>
    <RequestId>%b</RequestId>
  </ResponseMetadata>
</PublishResponse>
"""


def _headers(service: str, operation: str, body: bytes, given: dict[str, str]) -> Iterator[tuple[str, str]]:
    if service in ("", "s3"):
        yield from ((name, value) for name, value in given.items() if name.lower() != "content-length")
        yield "Content-Length", given.get("Content-Length", str(len(body)))
        yield from _of_objects({name.lower() for name in given}) if service else ()
        return
    yield "x-amzn-requestid" if operation == "GetItem" else "x-amzn-RequestId", str(uuid.uuid4())
    yield "Content-Type", _KINDS.get(service, "application/x-amz-json-1.0")
    yield "Content-Length", str(len(body))
    yield "Date", formatdate(usegmt=True)
    if service in _CONNECTION:
        yield _CONNECTION[service], "keep-alive"
    if service == "dynamodb":
        yield "Server", "Server"
        yield "x-amz-crc32", str(zlib.crc32(body))
    for name, value in given.items():
        if name.lower() == "x-amzn-query-error":
            yield name, value


def _of_objects(given: set[str]) -> Iterator[tuple[str, str]]:
    """What S3 says beside what moto says."""
    yield "x-amz-id-2", b64encode(uuid.uuid4().bytes * 3).decode()
    if "etag" in given:
        yield "x-amz-server-side-encryption", "AES256"
    if any(name.startswith("x-amz-checksum-") for name in given):
        yield "x-amz-checksum-type", "FULL_OBJECT"


def _refusal(headers: Any, body: bytes) -> tuple[str, dict[str, str], bytes] | None:
    """What DynamoDB says of a request that its model does not allow; moto's own errors are others."""
    service, operation = _addressed(headers)
    problem = violation("dynamodb", operation, json.loads(body or b"{}")) if service == "dynamodb" else None
    if problem is None:
        return None
    said = {"__type": "com.amazon.coral.validate#ValidationException", "message": problem}
    return "400 Bad Request", {}, json.dumps(said).encode()


def violation(service: str, operation: str, request: dict[str, Any]) -> str | None:
    """The first required member that is absent, or text that does not match its pattern, in AWS's words."""
    shape = _model(service).operation_model(operation).input_shape
    for name in shape.required_members:
        if request.get(name) is None:
            return _VIOLATION.format("null", _small(name), "Member must not be null")
    name, value = "TableName", request.get("TableName")
    if isinstance(value, str) and not re.fullmatch(_TABLE_NAME, value):
        wanted = f"Member must satisfy regular expression pattern: {_TABLE_NAME}"
        return _VIOLATION.format(f"'{value}'", _small(name), wanted)
    return None


_TABLE_NAME = "[a-zA-Z0-9_.-]+"
_VIOLATION = "1 validation error detected: Value {} at '{}' failed to satisfy constraint: {}"


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


@cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


if __name__ == "__main__":
    main()
