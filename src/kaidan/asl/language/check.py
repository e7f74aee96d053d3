"""A definition checked as AWS checks it: every finding with AWS's code, words and place.

    check({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    → MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next
      MISSING_END_STATE: Workflow has no terminal state

Walks the field tables of the states (`states/fields.py`); names no state type itself. Any JSON value gives
findings, never an exception.

Source: API, ValidateStateMachineDefinition. Observed from AWS: what is wrong with an object as a whole comes before
what is wrong in its fields; of one state, the query language first; findings about the graph come last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, assert_never

from kaidan.asl.language.check_graph import ScopeNode, StateNode, judge
from kaidan.asl.language.check_jsonata import check_expression, check_payload, is_expression
from kaidan.asl.language.check_paths import (
    check_call,
    check_path,
    check_reference,
    check_template,
    check_variable,
)
from kaidan.asl.language.check_values import (
    check_array,
    check_flag,
    check_integer,
    check_number,
    check_object,
    check_text,
    check_timestamp,
    nearest,
    wrong_type,
)
from kaidan.asl.language.places import NESTING_MAX
from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import (
    ERROR_OUTPUT,
    MACHINE,
    SCHEMA,
    Assignments,
    Call,
    Condition,
    Field,
    Flag,
    Integer,
    Items,
    Kind,
    Language,
    Number,
    Object,
    Path,
    Payload,
    Record,
    Reference,
    ResourceCheck,
    Resources,
    Site,
    States,
    Static,
    Target,
    TemplateCheck,
    Text,
    Timestamp,
    WorkflowType,
    hash_set,
    looks_dynamic,
)
from kaidan.errors import Diagnostic
from kaidan.values import JSON, type_name

__all__ = ["STEPS_MAX", "WorkflowType", "check"]


def check(
    definition: JSON,
    *,
    workflow_type: WorkflowType = "STANDARD",
    knows_resource: ResourceCheck | None = None,
    knows_parameters: TemplateCheck | None = None,
) -> list[Diagnostic]:
    """All findings, errors and warnings, in AWS's order.

    `knows_resource` answers None for a resource that exists, else a sentence that says what is wrong with it
    ("nearest: dynamodb:getItem"). `knows_parameters` gives AWS's messages about a task's Parameters or Arguments
    as they stand in the definition, each with a hint or None.
    """
    if not isinstance(definition, dict):
        return [Diagnostic(SCHEMA, "Definition must be a valid JSON object")]
    if _is_deeper(definition, NESTING_MAX):
        return [_too_deep("/", NESTING_MAX)]
    findings: list[Diagnostic] = []
    language = _language(definition, "JSONPath")
    resources = Resources(knows_resource, knows_parameters)
    walk = _Walk(language)
    walk.record(definition, MACHINE, Site(findings, "", language, workflow_type, resources), _Here())
    sound = not any(finding.code == SCHEMA and finding.severity == "ERROR" for finding in findings)
    return findings + list(judge(walk.scopes, sound=sound))


def _language(owner: Object, default: Language) -> Language:
    """Observed: any value but exactly "JSONPath" stands for JSONata, however it is spelled."""
    if "QueryLanguage" not in owner:
        return default
    return "JSONPath" if owner["QueryLanguage"] == "JSONPath" else "JSONata"


STEPS_MAX = 100
"""How many steps inside the definition a field may stand, payloads not counted: some 25 machines inside one another.
AWS publishes no number."""


def _too_deep(location: str, levels: int) -> Diagnostic:
    return Diagnostic("TOO_DEEPLY_NESTED", f"The definition is nested deeper than {levels} levels", location)


def _is_deeper(value: JSON, levels_max: int) -> bool:
    level: list[JSON] = [value]
    for _ in range(levels_max):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return False
    return True


class _Here(NamedTuple):
    """The scope and the state that a field belongs to."""

    scope: ScopeNode | None = None
    state: StateNode | None = None


class _Walk:
    """One walk over a definition: findings go to the sites, names and transitions to `scopes`."""

    def __init__(self, language: Language) -> None:
        self.scopes: list[ScopeNode] = []
        self._language = language
        self._unique: dict[tuple[str, JSON], str] = {}

    # objects

    def record(self, value: JSON, kind: Record, site: Site, here: _Here, *, other_language: bool = True) -> bool:
        """An object by its table. `other_language`: fields of the other query language are worth a finding."""
        if not check_object(value, site):
            return False
        if kind.scope:
            self.scopes.append(ScopeNode(here.scope))
            here = _Here(self.scopes[-1])
        table = {item.name: item for item in kind.table}
        if other_language:
            _other_language(value, table, site)
        _shape(value, table, site)
        for name, item in list(value.items()):
            known = table.get(name)
            if known and known.language in (None, site.language):
                inner = kind.inside(value, site) if kind.inside and isinstance(known.kind, States) else site
                self._field(item, known, inner.at(f"/{name}"), here)
                _looks_like_a_path(item, name, table, site)
        if kind.check:
            kind.check(value, site)
        return True

    def _field(self, value: JSON, known: Field, site: Site, here: _Here) -> None:
        if site.depth > STEPS_MAX:
            site.findings.append(_too_deep(site.pointer, STEPS_MAX))
            return
        if known.dynamic and site.language == "JSONata" and is_expression(value):
            check_expression(value, None, site)
            return
        fits = self._value(value, known.kind, known.name, site, here)
        if fits and known.check:
            known.check(value, site)
        if fits and known.unique:
            self._is_unique(known.name, value, site)

    def _is_unique(self, name: str, value: JSON, site: Site) -> None:
        first = self._unique.setdefault((name, value), site.pointer)
        if first != site.pointer:
            code = f"DUPLICATE_{name.upper()}_NAME"
            site.error(f"Duplicate {name} name: {value}", code=code, hint=f"the other is {first}")

    # values: whether a value is of its kind's type

    def _value(self, value: JSON, kind: Kind, name: str, site: Site, here: _Here) -> bool:
        match kind:
            case Text():
                return check_text(value, kind, name, site)
            case Flag():
                return check_flag(value, site)
            case Integer():
                return check_integer(value, kind, site)
            case Number():
                return check_number(value, kind, site)
            case Timestamp():
                return check_timestamp(value, site)
            case Path() | Reference() | Call():
                return _path(value, kind, name, site)
            case Payload():
                return _payload(value, kind, site)
            case Assignments():
                return self._assignments(value, kind, site, here)
            case Static():
                return True
            case Condition():
                return _condition(value, site)
            case Target():
                return self._target(value, site, here)
            case States():
                return self._states(value, site, here)
            case Items():
                return self._items(value, kind, name, site, here)
            case Record():
                return self.record(value, kind, site, here)
            case _:
                assert_never(kind)

    def _items(self, value: JSON, kind: Items, name: str, site: Site, here: _Here) -> bool:
        if not check_array(value, site, may_be_empty=kind.may_be_empty):
            return False
        item = Field(name, kind.of)
        for index, part in enumerate(value):
            self._field(part, item, site.at(f"[{index}]"), here)
        return True

    def _target(self, value: JSON, site: Site, here: _Here) -> bool:
        if not isinstance(value, str):
            return wrong_type(value, "[STRING]", site)
        if here.state is not None:
            here.state.targets.append((value, site.pointer))
        elif here.scope is not None:
            here.scope.start = (value, site.pointer)
        return True

    def _assignments(self, value: JSON, kind: Assignments, site: Site, here: _Here) -> bool:
        """Recorded: what a Catch sets may be set inside the state as well."""
        if not check_object(value, site):
            return False
        for key in value:
            name = key.removesuffix(".$") if site.language == "JSONPath" else key
            check_variable(name, site.at(f"/{key}"))
            if here.state is not None and kind.sees != ERROR_OUTPUT:
                here.state.assigns.append((name, f"{site.pointer}/{key}"))
        return _payload(value, Payload(sees=kind.sees), site)

    # states

    def _states(self, value: JSON, site: Site, here: _Here) -> bool:
        if not check_object(value, site):
            return False
        if not value:
            site.error("Value cannot be empty")
        for name, state in value.items():
            self._state(name, state, site.at(f"/{name}"), here)
        return True

    def _state(self, name: str, state: JSON, site: Site, here: _Here) -> None:
        node = StateNode(name, site.pointer)
        assert here.scope is not None
        here.scope.states[name] = node
        table = _table(state, site)
        if table is None:
            return
        node.terminal = state.get("End") is True or not any(isinstance(item.kind, Target) for item in table.table)
        downgraded = self._language == "JSONata" and state.get("QueryLanguage") == "JSONPath"
        if downgraded:
            site.error("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
        inner = replace(site, language=_language(state, self._language))
        self.record(state, table, inner, _Here(here.scope, node), other_language=not downgraded)


def _table(state: JSON, site: Site) -> Record | None:
    """The table of a state's type; None when there is none to go by."""
    if not check_object(state, site):
        return None
    if "Type" not in state:
        site.error("These fields are required: [Type]")
        return None
    known = Text(tuple(TABLES), selects=True)
    return TABLES.get(state["Type"]) if check_text(state["Type"], known, "Type", site.at("/Type")) else None


