"""JSONata being written: what a converted field is made of, before it becomes text.

    Ref("$states.input").select("a")                      {% $states.input.a %}
    Obj({"n": Const(1), "id": <that>})                    {"n": 1, "id": "{% $states.input.a %}"}
    Put(Ref("$states.input"), ("r",), Ref("$states.result"))
                                            {% $merge([$states.input, {'r': $states.result}]) %}

A *node* is a value that will be known at run time. It has two forms: `code` gives JSONata, to stand inside a larger
expression; `template` gives JSON for a field, with expressions only where they are needed.

The care taken here is for two habits of JSONata. What is missing is left out of objects and arrays and read as "" by
`&`, where JSONPath would have failed: hence `Code.unseen`. And lists inside `[…]` are flattened: hence `_item`.

Knows nothing of JSONPath and of states. Source: JSONata 2.0.6; AWS guide, "Transforming data with JSONata".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from kaidan.values import JSON

CONDITION, OR, AND, COMPARE, ADD, MULTIPLY, ATOM = 20, 25, 30, 40, 50, 60, 100
"""How strongly the outermost operator of an expression binds; ATOM needs no parentheses anywhere."""

BACKSLASH: Final = r"\x5c"
"""A backslash in a regular expression. Twice the character itself would hide a bracket behind it from JSONata."""

KINDS: Final[dict[str, tuple[str, ...]]] = {"number": ("number", "integer"), "string": ("string", "timestamp")}
"""Types that count as another: an integer is a number, a timestamp a string."""


def is_a(known: str | None, kind: str) -> bool:
    """Whether a known type, None for an unknown one, is of a kind."""
    return known in KINDS.get(kind, (kind,))


class Unconvertible(Exception):
    """There is no JSONata for this. `reason` says why, in a sentence; `pointer` where, below the state."""

    def __init__(self, reason: str, pointer: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer


@contextmanager
def inside(step: str) -> Iterator[None]:
    """What is unconvertible here is so at this step further in."""
    try:
        yield
    except Unconvertible as problem:
        raise Unconvertible(problem.reason, step + problem.pointer) from None


class Nowhere(Exception):
    """A path that can lead to nothing, whatever the data. The message says which."""


# --- what must hold ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guard:
    """`$exists(text)`, or `$type(text) = 'array'`."""

    text: str
    type: str | None = None

    def __str__(self) -> str:
        return f"$exists({self.text})" if self.type is None else f"$type({self.text}) = '{self.type}'"

    def implies(self, other: Guard) -> bool:
        """What is part of something that exists, exists itself."""
        if self.text == other.text:
            return other.type is None or is_a(self.type, other.type)
        return other.type is None and self.text.startswith((other.text + ".", other.text + "["))


Guards: TypeAlias = tuple[Guard, ...]


def without(guards: Iterable[Guard], known: Guards = ()) -> Guards:
    """Each guard once, without those that follow from what is known or from another guard."""
    unique = [each for each in dict.fromkeys(guards) if not any(fact.implies(each) for fact in known)]
    return tuple(each for each in unique if not any(other.implies(each) and other is not each for other in unique))


# --- nodes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Code:
    """JSONata as text.

    `unseen`: what has to hold, and the text would not notice if it did not. `seen`: what holds whenever the text has a
    value, so that nobody needs to ask. `type`: that of the value, where it is known; `listed`: it is written `[…]`.
    """

    text: str
    power: int = ATOM
    type: str | None = None
    unseen: Guards = ()
    seen: Guards = ()

    @property
    def all_guards(self) -> Guards:
        return (*self.unseen, *self.seen)

    @property
    def listed(self) -> bool:
        return self.power == ATOM and self.text.startswith("[") and self.type == "array"


@dataclass(frozen=True, slots=True)
class Const:
    value: JSON


@dataclass(frozen=True, slots=True)
class Ref:
    """Something that is there already, reached by names and places: `$states.input.a[0]`, a place from the end if < 0.

    `type`: of the value, where it is known. `sure`: it is known to be there.
    """

    root: str
    steps: tuple[str | int, ...] = ()
    type: str | None = None
    sure: bool = False

    @property
    def text(self) -> str:
        return self.root + "".join(map(step_text, self.steps))


@dataclass(frozen=True, slots=True)
class Obj:
    members: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Arr:
    items: list[Node]


@dataclass(frozen=True, slots=True)
class Put:
    """`base` with `value` at `steps`, as ResultPath does it."""

    base: Node
    steps: tuple[str | int, ...]
    value: Node


Node: TypeAlias = Code | Const | Ref | Obj | Arr | Put


# --- text -------------------------------------------------------------------------------------------------

_RESERVED: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_UNQUOTABLE: Final = "`"


def step_text(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{name_text(step)}"


def name_text(name: str) -> str:
    """`a`, or `` `a-b` ``. Raises Unconvertible for a name that cannot be written."""
    if name.isidentifier() and name not in _RESERVED:
        return name
    if _UNQUOTABLE in name or not name:
        raise Unconvertible(f"the name {json.dumps(name, ensure_ascii=False)} cannot be written in JSONata")
    return f"`{name}`"


def string_text(text: str) -> str:
    """In single quotes, which need no escape in a JSON document, unless the text has some itself."""
    quoted = json.dumps(text, ensure_ascii=False)
    if "'" in text:
        return quoted
    return "'" + quoted[1:-1].replace('\\"', '"') + "'"


def literal_text(value: JSON) -> str:
    """Any JSON value in JSONata. Lists that are written out are never flattened."""
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{string_text(key)}: {literal_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal_text, value)) + "]"
    return json.dumps(value)


def literal_type(value: JSON) -> str:
    if value is None:
        return "null"
    for kind, types in _TYPES.items():
        if isinstance(value, types):
            return kind
    raise AssertionError(value)


_TYPES: Final[dict[str, type]] = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
}


def within(part: Code, power: int) -> str:
    """The text as an operand of an operator that binds with `power`."""
    return part.text if part.power >= power else f"({part.text})"


def parameter(name: str, *texts: str) -> str:
    """A name for a function's parameter that means nothing in these texts yet: `$v`."""
    while any(re.search(rf"\${name}\b", text) for text in texts):
        name += "_"
    return f"${name}"


