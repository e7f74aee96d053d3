"""The vocabulary of the field tables: which fields a state has, and what they may hold, as data.

    FIELDS = (*COMMON, *TRANSITION, Field("Seconds", Integer(0, AWS.wait_s_max), one_of=TIMING, dynamic=True), …)

A chapter says with it what its type of state has, and adds a `check` where a rule spans several fields. Groups that
types share stand below. Whoever checks, documents or edits definitions walks these tables; nothing here walks them.
Knows no state type.

Source: States Language spec; AWS guide, the pages on each state; ranges and messages as observed from
ValidateStateMachineDefinition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from kaidan.arns import TaskResource
from kaidan.asl.query.java import hash_table_order, java_hash
from kaidan.errors import ALL, Diagnostic
from kaidan.limits import AWS
from kaidan.values import JSON

Language: TypeAlias = Literal["JSONPath", "JSONata"]
WorkflowType: TypeAlias = Literal["STANDARD", "EXPRESS"]
Object: TypeAlias = dict[str, JSON]

SCHEMA = "SCHEMA_VALIDATION_FAILED"

RESULT_MEMBER = "result"
ERROR_OUTPUT = "errorOutput"
"""Members of `$states` that are there in some fields only."""


def hash_set(names: Iterable[str]) -> list[str]:
    """Names in the order in which AWS lists alternatives and missing fields: that of a Java HashSet.

    Observed: `[SecondsPath, Seconds, TimestampPath, Timestamp]`, `[States, StartAt]`.
    """
    return hash_table_order((java_hash(name), name) for name in names)


# Where a rule is applied


ResourceCheck: TypeAlias = Callable[[TaskResource], str | None]
"""Says what is wrong with a task's resource that the language itself cannot know, or None."""

TemplateCheck: TypeAlias = Callable[[TaskResource, JSON], Iterable[tuple[str, str | None]]]
"""Says what is wrong with a task's Parameters or Arguments as they stand there: messages, each with a hint or None."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What only the integrations know.

    `knows(resource)`: None for a resource that exists, else what is wrong with it, in a sentence.
    `knows_parameters(resource, template)`: AWS's messages about a task's Parameters or Arguments, `The field
    'FunctionName' is required but was missing`, each with a hint or None.
    """

    knows: ResourceCheck | None = None
    knows_parameters: TemplateCheck | None = None

    def complaint(self, resource: TaskResource) -> str | None:
        return self.knows(resource) if self.knows else None

    def complaints(self, resource: TaskResource, template: JSON) -> Iterable[tuple[str, str | None]]:
        return self.knows_parameters(resource, template) if self.knows_parameters else ()


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a definition that is being checked, and where what is found there goes.

    `depth`: how many steps inside the definition it is.
    """

    findings: list[Diagnostic]
    pointer: str = ""
    language: Language = "JSONPath"
    workflow_type: WorkflowType = "STANDARD"
    resources: Resources = field(default_factory=Resources)
    depth: int = 0

    def at(self, step: str) -> Site:
        """`/Choices` or `[0]` further in."""
        return replace(self, pointer=self.pointer + step, depth=self.depth + 1)

    def error(self, message: str, step: str = "", *, code: str = SCHEMA, hint: str | None = None) -> None:
        self.findings.append(Diagnostic(code, message, self._location(step), hint=hint))

    def warning(self, code: str, message: str, step: str = "", *, hint: str | None = None) -> None:
        self.findings.append(Diagnostic(code, message, self._location(step), "WARNING", hint=hint))

    def _location(self, step: str) -> str:
        return self.pointer + step or "/"


Check: TypeAlias = Callable[[JSON, Site], None]
"""A rule that no table holds: looks at a value of the right type, reports to the site."""


# What a field holds


@dataclass(frozen=True, slots=True)
class Text:
    """A string. `selects`: it decides which other fields there are, which AWS words differently."""

    allowed: tuple[str, ...] = ()
    selects: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Integer:
    minimum: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Timestamp:
    """`2016-03-14T01:59:00Z`, as RFC 3339 has it."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path, or null for nothing."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A path to one place. `context`: `$$` is allowed. `written`: it says where to put a value; null for nowhere."""

    context: bool = True
    written: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A path to one place or a call of an intrinsic function."""


