"""What a node looks like: the questions by which the compiler chooses the form of its closure."""

from __future__ import annotations

from kaidan.asl.query.jsonata.nodes import (
    Array,
    Binary,
    Bind,
    Block,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Partial,
    Path,
    Regex,
    Transform,
    Variable,
)


def gives_sequences(node: Node) -> bool:
    """Whether a node's own value may be a Sequence that has to be collapsed."""
    match node:
        case Literal() | Regex() | Negate() | Array() | Object() | Lambda() | Partial() | Transform() | Name():
            return False
        case Binary():
            return node.operator == ".."
        case Block():
            return bool(node.expressions) and gives_sequences(node.expressions[-1])
        case Bind():
            return gives_sequences(node.value)
        case _:
            return True


def plain_field(node: Node) -> str | None:
    """The name, if the node is a field of the context and nothing else."""
    if not isinstance(node, Path) or len(node.steps) != 1 or node.group or node.keep_singleton or node.keep:
        return None
    step = node.steps[0]
    return step.value if is_bare_name(step) and isinstance(step, Name) else None


def is_bare_name(node: Node) -> bool:
    return isinstance(node, Name) and not (
        node.predicates or node.stages or node.group or node.keep or node.tuples or node.focus or node.index
    )


def constant_text(node: Node) -> str | None:
    plain = isinstance(node, Literal) and isinstance(node.value, str) and not node.predicates and not node.group
    return node.value if plain and isinstance(node, Literal) else None


def first_name(node: Node) -> str | None:
    """The first step of a path, if it is a name."""
    step = node.steps[0] if isinstance(node, Path) else None
    return step.value if isinstance(step, Name) else None


def called_name(node: Node) -> str | None:
    return node.name if isinstance(node, Variable) else first_name(node)