# An object as a whole


def _other_language(value: Object, table: dict[str, Field], site: Site) -> None:
    for name in value:
        language = table[name].language if name in table else None
        if language not in (None, site.language):
            site.error(
                f"The QueryLanguage is set to '{site.language}', "
                f"but field '{name}' is only supported for the '{language}' QueryLanguage"
            )


def _shape(value: Object, table: dict[str, Field], site: Site) -> None:
    """Fields that nobody knows, that are missing, that exclude one another."""
    for name in value:
        if name not in table:
            site.error(f"Field '{name}' is not supported", hint=_instead_of(name, table))
    missing = [item.name for item in table.values() if item.required and item.name not in value]
    if missing:
        site.error(f"These fields are required: [{', '.join(hash_set(missing))}]")
    for group in dict.fromkeys(item.one_of for item in table.values() if item.one_of):
        group.check(value, site)


def _instead_of(name: str, table: dict[str, Field]) -> str:
    near = nearest(name, table)
    if near:
        return f"nearest: {', '.join(near)}"
    owners = [owner for owner, record in TABLES.items() if name in (item.name for item in record.table)]
    if owners and "Type" in table:
        return f"types that have it: {', '.join(owners)}"
    return f"allowed: {', '.join(table)}" if len(table) < 20 else "allowed are the fields of the States Language"


