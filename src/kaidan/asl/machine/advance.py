"""The machine: `Machine.advance(execution, event, now_ms) → effects`. No clock, no dice, no I/O, no await.

It runs as far as it can without the world: ready frames take turns, one state visit each, until all of them
wait or the slice is used up. What one visit of a state does is in `_Turn._enter` and `_Turn._follow`; what an
answer does in `_Turn.answer`; containers are in `children.py`, errors in `_Turn._fail`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import assert_never

from kaidan import errors
from kaidan.arns import TaskResource
from kaidan.asl.language.compile import Program
from kaidan.asl.machine import children, tasks
from kaidan.asl.machine.context import Surroundings
from kaidan.asl.machine.execution import Execution, Frame
from kaidan.asl.machine.map_runs import MapRun
from kaidan.asl.query.env import Source
from kaidan.asl.states.recovery import error_output, matches
from kaidan.asl.states.state import State
from kaidan.asl.states.visit import Ask, Exit, FanOut, Halt, Sleep, Step, Visit
from kaidan.errors import StateError
from kaidan.limits import AWS, Limits
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.revisions import TODAY, Revision
from kaidan.values import JSON, Payload, TooDeep

ParameterCheck = Callable[[TaskResource, JSON], str | None]
"""Says why parameters cannot be used to start a task, or None."""


Preparation = Callable[[TaskResource, JSON], JSON]
"""Gives parameters as they are sent, and as history shows them."""


def accept(resource: TaskResource, parameters: JSON) -> str | None:
    """Parameters are not looked at before a task begins."""
    return None


def as_they_are(resource: TaskResource, parameters: JSON) -> JSON:
    """Nothing is added to parameters."""
    return parameters


class Machine:
    """A program with what it may be told from outside: chance, parameter checks, limits, AWS's revision."""

    def __init__(
        self,
        program: Program,
        source: Source,
        *,
        check_parameters: ParameterCheck = accept,
        prepare_parameters: Preparation = as_they_are,
        limits: Limits = AWS,
        revision: Revision = TODAY,
    ) -> None:
        self.program = program
        self.source = source
        self.check_parameters = check_parameters
        self.prepare_parameters = prepare_parameters
        self.limits = limits
        self.revision = revision

    def advance(self, execution: Execution, event: ev.Event, now_ms: int) -> list[fx.Effect]:
        """Take an event in, change `execution` in place, and say what is to be done.

        An answer that nobody awaits, and any event after the end, changes nothing and gives no effects. Raises Broken
        when there is a fault in here: the execution has failed of it then.
        """
        turn = Turn(self, execution, now_ms)
        if execution.status == "RUNNING" or isinstance(event, ev.Redriven):
            try:
                if turn.is_over_time and not isinstance(event, ev.Redriven):
                    turn.time_out()
                else:
                    turn.take(event)
                    turn.run()
            except _HistoryFull:
                turn.history_full()
            except Exception as problem:
                turn.broken(problem)
                raise Broken(turn.effects) from problem
        return turn.effects


class Broken(Exception):
    """A fault of the machine, not of the definition; `effects` are what is still to be done for the execution."""

    def __init__(self, effects: list[fx.Effect]) -> None:
        super().__init__("a fault of the machine")
        self.effects = effects


def _error(problem: StateError | TooDeep) -> StateError:
    return problem if isinstance(problem, StateError) else errors.runtime_error(str(problem))


class _HistoryFull(Exception):
    """The next event would be the last that fits."""


