"""Observed values into recorded form: hand-made answers as cases, numbering and stability as laws."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.normalise import NotNormalisable, derived_replaced, normalise, ordered, without

UUID_A = "0a1b2c3d-1111-2222-3333-444455556666"
UUID_B = "ffffffff-1111-2222-3333-444455556666"
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:toy"


def regex(pattern: str, replacement: str) -> dict[str, Any]:
    return {"type": "regex", "pattern": pattern, "replacement": replacement}


def key_value(key: str, replacement: str, reference: bool = True) -> dict[str, Any]:
    return {"type": "key_value", "key": key, "replacement": replacement, "reference": reference}


def path(path: str, replacement: str, reference: bool = False) -> dict[str, Any]:
    return {"type": "jsonpath", "path": path, "replacement": replacement, "reference": reference}


def named(rule: str, replacement: str = "resource") -> dict[str, Any]:
    return {"type": "key_value", "rule": rule, "replacement": replacement, "reference": True}


def custom(rule: str) -> dict[str, Any]:
    return {"type": "custom", "rule": rule}


ALONE: list[tuple[str, list[dict[str, Any]], Any, Any]] = [
    # step 2: what is read as JSON, and what is not
    ("object text", [], {"input": '{"a": 1.0}'}, {"input": {"a": 1.0}}),
    ("array text", [], {"input": "[1, 2]"}, {"input": "[1, 2]"}),
    ("scalar texts", [], {"a": '"x"', "b": "7", "c": "null"}, {"a": '"x"', "b": "7", "c": "null"}),
    ("text in a list", [], {"l": ['{"a": 1}']}, {"l": ['{"a": 1}']}),
    ("object in a list", [], {"l": [{"o": '{"a": 1}'}]}, {"l": [{"o": {"a": 1}}]}),
    ("text in text", [], {"o": '{"i": "{\\"a\\": 1}"}'}, {"o": {"i": '{"a": 1}'}}),
    ("broken object text", [], {"o": "{a}"}, {"o": "{a}"}),
    # set (b)
    (
        "region and partition",
        [],
        {"x": MACHINE},
        {"x": MACHINE.replace("us-east-1", "<region>").replace(":aws:", ":<partition>:")},
    ),
    ("date-times with zone", [], {"x": "at 2024-02-29T23:59:59.123456789Z."}, {"x": "at date."}),
    (
        "date-times, offsets",
        [],
        {"x": "2024-01-01T00:00:00+02:00 2024-01-01T00:00:00-0230"},
        {"x": "date date"},
    ),
    ("no such day", [], {"x": "2023-02-29T00:00:00Z"}, {"x": "2023-02-29T00:00:00Z"}),
    ("no such month", [], {"x": "2023-13-01T00:00:00Z"}, {"x": "2023-13-01T00:00:00Z"}),
    ("no such hour", [], {"x": "2023-12-01T25:00:00Z"}, {"x": "2023-12-01T25:00:00Z"}),
    ("no zone", [], {"x": "2023-12-01T05:00:00"}, {"x": "2023-12-01T05:00:00"}),
    ("ten digits", [], {"x": "2023-12-01T05:00:00.1234567890Z"}, {"x": "2023-12-01T05:00:00.1234567890Z"}),
    (
        "native date-times",
        [],
        {"creationDate": NOON, "timestamp": NOON},
        {"creationDate": "datetime", "timestamp": "timestamp"},
    ),
    (
        "timestamps by name",
        [],
        {"eventTimestamp": 17, "ingestionTime": 1},
        {"eventTimestamp": "timestamp", "ingestionTime": "timestamp"},
    ),
    (
        "user data: valid",
        [],
        {"i": '{"TimestampValue": "2016-03-14T01:59:00Z"}'},
        {"i": {"TimestampValue": "date"}},
    ),
    (
        "user data: invalid",
        [],
        {"i": '{"TimestampValue": "2016-03-14"}'},
        {"i": {"TimestampValue": "timestamp"}},
    ),
    (
        "uuid in an id",
        [],
        {"requestId": UUID_A, "other": UUID_A},
        {"requestId": "<uuid:1>", "other": "<uuid:1>"},
    ),
    ("uuid elsewhere", [], {"request": UUID_A}, {"request": UUID_A}),
    (
        "response metadata",
        [],
        {
            "a": 1,
            "ResponseMetadata": {"RequestId": UUID_A, "HTTPHeaders": {"date": "x"}, "HTTPStatusCode": 200},
        },
        {"a": 1, "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}},
    ),
    # set (a)
    (
        "SDK metadata",
        [],
        {
            "o": '{"SdkHttpMetadata": {"Deep": {"Date": ["Mon"]}, "x-amz-crc32": "7"},'
            ' "SdkResponseMetadata": {"RequestId": "r"}}'
        },
        {
            "o": {
                "SdkHttpMetadata": {"Deep": {"Date": "date"}, "x-amz-crc32": "x-amz-crc32"},
                "SdkResponseMetadata": {"RequestId": "RequestId"},
            }
        },
    ),
    (
        "JSON in a cause",
        [],
        {"cause": "in '{no}' the input '{\"a\": \"b\"}'", "again": 'x {"a": "b"}'},
        {"cause": "in '{no}' the input '<json-input:1>'", "again": "x <json-input:1>"},
    ),
    ("no JSON in a cause", [], {"cause": "'{'a': 1}'"}, {"cause": "'{'a': 1}'"}),
    # rules of a case
    ("regex", [regex(r"toy_\d+", "<toy>")], {"x": "a toy_17"}, {"x": "a <toy>"}),
    ("regex before the base set", [regex("arn:aws:x", "<x>")], {"x": "arn:aws:x"}, {"x": "<x>"}),
    (
        "jsonpath sets",
        [path("$..output.StartDate", "start")],
        {"output": '{"StartDate": 1}', "StartDate": 2},
        {"output": {"StartDate": "start"}, "StartDate": 2},
    ),
    (
        "jsonpath deep",
        [path("$..output..D", "d")],
        {"output": {"l": [{"D": 1}, {"E": {"D": [2]}}]}},
        {"output": {"l": [{"D": "d"}, {"E": {"D": "d"}}]}},
    ),
    (
        "jsonpath refers",
        [path("$..T", "t", reference=True)],
        {"T": "tok", "x": "a tok"},
        {"T": "<t:1>", "x": "a <t:1>"},
    ),
    (
        "quotes in a reference",
        [key_value("T", "t")],
        {"T": 'a"b', "x": 'see a"b'},
        {"T": "<t:1>", "x": "see <t:1>"},
    ),
    (
        "key_value sets",
        [key_value("Date", "<date>", reference=False)],
        {"Date": ["Mon"], "d": {"Date": "Tue"}},
        {"Date": "<date>", "d": {"Date": "<date>"}},
    ),
    ("key_value: empty", [key_value("T", "<t>", reference=False)], {"T": ""}, {"T": ""}),
    (
        "key_value: a match hides its inside",
        [key_value("a", "a", reference=False)],
        {"a": {"a": 1}},
        {"a": "a"},
    ),
    (
        "one text, two names",
        [key_value("A", "a"), key_value("B", "b")],
        {"A": "tok", "B": "tok"},
        {"A": "<a:1>", "B": "<a:1>"},
    ),
    (
        "lower priority first",
        [key_value("A", "a"), {**key_value("B", "b"), "priority": -1}],
        {"A": "tok", "B": "tok"},
        {"A": "<b:1>", "B": "<b:1>"},
    ),
    (
        "resource: slash",
        [named("resource_name_transformer")],
        {"x": "arn:aws:iam::111111111111:role/a/b"},
        {"x": "arn:<partition>:iam::111111111111:role/a/<resource:1>"},
    ),
    (
        "resource: colon",
        [named("resource_name_transformer")],
        {"x": "arn:aws:sqs:us-east-1:111111111111:queue"},
        {"x": "arn:<partition>:sqs:<region>:111111111111:<resource:1>"},
    ),
    (
        "resource: function",
        [named("resource_name_transformer")],
        {"x": "arn:aws:lambda:us-east-1:111111111111:function:fn:$LATEST"},
        {"x": "arn:<partition>:lambda:<region>:111111111111:function:<resource:1>:$LATEST"},
    ),
    (
        "SNS",
        [
            named("sns_pem_file_token_transformer", "cert"),
            named("sns_unsubscribe_url_subscription_arn_transformer", "sub"),
        ],
        {
            "SigningCertURL": "https://h/SimpleNotificationService-12.pem",
            "UnsubscribeURL": "https://h/?Action=Unsubscribe&SubscriptionArn=a:t:77",
        },
        {
            "SigningCertURL": "https://h/SimpleNotificationService-<cert:1>",
            "UnsubscribeURL": "https://h/?Action=Unsubscribe&SubscriptionArn=a:t:<sub:1>",
        },
    ),
    (
        "map run, label given",
        [{"type": "map_run_arns"}],
        {"mapRunArn": f"a:mapRun:m/label:{UUID_A}"},
        {"mapRunArn": "a:mapRun:m/label:<MapRunArnPart1_0idx>"},
    ),
    (
        "map run, no label",
        [{"type": "map_run_arns"}],
        {"mapRunArn": f"a:mapRun:m/{UUID_B}:{UUID_A}"},
        {"mapRunArn": "a:mapRun:m/<MapRunArnPart0_0idx>:<MapRunArnPart1_0idx>"},
    ),
    (
        "variable references",
        [custom("sfn_sort_variable_references")],
        {"variableReferences": {"S": ["b", "a"]}},
        {"variableReferences": {"S": ["a", "b"]}},
    ),
    (
        "outputs read",
        [custom("convert_output_to_json")],
        {
            "events": [
                {"stateExitedEventDetails": {"output": "[1, 2]"}},
                {"stateExitedEventDetails": {"output": "no"}},
            ]
        },
        {
            "events": [
                {"stateExitedEventDetails": {"output": [1, 2]}},
                {"stateExitedEventDetails": {"output": "no"}},
            ]
        },
    ),
]


@pytest.mark.parametrize(("rules", "raw", "recorded"), [case[1:] for case in ALONE], ids=[case[0] for case in ALONE])
def test_one_value(rules: list[dict[str, Any]], raw: Any, recorded: Any) -> None:
    assert normalise({"key": raw}, rules) == {"key": recorded}


def test_observed_stays_as_it_is() -> None:
    observed = {"key": {"b": '{"x": 1}', "a": [{"timestamp": NOON}]}}
    normalise(observed, [key_value("b", "b")])
    assert observed == {"key": {"b": '{"x": 1}', "a": [{"timestamp": NOON}]}}


def test_members_in_alphabetical_order_metadata_last() -> None:
    value = ordered({"b": [{"z": 1, "ResponseMetadata": {}, "a": 2}], "a": 1})
    assert list(value) == ["a", "b"]
    assert list(value["b"][0]) == ["a", "z", "ResponseMetadata"]


def test_numbers_run_across_keys_in_check_order() -> None:
    out = normalise({"second": {"id": UUID_B}, "first": {"id": UUID_A, "text": UUID_B}}, [])
    assert out == {"second": {"id": "<uuid:1>"}, "first": {"id": "<uuid:2>", "text": "<uuid:1>"}}


def test_a_replacement_that_breaks_the_text_is_reported() -> None:
    with pytest.raises(NotNormalisable, match="key"):
        normalise({"key": {"a": "b"}}, [regex('"b"', "b")])


def test_listed_objects() -> None:
    def item(key: str) -> dict[str, Any]:
        return {
            "Key": key,
            "Etag": "e",
            "LastModified": 1,
            "Size": 3,
            "StorageClass": "STANDARD",
            "Owner": "o",
        }

    output = json.dumps([item("b"), item("a")])
    events = [
        {"stateExitedEventDetails": {"output": "[1]"}},
        {"stateExitedEventDetails": {"output": output}},
        {"executionSucceededEventDetails": {"output": output}},
    ]
    out = normalise({"key": {"events": events}}, [custom("s3_list_objects_output")])["key"]["events"]
    listed = (
        '[{"Etag": "<Etag-a>", "LastModified": "<date>", "Key": "a", "Size": 3, "StorageClass": "STANDARD"}, '
        '{"Etag": "<Etag-b>", "LastModified": "<date>", "Key": "b", "Size": 3, "StorageClass": "STANDARD"}]'
    )
    assert [next(iter(event.values()))["output"] for event in out] == ["[1]", listed, listed]


PARALLEL = [{"type": "parallel_unordered", "path": "$..events"}]


def history(*types: str) -> dict[str, Any]:
    events = [
        {"id": number, "previousEventId": number - 1, "timestamp": NOON, "type": kind}
        for number, kind in enumerate(types, 1)
    ]
    return {"key": {"events": events}}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (
            ["ParallelStateStarted", "B", "A", "ParallelStateSucceeded", "C"],
            ["1 ParallelStateStarted", "[0] A", "[0] B", "4 ParallelStateSucceeded", "5 C"],
        ),
        (  # positions move while the list changes: the Exited event's slice swallows the Succeeded event
            ["ParallelStateStarted", "B", "A", "ParallelStateSucceeded", "ParallelStateExited", "C", "D"],
            ["1 ParallelStateStarted", "[0] A", "[0] B", "5 ParallelStateExited", "6 C", "7 D"],
        ),
        (  # a nested start begins anew, what stood before it keeps its place but not its ids
            ["ParallelStateStarted", "Z", "ParallelStateStarted", "B", "A", "ParallelStateFailed"],
            [
                "1 ParallelStateStarted",
                "[0] Z",
                "3 ParallelStateStarted",
                "[0] A",
                "[0] B",
                "6 ParallelStateFailed",
            ],
        ),
        (["B", "A"], ["1 B", "2 A"]),
    ],
)
def test_parallel_unordered(types: list[str], expected: list[str]) -> None:
    events = normalise(history(*types), PARALLEL)["key"]["events"]
    assert [f"{event['id']} {event['type']}" for event in events] == expected


def test_step_4_leaves_out_members_and_items() -> None:
    tree = {"key": {"events": [{"id": 1, "p": 0}, {"id": 2, "p": 1}], "x": {"p": 3}}}
    assert without(tree, ["$..events[1].p", "$..x"]) == {"key": {"events": [{"id": 1, "p": 0}, {"id": 2}]}}
    assert without(tree, ["$..events[0]"]) == {"key": {"events": [{"id": 2, "p": 1}], "x": {"p": 3}}}
    assert normalise(tree, [], ["$..p"]) == {"key": {"events": [{"id": 1}, {"id": 2}], "x": {}}}


# ---- laws

law = settings(derandomize=True, max_examples=60, deadline=None)
uuids = st.uuids().map(str)
names = st.sampled_from(["a", "b", "requestId", "detail", "stamp", "events"])
leaves = st.none() | st.booleans() | st.integers(-9, 9) | uuids | st.text(alphabet="abc -", max_size=6)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))


@law
@given(st.lists(uuids, max_size=12))
def test_law_equal_texts_have_equal_numbers_in_order_of_discovery(found: list[str]) -> None:
    out = normalise({"key": [{"Token": value, "said": f"<<{value}>>"} for value in found]}, [key_value("Token", "t")])
    order = list(dict.fromkeys(found))
    numbers = [order.index(value) + 1 for value in found]
    assert out["key"] == [{"Token": f"<t:{n}>", "said": f"<<<t:{n}>>>"} for n in numbers]


@law
@given(st.lists(st.tuples(st.sampled_from("AB"), uuids), max_size=12))
def test_law_names_count_each_for_itself(found: list[tuple[str, str]]) -> None:
    rules = [key_value("A", "a"), key_value("B", "b")]
    out = normalise({"key": [{name: value} for name, value in found]}, rules)["key"]
    for name in "AB":
        own = list(dict.fromkeys(value for key, value in found if key == name))
        shared = {value for key, value in found if key == "A"} if name == "B" else set()
        fresh = [value for value in own if value not in shared]
        for item, (key, value) in zip(out, found, strict=True):
            if key == name and value in fresh:
                assert item[name] == f"<{name.lower()}:{fresh.index(value) + 1}>"


@law
@given(values, st.randoms(use_true_random=False))
def test_law_member_order_does_not_matter(value: Any, dice: random.Random) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        if not isinstance(value, dict):
            return value
        keys = list(value)
        dice.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    rules = [key_value("a", "a"), path("$..detail.b", "b", reference=True)]
    assert normalise({"key": value}, rules) == normalise({"key": shuffled(value)}, rules)


@law
@given(values)
def test_law_what_is_in_recorded_form_stays(value: Any) -> None:
    rules = [key_value("stamp", "<stamp>", reference=False), path("$..detail..b", "b")]
    once = normalise({"key": value}, rules)
    assert normalise(once, rules) == once


@law
@given(
    st.datetimes(min_value=datetime(1000, 1, 1)),
    st.sampled_from(["Z", "+00:00", "-0230", "+14"]),
    st.integers(0, 9),
)
def test_law_every_date_time_with_zone_is_a_date(moment: datetime, zone: str, digits: int) -> None:
    fraction = "." + f"{moment.microsecond:06}123"[:digits] if digits else ""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + zone
    assert normalise({"key": {"said": f"at {text}!"}}, []) == {"key": {"said": "at date!"}}


def test_lengths_of_what_is_replaced() -> None:
    """Only of answers that hold an execution's ARN and its start: the region's name and the digits of the time."""

    def metadata() -> dict[str, Any]:
        return {"AllHttpHeaders": {"Content-Length": ["164"]}, "HttpHeaders": {"Content-Length": "164"}}

    started = {"ExecutionArn": "a", "StartDate": 1, "SdkHttpMetadata": metadata()}
    sent = {"MessageId": "m", "SdkHttpMetadata": metadata()}
    found = derived_replaced({"started": started, "sent": sent})
    assert found["sent"] == sent
    assert found["started"]["SdkHttpMetadata"] == {
        "AllHttpHeaders": {"Content-Length": "length"},
        "HttpHeaders": {"Content-Length": "length"},
    }
