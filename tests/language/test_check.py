"""Definitions and what is found wrong with them, in tables.

A finding is written as AWS writes it, `CODE: message at /pointer`; without a code it is SCHEMA_VALIDATION_FAILED.
"""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.asl.language import check
from kaidan.asl.states import CHAPTERS, TABLES
from kaidan.errors import DefinitionError
from kaidan.values import JSON
from tests.language.definitions import (
    ACTIVITY,
    CHOICE_NEEDS,
    INNER,
    INVOKE,
    JSONATA,
    LAMBDA,
    PASS,
    SCOPE,
    WRITER,
    choice,
    found,
    going,
    in_state,
    machine,
    map_,
    mode,
    reader,
    retry,
    task,
)

# The machine as a whole

MACHINES: list[tuple[JSON, list[str]]] = [
    (None, ["Definition must be a valid JSON object"]),
    ([], ["Definition must be a valid JSON object"]),
    ({}, ["These fields are required: [States, StartAt] at /"]),
    ({"StartAt": "S"}, ["These fields are required: [States] at /"]),
    ({"States": {"S": PASS}}, ["These fields are required: [StartAt] at /"]),
    ({"StartAt": "S", "States": {}}, ["Value cannot be empty at /States"]),
    ({"StartAt": "S", "States": []}, ["Expected value of type [OBJECT] at /States"]),
    ({"StartAt": 1, "States": {"S": PASS}}, ["Expected value of type [STRING] at /StartAt"]),
    (machine(PASS, Comment=1), ["Expected value of type [STRING] at /Comment"]),
    (machine(PASS, Version="1.1"), ["Value should be one of the following: [1.0] at /Version"]),
    (machine(PASS, TimeoutSeconds=-1), ["Minimum value is 0 at /TimeoutSeconds"]),
    (machine(PASS, TimeoutSeconds=100_000_000), ["Maximum value is 99999999 at /TimeoutSeconds"]),
    (machine(PASS, TimeoutSeconds="5"), ["Expected value of type Integer at /TimeoutSeconds"]),
    (machine(PASS, Extra=1), ["Field 'Extra' is not supported at /"]),
    (
        machine(PASS, QueryLanguage="jsonata"),
        ["Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage"],
    ),
    (machine(1), ["Expected value of type [OBJECT] at /States/S"]),
    (machine({"End": True}), ["These fields are required: [Type] at /States/S"]),
    (
        machine({"Type": "pass", "End": True}),
        [
            "The field 'Type' should have one of these values: "
            "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /States/S/Type"
        ],
    ),
    (machine({"Type": 1, "End": True}), ["Expected value of type [STRING] at /States/S/Type"]),
]


@pytest.mark.parametrize(("definition", "expected"), MACHINES)
def test_machines(definition: JSON, expected: list[str]) -> None:
    assert found(definition) == expected


# Names and transitions


LONG = "x" * 81

GRAPHS: list[tuple[JSON, list[str]]] = [
    (going(A="B", B=None), []),
    (
        going(A="B"),
        [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next",
            "MISSING_END_STATE: Workflow has no terminal state",
        ],
    ),
    (going(A="B", B="A"), ["MISSING_END_STATE: Workflow has no terminal state"]),
    # without a terminal state nothing is called unreachable
    (going(A="B", B="A", C="A"), ["MISSING_END_STATE: Workflow has no terminal state"]),
    (going(A=None, B=None), ['MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B']),
    (
        going(A=None, B="C", C="B"),
        [
            'MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B',
            'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C',
        ],
    ),
    (
        {**going(A=None), "StartAt": "Z"},
        [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /StartAt",
            'MISSING_TRANSITION_TARGET: State "A" is not reachable. at /States/A',
        ],
    ),
    # a wrong field elsewhere keeps reachability out of it, but not missing targets
    (
        {**going(A="Z", B=None), "Extra": 1},
        [
            "Field 'Extra' is not supported at /",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /States/A/Next",
        ],
    ),
    # scopes inside states: targets are their own, they need no end
    (
        machine({**INNER, "Branches": [going(A="S")]}),
        ["MISSING_TRANSITION_TARGET: Missing 'Next' target: S at /States/S/Branches[0]/States/A/Next"],
    ),
    (machine({**INNER, "Branches": [going(A="A")]}), []),
    (
        machine({**INNER, "Branches": [going(A=None, B=None)]}),
        ['MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/S/Branches[0]/States/B'],
    ),
    (
        machine({**INNER, "Branches": [going(S=None)]}),
        ["DUPLICATE_STATE_NAME: Duplicate State name: S at /States/S/Branches[0]/States/S"],
    ),
    (
        machine({**INNER, "Branches": [going(A=None), going(A=None)]}),
        ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/S/Branches[1]/States/A"],
    ),
    (going(**{"x" * 80: None}), []),
    (
        going(**{LONG: None}),
        [
            f"INVALID_STATE_NAME: Invalid State name: State '{LONG}' exceeds the 80-character limit "
            f"allowed by the service at /States/{LONG}"
        ],
    ),
]


