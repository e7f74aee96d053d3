"""What every compiled state is, and what a chapter gets to compile itself with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from kaidan.asl.states.dataflow import Definition, Flow
from kaidan.asl.states.recovery import Catchers, Retriers
from kaidan.asl.states.visit import Exit, Step, Visit
from kaidan.values import JSON, Payload


class Value(Protocol):
    """A compiled field. `path` is the text of its `…Path` twin, when that is how the definition gives it."""

    path: str | None

    def at(self, visit: Visit) -> JSON:
        """The value of the field at this visit."""


ChoiceTest: TypeAlias = Callable[[Visit, Payload], bool]
Items: TypeAlias = Callable[[Visit, Payload], JSON]
Template: TypeAlias = Callable[[Visit, Payload], Payload]


class Compiler(Protocol):
    """What the language offers a chapter while it compiles one state, in the state's query language."""

    name: str
    pointer: str

    def flow(self, definition: Definition, *, parameters: str | None = None, place: str = "") -> Flow:
        """The data flow. `parameters`: the JSONPath field that shapes the input. `place` stands before the names of
        the fields in errors: `Choices[0]/`."""

    def choice(self, rule: Definition, place: str) -> ChoiceTest:
        """The test of one choice rule; `place` as of `flow`."""

    def value(self, definition: Definition, field: str) -> Value | None:
        """A field that is a literal, has a `…Path` twin (JSONPath), or may be an expression (JSONata)."""

    def items(self, definition: Definition, *, objects: bool = False) -> Items:
        """The array that a Map goes over: ItemsPath or Items, by default the effective input. `objects`: it may be
        an object instead."""

    def item_selector(self, definition: Definition) -> Template | None:
        """ItemSelector, or Parameters of old."""

    def template(self, value: JSON, location: str) -> Template:
        """A field with paths or expressions anywhere in it. `location` names it in errors: `ItemReader/Arguments`."""

    def scope(self, definition: Definition, pointer: str) -> str:
        """Compile the states of a branch or item processor; the answer is the path of the scope."""

    def retriers(self, definition: Definition) -> Retriers:
        """The entries of Retry."""

    def catchers(self, definition: Definition) -> Catchers:
        """The entries of Catch."""


class State:
    """A compiled state. The machine reads the attributes; the chapters fill in the behaviour."""

    __slots__ = (
        "catchers",
        "entered",
        "exited",
        "flow",
        "has_token",
        "name",
        "next",
        "recovers",
        "retriers",
        "type",
    )

    def __init__(self, definition: Definition, compiler: Compiler, flow: Flow) -> None:
        self.name = compiler.name
        self.type: str = definition["Type"]
        self.next: str | None = definition.get("Next")
        self.entered = self.type + "StateEntered"
        self.exited = self.type + "StateExited"
        self.flow = flow
        self.retriers = compiler.retriers(definition)
        self.catchers = compiler.catchers(definition)
        self.recovers = self.type in ("Task", "Parallel", "Map")
        """Only these have Retry and Catch, and RetryCount in their context object (recorded)."""
        self.has_token = False
        """A Task that waits for something has a token in its context object."""

    def enter(self, visit: Visit) -> Step:
        raise NotImplementedError

    def resume(self, visit: Visit, result: Payload) -> Exit:
        """What was asked for is there: go on."""
        return self.exit(visit, result)

    def exit(self, visit: Visit, result: Payload) -> Exit:
        output, assigned = self.flow.conclude(visit, result)
        return Exit(self.next, output, assigned)