def guarded(text: str, guards: Guards) -> str:
    """The text, or nothing at all where a guard does not hold: nothing is an error to Step Functions."""
    return " and ".join(map(str, guards)) + f" ? {text}" if guards else text


# --- the two forms ----------------------------------------------------------------------------------------


def code(node: Node) -> Code:
    """The node as part of an expression."""
    match node:
        case Code():
            return node
        case Const(value):
            return Code(literal_text(value), type=literal_type(value))
        case Ref():
            return Code(node.text, type=node.type, seen=() if node.sure else (Guard(node.text),))
        case Obj(members):
            return _object(members)
        case Arr(items):
            parts = [code(item) for item in items]
            text = "[" + ", ".join(map(_item, parts)) + "]"
            return Code(text, type="array", unseen=_guards_of(parts))
        case Put():
            return _put(node)


def _object(members: dict[str, Node]) -> Code:
    parts = {name: code(member) for name, member in members.items()}
    text = "{" + ", ".join(f"{string_text(name)}: {part.text}" for name, part in parts.items()) + "}"
    return Code(text, type="object", unseen=_guards_of(parts.values()))


def _guards_of(parts: Iterable[Code]) -> Guards:
    return tuple(guard for part in parts for guard in part.all_guards)


def _item(part: Code) -> str:
    """A member of `[…]`: lists that are not written out there are flattened, so they get brackets of their own."""
    if part.listed or part.type not in (None, "array"):
        return part.text
    if part.type == "array":
        return f"[{part.text}]"
    return f"$type({part.text}) = 'array' ? [[{part.text}]] : {part.text}"