@pytest.mark.parametrize(("definition", "expected"), GRAPHS)
def test_graphs(definition: JSON, expected: list[str]) -> None:
    assert found(definition) == expected


# Fields of states: findings by their place in the state

NEXT_END = "[Next, End]"
ALL_LAST = "States.ALL must appear alone and at end of list"
REFERENCE = "Value is not a Reference Path"
NO_DOLLAR = f"{REFERENCE}: Reference path didn't start with '$'"


def value_of(name: str) -> str:
    return f"The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"


STATES: list[tuple[JSON, list[str]]] = [
    # transitions
    ({"Type": "Pass"}, [f"This object should have only one of the following fields: {NEXT_END} at "]),
    (
        {"Type": "Pass", "End": False},
        [f"This object should have only one of the following fields: {NEXT_END} at "],
    ),
    (
        {"Type": "Pass", "Next": "N", "End": True},
        [f"There should only be one of the following fields: {NEXT_END} at "],
    ),
    ({"Type": "Pass", "Next": "N", "End": False}, []),
    ({"Type": "Pass", "End": "true"}, ["Expected value of type [BOOLEAN] at /End"]),
    ({"Type": "Pass", "Next": ["N"]}, ["Expected value of type [STRING] at /Next"]),
    ({"Type": "Succeed", "End": True}, ["Field 'End' is not supported at "]),
    ({"Type": "Fail", "Next": "N"}, ["Field 'Next' is not supported at "]),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": "N"}, End=True),
        ["Field 'End' is not supported at "],
    ),
    # what is wrong with the object comes before what is wrong in its fields
    (
        {"Type": "Wait", "Seconds": -1, "Extra": 1},
        [
            "Field 'Extra' is not supported at ",
            f"This object should have only one of the following fields: {NEXT_END} at ",
            "Minimum value is 0 at /Seconds",
        ],
    ),
    # Pass
    ({**PASS, "Result": {"a.$": "no path"}}, []),
    ({**PASS, "InputPath": None, "OutputPath": None, "ResultPath": None}, []),
    ({**PASS, "InputPath": "$$.Execution.Id", "OutputPath": "$.a[?(@.b)]"}, []),
    ({**PASS, "InputPath": "$.a["}, ["Value must be a valid JSONPath. at /InputPath"]),
    ({**PASS, "InputPath": 1}, ["Expected value of type [STRING] at /InputPath"]),
    ({**PASS, "ResultPath": "$.a.b[0]['c d']"}, []),
    ({**PASS, "ResultPath": "a"}, [f"{NO_DOLLAR} at /ResultPath"]),
    ({**PASS, "ResultPath": "$.a[*]"}, [f"{REFERENCE} at /ResultPath"]),
    ({**PASS, "ResultPath": "$..a"}, [f"{REFERENCE} at /ResultPath"]),
    ({**PASS, "ResultPath": "$$.a"}, [f"{REFERENCE} at /ResultPath"]),
    ({**PASS, "ResultPath": "$v"}, [f"{REFERENCE} at /ResultPath"]),
    ({**PASS, "Parameters": [{"a": 1}]}, []),
    ({**PASS, "Parameters": {"a.$": "$.b", "c": {"d.$": "States.UUID()"}}}, []),
    ({**PASS, "Parameters": {"c": [{"d.$": "b"}]}}, [f"{value_of('d.$')} at /Parameters"]),
    ({**PASS, "Parameters": {"d.$": "States.Nope()"}}, [f"{value_of('d.$')} at /Parameters"]),
    ({**PASS, "Parameters": {"d.$": "States.Format('{}'"}}, [f"{value_of('d.$')} at /Parameters"]),
    ({**PASS, "Parameters": {"d.$": 5}}, [f"{value_of('d.$')} at /Parameters"]),
    ({**PASS, "ResultSelector": {}}, ["Field 'ResultSelector' is not supported at "]),
    # Assign
    ({**PASS, "Assign": {"a": 1, "b.$": "$.c", "ünï_2": 1}}, []),
    ({**PASS, "Assign": []}, ["Expected value of type [OBJECT] at /Assign"]),
    ({**PASS, "Assign": {"b.$": "c"}}, [f"{value_of('b.$')} at /Assign"]),
    (
        {**PASS, "Assign": {"states": 1}},
        ["RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /Assign/states"],
    ),
    (
        {**PASS, "Assign": {"a-b.$": "$.c"}},
        [
            "INVALID_VARIABLE_NAME: Invalid variable name 'a-b': "
            "the variable name contains invalid characters. at /Assign/a-b.$"
        ],
    ),
    # Wait
    ({"Type": "Wait", "Seconds": 99_999_999, "End": True}, []),
    ({"Type": "Wait", "Seconds": 1.5, "End": True}, ["Expected value of type Integer at /Seconds"]),
    ({"Type": "Wait", "Seconds": 1e400, "End": True}, ["Expected value of type Integer at /Seconds"]),
    ({"Type": "Wait", "Seconds": True, "End": True}, ["Expected value of type Integer at /Seconds"]),
    ({"Type": "Wait", "Seconds": 100_000_000, "End": True}, ["Maximum value is 99999999 at /Seconds"]),
    (
        {"Type": "Wait", "End": True},
        [
            "This object should have only one of the following fields: "
            "[SecondsPath, Seconds, TimestampPath, Timestamp] at "
        ],
    ),
    (
        {"Type": "Wait", "Seconds": 1, "TimestampPath": "$.t", "End": True},
        ["There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at "],
    ),
    ({"Type": "Wait", "SecondsPath": "$$.a", "End": True}, []),
    ({"Type": "Wait", "SecondsPath": "$.a[0,1]", "End": True}, [f"{REFERENCE} at /SecondsPath"]),
    ({"Type": "Wait", "Timestamp": "2016-12-05T21:29:29.123+02:00", "End": True}, []),
    (
        {"Type": "Wait", "Timestamp": "2016-12-05 21:29:29Z", "End": True},
        ["String does not match RFC3339 timestamp at /Timestamp"],
    ),
    (
        {"Type": "Wait", "Timestamp": "2016-13-05T21:29:29Z", "End": True},
        ["String does not match RFC3339 timestamp at /Timestamp"],
    ),
    # Fail
    ({"Type": "Fail"}, []),
    ({"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}', $.c)"}, []),
    ({"Type": "Fail", "Cause": 1}, ["Expected value of type [STRING] at /Cause"]),
    ({"Type": "Fail", "CausePath": "c"}, [f"{value_of('CausePath')} at /CausePath"]),
    (
        {"Type": "Fail", "Error": "E", "ErrorPath": "$.e"},
        ["There should only be one of the following fields: [Error, ErrorPath] at "],
    ),
    # Choice
    ({"Type": "Choice"}, ["These fields are required: [Choices] at "]),
    (choice(), ["Value cannot be empty at /Choices"]),
    (choice(1), ["Expected value of type [OBJECT] at /Choices[0]"]),
    (choice({"Next": "N"}), [f"{CHOICE_NEEDS} at /Choices[0]"]),
    (choice({"Variable": "$.a", "IsNull": True}), ["These fields are required: [Next] at /Choices[0]"]),
    (
        choice({"Variable": "$.a", "StringEquals": 1, "Next": "N"}),
        ["Expected value of type [STRING] at /Choices[0]/StringEquals"],
    ),
    (
        choice({"Variable": "$.a", "IsPresent": 1, "Next": "N"}),
        ["Expected value of type [BOOLEAN] at /Choices[0]/IsPresent"],
    ),
    (
        choice({"Variable": "$.a", "TimestampEquals": "x", "Next": "N"}),
        ["String does not match RFC3339 timestamp at /Choices[0]/TimestampEquals"],
    ),
    (
        choice({"Variable": "$.a", "NumericLessThanPath": "b", "Next": "N"}),
        [f"{NO_DOLLAR} at /Choices[0]/NumericLessThanPath"],
    ),
    (choice({"Variable": "$.a[*]", "IsNull": True, "Next": "N"}), [f"{REFERENCE} at /Choices[0]/Variable"]),
    (
        choice({"Variable": "$.a", "StringEqual": "b", "IsNull": True, "Next": "N"}),
        ["Field 'StringEqual' is not supported at /Choices[0]"],
    ),
    (choice({"And": [], "Next": "N"}), ["Value cannot be empty at /Choices[0]/And"]),
    (
        choice({"Not": {"Or": [{"Variable": "$.a", "IsNull": True, "Next": "N"}]}, "Next": "N"}),
        ["Field 'Next' is not supported at /Choices[0]/Not/Or[0]"],
    ),
    (
        choice({"Variable": "$.a", "IsNull": True, "Not": {"Variable": "$.a", "IsNull": True}, "Next": "N"}),
        [f"{CHOICE_NEEDS} at /Choices[0]"],
    ),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": "Z"}, Default="N"),
        ["MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /Choices[0]/Next"],
    ),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": "N"}, Default="Z"),
        ["MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /Default"],
    ),
    # Retry and Catch
    (task(Retry=[], Catch=[]), []),
    (task(Retry={}), ["Expected value of type [ARRAY] at /Retry"]),
    (task(Retry=[{}]), ["These fields are required: [ErrorEquals] at /Retry[0]"]),
    (task(Retry=[{"ErrorEquals": []}]), ["Value cannot be empty at /Retry[0]/ErrorEquals"]),
    (task(Retry=[{"ErrorEquals": [1]}]), ["Expected value of type [STRING] at /Retry[0]/ErrorEquals[0]"]),
    (
        retry(
            IntervalSeconds=0, MaxAttempts=99_999_999, BackoffRate=1, MaxDelaySeconds=31_622_400, JitterStrategy="FULL"
        ),
        [],
    ),
    (retry(MaxAttempts=-1), ["Minimum value is 0 at /Retry[0]/MaxAttempts"]),
    (retry(MaxAttempts=1.5), ["Expected value of type Integer at /Retry[0]/MaxAttempts"]),
    (retry(BackoffRate=0.5), ["Minimum value is 1.0 at /Retry[0]/BackoffRate"]),
    (retry(MaxDelaySeconds=0), ["Minimum value is 1 at /Retry[0]/MaxDelaySeconds"]),
    (retry(JitterStrategy="SOME"), ["Value should be one of the following: [NONE, FULL] at /Retry[0]/JitterStrategy"]),
    (
        task(Retry=[{"ErrorEquals": ["E", "States.ALL"]}]),
        [f"{ALL_LAST} at /Retry[0]/ErrorEquals[1]"],
    ),
    (
        task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        [f"{ALL_LAST} at /Retry[0]/ErrorEquals[0]"],
    ),
    (task(Catch=[{"ErrorEquals": ["E"]}]), ["These fields are required: [Next] at /Catch[0]"]),
    (
        task(Catch=[{"ErrorEquals": ["E"], "Next": "Z"}]),
        ["MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /Catch[0]/Next"],
    ),
    ({**PASS, "Retry": []}, ["Field 'Retry' is not supported at "]),
    # Task
    ({"Type": "Task", "End": True}, ["These fields are required: [Resource] at "]),
    (task(Resource=5), ["Expected value of type [STRING] at /Resource"]),
    (task(Resource="f"), ["Value is not a valid resource ARN at /Resource"]),
    (
        task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:a b"),
        ["Value is not a valid resource ARN at /Resource"],
    ),
    (task(Resource=LAMBDA + ":live"), []),
    (task(Resource=INVOKE, Parameters={}), []),
    (task(Resource=INVOKE), [f"Parameters field is required for resource ARN: {INVOKE} at /Resource"]),
    (
        task(Resource="arn:aws:swf:eu-west-1:123456789012:thing"),
        [
            "The resource provided arn:aws:swf:eu-west-1:123456789012:thing is not recognized. The value is not a "
            "valid resource ARN, or the resource is not available in this region. at /Resource"
        ],
    ),
    (task(TimeoutSeconds=0), ["Minimum value is 1 at /TimeoutSeconds"]),
    (
        task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"),
        ["There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath] at "],
    ),
    (task(Credentials={}), ["The field 'RoleArn' is required but was missing at /Credentials"]),
    (task(Credentials={"RoleArn.$": "$.r"}), []),
    # Parallel
    ({"Type": "Parallel", "End": True}, ["These fields are required: [Branches] at "]),
    ({"Type": "Parallel", "Branches": [], "End": True}, ["Value cannot be empty at /Branches"]),
    (
        {"Type": "Parallel", "Branches": [{"States": {"I": PASS}}], "End": True},
        ["These fields are required: [StartAt] at /Branches[0]"],
    ),
    (
        {"Type": "Parallel", "Branches": [{**SCOPE, "QueryLanguage": "JSONata"}], "End": True},
        ["Field 'QueryLanguage' is not supported at /Branches[0]"],
    ),
    # Map
    (
        {"Type": "Map", "End": True},
        ["This object should have only one of the following fields: [ItemProcessor, Iterator] at "],
    ),
    (
        map_(Iterator={"StartAt": "J", "States": {"J": PASS}}),
        ["There should only be one of the following fields: [ItemProcessor, Iterator] at "],
    ),
    (
        map_(ItemSelector={}, Parameters={}),
        ["There should only be one of the following fields: [Parameters, ItemSelector] at "],
    ),
    (map_(ItemsPath="$$.a", MaxConcurrency=0), []),
    (map_(ItemsPath="$.a[*]"), [f"{REFERENCE} at /ItemsPath"]),
    (map_(MaxConcurrency=-1), ["Minimum value is 0 at /MaxConcurrency"]),
    (map_(MaxConcurrencyPath="$$.a"), [f"{REFERENCE} at /MaxConcurrencyPath"]),
    (map_(ToleratedFailurePercentage=100.5), ["Maximum value is 100.0 at /ToleratedFailurePercentage"]),
    (map_(**mode(Mode="INLINE")), []),
    (map_(**mode(Mode="DISTRIBUTED", ExecutionType="EXPRESS")), []),
    (
        map_(**mode(Mode="DISTRIBUTED")),
        ["These fields are required: [ExecutionType] at /ItemProcessor/ProcessorConfig"],
    ),
    (
        map_(**mode(Mode="INLINE", ExecutionType="EXPRESS")),
        ["Field 'ExecutionType' is not supported at /ItemProcessor/ProcessorConfig"],
    ),
    (
        map_(**mode(Mode="REMOTE")),
        [
            "The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED] "
            "at /ItemProcessor/ProcessorConfig/Mode"
        ],
    ),
    (
        map_(Label="a b"),
        ["INVALID_LABEL_NAME: Invalid Label name: Label 'a b' contains invalid characters at /Label"],
    ),
    (reader(InputType="JSON"), []),
    (reader(InputType="CSV"), ["The field 'CSVHeaderLocation' is required at /ItemReader/ReaderConfig"]),
    (
        reader(InputType="CSV", CSVHeaderLocation="GIVEN"),
        ["These fields are required: [CSVHeaders] at /ItemReader/ReaderConfig"],
    ),
    (
        reader(InputType="JSON", CSVDelimiter="TAB"),
        ["Field 'CSVDelimiter' is not supported at /ItemReader/ReaderConfig"],
    ),
    (
        reader(Transformation="LOAD_AND_FLATTEN"),
        ["These fields are required: [InputType] at /ItemReader/ReaderConfig"],
    ),
    (
        reader(Transformation="LOAD_AND_FLATTEN", InputType="MANIFEST"),
        [
            "The field 'InputType' should have one of these values: [CSV, JSON, JSONL, PARQUET]"
            " at /ItemReader/ReaderConfig/InputType"
        ],
    ),
    (reader(ManifestType="ATHENA_DATA"), ["These fields are required: [InputType] at /ItemReader/ReaderConfig"]),
    (
        reader(ManifestType="ATHENA_DATA", InputType="JSON"),
        [
            "The field 'InputType' should have one of these values: [CSV, JSONL, PARQUET]"
            " at /ItemReader/ReaderConfig/InputType"
        ],
    ),
    (
        reader(ManifestType="S3_INVENTORY", InputType="MANIFEST"),
        ["Field 'InputType' is not supported at /ItemReader/ReaderConfig"],
    ),
    (reader(ManifestType="S3_INVENTORY"), []),
    (reader(ManifestType="ATHENA_DATA", InputType="PARQUET"), []),
    (reader(MaxItems=100_000_001), ["Maximum value is 100000000 at /ItemReader/ReaderConfig/MaxItems"]),
    (
        map_(ItemReader={"Resource": WRITER}),
        ["The field 'Resource' does not match any of the allowed values at /ItemReader/Resource"],
    ),
    (
        map_(ItemBatcher={"MaxItemsPerBatch": 5, "MaxItemsPerBatchPath": "$.n"}),
        ["There should only be one of the following fields: [MaxItemsPerBatchPath, MaxItemsPerBatch] at /ItemBatcher"],
    ),
    (
        map_(ItemBatcher={"BatchInput": {}}),
        [
            "This object should have at least one of the following fields: [MaxItemsPerBatch, MaxItemsPerBatchPath,"
            " MaxInputBytesPerBatch, MaxInputBytesPerBatchPath] at /ItemBatcher"
        ],
    ),
    (
        map_(ItemBatcher={"MaxInputBytesPerBatch": 262_145}),
        ["Maximum value is 262144 at /ItemBatcher/MaxInputBytesPerBatch"],
    ),
    (map_(ResultWriter={}), ["Value cannot be empty at /ResultWriter"]),
    (map_(ResultWriter={"Resource": WRITER}), ["These fields are required: [Parameters] at /ResultWriter"]),
    (
        map_(ResultWriter={"WriterConfig": {"OutputType": "CSV", "Transformation": "NONE"}}),
        ["Value should be one of the following: [JSON, JSONL] at /ResultWriter/WriterConfig/OutputType"],
    ),
]


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_states(state: JSON, expected: list[str]) -> None:
    assert in_state(machine(state)) == expected


