"""Scopes, their states and what leads where: gathered while a definition is walked, judged when all is seen.

Knows names, targets and assignments; knows neither fields nor state types.

Observed from AWS: a missing target is reported for `StartAt` first; without any terminal state at the top level the
states that nothing leads to are not reported; the scopes inside states need no terminal state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kaidan.asl.language.check_values import nearest
from kaidan.errors import Diagnostic
from kaidan.limits import AWS


@dataclass(slots=True)
class StateNode:
    """One state. `targets`: (name, pointer of the field that names it). `assigns`: (variable, pointer)."""

    name: str
    pointer: str
    terminal: bool = False
    targets: list[tuple[str, str]] = field(default_factory=list)
    assigns: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ScopeNode:
    """A machine, the whole one (`outer` None) or one inside a state. `start`: StartAt and its pointer."""

    outer: ScopeNode | None = None
    start: tuple[str, str] | None = None
    states: dict[str, StateNode] = field(default_factory=dict)


def judge(scopes: list[ScopeNode], *, sound: bool) -> Iterator[Diagnostic]:
    """What is wrong with the names and transitions of all scopes.

    `sound`: no field is wrong, so that what is missing is not missing because of that: only then are terminal
    states and reachability judged (observed: without StartAt no state is called unreachable).
    """
    yield from _names(scopes)
    everywhere = {state.name: state for scope in scopes for state in scope.states.values()}
    for scope in scopes:
        yield from _missing(scope, everywhere)
        if not sound:
            continue
        if scope.outer is None and not any(state.terminal for state in scope.states.values()):
            hint = "one state must have End true, or be of a type that ends the machine"
            yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state", hint=hint)
        else:
            yield from _unreachable(scope)
    yield from _shadowing(scopes)


def _names(scopes: list[ScopeNode]) -> Iterator[Diagnostic]:
    """Names are short, and unique in the whole machine."""
    seen: dict[str, StateNode] = {}
    limit = AWS.state_name_chars_max
    for state in (state for scope in scopes for state in scope.states.values()):
        if len(state.name) > limit:
            message = (
                f"Invalid State name: State '{state.name}' exceeds the {limit}-character limit allowed by the service"
            )
            yield Diagnostic("INVALID_STATE_NAME", message, state.pointer, hint=f"it has {len(state.name)}")
        first = seen.setdefault(state.name, state)
        if first is not state:
            message = f"Duplicate State name: {state.name}"
            yield Diagnostic("DUPLICATE_STATE_NAME", message, state.pointer, hint=f"the other is {first.pointer}")


NEAREST_MAX = 20
"""For how many missing targets of a scope the nearest names are looked up, which takes time in large machines."""


def _missing(scope: ScopeNode, everywhere: dict[str, StateNode]) -> Iterator[Diagnostic]:
    """Always in the words of Next, whatever the field (observed)."""
    targets = [scope.start] if scope.start and scope.states else []
    targets += [target for state in scope.states.values() for target in state.targets]
    missing = [target for target in targets if target[0] not in scope.states]
    for index, (name, pointer) in enumerate(missing):
        hint = _instead(name, scope, everywhere) if index < NEAREST_MAX else None
        yield Diagnostic("MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {name}", pointer, hint=hint)


def _instead(name: str, scope: ScopeNode, everywhere: dict[str, StateNode]) -> str:
    if name in everywhere:
        return f"{everywhere[name].pointer} is in another scope: a transition cannot enter or leave one"
    near = nearest(name, scope.states)
    return f"nearest: {', '.join(near)}" if near else f"states here: {', '.join(list(scope.states)[:10])}"


def _unreachable(scope: ScopeNode) -> Iterator[Diagnostic]:
    waiting = [scope.start[0]] if scope.start else []
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in scope.states and name not in reached:
            reached.add(name)
            waiting += [target for target, _ in scope.states[name].targets]
    for state in scope.states.values():
        if state.name not in reached:
            message = f'State "{state.name}" is not reachable.'
            hint = "nothing that can be reached from StartAt leads to it"
            yield Diagnostic("MISSING_TRANSITION_TARGET", message, state.pointer, hint=hint)


def _shadowing(scopes: list[ScopeNode]) -> Iterator[Diagnostic]:
    """A variable of an outer scope is not set in an inner one (AWS guide, "Variable scope")."""
    names = {id(scope): {name for state in scope.states.values() for name, _ in state.assigns} for scope in scopes}
    for scope in scopes:
        outer = set[str]().union(*(names[id(around)] for around in _around(scope)))
        for name, pointer in (assign for state in scope.states.values() for assign in state.assigns):
            if name in outer:
                message = f"The variable name '{name}' was already defined in a parent scope."
                yield Diagnostic("DUPLICATE_VARIABLE_NAME", message, pointer)


def _around(scope: ScopeNode) -> Iterator[ScopeNode]:
    while scope.outer is not None:
        scope = scope.outer
        yield scope
