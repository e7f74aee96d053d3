"""The service behind HTTP, called by boto3: what a user's program sees. A server process serves all cases of a run."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from conformance.cases import REGION, JsonObject
from conformance.targets import ApiError


class OverHttp:
    """A Target: boto3 on one side, `http_server.py` on the other."""

    def __init__(self, as_of: date | None = None, mock_config: JsonObject | None = None) -> None:
        wanted = {"as_of": as_of.isoformat() if as_of else None, "mock_config": mock_config}
        self._now_ms = _post("/new", wanted)["now_ms"]

    def call(self, service: str, operation: str, params: JsonObject, account: str | None = None) -> JsonObject:
        if service != "stepfunctions" or account is not None:
            raise ApiError("UnknownOperationException", f"{service} {operation} is not there", 404)
        try:
            answer: JsonObject = getattr(_client(), xform_name(operation))(**params)
        except ClientError as refusal:
            error, metadata = refusal.response["Error"], refusal.response["ResponseMetadata"]
            raise ApiError(error["Code"], error["Message"], metadata["HTTPStatusCode"]) from None
        answer.pop("ResponseMetadata")
        return answer

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        horizon_ms = self._now_ms + int(timeout_s * 1000)
        while not until():
            advanced = _post("/advance", {"horizon_ms": horizon_ms})
            self._now_ms = advanced["now_ms"]
            if not advanced["moved"]:
                return

    def supports(self, service: str) -> bool:
        return False

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now_ms / 1000, UTC)

    def close(self) -> None:
        """The process goes on: the next case makes everything new."""


_held: list[subprocess.Popen[str]] = []
"""Whose standard input is to stay open."""


@cache
def _url() -> str:
    """Of a server that ends with this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.http_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    _held.append(process)
    return f"http://127.0.0.1:{int(process.stdout.readline())}"


@cache
def _client() -> Any:
    """Parameters are not checked here: the runner does, and what it lets through is for the service to refuse."""
    config = Config(
        inject_host_prefix=False,
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        read_timeout=300,
        proxies={},
    )
    return boto3.client(
        "stepfunctions",
        endpoint_url=_url(),
        region_name=REGION,
        aws_access_key_id="conformance",
        aws_secret_access_key="conformance",
        config=config,
    )


def _post(page: str, wanted: JsonObject) -> JsonObject:
    request = urllib.request.Request(_url() + page, json.dumps(wanted).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        found: JsonObject = json.loads(answer.read())
    return found
