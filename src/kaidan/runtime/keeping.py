"""Executions to and from what a store keeps: the one place that knows the encoded forms."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from kaidan.asl.machine.execution import Execution, Frame, Shelf
from kaidan.limits import AWS
from kaidan.runtime.run import Run, Unsaved
from kaidan.store.contract import Change, Row, Stored, TaskRow
from kaidan.values import Payload, dumps, loads

ITEMS = -1
"""The index under which the array of all items of a container is kept."""


def _encode(value: Any) -> Any:
    return value.text if isinstance(value, Payload) else list(value)


def _decode(kind: type, value: Any) -> Any:
    return Payload.of_text(value) if kind is Payload else deque(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode)
_executions = msgspec.msgpack.Decoder(Execution, dec_hook=_decode)
_frames = msgspec.msgpack.Decoder(Frame, dec_hook=_decode)
_tasks = msgspec.msgpack.Decoder(TaskRow, dec_hook=_decode)


_IN_ROW: dict[str, Any] = {
    **dict.fromkeys(("arn", "name", "machine_arn", "status"), ""),
    **dict.fromkeys(("start_ms", "stop_ms"), 0),
    **dict.fromkeys(("version_arn", "alias_arn")),
}
"""What a row says of an execution, and what its head says instead."""


def _head(execution: Execution) -> bytes:
    bare = msgspec.structs.replace(execution, frames={}, shelves={}, touched=set(), **_IN_ROW)
    return _encoder.encode(bare)


def change_of(run: Run) -> Change:
    """What is to be written of a run; from then on it counts as saved."""
    execution, unsaved = run.execution, run.unsaved
    closed = execution.status != "RUNNING" and not execution.frames
    change = Change(row=row_of(run, _head(execution)), closed=closed, new=not run.saved)
    if not run.is_brief:
        change.events = run.history
    if closed or not run.is_brief:
        run.history = []
    else:
        del run.history[: -AWS.history_events_max]
    run.unsaved, run.saved = Unsaved(), True
    if not closed:
        present = execution.frames.keys()
        change.frames = {i: _encoder.encode(execution.frames[i]) for i in execution.touched & present}
        change.gone_frames = list(run.saved_frames - present)
        run.saved_frames = set(present)
        change.items = [row for frame_id, shelf in execution.shelves.items() for row in _items(frame_id, shelf)]
        change.timers, change.gone_timers = unsaved.timers, unsaved.gone_timers
        change.tasks = {request_id: _encoder.encode(task) for request_id, task in unsaved.tasks.items()}
        change.gone_tasks = unsaved.gone_tasks
    execution.touched.clear()
    return change


def forget_changes(run: Run) -> None:
    """As `change_of`, where nothing is kept: everything stays in memory."""
    run.unsaved = Unsaved()
    if run.is_brief:
        most = AWS.history_events_max if run.execution.status == "RUNNING" else 0
        del run.history[: len(run.history) - most]
    run.execution.touched.clear()


def row_of(run: Run, head: bytes) -> Row:
    """What is known of a run without its frames."""
    execution = run.execution
    return Row(
        arn=execution.arn,
        machine_arn=execution.machine_arn,
        name=execution.name,
        status=execution.status,
        start_ms=execution.start_ms,
        stop_ms=execution.stop_ms,
        version_arn=execution.version_arn,
        alias_arn=execution.alias_arn,
        map_run_arn=run.map_run_arn,
        parent_request=run.parent_request,
        undelivered=run.undelivered,
        pending=execution.status == "RUNNING" and (bool(execution.ready) or execution.next_event_id == 1),
        redriven=execution.redrive_count > 0,
        moment_ms=max(execution.start_ms, execution.redrive_ms) if execution.status == "RUNNING" else execution.stop_ms,
        head=head,
    )


def encode(value: Any) -> bytes:
    """Anything that is kept as a document."""
    return _encoder.encode(value)


def _items(frame_id: int, shelf: Shelf) -> list[tuple[int, int, str]]:
    rows = [(frame_id, index, shelf.results[index].text) for index in shelf.unsaved]
    if shelf.new and shelf.items is not None:
        rows.append((frame_id, ITEMS, dumps(shelf.items)))
    shelf.new, shelf.unsaved = False, []
    return rows


def execution_of(row: Row) -> Execution:
    """An execution without its frames: enough to describe it."""
    execution = _executions.decode(row.head)
    for name in _IN_ROW:
        setattr(execution, name, getattr(row, name))
    return execution


def loaded(stored: Stored) -> Execution:
    """A whole execution, ready to go on."""
    execution = execution_of(stored.row)
    execution.frames = {frame_id: _frames.decode(data) for frame_id, data in stored.frames.items()}
    for frame_id, frame in execution.frames.items():
        if frame.container is not None:
            execution.shelves[frame_id] = _shelf(stored.items.get(frame_id, {}))
    return execution


def _shelf(rows: dict[int, str]) -> Shelf:
    items = loads(rows[ITEMS]) if ITEMS in rows else None
    results = {index: Payload.of_text(text) for index, text in rows.items() if index != ITEMS}
    return Shelf(items=items, results=results, new=False)


def task_of(data: bytes) -> TaskRow:
    """A task that was under way."""
    return _tasks.decode(data)
