"""The engine: who calls `advance()`. One thread, one loop over events; blocking work is done elsewhere.

    events → Machine.advance → effects → (history, timers, tasks, child executions) → events

`run_until` is the loop. It hands ready events to their executions and fires due timers; when nothing is ready
it saves what has changed, all executions together, and only then does what others can see: tasks are begun,
callers are answered. Then it sleeps until the next timer or answer; with a clock that skips it jumps to the
next timer once nothing is under way.
"""

from __future__ import annotations

import base64
import binascii
import logging
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import nlargest
from itertools import islice
from typing import Protocol, TypeAlias

import msgspec

from kaidan.asl.machine.advance import Broken, Machine
from kaidan.asl.machine.execution import Execution
from kaidan.integrations.contract import Handler
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime import keeping
from kaidan.runtime.map_runs import MapRuns
from kaidan.runtime.reply import TaskReply
from kaidan.runtime.run import MapRun, Run
from kaidan.runtime.sources import Clock
from kaidan.runtime.timers import Timers
from kaidan.store.contract import Change, Query, Row, Store, StoreError, TaskRow
from kaidan.values import JSON

__all__ = ["Engine", "Listener", "MapRun", "Run"]

log = logging.getLogger(__name__)

Action: TypeAlias = Callable[[], None]
TimerKey: TypeAlias = tuple[str, int] | Action
"""An execution and its request, or something to do."""

EFFECTS_PER_SAVE_MAX = 10_000
"""How much may happen before it is saved, however much more is ready: what callers wait for does not wait long."""

RESIDENT_MAX, ENDED_MAX = 10_000, 1_000
"""How many executions are held in memory, where the store can give them back; how many of those that have ended."""


class Listener(Protocol):
    """Told of what becomes part of a history, on the engine's thread. See `Engine.listen`."""

    def __call__(self, run: Run, event: HistoryEvent) -> None: ...


