"""Nodes put together: steps joined to paths, filters and groups hung on steps, and each `%` tied to its step.

The parser calls these as it works its way outwards, so the parts are always finished. They raise JsonataSyntaxError
S0209, S0210, S0213, S0215, S0216, S0217. Source: the observable behaviour of JSONata 2.0.6.
"""

from __future__ import annotations

from kaidan.asl.query.jsonata.errors import JsonataSyntaxError
from kaidan.asl.query.jsonata.nodes import (
    Array,
    Block,
    Filter,
    Group,
    Index,
    Literal,
    Name,
    Node,
    Parent,
    Path,
    Slot,
    Sort,
    Wildcard,
)


def join(left: Node, right: Node) -> Path:
    """`left.right`"""
    path = _path(left)
    path.steps[0] = _step(path.steps[0])
    if isinstance(right, Path):
        added = right.steps
    else:
        right.stages, right.predicates = [*right.predicates, *right.stages], []
        added = [_step(right)]
    path.steps += added
    path.keep_singleton |= any(step.keep for step in (path.steps[0], *added))
    for end in (path.steps[0], path.steps[-1]):
        end.constructs |= isinstance(end, Array)
    _resolve_parents(path)
    return path


def _path(node: Node) -> Path:
    if isinstance(node, Path):
        return node
    path = Path(position=node.position, steps=[node])
    if isinstance(node, Parent):
        path.seeking = [node.slot]
    return path


def _step(node: Node) -> Node:
    """A string is a name where it is a step; other literals cannot be one."""
    if not isinstance(node, Literal):
        return node
    if not isinstance(node.value, str):
        raise JsonataSyntaxError("S0213", node.position, value=node.value)
    return Name(
        position=node.position,
        predicates=node.predicates,
        stages=node.stages,
        group=node.group,
        keep=node.keep,
        tuples=node.tuples,
        focus=node.focus,
        index=node.index,
        value=node.value,
    )


def last_step(node: Node) -> Node:
    return node.steps[-1] if isinstance(node, Path) else node


def keep_singleton(node: Node) -> Node:
    """`node[]`"""
    last_step(node).keep = node.keep = True
    if isinstance(node, Path):
        node.keep_singleton = True
    return node


def filtered(left: Node, test: Node, position: int) -> Node:
    """`left[test]`"""
    step = last_step(left)
    if step.group is not None:
        raise JsonataSyntaxError("S0209", position)
    for slot in test.seeking:
        if slot.level == 1:
            _seek(step, slot)
        else:
            slot.level -= 1
    if test.seeking:
        inherit(step, test)
    if isinstance(left, Path):
        step.stages.append(Filter(test))
    else:
        step.predicates.append(Filter(test))
    return left


def grouped(left: Node, pairs: list[tuple[Node, Node]], position: int) -> Node:
    """`left{key: value}`"""
    if left.group is not None:
        raise JsonataSyntaxError("S0210", position)
    left.group = Group(pairs)
    return left


def ordered(left: Node, terms: list[tuple[bool, Node]], position: int) -> Path:
    """`left^(terms)`"""
    path = left if isinstance(left, Path) else Path(position=left.position, steps=[left])
    sort = Sort(position=position, terms=terms)
    for _, key in terms:
        inherit(sort, key)
    path.steps.append(sort)
    _resolve_parents(path)
    return path


def focused(left: Node, name: str, position: int) -> Node:
    """`left@$name`"""
    step = last_step(left)
    if step.stages or step.predicates:
        raise JsonataSyntaxError("S0215", position)
    if isinstance(step, Sort):
        raise JsonataSyntaxError("S0216", position)
    step.focus = name
    step.tuples = True
    return left


def indexed(left: Node, name: str) -> Path:
    """`left#$name`"""
    if isinstance(left, Path):
        path, step = left, left.steps[-1]
    else:
        path, step = Path(position=left.position, steps=[left]), left
        step.stages, step.predicates = [*step.predicates, *step.stages], []
    if step.stages:
        step.stages.append(Index(name))
    else:
        step.index = name
    step.tuples = True
    return path


def inherit(node: Node, part: Node) -> None:
    """What is still sought inside a part is sought from the whole."""
    node.seeking += part.seeking
    if isinstance(part, Parent):
        node.seeking.append(part.slot)


def _resolve_parents(path: Path) -> None:
    """Tie what the last step seeks to the steps before it; what goes further back the path seeks itself."""
    last = path.steps[-1]
    slots = [*last.seeking, last.slot] if isinstance(last, Parent) else list(last.seeking)
    for slot in slots:
        at = len(path.steps) - 2
        while slot.level > 0 and at >= 0:
            step = path.steps[at]
            at -= 1
            while at >= 0 and step.focus and path.steps[at].focus:
                step = path.steps[at]
                at -= 1
            _seek(step, slot)
        if slot.level > 0:
            path.seeking.append(slot)


def _seek(node: Node, slot: Slot) -> None:
    """Go back over this step, binding its parent where the slot has arrived."""
    if isinstance(node, (Name, Wildcard)):
        slot.level -= 1
        if slot.level == 0:
            if node.ancestor is not None:
                slot.label = node.ancestor.label
            node.ancestor = slot
            node.tuples = True
    elif isinstance(node, Parent):
        slot.level += 1
    elif isinstance(node, Block):
        if node.expressions:
            node.tuples = True
            _seek(node.expressions[-1], slot)
    elif isinstance(node, Path):
        node.tuples = True
        _seek_in_steps(node, slot)
    else:
        raise JsonataSyntaxError("S0217", node.position)


def _seek_in_steps(path: Path, slot: Slot) -> None:
    at = len(path.steps) - 1
    _seek(path.steps[at], slot)
    while slot.level > 0 and at > 0:
        at -= 1
        _seek(path.steps[at], slot)
