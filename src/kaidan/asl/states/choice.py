"""Choice: the first rule that holds decides where to go. Source: States Language spec, "Choice State"."""

from __future__ import annotations

from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.visit import Exit, Visit
from kaidan.errors import NO_CHOICE_MATCHED, StateError


class Choice(State):
    """`Assign` (and JSONata's Output) of the rule that holds counts; the state's own when Default is taken."""

    __slots__ = ("_default", "_rules")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))
        self._default: str | None = definition.get("Default")
        self._rules = [
            (compiler.choice(rule), rule["Next"], compiler.flow(rule_flow(definition, rule)))
            for rule in definition["Choices"]
        ]

    def enter(self, visit: Visit) -> Exit:
        effective = self.flow.arguments(visit)
        for holds, target, flow in self._rules:
            if holds(visit, effective):
                output, assigned = flow.conclude(visit, effective)
                return Exit(target, output, assigned)
        if self._default is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise StateError(NO_CHOICE_MATCHED, cause, located=True)
        output, assigned = self.flow.conclude(visit, effective)
        return Exit(self._default, output, assigned)


def rule_flow(definition: Definition, rule: Definition) -> Definition:
    """The data flow of one rule: the state's paths with the rule's own Assign and Output."""
    shared = {key: definition[key] for key in ("InputPath", "OutputPath") if key in definition}
    return shared | {key: rule[key] for key in ("Assign", "Output") if key in rule}
