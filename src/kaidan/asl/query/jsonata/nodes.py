"""The syntax tree: what an expression says, after paths have been put together from their steps.

A path is a list of steps; what belongs to a step (filters, the variables it binds) hangs on the step's node. Nodes are
filled in while the parser works its way outwards and never change afterwards. They do not know how they are evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kaidan.asl.query.jsonata.signature import Signature
from kaidan.values import JSON


@dataclass(slots=True, eq=False)
class Slot:
    """Where a `%` finds its value: `label` names it in the tuples, `level` is how many steps it has still to go."""

    label: str
    level: int = 1


@dataclass(slots=True)
class Filter:
    """`[…]` behind a step."""

    test: Node


@dataclass(slots=True)
class Index:
    """`#$name` behind a filter."""

    name: str


Stage: TypeAlias = Filter | Index


@dataclass(slots=True)
class Group:
    """`{key: value, …}` behind an operand: the members whose keys agree are grouped."""

    pairs: list[tuple[Node, Node]]


@dataclass(slots=True, eq=False)
class Base:
    """What any node may carry.

    `predicates` filter the node's own value, `stages` that of a step of a path. `focus` (`@$x`), `index` (`#$i`) and
    `ancestor` (for a `%` further on) are bound by a step, which then gives tuples (`tuples`). `keep`: `[]`, a single
    member stays a list. `constructs`: `[…]` at either end of a path. `seeking`: the `%` inside that seek their step.
    """

    position: int
    predicates: list[Filter] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    group: Group | None = None
    keep: bool = False
    constructs: bool = False
    tuples: bool = False
    focus: str | None = None
    index: str | None = None
    ancestor: Slot | None = None
    seeking: list[Slot] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Literal(Base):
    value: JSON


@dataclass(slots=True, eq=False, kw_only=True)
class Name(Base):
    """A field name, always a step of a path."""

    value: str


@dataclass(slots=True, eq=False, kw_only=True)
class Variable(Base):
    """`$name`; the empty name is `$`, the context, and `$` is `$$`, the input."""

    name: str


@dataclass(slots=True, eq=False, kw_only=True)
class Wildcard(Base):
    """`*`"""


@dataclass(slots=True, eq=False, kw_only=True)
class Descendants(Base):
    """`**`"""


@dataclass(slots=True, eq=False, kw_only=True)
class Parent(Base):
    """`%`"""

    slot: Slot


@dataclass(slots=True, eq=False, kw_only=True)
class Regex(Base):
    """`/pattern/flags`, in JavaScript's syntax."""

    pattern: str
    flags: str


@dataclass(slots=True, eq=False, kw_only=True)
class Path(Base):
    """`a.b.c`. `keep_singleton`: one of the steps carries `[]`."""

    steps: list[Node]
    keep_singleton: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Sort(Base):
    """`^(>a, b)`, a step of a path: (descending, key) in order of priority."""

    terms: list[tuple[bool, Node]]


@dataclass(slots=True, eq=False, kw_only=True)
class Binary(Base):
    """`left operator right` for the operators of arithmetic, comparison, logic, `&`, `in` and `..`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False, kw_only=True)
class Negate(Base):
    """`-operand`"""

    operand: Node


@dataclass(slots=True, eq=False, kw_only=True)
class Array(Base):
    """`[a, b]`"""

    items: list[Node]


@dataclass(slots=True, eq=False, kw_only=True)
class Object(Base):
    """`{a: b}` as an operand of its own: a group over the context."""

    members: Group


@dataclass(slots=True, eq=False, kw_only=True)
class Block(Base):
    """`(a; b)`, a scope for the variables bound inside."""

    expressions: list[Node]


@dataclass(slots=True, eq=False, kw_only=True)
class Condition(Base):
    """`test ? then : otherwise`"""

    test: Node
    then: Node
    otherwise: Node | None


@dataclass(slots=True, eq=False, kw_only=True)
class Bind(Base):
    """`$name := value`"""

    name: str
    value: Node


@dataclass(slots=True, eq=False, kw_only=True)
class Call(Base):
    """`procedure(arguments)`"""

    procedure: Node
    arguments: list[Node]


@dataclass(slots=True, eq=False, kw_only=True)
class Partial(Base):
    """`procedure(a, ?)`: None stands for `?`."""

    procedure: Node
    arguments: list[Node | None]


@dataclass(slots=True, eq=False, kw_only=True)
class Lambda(Base):
    """`function($a, $b)<signature> { body }`"""

    parameters: list[str]
    signature: Signature | None
    body: Node


@dataclass(slots=True, eq=False, kw_only=True)
class Apply(Base):
    """`left ~> right`"""

    left: Node
    right: Node


@dataclass(slots=True, eq=False, kw_only=True)
class Transform(Base):
    """`|pattern|update, delete|`"""

    pattern: Node
    update: Node
    delete: Node | None


Node: TypeAlias = (
    Literal | Name | Variable | Wildcard | Descendants | Parent | Regex | Path | Sort | Binary | Negate | Array | Object
    | Block | Condition | Bind | Call | Partial | Lambda | Apply | Transform
)  # fmt: skip
