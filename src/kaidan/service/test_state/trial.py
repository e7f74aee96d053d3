"""One visit of one state: the machine on an execution that stands right before it, and the world it asks for work.

The execution is made of data: one frame about to begin its n-th retry, so that Retry counts on from there. The
machine never goes on to the next state, for its slice is zero. As on AWS it is an Express execution (recorded: its
ARN); nobody but this test knows it: it is not among the engine's runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from kaidan.asl.language.compile import COMPILERS, Program, Scope
from kaidan.asl.machine.advance import Broken, Machine, accept
from kaidan.asl.machine.execution import Execution, Frame
from kaidan.asl.states import CHAPTERS
from kaidan.asl.states.state import State
from kaidan.errors import TIMEOUT, StateError
from kaidan.integrations import dispatch
from kaidan.integrations.http_task import Exchange
from kaidan.limits import AWS
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.reply import guarded
from kaidan.service.state import Service
from kaidan.service.test_state.subject import Subject
from kaidan.service.test_state.watched import Notes, Watched
from kaidan.values import JSON, Payload

TEST_S_MAX = 300
"""How long a test may take (API, TestState): then it fails with States.Timeout."""

_FRAME_ID, _RETRY_TIMER = 1, 2
_TASK_FAILURES = ("Failed", "TimedOut")
_TASKS = ("Task", "LambdaFunction", "Activity")


class Trial:
    """`status` is SUCCEEDED, FAILED, RETRIABLE or CAUGHT_ERROR once it has run."""

    def __init__(self, service: Service, subject: Subject) -> None:
        self.subject = subject
        self.notes = Notes(subject.place.type)
        self.state = Watched(_compile(subject), subject, self.notes)
        self.backoff_s: int | None = None
        self._engine = service.engine
        self._frame = _frame(subject, len(self.state.retriers), self._engine.clock.now_ms())
        self._execution = _execution(service, subject, self._frame)
        self._machine = Machine(
            Program({"": Scope(self.state.name, {self.state.name: self.state})}),
            service.source,
            check_parameters=dispatch.check_parameters if subject.mock is None else accept,
            prepare_parameters=dispatch.prepare_parameters,
            limits=replace(AWS, slice_transitions_max=0, express_duration_s_max=AWS.standard_duration_s_max),
            revision=replace(service.revision, redrive=False),
        )
        self._replies: dict[int, _Reply] = {}
        self._timers: set[int] = set()
        self._timed_out = False

    def run(self) -> None:
        self.take(ev.TimerFired(_RETRY_TIMER))
        horizon_ms = self._engine.clock.now_ms() + TEST_S_MAX * 1000
        if not self._engine.run_until(self._is_over, TEST_S_MAX, horizon_ms):
            self._timed_out = True
            self.notes.error = StateError(TIMEOUT)
            self._let_go()

    # What came of it

    @property
    def status(self) -> str:
        if self._timed_out or self._execution.status == "FAILED":
            return "FAILED"
        if self._frame.waiting == "retry":
            return "RETRIABLE"
        return "SUCCEEDED" if self.notes.catch_index is None else "CAUGHT_ERROR"

    @property
    def output(self) -> Payload | None:
        return self._frame.input if self.status in ("SUCCEEDED", "CAUGHT_ERROR") else None

    @property
    def next_state(self) -> str | None:
        return self._frame.state if self._has_left() else None

    @property
    def error(self) -> StateError | None:
        """The error in the state's own words, where it is not the machine's."""
        if self.status == "SUCCEEDED":
            return None
        execution, noted = self._execution, self.notes.error
        if execution.status == "FAILED" and (noted is None or noted.error != execution.error):
            return StateError(execution.error, execution.cause)
        return noted

    @property
    def execution_arn(self) -> str:
        return self._execution.arn

    @property
    def variables(self) -> dict[str, JSON]:
        return self._frame.variables

    def _has_left(self) -> bool:
        return _FRAME_ID in self._execution.ready

    def _is_over(self) -> bool:
        return self._execution.status != "RUNNING" or self._has_left() or self._frame.waiting == "retry"

    # The world

    def take(self, event: ev.Event) -> None:
        """Raises what the state under test raises of a mock or a configuration that cannot be."""
        try:
            effects = self._machine.advance(self._execution, event, self._engine.clock.now_ms())
        except Broken as broken:
            assert broken.__cause__ is not None
            raise broken.__cause__ from None
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: fx.Effect) -> None:
        match effect:
            case HistoryEvent():
                self._note_failure(effect)
            case fx.RunTask():
                self._run_task(effect)
            case fx.CancelTask():
                self.end(effect.request_id, cancelled=True)
            case fx.StartTimer():
                self._start_timer(effect)
            case fx.CancelTimer():
                self._timers.discard(effect.request_id)
            case _:
                pass

    def _note_failure(self, event: HistoryEvent) -> None:
        if event.type.startswith(_TASKS) and event.type.endswith(_TASK_FAILURES):
            details = event.details or {}
            self.notes.error = StateError(details.get("error"), details.get("cause"))

    def _run_task(self, task: fx.RunTask) -> None:
        mock = self.subject.mock
        if mock is None:
            reply = self._replies[task.request_id] = _Reply(self, task, self._engine.wake)
            guarded(task, reply, lambda: self._engine.handler(task, reply))
        elif mock.result is not None:
            self.take(ev.TaskSucceeded(task.request_id, mock.result))
        else:
            self.take(ev.TaskFailed(task.request_id, mock.error, mock.cause))

    def end(self, request_id: int, *, cancelled: bool) -> None:
        """Nobody waits for a task any more."""
        reply = self._replies.pop(request_id, None)
        if reply is not None:
            reply.end(cancelled=cancelled)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        self._engine.after(int(delay_s * 1000), action)

    def _start_timer(self, effect: fx.StartTimer) -> None:
        delay_ms = effect.due_ms - self._engine.clock.now_ms()
        if self._frame.waiting == "retry":
            self.backoff_s = delay_ms // 1000
            return
        self._timers.add(effect.request_id)

        def fire() -> None:
            if effect.request_id in self._timers:
                self._timers.discard(effect.request_id)
                self.take(ev.TimerFired(effect.request_id))

        self._engine.after(self._engine.moment_ms(effect) - self._engine.clock.now_ms(), fire)

    def _let_go(self) -> None:
        self._timers.clear()
        for request_id in list(self._replies):
            self.end(request_id, cancelled=True)


class _Reply:
    """How a handler answers the task under test; see `integrations.contract.Reply`. Works from any thread."""

    def __init__(self, trial: Trial, task: fx.RunTask, wake: Callable[[Callable[[], None]], None]) -> None:
        self._trial = trial
        self.execution_arn = trial.execution_arn
        self._task = task
        self._wake = wake
        self._on_cancel: list[Callable[[], None]] = []
        self.ended = False

    def count(self) -> int:
        """A test belongs to no test case."""
        return 0

    def started(self, worker: str | None = None) -> None:
        self._do(lambda: self._trial.take(ev.TaskStarted(self._task.request_id, worker)))

    def submitted(self, output: JSON) -> None:
        self._do(lambda: self._trial.take(ev.TaskSubmitted(self._task.request_id, _payload(output))))

    def succeeded(self, output: JSON) -> None:
        self._do(lambda: self._answer(ev.TaskSucceeded(self._task.request_id, _payload(output))))

    def failed(self, error: str | None, cause: str | None) -> None:
        self._do(lambda: self._answer(ev.TaskFailed(self._task.request_id, error, cause)))

    def job(self, handle: JSON) -> None:
        """A test does not outlive a restart."""

    def on_cancel(self, action: Callable[[], None]) -> Callable[[], None]:
        self._on_cancel.append(action)
        return lambda: self._on_cancel.remove(action)

    def exchanged(self, exchange: Exchange) -> None:
        """See `integrations.contract.spectator`."""
        self._do(lambda: self._trial.notes.http(exchange))

    def later(self, delay_s: float, action: Callable[[], None], *, idle: bool = False) -> None:
        step = partial(guarded, self._task, self, lambda: self._unless_ended(action))
        self._do(lambda: self._trial.after(delay_s, step))

    def end(self, *, cancelled: bool) -> None:
        self.ended = True
        for action in list(self._on_cancel) if cancelled else ():
            action()

    def _answer(self, event: ev.TaskSucceeded | ev.TaskFailed) -> None:
        self._trial.end(self._task.request_id, cancelled=False)
        self._trial.take(event)

    def _do(self, action: Callable[[], None]) -> None:
        self._wake(lambda: self._unless_ended(action))

    def _unless_ended(self, action: Callable[[], None]) -> None:
        if not self.ended:
            action()


def _payload(output: JSON) -> Payload:
    return output if isinstance(output, Payload) else Payload(output)


def _compile(subject: Subject) -> State:
    """The state alone: what a container has inside is mocked, and stays uncompiled."""
    place = subject.place
    compiler = COMPILERS[place.language](place.name, f"/States/{place.name}", lambda definition, pointer: pointer)
    return CHAPTERS[place.type](place.definition, compiler)


def _frame(subject: Subject, retriers: int, now_ms: int) -> Frame:
    return Frame(
        id=_FRAME_ID,
        kind="root",
        scope="",
        state=subject.place.name,
        input=subject.input,
        waiting="retry",
        request_id=_RETRY_TIMER,
        entered_ms=now_ms,
        retry_count=subject.retry_count,
        retries=dict.fromkeys(range(retriers), subject.retry_count),
        variables=subject.variables,
    )


def _execution(service: Service, subject: Subject, frame: Frame) -> Execution:
    machine_name, name = service.source.uuid4(), service.source.uuid4()
    machine_arn = service.arn(f"stateMachine:{machine_name}")
    return Execution(
        arn=service.arn(f"express:{machine_name}:{name}"),
        name=name,
        machine_arn=machine_arn,
        machine_name=machine_name,
        role_arn=subject.role_arn,
        input=subject.input,
        start_ms=frame.entered_ms,
        region=service.region,
        express=True,
        map_item={"Index": 0, "Value": subject.input.value} if subject.place.in_map else None,
        next_request_id=_RETRY_TIMER + 1,
        frames={frame.id: frame},
        requests={_RETRY_TIMER: frame.id},
    )
