"""What a request of TestState asks for, read and judged: the state under test, its data, its mock.

Refuses in AWS's words, as recorded where that is possible; runs nothing. The form of the request (types, lengths,
enums) is the API's general business, not checked here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kaidan.arns import task_resource
from kaidan.asl.language import check, read_source
from kaidan.asl.states.dataflow import Definition
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.integrations.dispatch import check_resource, check_template
from kaidan.integrations.mock_results import UnfitResult, Validation, check_result
from kaidan.service import refs
from kaidan.service.errors import ApiError, invalid
from kaidan.service.payloads import execution_input
from kaidan.values import JSON, InvalidJson, Payload, loads

LONE_NAME = "StateName"
"""What a state is called that comes without a machine (recorded: in its context object)."""

MOCKABLE = ("Task", "Map", "Parallel")


@dataclass(frozen=True, slots=True)
class Mock:
    """A result, or an error with its cause."""

    result: Payload | None = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A state and where it stands: its own definition, its query language, and whether a Map is around it."""

    name: str
    definition: Definition
    language: str
    in_map: bool = False

    @property
    def type(self) -> str:
        return str(self.definition["Type"])


@dataclass(frozen=True, slots=True)
class Subject:
    """One request. `context` None: the machine makes the Context object. `retry_count`: retries so far."""

    place: Place
    input: Payload
    level: str
    role_arn: str
    mock: Mock | None
    context: Payload | None
    variables: dict[str, JSON]
    retry_count: int
    failure_count: int | None
    """Iterations of a Map that are said to have failed."""
    reader_data: str | None
    """What a Map's ItemReader is said to have read, as it stands in its source."""
    reveals: bool
    """What the connection of an HTTP task adds is to be shown."""


def read(params: dict[str, Any]) -> Subject:
    """Raises ApiError: InvalidArn, InvalidDefinition, InvalidExecutionInput, ValidationException."""
    if params.get("roleArn"):
        refs.check_role(params["roleArn"])
    place = _place(params["definition"], params.get("stateName"))
    config = params.get("stateConfiguration") or {}
    _check_use_of_mock(params, config, place)
    context = _context(params.get("context"), place)
    return Subject(
        place=place,
        input=execution_input(params.get("input")),
        level=params.get("inspectionLevel") or "INFO",
        role_arn=params.get("roleArn") or "",
        mock=_mock(params.get("mock"), place),
        context=context,
        variables=_variables(params.get("variables")),
        retry_count=_retry_count(config, context),
        failure_count=config.get("mapIterationFailureCount"),
        reader_data=config.get("mapItemReaderData"),
        reveals=bool(params.get("revealSecrets")),
    )


# The state


def _place(text: str, name: str | None) -> Place:
    machine = _checked(text, name is None)
    place = _find(machine, name or LONE_NAME, machine.get("QueryLanguage", "JSONPath"))
    if place is None:
        raise invalid("State not found in definition")
    return place


def _checked(text: str, lone: bool) -> Definition:
    """The machine of a definition, or one made around a lone state."""
    try:
        source = read_source(text, "definition.json", strict=True)
        machine: Definition = {"StartAt": LONE_NAME, "States": {LONE_NAME: source.value}} if lone else source.value
        findings = check(machine, knows_resource=check_resource, knows_parameters=check_template)
        if lone:
            findings = [_unwrapped(finding) for finding in findings if not _leaves_state(finding)]
        if any(finding.severity == "ERROR" for finding in findings):
            raise DefinitionError(findings)
    except DefinitionError as problem:
        raise ApiError("InvalidDefinition", str(problem)) from None
    return machine


_AROUND = f"/States/{LONE_NAME}"


def _leaves_state(finding: Diagnostic) -> bool:
    """A finding about where a lone state leads: its neighbours are not there to be found."""
    inside = (finding.location or "").removeprefix(_AROUND)
    return finding.code in ("MISSING_TRANSITION_TARGET", "MISSING_END_STATE") and "/States/" not in inside


def _unwrapped(finding: Diagnostic) -> Diagnostic:
    """Places count from the text that was sent."""
    if finding.location is None:
        return finding
    return replace(finding, location=finding.location.removeprefix(_AROUND) or "/")


def _find(scope: Definition, name: str, language: str, in_map: bool = False) -> Place | None:
    """A state by its name, however deep inside: names are unique in a machine."""
    states: dict[str, Definition] = scope["States"]
    if name in states:
        return Place(name, states[name], states[name].get("QueryLanguage", language), in_map)
    for state in states.values():
        if place := _find_inside(state, name, language, in_map):
            return place
    return None


def _find_inside(state: Definition, name: str, language: str, in_map: bool = False) -> Place | None:
    parts = [(branch, in_map) for branch in state.get("Branches", ())]
    parts += [(state[field], True) for field in ("ItemProcessor", "Iterator") if field in state]
    places = (_find(part, name, language, around) for part, around in parts)
    return next((place for place in places if place), None)


# The mock

_NEED_MOCK = ("retrierRetryCount", "errorCausedByState", "mapIterationFailureCount", "mapItemReaderData")
_NOT_MOCKED = "[Task, Wait, Pass, Succeed, Fail, Choice]"


