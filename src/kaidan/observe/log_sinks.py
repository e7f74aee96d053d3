"""Where log records go: a sink is anything that takes a list of entries; it may block, a Delivery feeds it.

    sink([LogEntry(…), …])

CloudWatch's streams are named as AWS names them, `states/orders/2026-11-24-12-03/7851b2d9`.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from kaidan.integrations.clients import ClientFactory
from kaidan.observe.files import RotatedFile
from kaidan.observe.logs import LogEntry

BATCH_EVENTS_MAX = 10_000
BATCH_BYTES_MAX = 1_048_576
EVENT_OVERHEAD_BYTES = 26
BATCH_SPAN_MS_MAX = 24 * 3_600_000
"""CloudWatch Logs API reference, PutLogEvents."""


class MemoryLog:
    """Keeps records: for tests."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def __call__(self, entries: Iterable[LogEntry]) -> None:
        self.entries += entries

    def records(self, log_group: str | None = None) -> list[dict[str, Any]]:
        """The records of a log group, or all of them."""
        return [entry.record() for entry in self.entries if log_group in (None, entry.log_group)]


class StreamLog:
    """Writes a line for each record: to standard output, say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, entries: Iterable[LogEntry]) -> None:
        self._stream.write("".join(entry.text() + "\n" for entry in entries))
        self._stream.flush()


class FileLog:
    """Writes a line for each record to a file that is rotated."""

    def __init__(self, path: Path) -> None:
        self._file = RotatedFile(path)

    def __call__(self, entries: Iterable[LogEntry]) -> None:
        self._file.write(entry.text() for entry in entries)


# --- CloudWatch Logs --------------------------------------------------------------------------------------


class Destination(NamedTuple):
    """The log group, and the machine that writes to a stream of its own there."""

    region: str
    group: str
    machine: str


class CloudWatchLog:
    """Writes each record to the log group that its machine names. A group that is not there loses its records."""

    def __init__(self, clients: ClientFactory) -> None:
        self._clients = clients
        self._streams: dict[Destination, str] = {}
        """The stream that is written; each hour has a new one."""

    def __call__(self, entries: Iterable[LogEntry]) -> None:
        """Raises botocore's exceptions, once everything has been tried."""
        problems: list[Exception] = []
        for destination, events in _by_destination(entries).items():
            for batch in batches(events):
                try:
                    self._put(destination, batch)
                except Exception as problem:
                    problems.append(problem)
        if problems:
            raise problems[0]

    def _put(self, to: Destination, events: list[dict[str, Any]]) -> None:
        """Write events; a stream that somebody has deleted is made anew, once."""
        client = self._client(to)
        names = {"logGroupName": to.group, "logStreamName": self._stream(to)}
        try:
            client.put_log_events(**names, logEvents=events)
        except client.exceptions.ResourceNotFoundException:
            del self._streams[to]
            names["logStreamName"] = self._stream(to)
            client.put_log_events(**names, logEvents=events)

    def _client(self, to: Destination) -> Any:
        return (self._clients.in_region(to.region) if to.region else self._clients).client("logs")

    def _stream(self, to: Destination) -> str:
        now = datetime.datetime.now(datetime.UTC)
        known = self._streams.get(to)
        if known is not None and known.startswith(_prefix(to.machine, now)):
            return known
        name = f"{_prefix(to.machine, now)}{now:-%M}/{uuid.uuid4().hex[:8]}"
        self._client(to).create_log_stream(logGroupName=to.group, logStreamName=name)
        self._streams[to] = name
        return name


def _prefix(machine: str, now: datetime.datetime) -> str:
    return f"states/{machine}/{now:%Y-%m-%d-%H}"


def _by_destination(entries: Iterable[LogEntry]) -> dict[Destination, list[dict[str, Any]]]:
    found: dict[Destination, list[dict[str, Any]]] = {}
    for entry in entries:
        if group := entry.log_group:
            event = {"timestamp": entry.event.timestamp_ms, "message": entry.text()}
            found.setdefault(Destination(entry.log_region, group, entry.machine), []).append(event)
    return found


def batches(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """What one request may carry each, in the order of time."""
    batch: list[dict[str, Any]] = []
    size = 0
    for event in sorted(events, key=lambda event: event["timestamp"]):
        more = len(event["message"].encode()) + EVENT_OVERHEAD_BYTES
        too_late = batch and event["timestamp"] - batch[0]["timestamp"] >= BATCH_SPAN_MS_MAX
        if batch and (too_late or size + more > BATCH_BYTES_MAX or len(batch) == BATCH_EVENTS_MAX):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += more
    if batch:
        yield batch
