"""The web side: HTTP requests in, answers out. What an operation does is an account's, how it is spelled protocol.py's.

    POST any path, with X-Amz-Target    an operation, whatever the Host header says (clients put `sync-` before it)
    GET /health                         200 while the process lives
    GET /ready                          200 while it takes requests, 503 before and after
    GET /metrics                        counters for Prometheus; 403 for those who may not see them

Built on aiohttp's low-level server: no routes, no middleware.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from aiohttp import web

from kaidan.observe.metrics import CONTENT_TYPE
from kaidan.server import protocol
from kaidan.server.protocol import REQUEST_BYTES_MAX, Answer
from kaidan.server.settings import is_loopback
from kaidan.service.errors import ApiError

log = logging.getLogger(__name__)

BODY_S_MAX = 30
"""How long a client may take to send a request's body."""
IDLE_S_MAX = 75
"""How long a connection may stay open without a whole request line and headers."""
HEADER_BYTES_MAX = 16_384
"""One header: a session token is the longest, and seldom has more than 4 KB."""


class Caller(Protocol):
    """Whoever answers operations: an account."""

    async def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Raises ApiError."""


Identify: TypeAlias = Callable[[web.BaseRequest, bytes], Caller]
"""Whose account a request is for. Raises ApiError for one that may not call."""


class App:
    """Answers requests. `ready` is for whoever starts and stops it."""

    def __init__(
        self, identify: Identify, metrics: Callable[[], str] = lambda: "", *, metrics_for_all: bool = False
    ) -> None:
        """`metrics` makes the text of /metrics, which only this machine's clients get unless it is for all."""
        self._identify = identify
        self._metrics = metrics
        self._metrics_for_all = metrics_for_all
        self.ready = True

    def server(self) -> web.Server:
        """An aiohttp server with this app behind it. A client that goes away ends what it waited for."""
        loop = asyncio.get_running_loop()

        def request(message: Any, payload: Any, connection: Any, writer: Any, task: Any) -> web.BaseRequest:
            return web.BaseRequest(message, payload, connection, writer, task, loop, client_max_size=REQUEST_BYTES_MAX)

        return web.Server(
            self.handle,
            request_factory=request,
            handler_cancellation=True,
            access_log=None,
            logger=_quiet(),
            keepalive_timeout=IDLE_S_MAX,
            lingering_time=2,
            max_field_size=HEADER_BYTES_MAX,
            auto_decompress=False,
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.method == "POST":
            return await self._operation(request)
        if request.method in ("GET", "HEAD"):
            return self._page(request)
        return web.Response(status=405, headers={"Allow": "GET, HEAD, POST"})

    def _page(self, request: web.BaseRequest) -> web.Response:
        path = request.path
        if path == "/health":
            return web.json_response({"status": "ok"})
        if path == "/ready":
            return web.json_response({"ready": self.ready}, status=200 if self.ready else 503)
        if path == "/metrics":
            if self._metrics_for_all or is_loopback(request.remote or ""):
                return web.Response(text=self._metrics(), headers={"Content-Type": CONTENT_TYPE})
            return web.Response(status=403, text="For clients on this machine only: see the setting `metrics`\n")
        return web.Response(status=404, text="Not here: this is an AWS Step Functions endpoint\n")

    async def _operation(self, request: web.BaseRequest) -> web.Response:
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(request)
        except ApiError as error:
            answer = protocol.refusal(error)
        except Exception:
            log.exception("request %s, %s", request_id, request.headers.get("X-Amz-Target"))
            answer = protocol.refusal(ApiError("InternalFailure", "", 500))
        response = web.Response(status=answer.status, body=answer.body, headers=protocol.headers(request_id))
        if answer.status in _LEAVING_THE_BODY:
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> Answer:
        body = await _body(request)
        caller = self._identify(request, body)
        headers = request.headers
        operation, params = protocol.read(headers.get("X-Amz-Target"), body, headers.get("X-Amzn-Trace-Id"))
        return protocol.answer(await caller.call(operation, params))


_LEAVING_THE_BODY = (408, 413)
"""Refusals of a request whose body has not been read to its end."""


def _quiet() -> logging.Logger:
    """What aiohttp says of clients that do not speak HTTP is for whoever looks for it."""
    logger = logging.getLogger("kaidan.server.http")
    logger.setLevel(logging.CRITICAL)
    return logger


async def _body(request: web.BaseRequest) -> bytes:
    """The whole body. Raises ApiError when it is too large, or does not come."""
    if (request.content_length or 0) > REQUEST_BYTES_MAX:
        raise _too_large()
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    try:
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(BODY_S_MAX):
            return await request.read()
    except web.RequestPayloadError:
        raise ApiError("SerializationException", "") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except TimeoutError:
        raise ApiError("RequestTimeoutException", f"The body did not come within {BODY_S_MAX} s", 408) from None


def _too_large() -> ApiError:
    message = f"A request has {REQUEST_BYTES_MAX:,} bytes at most"
    return ApiError("RequestEntityTooLargeException", message, 413)
