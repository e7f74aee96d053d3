"""What the machine does for Parallel and Map: children side by side, their results, their failures.

Branches and inline iterations are frames of the same execution; what a Map in Distributed mode does is in
`map_runs.py`. Where events point back to is as recorded: an iteration's Started points to the last state event of
the iteration whose place it takes, MapStateExited to what came before MapStateSucceeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaidan import errors
from kaidan.asl.machine import map_runs, tasks
from kaidan.asl.machine.execution import Container, Frame, Shelf
from kaidan.asl.states.map import Map
from kaidan.asl.states.state import State
from kaidan.asl.states.visit import FanOut, Visit
from kaidan.errors import StateError
from kaidan.protocol.events import Item
from kaidan.values import Payload

if TYPE_CHECKING:
    from kaidan.asl.machine.advance import Turn

_ABORTABLE = ("Task", "Wait", "Parallel", "Map")
"""State types with an `…Aborted` event."""


def start(turn: Turn, frame: Frame, step: FanOut) -> None:
    """Begin a Parallel or Map state's children."""
    drop(turn, frame)
    total = len(step.scopes) if step.items is None else len(step.items)
    container = Container(input=step.input, scopes=step.scopes, total=total, concurrency=step.concurrency)
    frame.container = container
    turn.execution.shelves[frame.id] = Shelf(items=step.items)
    frame.waiting = "children"
    state = turn.state_of(frame)
    if isinstance(state, Map):
        turn.record_in(frame, "MapStateStarted", {"length": total})
        if state.distributed:
            return map_runs.start(turn, frame, container, state, step.keyed)
    else:
        turn.record_in(frame, "ParallelStateStarted")
    return _launch(turn, frame, container, frame.last_event_id)


def _launch(turn: Turn, frame: Frame, container: Container, previous_id: int) -> None:
    """Start as many children as there is room for; when none is left, the state is done."""
    state = turn.state_of(frame)
    room = _concurrency(turn, container, state)
    while container.launched < container.total and len(container.running) < room:
        index = container.launched
        if isinstance(state, Map):
            _launch_item(turn, frame, container, state, index, previous_id)
        else:
            child = turn.new_frame(
                "branch",
                container.scopes[index],
                container.input,
                previous_id=previous_id,
                parent_id=frame.id,
            )
            child.index = index
            container.running[child.id] = index
        container.launched += 1
    if container.done == container.total:
        _complete(turn, frame, state)


def _concurrency(turn: Turn, container: Container, state: State) -> int:
    if not isinstance(state, Map):
        return container.total
    most = turn.machine.limits.inline_map_concurrency_max
    return min(container.concurrency or most, most)


def _launch_item(turn: Turn, frame: Frame, container: Container, state: Map, index: int, previous_id: int) -> None:
    items = turn.execution.shelves[frame.id].items
    assert items is not None
    item = Item(items[index], None, "STATE_DATA")
    context = map_runs.item_context(index, item, sources=turn.machine.revision.data_sources)
    env = turn.surroundings.env(frame, state, turn.now_ms, context)
    input = state.item_input(Visit(env, frame.input, turn.now_ms), container.input, item.value)
    if state.selects:
        turn.check_input(frame, input)
    event_id = turn.record("MapIterationStarted", previous_id, {"name": state.name, "index": index})
    child = turn.new_frame("iteration", state.processor, input, previous_id=event_id, parent_id=frame.id)
    child.index, child.item = index, item.value
    container.running[child.id] = index


def frame_done(turn: Turn, parent: Frame, child: Frame) -> None:
    """A branch or an iteration has ended well."""
    container = parent.container
    assert container is not None
    turn.touch(parent)
    _put_result(turn, parent, container.running.pop(child.id), child.input)
    container.done += 1
    if child.kind == "iteration":
        details = {"name": parent.state, "index": child.index}
        parent.last_event_id = turn.record("MapIterationSucceeded", child.last_event_id, details)
    else:
        parent.last_event_id = child.last_event_id
    _launch(turn, parent, container, child.last_event_id)


