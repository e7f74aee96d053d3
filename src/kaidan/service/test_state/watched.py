"""A compiled state with eyes on it: the same state to the machine, with its data noted and its children mocked.

The machine visits a `Watched` state as any other. What the data flow makes goes to the Notes; a Context object that
was given replaces the machine's; Parallel and Map ask for their mocked result as a Task asks for its work. Knows
nothing of requests and answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from kaidan.arns import task_resource
from kaidan.asl.machine.map_runs import item_context
from kaidan.asl.query.env import Env
from kaidan.asl.states.dataflow import Assigned
from kaidan.asl.states.distributed import Terms, Tolerance
from kaidan.asl.states.map import Map
from kaidan.asl.states.recovery import CatchFlow, error_output
from kaidan.asl.states.state import State
from kaidan.asl.states.visit import Ask, Exit, FanOut, Step, Visit
from kaidan.errors import EXCEED_TOLERATED_FAILURE_THRESHOLD, StateError
from kaidan.integrations.http_task import Exchange
from kaidan.integrations.items import Unreadable, json_file, read_text
from kaidan.limits import AWS
from kaidan.protocol.events import Item
from kaidan.service.errors import invalid
from kaidan.service.test_state.spans import written
from kaidan.service.test_state.subject import Subject
from kaidan.values import JSON, Payload, loads

_RESULT = ("afterResultSelector", "afterResultPath")
_INPUT = ("afterInputPath",)
_ITEMS = ("afterItemsPath", "afterItemsPointer", "afterItemSelector", "afterItemBatcher")
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
    exchange: Exchange | None = None

    def http(self, exchange: Exchange) -> None:
        """An HTTP task's last request and its answer."""
        self.exchange = exchange

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
            MapTest(self._inner, step, visit, self._subject, self._notes).look()
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


class MapTest:
    """What a Map would run on, without running it."""

    def __init__(self, state: Map, step: FanOut, visit: Visit, subject: Subject, notes: Notes) -> None:
        self._state = state
        self._step = step
        self._visit = visit
        self._subject = subject
        self._notes = notes
        self._definition = subject.place.definition
        self._terms = state.distribution.terms(visit, step.input, AWS.payload_bytes_max)

    def look(self) -> None:
        """Note it. Raises ValidationException, and States.ExceedToleratedFailureThreshold for too many failures."""
        items = self._items() if self._subject.reader_data is None else self._read(self._subject.reader_data)
        if self._subject.place.language == "JSONPath":
            self._notes.data("afterItemsPath", self._as_written(items))
        inputs = [Payload(self._selected(index, item)) for index, item in enumerate(items)]
        if self._state.selects:
            self._notes.data("afterItemSelector", Payload([input.value for input in inputs]))
        if self._terms.batched:
            self._notes.data("afterItemBatcher", Payload(batches(self._terms, inputs)))
        self._notes.number("maxConcurrency", self._step.concurrency)
        self._look_at_failures(len(items))

    def _items(self) -> list[Item]:
        keyed = self._step.keyed
        return [Item(each, None, "STATE_DATA", each["Key"] if keyed else None) for each in self._step.items or ()]

    def _read(self, text: str) -> list[Item]:
        """What the ItemReader is said to have read, as items."""
        config = self._definition.get("ItemReader", {}).get("ReaderConfig", {})
        try:
            items = read_text(text, config, (self._terms.reader or {}).get("Parameters"))
            if "ItemsPointer" in config:
                pointed = json_file.pointed(loads(text), config["ItemsPointer"])
                self._notes.data("afterItemsPointer", Payload(pointed))
        except Unreadable as problem:
            raise invalid(f"Invalid MapItemReaderData provided: {problem}") from None
        return items

    def _as_written(self, items: list[Item]) -> Payload:
        """Recorded: items that a path finds in a text keep the spacing that they have there."""
        found = self._step.items if self._subject.reader_data is None else None
        for whole in (self._subject.input, self._subject.context):
            if found is not None and whole and (text := written(found, whole)) is not None:
                return Payload(found, text)
        return Payload([item.value for item in items])

    def _selected(self, index: int, item: Item) -> JSON:
        """What ItemSelector makes of one item, which it sees in the Context object."""
        outer = self._visit.env
        context = {**outer.context(), "Map": {"Item": item_context(index, item, sources=True)}}
        inner = Visit(_env(outer, context), self._visit.input, self._visit.now_ms)
        return self._state.item_input(inner, self._visit.effective, item.value).value

    def _look_at_failures(self, total: int) -> None:
        """Recorded: without one of the fields of tolerance, no failure exceeds the threshold."""
        given = {name.removesuffix("Path") for name in self._definition if name.startswith("ToleratedFailure")}
        tolerance = Tolerance(self._terms.tolerated_count, self._terms.tolerated_percentage)
        if "ToleratedFailureCount" in given:
            self._notes.number("toleratedFailureCount", tolerance.count)
        if "ToleratedFailurePercentage" in given:
            self._notes.number("toleratedFailurePercentage", tolerance.percentage)
        failures = self._subject.failure_count or 0
        if failures > total:
            raise invalid("Map iteration failure count must be less than or equal to the number of Map iterations")
        if given and tolerance.exceeded(failures, total):
            cause = "The specified tolerated failure threshold was exceeded"
            raise StateError(EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)


def batches(terms: Terms, inputs: list[Payload]) -> list[JSON]:
    """The inputs of children in batches, as ItemBatcher bounds them."""
    found: list[list[JSON]] = []
    size = 0
    for input in inputs:
        size += input.size_bytes + 1
        full = not found or len(found[-1]) == terms.batch_items
        if full or terms.empty_batch_bytes() + size - 1 > terms.batch_bytes:
            found.append([])
            size = input.size_bytes + 1
        found[-1].append(input.value)
    return [terms.batch(items).value for items in found]