class Turn:
    """One call of `advance`: the execution, the time, and the effects so far."""

    __slots__ = ("effects", "end_ms", "events_max", "execution", "machine", "now_ms", "surroundings")

    def __init__(self, machine: Machine, execution: Execution, now_ms: int) -> None:
        self.machine = machine
        self.execution = execution
        self.now_ms = now_ms
        self.effects: list[fx.Effect] = []
        self.events_max = sys.maxsize if execution.express else machine.limits.history_events_max
        limits = machine.limits
        self.end_ms = execution.start_ms + 1000 * (
            limits.express_duration_s_max if execution.express else limits.standard_duration_s_max
        )
        """When it must have ended, whatever the definition says."""
        self.surroundings = Surroundings(execution, machine.source, machine.revision)

    @property
    def is_over_time(self) -> bool:
        return self.now_ms >= self.end_ms

    # --- history ------------------------------------------------------------------------------------------

    def record(self, type: str, previous_id: int, details: dict[str, JSON] | None = None) -> int:
        """Write one history event; the answer is its id."""
        execution = self.execution
        event_id = execution.next_event_id
        if event_id >= self.events_max and not type.startswith("Execution"):
            raise _HistoryFull
        execution.next_event_id = event_id + 1
        self.effects.append(HistoryEvent(event_id, previous_id, type, self.now_ms, details))
        return event_id

    def record_in(self, frame: Frame, type: str, details: dict[str, JSON] | None = None) -> int:
        """Write an event of a frame, chained to the frame's last one."""
        frame.last_event_id = self.record(type, frame.last_event_id, details)
        return frame.last_event_id

    # --- requests -----------------------------------------------------------------------------------------

    def await_answer(self, frame: Frame) -> int:
        """A new request id whose answer belongs to `frame`."""
        execution = self.execution
        request_id = execution.next_request_id
        execution.next_request_id = request_id + 1
        execution.requests[request_id] = frame.id
        return request_id

    def timer(self, frame: Frame, due_ms: int, *, idle: bool = False) -> int:
        request_id = self.await_answer(frame)
        self.effects.append(fx.StartTimer(request_id, min(due_ms, self.end_ms), idle))
        return request_id

    def drop_timer(self, request_id: int) -> None:
        if self.execution.requests.pop(request_id, None) is not None:
            self.effects.append(fx.CancelTimer(request_id))

    # --- events -------------------------------------------------------------------------------------------

    def take(self, event: ev.Event) -> None:
        if isinstance(event, ev.Started):
            self._start()
        elif isinstance(event, ev.Resumed):
            pass
        elif isinstance(event, ev.Redriven):
            self._redrive()
        elif isinstance(event, (ev.MapRunUpdated, ev.MapRunContinued, ev.MapRunResumed)):
            self._map_run(event)
        elif isinstance(event, ev.StopRequested):
            self._stop(event)
        else:
            frame = self.execution.frames.get(self.execution.requests.get(event.request_id, 0))
            if frame is not None:
                self._answer(frame, event)
            elif event.request_id == self.execution.timeout_timer != 0:
                self.time_out()

    def _map_run(self, event: ev.MapRunUpdated | ev.MapRunContinued | ev.MapRunResumed) -> None:
        """Something that concerns a Map Run as a whole, if it is under way."""
        for frame in list(self.execution.frames.values()):
            if children.has_open_run(frame):
                run = MapRun(self, frame)
                if run.run.arn == event.map_run_arn:
                    self.touch(frame)
                    self.attempt(frame, lambda run=run: run.take(event))  # type: ignore[misc]

    def _start(self) -> None:
        execution = self.execution
        sent = execution.input.text
        if self.machine.revision.compact_input:
            execution.input = Payload(execution.input.value)
            execution.sent = sent if sent != execution.input.text else None
        self.record("ExecutionStarted", 0, {"input": sent, "roleArn": execution.role_arn})
        self._start_timeout()
        self.new_frame("root", execution.scope, execution.input, previous_id=0)

    def _start_timeout(self) -> None:
        """For the definition's TimeoutSeconds; and for Express, which may wait for a task that never answers."""
        execution, timeout_s = self.execution, self.machine.program.timeout_s
        own = timeout_s is not None and execution.scope == ""
        if own or execution.express:
            execution.timeout_timer = execution.next_request_id
            execution.next_request_id += 1
            due_ms = self.now_ms + 1000 * timeout_s if own and timeout_s is not None else self.end_ms
            self.effects.append(fx.StartTimer(execution.timeout_timer, min(due_ms, self.end_ms)))

    def _redrive(self) -> None:
        """Go on from the frames as they were left; time-outs and retries begin anew (AWS guide, "redrive")."""
        execution = self.execution
        if execution.status in ("RUNNING", "SUCCEEDED") or not execution.frames:
            return
        execution.status, execution.stop_ms = "RUNNING", 0
        execution.error = execution.cause = None
        execution.redrive_count, execution.redrive_ms = execution.redrive_count + 1, self.now_ms
        details = {"redriveCount": execution.redrive_count}
        event_id = self.record("ExecutionRedriven", execution.next_event_id - 1, details)
        self._start_timeout()
        frames = list(execution.frames.values())
        for frame in frames:
            self.touch(frame)
            frame.last_event_id = event_id
            frame.retries, frame.retry_count = {}, 0
            frame.waiting = ""
            if frame.container is None:
                frame.waiting = "redrive" if frame.inside and self.state_of(frame).type != "Fail" else ""
                execution.ready.append(frame.id)
        for frame in frames:
            going_on = execution.status == "RUNNING" and frame.id in execution.frames
            if going_on and frame.container is not None:
                self.attempt(frame, lambda frame=frame: children.redrive(self, frame, frame.container))  # type: ignore[misc]

    def new_frame(self, kind: str, scope: str, input: Payload, *, previous_id: int, parent_id: int = 0) -> Frame:
        """A frame that is ready to enter the first state of a scope."""
        execution = self.execution
        frame = Frame(
            id=execution.next_request_id,
            kind=kind,  # type: ignore[arg-type]
            scope=scope,
            state=self.machine.program.scopes[scope].start_at,
            input=input,
            parent_id=parent_id,
            last_event_id=previous_id,
        )
        execution.next_request_id += 1
        execution.frames[frame.id] = frame
        execution.ready.append(frame.id)
        self.touch(frame)
        return frame

    def touch(self, frame: Frame) -> None:
        """The frame changes: it is to be saved."""
        self.execution.touched.add(frame.id)

    def _answer(self, frame: Frame, event: ev.Event) -> None:
        self.touch(frame)
        match event:
            case ev.TimerFired():
                self._timer_fired(frame, event.request_id)
            case ev.TaskStarted():
                self.attempt(frame, lambda: tasks.started(self, frame, event))
            case ev.TaskSubmitted():
                self.attempt(frame, lambda: tasks.submitted(self, frame, event))
            case ev.TokenAnswered():
                self.attempt(frame, lambda: tasks.answered(self, frame, event))
            case ev.Heartbeat():
                tasks.heartbeat(self, frame)
            case ev.TaskSucceeded():
                self.attempt(frame, lambda: tasks.succeeded(self, frame, event))
            case ev.TaskFailed():
                self.attempt(frame, lambda: tasks.failed(self, frame, event))
            case ev.Started() | ev.Resumed() | ev.StopRequested() | ev.Redriven():
                raise AssertionError(event)
            case _:
                self.attempt(frame, lambda: MapRun(self, frame).take(event))

    def _timer_fired(self, frame: Frame, request_id: int) -> None:
        del self.execution.requests[request_id]
        if frame.waiting == "timer":
            frame.waiting, frame.request_id = "", 0
            self.attempt(frame, lambda: self._follow(frame, self._resume(frame, frame.input)))
        elif frame.waiting == "retry":
            frame.waiting, frame.request_id = "", 0
            self.attempt(frame, lambda: self._work(frame, self.state_of(frame)))
        else:
            self.attempt(frame, lambda: tasks.timed_out(self, frame, request_id))

    # --- running ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Give ready frames their turns until all wait, or the slice is used up."""
        execution = self.execution
        for _ in range(self.machine.limits.slice_transitions_max):
            if not execution.ready:
                return
            frame = execution.frames.get(execution.ready.popleft())
            if frame is not None:
                self.touch(frame)
                try:
                    self._enter(frame)
                except (StateError, TooDeep) as problem:
                    self.fail(frame, _error(problem))
        if execution.ready:
            self.effects.append(fx.Yield())

    def state_of(self, frame: Frame) -> State:
        return self.machine.program.scopes[frame.scope].states[frame.state]

    def attempt(self, frame: Frame, action: Callable[[], None]) -> None:
        """Do something on behalf of a frame; a StateError of its state goes to Retry and Catch."""
        try:
            action()
        except (StateError, TooDeep) as problem:
            self.fail(frame, _error(problem))

    def _enter(self, frame: Frame) -> None:
        state = self.state_of(frame)
        if frame.waiting == "redrive":
            frame.waiting = ""
            return self._work(frame, state)
        frame.inside = True
        frame.entered_ms = self.now_ms
        frame.before_entry_event_id = frame.last_event_id
        frame.retry_count = 0
        if frame.retries:
            frame.retries = {}
        details = {"name": state.name, "input": frame.input.text}
        frame.entered_event_id = self.record_in(frame, state.entered, details)
        return self._work(frame, state)

    def _work(self, frame: Frame, state: State) -> None:
        """Do the state's work: at entry, and again at each retry."""
        frame.token = ""
        self._follow(frame, state.enter(self.visit(frame)))

    def visit(self, frame: Frame) -> Visit:
        return Visit(self.surroundings.env(frame, self.state_of(frame), self.now_ms), frame.input, self.now_ms)

    def _resume(self, frame: Frame, result: Payload) -> Exit:
        return self.state_of(frame).resume(self.visit(frame), result)

    def resume(self, frame: Frame, result: Payload) -> None:
        """The state has its result: leave it."""
        frame.waiting, frame.request_id = "", 0
        self._leave(frame, self._resume(frame, result))

    def _follow(self, frame: Frame, step: Step) -> None:
        match step:
            case Exit():
                self._leave(frame, step)
            case Sleep():
                frame.waiting, frame.request_id = "timer", self.timer(frame, step.due_ms, idle=True)
            case Ask():
                self.check_input(frame, step.parameters)
                tasks.ask(self, frame, step)
            case FanOut():
                if step.items is None:
                    self.check_input(frame, step.input)
                children.start(self, frame, step)
            case Halt():
                self.scope_failed(frame, StateError(step.error, step.cause))
            case _:
                assert_never(step)

    def _leave(self, frame: Frame, step: Exit) -> None:
        state = self.state_of(frame)
        self._check_size(step.output, tasks.too_large(state.name))
        details: dict[str, JSON] = {"name": state.name, "output": step.output.text}
        if step.assigned:
            details["assignedVariables"] = self._assign(frame, state, step.assigned)
        self.record_in(frame, state.exited, details)
        frame.inside = False
        frame.input = step.output
        if step.next is None:
            self._scope_done(frame)
        else:
            frame.state = step.next
            self.execution.ready.append(frame.id)

    def _assign(self, frame: Frame, state: State, assigned: dict[str, JSON]) -> dict[str, str]:
        """Set variables of the frame; the answer is their JSON text, as history shows them."""
        limits, execution = self.machine.limits, self.execution
        payloads = {name: Payload(assigned[name]) for name in sorted(assigned)}
        sizes = {name: payload.size_bytes for name, payload in payloads.items()}
        total = execution.variables_bytes + sum(sizes[name] - frame.variable_bytes.get(name, 0) for name in sizes)
        if sum(sizes.values()) > limits.variable_bytes_max or total > limits.variables_bytes_max:
            cause = f"The variables of the state '{state.name}' exceed the maximum number of bytes service limit."
            raise StateError(errors.DATA_LIMIT_EXCEEDED, cause, located=True)
        execution.variables_bytes = total
        frame.variables = frame.variables | assigned
        frame.variable_bytes = frame.variable_bytes | sizes
        return {name: payload.text for name, payload in payloads.items()}

    def forget(self, frame: Frame) -> None:
        """A frame that is done: its variables go with it."""
        del self.execution.frames[frame.id]
        self.execution.variables_bytes -= sum(frame.variable_bytes.values())

    def check_input(self, frame: Frame, made: Payload) -> None:
        """What a state has made of its input for its task, its branches or one of its items has a limit too (AWS guide,
        "States.DataLimitExceeded")."""
        if made is not frame.input:
            cause = (
                f"The input that the state '{frame.state}' has made exceeds the maximum number of bytes service limit."
            )
            self._check_size(made, cause)

    def _check_size(self, payload: Payload, cause: str) -> None:
        most = self.machine.limits.payload_bytes_max
        if 4 * len(payload.text) > most and payload.size_bytes > most:
            raise StateError(errors.DATA_LIMIT_EXCEEDED, cause, located=True)

    # --- endings ------------------------------------------------------------------------------------------

    def _scope_done(self, frame: Frame) -> None:
        if frame.kind == "root":
            self.record("ExecutionSucceeded", frame.last_event_id, {"output": frame.input.text})
            self._finish("SUCCEEDED", output=frame.input)
        else:
            self.forget(frame)
            parent = self.execution.frames[frame.parent_id]
            self.attempt(parent, lambda: children.frame_done(self, parent, frame))

    def fail(self, frame: Frame, error: StateError) -> None:
        """An error in the frame's state: retry it, catch it, or let its scope fail."""
        state = self.state_of(frame)
        tasks.release(self, frame)
        children.abort_children(self, frame)
        if error.located:
            error = self.located(frame, state, error)
        self.recover(frame, state, error)

    def recover(self, frame: Frame, state: State, error: StateError) -> None:
        """Retry, Catch, or failure, for an error whose cause is already in its final words."""
        frame.waiting = ""
        if not self._retried(frame, state, error) and not self._caught(frame, state, error):
            self.scope_failed(frame, error)

    def located(self, frame: Frame, state: State, error: StateError) -> StateError:
        """An error of the state itself, in AWS's words; evaluation failures are history events of their own."""
        cause = error.cause
        if error.error != errors.DATA_LIMIT_EXCEEDED:
            place = f"'{state.name}' (entered at the event id #{frame.entered_event_id})"
            cause = f"An error occurred while executing the state {place}. {cause}"
            cause = cause[: self.machine.limits.cause_chars_max]
        located = StateError(error.error, cause, located=True)
        if error.error == errors.QUERY_EVALUATION_ERROR:
            self._record_evaluation_failure(frame, state, error, cause)
        return located

    def _record_evaluation_failure(self, frame: Frame, state: State, error: StateError, cause: str | None) -> None:
        """Recorded: it points to what came before the state when it came up while the state was entered."""
        if not error.after_entry and frame.last_event_id == frame.entered_event_id:
            frame.last_event_id = frame.before_entry_event_id
        details: dict[str, JSON] = {"error": error.error, "cause": cause}
        if error.location is not None:
            details["location"] = error.location
        self.record_in(frame, "EvaluationFailed", {**details, "state": state.name})

    def _retried(self, frame: Frame, state: State, error: StateError) -> bool:
        for number, retrier in enumerate(state.retriers):
            if matches(retrier.error_equals, error):
                attempt = frame.retries.get(number, 0)
                if attempt >= retrier.max_attempts:
                    return False
                frame.retries = frame.retries | {number: attempt + 1}
                frame.retry_count += 1
                due_ms = self.now_ms + retrier.delay_ms(attempt, self.machine.source.random())
                children.drop(self, frame)
                frame.waiting, frame.request_id = "retry", self.timer(frame, due_ms, idle=True)
                return True
        return False

    def _caught(self, frame: Frame, state: State, error: StateError) -> bool:
        catcher = next((c for c in state.catchers if matches(c.error_equals, error)), None)
        children.record_failed(self, frame, state, error)
        if catcher is None:
            return False
        children.drop(self, frame)
        try:
            output, assigned = catcher.flow.conclude(self.visit(frame), error_output(error))
            self._leave(frame, Exit(catcher.next, output, assigned))
        except (StateError, TooDeep) as problem:
            again = _error(problem)
            self.scope_failed(frame, self.located(frame, state, again) if again.located else again)
        return True

    def scope_failed(self, frame: Frame, error: StateError) -> None:
        """The frame's scope ends with an error: the execution fails, or the container that it belongs to."""
        if frame.container is not None:
            frame.container.too_large = error.error == errors.DATA_LIMIT_EXCEEDED
        if frame.kind == "root":
            self._finish_failed(frame, error)
        else:
            parent = self.execution.frames[frame.parent_id]
            self.attempt(parent, lambda: children.frame_failed(self, parent, frame, error))

    def _finish_failed(self, frame: Frame, error: StateError) -> None:
        self.record("ExecutionFailed", frame.last_event_id, tasks.error_details(error))
        self._finish("FAILED", error=error.error, cause=error.cause)

    def _stop(self, event: ev.StopRequested) -> None:
        if self.execution.next_event_id == 1:
            self._start()
        last_id = self._abort_all()
        details = tasks.error_details(StateError(event.error, event.cause))
        self.record("ExecutionAborted", last_id, details)
        self._finish("ABORTED", error=event.error, cause=event.cause)

    def time_out(self) -> None:
        """TimeoutSeconds of the definition have passed, or the longest time that an execution may take: an Express one
        fails with States.Timeout then (AWS guide, "Choosing workflow type")."""
        execution = self.execution
        if execution.next_event_id == 1:
            self._start()
        last_id = self._abort_all()
        error = errors.TIMEOUT if execution.express else None
        self.record("ExecutionTimedOut", last_id, {"error": error} if error is not None else None)
        self._finish("TIMED_OUT", error=error)

    def history_full(self) -> None:
        """A Standard execution may have so many events and no more: the last one says so."""
        self.events_max = sys.maxsize
        root = self._root()
        for frame in list(self.execution.frames.values()):
            if children.has_open_run(frame):
                MapRun(self, frame).abandon()
            tasks.release(self, frame)
        most = self.machine.limits.history_events_max
        cause = f"The execution reached the maximum number of history events ({most})."
        self._finish_failed(root, StateError(errors.RUNTIME, cause))

    def broken(self, problem: Exception) -> None:
        """There is a fault in here: end the execution, asking nothing more of what may be at fault."""
        execution = self.execution
        self.events_max = sys.maxsize
        for frame in execution.frames.values():
            if children.has_open_run(frame):
                with suppress(Exception):
                    MapRun(self, frame).abandon()
            with suppress(Exception):
                tasks.release(self, frame)
        if execution.status == "RUNNING":
            cause = f"An internal error occurred: {type(problem).__name__}: {problem}"
            error = StateError(errors.RUNTIME, cause)
            self.record("ExecutionFailed", execution.next_event_id - 1, tasks.error_details(error))
            self._finish("FAILED", error=error.error, cause=error.cause)

    def _abort_all(self) -> int:
        """Abort everything that runs; the answer is the id that the closing event points to."""
        root = self._root()
        last_id = root.last_event_id
        children.abort(self, root)
        return last_id

    def _root(self) -> Frame:
        return next(frame for frame in self.execution.frames.values() if frame.kind == "root")

    def _finish(self, status: str, **outcome: JSON) -> None:
        execution = self.execution
        if execution.timeout_timer:
            self.effects.append(fx.CancelTimer(execution.timeout_timer))
        execution.status, execution.stop_ms = status, self.now_ms
        execution.output, execution.error = outcome.get("output"), outcome.get("error")
        execution.cause = outcome.get("cause")
        execution.requests = {}
        execution.ready.clear()
        if status == "SUCCEEDED" or execution.express:
            execution.frames, execution.shelves = {}, {}
        self.effects.append(fx.Finish(status, **outcome))
