"""What mutation starts from: definitions that use every state type, every field and both query languages.

They are in order, or nearly so; what is wrong with them comes from `mutate.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"

EC2 = "arn:aws:states:::aws-sdk:ec2:describeInstances"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"


@dataclass(frozen=True, slots=True)
class Seed:
    """A definition as text. `value` is what it says, None where only the text counts (YAML, comments)."""

    text: str
    value: Any = None
    name: str = "<definition>"


def machine(*states: dict[str, Any], prefix: str = "S", **fields: Any) -> dict[str, Any]:
    """States one after the other, S0, S1, …; the last one ends unless its type ends or leads on by itself."""
    named = {f"{prefix}{number}": dict(state) for number, state in enumerate(states)}
    for number, state in enumerate(named.values(), 1):
        if state["Type"] not in ("Choice", "Succeed", "Fail"):
            state.update({"Next": f"{prefix}{number}"} if number < len(named) else {"End": True})
    return {"StartAt": f"{prefix}0", "States": named, **fields}


def inner(prefix: str, *states: dict[str, Any]) -> dict[str, Any]:
    """A machine inside another one, whose states have names of their own."""
    return machine(*states, prefix=prefix)


PASS = {"Type": "Pass"}
RETRY = [
    {"ErrorEquals": ["Flaky", "States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.5},
    {"ErrorEquals": ["States.ALL"], "MaxDelaySeconds": 5, "IntervalSeconds": 3, "JitterStrategy": "FULL"},
]
ECHO = {"Type": "Pass", "Parameters": {"v.$": "$"}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
EXPRESS = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
S3_READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"], "MaxItems": 10},
    "Parameters": {"Bucket": "b", "Key.$": "$.text"},
}

JSONPATH: tuple[dict[str, Any], ...] = (
    machine(
        {"Type": "Pass", "Result": {"n": 1, "items": [1, 2, 3]}, "ResultPath": "$.made.here"},
        {"Type": "Pass", "InputPath": "$.made", "OutputPath": "$['here']", "Comment": "paths"},
        {"Type": "Pass", "Parameters": {"a.$": "$..n", "b.$": "$$.Execution.Name", "c": [{"d.$": "$.items[0:2]"}]}},
        {"Type": "Pass", "Assign": {"x.$": "$.a", "y": {"z.$": "States.UUID()"}}},
        {"Type": "Pass", "Parameters": {"x.$": "$x[0]", "y.$": "$y.z"}},
        {"Type": "Succeed", "InputPath": "$.x"},
        TimeoutSeconds=1000,
        Version="1.0",
    ),
    machine(
        {
            "Type": "Pass",
            "Parameters": {
                "format.$": "States.Format('{} is {} \\{\\}', $.text, $.n)",
                "array.$": "States.Array($.n, 'a', true, null, 1.5)",
                "partition.$": "States.ArrayPartition($.numbers, 2)",
                "contains.$": "States.ArrayContains($.numbers, 3)",
                "range.$": "States.ArrayRange(1, 9, 2)",
                "item.$": "States.ArrayGetItem(States.ArrayUnique($.numbers), 0)",
                "length.$": "States.ArrayLength($.numbers)",
                "base64.$": "States.Base64Decode(States.Base64Encode($.text))",
                "hash.$": "States.Hash($.text, 'SHA-256')",
                "merge.$": "States.JsonMerge($.object, $$.Execution.Input, false)",
                "json.$": "States.StringToJson(States.JsonToString($.object))",
                "random.$": "States.MathRandom(1, 10, $.n)",
                "sum.$": "States.MathAdd($.n, -1)",
                "split.$": "States.StringSplit($.text, ' ,')",
                "filter.$": "$.items[?(@.x > 1 && @.y == 'a' || @.z)].x",
            },
        },
        {"Type": "Wait", "SecondsPath": "$.length"},
        {"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z"},
        {"Type": "Fail", "ErrorPath": "$.text", "CausePath": "States.Format('{}', $)"},
    ),
    machine(
        {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "S1"},
                {"Variable": "$.n", "NumericEqualsPath": "$.m", "Next": "S1"},
                {"Variable": "$.text", "StringMatches": "a*b\\*", "Next": "S2"},
                {"Not": {"Variable": "$.text", "IsString": True}, "Next": "S2"},
                {
                    "And": [
                        {"Variable": "$.missing", "IsPresent": False},
                        {
                            "Or": [
                                {"Variable": "$.t", "TimestampLessThan": "2030-01-01T00:00:00Z"},
                                {"Variable": "$.flag", "BooleanEquals": True},
                            ]
                        },
                    ],
                    "Next": "S0",
                    "Assign": {"why": "both"},
                },
                {"Variable": "$.n", "IsNumeric": True, "Next": "S1"},
                {"Variable": "$.text", "StringLessThanEqualsPath": "$$.State.Name", "Next": "S1"},
            ],
            "Default": "S1",
        },
        {"Type": "Fail", "Error": "Boom", "Cause": "made to"},
        {"Type": "Succeed"},
    ),
    machine(
        {
            "Type": "Task",
            "Resource": EC2,
            "Parameters": {"Filters": [{"Name": "n", "Values.$": "States.Array($.text)"}], "MaxResults": 5},
            "ResultSelector": {"all.$": "$", "one.$": "$.Reservations[0]"},
            "ResultPath": "$.found",
            "TimeoutSeconds": 10,
            "HeartbeatSeconds": 5,
            "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"},
            "Retry": RETRY,
            "Catch": [
                {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Assign": {"e.$": "$.Error"}, "Next": "S2"}
            ],
        },
        {"Type": "Task", "Resource": LAMBDA, "TimeoutSecondsPath": "$.n", "Retry": [], "Assign": {"r.$": "$.Payload"}},
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
            "HeartbeatSecondsPath": "$.n",
        },
        {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "OutputPath": None},
    ),
    machine(
        {
            "Type": "Parallel",
            "Branches": [
                inner("A", PASS, {"Type": "Wait", "Seconds": 3}),
                inner("B", {"Type": "Fail", "Error": "Flaky"}),
            ],
            "Parameters": {"n.$": "$.n"},
            "ResultSelector": {"first.$": "$[0]"},
            "ResultPath": "$.parallel",
            "Retry": RETRY,
            "Catch": [{"ErrorEquals": ["Flaky"], "Next": "S1"}],
        },
        {"Type": "Parallel", "Branches": [inner("C", ECHO)], "OutputPath": "$[0]"},
    ),
    machine(
        {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "all.$": "$"},
            "MaxConcurrency": 2,
            "ItemProcessor": inner("A", {"Type": "Wait", "SecondsPath": "$.i"}, PASS, {"Type": "Succeed"}),
            "ResultPath": "$.mapped",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "S1"}],
        },
        {
            "Type": "Map",
            "ItemsPath": "$.numbers",
            "Parameters": {"x.$": "$"},
            "Iterator": inner("B", ECHO),
            "MaxConcurrencyPath": "$.n",
        },
    ),
    machine(
        {
            "Type": "Map",
            "Label": "Many",
            "ItemsPath": "$.items",
            "ItemBatcher": {"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": 1000, "BatchInput": {"n.$": "$.n"}},
            "ItemProcessor": inner("A", ECHO) | DISTRIBUTED,
            "ToleratedFailurePercentage": 50,
            "ToleratedFailureCountPath": "$.n",
            "MaxConcurrency": 3,
            "ResultSelector": {"r.$": "$"},
        },
        {"Type": "Map", "ItemReader": S3_READER, "ItemProcessor": inner("B", ECHO) | EXPRESS, "Retry": RETRY},
        {
            "Type": "Map",
            "ItemsPath": "$",
            "ItemProcessor": inner("C", {"Type": "Task", "Resource": EC2, "Parameters": {}}) | EXPRESS,
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": "b", "Prefix": "p"},
                "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"},
            },
            "ToleratedFailureCount": 1,
        },
    ),
)

JSONATA: tuple[dict[str, Any], ...] = (
    machine(
        {
            "Type": "Pass",
            "Assign": {"x": "{% $states.input.n + 1 %}", "y": {"z": ["{% $uuid() %}", 2]}, "list": "{% [1..5] %}"},
            "Output": {"sum": "{% $sum($states.input.numbers) %}", "name": "{% $states.context.State.Name %}", "k": 1},
        },
        {"Type": "Pass", "Output": "{% $map($list, function($v, $i) {$v * $i}) ~> $filter(function($v) {$v > 2}) %}"},
        {"Type": "Pass", "Output": "{% $states.context.Execution.Input.items[x > 1].{'a': x, 'b': $string(y)} %}"},
        {"Type": "Pass", "Output": "{% $fromMillis($toMillis('2026-01-01T00:00:00Z'), '[Y]-[M01]-[D01]', '+0900') %}"},
        {"Type": "Pass", "Output": "{% $reduce([1..9], function($a, $b) {$a & $b}) ~> $replace(/[13]+/, 'x') %}"},
        {"Type": "Pass", "Output": "{% ($f := function($n) {$n < 2 ? 1 : $n * $f($n - 1)}; {'f': $f(5), 'x': $x}) %}"},
        {"Type": "Pass", "Output": "{% $states.input ~> |$|{'more': $hash('a', 'MD5')}, ['f']| %}"},
        {"Type": "Succeed", "Output": "{% $merge([$states.input, {'range': $range(0, 9, 3)}])^(>a, b) %}"},
        QueryLanguage="JSONata",
    ),
    machine(
        {
            "Type": "Task",
            "Resource": EC2,
            "Arguments": {"Filters": [{"Name": "tag", "Values": "{% [$states.input.text] %}"}]},
            "TimeoutSeconds": "{% $states.input.n * 10 %}",
            "Output": "{% $states.result.Reservations.Instances[0] %}",
            "Assign": {"got": "{% $count($states.result) %}"},
            "Retry": RETRY,
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Output": {"why": "{% $states.errorOutput.Cause %}"},
                    "Assign": {"e": "{% $states.errorOutput %}"},
                    "Next": "S1",
                }
            ],
        },
        {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $exists($states.input.why) and $states.input.why != '' %}", "Next": "S2"},
                {"Condition": True, "Next": "S3", "Assign": {"c": 1}, "Output": "{% $states.input %}"},
            ],
            "Default": "S3",
            "Output": {},
        },
        {"Type": "Wait", "Seconds": "{% $length('abc') %}", "Output": {}},
        {"Type": "Wait", "Timestamp": "{% $now() %}"},
        {"Type": "Fail", "Error": "{% 'E' & $type($states.input) %}", "Cause": "{% $string($states.context) %}"},
        QueryLanguage="JSONata",
    ),
    machine(
        {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}", "n": "{% $states.input.n %}"},
            "MaxConcurrency": "{% 1 + 1 %}",
            "ItemProcessor": inner("A", {"Type": "Pass", "Output": "{% $states.input.v.x * 2 %}"}),
            "Output": "{% $sum($states.result) %}",
        },
        {
            "Type": "Parallel",
            "Arguments": {"a": "{% $states.input %}"},
            "Branches": [inner("B", {"Type": "Pass", "Assign": {"b": 1}}), inner("C", {"Type": "Fail", "Error": "E"})],
            "Output": "{% $states.result[0] %}",
            "Catch": [{"ErrorEquals": ["E"], "Output": {"items": [1, {"x": 2}]}, "Next": "S2"}],
        },
        {
            "Type": "Map",
            "Items": [1, {"x": 2}],
            "ItemBatcher": {"MaxItemsPerBatch": "{% 1 %}", "BatchInput": {"b": "{% $states.input %}"}},
            "ItemProcessor": inner("D", {"Type": "Fail"}) | EXPRESS,
            "ToleratedFailurePercentage": "{% 100 %}",
            "Label": "M",
        },
        QueryLanguage="JSONata",
    ),
    machine(
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"n": "{% 2 %}"}},
        {"Type": "Pass", "Parameters": {"n.$": "$.n"}},
    ),
)

TEXTS: tuple[Seed, ...] = (
    Seed(
        '// a machine\n{"StartAt": "A", /* with */ "States": {"A": {"Type": "Wait", "Seconds": ${S}, "End": true,}}}\n',
        name="x.asl.json",
    ),
    Seed(
        "%YAML 1.2\n---\nStartAt: A # first\nStates:\n  A: &a\n    Type: Pass\n    Result: {x: [1, 'two', ~, 1e3]}\n"
        "    Next: B\n  B:\n    <<: *a\n    Next: C\n    Comment: |\n      more\n      lines\n  'C': {Type: Succeed}\n",
        name="x.asl.yaml",
    ),
)


def repository() -> list[Seed]:
    """The hand-made ones, and, less often since they are long, the examples."""
    made = [Seed(json.dumps(value), value) for value in (*JSONPATH, *JSONATA)]
    files = sorted(EXAMPLES.glob("*/*.asl.*"))
    return [*made * 4, *TEXTS * 2, *(_of_file(file) for file in files)]


def _of_file(file: Path) -> Seed:
    text = file.read_text(encoding="utf-8")
    return Seed(text, json.loads(text) if file.suffix == ".json" else None, file.name)


def corpus(folder: Path) -> list[Seed]:
    """Definitions in a file of JSON lines: `{"definition": {…} or "text", …}`."""
    lines = (folder / "definitions.jsonl").read_text(encoding="utf-8").splitlines()
    return [_of_record(json.loads(line)["definition"]) for line in lines if line]


def _of_record(definition: Any) -> Seed:
    return Seed(definition) if isinstance(definition, str) else Seed(json.dumps(definition), definition)
