"""The executions that `kaidan run` made, kept for `kaidan history`: one JSON file each, the newest hundred.

    {"executionArn": …, "name": …, "status": "SUCCEEDED", "startDate": "2026-11-24T12:03:01.123+00:00", …,
     "events": [{"timestamp": "2026-11-24T12:03:01.123+00:00", "type": "ExecutionStarted", "id": 1, …}, …]}

That is DescribeExecution's answer with GetExecutionHistory's inside. Files lie in $KAIDAN_HOME/runs, and without
that variable where programs keep their data on this system.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from kaidan.cli.inputs import read_json, read_text
from kaidan.cli.problems import Refusal
from kaidan.cli.text import cut
from kaidan.protocol.history import HistoryEvent, to_aws
from kaidan.server.home import home
from kaidan.values import JSON, dumps

if TYPE_CHECKING:
    from kaidan.runtime.engine import Run

KEPT_MAX = 100
MOMENT_MS_MAX = 253_402_214_400_000
"""The last day that has four digits for its year."""

Record = dict[str, Any]


def _folder() -> Path:
    return home() / "runs"


# --- writing ----------------------------------------------------------------------------------------------


def iso(milliseconds: int) -> str:
    """A moment as the AWS command line prints it, to the millisecond: `2026-11-24T12:03:01.123+00:00`."""
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).isoformat(timespec="milliseconds")


def record_of(run: Run, definition: Path) -> Record:
    """What is kept of an execution that has ended."""
    execution = run.execution
    record = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": iso(execution.start_ms),
        "stopDate": iso(execution.stop_ms),
        "input": execution.input.text,
        "output": execution.output.text if execution.output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        "definition": str(definition.absolute()),
        "events": events_of(run.history),
    }
    return {key: value for key, value in record.items() if value is not None}


def events_of(history: list[HistoryEvent]) -> list[Record]:
    """Events in AWS's form."""
    return [to_aws(event, iso(event.timestamp_ms)) for event in history]


def keep(record: Record, started_ms: int) -> Path:
    """Write a record, and let go of the oldest beyond a hundred. Raises OSError."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{started_ms:013}-{record['name']}.json"
    _write(path, orjson.dumps(record))
    for old in _files()[KEPT_MAX:]:
        old.unlink(missing_ok=True)
    return path


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


# --- reading ----------------------------------------------------------------------------------------------


def _files() -> list[Path]:
    """The newest first: names begin with the time of the start."""
    return sorted(_folder().glob("[0-9]*-*.json"), reverse=True) if _folder().is_dir() else []


class Heading(msgspec.Struct, rename="camel"):
    """What a list shows of a record. Reading no more than this skips the events."""

    name: str
    status: str
    state_machine_arn: str
    start_date: datetime.datetime
    stop_date: datetime.datetime
    definition: str = ""


def headings() -> Iterator[Heading]:
    """All that is kept, the newest first. A file that is damaged is left out."""
    for path in _files():
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            yield msgspec.json.decode(path.read_bytes(), type=Heading)


def find(wanted: str) -> Record:
    """By `last`, a name or its beginning, an ARN, or a file. Raises Refusal."""
    if wanted.endswith(".json") or os.sep in wanted:
        return _read(Path(wanted))
    name = wanted.rpartition(":")[2]
    found = [path for path in _files() if wanted == "last" or _name(path).startswith(name)]
    if not found:
        raise Refusal(NOTHING if wanted == "last" else f"{wanted}: no such execution", WHERE)
    exact = [path for path in found if _name(path) == name]
    if len(found) > 1 and not exact and wanted != "last":
        raise Refusal(f"{wanted}: begins the names of {len(found)} executions", WHERE)
    return _read((exact or found)[0])


NOTHING = "no execution is kept yet"
WHERE = "`kaidan history --list` shows those that are kept; a file with a history is taken too"


class AwsEvent(msgspec.Struct):
    """What every event of a history file must have."""

    id: int
    type: str
    previousEventId: int = 0
    timestamp: datetime.datetime | float = 0.0


def history_of(record: Record) -> list[HistoryEvent]:
    """A record's events as the engine keeps them, whoever wrote them. Raises Refusal."""
    return [_event(event) for event in record["events"]]


def _event(event: Record) -> HistoryEvent:
    """Times are ISO 8601, as of the AWS command line's second version, or seconds, as of its first."""
    try:
        read = msgspec.convert(event, type=AwsEvent)
    except msgspec.ValidationError as problem:
        raise Refusal(f"this is no event of a history: {problem}", cut(dumps(event), 100)) from None
    moment = read.timestamp
    seconds = moment.timestamp() if isinstance(moment, datetime.datetime) else moment
    details = next((value for key, value in event.items() if key.endswith("EventDetails")), None)
    milliseconds = min(max(0, round(seconds * 1000)), MOMENT_MS_MAX)
    return HistoryEvent(read.id, read.previousEventId, read.type, milliseconds, details)


def _name(path: Path) -> str:
    return path.stem.partition("-")[2]


def _read(path: Path) -> Record:
    """A record, or the answer of GetExecutionHistory, or its list of events alone."""
    value: JSON = read_json(read_text(path), str(path))
    record = {"events": value} if isinstance(value, list) else value
    events = record.get("events") if isinstance(record, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise Refusal(
            f"{path}: is no history", 'a history is {"events": [{"id": 1, "type": "ExecutionStarted", …}, …]}'
        )
    return dict(record)