def _looks_like_a_path(value: JSON, name: str, table: dict[str, Field], site: Site) -> None:
    if site.language == "JSONPath" and name + "Path" in table and looks_dynamic(value):
        message = f"The value of the field '{name}' looks like a path, but it is taken as text."
        site.warning("NO_PATH", message, f"/{name}", hint=f"{name}Path takes a path")


# Values with expressions in them


def _path(value: JSON, kind: Path | Reference | Call, name: str, site: Site) -> bool:
    if value is None and (isinstance(kind, Path) or (isinstance(kind, Reference) and kind.written)):
        return True
    if not isinstance(value, str):
        return wrong_type(value, "[STRING]", site)
    match kind:
        case Path():
            check_path(value, site)
        case Reference():
            check_reference(value, kind, site)
        case Call():
            check_call(value, name, site)
    return True


def _payload(value: JSON, kind: Payload, site: Site) -> bool:
    if site.language == "JSONata" and isinstance(value, str):
        if kind.types or is_expression(value):
            check_expression(value, kind.sees, site)
        return True
    if kind.types and type_name(value) not in kind.types:
        return wrong_type(value, f"[{kind.types[0].upper()}]", site)
    if site.language == "JSONata":
        check_payload(value, kind.sees, site)
    else:
        check_template(value, site)
    return True


def _condition(value: JSON, site: Site) -> bool:
    if isinstance(value, bool):
        return True
    if not isinstance(value, str):
        return wrong_type(value, "[STRING]", site)
    check_expression(value, None, site)
    return True
