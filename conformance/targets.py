"""What the runner asks of a service under test, and the in-process service behind it.

Only `InProcess` knows the engine, and only at the time it is made.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeAlias

from conformance.cases import ACCOUNT, REGION, JsonObject


class ApiError(Exception):
    """The service refuses: `ApiError("InvalidArn", "Invalid Arn: '..'")`; status is HTTP's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Target(Protocol):
    """A service under test, made new for each case."""

    def call(self, service: str, operation: str, params: JsonObject, account: str | None = None) -> JsonObject:
        """Do one API call; the answer as boto3 gives it (with `datetime` objects), without ResponseMetadata.

        account: whose credentials, None for the first account's. A call that waits (GetActivityTask,
        StartSyncExecution) lets the engine run itself. Raises ApiError.
        """
        ...

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        """Let the engine run until `until()` holds, nothing more can happen, or its clock is timeout_s on.

        `until` is asked first, after each step and before each jump of a virtual clock; it may `call`.
        timeout_s 0: whatever is due now, the clock stands still.
        """
        ...

    def supports(self, service: str) -> bool:
        """Whether the target has this outside service ("lambda", "sqs", .., "second-account")."""
        ...

    def now(self) -> datetime:
        """The engine's clock, in UTC: what `@@now@@` stands for."""
        ...

    def close(self) -> None: ...


Factory: TypeAlias = Callable[[date | None, JsonObject | None], Target]
"""(as_of, mock_config) → a new target that answers as AWS did that day."""


class InProcess:
    """`kaidan.service` in this process, on a virtual clock."""

    def __init__(self, as_of: date | None = None, mock_config: JsonObject | None = None) -> None:
        module = importlib.import_module("kaidan.service.api")
        sources = importlib.import_module("kaidan.runtime.sources")
        self._refusal: type[Exception] = module.ApiError
        clock = sources.SimulatedClock(int(time.time()) * 1000 + 123)
        self._api: Any = module.Api(account=ACCOUNT, region=REGION, clock=clock, as_of=as_of)

    def call(self, service: str, operation: str, params: JsonObject, account: str | None = None) -> JsonObject:
        if service != "stepfunctions" or account is not None:
            raise ApiError("UnknownOperationException", f"{service} {operation} is not there", 404)
        try:
            answer: JsonObject = self._api.call(operation, params)
        except self._refusal as refusal:
            code, message = getattr(refusal, "code", ""), getattr(refusal, "message", "")
            raise ApiError(code, message, getattr(refusal, "status", 400)) from None
        return answer

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        self._api.settle(until, timeout_s)

    def supports(self, service: str) -> bool:
        return False

    def now(self) -> datetime:
        now: Callable[[], datetime] | None = getattr(self._api, "now", None)
        return now() if now else datetime.now(UTC)

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self._api, "close", None)
        if close:
            close()
