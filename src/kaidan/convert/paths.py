"""JSONPath in JSONata: what a path leads to, as a node.

    $.a.b[0]                 $states.input.a.b[0]
    $.a[*].b                 [$map($states.input.a, function($v) { $v.b })[]]
    $.a[1:3]                 [$filter($states.input.a, function($v, $i) { $i >= 1 and $i < 3 })[]]
    $.a[?(@.x == 1)]         [$states.input.a[x in [1, '1']]]
    $..b                     [$map($states.input.**, function($v) { $v.b })[]]

A path to one value stays as short as can be. Any other path gives a list, `[]` when nothing is there. In JSONata a
sequence of one member becomes the member, and lists in a sequence are flattened; brackets around it, a `[]` behind it
and `$map` (which keeps the lists it finds) undo that.

Not the same, and left so: JSONata looks for a name in every member of a list, and `[0]` of what is no list is the value
itself, where JSONPath fails (IsPresent tells lists apart, see choices.py). `[*]` is taken to go over a list, not
over an object's values.
Source: `kaidan.asl.query.jsonpath`, for what a path means to Step Functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from kaidan.asl.query.jsonpath_parser import (
    Filter,
    FromEnd,
    Index,
    Indexes,
    Names,
    Scan,
    Slice,
    Test,
    Token,
    Wildcard,
    read_path,
)
from kaidan.convert.expressions import (
    ATOM,
    Code,
    Guard,
    Guards,
    Node,
    Nowhere,
    Ref,
    Unconvertible,
    code,
    guarded,
    name_text,
    parameter,
    select,
    step_text,
    string_text,
    within,
)
from kaidan.convert.filters import may_hold_for_lists, predicate

Facts: TypeAlias = Mapping[str, str | None]
"""What is known to be there, as written in JSONata, and its type if that is known."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What paths see where they stand: `data` is `$`; `facts` is what is known to be there."""

    data: Node
    facts: Facts = field(default_factory=dict)

    def root(self, kind: str, variable: str | None) -> Node:
        if kind == "context":
            return self.known(Ref("$states.context"))
        return self.data if variable is None else self.known(Ref(f"${variable}"))

    def known(self, node: Node) -> Node:
        if isinstance(node, Ref) and node.text in self.facts:
            return replace(node, type=self.facts[node.text], sure=True)
        return node


def path(text: str, scene: Scene) -> Node:
    """The value at a path; an error for a path that never leads anywhere. Raises Unconvertible."""
    try:
        return find(text, scene)
    except Nowhere:
        return never(f"{text} leads nowhere")


def never(reason: str) -> Code:
    """What always failed goes on failing."""
    return Code(f"$error({string_text(reason)})")


def find(text: str, scene: Scene) -> Node:
    """The value at a path. Raises Nowhere for a path that never leads anywhere, Unconvertible."""
    root, variable, tokens = read_path(text)
    steps = _definite(tokens)
    node = scene.known(select(scene.root(root, variable), steps))
    rest = tokens[len(steps) :]
    return node if not rest else _List(text, scene.root(root, variable)).of(node, rest)


def _definite(tokens: tuple[Token, ...]) -> tuple[str | int, ...]:
    """The names and places that a path begins with; a place counted from the end is negative."""
    steps: list[str | int] = []
    for token in tokens:
        match token:
            case Names((name,)):
                steps.append(name)
            case Index(index) if index >= 0:
                steps.append(index)
            case Index(index):
                raise Nowhere(f"no list has a place {index}")
            case FromEnd(back) if back > 0:
                steps.append(-back)
            case FromEnd():
                raise Nowhere("no list has a place behind its last")
            case _:
                break
    return tuple(steps)


# --- paths to any number of values ------------------------------------------------------------------------

_PLAIN: Final = "plain"
"""A list as it is in the data."""

_SAFE: Final = "safe"
"""A sequence whose members are no lists: one of one member may be taken for the member."""

_LOOSE: Final = "loose"
"""A sequence whose members may be lists: one of one member must be kept apart by `[]`."""

_MADE: Final = "made"
"""A list that was made, however short, if there was anything to make it of."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The values so far, as JSONata that gives nothing when there are none. `guards`: what has to hold for it."""

    text: str
    kind: str
    sure: bool = False
    lenient: bool = False
    """A member without what comes next is passed over."""
    guards: Guards = ()

    @property
    def kept(self) -> str:
        """As an argument: a list, however short."""
        return self.text + "[]" if self.kind == _LOOSE else self.text