def _complete(turn: Turn, frame: Frame, state: State) -> None:
    """The results are kept until the state is left: a redrive has them, if nothing can be made of them."""
    turn.record(state.type + "StateSucceeded", frame.last_event_id)
    results = turn.execution.shelves[frame.id].results
    turn.resume(frame, map_runs.joined([results[index] for index in sorted(results)]))
    drop(turn, frame)


def _put_result(turn: Turn, frame: Frame, index: int, result: Payload) -> None:
    shelf = turn.execution.shelves[frame.id]
    shelf.results[index] = result
    shelf.unsaved.append(index)


def frame_failed(turn: Turn, parent: Frame, child: Frame, error: StateError) -> None:
    """A branch or an iteration has failed: abort the others; Retry and Catch of the state decide.

    The frames stay until they do: if nothing recovers, a redrive goes on from them.
    """
    turn.touch(parent)
    if child.kind == "branch" and turn.state_of(child).type in _ABORTABLE:
        turn.record(turn.state_of(child).type + "StateAborted", child.last_event_id)
    abort_children(turn, parent, but=child)
    if child.kind == "iteration":
        details = {"name": parent.state, "index": child.index}
        turn.record("MapIterationFailed", child.last_event_id, details)
    parent.last_event_id = child.last_event_id
    turn.recover(parent, turn.state_of(parent), error)


def record_failed(turn: Turn, frame: Frame, state: State, error: StateError) -> None:
    """`ParallelStateFailed` or `MapStateFailed`; for States.Runtime (recorded) only if a Map Run has failed of it."""
    has_run = frame.container is not None and frame.container.run is not None
    if state.type in ("Parallel", "Map") and (error.error != errors.RUNTIME or has_run):
        turn.record_in(frame, state.type + "StateFailed")


# --- aborting ---------------------------------------------------------------------------------------------


def abort(turn: Turn, frame: Frame) -> None:
    """Abort a frame and all below it, innermost first. The frames stay as they are, for a redrive."""
    abort_children(turn, frame)
    turn.touch(frame)
    state = turn.state_of(frame)
    if has_open_run(frame):
        map_runs.MapRun(turn, frame).abandon()
        turn.record_in(frame, "MapRunAborted")
    if frame.waiting and state.type in _ABORTABLE:
        turn.record_in(frame, state.type + "StateAborted")
    tasks.release(turn, frame)
    if frame.kind == "iteration":
        parent = turn.execution.frames[frame.parent_id]
        details = {"name": parent.state, "index": frame.index}
        turn.record("MapIterationAborted", frame.last_event_id, details)


def abort_children(turn: Turn, frame: Frame, but: Frame | None = None) -> None:
    """Abort what runs inside a frame, but for one child."""
    container = frame.container
    if container is None or container.run is not None:
        return
    for child_id in list(container.running):
        if but is None or child_id != but.id:
            abort(turn, turn.execution.frames[child_id])


def has_open_run(frame: Frame) -> bool:
    """Whether a Map Run is under way here."""
    return frame.container is not None and frame.container.run is not None and frame.waiting == "children"


def drop(turn: Turn, frame: Frame) -> None:
    """The state begins anew or is left: forget its children."""
    if frame.container is None:
        return
    for child_id in frame.container.running:
        child = turn.execution.frames.get(child_id)
        if child is not None:
            drop(turn, child)
            turn.forget(child)
    frame.container = None
    turn.execution.shelves.pop(frame.id, None)


def redrive(turn: Turn, frame: Frame, container: Container) -> None:
    """Go on with the children that did not succeed: inline ones from their frames, child executions by their run; or
    with all of them, where too much data was the reason (AWS guide, "Redrive behavior of individual states")."""
    frame.waiting = "children"
    if container.too_large or (container.run is not None and not map_runs.redrive(turn, frame, container.run)):
        drop(turn, frame)
        frame.waiting = "redrive"
        turn.execution.ready.append(frame.id)
    elif container.run is None:
        _launch(turn, frame, container, frame.last_event_id)
