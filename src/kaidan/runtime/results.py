"""The results of a Map Run as files: what ResultWriter asks for. Source: AWS guide, "ResultWriter (Map)"; records and
places as recorded from AWS.

    jobs/ad9b5f27-…/manifest.json      {"DestinationBucket": …, "MapRunArn": …,
                                        "ResultFiles": {"FAILED": [], "PENDING": [], "SUCCEEDED": [{"Key", "Size"}]}}
    jobs/ad9b5f27-…/SUCCEEDED_0.json   [{"ExecutionArn": …, "Input": "…", "Output": "…", …}]
    jobs/ad9b5f27-…/Redrive-1/…        the same of a redrive; its manifest names the earlier successes too

Children are read page by page from where they are kept, so that a run of millions is written in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from kaidan.asl.machine.execution import Execution
from kaidan.asl.query.timestamps import format_ms
from kaidan.integrations.storage import Sink, Storage, StorageError
from kaidan.runtime.redrivable import refusal
from kaidan.runtime.run import MapRun
from kaidan.values import JSON, Payload, dumps

CHUNK_BYTES = 1 << 20
"""What is made on the engine's thread in one go."""

FILE_BYTES_MAX = 5 << 30
"""AWS guide: individual result files have up to 5 GB."""

FAILED_TO_OPEN = (
    "Failed to write a test manifest into the specified output bucket. Make sure that the specified S3 bucket exists "
    "and you have enough permissions to write to it."
)


class Unwritable(Exception):
    """States.ResultWriterFailed; the message is the cause."""