def _put(node: Put) -> Code:
    base, step, rest = code(node.base), node.steps[0], node.steps[1:]
    inner = code(Put(select(node.base, (step,)), rest, node.value) if rest else node.value)
    if isinstance(step, int):
        return _put_at(base, step, inner)
    members = "{" + f"{string_text(step)}: {inner.text}" + "}"
    # what is put into something that is missing makes an object of its own
    return Code(f"$merge([{base.text}, {members}])", type="object", unseen=(*base.unseen, *inner.all_guards))


def _put_at(base: Code, place: int, inner: Code) -> Code:
    value, index = parameter("v", inner.text), parameter("i", inner.text)
    text = f"$map({base.text}, function({value}, {index}) {{ {index} = {place} ? {inner.text} : {value} }})[]"
    there = Guard(f"{within(base, ATOM)}[{place}]")
    return Code(text, type="array", unseen=(*base.unseen, *inner.all_guards, there), seen=base.seen)


def template(node: Node, known: Guards = ()) -> JSON:
    """The node as the value of a field."""
    match node:
        case Const(value):
            return _constant(value)
        case Obj(members):
            return {name: template(member, known) for name, member in members.items()}
        case Arr(items):
            return [template(item, known) for item in items]
        case _:
            part = code(node)
            return expression(guarded(part.text, without(part.unseen, (*known, *part.seen))))


def expression(text: str) -> str:
    return f"{{% {text} %}}"


def _constant(value: JSON) -> JSON:
    """Text that looks like an expression has to be one in order to stay what it is."""
    if isinstance(value, str) and value.startswith("{%"):
        return expression("'\\u007b" + string_text(value)[2:])
    if isinstance(value, dict):
        return {key: _constant(item) for key, item in value.items()}
    return [_constant(item) for item in value] if isinstance(value, list) else value


# --- selecting --------------------------------------------------------------------------------------------


def select(node: Node, steps: tuple[str | int, ...]) -> Node:
    """What names and places lead to. Raises Nowhere where a constant shows that there is nothing."""
    if not steps:
        return node
    match node:
        case Ref():
            return Ref(node.root, (*node.steps, *steps))
        case Const(value):
            return select(Const(_part(value, steps[0])), steps[1:])
        case Obj(members):
            return select(_member(members, steps[0]), steps[1:])
        case Arr(items):
            return select(_element(items, steps[0]), steps[1:])
        case Put():
            return _select_put(node, steps)
        case Code():
            text = within(node, ATOM) + "".join(map(step_text, steps))
            return Code(text, unseen=node.unseen, seen=(Guard(text),))


def _part(value: JSON, step: str | int) -> JSON:
    try:
        if isinstance(value, (dict, list)) and isinstance(step, str) is isinstance(value, dict):
            return value[step]  # type: ignore[index]
    except (KeyError, IndexError):
        pass
    raise Nowhere(f"{step} is not in {json.dumps(value)}")


def _member(members: dict[str, Node], step: str | int) -> Node:
    if not isinstance(step, str) or step not in members:
        raise Nowhere(f"{step} is none of {', '.join(members)}")
    others = [code(member) for name, member in members.items() if name != step]
    return with_guards(members[step], _guards_of(others))


def _element(items: list[Node], step: str | int) -> Node:
    if not isinstance(step, int) or not -len(items) <= step < len(items):
        raise Nowhere(f"there is no {step} in a list of {len(items)}")
    others = [code(item) for item in items if item is not items[step]]
    return with_guards(items[step], _guards_of(others))


def _select_put(node: Put, steps: tuple[str | int, ...]) -> Node:
    common = next((at for at, (a, b) in enumerate(zip(node.steps, steps, strict=False)) if a != b), None)
    if common is not None:
        return select(node.base, steps)
    if len(steps) >= len(node.steps):
        return select(node.value, steps[len(node.steps) :])
    return Put(select(node.base, steps), node.steps[len(steps) :], node.value)


def with_guards(node: Node, guards: Guards) -> Node:
    """The node, which has a value only where the guards hold, too."""
    if not guards:
        return node
    part = code(node)
    return replace(part, unseen=(*part.unseen, *guards))
