"""An HTTP server of this machine that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread
from typing import Any

Answer = Callable[["Exchange"], None]


@dataclass
class Asked:
    """One request. Headers that came more than once have all their values, with commas."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> str:
        return self.content.decode()


class Exchange(BaseHTTPRequestHandler):
    """What an answer is written to: `exchange.reply(200, {"ok": true})`."""

    protocol_version = "HTTP/1.1"
    asked: Asked

    def reply(self, status: int, body: str | bytes = "", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        content = b"" if status == 204 else content
        self.send_response(status)
        for name, value in {"Content_Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _take(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): ",".join(self.headers.get_all(name) or ()) for name in self.headers}
        self.asked = Asked(self.command, self.path, headers, content)
        server: Any = self.server
        server.loopback.requests.append(self.asked)
        server.loopback.answer(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _take

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Loopback:
    """`url` is where it listens."""

    url: str
    answer: Answer
    requests: list[Asked] = field(default_factory=list)

    @property
    def last(self) -> Asked:
        return self.requests[-1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle: some tests are about that."""


@contextmanager
def loopback(answer: Answer, tls: SSLContext | None = None) -> Iterator[Loopback]:
    with _Server(("127.0.0.1", 0), Exchange) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https" if tls is not None else "http"
        server.loopback = Loopback(f"{scheme}://127.0.0.1:{server.server_address[1]}", answer)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.loopback
        server.shutdown()
