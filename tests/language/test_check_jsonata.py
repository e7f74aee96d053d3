"""Query languages in definitions, and what is found wrong with JSONata."""

from __future__ import annotations

import pytest

from kaidan.values import JSON
from tests.language.definitions import (
    CATCHER,
    CHOICE_NEEDS,
    INNER,
    INVOKE,
    JSONATA,
    PASS,
    choice,
    found,
    in_state,
    machine,
    map_,
    task,
)

# Query languages


def only(field: str, language: str, other: str) -> str:
    return (
        f"The QueryLanguage is set to '{language}', "
        f"but field '{field}' is only supported for the '{other}' QueryLanguage at "
    )


LANGUAGES: list[tuple[JSON, list[str]]] = [
    ({**PASS, "Output": 1}, [only("Output", "JSONPath", "JSONata")]),
    ({**PASS, **JSONATA, "Output": 1}, []),
    ({**PASS, **JSONATA, "ResultPath": "$"}, [only("ResultPath", "JSONata", "JSONPath")]),
    # order: the language, then the object, then the fields
    (
        {"Type": "Wait", "Timestamp": "x", "Extra": 1, "Output": 1, "End": True},
        [
            only("Output", "JSONPath", "JSONata"),
            "Field 'Extra' is not supported at ",
            "String does not match RFC3339 timestamp at /Timestamp",
        ],
    ),
    (
        choice({"Condition": "{% true %}", "Next": "N"}),
        [f"{only('Condition', 'JSONPath', 'JSONata')}/Choices[0]"],
    ),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": "N"}, **JSONATA),
        [
            f"{only('Variable', 'JSONata', 'JSONPath')}/Choices[0]",
            f"{only('IsNull', 'JSONata', 'JSONPath')}/Choices[0]",
        ],
    ),
    (
        task(Catch=[{"ErrorEquals": ["E"], "Next": "N", "Output": 1}]),
        [f"{only('Output', 'JSONPath', 'JSONata')}/Catch[0]"],
    ),
    (
        {"Type": "Wait", "SecondsPath": "$.a", "End": True, **JSONATA},
        [only("SecondsPath", "JSONata", "JSONPath")],
    ),
    # any other word stands for JSONata
    (
        {**PASS, "QueryLanguage": "jsonpath", "InputPath": "$"},
        [
            only("InputPath", "JSONata", "JSONPath"),
            "Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage",
        ],
    ),
    # a state's language is not that of the states inside it
    (map_(**JSONATA, ItemProcessor={"StartAt": "I", "States": {"I": {**PASS, "InputPath": "$.a"}}}), []),
]


@pytest.mark.parametrize(("state", "expected"), LANGUAGES)
def test_query_languages(state: JSON, expected: list[str]) -> None:
    assert in_state(machine(state)) == expected


def test_jsonata_machines_have_no_jsonpath_states() -> None:
    downgrade = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at "
    state = {**PASS, "QueryLanguage": "JSONPath", "InputPath": "$", "Output": 1}
    assert in_state(machine(state, **JSONATA)) == [downgrade]
    inner = {"StartAt": "I", "States": {"I": {**PASS, "QueryLanguage": "JSONPath"}}}
    assert found(machine(map_(ItemProcessor=inner), **JSONATA)) == [f"{downgrade}/States/S/ItemProcessor/States/I"]


def syntax(message: str, place: str = "/Output") -> list[str]:
    return [f"INVALID_JSONATA_EXPRESSION: {message} at {place}"]


def unsupported(message: str, place: str = "/Output") -> list[str]:
    return [f"UNSUPPORTED_JSONATA_EXPRESSION: {message} at {place}"]


def at_top(name: str, place: str = "/Output") -> list[str]:
    return unsupported(f"Reference to '{name}' at the top level is not supported.", place)


NOT_SURROUNDED = "JSONata string must start with {% and end with %}"