class Engine:
    """Drives executions. To be used from one thread, but for `wake` and the replies to tasks."""

    def __init__(self, clock: Clock, store: Store | None = None) -> None:
        """Without a store, everything stays in memory."""
        self.clock = clock
        self.store = store
        self.handler: Handler
        """Carries out tasks; to be set before the first execution starts."""
        self.machine_of: Callable[[Execution], Machine]
        """The machine of an execution that was stored; needed with a store only."""
        self.on_wake: Action = _nothing
        """Called from any thread when something was put in for the engine's thread."""
        self.runs: dict[str, Run] = {}
        """Executions in memory: all, or with a store those used last."""
        self.pinned: set[str] = set()
        """Those that stay in memory, since somebody holds their Run."""
        self.maps = MapRuns(self)
        self.map_runs = self.maps.runs
        self.listeners: list[tuple[Listener, Collection[str] | None]] = []
        self._hearing: dict[str, Sequence[Listener]] = {}
        self.on_fault: Callable[[Run, Broken], None] = _log_fault
        """Told of a fault of the machine; the execution ends with it unless this raises."""
        self.skip_waits = False
        """Wait states and intervals between retries take no time, and jobs are looked at often. Time-outs, and what
        tasks take, are as long as ever."""
        self.busy = 0
        """Pieces of blocking work under way; while there are any, time does not jump."""
        self._events: deque[tuple[str, ev.Event]] = deque()
        self._answers = 0
        """How many of those are answers to tasks."""
        self._queued: Counter[str] = Counter()
        self._inbox: queue.SimpleQueue[Action | None] = queue.SimpleQueue()
        self._timers: Timers[TimerKey] = Timers()
        self._tasks: dict[tuple[str, int], TaskReply] = {}
        self._dirty: dict[str, Run] = {}
        self._outbox: list[Action] = []
        self._ended: deque[str] = deque()
        """Those in memory that have ended; some may be gone, or go on again."""
        self._saving: list[tuple[Run, Change]] = []
        self._handled = 0
        self.stuck: StoreError | None = None
        """Why the last save failed. Nothing goes on until it has succeeded: it is all that `step` does."""

    # --- executions ---------------------------------------------------------------------------------------

    def start(self, run: Run) -> None:
        """Take over an execution that has not begun."""
        arn = run.execution.arn
        self.runs[arn] = self._dirty[arn] = run
        self.post(arn, ev.Started())

    def post(self, arn: str, event: ev.Event, *, first: bool = False) -> None:
        """Tell an execution something, in turn, or before all else that others are told."""
        if first:
            self._events.appendleft((arn, event))
        else:
            self._events.append((arn, event))
        self._queued[arn] += 1

    def stop(self, arn: str, error: str | None, cause: str | None) -> None:
        """Abort an execution, now."""
        self._handle(arn, ev.StopRequested(error, cause))

    def redrive(self, arn: str) -> None:
        """Let an execution that did not succeed go on from where it failed, now."""
        self._handle(arn, ev.Redriven())

    def change(self, run: Run) -> None:
        """Something about an execution has changed outside of its own doing: it is to be saved."""
        self._dirty[run.execution.arn] = run

    def find(self, arn: str) -> Run | None:
        """An execution, open or closed. Of a closed one that was stored the history is not in the Run: see `events`."""
        run = self.runs.get(arn)
        if run is not None or self.store is None:
            return run
        stored = self.store.load(arn)
        return self._run_of(stored.row, keeping.loaded(stored)) if stored is not None else None

    def _run_of(self, row: Row, execution: Execution) -> Run:
        machine = self.machine_of(execution)
        run = Run(machine, execution, map_run_arn=row.map_run_arn, parent_request=row.parent_request)
        run.saved_frames, run.saved, run.undelivered = set(execution.frames), True, row.undelivered
        return run

    def events(self, run: Run, first_id: int = 1, count: int | None = None) -> list[HistoryEvent]:
        """The history of an execution: all of it, or `count` events at most, from `first_id` on."""
        count = run.execution.next_event_id if count is None else count
        kept: list[HistoryEvent] = []
        if self.store is not None and self.store.durable:
            kept = self.store.history(run.execution.arn, first_id, count)
        return kept + [event for event in run.history if first_id <= event.id < first_id + count]

    def list(self, query: Query) -> list[Row]:
        """Executions by machine, Map Run or status, newest first."""
        if self.store is not None:
            self.save()
            return self.store.list(query)
        rows = (_row(number, run) for number, run in enumerate(self.runs.values(), 1))
        return nlargest(query.limit, (row for row in rows if _matches(row, query)), key=query.place)

    def last_number(self) -> int:
        """The number of the execution that was started last."""
        if self.store is None:
            return len(self.runs)
        self.save()
        return self.store.last_number()

    def awaiting(self, token: str) -> tuple[str, int] | None:
        """Which execution and request a task token belongs to; None when nobody waits for it."""
        try:
            arn, frame_id, _ = base64.b64decode(token, validate=True).decode().split(" ")
        except (ValueError, binascii.Error):
            return None
        run = self.find(arn)
        frame = run.execution.frames.get(int(frame_id)) if run is not None and frame_id.isdigit() else None
        if frame is None or frame.token != token or frame.waiting != "task" or frame.early is not None:
            return None
        return arn, frame.request_id

    def due_ms(self, arn: str, request_id: int) -> int | None:
        """When a timer fires that an execution waits for, in Unix milliseconds of the engine's clock."""
        return self._timers.due_ms((arn, request_id))

    # --- who hears of it ------------------------------------------------------------------------------------

    def listen(self, listener: Listener, types: Collection[str] | None = None) -> None:
        """Tell a listener of events of these types; of all of them when none are named."""
        self.listeners.append((listener, types))
        self._hearing.clear()

    def _hearers(self, type: str) -> Sequence[Listener]:
        """Who hears of events of a type. Most are nobody's business: they are to cost one look into a dict."""
        found = [listener for listener, types in self.listeners if types is None or type in types]
        self._hearing[type] = found
        return found

    # --- the loop -----------------------------------------------------------------------------------------

    def run_until(
        self, done: Callable[[], bool], timeout_s: float | None = None, horizon_ms: int | None = None
    ) -> bool:
        """Run until `done()`. False when nothing is left that could happen, real time is up, or what comes next
        lies beyond `horizon_ms` of the engine's clock."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not done():
            if self.step():
                continue
            if deadline is not None and time.monotonic() >= deadline:
                return False
            next_ms = self.next_ms()
            if horizon_ms is not None and not self.busy and (next_ms is None or next_ms > horizon_ms):
                return False
            if not self._wait(next_ms, deadline):
                return False
        return True

    def step(self, *, may_save: bool = True) -> bool:
        """Do one thing that is to be done now; False when there is nothing, or nothing but to save and it may not.

        Raises StoreError when a save fails.
        """
        if self.stuck is not None:
            return self.save()
        if self._handled >= EFFECTS_PER_SAVE_MAX and not self._answers:
            return self.save()
        if self._handled < EFFECTS_PER_SAVE_MAX and not self._inbox.empty():
            self._take_inbox(0)
            return True
        if self._events:
            self._handle_next()
            return True
        next_ms = self.next_ms()
        if next_ms is not None and next_ms <= self.clock.now_ms():
            self._fire(self._timers.pop())
            return True
        return may_save and self.save()

    def _handle_next(self) -> None:
        arn, event = self._events.popleft()
        self._queued[arn] -= 1
        if not self._queued[arn]:
            del self._queued[arn]
        if isinstance(event, (ev.TaskSucceeded, ev.TaskFailed)):
            self._answers -= 1
        self._handle(arn, event)

    def next_ms(self) -> int | None:
        """When the next timer is due."""
        return self._timers.next_ms()

    def _fire(self, key: TimerKey) -> None:
        if isinstance(key, tuple):
            self.post(key[0], ev.TimerFired(key[1]))
        else:
            _guarded(key)

    def _wait(self, next_ms: int | None, deadline: float | None) -> bool:
        """Sleep until an answer or the next timer, or jump to it; False when neither can come."""
        if next_ms is None and not self.busy:
            return False
        if next_ms is not None and self.clock.skips and not self.busy:
            self.clock.skip_to(next_ms)
            return True
        waits = [] if deadline is None else [max(0.0, deadline - time.monotonic())]
        if next_ms is not None:
            waits.append(max(0, next_ms - self.clock.now_ms()) / 1000)
        self._take_inbox(min(waits) if waits else None)
        return True

    def _take_inbox(self, timeout_s: float | None) -> None:
        try:
            action = self._inbox.get(timeout=timeout_s) if timeout_s != 0 else self._inbox.get_nowait()
        except queue.Empty:
            return
        if action is not None:
            _guarded(action)

    def wake(self, action: Action | None = None) -> None:
        """Run `action` on the engine's thread soon. From any thread or signal handler."""
        self._inbox.put(action)
        self.on_wake()

    def moment_ms(self, timer: fx.StartTimer) -> int:
        """When a timer is to fire."""
        return self.clock.now_ms() if timer.idle and self.skip_waits else timer.due_ms

    def after(self, delay_ms: int, action: Action) -> None:
        """Run `action` on the engine's thread when the time has come."""
        self._timers.add(action, self.clock.now_ms() + delay_ms)

    # --- saving -------------------------------------------------------------------------------------------

    def save(self) -> bool:
        """Save what has changed, then do what waited for that; False when there was nothing of either.

        Raises StoreError when it cannot be saved: then nothing is written, and all waits for a save that succeeds.
        """
        if not self._dirty and not self._outbox and self.stuck is None:
            return False
        while self._answers and self.stuck is None:  # saved with what becomes of them: no task is begun again
            self._handle_next()
        self._handled = 0
        dirty, self._dirty = self._dirty.values(), {}
        if self.store is not None:
            self._write(self.store, dirty)
        else:
            for run in dirty:
                keeping.forget_changes(run)
        actions, self._outbox = self._outbox, []
        for action in actions:
            _guarded(action)
        self._evict()
        return True

    def _write(self, store: Store, dirty: Iterable[Run]) -> None:
        self.maps.save()
        self._saving += [(run, keeping.change_of(run)) for run in dirty]
        try:
            store.save([change for _, change in self._saving])
        except StoreError as problem:
            self.stuck = problem
            raise
        saved, self._saving, self.stuck = [run for run, _ in self._saving], [], None
        self._let_go(saved)

    def once_saved(self, action: Action) -> None:
        """Do `action` when all that has happened so far is saved."""
        self._outbox.append(action)

    def _let_go(self, saved: Iterable[Run]) -> None:
        """What has ended is held a while longer, for whoever asks how it went; but not a Map Run's children: they are
        many."""
        for run in saved:
            arn = run.execution.arn
            if run.execution.status != "RUNNING" and not run.undelivered and arn not in self._queued:
                if run.map_run_arn is not None:
                    self.runs.pop(arn, None)
                else:
                    self._ended.append(arn)
        while len(self._ended) > ENDED_MAX:
            arn = self._ended.popleft()
            ended = self.runs.get(arn)
            if ended is not None and ended.execution.status != "RUNNING" and self._is_idle(arn):
                del self.runs[arn]

    def _is_idle(self, arn: str) -> bool:
        """Whether nobody needs the execution in memory."""
        return arn not in self._queued and arn not in self._dirty and arn not in self.pinned

    def _evict(self) -> None:
        """Forget the executions used longest ago, many at a time; those that others still talk to stay."""
        if self.store is None or len(self.runs) <= RESIDENT_MAX + RESIDENT_MAX // 10:
            return
        for arn in list(islice(self.runs, len(self.runs) - RESIDENT_MAX)):
            if self._is_idle(arn):
                del self.runs[arn]

    def resident(self, arn: str) -> Run | None:
        """An execution for going on with: where some are evicted, the one used last comes last in `runs`."""
        if self.store is None:
            return self.runs.get(arn)
        run = self.runs.pop(arn, None) or self.find(arn)
        if run is not None:
            self.runs[arn] = run
        return run

    # --- forgetting ---------------------------------------------------------------------------------------

    def forget_closed(self, before_ms: int, limit: int) -> int:
        """Remove executions that ended before a moment, `limit` at most; how many were removed."""
        self.save()
        runs = self.runs.items()
        closed = [arn for arn, run in runs if 0 < run.execution.stop_ms < before_ms and not self.maps.holds(run)]
        if self.store is None:
            gone = closed[:limit]
            count = len(gone)
        else:
            count = self.store.forget_closed(before_ms, limit, self.map_runs)
            gone = [arn for arn in closed if self.store.row(arn) is None]
        for arn in gone:
            del self.runs[arn]
        self.maps.forget(before_ms)
        return count

    # --- after a restart ----------------------------------------------------------------------------------

    def recover(self) -> None:
        """Take up everything that the store says was going on: timers, tasks, ends nobody has heard of."""
        if self.store is None:
            return
        for arn, request_id, due_ms in self.store.timers():
            self._timers.add((arn, request_id), due_ms)
        self.maps.recover()
        for row in self.store.pending():
            execution = keeping.execution_of(row)
            self.post(row.arn, ev.Resumed() if execution.next_event_id > 1 else ev.Started())
        for row in self.store.undelivered():
            self.maps.tell(self._run_of(row, keeping.execution_of(row)))
        for arn, request_id, data in list(self.store.tasks()):
            self._resume_task(arn, request_id, keeping.task_of(data))

    def _resume_task(self, arn: str, request_id: int, row: TaskRow) -> None:
        """Begin a task again, once that is saved; one that has a job is waited for at once, so that who stops the
        execution before all else stops the job."""
        reply = self._tasks[arn, request_id] = TaskReply(self, arn, row.task)
        if row.job is None:
            self.once_saved(lambda: reply.attempt(lambda: self.handler(row.task, reply)))
        else:
            reply.attempt(lambda: self.handler.resume(row.task, row.job, reply))

    # --- effects ------------------------------------------------------------------------------------------

    def _handle(self, arn: str, event: ev.Event) -> None:
        run = self.resident(arn)
        if run is None:
            return
        self._dirty[arn] = run
        effects = self._advance(run, event)
        self._handled += 1 + len(effects)
        for effect in effects:
            self._carry_out(run, effect)
        if isinstance(event, (ev.TaskStarted, ev.TaskSubmitted, ev.TokenAnswered)):
            self._task_goes_on(run, event)
        elif isinstance(event, ev.TimerFired):
            _forget(run.unsaved.timers, run.unsaved.gone_timers, event.request_id)
        elif isinstance(event, ev.ChildClosed):
            self.maps.told(arn, event.request_id)

    def _advance(self, run: Run, event: ev.Event) -> Sequence[fx.Effect]:
        """A fault of the machine costs the execution that it shows in, and no other."""
        try:
            return run.machine.advance(run.execution, event, self.clock.now_ms())
        except Broken as broken:
            self.on_fault(run, broken)
            return broken.effects

    def _carry_out(self, run: Run, effect: fx.Effect) -> None:
        arn = run.execution.arn
        match effect:
            case HistoryEvent():
                self._record(run, effect)
            case fx.StartTimer():
                due_ms = self.moment_ms(effect)
                self._timers.add((arn, effect.request_id), due_ms)
                run.unsaved.timers[effect.request_id] = due_ms
            case fx.CancelTimer():
                self._timers.cancel((arn, effect.request_id))
                _forget(run.unsaved.timers, run.unsaved.gone_timers, effect.request_id)
            case fx.RunTask():
                self._run_task(run, effect)
            case fx.CancelTask():
                self._end_task(run, effect.request_id, cancelled=True)
            case fx.Finish():
                self.maps.child_ended(run)
            case fx.Yield():
                self.post(arn, ev.Resumed())
            case _:
                self.maps.carry_out(run, effect)

    def _record(self, run: Run, event: HistoryEvent) -> None:
        """As `_guarded`, without a closure for each of millions of events."""
        run.history.append(event)
        hearing = self._hearing.get(event.type)
        for listener in self._hearers(event.type) if hearing is None else hearing:
            try:
                listener(run, event)
            except StoreError:
                raise
            except Exception:
                log.exception(_LEFT_OUT)

    def _run_task(self, run: Run, task: fx.RunTask) -> None:
        """Begin a task, once it is saved that it was scheduled."""
        reply = TaskReply(self, run.execution.arn, task)
        self._tasks[run.execution.arn, task.request_id] = reply
        run.unsaved.tasks[task.request_id] = TaskRow(task=task)

        def begin() -> None:
            reply.attempt(lambda: self.handler(task, reply))

        self.once_saved(begin)

    def count(self, arn: str, task: fx.RunTask) -> fx.RunTask:
        """A task that a mock answers, with its number: the same after a restart, and counted once."""
        run = self.resident(arn)
        assert run is not None
        first = self.maps.ancestor(run)
        counts = first.execution.invocations
        number = counts.get(task.state, 0)
        counts[task.state] = number + 1
        counted = msgspec.structs.replace(task, invocation=number)
        run.unsaved.tasks[task.request_id] = TaskRow(task=counted)
        self.change(run)
        self.change(first)
        return counted

    def _end_task(self, run: Run, request_id: int, *, cancelled: bool) -> None:
        _forget(run.unsaved.tasks, run.unsaved.gone_tasks, request_id)
        reply = self._tasks.pop((run.execution.arn, request_id), None)
        if reply is not None:
            reply.end(cancelled=cancelled)

    def answer(self, arn: str, event: ev.TaskSucceeded | ev.TaskFailed) -> None:
        """A task has ended: nobody else can answer it any more."""
        run = self.resident(arn)
        if run is not None:
            self._dirty[arn] = run
            self._end_task(run, event.request_id, cancelled=False)
            self.post(arn, event)
            self._answers += 1

    def answer_token(self, arn: str, event: ev.TokenAnswered) -> None:
        """Somebody has sent back the token of a task, see `awaiting`: now nobody else can."""
        self._handle(arn, event)

    def _task_goes_on(self, run: Run, event: ev.TaskStarted | ev.TaskSubmitted | ev.TokenAnswered) -> None:
        """What is to be done for a task after a restart changes as it goes on: nothing, when only its token can answer
        it (an activity's worker has it, a callback is awaited); to ask for its job, when it has one."""
        key = (run.execution.arn, event.request_id)
        reply = self._tasks.get(key)
        if reply is None:
            return None
        if event.request_id not in run.execution.requests:
            return self._end_task(run, event.request_id, cancelled=False)
        resource = reply.task.resource
        submitted = isinstance(event, ev.TaskSubmitted)
        handed_over = resource.pattern == ".waitForTaskToken" if submitted else resource.kind == "activity"
        if handed_over and not isinstance(event, ev.TokenAnswered):
            del self._tasks[key]
            _forget(run.unsaved.tasks, run.unsaved.gone_tasks, event.request_id)
        elif isinstance(event, ev.TaskSubmitted) and event.job is not None:
            run.unsaved.tasks[event.request_id] = TaskRow(task=reply.task, job=event.job)
        return None


def _nothing() -> None:
    pass


def _guarded(action: Action) -> None:
    """A fault in one thing that is to be done does not keep the engine from the rest; that nothing can be read or
    written does."""
    try:
        action()
    except StoreError:
        raise
    except Exception:
        log.exception(_LEFT_OUT)


_LEFT_OUT = "a fault in Kaidan: something that was to be done is left out"


def _forget(new: dict[int, JSON], gone: list[int], request_id: int) -> None:
    """Something that was perhaps saved already is no more."""
    new.pop(request_id, None)
    gone.append(request_id)


def _row(number: int, run: Run) -> Row:
    row = keeping.row_of(run, head=b"")
    row.number = number
    return row


def _matches(row: Row, query: Query) -> bool:
    columns = ("machine_arn", "version_arn", "alias_arn", "map_run_arn", "status", "redriven")
    wanted = ((getattr(query, column), getattr(row, column)) for column in columns)
    if not all(value is None or value == found for value, found in wanted):
        return False
    return row.number > query.since and (query.after is None or query.place(row) < query.after)


def _log_fault(run: Run, fault: Broken) -> None:
    log.error("%s has failed of a fault in Kaidan", run.execution.arn, exc_info=fault.__cause__)