def test_every_type_has_a_table() -> None:
    assert list(TABLES) == ["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"]
    assert TABLES.keys() == CHAPTERS.keys()


def test_labels_are_unique() -> None:
    states: JSON = {"A": {**map_(Label="a", **mode()), "End": False, "Next": "B"}, "B": map_(Label="a")}
    states["B"]["ItemProcessor"] = {"StartAt": "J", "States": {"J": PASS}}
    expected = ["DUPLICATE_LABEL_NAME: Duplicate Label name: a at /States/B/Label"]
    assert found({"StartAt": "A", "States": states}) == expected
    states["B"]["Label"] = "b"
    assert found({"StartAt": "A", "States": states}) == []


# Types of workflows


SYNC = "arn:aws:states:::states:startExecution.sync:2"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"


def no_pattern(pattern: str) -> str:
    return f"Express state machine does not support '{pattern}' service integration  at /Resource"


EXPRESS: list[tuple[JSON, list[str]]] = [
    (task(), []),
    (task(Resource=INVOKE, Parameters={}), []),
    (task(Resource=ACTIVITY), ["Express state machine does not support Activity ARN at /Resource"]),
    (task(Resource=SYNC, Parameters={}), [no_pattern(".sync")]),
    (task(Resource=TOKEN, Parameters={}), [no_pattern(".waitForTaskToken")]),
    (
        map_(**mode(Mode="DISTRIBUTED", ExecutionType="STANDARD")),
        [
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines "
            "at /ItemProcessor/ProcessorConfig/Mode"
        ],
    ),
]