def _check_use_of_mock(params: dict[str, Any], config: dict[str, JSON], place: Place) -> None:
    """What needs a mock, and what cannot have one."""
    if params.get("mock") is None:
        given = [name for name in ("context",) if params.get(name) is not None]
        given += [name for name in _NEED_MOCK if config.get(name) is not None]
        if given:
            raise invalid(f"TestState does not support {_capital(given[0])} when a mock is not specified.")
        _check_unmocked(place, params.get("roleArn"))
    elif place.type not in MOCKABLE:
        raise invalid(f"State type '{place.type}' is not supported when a mock is specified")
    elif params.get("revealSecrets"):
        raise invalid("TestState does not support RevealSecrets when a mock is specified.")
    else:
        _check_culprit(config.get("errorCausedByState"), place)


def _check_culprit(name: str | None, place: Place) -> None:
    """The state that is said to have failed inside a Map or Parallel; Task states have none inside."""
    if name is not None and place.type != "Task" and not _find_inside(place.definition, name, place.language):
        raise invalid(f"The state '{name}' given as ErrorCausedByState is not inside the state under test.")


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _check_unmocked(place: Place, role_arn: str | None) -> None:
    if place.type in ("Map", "Parallel"):
        message = f"TestState API does not support Map or Parallel states. Supported state types include: {_NOT_MOCKED}"
        raise ApiError("InvalidDefinition", message)
    if place.type != "Task":
        return
    resource = task_resource(place.definition["Resource"])
    if resource.kind == "activity":
        raise invalid("TestState does not support Activity tasks when a mock is not specified.")
    if resource.pattern:
        pattern = resource.pattern.removesuffix(":2")
        raise invalid(f"TestState does not support the {pattern} integration pattern when a mock is not specified.")
    if not role_arn:
        raise invalid("RoleArn must be specified when testing a Task state")


def _mock(mock: dict[str, Any] | None, place: Place) -> Mock | None:
    if mock is None:
        return None
    result, failure = mock.get("result"), mock.get("errorOutput")
    if (result is None) == (failure is None):
        raise invalid("A test mock should have only one of the following fields: [result, errorOutput].")
    if result is not None:
        return Mock(_result(result, mock.get("fieldValidationMode") or "STRICT", place))
    assert failure is not None
    if failure.get("error") is None:
        raise invalid("Error must be specified in the mocked error output.")
    return Mock(error=failure["error"], cause=failure.get("cause"))


def _result(text: str, mode: Validation, place: Place) -> Payload:
    try:
        result = Payload.of_text(text)
    except InvalidJson:
        raise invalid("Mocked result must be valid JSON") from None
    definition = place.definition
    match place.type:
        case "Map" if "Resource" in definition.get("ResultWriter", {}):
            if not isinstance(result.value, dict):
                raise invalid("Mocked result must be a JSON object.")
        case "Map" | "Parallel" if not isinstance(result.value, list):
            raise invalid("Mocked result must be an array.")
        case "Parallel" if len(result.value) != len(definition["Branches"]):
            raise invalid("Mocked result must contain the same number of items as number of Parallel branches.")
        case "Task":
            try:
                check_result(task_resource(definition["Resource"]), result.value, mode)
            except UnfitResult as problem:
                raise invalid(str(problem)) from None
    return result


# Data

_CONTEXT: dict[str, Any] = {
    "Execution": {
        "Id": (str,),
        "Input": None,
        "Name": (str,),
        "RoleArn": (str,),
        "StartTime": (str,),
        "RedriveCount": (int, float),
        "RedriveTime": (str,),
    },
    "State": {"EnteredTime": (str,), "Name": (str,), "RetryCount": (int, float)},
    "StateMachine": {"Id": (str,), "Name": (str,)},
    "Task": {"Token": (str,)},
    "Map": {"Item": {"Index": (int, float), "Value": None, "Key": (str,), "Source": (str,)}},
}
"""What a Context object may hold, and the types; None: anything (AWS guide, "Accessing the Context object")."""

_A = {str: "a string", int: "a number"}


def _context(text: str | None, place: Place) -> Payload | None:
    if text is None:
        return None
    try:
        context = Payload.of_text(text)
    except InvalidJson:
        raise _invalid_context("must be valid JSON") from None
    if not isinstance(context.value, dict):
        raise _invalid_context("must be a JSON object")
    if "Map" in context.value and not place.in_map:  # recorded
        raise _invalid_context("'Map' field is not supported when mocking a Context object")
    _check_context(context.value, _CONTEXT)
    return context


def _check_context(value: dict[str, JSON], allowed: dict[str, Any]) -> None:
    """The fields of a Context object or of a part of it. Recorded: unknown ones."""
    for field, part in value.items():
        if field not in allowed:
            raise _invalid_context(f"Field '{field}' is not allowed")
        match allowed[field]:
            case dict() as inner:
                if not isinstance(part, dict):
                    raise _invalid_context(f"Field '{field}' must be an object")
                _check_context(part, inner)
            case tuple() as types if isinstance(part, bool) or not isinstance(part, types):
                raise _invalid_context(f"Field '{field}' must be {_A[types[0]]}")


def _invalid_context(problem: str) -> ApiError:
    return invalid(f"Invalid Context object provided: {problem}")


def _variables(text: str | None) -> dict[str, JSON]:
    try:
        variables = loads(text) if text else {}
    except InvalidJson:
        variables = None
    if not isinstance(variables, dict):
        raise invalid("Variables must be a valid JSON object")
    return variables


def _retry_count(config: dict[str, Any], context: Payload | None) -> int:
    """How often the state has been retried: as configured, or as the Context object has it (AWS guide)."""
    if config.get("retrierRetryCount") is not None:
        return int(config["retrierRetryCount"])
    state = context.value.get("State", {}) if context else {}
    return int(state.get("RetryCount", 0))
