"""Whole definitions: what is converted, what is said about it, and that both forms end alike."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kaidan.asl.language import check, compile_definition
from kaidan.convert import DIFFERENT, NOT_CONVERTED, convert
from kaidan.convert.variables import variables_of
from kaidan.errors import StateError
from kaidan.protocol.effects import RunTask
from kaidan.runtime.simulated import World, simulate
from kaidan.values import JSON

SQS = "arn:aws:states:::sqs:sendMessage"


def passing(next: str | None = None, **fields: JSON) -> dict[str, JSON]:
    return {"Type": "Pass", **fields, **({"Next": next} if next else {"End": True})}


def machine(**states: JSON) -> dict[str, JSON]:
    return {"StartAt": next(iter(states)), "States": states}


def test_the_language_is_said_once_when_all_is_converted() -> None:
    given = {"Comment": "c", "QueryLanguage": "JSONPath", **machine(A=passing("B"), B=passing())}
    before = copy.deepcopy(given)
    result = convert(given)
    assert (result.whole, result.asked, result.converted, result.findings) == (True, 2, 2, [])
    assert result.definition == {"Comment": "c", "QueryLanguage": "JSONata", **machine(A=passing("B"), B=passing())}
    assert given == before


def test_what_cannot_be_converted_stays() -> None:
    odd = passing(Parameters={"x.$": "$..*"})
    result = convert(machine(A=passing("B", InputPath="$.a"), B=odd))
    assert (result.whole, result.asked, result.converted) == (False, 2, 1)
    assert result.definition == machine(
        A={"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.a %}", "Next": "B"}, B=odd
    )
    assert [(found.code, found.location) for found in result.findings] == [(NOT_CONVERTED, "/States/B/Parameters/x.$")]
    assert check(result.definition) == []


def nested() -> dict[str, JSON]:
    processor = machine(In=passing(InputPath="$.x"))
    branches = [machine(Left=passing(OutputPath=None)), machine(Right=passing())]
    return machine(
        M={"Type": "Map", "ItemsPath": "$.list", "Iterator": processor, "Next": "P"},
        P={"Type": "Parallel", "Branches": branches, "End": True},
    )


def test_machines_inside_states() -> None:
    result = convert(nested())
    assert (result.whole, result.converted) == (True, 5)
    states = result.definition["States"]
    assert states["M"]["ItemProcessor"]["States"]["In"]["Output"] == "{% $states.input.x %}"
    assert states["P"]["Branches"][0]["States"]["Left"]["Output"] == {}
    assert "Iterator" not in states["M"]
    assert check(result.definition) == []


def test_only_some_states() -> None:
    result = convert(nested(), frozenset({"In", "P"}))
    assert (result.whole, result.asked, result.converted) == (False, 2, 2)
    states = result.definition["States"]
    assert states["M"]["ItemsPath"] == "$.list"
    assert states["M"]["Iterator"]["States"]["In"]["QueryLanguage"] == "JSONata"
    assert states["P"]["QueryLanguage"] == "JSONata"
    assert "QueryLanguage" not in states["P"]["Branches"][0]["States"]["Left"]
    assert check(result.definition) == []
    with pytest.raises(KeyError, match="Nobody"):
        convert(nested(), frozenset({"Nobody"}))


def test_what_is_jsonata_already() -> None:
    whole = {"QueryLanguage": "JSONata", **machine(A=passing(Output="{% 1 %}"))}
    assert (convert(whole).definition, convert(whole).asked, convert(whole).whole) == (whole, 0, True)
    mixed = machine(A=passing("B", QueryLanguage="JSONata", Output=1), B=passing(Result=2))
    result = convert(mixed)
    assert (result.asked, result.whole) == (1, True)
    assert result.definition["States"]["A"] == passing("B", Output=1)


def test_a_variable_that_hides_a_function() -> None:
    given = machine(A=passing("B", Assign={"count": 1}), B=passing("C", Parameters={"n.$": "States.ArrayLength($.x)"}),
                    C=passing(Parameters={"n.$": "$count"}))  # fmt: skip
    result = convert(given)
    assert [found.message for found in result.findings] == [
        "'B' stays JSONPath: the variable $count hides the function $count that would be needed"
    ]
    assert result.converted == 2


def test_failures_that_are_caught_now() -> None:
    task = {"Type": "Task", "Resource": SQS, "Next": "B", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}
    findings = convert(machine(A={**task, "Parameters": {"a.$": "$.a"}}, B=passing())).findings
    assert [(found.code, found.location) for found in findings] == [(DIFFERENT, "/States/A/Catch")]
    assert convert(machine(A={**task, "Parameters": {"a": 1}}, B=passing())).findings == []


def test_variables_that_are_set_for_certain() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "Yes", "Assign": {"c": 1}}],
              "Default": "No"}  # fmt: skip
    loop = {"Type": "Map", "Iterator": machine(Inner=passing(Assign={"i": 1})), "Next": "End"}
    given = machine(
        Start=passing("Fork", Assign={"n": 0, "x.$": "$.x"}),
        Fork=choice,
        Yes=passing("Loop", Assign={"both": "a", "n.$": "States.MathAdd($n, 1)"}),
        No=passing("Loop", Assign={"both": "b", "only": 1}),
        Loop=loop,
        End=passing(),
    )
    variables = variables_of(given)
    assert variables.at("/States/Start") == {}
    assert variables.at("/States/Fork") == {"$n": "integer", "$x": None}
    assert variables.at("/States/Yes") == {"$c": "integer", "$n": "integer", "$x": None}
    assert variables.at("/States/Loop") == {"$both": "string", "$n": "integer", "$x": None}
    assert variables.at("/States/Loop/Iterator/States/Inner") == variables.at("/States/Loop")
    assert variables.names == {"n", "x", "c", "both", "only", "i"}


# --- end to end -------------------------------------------------------------------------------------------

ORDER: dict[str, Any] = {
    "StartAt": "Check",
    "States": {
        "Check": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.order.total", "NumericGreaterThan": 100, "Next": "Count", "Assign": {"kind": "big"}},
                {"Not": {"Variable": "$.order.id", "StringMatches": "o-*"}, "Next": "Refuse"},
            ],
            "Default": "Count",
            "Assign": {"kind": "small"},
        },
        "Refuse": {"Type": "Fail", "Error": "Order.Refused", "CausePath": "States.Format('no order: {}', $.order.id)"},
        "Count": {
            "Type": "Pass",
            "Parameters": {"n.$": "States.ArrayLength($.order.lines)", "first.$": "$.order.lines[0].sku"},
            "ResultPath": "$.stats",
            "Assign": {"left.$": "$.n"},
            "Next": "Lines",
        },
        "Lines": {
            "Type": "Map",
            "ItemsPath": "$.order.lines",
            "ItemSelector": {"line.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "of.$": "$left"},
            "ItemProcessor": {
                "StartAt": "Send",
                "States": {
                    "Send": {
                        "Type": "Task",
                        "Resource": SQS,
                        "Parameters": {"QueueUrl": "q", "MessageBody.$": "States.JsonToString($.line)"},
                        "ResultSelector": {"id.$": "$.MessageId", "tags.$": "$.tags[?(@.on == true)].name"},
                        "ResultPath": "$.sent",
                        "Catch": [{"ErrorEquals": ["Queue.Full"], "ResultPath": "$.error", "Next": "Later"}],
                        "End": True,
                    },
                    "Later": {"Type": "Wait", "SecondsPath": "$.at", "OutputPath": "$.error", "End": True},
                },
            },
            "ResultPath": "$.sent",
            "Next": "Done",
        },
        "Done": {
            "Type": "Parallel",
            "Branches": [
                machine(All=passing(Parameters={"kind.$": "$kind", "sent.$": "$.sent"})),
                machine(Skus={"Type": "Succeed", "InputPath": "$..sku"}),
            ],
            "ResultSelector": {"all.$": "$[0]", "skus.$": "$[1]", "last.$": "$[(@.length-1)][0]"},
            "End": True,
        },
    },
}

INPUTS: list[JSON] = [
    {"order": {"id": "o-1", "total": 250, "lines": [{"sku": "a"}, {"sku": "b", "full": True}]}},
    {"order": {"id": "o-2", "total": 5, "lines": [{"sku": ["one"]}]}},
    {"order": {"id": "x-3", "total": 5, "lines": []}},
    {"order": {"id": 7, "total": 5}},
    {"order": {"id": "o-4", "total": "250", "lines": []}},
    {"order": {"id": "o-5", "total": 500}},
    {"order": {}},
    {},
]


def answer(task: RunTask) -> JSON:
    body = task.parameters.value["MessageBody"]
    if "full" in body:
        raise StateError("Queue.Full", "try later")
    return {"MessageId": f"id of {body}", "tags": [{"name": ["t"], "on": True}, {"name": "u", "on": False}]}


@pytest.mark.parametrize("data", INPUTS)
def test_both_forms_end_alike(data: JSON) -> None:
    result = convert(ORDER)
    assert result.whole and check(result.definition) == []
    runs = [simulate(compile_definition(each), data, World(answer=answer)) for each in (ORDER, result.definition)]
    given, made = (run.execution for run in runs)
    assert given.status == made.status
    assert (given.output and given.output.value) == (made.output and made.output.value)
    if given.error == "Order.Refused":
        assert (given.error, given.cause) == (made.error, made.cause)
