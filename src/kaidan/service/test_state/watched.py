"""A compiled state with eyes on it: the same state to the machine, with its data noted and its children mocked.

The machine visits a `Watched` state as any other. What the data flow makes goes to the Notes; a Context object that
was given replaces the machine's; Parallel and Map ask for their mocked result as a Task asks for its work. Knows
nothing of requests and answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import msgspec

from kaidan.arns import task_resource
from kaidan.asl.query.env import Env
from kaidan.asl.states.dataflow import Assigned
from kaidan.asl.states.distributed import Tolerance
from kaidan.asl.states.map import Map
from kaidan.asl.states.recovery import CatchFlow, error_output
from kaidan.asl.states.state import State
from kaidan.asl.states.visit import Ask, Exit, FanOut, Step, Visit
from kaidan.errors import EXCEED_TOLERATED_FAILURE_THRESHOLD, StateError
from kaidan.integrations.items import Unreadable, json_file, read_text
from kaidan.service.errors import invalid
from kaidan.service.test_state.spans import written
from kaidan.service.test_state.subject import Subject
from kaidan.values import JSON, Payload, loads

_RESULT = ("afterResultSelector", "afterResultPath")
_INPUT = ("afterInputPath",)
_ITEMS = ("afterItemsPath", "afterItemsPointer", "afterItemSelector")
_NUMBERS = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")

SHOWN: dict[str, tuple[str, ...]] = {
    "Task": (*_INPUT, "afterParameters", "afterArguments", "result", *_RESULT),
    "Pass": (*_INPUT, "afterParameters", "result", *_RESULT),
    "Wait": _INPUT,
    "Succeed": _INPUT,
    "Fail": _INPUT,
    "Choice": _INPUT,
    "Parallel": _RESULT,
    "Map": (*_INPUT, *_ITEMS, *_NUMBERS, *_RESULT),
}
"""What inspectionData has of each type, besides `input`, `variables` and `errorDetails` (recorded)."""

MOCKED = task_resource("arn:aws:states:::mock:result")
"""What a container asks for in place of its children."""


@dataclass(slots=True)
class Notes:
    """What was seen of one visit. `error`: the last error of the state in its own words."""

    type: str
    shown: dict[str, JSON] = field(default_factory=dict)
    error: StateError | None = None
    catch_index: int | None = None

    def number(self, name: str, value: float) -> None:
        if name in SHOWN[self.type]:
            self.shown[name] = value

    def data(self, name: str, payload: Payload) -> None:
        """As the data flow tells it (`Visit.observe`)."""
        if name in SHOWN[self.type]:
            self.shown[name] = payload.text


class Watched(State):
    __slots__ = ("_inner", "_notes", "_subject")

    def __init__(self, inner: State, subject: Subject, notes: Notes) -> None:
        for name in State.__slots__:
            setattr(self, name, getattr(inner, name))
        self._inner = inner
        self._subject = subject
        self._notes = notes
        self.catchers = tuple(
            replace(catcher, flow=_CatchFlow(self, index, catcher.flow)) for index, catcher in enumerate(self.catchers)
        )

    def enter(self, visit: Visit) -> Step:
        with self.watching(visit):
            if self.type == "Fail" and self._subject.place.language == "JSONPath":
                self._observe("afterInputPath", visit.input)
            if "Result" in self._subject.place.definition:
                self._observe("result", Payload(self._subject.place.definition["Result"]))
            step = self._inner.enter(visit)
            return self._ask(step, visit) if isinstance(step, FanOut) else step

    def resume(self, visit: Visit, result: Payload) -> Exit:
        with self.watching(visit):
            self._observe("result", result)
            return self._inner.resume(visit, result)

    @contextmanager
    def watching(self, visit: Visit) -> Iterator[None]:
        """One visit, seen, and with the given Context object."""
        visit.observe = self._observe
        if self._subject.context:
            visit.env = _env(visit.env, self._subject.context.value)
        try:
            yield
        except StateError as error:
            self._notes.error = error
            raise

    def _observe(self, name: str, payload: Payload) -> None:
        self._notes.data(name, payload)

    def caught(self, index: int, told: Payload) -> Payload:
        """The error output that a Catcher sees: in the state's own words, without where it happened."""
        self._notes.catch_index = index
        error = self._notes.error
        return error_output(error) if error and error.error == told.value["Error"] else told

    def _ask(self, step: FanOut, visit: Visit) -> Ask:
        if isinstance(self._inner, Map):
            if self._subject.reader_data is not None:
                items = _read(self._subject.reader_data, self._subject, self._notes)
                step = msgspec.structs.replace(step, items=items)
            _look_at_items(self._inner, step, visit, self._subject, self._notes)
        return Ask(MOCKED, step.input)


