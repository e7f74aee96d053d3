"""The engine: who calls `advance()`. One thread, one loop over events; blocking work is done elsewhere.

    events → Machine.advance → effects → (history, timers, tasks, child executions) → events

`run_until` is the loop. It hands ready events to their executions, fires due timers, and sleeps until the
next timer or answer; with a clock that skips it jumps to the next timer once nothing is under way.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, assert_never

from kaidan.arns import Arn, execution_arn
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.integrations.contract import Handler
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.sources import Clock
from kaidan.values import JSON, Payload


class Listener(Protocol):
    """Told of everything that becomes part of a history, on the engine's thread."""

    def __call__(self, run: Run, event: HistoryEvent) -> None: ...


@dataclass(slots=True)
class Run:
    """An execution that the engine drives, with its machine and its history so far."""

    machine: Machine
    execution: Execution
    history: list[HistoryEvent] = field(default_factory=list)
    parent: tuple[str, int] | None = None
    """Of a Distributed Map's child: the parent execution's ARN and the request it answers."""
    map_run_arn: str | None = None


@dataclass(slots=True)
class MapRun:
    """What is known of a Map Run. `status` is RUNNING, SUCCEEDED, FAILED or ABORTED."""

    arn: str
    execution_arn: str
    effect: fx.StartMapRun
    start_ms: int
    status: str = "RUNNING"
    stop_ms: int = 0
    children: list[str] = field(default_factory=list)