class _List:
    """The rest of a path, from the first token that may lead to several values."""

    def __init__(self, text: str, root: Node) -> None:
        self.path = text
        self.root = root

    def of(self, node: Node, tokens: tuple[Token, ...]) -> Node:
        if isinstance(tokens[0], Names):
            return self.several_names(node, tokens)
        members = self.first(node, tokens)
        rest = tokens[2 if isinstance(tokens[0], Scan) else 1 :]
        if not rest and isinstance(tokens[0], Wildcard) and members.sure:
            return node
        while rest:
            steps = _definite(rest)
            if steps or isinstance(rest[0], Names):
                members, rest = self.mapped(members, rest, steps)
            else:
                members, rest = self.further(members, rest[0]), rest[1:]
        return _listed(members)

    def several_names(self, node: Node, tokens: tuple[Token, ...]) -> Node:
        base = code(node)
        text = _members_of(within(base, ATOM), tokens)
        return Code(text, type="object", unseen=(*base.unseen, Guard(base.text, "object")))

    def first(self, node: Node, tokens: tuple[Token, ...]) -> _Members:
        base = code(node)
        text, sure = within(base, ATOM), base.type == "array" and not base.all_guards
        match tokens[0]:
            case Wildcard():
                return _Members(base.text, _PLAIN, sure, True, base.unseen)
            case Slice() | Indexes():
                return self.places(base, tokens[0])
            case Filter(test):
                return _Members(f"{text}[{self.test(test)}]", _kind(test), guards=base.unseen)
            case Scan():
                return self.scanned(text, tokens[1], base.unseen)
            case _:
                raise self.unconvertible()

    def places(self, base: Code, token: Slice | Indexes) -> _Members:
        """By a function of the place: a list of places in brackets would make something of nothing."""
        value, index = parameter("v", base.text), parameter("i", base.text)
        guards = base.unseen
        if isinstance(token, Slice):
            test = self.slice(base.text, token, index)
        else:
            if list(token.indexes) != sorted(set(token.indexes)) or token.indexes[0] < 0:
                raise self.unconvertible()
            test = f"{index} in [{', '.join(map(str, token.indexes))}]"
            guards = (*guards, Guard(f"{within(base, ATOM)}[{token.indexes[-1]}]"))
        return _Members(f"$filter({base.text}, function({value}, {index}) {{ {test} }})", _LOOSE, guards=guards)

    def slice(self, text: str, token: Slice, index: str) -> str:
        """The test of a place. Negative edges count from the end, unless both are given."""
        start, stop = token.start, token.stop
        if start is not None and stop is not None:
            if start < 0:
                raise self.unconvertible()
            return f"{index} >= {start} and {index} < {stop}" if start else f"{index} < {stop}"
        operator, edge = (">=", start) if start is not None else ("<", stop)
        assert edge is not None
        return f"{index} {operator} {edge}" if edge >= 0 else f"{index} {operator} $count({text}) - {-edge}"

    def scanned(self, text: str, token: Token, guards: Guards) -> _Members:
        match token:
            case Names((name,)):
                everywhere = _Members(f"{text}.**", _SAFE, lenient=True, guards=guards)
                return self.map(everywhere, step_text(name), name)
            case Filter(test):
                return _Members(f"{text}.**[{self.test(test)}]", _SAFE, guards=guards)
            case _:
                raise self.unconvertible()

    def mapped(
        self, members: _Members, rest: tuple[Token, ...], steps: tuple[str | int, ...]
    ) -> tuple[_Members, tuple[Token, ...]]:
        """Go on from each member by names and places."""
        after = rest[len(steps) :]
        if not steps:
            value = parameter("v", members.text)
            text = f"$map({members.kept}, function({value}) {{ {_members_of(value, rest)} }})"
            return replace(members, text=text, kind=_SAFE), ()
        if steps and after and isinstance(after[0], Wildcard) and all(isinstance(step, str) for step in steps):
            # a path flattens what it finds, which is what [*] asks for
            text = members.text + "".join(map(step_text, steps))
            return replace(members, text=text, kind=_LOOSE, sure=False, lenient=True), after[1:]
        return self.map(members, "".join(map(step_text, steps)), str(steps[-1])), after

    def map(self, members: _Members, steps: str, name: str) -> _Members:
        value = parameter("v", members.text)
        found = value + steps
        if not members.lenient:
            found = guarded(found, (Guard(found),)) + f" : $error({string_text(f'nothing at {self.path}')})"
        text = f"$map({members.kept}, function({value}) {{ {found} }})"
        return replace(members, text=text, kind=_LOOSE, sure=False, lenient=False)

    def further(self, members: _Members, token: Token) -> _Members:
        flat = replace(members, text=f"$reduce({members.kept}, $append, [])", kind=_MADE, lenient=True)
        match token:
            case Wildcard():
                return flat
            case Filter(test):
                text = f"{flat.text}[{self.test(test)}]"
                return replace(flat, text=text, kind=_kind(test), sure=False, lenient=False)
            case Slice() | Indexes():
                value = parameter("v", members.text)
                part = _listed(self.places(Code(value), token))
                text = f"$reduce($map({members.kept}, function({value}) {{ {part.text} }})[], $append, [])"
                return replace(flat, text=text, lenient=False)
            case _:
                raise self.unconvertible()

    def test(self, test: Test) -> str:
        return predicate(test, code(self.root).text)

    def unconvertible(self) -> Unconvertible:
        return Unconvertible(f"the path {self.path} has no counterpart in JSONata that is certain to give the same")


def _kind(test: Test) -> str:
    return _LOOSE if may_hold_for_lists(test) else _SAFE


def _members_of(text: str, tokens: tuple[Token, ...]) -> str:
    """`{'a': $v.a, 'b': $v.b}`: those of the names that are there."""
    token = tokens[0]
    if not isinstance(token, Names) or len(tokens) > 1:
        raise Unconvertible("several names may stand only at the end of a path")
    return "{" + ", ".join(f"{string_text(name)}: {text}.{name_text(name)}" for name in token.names) + "}"


def _listed(members: _Members) -> Code:
    text = members.text if members.kind == _MADE and members.sure else f"[{members.kept}]"
    return Code(text, type="array", unseen=members.guards)
