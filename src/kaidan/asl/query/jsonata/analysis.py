"""What an expression asks of its surroundings, read off its syntax tree without evaluating it.

    free_variables("$states.input.a + $n")         {"states", "n"}
    top_level_references("$map($xs, f) & phone")   ["f", "phone"]

Source: Step Functions evaluates expressions without a context, and refuses a definition whose expression reads one
(AWS guide, "Transforming data": no `$` or `$$` and no unqualified field names at the top level).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kaidan.asl.query.jsonata.nodes import (
    Apply,
    Array,
    Binary,
    Bind,
    Block,
    Call,
    Condition,
    Descendants,
    Filter,
    Group,
    Index,
    Lambda,
    Name,
    Negate,
    Node,
    Object,
    Parent,
    Partial,
    Path,
    Sort,
    Transform,
    Variable,
    Wildcard,
)


def free_variables(node: Node) -> set[str]:
    """The names (without `$`) of variables that are used where nothing in the expression has bound them.

    Names of built-in functions are among them: `$sum(…)` uses `sum`.
    """
    return {name for name, bound in _variables(node) if name not in bound}


def top_level_references(node: Node) -> list[str]:
    """What is read from the context the expression starts with, each once: a field's name, `$`, `$$`, `*`, `**`, `%`.

    Inside a step, a filter, a sort or a group there is a context of the expression's own making, so anything goes.
    """
    found: dict[str, None] = {}
    for part in _in_context(node):
        name = _context_reference(part)
        if name is not None:
            found[name] = None
    return list(found)


def _context_reference(node: Node) -> str | None:
    match node:
        case Name():
            return node.value
        case Variable(name="" | "$"):
            return "$" + node.name
        case Wildcard():
            return "*"
        case Descendants():
            return "**"
        case Parent():
            return "%"
        case _:
            return None


def _in_context(node: Node) -> Iterator[Node]:
    """The parts that are evaluated in the context the whole has, in the order of the text."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(_own_parts(part))


def _own_parts(node: Node) -> list[Node]:
    """The parts of a node that see the context it sees itself."""
    match node:
        case Path():
            return node.steps[:1]
        case Binary() | Apply():
            return [node.left, node.right]
        case Negate():
            return [node.operand]
        case Array():
            return node.items
        case Object():
            return _members(node.members)
        case Block():
            return node.expressions
        case Condition():
            return [node.test, node.then, *([node.otherwise] if node.otherwise is not None else [])]
        case Bind():
            return [node.value]
        case Call():
            return [node.procedure, *node.arguments]
        case Partial():
            return [node.procedure, *(argument for argument in node.arguments if argument is not None)]
        case Lambda():
            return [node.body]
        case _:
            return []


def _members(group: Group) -> list[Node]:
    return [part for pair in group.pairs for part in pair]


def _hung_parts(node: Node) -> list[Node]:
    """The parts that are evaluated in a context of the node's making."""
    parts: list[Node] = [stage.test for stage in (*node.predicates, *node.stages) if isinstance(stage, Filter)]
    match node:
        case Path():
            parts += node.steps[1:]
        case Sort():
            parts += [key for _, key in node.terms]
        case Transform():
            parts += [node.pattern, node.update, *([node.delete] if node.delete is not None else [])]
        case _:
            pass
    return parts + (_members(node.group) if node.group is not None else [])


@dataclass(frozen=True, slots=True)
class _Task:
    """`scope`: the names bound where the node is evaluated. `later`: those that will be when a function is called."""

    node: Node
    scope: frozenset[str]
    later: frozenset[str]


def _variables(root: Node) -> Iterator[tuple[str, frozenset[str]]]:
    """Each use of a variable with the names bound by then."""
    binds = _bindings(root)
    waiting = [_Task(root, frozenset(), binds[root])]
    while waiting:
        task = waiting.pop()
        node, scope, later = task.node, task.scope, task.later
        if isinstance(node, Variable) and node.name not in ("", "$"):
            yield node.name, scope
        if isinstance(node, Transform):
            yield "clone", scope
        if isinstance(node, Lambda):
            scope = scope | later | frozenset(node.parameters)
            later = later | binds[node.body]
        elif isinstance(node, Block):
            later = later.union(*(binds[part] for part in node.expressions))
        elif isinstance(node, Path):
            scope = scope | _bound_by_steps(node)
        for part in parts(node):
            waiting.append(_Task(part, scope, later))
            scope = scope | binds[part] if binds[part] else scope


def _bindings(root: Node) -> dict[Node, frozenset[str]]:
    """For every node the names that `:=` in it binds outside of it: none for blocks and functions."""
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += parts(node)
    binds: dict[Node, frozenset[str]] = {}
    for node in reversed(order):
        names: frozenset[str] = frozenset()
        if not isinstance(node, (Block, Lambda)):
            names = names.union(*(binds[part] for part in parts(node)))
        binds[node] = names | {node.name} if isinstance(node, Bind) else names
    return binds


def bound_within(node: Node) -> frozenset[str]:
    """The names that `:=` binds in the scope the node stands in: not those of blocks and functions inside."""
    names: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Bind):
            names.add(part.name)
        if not isinstance(part, (Block, Lambda)):
            waiting += parts(part)
    return frozenset(names)


def parts(node: Node) -> list[Node]:
    """The nodes directly inside a node."""
    return [*_own_parts(node), *_hung_parts(node)]


def _bound_by_steps(path: Path) -> set[str]:
    names = {name for step in path.steps for name in (step.focus, step.index) if name is not None}
    return names | {stage.name for step in path.steps for stage in step.stages if isinstance(stage, Index)}
