"""An HTTP server of this machine that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
def loopback(answer: Answer, *, certificate: Path | None = None) -> Iterator[Loopback]:
    """`certificate`: a file of its key and certificate; then it speaks HTTPS."""
    with _Server(("127.0.0.1", 0), Exchange) as server:
        scheme = "http"
        if certificate is not None:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.loopback = Loopback(f"{scheme}://127.0.0.1:{server.server_address[1]}", answer)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.loopback
        server.shutdown()


def new_certificate(path: Path) -> Path:
    """A key and the certificate of 127.0.0.1 that it has signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path
