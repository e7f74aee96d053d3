"""Spans of histories: small machines as pictures, and laws over random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.asl.language import compile_definition
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.errors import StateError
from kaidan.integrations.contract import Reply
from kaidan.observe.spans import Span, spans_of
from kaidan.protocol.effects import RunTask
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.sources import SeededSource, SimulatedClock
from kaidan.values import Payload
from tests.laws.machines import INPUT, answer, machines

Definition = dict[str, Any]
ARN = "arn:aws:states:us-east-1:123456789012:"
START_MS = 1_700_000_000_000


class Tasks:
    """Answers tasks a second after their start: with `answers` in turn (the names of errors, "" for none), and when
    there are no more of them as random machines expect."""

    def __init__(self, engine: Engine, answers: list[str]) -> None:
        self._engine = engine
        self._answers = answers

    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        self._engine.after(1000, lambda: self._finish(task, reply))

    def resume(self, task: RunTask, job: Any, reply: Reply) -> None:
        self(task, reply)

    def _finish(self, task: RunTask, reply: Reply) -> None:
        if self._answers:
            error = self._answers.pop(0)
            return reply.failed(error, "so") if error else reply.succeeded({})
        try:
            return reply.succeeded(answer(task))
        except StateError as error:
            return reply.failed(error.error, error.cause)


class World:
    """An engine with one execution."""

    def __init__(
        self, definition: Definition, input: Any, answers: list[str], seed: int = 1, until_ms: int | None = None
    ) -> None:
        self.engine = Engine(SimulatedClock(START_MS))
        self.engine.handler = Tasks(self.engine, answers)
        execution = Execution(
            arn=f"{ARN}execution:orders:x",
            name="x",
            machine_arn=f"{ARN}stateMachine:orders",
            machine_name="orders",
            role_arn="arn:aws:iam::123456789012:role/r",
            input=Payload(input),
            start_ms=START_MS,
        )
        self.run = Run(Machine(compile_definition(definition), SeededSource(seed)), execution)
        self.engine.start(self.run)
        self.go_on(until_ms)

    def go_on(self, until_ms: int | None = None) -> None:
        self.engine.run_until(lambda: False, horizon_ms=until_ms)

    @property
    def history(self) -> list[HistoryEvent]:
        return self.engine.events(self.run)

    def picture(self) -> list[str]:
        return [_line(span) for span in spans_of(self.history, "orders")]


def _line(span: Span) -> str:
    """`  Try 1-3s Boom: so`: depth, name, seconds since the start, what ended it."""
    depth, at = 0, span.inside
    while at is not None:
        depth, at = depth + 1, at.inside
    begin, end = ((moment - START_MS) / 1000 for moment in (span.start_ms, span.end_ms))
    words = [f"{'  ' * depth}{span.name}", f"{begin:g}-{end:g}s"]
    if span.error is not None:
        words.append(": ".join(part for part in (span.error, span.cause) if part) or "failed")
    if span.caught is not None:
        words.append(f"caught {span.caught}")
    return " ".join([*words, *(["aborted"] if span.aborted else [])])


TASK: Definition = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeInstances", "Parameters": {}}


def one(state: Definition, name: str = "Try", **more: Any) -> Definition:
    return {"StartAt": name, "States": {name: state | ({} if "Next" in state else {"End": True}), **more}}


def test_a_chain() -> None:
    definition = one({"Type": "Wait", "Seconds": 3, "Next": "Call"}, "Hold", Call=TASK | {"End": True})
    assert World(definition, {}, [""]).picture() == [
        "orders 0-4s",
        "  Hold 0-3s",
        "  Call 3-4s",
        "    ec2:describeInstances 3-4s",
    ]


def test_each_attempt_has_a_span() -> None:
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 2, "MaxAttempts": 1}]
    assert World(one(TASK | {"Retry": retry}), {}, ["Boom", ""]).picture() == [
        "orders 0-4s",
        "  Try 0-4s",
        "    ec2:describeInstances 0-1s Boom: so",
        "    ec2:describeInstances 3-4s",
    ]


def test_a_failure_goes_up_until_it_is_caught() -> None:
    assert World(one(TASK), {}, ["Boom"]).picture() == [
        "orders 0-1s Boom: so",
        "  Try 0-1s Boom: so",
        "    ec2:describeInstances 0-1s Boom: so",
    ]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "After"}]
    caught = one(TASK | {"Catch": catch, "Next": "After"}, After={"Type": "Pass", "End": True})
    assert World(caught, {}, ["Boom"]).picture() == [
        "orders 0-1s",
        "  Try 0-1s caught Boom",
        "    ec2:describeInstances 0-1s Boom: so",
        "  After 1-1s",
    ]


def test_branches() -> None:
    branches = [one(TASK, "Call"), one({"Type": "Wait", "Seconds": 5}, "Hold")]
    assert World(one({"Type": "Parallel", "Branches": branches}, "Both"), {}, [""]).picture() == [
        "orders 0-5s",
        "  Both 0-5s",
        "    Call 0-1s",
        "      ec2:describeInstances 0-1s",
        "    Hold 0-5s",
    ]


def test_a_branch_that_fails_aborts_the_others_and_a_redrive_goes_on_with_both() -> None:
    branches = [one(TASK, "Call"), one({"Type": "Wait", "Seconds": 5}, "Hold")]
    world = World(one({"Type": "Parallel", "Branches": branches}, "Both"), {}, ["Boom", ""])
    assert world.picture() == [
        "orders 0-1s Boom: so",
        "  Both 0-1s Boom: so",
        "    Call 0-1s Boom: so",
        "      ec2:describeInstances 0-1s Boom: so",
        "    Hold 0-1s aborted",
    ]
    world.engine.redrive(world.run.execution.arn)
    world.go_on()
    assert world.picture() == [
        "orders 1-6s",
        "  Both 1-6s",
        "    Call 1-2s",
        "    Hold 1-6s",
        "      ec2:describeInstances 1-2s",
    ]


EACH: Definition = {"Type": "Map", "MaxConcurrency": 1}


def test_items() -> None:
    each = EACH | {"ItemProcessor": one({"Type": "Wait", "Seconds": 2}, "Hold")}
    assert World(one(each, "Each"), [1, 2], []).picture() == [
        "orders 0-4s",
        "  Each 0-4s",
        "    Each[0] 0-2s",
        "      Hold 0-2s",
        "    Each[1] 2-4s",
        "      Hold 2-4s",
    ]


def test_an_item_that_fails() -> None:
    each = EACH | {"ItemProcessor": one(TASK, "Call")}
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 2, "MaxAttempts": 1}]
    assert World(one(each | {"Retry": retry}, "Each"), [1], ["Boom", ""]).picture() == [
        "orders 0-4s",
        "  Each 0-4s",
        "    Each[0] 0-1s Boom: so",
        "      Call 0-1s Boom: so",
        "        ec2:describeInstances 0-1s Boom: so",
        "    Each[0] 3-4s",
        "      Call 3-4s",
        "        ec2:describeInstances 3-4s",
    ]


def test_a_stop_aborts_everything() -> None:
    each = EACH | {"ItemProcessor": one({"Type": "Wait", "Seconds": 2}, "Hold")}
    world = World(one(each, "Each"), [1, 2, 3], [], until_ms=START_MS + 3_000)
    world.engine.stop(world.run.execution.arn, "Enough", None)
    assert world.picture() == [
        "orders 0-2s aborted",
        "  Each 0-2s aborted",
        "    Each[0] 0-2s",
        "      Hold 0-2s",
        "    Each[1] 2-2s aborted",
        "      Hold 2-2s aborted",
    ]


def test_a_time_out() -> None:
    definition = one({"Type": "Wait", "Seconds": 9}, "Hold") | {"TimeoutSeconds": 2}
    assert World(definition, {}, []).picture() == ["orders 0-2s States.Timeout", "  Hold 0-2s aborted"]


def test_a_map_run_is_known_by_its_arn() -> None:
    arn = f"{ARN}mapRun:orders/Each:1"
    events = [
        HistoryEvent(1, 0, "ExecutionStarted", START_MS),
        HistoryEvent(2, 0, "MapStateEntered", START_MS, {"name": "Each"}),
        HistoryEvent(3, 2, "MapStateStarted", START_MS, {"length": 1}),
        HistoryEvent(4, 3, "MapRunStarted", START_MS, {"mapRunArn": arn}),
        HistoryEvent(5, 4, "MapRunSucceeded", START_MS + 2_000),
        HistoryEvent(6, 5, "MapStateSucceeded", START_MS + 2_000),
        HistoryEvent(7, 4, "MapStateExited", START_MS + 2_000, {"name": "Each"}),
        HistoryEvent(8, 7, "ExecutionSucceeded", START_MS + 2_000),
    ]
    spans = spans_of(events, "orders")
    assert [_line(span) for span in spans] == ["orders 0-2s", "  Each 0-2s", "    Map Run 0-2s"]
    assert (spans[2].key, spans[2].attributes) == (arn, {"aws.states.map_run.arn": arn})


# --- laws -------------------------------------------------------------------------------------------------


def _check(spans: list[Span], history: list[HistoryEvent]) -> None:
    assert len({span.key for span in spans}) == len(spans)
    roots = [span for span in spans if span.inside is None]
    assert [span.kind for span in roots] == ["execution"]
    for span in spans:
        assert span.start_ms <= span.end_ms
        if span.inside is not None:
            assert any(span.inside is other for other in spans)
            assert span.inside.start_ms <= span.start_ms and span.end_ms <= span.inside.end_ms


@settings(max_examples=150, deadline=None, derandomize=True)
@given(machines(), st.integers(0, 3))
def test_spans_nest_whatever_happens(definition: Definition, seed: int) -> None:
    world = World(definition, INPUT, [], seed)
    history = world.history
    spans = spans_of(history, "orders")
    _check(spans, history)
    entered = sum(event.type.endswith("StateEntered") for event in history)
    scheduled = sum(event.type.endswith("Scheduled") for event in history)
    assert sum(span.kind == "state" for span in spans) == entered
    assert sum(span.kind == "task" for span in spans) == scheduled
    if world.run.execution.status != "SUCCEEDED":
        world.engine.redrive(world.run.execution.arn)
        world.go_on()
        _check(spans_of(world.history, "orders"), world.history)
