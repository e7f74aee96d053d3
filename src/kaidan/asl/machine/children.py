"""What the machine does for Parallel and Map: children side by side, their results, their failures.

Branches and inline iterations are frames of the same execution; the items of a Distributed Map are child
executions that the world runs. Where events point back to is as recorded: an iteration's Started points to the
last state event of the iteration whose place it takes, MapStateExited to what came before MapStateSucceeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaidan import errors
from kaidan.arns import Arn
from kaidan.asl.machine import tasks
from kaidan.asl.machine.execution import Container, Frame, Shelf
from kaidan.asl.states.map import Map, Tolerance
from kaidan.asl.states.state import State
from kaidan.asl.states.visit import FanOut, Visit
from kaidan.errors import StateError
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.values import JSON, Payload, check_depth

if TYPE_CHECKING:
    from kaidan.asl.machine.advance import Turn

_ABORTABLE = ("Task", "Wait", "Parallel", "Map")
"""State types with an `…Aborted` event."""


def start(turn: Turn, frame: Frame, step: FanOut) -> None:
    """Begin a Parallel or Map state's children."""
    drop(turn, frame)
    total = len(step.scopes) if step.items is None else len(step.items)
    frame.container = Container(input=step.input, scopes=step.scopes, total=total, concurrency=step.concurrency)
    turn.execution.shelves[frame.id] = Shelf(items=step.items)
    frame.waiting = "children"
    state = turn.state_of(frame)
    if isinstance(state, Map):
        turn.record_in(frame, "MapStateStarted", {"length": total})
        if state.distributed:
            _start_map_run(turn, frame, frame.container, state)
    else:
        turn.record_in(frame, "ParallelStateStarted")
    _launch(turn, frame, frame.container, frame.last_event_id)


def _launch(turn: Turn, frame: Frame, container: Container, previous_id: int) -> None:
    """Start as many children as there is room for; when none is left, the state is done."""
    state = turn.state_of(frame)
    room = _concurrency(turn, container, state)
    while container.launched < container.total and len(container.running) < room:
        index = container.launched
        container.launched += 1
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
    if container.done == container.total:
        _complete(turn, frame, container, state)


def _concurrency(turn: Turn, container: Container, state: State) -> int:
    if not isinstance(state, Map):
        return container.total
    limits = turn.machine.limits
    most = limits.distributed_map_concurrency_max if state.distributed else limits.inline_map_concurrency_max
    return min(container.concurrency or most, most)


def _launch_item(turn: Turn, frame: Frame, container: Container, state: Map, index: int, previous_id: int) -> None:
    items = turn.execution.shelves[frame.id].items
    assert items is not None
    item = {"Index": index, "Value": items[index]}
    env = turn.surroundings.env(frame, state, turn.now_ms, item)
    input = state.item_input(Visit(env, frame.input, turn.now_ms), container.input, items[index])
    if container.map_run_arn is not None:
        return _launch_child(turn, frame, container, state, item, input)
    event_id = turn.record("MapIterationStarted", previous_id, {"name": state.name, "index": index})
    child = turn.new_frame("iteration", state.processor, input, previous_id=event_id, parent_id=frame.id)
    child.index, child.item = index, item["Value"]
    container.running[child.id] = index
    return None


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


def _complete(turn: Turn, frame: Frame, container: Container, state: State) -> None:
    if container.map_run_arn is not None:
        turn.effects.append(fx.CloseMapRun(container.map_run_arn, "SUCCEEDED"))
        turn.record_in(frame, "MapRunSucceeded")
    turn.record(state.type + "StateSucceeded", frame.last_event_id)
    if container.map_run_arn is not None and turn.machine.revision.map_exit_follows_run_start:
        frame.last_event_id = container.run_started_event_id
    results = turn.execution.shelves.pop(frame.id).results
    frame.container = None
    turn.resume(frame, _joined([results[index] for index in sorted(results)]))


def _put_result(turn: Turn, frame: Frame, index: int, result: Payload) -> None:
    shelf = turn.execution.shelves[frame.id]
    shelf.results[index] = result
    shelf.unsaved.append(index)


def _joined(results: list[Payload]) -> Payload:
    """The array of results; its text is made of theirs, so that nothing is serialised again (recorded)."""
    values, text = [result.value for result in results], "[" + ",".join(result.text for result in results) + "]"
    check_depth(values, text)
    return Payload(values, text)


def frame_failed(turn: Turn, parent: Frame, child: Frame, error: StateError) -> None:
    """A branch or an iteration has failed: abort the others; Retry and Catch of the state decide.

    The frames stay until they do: if nothing recovers, a redrive goes on from them.
    """
    turn.touch(parent)
    if child.kind == "branch" and turn.state_of(child).type in _ABORTABLE:
        turn.record(turn.state_of(child).type + "StateAborted", child.last_event_id)
    _abort_children(turn, parent, but=child)
    if child.kind == "iteration":
        details = {"name": parent.state, "index": child.index}
        turn.record("MapIterationFailed", child.last_event_id, details)
    parent.last_event_id = child.last_event_id
    turn.recover(parent, turn.state_of(parent), error)


def record_failed(turn: Turn, frame: Frame, state: State, error: StateError) -> None:
    """`ParallelStateFailed` or `MapStateFailed`, but for States.Runtime (recorded)."""
    if state.type in ("Parallel", "Map") and error.error != errors.RUNTIME:
        turn.record_in(frame, state.type + "StateFailed")


# --- aborting ---------------------------------------------------------------------------------------------