def record(execution: Execution, now_ms: int) -> JSON:
    """A child's outcome with what is known of it, as Transformation NONE has it."""
    reason = refusal(execution, now_ms)
    shown: dict[str, JSON] = {
        "Cause": execution.cause,
        "Error": execution.error,
        "ExecutionArn": execution.arn,
        "Input": execution.input.text,
        "InputDetails": {"Included": True},
        "Name": execution.name,
        "Output": execution.output.text if execution.output is not None else None,
        "OutputDetails": {"Included": True},
        "RedriveCount": execution.redrive_count,
        "RedriveDate": format_ms(execution.redrive_ms) if execution.redrive_ms else None,
        "RedriveStatus": None if execution.express else "NOT_REDRIVABLE" if reason else "REDRIVABLE_BY_MAP_RUN",
        "RedriveStatusReason": None if execution.express else reason,
        "StartDate": format_ms(execution.start_ms),
        "StateMachineArn": execution.machine_arn,
        "Status": execution.status,
        "StopDate": format_ms(execution.stop_ms),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _pending(input: str) -> JSON:
    return {"Input": input, "InputDetails": {"Included": True}, "Status": "PENDING"}


class Destination:
    """Where the files of one attempt at a Map Run go."""

    def __init__(self, map_run: MapRun, storage: Storage | None) -> None:
        if storage is None:
            raise Unwritable("Nothing here writes results")
        writer = map_run.effect.writer
        self._parameters: JSON = writer["Parameters"]
        self._storage = storage
        self._check()
        prefix: str = self._parameters.get("Prefix") or ""
        attempt = f"Redrive-{map_run.redrive_count}/" if map_run.redrive_count else ""
        self._folder = f"{prefix}{'/' if prefix and not prefix.endswith('/') else ''}{map_run.arn[-36:]}/{attempt}"
        self._map_run = map_run
        self.lines: bool = writer["OutputType"] == "JSONL"
        self.transformation: str = writer["Transformation"]

    def _check(self) -> None:
        bucket, prefix = self._parameters.get("Bucket"), self._parameters.get("Prefix", "")
        for name, value in (("Bucket", bucket), ("Prefix", prefix)):
            if not isinstance(value, str) or (name == "Bucket" and not value):
                raise Unwritable(f"The field '{name}' of the ResultWriter must be a string.")

    @property
    def output(self) -> Payload:
        """What the state's result says."""
        details = {"Bucket": self._parameters["Bucket"], "Key": self._folder + "manifest.json"}
        return Payload({"MapRunArn": self._map_run.arn, "ResultWriterDetails": details})

    def key(self, status: str, number: int) -> str:
        return f"{self._folder}{status}_{number}.{'jsonl' if self.lines else 'json'}"

    def create(self, key: str, content_type: str = "binary/octet-stream") -> Sink:
        parameters = {name: value for name, value in self._parameters.items() if name not in ("Prefix", "Key", "Body")}
        if not parameters["Bucket"].startswith("file:"):
            parameters["ContentType"] = content_type
        return self._storage.create({**parameters, "Key": key})

    def write_manifest(self, files: dict[str, list[JSON]]) -> None:
        manifest = {
            "DestinationBucket": self._parameters["Bucket"],
            "MapRunArn": self._map_run.arn,
            "ResultFiles": {status: files.get(status, []) for status in ("FAILED", "PENDING", "SUCCEEDED")},
        }
        sink = self.create(self._folder + "manifest.json", "application/octet-stream")
        sink.write(dumps(manifest).encode())
        sink.close()

    def open(self) -> None:
        """See whether there can be files. Blocks. Raises Unwritable."""
        try:
            self.write_manifest({})
        except StorageError as problem:
            raise Unwritable(f"{FAILED_TO_OPEN} {problem}") from None


Step = Callable[[], None]


class Export:
    """Writes the files of one attempt, step by step: `next_step` makes a piece of work for a thread, on the engine's
    thread, until there is none."""

    def __init__(
        self,
        destination: Destination,
        children: Callable[[bool], Iterable[Execution]],
        pending: list[str],
        earlier: JSON,
        now_ms: int,
    ) -> None:
        """`children(True)`, those that succeeded, and `children(False)`, all others, are read once, in their order;
        `pending`: inputs; `earlier`: the files of earlier attempts' successes."""
        self._destination = destination
        self._now_ms = now_ms
        self.files: dict[str, list[JSON]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": list(earlier)}
        self._records = {
            "SUCCEEDED": self._successes(children),
            "FAILED": (dumps(record(child, now_ms)) for child in children(False)),
            "PENDING": (dumps(_pending(input)) for input in pending),
        }
        self._steps = self._all_steps()
        self._file: _File | None = None

    def next_step(self) -> Step | None:
        return next(self._steps, None)

    def abort(self) -> None:
        """Something went wrong: leave nothing unfinished behind. Blocks."""
        if self._file is not None:
            self._file.abort()

    def _successes(self, children: Callable[[bool], Iterable[Execution]]) -> Iterator[str]:
        transformation = self._destination.transformation
        for child in children(True):
            assert child.output is not None
            if transformation == "NONE":
                yield dumps(record(child, self._now_ms))
            elif transformation == "FLATTEN" and isinstance(child.output.value, list):
                yield from map(dumps, child.output.value)
            else:
                yield child.output.line

    def _all_steps(self) -> Iterator[Step]:
        for status, records in self._records.items():
            yield from self._file_steps(status, records)
        yield lambda: self._destination.write_manifest(self.files)

    def _file_steps(self, status: str, records: Iterator[str]) -> Iterator[Step]:
        number = 0
        file = self._begin(status, number)
        for data in _chunked(records):
            if file.used and file.size + len(data) >= FILE_BYTES_MAX:
                yield self._closing(status, file)
                number += 1
                file = self._begin(status, number)
            yield partial(file.add, data)
        earlier_ones_only = status == "SUCCEEDED" and bool(self.files[status])
        if file.used or earlier_ones_only:
            yield self._closing(status, file)

    def _begin(self, status: str, number: int) -> _File:
        self._file = _File(self._destination, self._destination.key(status, number))
        return self._file

    def _closing(self, status: str, file: _File) -> Step:
        def close() -> None:
            file.close()
            self.files[status].append({"Key": file.key, "Size": file.size})

        return close


class _File:
    """One file of records: a JSON array, or lines."""

    def __init__(self, destination: Destination, key: str) -> None:
        self.key = key
        self.size = 0
        self.used = False
        self._destination = destination
        self._sink: Sink | None = None

    def add(self, records: bytes) -> None:
        """Records, separated by newlines as chunks are."""
        if self._destination.lines:
            return self._write(records)
        before = b"," if self.used else b"["
        self.used = True
        return self._write(before + records[:-1].replace(b"\n", b","))

    def _write(self, data: bytes) -> None:
        self.used = True
        if self._sink is None:
            self._sink = self._destination.create(self.key)
        self._sink.write(data)
        self.size += len(data)

    def close(self) -> None:
        if not self._destination.lines:
            self._write(b"]" if self.used else b"[]")
        if self._sink is None:
            self._sink = self._destination.create(self.key)
        self._sink.close()
        self._sink = None

    def abort(self) -> None:
        if self._sink is not None:
            self._sink.abort()


def _chunked(records: Iterator[str]) -> Iterator[bytes]:
    """Records as lines, joined to pieces of a bounded size. No record has newlines."""
    lines: list[str] = []
    size = 0
    for text in records:
        lines.append(text)
        size += len(text)
        if size >= CHUNK_BYTES:
            yield ("\n".join(lines) + "\n").encode()
            lines, size = [], 0
    if lines:
        yield ("\n".join(lines) + "\n").encode()