class _CatchFlow:
    """The data flow of a Catcher, watched."""

    def __init__(self, state: Watched, index: int, flow: CatchFlow) -> None:
        self._state = state
        self._index = index
        self._flow = flow

    def conclude(self, visit: Visit, error_output: Payload) -> tuple[Payload, Assigned]:
        told = self._state.caught(self._index, error_output)
        with self._state.watching(visit):
            visit.observe = None
            return self._flow.conclude(visit, told)


def _env(env: Env, context: JSON) -> Env:
    return Env(lambda: context, env.variables, env.source, env.now_ms)


# Map


def _read(text: str, subject: Subject, notes: Notes) -> list[JSON]:
    """What the ItemReader is said to have read, as items. Raises ValidationException."""
    config = subject.place.definition.get("ItemReader", {}).get("ReaderConfig", {})
    try:
        items = [item.value for item in read_text(text, config)]
        if "ItemsPointer" in config:
            notes.data("afterItemsPointer", Payload(json_file.pointed(loads(text), config["ItemsPointer"])))
    except Unreadable as problem:
        raise invalid(f"Invalid MapItemReaderData provided: {problem}") from None
    return items


def _look_at_items(state: Map, step: FanOut, visit: Visit, subject: Subject, notes: Notes) -> None:
    """Note what a Map would run on; raises States.ExceedToleratedFailureThreshold for too many failures."""
    definition = subject.place.definition
    items = step.items or []
    if subject.place.language == "JSONPath":
        notes.data("afterItemsPath", _as_written(items, subject))
    if "ItemSelector" in definition or "Parameters" in definition:
        notes.data("afterItemSelector", Payload([_selected(state, visit, *pair) for pair in enumerate(items)]))
    notes.number("maxConcurrency", step.concurrency)
    tolerance = _tolerance(state, visit, subject, notes)
    failures = subject.failure_count or 0
    if failures > len(items):
        raise invalid("Map iteration failure count must be less than or equal to the number of Map iterations")
    if tolerance and tolerance.exceeded(failures, len(items)):
        cause = "The specified tolerated failure threshold was exceeded"
        raise StateError(EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)


def _as_written(items: list[JSON], subject: Subject) -> Payload:
    """Recorded: items that a path finds in a text keep the spacing that they have there."""
    for whole in (subject.input, subject.context):
        if whole and (text := written(items, whole)) is not None:
            return Payload(items, text)
    return Payload(items)


def _selected(state: Map, visit: Visit, index: int, item: JSON) -> JSON:
    """What ItemSelector makes of one item, which it sees in the Context object."""
    outer = visit.env
    context = {**outer.context(), "Map": {"Item": {"Index": index, "Value": item}}}
    inner = Visit(_env(outer, context), visit.input, visit.now_ms)
    return state.item_input(inner, visit.effective, item).value


def _tolerance(state: Map, visit: Visit, subject: Subject, notes: Notes) -> Tolerance | None:
    """Recorded: without one of its fields, no failure exceeds the threshold."""
    given = {name.removesuffix("Path") for name in subject.place.definition if name.startswith("ToleratedFailure")}
    if not given:
        return None
    tolerance = state.distribution.tolerance(visit)
    if "ToleratedFailureCount" in given:
        notes.number("toleratedFailureCount", tolerance.count)
    if "ToleratedFailurePercentage" in given:
        notes.number("toleratedFailurePercentage", tolerance.percentage)
    return tolerance