def abort(turn: Turn, frame: Frame) -> None:
    """Abort a frame and all below it, innermost first. The frames stay as they are, for a redrive."""
    _abort_children(turn, frame)
    turn.touch(frame)
    state = turn.state_of(frame)
    if frame.container is not None and frame.container.map_run_arn is not None and frame.waiting:
        turn.effects.append(fx.CloseMapRun(frame.container.map_run_arn, "ABORTED"))
        turn.record_in(frame, "MapRunAborted")
    if frame.waiting and state.type in _ABORTABLE:
        turn.record_in(frame, state.type + "StateAborted")
    tasks.release(turn, frame)
    if frame.kind == "iteration":
        parent = turn.execution.frames[frame.parent_id]
        details = {"name": parent.state, "index": frame.index}
        turn.record("MapIterationAborted", frame.last_event_id, details)


def _abort_children(turn: Turn, frame: Frame, but: Frame | None = None) -> None:
    container = frame.container
    for child_id in list(container.running) if container is not None else ():
        if container is not None and container.map_run_arn is not None:
            turn.execution.requests.pop(child_id, None)
            turn.effects.append(fx.CancelChild(child_id))
        elif but is None or child_id != but.id:
            abort(turn, turn.execution.frames[child_id])


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
    """Go on with the children that did not succeed: inline ones from their frames, child executions anew."""
    frame.waiting = "children"
    state = turn.state_of(frame)
    if container.map_run_arn is None or not isinstance(state, Map):
        return
    details = {"mapRunArn": container.map_run_arn, "redriveCount": turn.execution.redrive_count}
    container.run_started_event_id = turn.record_in(frame, "MapRunRedriven", details)
    indexes = sorted([*container.failed, *container.running.values()])
    container.done, container.failed = container.done - len(container.failed), []
    container.running = {}
    turn.effects.append(_map_run(frame, container, state))
    for index in indexes:
        _launch_item(turn, frame, container, state, index, frame.last_event_id)
    _launch(turn, frame, container, frame.last_event_id)


# --- Distributed Map --------------------------------------------------------------------------------------


def _start_map_run(turn: Turn, frame: Frame, container: Container, state: Map) -> None:
    tolerance = state.tolerance(turn.visit(frame))
    execution, uuid4 = turn.execution, turn.machine.source.uuid4
    label = state.label or uuid4()
    machine_name = Arn.parse(execution.machine_arn).resource.split(":")[1]
    container.map_run_arn = Arn.parse(execution.machine_arn).states(f"mapRun:{machine_name}/{label}:{uuid4()}")
    container.tolerated_count, container.tolerated_percentage = tolerance.count, tolerance.percentage
    container.run_started_event_id = turn.record_in(frame, "MapRunStarted", {"mapRunArn": container.map_run_arn})
    turn.effects.append(_map_run(frame, container, state))


def _map_run(frame: Frame, container: Container, state: Map) -> fx.StartMapRun:
    return fx.StartMapRun(
        map_run_arn=container.map_run_arn or "",
        state=state.name,
        item_count=container.total,
        max_concurrency=container.concurrency,
        tolerated_failure_count=container.tolerated_count,
        tolerated_failure_percentage=container.tolerated_percentage,
    )


def _launch_child(
    turn: Turn, frame: Frame, container: Container, state: Map, item: dict[str, JSON], input: Payload
) -> None:
    assert container.map_run_arn is not None
    request_id = turn.await_answer(frame)
    container.running[request_id] = item["Index"]
    turn.effects.append(
        fx.StartChild(
            request_id=request_id,
            map_run_arn=container.map_run_arn,
            scope=state.processor,
            name=turn.machine.source.uuid4(),
            label=container.map_run_arn.split("/")[1].split(":")[0],
            input=input,
            express=state.express,
            index=item["Index"],
            map_item=item,
        )
    )


def child_closed(turn: Turn, frame: Frame, event: ev.ChildClosed) -> None:
    """A child execution has ended; failures count against what the state tolerates."""
    del turn.execution.requests[event.request_id]
    container = frame.container
    assert container is not None and container.map_run_arn is not None
    index = container.running.pop(event.request_id)
    container.done += 1
    if event.status == "SUCCEEDED" and event.output is not None:
        _put_result(turn, frame, index, event.output)
    else:
        container.failed.append(index)
    tolerance = Tolerance(container.tolerated_count, container.tolerated_percentage)
    if tolerance.exceeded(len(container.failed), container.total):
        _fail_map_run(turn, frame, container)
    _launch(turn, frame, container, frame.last_event_id)


def update_map_run(turn: Turn, event: ev.MapRunUpdated) -> None:
    """UpdateMapRun: the state looks at the new numbers from now on."""
    for frame in list(turn.execution.frames.values()):
        if frame.container is not None and frame.container.map_run_arn == event.map_run_arn:
            turn.touch(frame)
            _update(turn, frame, frame.container, event)


def _update(turn: Turn, frame: Frame, container: Container, event: ev.MapRunUpdated) -> None:
    container.concurrency = event.max_concurrency
    container.tolerated_count = event.tolerated_failure_count
    container.tolerated_percentage = event.tolerated_failure_percentage
    turn.attempt(frame, lambda: _launch(turn, frame, container, frame.last_event_id))


def _fail_map_run(turn: Turn, frame: Frame, container: Container) -> None:
    assert container.map_run_arn is not None
    cause = "The specified tolerated failure threshold was exceeded"
    error = StateError(errors.EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)
    turn.effects.append(fx.CloseMapRun(container.map_run_arn, "FAILED"))
    _abort_children(turn, frame)
    turn.record_in(frame, "MapRunFailed", tasks.error_details(error))
    raise error
