"""Sending a request of web.py and reading its answer. Safe in any thread.

No redirects are followed, answers are read up to a limit, and addresses of the machine's own metadata service are
refused: a definition must not be able to read the credentials of the host it runs on.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kaidan.integrations.calls import abortable
from kaidan.integrations.web import Request, Response, TooLarge, WebError, WebSettings

METADATA_NETWORKS = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32")))
"""Link-local addresses, where clouds answer questions about the machine: credentials above all."""


def exchange(request: Request, timeout_s: float, bytes_max: int, settings: WebSettings) -> Response:
    """One request and its answer. Raises WebError, TooLarge."""
    headers = urllib3.HTTPHeaderDict()
    for name, value in request.headers:
        headers.add(name, value)
    url = request.url
    if request.address is not None:
        target = urllib3.util.parse_url(url)
        headers.setdefault("Host", target.netloc or "")
        url = request.address.rstrip("/") + target.request_uri
    deadline = time.monotonic() + timeout_s
    try:
        response = _manager(settings).urlopen(
            request.method,
            url,
            body=request.body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(total=timeout_s),
            preload_content=False,
            decode_content=True,
        )
        return _read(response, bytes_max, deadline)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
        raise _web_error(problem, url) from problem


def _read(response: Any, bytes_max: int, deadline: float) -> Response:
    """As it comes: urllib3's own limit is on each wait for bytes, not on all of them."""
    body = b""
    try:
        while len(body) <= bytes_max and (more := response.read1(bytes_max + 1 - len(body), decode_content=True)):
            body += more
            if time.monotonic() > deadline:
                raise TimeoutError
    finally:
        response.release_conn()
        response.close()
    if len(body) > bytes_max:
        raise TooLarge
    return Response(response.status, response.reason or "", list(response.headers.items()), body)


def _web_error(problem: BaseException, url: str) -> WebError:
    host = urllib3.util.parse_url(url).host or url
    for each in _chain(problem):
        if isinstance(each, (urllib3.exceptions.TimeoutError, TimeoutError)):
            return WebError("SocketTimeoutException", f"{host}: timed out")
        if isinstance(each, socket.gaierror):
            return WebError("UnknownHostException", f"{host}: Name or service not known")
        if isinstance(each, ssl.SSLError):
            return WebError("SSLHandshakeException", f"{host}: {each.reason or each}")
        if isinstance(each, OSError) and each.strerror:
            return WebError("ConnectException", f"{host}: {each.strerror}")
    return WebError("SdkClientException", f"{host}: {problem}")


def _chain(problem: BaseException | None) -> Iterable[BaseException]:
    while problem is not None:
        if not isinstance(problem, urllib3.exceptions.NewConnectionError):  # a timeout, it says, whatever it was
            yield problem
        inner = getattr(problem, "reason", None)
        problem = inner if isinstance(inner, BaseException) else problem.__cause__ or problem.__context__


# --- connections that look where they went ----------------------------------------------------------------


def is_metadata(host: str) -> bool:
    """Whether an address, `169.254.169.254` or `fe80::1%eth0`, may be one of a metadata service."""
    address = ipaddress.ip_address(host.split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in METADATA_NETWORKS)


def _refuse_metadata(sock: socket.socket) -> socket.socket:
    """After connecting, before anything is sent: a name cannot change its address in between."""
    if is_metadata(sock.getpeername()[0]):
        sock.close()
        raise OSError(13, "link-local addresses may not be called")
    return sock


class _GuardedHttp(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_metadata(super()._new_conn())


class _GuardedHttps(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_metadata(super()._new_conn())


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps


@lru_cache(maxsize=32)
def _manager(settings: WebSettings) -> urllib3.PoolManager:
    context = ssl.create_default_context(cadata=settings.ca_data) if settings.ca_data else None
    manager = urllib3.PoolManager(num_pools=20, maxsize=20, ssl_context=context)
    pools = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    if not settings.metadata_allowed:
        pools = {"http": _HttpPool, "https": _HttpsPool}
    manager.pool_classes_by_scheme = abortable(pools)
    return manager
