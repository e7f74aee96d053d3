"""Which variables states read."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.asl.language.variables import variable_references

State = dict[str, Any]

PATHS: list[tuple[State, list[str]]] = [
    ({"Type": "Pass"}, []),
    ({"Type": "Pass", "InputPath": "$a", "OutputPath": "$b.c[0]"}, ["a", "b"]),
    ({"Type": "Pass", "InputPath": "$.a", "OutputPath": "$$.State.Name"}, []),
    ({"Type": "Pass", "InputPath": None, "ResultPath": None}, []),
    ({"Type": "Pass", "Parameters": {"x.$": "$a", "y": "$b", "z": {"w.$": "States.Format('{}', $c.d)"}}}, ["a", "c"]),
    ({"Type": "Pass", "Parameters": [{"x.$": "$a"}, "$b"]}, ["a"]),
    ({"Type": "Pass", "Result": {"x.$": "$a", "InputPath": "$b"}}, []),
    ({"Type": "Pass", "Comment": "$a", "Assign": {"a": "$b", "c.$": "$d", "e": {"f.$": "$g"}}}, ["d", "g"]),
    ({"Type": "Pass", "Assign": {"x.$": "States.MathAdd(States.MathAdd($z, $y), $z)"}}, ["y", "z"]),
    ({"Type": "Wait", "SecondsPath": "$a"}, ["a"]),
    ({"Type": "Wait", "TimestampPath": "$a.b"}, ["a"]),
    ({"Type": "Fail", "ErrorPath": "$a", "CausePath": "States.Format('{}', $b)"}, ["a", "b"]),
    (
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"MessageBody.$": "$a"},
            "TimeoutSecondsPath": "$b",
            "HeartbeatSecondsPath": "$c",
            "Credentials": {"RoleArn.$": "$d"},
            "ResultSelector": {"x.$": "$e"},
            "Catch": [{"ErrorEquals": ["X"], "Next": "S", "Assign": {"f.$": "$g"}}],
        },
        ["a", "b", "c", "d", "e", "g"],
    ),
    (
        {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$a", "StringEqualsPath": "$b", "Next": "S", "Assign": {"x.$": "$c"}},
                {"Variable": "$.a", "StringEquals": "$d", "Next": "S"},
                {
                    "And": [
                        {"Variable": "$e", "IsNull": True},
                        {"Not": {"Or": [{"Variable": "$f", "NumericLessThanPath": "$g"}]}},
                    ],
                    "Next": "S",
                },
            ],
            "Assign": {"y.$": "$h"},
        },
        ["a", "b", "c", "e", "f", "g", "h"],
    ),
]


def one(state: State, **more: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": state | {"End": True}}} | more


@pytest.mark.parametrize(("state", "names"), PATHS)
def test_in_paths(state: State, names: list[str]) -> None:
    assert variable_references(one(state)) == ({"S": names} if names else {})


EXPRESSIONS: list[tuple[State, list[str]]] = [
    ({"Type": "Pass", "Output": "{% $states.input.a %}"}, []),
    ({"Type": "Pass", "Output": {"x": ["{% $a + $b.c %}", "$d", "{% $sum($e) %}"]}}, ["a", "b", "e"]),
    ({"Type": "Pass", "Output": "{% ($f := 1; $f + $g) %}"}, ["g"]),
    ({"Type": "Pass", "Output": "{% $map($a, function($x) { $x + $b }) %}"}, ["a", "b"]),
    ({"Type": "Pass", "Assign": {"a": "{% $b %}", "c": "d"}}, ["b"]),
    ({"Type": "Pass", "Comment": "{% $a %}", "Output": " {% $b %}"}, []),
    ({"Type": "Wait", "Seconds": "{% $a %}"}, ["a"]),
    (
        {"Type": "Choice", "Choices": [{"Condition": "{% $a > $b %}", "Next": "S", "Output": "{% $c %}"}]},
        ["a", "b", "c"],
    ),
    ({"Type": "Choice", "Choices": [{"Condition": "{% $not($states.input.done) %}", "Next": "S"}]}, []),
    ({"Type": "Fail", "Error": "{% $a %}", "Cause": "{% $b %}"}, ["a", "b"]),
    (
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"MessageBody": "{% $a %}"},
            "TimeoutSeconds": "{% $b %}",
            "Catch": [{"ErrorEquals": ["X"], "Next": "S", "Output": "{% $c %}"}],
        },
        ["a", "b", "c"],
    ),
]


@pytest.mark.parametrize(("state", "names"), EXPRESSIONS)
def test_in_expressions(state: State, names: list[str]) -> None:
    expected = {"S": names} if names else {}
    assert variable_references(one(state, QueryLanguage="JSONata")) == expected
    assert variable_references(one(state | {"QueryLanguage": "JSONata"})) == expected


def test_states_inside_states_stand_for_themselves() -> None:
    inner = one({"Type": "Pass", "InputPath": "$a"})
    branch = {"StartAt": "B", "States": {"B": {"Type": "Wait", "SecondsPath": "$b", "End": True}}}
    definition = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$c",
                "MaxConcurrencyPath": "$d",
                "ItemSelector": {"x.$": "States.Array($e, $$.Map.Item.Value)"},
                "ItemProcessor": inner,
                "Next": "Both",
            },
            "Both": {"Type": "Parallel", "Branches": [branch], "End": True},
        },
    }
    assert variable_references(definition) == {"Each": ["c", "d", "e"], "S": ["a"], "B": ["b"]}


def test_a_variable_may_have_the_name_of_a_function() -> None:
    states = {
        "Set": {"Type": "Pass", "Assign": {"count": 1}, "Next": "Use"},
        "Use": {"Type": "Pass", "Output": "{% $count + $sum([1]) %}", "End": True},
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Set", "States": states}
    assert variable_references(definition) == {"Use": ["count"]}