@dataclass(frozen=True, slots=True)
class Payload:
    """JSON with expressions in it: a payload template, or JSONata in its strings.

    `types`: what the whole may be (`object`, …), empty for anything. `sees` names the member of `$states` that
    the expressions have besides `input` and `context`.
    """

    types: tuple[str, ...] = ()
    sees: str | None = None


@dataclass(frozen=True, slots=True)
class Assignments:
    """An object whose members are variables to set."""

    sees: str | None = None


@dataclass(frozen=True, slots=True)
class Static:
    """JSON that is taken as it is."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A JSONata expression, or its value at once: true, false."""


@dataclass(frozen=True, slots=True)
class Target:
    """The name of a state in the same scope."""


@dataclass(frozen=True, slots=True)
class States:
    """The states of a scope by their names."""


@dataclass(frozen=True, slots=True)
class Items:
    """An array that has members, all of one kind."""

    of: Kind
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """An object with fields of its own. `scope`: it is a machine, the whole one or one inside a state, and
    `inside` says how its states are looked at.
    """

    fields: tuple[Field, ...] | Callable[[], tuple[Field, ...]]
    check: Check | None = None
    scope: bool = False
    inside: Callable[[JSON, Site], Site] | None = None

    @property
    def table(self) -> tuple[Field, ...]:
        return self.fields if isinstance(self.fields, tuple) else self.fields()