OUTPUTS: list[tuple[JSON, list[str]]] = [
    # what is text and what an expression
    ("text", []),
    (" {% $$ %}", []),
    ("{% 1", [f"{NOT_SURROUNDED} at /Output"]),
    ("{%}", [f"{NOT_SURROUNDED} at /Output"]),
    ("{% 1 %} ", [f"{NOT_SURROUNDED} at /Output"]),
    ({"a.$": "$.b"}, []),
    # syntax
    ("{% a[1,2) %}", syntax('Expected "]", got ","')),
    ("{% 'abc %}", syntax("String literal must be terminated by a matching quote")),
    ("{% 1 + %}", syntax("Unexpected end of expression")),
    ("{% %}", syntax("Unexpected end of expression")),
    ('{% {"a":} %}', syntax('The symbol "}" cannot be used as a unary operator')),
    ("{% /abc %}", syntax("No terminating / in regular expression")),
    ("{% phone %.other %}", syntax('The symbol "." cannot be used as a unary operator')),
    # what an expression may refer to
    ("{% $$ %}", unsupported("Reference to '$$' is not supported.")),
    ("{% a.b %}", at_top("a")),
    ("{% $sum([1, b]) & c %}", at_top("b") + at_top("c")),
    ("{% $states.input.a[b = 1].c %}", []),
    ("{% $map([1], function($v) { $v + $states.input.n }) %}", []),
    ("{% $states.context.Execution.Id & $v %}", []),
    ("{% $states.foo %}", unsupported("Field '$states.foo' does not exist.")),
    ("{% $states.result %}", unsupported("Field '$states.result' does not exist.")),
    ("{% $states.errorOutput %}", unsupported("Field '$states.errorOutput' does not exist.")),
    # places
    ({"v": "{% a %}"}, at_top("a", "/Output/v")),
    ({"a": {"b": ["{% a %}"]}}, at_top("a", "/Output/a/b[0]")),
]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS)
def test_jsonata_in_output(output: JSON, expected: list[str]) -> None:
    assert in_state(machine({**PASS, **JSONATA, "Output": output})) == expected


IN_FIELDS: list[tuple[JSON, list[str]]] = [
    ({**PASS, "Assign": {"v": "{% a %}"}}, at_top("a", "/Assign/v")),
    ({**PASS, "Assign": "{% {} %}"}, ["Expected value of type [OBJECT] at /Assign"]),
    ({"Type": "Wait", "Seconds": "{% a %}", "End": True}, at_top("a", "/Seconds")),
    ({"Type": "Wait", "Seconds": "5", "End": True}, ["Expected value of type Integer at /Seconds"]),
    ({"Type": "Wait", "Timestamp": "{% $now() %}", "End": True}, []),
    ({"Type": "Fail", "Cause": "{% a %}", "Error": "E"}, at_top("a", "/Cause")),
    (choice({"Condition": "{% a %}", "Next": "N"}), at_top("a", "/Choices[0]/Condition")),
    (choice({"Condition": True, "Next": "N"}), []),
    (choice({"Condition": "true", "Next": "N"}), [f"{NOT_SURROUNDED} at /Choices[0]/Condition"]),
    (choice({"Condition": 1, "Next": "N"}), ["Expected value of type [STRING] at /Choices[0]/Condition"]),
    (choice({"Next": "N"}), [f"{CHOICE_NEEDS} at /Choices[0]"]),
    (map_(Items="{% a %}"), at_top("a", "/Items")),
    (map_(Items=[1, "{% a %}"]), at_top("a", "/Items[1]")),
    (map_(Items="a"), [f"{NOT_SURROUNDED} at /Items"]),
    (map_(Items=1), ["Expected value of type [ARRAY] at /Items"]),
    (map_(ItemSelector="{% $states.context.Map.Item.Value %}", MaxConcurrency="{% 1 %}"), []),
    (task(Arguments="{% $states.result %}"), unsupported("Field '$states.result' does not exist.", "/Arguments")),
    (task(Output="{% $states.result %}", Assign={"v": "{% $states.result %}"}), []),
    (task(Catch=[{**CATCHER, "Output": "{% $states.errorOutput %}"}]), []),
    (
        task(Catch=[{**CATCHER, "Output": {"v": "{% $states.result %}"}}]),
        unsupported("Field '$states.result' does not exist.", "/Catch[0]/Output/v"),
    ),
    (task(TimeoutSeconds="{% $states.input.t %}"), []),
    (
        task(Resource=INVOKE, Parameters={}),
        [
            only("Parameters", "JSONata", "JSONPath"),
            f"Arguments field is required for resource ARN: {INVOKE} at /Resource",
        ],
    ),
]


@pytest.mark.parametrize(("state", "expected"), IN_FIELDS)
def test_jsonata_in_fields(state: JSON, expected: list[str]) -> None:
    assert in_state(machine(state, **JSONATA)) == expected


def test_variables_of_outer_scopes_are_not_set_in_inner_ones() -> None:
    def nested(inner: JSON, catcher: JSON = None) -> JSON:
        state = {**INNER, "Branches": [{"StartAt": "I", "States": {"I": {**PASS, "Assign": inner}}}]}
        return {**state, "Assign": {"v": 1}, "Catch": [{**CATCHER, "Assign": catcher or {}}]}

    shadows = "DUPLICATE_VARIABLE_NAME: The variable name 'v' was already defined in a parent scope. at "
    assert in_state(machine(nested({"v.$": "$.a"}))) == [f"{shadows}/Branches[0]/States/I/Assign/v.$"]
    assert in_state(machine(nested({"w": 1}, {"w": 1}))) == []