class Engine:
    """Drives executions. Not thread-safe but for `TaskReply` and `wake`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.handler: Handler
        """Carries out tasks; to be set before the first execution starts."""
        self.runs: dict[str, Run] = {}
        self.map_runs: dict[str, MapRun] = {}
        self.listeners: list[Listener] = []
        self.tokens: dict[str, tuple[str, int]] = {}
        """Task token → the execution and the request that wait for it."""
        self._events: deque[tuple[str, ev.Event]] = deque()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._live_timers: dict[tuple[str, int], int] = {}
        self._tasks: dict[tuple[str, int], TaskReply] = {}
        self._children: dict[tuple[str, int], str] = {}
        """A parent and its request → the child execution that is to answer it."""
        self.busy = 0
        """Pieces of blocking work under way; while there are any, time does not jump."""

    # --- executions ---------------------------------------------------------------------------------------

    def start(self, run: Run) -> None:
        """Take over an execution that has not begun."""
        self.runs[run.execution.arn] = run
        self.post(run.execution.arn, ev.Started())

    def post(self, arn: str, event: ev.Event) -> None:
        """Tell an execution something, in turn."""
        self._events.append((arn, event))

    def stop(self, arn: str, error: str | None, cause: str | None) -> None:
        """Abort an execution, now."""
        self._handle(arn, ev.StopRequested(error, cause))

    def due_ms(self, arn: str, request_id: int) -> int | None:
        """When a timer fires that an execution waits for, in Unix milliseconds of the engine's clock."""
        return self._live_timers.get((arn, request_id))

    # --- the loop -----------------------------------------------------------------------------------------

    def run_until(
        self, done: Callable[[], bool], timeout_s: float | None = None, horizon_ms: int | None = None
    ) -> bool:
        """Run until `done()`. False when nothing is left that could happen, real time is up, or what comes next
        lies beyond `horizon_ms` of the engine's clock."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not done():
            if self._step():
                continue
            if deadline is not None and time.monotonic() >= deadline:
                return False
            if horizon_ms is not None and not self.busy and self._next_due_ms() > horizon_ms:
                return False
            if not self._wait(deadline):
                return False
        return True

    def _next_due_ms(self) -> float:
        return self._timers[0][0] if self._timers else float("inf")

    def _step(self) -> bool:
        """Do what is to be done now; False when there is nothing."""
        if not self._inbox.empty():
            self._take_inbox(0)
            return True
        if self._events:
            self._handle(*self._events.popleft())
            return True
        if self._timers and self._timers[0][0] <= self.clock.now_ms():
            heapq.heappop(self._timers)[2]()
            return True
        return False

    def _wait(self, deadline: float | None) -> bool:
        """Sleep until an answer or the next timer, or jump to it; False when neither can come."""
        if not self._timers and not self.busy:
            return False
        timeout_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        if self._timers:
            if self.clock.skips and not self.busy:
                self.clock.skip_to(self._timers[0][0])
                return True
            until_due_s = max(0, self._timers[0][0] - self.clock.now_ms()) / 1000
            timeout_s = until_due_s if timeout_s is None else min(timeout_s, until_due_s)
        self._take_inbox(timeout_s)
        return True

    def _take_inbox(self, timeout_s: float | None) -> None:
        try:
            action = self._inbox.get(timeout=timeout_s) if timeout_s != 0 else self._inbox.get_nowait()
        except queue.Empty:
            return
        if action is not None:
            action()

    def wake(self, action: Callable[[], None] | None = None) -> None:
        """Run `action` on the engine's thread soon. From any thread or signal handler."""
        self._inbox.put(action)

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Run `action` on the engine's thread when the time has come."""
        self._at(self.clock.now_ms() + delay_ms, action)

    def _at(self, due_ms: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (due_ms, next(self._numbers), action))

    # --- effects ------------------------------------------------------------------------------------------

    def _handle(self, arn: str, event: ev.Event) -> None:
        run = self.runs[arn]
        for effect in run.machine.advance(run.execution, event, self.clock.now_ms()):
            self._carry_out(run, effect)

    def _carry_out(self, run: Run, effect: fx.Effect) -> None:
        arn = run.execution.arn
        match effect:
            case HistoryEvent():
                run.history.append(effect)
                for listener in self.listeners:
                    listener(run, effect)
            case fx.RunTask():
                self._run_task(arn, effect)
            case fx.CancelTask():
                self._end_task(arn, effect.request_id)
            case fx.StartTimer():
                self._start_timer(arn, effect)
            case fx.CancelTimer():
                self._live_timers.pop((arn, effect.request_id), None)
            case fx.StartMapRun():
                self.map_runs[effect.map_run_arn] = MapRun(effect.map_run_arn, arn, effect, self.clock.now_ms())
            case fx.StartChild():
                self._start_child(run, effect)
            case fx.CancelChild():
                self._cancel_child(arn, effect.request_id)
            case fx.CloseMapRun():
                map_run = self.map_runs[effect.map_run_arn]
                map_run.status, map_run.stop_ms = effect.status, self.clock.now_ms()
            case fx.Finish():
                self._finished(run, effect)
            case fx.Yield():
                self.post(arn, ev.Resumed())
            case _:
                assert_never(effect)

    def _start_timer(self, arn: str, effect: fx.StartTimer) -> None:
        key = (arn, effect.request_id)
        self._live_timers[key] = effect.due_ms

        def fire() -> None:
            if key in self._live_timers:
                del self._live_timers[key]
                self.post(arn, ev.TimerFired(effect.request_id))

        self._at(effect.due_ms, fire)

    def _run_task(self, arn: str, task: fx.RunTask) -> None:
        reply = TaskReply(self, arn, task.request_id)
        self._tasks[arn, task.request_id] = reply
        if task.token:
            reply.token = task.token
            self.tokens[task.token] = (arn, task.request_id)
        self.handler(task, reply)

    def _end_task(self, arn: str, request_id: int) -> None:
        reply = self._tasks.pop((arn, request_id), None)
        if reply is not None:
            reply.ended = True
            self.tokens.pop(reply.token, None)

    def answer(self, arn: str, event: ev.TaskSucceeded | ev.TaskFailed) -> None:
        """A task has ended: nobody else can answer it any more."""
        self._end_task(arn, event.request_id)
        self.post(arn, event)

    def _finished(self, run: Run, effect: fx.Finish) -> None:
        if run.parent is not None:
            arn, request_id = run.parent
            self._children.pop(run.parent, None)
            closed = ev.ChildClosed(request_id, effect.status, effect.output, effect.error, effect.cause)
            self.post(arn, closed)

    # --- child executions ---------------------------------------------------------------------------------

    def _start_child(self, parent: Run, effect: fx.StartChild) -> None:
        execution = parent.execution
        machine = Arn.parse(execution.machine_arn)
        labelled = machine.states(f"{machine.resource}/{effect.label}")
        child = Execution(
            arn=execution_arn(labelled, effect.name),
            name=effect.name,
            machine_arn=labelled,
            machine_name=f"{execution.machine_name}/{effect.label}",
            role_arn=execution.role_arn,
            input=effect.input,
            start_ms=self.clock.now_ms(),
            region=execution.region,
            scope=effect.scope,
            map_item=effect.map_item,
            express=effect.express,
        )
        self.map_runs[effect.map_run_arn].children.append(child.arn)
        parent_key = (execution.arn, effect.request_id)
        self._children[parent_key] = child.arn
        self.start(Run(parent.machine, child, parent=parent_key, map_run_arn=effect.map_run_arn))

    def _cancel_child(self, arn: str, request_id: int) -> None:
        child = self._children.pop((arn, request_id), None)
        if child is not None:
            self.runs[child].parent = None
            self.stop(child, None, None)


class TaskReply:
    """How a handler answers one task; see `integrations.contract.Reply`. Works from any thread."""

    def __init__(self, engine: Engine, arn: str, request_id: int) -> None:
        self._engine = engine
        self._arn = arn
        self._request_id = request_id
        self.token = ""
        self.ended = False

    def started(self, worker: str | None = None) -> None:
        self._tell(ev.TaskStarted(self._request_id, worker))

    def submitted(self, output: JSON) -> None:
        self._tell(ev.TaskSubmitted(self._request_id, Payload(output)))

    def succeeded(self, output: JSON) -> None:
        self._tell(ev.TaskSucceeded(self._request_id, output if isinstance(output, Payload) else Payload(output)))

    def failed(self, error: str | None, cause: str | None) -> None:
        self._tell(ev.TaskFailed(self._request_id, error, cause))

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        def act() -> None:
            if not self.ended:
                action()

        self._engine.wake(lambda: self._engine.after(int(delay_s * 1000), act))

    def _tell(self, event: ev.Event) -> None:
        self._engine.wake(lambda: self._deliver(event))

    def _deliver(self, event: ev.Event) -> None:
        if self.ended:
            return
        if isinstance(event, (ev.TaskSucceeded, ev.TaskFailed)):
            self._engine.answer(self._arn, event)
        else:
            self._engine.post(self._arn, event)
