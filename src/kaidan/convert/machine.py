"""A definition converted, state by state, with a report of what stayed as it was and of what is not quite the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kaidan.asl.query.jsonata.functions.table import BUILTINS
from kaidan.convert.expressions import Unconvertible
from kaidan.convert.paths import Facts
from kaidan.convert.scopes import PROCESSORS, scopes_in
from kaidan.convert.states import IN_MAP, convert_state
from kaidan.convert.variables import Variables, variables_of
from kaidan.errors import ALL, TASK_FAILED, Diagnostic
from kaidan.values import JSON

Object = dict[str, JSON]

NOT_CONVERTED = "NOT_CONVERTED"
DIFFERENT = "CONVERTED_WITH_A_DIFFERENCE"


@dataclass(slots=True)
class Conversion:
    """`definition`: the result; the given one is not touched. `findings`: warnings about the *given* definition.

    `converted` of the `asked` states that were JSONPath are JSONata now; `whole`: no JSONPath is left.
    """

    definition: Object
    findings: list[Diagnostic] = field(default_factory=list)
    asked: int = 0
    converted: int = 0
    whole: bool = False


def convert(definition: Object, names: frozenset[str] | None = None) -> Conversion:
    """Convert a definition that has been checked, or only the states of these names.

    A state that cannot be converted stays as it is. Raises KeyError with a name that no state has.
    """
    language = definition.get("QueryLanguage", "JSONPath")
    if language != "JSONPath":
        return Conversion(definition, whole=True)
    known = {name for name, _ in _states(definition)}
    for name in sorted(names or ()):
        if name not in known:
            raise KeyError(name)
    run = _Run(Conversion(definition), names, variables_of(definition))
    result = run.result
    result.definition = run.scope(definition, "", {})
    result.whole = all(state.get("QueryLanguage") == "JSONata" for _, state in _states(result.definition))
    if result.whole:
        result.definition = _with_language(definition, result.definition)
    return result


def _states(scope: Object) -> Iterator[tuple[str, Object]]:
    for name, state in scope["States"].items():
        yield name, state
        for _, inner in scopes_in(state):
            yield from _states(inner)


def _with_language(given: Object, definition: Object) -> Object:
    """The language said once, at the top."""
    for _, state in _states(definition):
        del state["QueryLanguage"]
    return {"QueryLanguage": "JSONata", **{key: item for key, item in definition.items() if key != "QueryLanguage"}}


class _Run:
    def __init__(self, result: Conversion, names: frozenset[str] | None, variables: Variables) -> None:
        self.result = result
        self.names = names
        self.variables = variables
        self.hidden = sorted(variables.names & BUILTINS.keys())

    def scope(self, scope: Object, pointer: str, facts: Facts) -> Object:
        states = {
            name: self.state(name, state, f"{pointer}/States/{name}", facts) for name, state in scope["States"].items()
        }
        return {**scope, "States": states}

    def state(self, name: str, state: Object, pointer: str, facts: Facts) -> Object:
        made = self.fields(name, state, pointer, facts)
        for step, inner in scopes_in(state):
            part = self.scope(inner, pointer + step, {**facts, **(IN_MAP if step[1:] in PROCESSORS else {})})
            made = _with_scope(made, step, part)
        return made

    def fields(self, name: str, state: Object, pointer: str, facts: Facts) -> Object:
        """The state itself, without the machines inside it."""
        if state.get("QueryLanguage", "JSONPath") != "JSONPath" or (self.names is not None and name not in self.names):
            return dict(state)
        self.result.asked += 1
        notes: dict[str, None] = {}
        try:
            made = convert_state(state, {**facts, **self.variables.at(pointer)}, lambda text: notes.setdefault(text))
            self.check_functions(made)
        except Unconvertible as problem:
            self.report(NOT_CONVERTED, f"'{name}' stays JSONPath: {problem.reason}", pointer + problem.pointer)
            return dict(state)
        self.result.converted += 1
        for text in notes:
            self.report(DIFFERENT, f"'{name}': {text}", pointer)
        self.note_errors(name, state, made, pointer)
        return {"Type": made["Type"], "QueryLanguage": "JSONata", **made}

    def check_functions(self, made: Object) -> None:
        """A variable hides the function of its name."""
        own = {key: item for key, item in made.items() if key not in ("Branches", *PROCESSORS)}
        for name in self.hidden:
            if any(re.search(rf"\${name}\(", text) for text in _expressions(own)):
                raise Unconvertible(f"the variable ${name} hides the function ${name} that would be needed")

    def note_errors(self, name: str, state: Object, made: Object, pointer: str) -> None:
        for field_name in ("Retry", "Catch"):
            caught = {error for entry in state.get(field_name, ()) for error in entry["ErrorEquals"]}
            own = {key: item for key, item in made.items() if key not in ("Branches", "Catch", *PROCESSORS)}
            if caught & {ALL, TASK_FAILED} and any(_expressions(own)):
                text = (
                    f"{field_name} takes failures of the state's own expressions, too: they are no States.Runtime now"
                )
                self.report(DIFFERENT, f"'{name}': {text}", f"{pointer}/{field_name}")

    def report(self, code: str, message: str, location: str) -> None:
        self.result.findings.append(Diagnostic(code, message, location, "WARNING"))


def _expressions(value: JSON) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{%"):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _expressions(part)


def _with_scope(state: Object, step: str, part: Object) -> Object:
    """The state with a machine inside it replaced."""
    if step.startswith("/Branches["):
        index = int(step[len("/Branches[") : -1])
        branches = [*state["Branches"][:index], part, *state["Branches"][index + 1 :]]
        return {**state, "Branches": branches}
    name = "ItemProcessor" if "ItemProcessor" in state else step[1:]
    return {**state, name: part}