@pytest.mark.parametrize(("state", "expected"), EXPRESS)
def test_express(state: JSON, expected: list[str]) -> None:
    assert in_state(machine(state), workflow_type="EXPRESS") == expected
    assert in_state(machine(state), workflow_type="STANDARD") == []


@pytest.mark.parametrize(("execution_type", "refused"), [("EXPRESS", True), ("STANDARD", False)])
def test_children_of_a_distributed_map_have_a_type_of_their_own(execution_type: str, refused: bool) -> None:
    state = map_(**mode(Mode="DISTRIBUTED", ExecutionType=execution_type))
    state["ItemProcessor"]["States"] = {"I": task(Resource=ACTIVITY)}
    expected = "Express state machine does not support Activity ARN at /ItemProcessor/States/I/Resource"
    assert in_state(machine(state)) == ([expected] if refused else [])


# What the integrations know


def test_resources_are_asked_after() -> None:
    """Of a resource that does not exist nobody knows the parameters."""
    definition = machine(task(Resource="arn:aws:states:::dynamodb:get", Parameters={}))
    assert found(definition, knows_resource=lambda resource: None) == []
    asked: list[str] = []

    def unknown(resource: Any) -> str:
        asked.append(f"{resource.service} {resource.action}")
        return "nearest: dynamodb:getItem"

    findings = check(definition, knows_resource=unknown, knows_parameters=lambda *_: [("missing", None)])
    assert {*asked} == {"dynamodb get"}
    assert [(finding.location, finding.hint) for finding in findings] == [
        ("/States/S/Resource", "nearest: dynamodb:getItem")
    ]
    assert findings[0].message.startswith("The resource provided arn:aws:states:::dynamodb:get is not recognized.")


