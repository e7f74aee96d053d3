"""Choice: the first rule that holds decides where to go. Source: States Language spec, "Choice State"."""

from __future__ import annotations

from kaidan.asl.query.choice import OPERATORS
from kaidan.asl.states.dataflow import Definition, Flow
from kaidan.asl.states.fields import (
    ASSIGN,
    COMMON,
    INPUT_OUTPUT,
    OUTPUT,
    Condition,
    Field,
    Flag,
    Items,
    Kind,
    Number,
    OneOf,
    Record,
    Reference,
    Site,
    Target,
    Text,
    Timestamp,
)
from kaidan.asl.states.state import ChoiceTest, Compiler, State
from kaidan.asl.states.visit import Exit, Visit
from kaidan.errors import NO_CHOICE_MATCHED, StateError
from kaidan.values import JSON

_OPERANDS: dict[str, Kind] = {
    "String": Text(),
    "Numeric": Number(),
    "Timestamp": Timestamp(),
    "Boolean": Flag(),
    "Is": Flag(),
}


def _operand(operator: str) -> Kind:
    if operator.endswith("Path"):
        return Reference()
    return next(kind for prefix, kind in _OPERANDS.items() if operator.startswith(prefix))


_SELECTORS = ("And", "Or", "Not", "Variable", "Condition")
_OPERATOR = OneOf(OPERATORS, required=True)


def _one_test(rule: JSON, site: Site) -> None:
    """A rule tests one thing: a variable by one operator, a condition, or other rules together."""
    if sum(selector in rule for selector in _SELECTORS) != 1:
        site.error(f"The object must have only one of the following fields, [{', '.join(_SELECTORS)}]")
    elif "Variable" in rule and site.language == "JSONPath":
        _OPERATOR.check(rule, site)


def _nested_rule() -> tuple[Field, ...]:
    return _NESTED_RULE


_NESTED = Record(_nested_rule, _one_test)

_NESTED_RULE: tuple[Field, ...] = (
    Field("Comment", Text()),
    Field("Variable", Reference(), language="JSONPath"),
    Field("And", Items(_NESTED), language="JSONPath"),
    Field("Or", Items(_NESTED), language="JSONPath"),
    Field("Not", _NESTED, language="JSONPath"),
    *(Field(operator, _operand(operator), language="JSONPath") for operator in OPERATORS),
)

_RULE = (
    *_NESTED_RULE,
    Field("Condition", Condition(), language="JSONata"),
    Field("Next", Target(), required=True),
    OUTPUT,
    ASSIGN,
)

FIELDS = (
    *COMMON,
    *INPUT_OUTPUT,
    Field("Choices", Items(Record(_RULE, _one_test)), required=True),
    Field("Default", Target()),
    OUTPUT,
    ASSIGN,
)


class Choice(State):
    """`Assign` (and JSONata's Output) of the rule that holds counts; the state's own when Default is taken."""

    __slots__ = ("_default", "_rules")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))
        self._default: str | None = definition.get("Default")
        self._rules = [
            _compiled(definition, rule, f"Choices[{index}]/", compiler)
            for index, rule in enumerate(definition["Choices"])
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


def _compiled(definition: Definition, rule: Definition, place: str, compiler: Compiler) -> tuple[ChoiceTest, str, Flow]:
    """A rule: whether it holds, where it leads, and its data flow. `place` stands before the names of its fields."""
    return compiler.choice(rule, place), rule["Next"], compiler.flow(rule_flow(definition, rule), place=place)


def rule_flow(definition: Definition, rule: Definition) -> Definition:
    """The data flow of one rule: the state's paths with the rule's own Assign and Output."""
    shared = {key: definition[key] for key in ("InputPath", "OutputPath") if key in definition}
    return shared | {key: rule[key] for key in ("Assign", "Output") if key in rule}
