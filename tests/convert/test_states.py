"""The fields of states: what each becomes in JSONata."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import Items, Record
from kaidan.convert.expressions import Unconvertible
from kaidan.convert.states import REPLACED, TWINS, convert_state
from kaidan.values import JSON

SQS = "arn:aws:states:::sqs:sendMessage"
WAITS = SQS + ".waitForTaskToken"


def made(state: dict[str, JSON], notes: list[str] | None = None) -> dict[str, JSON]:
    return convert_state(state, {}, (notes if notes is not None else []).append)


def task(**fields: JSON) -> dict[str, JSON]:
    return {"Type": "Task", "Resource": SQS, **fields}


def mapped(**fields: JSON) -> dict[str, JSON]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, **fields}


IN, RESULT, ERROR = "$states.input", "$states.result", "$states.errorOutput"

CASES: list[tuple[dict[str, JSON], dict[str, JSON]]] = [
    # the five fields, alone
    (task(), {}),
    (task(InputPath="$"), {}),
    (task(InputPath="$.a"), {"Arguments": f"{{% {IN}.a %}}"}),
    (task(InputPath=None), {"Arguments": {}}),
    (task(Parameters={}), {"Arguments": {}}),
    (task(Parameters={"x": 1, "a.$": "$.a"}), {"Arguments": {"x": 1, "a": f"{{% {IN}.a %}}"}}),
    (task(Parameters={"n": [{"a.$": "$$.Execution.Id"}]}),
     {"Arguments": {"n": [{"a": "{% $states.context.Execution.Id %}"}]}}),
    (task(ResultSelector={"id.$": "$.Id"}), {"Output": {"id": f"{{% {RESULT}.Id %}}"}}),
    (task(ResultPath="$"), {}),
    (task(ResultPath=None), {"Output": f"{{% {IN} %}}"}),
    (task(ResultPath="$.r"), {"Output": f"{{% $merge([{IN}, {{'r': {RESULT}}}]) %}}"}),
    (task(ResultPath="$.r.s"),
     {"Output": f"{{% $merge([{IN}, {{'r': $merge([{IN}.r, {{'s': {RESULT}}}])}}]) %}}"}),
    (task(ResultPath="$.r[1]"),
     {"Output": f"{{% $exists({IN}.r[1]) ? $merge([{IN}, {{'r': $map({IN}.r, "
                f"function($v, $i) {{ $i = 1 ? {RESULT} : $v }})[]}}]) %}}"}),
    (task(OutputPath="$.Payload"), {"Output": f"{{% {RESULT}.Payload %}}"}),
    (task(OutputPath=None), {"Output": {}}),
    # together
    (task(InputPath="$.a", Parameters={"b.$": "$.b", "all.$": "$"}),
     {"Arguments": {"b": f"{{% {IN}.a.b %}}", "all": f"{{% {IN}.a %}}"}}),
    (task(InputPath=None, Parameters={"b.$": "$.b"}), {"Arguments": {"b": "{% $error('$.b leads nowhere') %}"}}),
    (task(ResultSelector={"id.$": "$.Id"}, ResultPath="$.r"),
     {"Output": f"{{% $exists({RESULT}.Id) ? $merge([{IN}, {{'r': {{'id': {RESULT}.Id}}}}]) %}}"}),
    (task(ResultPath="$.r", OutputPath="$.r"), {}),
    (task(ResultPath="$.r", OutputPath="$.r.id"), {"Output": f"{{% {RESULT}.id %}}"}),
    (task(ResultPath="$.r.s", OutputPath="$.r"), {"Output": f"{{% $merge([{IN}.r, {{'s': {RESULT}}}]) %}}"}),
    (task(ResultPath="$.r", OutputPath="$.other"), {"Output": f"{{% {IN}.other %}}"}),
    (task(ResultSelector={"a.$": "$.A", "b": 1}, OutputPath="$.a"), {"Output": f"{{% {RESULT}.A %}}"}),
    (task(ResultSelector={"id.$": "$.Id"}, ResultPath=None), {"Output": f"{{% $exists({RESULT}.Id) ? {IN} %}}"}),
    (task(ResultSelector={"id.$": "$.Id"}, Assign={"id.$": "$.id", "all.$": "$", "n": 1}),
     {"Output": {"id": f"{{% {RESULT}.Id %}}"},
      "Assign": {"id": f"{{% {RESULT}.id %}}", "all": f"{{% {RESULT} %}}", "n": 1}}),
    # …Path twins
    (task(TimeoutSecondsPath="$.t", HeartbeatSeconds=5),
     {"TimeoutSeconds": f"{{% $number({IN}.t) %}}", "HeartbeatSeconds": 5}),
    (task(Credentials={"RoleArn.$": "$.role"}), {"Credentials": {"RoleArn": f"{{% {IN}.role %}}"}}),
    ({"Type": "Wait", "SecondsPath": "$.s"}, {"Seconds": f"{{% {IN}.s %}}"}),
    ({"Type": "Wait", "TimestampPath": "$$.Execution.StartTime", "InputPath": "$.a"},
     {"Timestamp": "{% $states.context.Execution.StartTime %}", "Output": f"{{% {IN}.a %}}"}),
    ({"Type": "Wait", "Seconds": 3, "Assign": {"a.$": "$.a"}}, {"Seconds": 3, "Assign": {"a": f"{{% {IN}.a %}}"}}),
    ({"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}!', $.c)"},
     {"Error": f"{{% {IN}.e %}}", "Cause": f"{{% $exists({IN}.c) ? {IN}.c & '!' %}}"}),
    ({"Type": "Fail", "Error": "{% text %}", "Cause": "plain"},
     {"Error": "{% '\\u007b% text %}' %}", "Cause": "plain"}),
    # Pass and Succeed
    ({"Type": "Pass"}, {}),
    ({"Type": "Pass", "Result": {"a.$": "$.b", "t": "{% x %}"}},
     {"Output": {"a.$": "$.b", "t": "{% '\\u007b% x %}' %}"}}),
    ({"Type": "Pass", "Result": [1, [2]], "ResultPath": "$.r"},
     {"Output": f"{{% $merge([{IN}, {{'r': [1, [2]]}}]) %}}"}),
    ({"Type": "Pass", "Parameters": {"a.$": "$.a"}, "Result": 1, "Assign": {"x.$": "$"}},
     {"Output": 1, "Assign": {"x": 1}}),
    ({"Type": "Pass", "Parameters": {"list.$": "States.Array($.a)"}, "OutputPath": "$.list[0]"},
     {"Output": f"{{% {IN}.a %}}"}),
    ({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}, {"Output": f"{{% {IN}.a.b %}}"}),
    # Choice
    ({"Type": "Choice", "InputPath": "$.from", "Default": "D", "Assign": {"x.$": "$.x"},
      "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "N", "Assign": {"y.$": "$.a"}, "Comment": "c"}]},
     {"Default": "D", "Output": f"{{% {IN}.from %}}", "Assign": {"x": f"{{% {IN}.from.x %}}"},
      "Choices": [{"Condition": f"{{% $exists({IN}.from.a) %}}", "Output": f"{{% {IN}.from %}}", "Next": "N",
                   "Assign": {"y": f"{{% {IN}.from.a %}}"}, "Comment": "c"}]}),
    # Map and Parallel
    (mapped(), {}),
    (mapped(ItemsPath="$.items", MaxConcurrencyPath="$.max"),
     {"Items": f"{{% {IN}.items %}}", "MaxConcurrency": f"{{% $number({IN}.max) %}}"}),
    (mapped(InputPath="$.from", ItemSelector={"v.$": "$$.Map.Item.Value", "all.$": "$", "i.$": "$$.Map.Item.Index"}),
     {"Items": f"{{% {IN}.from %}}", "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}",
      "all": f"{{% {IN}.from %}}", "i": "{% $states.context.Map.Item.Index %}"}}),
    (mapped(Parameters={"v.$": "$.x"}), {"ItemSelector": {"v": f"{{% {IN}.x %}}"}}),
    (mapped(ResultSelector={"n.$": "States.ArrayLength($)", "flat.$": "$[*][*]"}),
     {"Output": {"n": f"{{% $count({RESULT}) %}}", "flat": f"{{% $reduce({RESULT}, $append, []) %}}"}}),
    (mapped(ToleratedFailureCountPath="$.n", ToleratedFailurePercentagePath="$.p"),
     {"ToleratedFailureCount": f"{{% $number({IN}.n) %}}", "ToleratedFailurePercentage": f"{{% $number({IN}.p) %}}"}),
    (mapped(ItemReader={"Resource": "r", "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.m"},
                        "Parameters": {"Bucket.$": "$.b"}}),
     {"ItemReader": {"Resource": "r", "ReaderConfig": {"InputType": "JSON", "MaxItems": f"{{% $number({IN}.m) %}}"},
                     "Arguments": {"Bucket": f"{{% {IN}.b %}}"}}}),
    (mapped(ItemBatcher={"MaxItemsPerBatchPath": "$.m", "BatchInput": {"a.$": "$.a"}}),
     {"ItemBatcher": {"MaxItemsPerBatch": f"{{% $number({IN}.m) %}}", "BatchInput": {"a": f"{{% {IN}.a %}}"}}}),
    (mapped(ResultWriter={"Resource": "w", "Parameters": {"Prefix.$": "$$.Execution.Name"}}),
     {"ResultWriter": {"Resource": "w", "Arguments": {"Prefix": "{% $states.context.Execution.Name %}"}}}),
    ({"Type": "Parallel", "Branches": [], "Parameters": {"a.$": "$.a"}, "ResultPath": "$.r"},
     {"Branches": [], "Arguments": {"a": f"{{% {IN}.a %}}"}, "Output": f"{{% $merge([{IN}, {{'r': {RESULT}}}]) %}}"}),
    # Retry and Catch
    (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 1}]), {"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]}),
    (task(Catch=[{"ErrorEquals": ["E"], "Next": "N"}]), {"Catch": [{"ErrorEquals": ["E"], "Next": "N"}]}),
    (task(Catch=[{"ErrorEquals": ["E"], "Next": "N", "ResultPath": None}]),
     {"Catch": [{"ErrorEquals": ["E"], "Next": "N", "Output": f"{{% {IN} %}}"}]}),
    (task(Catch=[{"ErrorEquals": ["E"], "Next": "N", "ResultPath": "$.e", "Assign": {"c.$": "$.Cause"}}]),
     {"Catch": [{"ErrorEquals": ["E"], "Next": "N", "Output": f"{{% $merge([{IN}, {{'e': {ERROR}}}]) %}}",
                 "Assign": {"c": f"{{% {ERROR}.Cause %}}"}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("state", "expected"), CASES)
def test_fields(state: dict[str, JSON], expected: dict[str, JSON]) -> None:
    kept = {"Type", "Resource"} | ({"ItemProcessor"} if state["Type"] == "Map" else set())
    assert made(state) == {**{key: item for key, item in state.items() if key in kept}, **expected}


def test_a_token_is_there_where_a_task_waits_for_one() -> None:
    parameters = {"Body.$": "States.Format('token={}', $$.Task.Token)"}
    token = "$states.context.Task.Token"
    waits = made({"Type": "Task", "Resource": WAITS, "Parameters": parameters})
    assert waits["Arguments"] == {"Body": f"{{% 'token=' & {token} %}}"}
    assert made(task(Parameters=parameters))["Arguments"] == {"Body": f"{{% $exists({token}) ? 'token=' & {token} %}}"}


def test_iterator_gets_its_new_name() -> None:
    assert (
        "Iterator" not in made({"Type": "Map", "Iterator": {}})
        and made({"Type": "Map", "Iterator": {}})["ItemProcessor"] == {}
    )


def test_no_field_of_jsonpath_is_left() -> None:
    """Every field that only JSONPath has is one of those that are replaced."""
    known = REPLACED | {name + "Path" for name in TWINS} | {"Variable", "And", "Or", "Not"}

    def check(record: Record) -> None:
        for field in record.table:
            if field.language == "JSONPath" and field.name not in known:
                assert record.table[0].name == "Comment" and field.name[0] in "SNTBI", field.name  # operators
            inner: Any = field.kind.of if isinstance(field.kind, Items) else field.kind
            if (
                isinstance(inner, Record)
                and inner is not record
                and not inner.scope
                and field.name not in ("And", "Or", "Not")
            ):
                check(inner)

    for record in TABLES.values():
        check(record)


@pytest.mark.parametrize(
    ("state", "pointer"),
    [
        (task(Parameters={"a": {"b.$": "$..*"}}), "/Parameters/a/b.$"),
        (task(InputPath="$..*"), "/InputPath"),
        (task(OutputPath="$..*"), "/OutputPath"),
        (task(Catch=[{"ErrorEquals": ["E"], "Next": "N", "Assign": {"x.$": "$..*"}}]), "/Catch[0]/Assign/x.$"),
        (mapped(ItemsPath="$.`"), "/ItemsPath"),
        (mapped(ItemReader={"Parameters": {"x.$": "$..*"}}), "/ItemReader/Parameters/x.$"),
        ({"Type": "Choice", "Choices": [{"Variable": "$.`", "IsPresent": True, "Next": "N"}]}, "/Choices[0]"),
    ],
)
def test_the_place_of_what_cannot_be_converted(state: dict[str, JSON], pointer: str) -> None:
    with pytest.raises(Unconvertible) as problem:
        made(state)
    assert problem.value.pointer == pointer