def test_parameters_are_asked_after() -> None:
    def missing(resource: Any, template: JSON) -> list[tuple[str, str | None]]:
        return [] if "FunctionName" in template else [("The field 'FunctionName' is required but was missing", None)]

    state = task(Resource=INVOKE, Parameters={"Payload": 1})
    expected = ["The field 'FunctionName' is required but was missing at /Parameters"]
    assert in_state(machine(state), knows_parameters=missing) == expected
    state["Parameters"] = {"FunctionName": "f"}
    assert in_state(machine(state), knows_parameters=missing) == []


# Warnings and hints

WARNINGS: list[tuple[JSON, list[str]]] = [
    ({**PASS, "Parameters": {"a": "$.b"}}, ["NO_DOLLAR"]),
    ({**PASS, "Parameters": {"a": ["States.UUID()"], "price": "$5"}}, ["NO_DOLLAR"]),
    ({**PASS, "Parameters": {"a.$": "$.b"}}, []),
    ({**PASS, **JSONATA, "Output": {"a": "$.b"}}, []),
    ({**PASS, "Result": {"a.$": "$.b"}}, ["PASS_RESULT_IS_STATIC"]),
    ({**PASS, "Result": {"a": "b"}}, []),
    ({"Type": "Fail", "Cause": "$.c"}, ["NO_PATH"]),
    (choice({"Variable": "$.a", "StringEquals": "$.b", "Next": "N"}), ["NO_PATH"]),
    (task(Resource="arn:aws:lambda:REGION:ACCOUNT_ID:function:f"), ["INVALID_RESOURCE"]),
]


