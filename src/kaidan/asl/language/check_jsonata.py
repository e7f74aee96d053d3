"""JSONata in a definition, checked: syntax, and what an expression may refer to where it stands.

Source: AWS guide, "Transforming data with JSONata"; codes and messages as observed from
ValidateStateMachineDefinition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from kaidan.asl.query.jsonata import JsonataSyntaxError, Node, parse, top_level_references
from kaidan.asl.query.jsonata.nodes import Name, Path, Variable
from kaidan.asl.states.fields import Site, parts
from kaidan.values import JSON

_ALWAYS = ("input", "context")
_UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"


def is_expression(value: JSON) -> bool:
    """Whether it means to be an expression. One with a blank before `{%` is text (recorded)."""
    return isinstance(value, str) and value.startswith("{%")


def check_payload(payload: JSON, sees: str | None, site: Site) -> None:
    """All expressions in a value, each at its own place."""
    for pointer, _, value in parts(payload):
        if is_expression(value):
            check_expression(value, sees, site.at(pointer))


def check_expression(text: str, sees: str | None, site: Site) -> None:
    """One `{% … %}`. `sees`: the member of `$states` there besides input and context."""
    if not is_expression(text) or not text.endswith("%}") or len(text) < 4:
        site.error("JSONata string must start with {% and end with %}")
        return
    try:
        tree = parse(text[2:-2])
    except JsonataSyntaxError as problem:
        hint = f"at character {problem.position + 1} of the expression"
        site.error(str(problem), code="INVALID_JSONATA_EXPRESSION", hint=hint)
    else:
        _references(tree, sees, site)


def _references(tree: Node, sees: str | None, site: Site) -> None:
    for reference in top_level_references(tree):
        site.error(*_top_level(reference), code=_UNSUPPORTED, hint=_instead(reference))
    for member in dict.fromkeys(_members_of_states(tree)):
        if member not in (*_ALWAYS, sees):
            hint = "here $states has " + ", ".join(filter(None, (*_ALWAYS, sees)))
            site.error(f"Field '$states.{member}' does not exist.", code=_UNSUPPORTED, hint=hint)


def _top_level(reference: str) -> tuple[str]:
    if reference == "$$":
        return ("Reference to '$$' is not supported.",)
    return (f"Reference to '{reference}' at the top level is not supported.",)


def _instead(reference: str) -> str:
    if reference.startswith("$"):
        return "the state's input is $states.input"
    if reference.startswith("*"):
        return f"the parts of the input are $states.input.{reference}"
    return f"a field of the input is $states.input.{reference}, a variable ${reference}"


def _members_of_states(tree: Node) -> Iterator[str]:
    """`result` of `$states.result.x`, wherever in the tree."""
    waiting: list[object] = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Path) and len(part.steps) > 1:
            root, member = part.steps[:2]
            if isinstance(root, Variable) and root.name == "states" and isinstance(member, Name):
                yield member.value
        if isinstance(part, (list, tuple)):
            waiting += part
        elif is_dataclass(part):
            waiting += [getattr(part, item.name) for item in fields(part)]
