"""Variables of a definition, found without running it: which are set for certain where a state begins, and their types.

    Start --Assign n--> Loop --> …        at Loop, `n` is set; its type is known if all that is ever assigned agrees

Takes a JSONPath definition that has been checked. Source: AWS guide, "Passing data between states with variables".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kaidan.asl.query.intrinsics import is_intrinsic
from kaidan.convert.expressions import is_a, literal_type
from kaidan.convert.intrinsics import result_type
from kaidan.convert.scopes import scopes_in
from kaidan.values import JSON

Object = dict[str, JSON]


@dataclass(slots=True)
class Variables:
    """`set_at`: the names that are set when a state begins, by the state's pointer. `types`: those that are known.

    `names`: of all variables that are ever assigned.
    """

    set_at: dict[str, frozenset[str]] = field(default_factory=dict)
    types: dict[str, str | None] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.types)

    def at(self, pointer: str) -> dict[str, str | None]:
        """The facts about variables where a state begins: `{"$n": "integer", "$order": None}`."""
        return {f"${name}": self.types.get(name) for name in sorted(self.set_at.get(pointer, ()))}


def variables_of(definition: Object) -> Variables:
    variables = Variables()
    _scope(variables, definition, "", frozenset())
    return variables


def _scope(variables: Variables, scope: Object, pointer: str, outer: frozenset[str]) -> None:
    begin = _flow(variables, scope, outer)
    for name, state in scope["States"].items():
        at = f"{pointer}/States/{name}"
        variables.set_at[at] = begin.get(name, outer)
        for step, inner in scopes_in(state):
            _scope(variables, inner, at + step, variables.set_at[at])


def _flow(variables: Variables, scope: Object, outer: frozenset[str]) -> dict[str, frozenset[str]]:
    """State → what is set when it begins, on every way that leads there."""
    begin = {scope["StartAt"]: outer}
    waiting = [scope["StartAt"]]
    while waiting:
        name = waiting.pop()
        for target, assigned in _ways(scope["States"][name]):
            for variable, given in assigned.items():
                _learn(variables, variable, given)
            arriving = begin[name] | {variable.removesuffix(".$") for variable in assigned}
            known = begin.get(target)
            if target is not None and (known is None or not known <= arriving):
                begin[target] = arriving if known is None else known & arriving
                waiting.append(target)
    return begin


def _ways(state: Object) -> Iterator[tuple[str | None, Object]]:
    """Each way out of a state: where it leads, None at the end, and what it assigns."""
    yield state.get("Default" if state["Type"] == "Choice" else "Next"), state.get("Assign", {})
    for entry in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield entry["Next"], entry.get("Assign", {})


def _learn(variables: Variables, key: str, given: JSON) -> None:
    name = key.removesuffix(".$")
    found = _type(key, given)
    known = variables.types.setdefault(name, found)
    if known != found:
        variables.types[name] = (
            "number" if known and found and is_a(known, "number") and is_a(found, "number") else None
        )


def _type(key: str, given: JSON) -> str | None:
    if not key.endswith(".$"):
        return literal_type(given)
    return result_type(given) if is_intrinsic(given) else None
