"""Retry and Catch, written once for Task, Parallel and Map.

Source: States Language spec, "Errors"; AWS guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from kaidan import errors
from kaidan.asl.query.template import compile_template
from kaidan.asl.states.dataflow import Assigned, Definition, result_merge
from kaidan.asl.states.visit import Visit
from kaidan.errors import StateError
from kaidan.values import JSON, Payload

DELAY_S_MAX = 31_622_400
"""A delay that no execution outlives (366 days), where the definition bounds it by nothing."""

_UNMATCHED_BY_TASK_FAILED = (errors.TIMEOUT, errors.HEARTBEAT_TIMEOUT)


def matches(error_equals: tuple[str, ...], error: StateError) -> bool:
    """Whether an ErrorEquals list names an error.

    States.Runtime is never matched, by whatever name. States.ALL matches all else but a state's own
    States.DataLimitExceeded; States.TaskFailed all of those but time-outs. A missed heartbeat appears in
    history as States.Timeout (recorded) and answers to both of its names.
    """
    if error.error == errors.RUNTIME and error.located:
        return False
    if error.error is not None and error.error in error_equals:
        return True
    if error.error == errors.REFERENCE_PATH_CONFLICT and errors.RESULT_PATH_MATCH_FAILURE in error_equals:
        return True
    if isinstance(error, HeartbeatMissed) and errors.HEARTBEAT_TIMEOUT in error_equals:
        return True
    if error.error == errors.DATA_LIMIT_EXCEEDED and error.located:
        return False
    if errors.ALL in error_equals:
        return True
    return errors.TASK_FAILED in error_equals and error.error not in _UNMATCHED_BY_TASK_FAILED


class HeartbeatMissed(StateError):
    """No heartbeat within HeartbeatSeconds."""

    def __init__(self) -> None:
        super().__init__(errors.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Retrier:
    """One entry of Retry, with the defaults of the spec."""

    error_equals: tuple[str, ...]
    interval_s: float = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_s: float | None = None
    full_jitter: bool = False

    @classmethod
    def of(cls, definition: Definition) -> Retrier:
        return cls(
            tuple(definition["ErrorEquals"]),
            definition.get("IntervalSeconds", 1),
            definition.get("MaxAttempts", 3),
            definition.get("BackoffRate", 2.0),
            definition.get("MaxDelaySeconds"),
            definition.get("JitterStrategy") == "FULL",
        )

    def delay_ms(self, attempt: int, chance: float) -> int:
        """Milliseconds before retry number `attempt` (from 0); `chance` in [0, 1) decides with full jitter."""
        try:
            seconds = self.interval_s * self.backoff_rate**attempt
        except OverflowError:
            seconds = float("inf")
        bound = self.max_delay_s if self.max_delay_s is not None else DELAY_S_MAX
        return int(min(seconds, bound) * (chance if self.full_jitter else 1) * 1000)


class CatchFlow(Protocol):
    """How a Catcher makes the state's output and variables out of the error output."""

    def conclude(self, visit: Visit, error_output: Payload) -> tuple[Payload, Assigned]: ...


class PathCatchFlow:
    """The JSONPath dialect: ResultPath puts the error output into the raw input; Assign sees it as `$`."""

    __slots__ = ("_assign", "_merge")

    def __init__(self, definition: Definition) -> None:
        self._merge = result_merge(definition)
        self._assign = compile_template(definition["Assign"]) if "Assign" in definition else None

    def conclude(self, visit: Visit, error_output: Payload) -> tuple[Payload, Assigned]:
        assigned = self._assign(error_output.value, visit.env) if self._assign else None
        return (self._merge(visit.input, error_output) if self._merge else error_output), assigned


@dataclass(frozen=True, slots=True)
class Catcher:
    """One entry of Catch."""

    error_equals: tuple[str, ...]
    next: str
    flow: CatchFlow


def error_output(error: StateError) -> Payload:
    """`{"Error": name, "Cause": text}`; members are null when the failing task gave none (recorded)."""
    return Payload({"Error": error.error, "Cause": error.cause})


Retriers: TypeAlias = tuple[Retrier, ...]
Catchers: TypeAlias = tuple[Catcher, ...]
__all__ = ["JSON", "Catcher", "Catchers", "HeartbeatMissed", "Retrier", "Retriers", "error_output", "matches"]