@pytest.mark.parametrize(("state", "codes"), WARNINGS)
def test_warnings(state: JSON, codes: list[str]) -> None:
    definition = machine(state)
    assert [line.split(":")[0] for line in found(definition, "WARNING")] == codes
    assert found(definition) == []


HINTS: list[tuple[JSON, str]] = [
    ({**PASS, "Resultpath": "$"}, "nearest: ResultPath, Result"),
    ({**PASS, "Resource": LAMBDA}, "types that have it: Task"),
    ({"Type": "Pas", "End": True}, "nearest: Pass"),
    ({"Type": "Pass", "Next": "N", "End": True}, "it has Next and End"),
    ({"Type": "Pass"}, "it has none"),
    ({"Type": "Wait", "Seconds": -5, "End": True}, "it is -5"),
    ({"Type": "Wait", "Seconds": [], "End": True}, "it is an array"),
    (choice({"Variable": "$.a", "StringEqual": "x", "IsNull": True, "Next": "N"}), "nearest: StringEquals"),
    ({**PASS, "ResultPath": "$$.a"}, "the Context object ($$) is not allowed here"),
    ({**PASS, "InputPath": "States.UUID()"}, ""),
    ({**PASS, **JSONATA, "Output": "{% a %}"}, "a field of the input is $states.input.a, a variable $a"),
    ({**PASS, **JSONATA, "Output": "{% $states.x %}"}, "here $states has input, context"),
    (task(**JSONATA, Output="{% $states.x %}"), "here $states has input, context, result"),
    ({"Type": "Pass", "Next": "s"}, "nearest: S"),
    ({**INNER, "Branches": [going(A="S")]}, "/States/S is in another scope: a transition cannot enter or leave one"),
]


@pytest.mark.parametrize(("state", "hint"), HINTS)
def test_hints(state: JSON, hint: str) -> None:
    hints = [finding.hint or "" for finding in check(machine(state))]
    assert hints
    assert any(hint in given for given in hints), hints


def test_the_message_of_a_refused_definition() -> None:
    """Recorded: everything in one line."""
    definition = {"StartAt": "S", "States": {"S": {"Type": "Wait", "Extra": 1, "Seconds": 1}}}
    assert str(DefinitionError(check(definition))) == (
        "Invalid State Machine Definition: '"
        "SCHEMA_VALIDATION_FAILED: Field 'Extra' is not supported at /States/S, "
        "SCHEMA_VALIDATION_FAILED: This object should have only one of the following fields: [Next, End] "
        "at /States/S'"
    )
