"""Log records as AWS writes them to CloudWatch Logs, made of history events as a machine's loggingConfiguration says.

    {"id": "2", "type": "PassStateEntered",
     "details": {"input": "{}", "inputDetails": {"truncated": false}, "name": "Greet"},
     "previous_event_id": "0", "event_timestamp": "1762424242123",
     "execution_arn": "arn:aws:states:us-east-1:123456789012:express:orders:…:…", "redrive_count": "0"}

Source: AWS guide, "Using CloudWatch Logs to log execution history"; the records as recorded from AWS. Where they
go is for `log_sinks.py` to know.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from kaidan.asl.machine.execution import Execution
from kaidan.protocol.history import DETAILS_KEYS, HistoryEvent
from kaidan.runtime.engine import Engine
from kaidan.runtime.run import Run
from kaidan.values import dumps

DATA_BYTES_MAX = 248 * 1024
"""Data of one record as escaped text; the rest is cut off (AWS guide, "CloudWatch Logs payloads")."""

_ALL = frozenset(DETAILS_KEYS)
_ERROR = frozenset(
    type for type in _ALL if type == "FailStateEntered" or type.endswith(("Failed", "Aborted", "TimedOut"))
)

LEVELS: dict[str, frozenset[str]] = {
    "ALL": _ALL,
    "ERROR": _ERROR,
    "FATAL": frozenset({"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}),
    "OFF": frozenset(),
}
"""The event types of each level (AWS guide, "Log levels for Step Functions execution events")."""

Logging: TypeAlias = Mapping[str, Any]
"""The API's LoggingConfiguration: `{"level": "ALL", "includeExecutionData": false, "destinations": […]}`."""


class LogEntry(NamedTuple):
    """One record to be written, with what says how: `machine` is the name of the state machine."""

    machine: str
    execution_arn: str
    redrive_count: int
    logging: Logging
    event: HistoryEvent

    @property
    def log_group(self) -> str:
        """The name in `arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders:*`; "" for none."""
        return self._destination[1]

    @property
    def log_region(self) -> str:
        """The region of the log group."""
        return self._destination[0]

    @property
    def _destination(self) -> tuple[str, str]:
        for destination in self.logging.get("destinations", ()):
            parts: list[str] = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "").split(":")
            if len(parts) > 6:
                return parts[3], parts[6]
        return "", ""

    def record(self) -> dict[str, Any]:
        """The record as JSON; see the head of this file."""
        event = self.event
        return {
            "id": str(event.id),
            "type": event.type,
            "details": _details(event.details or {}, include_data=self.logging.get("includeExecutionData", False)),
            "previous_event_id": str(event.previous_id),
            "event_timestamp": str(event.timestamp_ms),
            "execution_arn": self.execution_arn,
            "redrive_count": str(self.redrive_count),
        }

    def text(self) -> str:
        """The record as one line."""
        return dumps(self.record())


Receive: TypeAlias = Callable[[list[LogEntry]], object]
"""Takes entries in their order: a sink itself, or a Delivery to one."""


class Logs:
    """A listener of the engine: hands on what is to be logged, once it is saved."""

    def __init__(
        self, engine: Engine, logging_of: Callable[[Execution], Logging], receivers: Sequence[Receive]
    ) -> None:
        """`logging_of` says what the revision that an execution runs has as its loggingConfiguration."""
        self._engine = engine
        self._logging_of = logging_of
        self._receivers = receivers
        self._unsaved: list[LogEntry] = []
        engine.listen(self)

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        execution = run.execution
        logging = self._logging_of(execution)
        if event.type not in LEVELS[logging.get("level", "OFF")]:
            return
        if not self._unsaved:
            self._engine.once_saved(self._hand_on)
        machine = execution.machine_name.partition("/")[0]
        self._unsaved.append(LogEntry(machine, execution.arn, execution.redrive_count, logging, event))

    def _hand_on(self) -> None:
        entries, self._unsaved = self._unsaved, []
        for receive in self._receivers:
            receive(entries)


def weight(entry: LogEntry) -> int:
    """About how many bytes an entry keeps alive."""
    values = (entry.event.details or {}).values()
    return 500 + sum(len(value) for value in values if isinstance(value, str))


# --- details ----------------------------------------------------------------------------------------------

_DATA = ("input", "output", "parameters", "assignedVariables")
"""Members that are execution data. All but `parameters` have a member beside them that says whether they were cut."""


def _details(details: Mapping[str, Any], *, include_data: bool) -> dict[str, Any]:
    """Members by name (recorded); data as far as it may be shown and fits."""
    answer: dict[str, Any] = {}
    room = DATA_BYTES_MAX
    for name in sorted(details):
        if name not in _DATA:
            answer[name] = details[name]
        elif include_data:
            kept = _fitted(details[name], room)
            room -= _escaped_bytes(kept)
            answer[name] = kept
            if name != "parameters":
                answer[name + "Details"] = {"truncated": kept != details[name]}
    return answer


def _fitted(data: Any, room: int) -> Any:
    """The data, or as much of its beginning as fits; of variables all or none."""
    if _escaped_bytes(data) <= room:
        return data
    if not isinstance(data, str):
        return {}
    return data[: bisect_right(range(1, len(data)), room, key=lambda length: _escaped_bytes(data[:length]))]


def _escaped_bytes(data: Any) -> int:
    """Length in UTF-8 as a JSON string, without its quotes."""
    text = dumps(data)
    return len(text if text.isascii() else text.encode()) - 2