Kind: TypeAlias = (
    Text
    | Flag
    | Integer
    | Number
    | Timestamp
    | Path
    | Reference
    | Call
    | Payload
    | Assignments
    | Static
    | Condition
    | Target
    | States
    | Items
    | Record
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Fields that exclude one another. `void`: a value with which a field counts as absent."""

    names: tuple[str, ...]
    required: bool = False
    void: JSON = None

    def check(self, definition: Object, site: Site) -> None:
        present = [name for name in self.names if name in definition and not self._is_void(definition[name])]
        names = ", ".join(hash_set(self.names))
        if len(present) > 1:
            hint = f"it has {' and '.join(present)}"
            site.error(f"There should only be one of the following fields: [{names}]", hint=hint)
        elif not present and self.required:
            site.error(f"This object should have only one of the following fields: [{names}]", hint="it has none")

    def _is_void(self, value: JSON) -> bool:
        return self.void is not None and value is self.void


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `language`: the only one that has it. `dynamic`: in JSONata it may be an expression instead.
    `unique`: no two in a machine are equal.
    """

    name: str
    kind: Kind
    required: bool = False
    language: Language | None = None
    one_of: OneOf | None = None
    dynamic: bool = False
    check: Check | None = None
    unique: bool = False


def with_path(
    name: str, kind: Kind, path: Reference | Call, *, one_of: OneOf | None = None, check: Check | None = None
) -> tuple[Field, Field]:
    """A field and its `…Path` twin: JSONPath has either, JSONata the field with an expression."""
    one_of = one_of or OneOf((name, name + "Path"))
    return (
        Field(name, kind, one_of=one_of, dynamic=True, check=check),
        Field(name + "Path", path, language="JSONPath", one_of=one_of),
    )


_DYNAMIC = re.compile(r"\$\$?(?=$|[.\[])|States\.[A-Za-z0-9]+\(")


def looks_dynamic(value: JSON) -> bool:
    """Whether a value looks like a path or a call that was meant to be evaluated: `$.a`, `States.UUID()`."""
    return isinstance(value, str) and _DYNAMIC.match(value) is not None


def parts(value: JSON) -> Iterator[tuple[str, str, JSON]]:
    """All values inside a value and itself, in their order: pointer, name (of the nearest member), value."""
    waiting: list[tuple[str, str, JSON]] = [("", "", value)]
    while waiting:
        pointer, name, part = waiting.pop()
        yield pointer, name, part
        if isinstance(part, dict):
            waiting += reversed([(f"{pointer}/{key}", key, item) for key, item in part.items()])
        elif isinstance(part, list):
            waiting += reversed([(f"{pointer}[{index}]", name, item) for index, item in enumerate(part)])


# Groups of fields that several types of states share

_QUERY_LANGUAGE = Field("QueryLanguage", Text(("JSONPath", "JSONata")))
COMMON = (Field("Type", Text()), Field("Comment", Text()), _QUERY_LANGUAGE)

_NEXT_OR_END = OneOf(("Next", "End"), required=True, void=False)
TRANSITION = (Field("Next", Target(), one_of=_NEXT_OR_END), Field("End", Flag(), one_of=_NEXT_OR_END))

INPUT_OUTPUT = (
    Field("InputPath", Path(), language="JSONPath"),
    Field("OutputPath", Path(), language="JSONPath"),
)

PARAMETERS = Field("Parameters", Payload(), language="JSONPath")
ARGUMENTS = Field("Arguments", Payload(), language="JSONata")
RESULT_PATH = Field("ResultPath", Reference(context=False, written=True), language="JSONPath")
RESULT_SELECTOR = Field("ResultSelector", Payload(), language="JSONPath")

OUTPUT = Field("Output", Payload(), language="JSONata")
ASSIGN = Field("Assign", Assignments())
RESULT = (
    RESULT_PATH,
    RESULT_SELECTOR,
    Field("Output", Payload(sees=RESULT_MEMBER), language="JSONata"),
    Field("Assign", Assignments(sees=RESULT_MEMBER)),
)
"""What becomes of the result of a state that has others work."""


def all_alone_and_last(entries: JSON, site: Site) -> None:
    """States.ALL stands alone in its ErrorEquals, and in the last entry (spec, "Retrying after error")."""
    for index, entry in enumerate(entries):
        names = entry.get("ErrorEquals") if isinstance(entry, dict) else None
        if not isinstance(names, list) or ALL not in names or (len(names) == 1 and index == len(entries) - 1):
            continue
        hint = "it stands beside other names" if len(names) > 1 else "an entry after it would never be reached"
        step = f"[{index}]/ErrorEquals[{names.index(ALL)}]"
        site.error("States.ALL must appear alone and at end of list", step, hint=hint)


_ERROR_EQUALS = Field("ErrorEquals", Items(Text()), required=True)

RETRIER = (
    _ERROR_EQUALS,
    Field("Comment", Text()),
    Field("IntervalSeconds", Integer(0, AWS.wait_s_max)),
    Field("MaxAttempts", Integer(0, AWS.wait_s_max)),
    Field("BackoffRate", Number(1.0)),
    Field("MaxDelaySeconds", Integer(1, 31_622_400)),
    Field("JitterStrategy", Text(("NONE", "FULL"))),
)

CATCHER = (
    _ERROR_EQUALS,
    Field("Comment", Text()),
    Field("Next", Target(), required=True),
    RESULT_PATH,
    Field("Output", Payload(sees=ERROR_OUTPUT), language="JSONata"),
    Field("Assign", Assignments(sees=ERROR_OUTPUT)),
)

RECOVERY = (
    Field("Retry", Items(Record(RETRIER), may_be_empty=True), check=all_alone_and_last),
    Field("Catch", Items(Record(CATCHER), may_be_empty=True), check=all_alone_and_last),
)

SCOPE = (
    Field("Comment", Text()),
    Field("StartAt", Target(), required=True),
    Field("States", States(), required=True),
)
"""What any machine has, the whole as well as one inside a state."""

MACHINE = Record(
    (
        *SCOPE,
        _QUERY_LANGUAGE,
        Field("Version", Text(("1.0",))),
        Field("TimeoutSeconds", Integer(0, AWS.wait_s_max)),
    ),
    scope=True,
)
