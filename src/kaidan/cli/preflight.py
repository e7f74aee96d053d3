"""Before a run: is there an account to call, and does anybody answer? Said in one line, instead of by a failed task."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from kaidan.cli.problems import Refusal

CONNECT_TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def check_account(profile: str | None) -> None:
    """Raises Refusal: an unknown profile, or no credentials where the AWS command line would look for them."""
    from botocore.exceptions import BotoCoreError, ProfileNotFound
    from botocore.session import Session

    session = Session(profile=profile)
    try:
        found = session.get_credentials() is not None
    except ProfileNotFound as problem:
        known = ", ".join(sorted(session.available_profiles)) or "none"
        raise Refusal(str(problem), f"profiles there are: {known}") from None
    except BotoCoreError as problem:
        raise Refusal(f"the AWS credentials cannot be read: {problem}") from None
    if not found:
        raise Refusal(
            "no AWS credentials: the definition calls AWS, and none were found",
            "use --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or try it with --emulate",
        )


def check_endpoint(url: str) -> None:
    """Raises Refusal for a URL that is none, and for a host that does not answer."""
    parts = urlsplit(url)
    try:
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or not port:
        raise Refusal(f"--endpoint-url {url}: must be a URL, such as http://127.0.0.1:4566")
    if parts.hostname not in LOOPBACK and any(os.environ.get(name) for name in PROXIES):
        return  # The way leads through a proxy: only the call itself can tell.
    try:
        socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT_S).close()
    except OSError as problem:
        raise Refusal(f"--endpoint-url {url}: nobody answers there: {problem.strerror or problem}") from None
