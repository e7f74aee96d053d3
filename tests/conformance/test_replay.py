"""Replaying hand-made cases against a toy service: waits, polls, background steps, refusals, verdicts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conformance.__main__ import main
from conformance.cases import Case, Selection, load, read
from conformance.run import Result, run_case
from tests.conformance.toy import Toy

STATES = "arn:<partition>:states:<region>:111111111111"


def call(n: int, operation: str, params: dict[str, Any], service: str = "stepfunctions", **more: Any) -> dict[str, Any]:
    return {"n": n, "service": service, "operation": operation, "params": params, **more}


def create(n: int, name: str = "toy", definition: str = "{}", **more: Any) -> dict[str, Any]:
    return call(n, "CreateStateMachine", {"name": name, "definition": definition, "roleArn": "@@role_arn@@"}, **more)


def start(n: int, of: int, **more: Any) -> dict[str, Any]:
    return call(n, "StartExecution", {"stateMachineArn": f"@@{of}.stateMachineArn@@", "input": "{}"}, **more)


def of_run(n: int, operation: str, run: int, service: str = "stepfunctions", **more: Any) -> dict[str, Any]:
    return call(n, operation, {"executionArn": f"@@{run}.executionArn@@"}, service, **more)


def await_end(n: int, run: int) -> dict[str, Any]:
    return of_run(n, "AwaitExecutionTerminated", run, "runner")


def check(key: str, **source: Any) -> dict[str, Any]:
    return {"key": key, "source": source}


def case(
    calls: list[dict[str, Any]], checks: list[dict[str, Any]], recorded: dict[str, Any], **more: Any
) -> dict[str, Any]:
    base = {"id": "tests/toy.py::test_it", "area": "toy", "kind": "execution", "normalise": [], "needs": []}
    return base | {"calls": calls, "checks": checks, "recorded": recorded, **more}


def run(raw: dict[str, Any]) -> Result:
    (read_case,) = read(raw)
    return run_case(read_case, Toy)


def types(*names: str) -> list[dict[str, Any]]:
    details: dict[str, dict[str, Any]] = {
        "ExecutionStarted": {"executionStartedEventDetails": {"input": {}}},
        "WaitStateEntered": {"stateEnteredEventDetails": {"name": "State_1"}},
    }
    return [
        {"id": n, "previousEventId": n - 1, "timestamp": "timestamp", "type": name, **details.get(name, {})}
        for n, name in enumerate(names, 1)
    ]


def history(*names: str) -> dict[str, Any]:
    return {"events": types(*names), "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}


DONE = history("ExecutionStarted", "WaitStateEntered", "ExecutionSucceeded")


def plain(**more: Any) -> dict[str, Any]:
    calls = [create(0), start(1, 0), await_end(2, 1), of_run(3, "GetExecutionHistory", 1)]
    return case(calls, [check("h", call=3)], {"h": DONE}, **more)


def test_an_execution_is_awaited_and_its_history_compared() -> None:
    assert run(plain()) == Result("tests/toy.py::test_it", "toy", "passed")


def test_a_fresh_target_is_told_the_day_and_closed() -> None:
    run(plain(last_validated=None, recorded_date="17-03-2024, 11:09:25"))
    run(plain(last_validated="2025-01-02T00:30:00+00:00", recorded_date="17-03-2024, 11:09:25"))
    first, second = Toy.made[-2:]
    assert (first.as_of, second.as_of) == (date(2024, 3, 17), date(2025, 1, 2))
    assert first.closed and second.closed


def test_what_differs_is_said() -> None:
    raw = plain()
    raw["recorded"] = {"h": history("ExecutionStarted", "WaitStateEntered", "ExecutionFailed")}
    result = run(raw)
    assert result.verdict == "failed"
    assert result.differences == ('h.events[2].type: recorded "ExecutionFailed", observed "ExecutionSucceeded"',)


def test_spacing_is_counted_apart() -> None:
    calls = [
        create(0, definition="[1, 2]"),
        call(1, "DescribeStateMachine", {"stateMachineArn": "@@0.stateMachineArn@@"}),
    ]
    checks = [check("d", call=1, path="definition"), check("name", call=1, path="name")]
    recorded = {"d": "[1,2]", "name": "toy"}
    assert run(case(calls, checks, recorded)).verdict == "spacing only"
    assert run(case(calls, checks, recorded | {"d": "[1, 2]"})).verdict == "passed"
    assert run(case(calls, checks, recorded | {"name": "other"})).verdict == "failed"


def test_the_engine_works_between_two_calls_but_time_stands_still() -> None:
    calls = [create(0), start(1, 0), of_run(2, "StopExecution", 1), of_run(3, "GetExecutionHistory", 1)]
    recorded = {"h": history("ExecutionStarted", "WaitStateEntered", "ExecutionAborted")}
    assert run(case(calls, [check("h", call=3)], recorded)).verdict == "passed"


def test_nonterminal_is_taken_in_its_wait() -> None:
    recorded = {"h": history("ExecutionStarted", "WaitStateEntered")}
    raw = plain(executions=[{"create": 0, "start": 1, "history_key": "h", "nonterminal": True}])
    assert run(raw | {"recorded": recorded}).verdict == "passed"


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("State_1 is entered", "WaitStateEntered"),
        ("there is a WaitStateEntered event", "WaitStateEntered"),
        ("the state is entered", "WaitStateEntered"),
        ("the last event is ExecutionSucceeded", "ExecutionSucceeded"),
    ],
)
def test_awaited_events(until: str, last: str) -> None:
    wait = call(2, "AwaitOnExecutionEvents", {"executionArn": "@@1.executionArn@@", "until": until}, "runner")
    calls = [create(0), start(1, 0), wait, of_run(3, "GetExecutionHistory", 1)]
    assert run(case(calls, [check("t", call=3, path="events[-1].type")], {"t": last})).verdict == "passed"


def test_a_polled_execution_and_a_polled_deletion() -> None:
    describe = {"stateMachineArn": "@@0.stateMachineArn@@"}
    calls = [
        create(0),
        start(1, 0),
        of_run(2, "DescribeExecution", 1, polling=True),
        call(3, "DeleteStateMachine", describe),
        call(4, "DescribeStateMachine", describe, polling=True),
    ]
    checks = [check("s", call=2, path="status"), check("gone", call=4, error="typename")]
    recorded = {"s": "SUCCEEDED", "gone": "StateMachineDoesNotExist"}
    assert run(case(calls, checks, recorded)).verdict == "passed"


def test_listings_are_awaited_over_all_pages() -> None:
    both = [{"stateMachineArn": f"@@{n}.stateMachineArn@@"} for n in (0, 1)]
    calls = [
        create(0, "a"),
        create(1, "b"),
        call(2, "AwaitStateMachineListed", both[1], "runner"),
        call(3, "DeleteStateMachine", both[1]),
        call(4, "AwaitStateMachineNotListed", both[1], "runner"),
        call(5, "ListStateMachines", {}),
    ]
    checks = [check("names", list=[{"call": 5, "path": "stateMachines[-1].name"}])]
    assert run(case(calls, checks, {"names": ["a"]})).verdict == "passed"


def background(polling: bool = True) -> dict[str, Any]:
    queue = {"QueueUrl": "@@0.QueueUrl@@"}
    send = {"taskToken": "@@1.Messages[0].Body.TaskToken@@", "output": "@@1.Messages[0].Body@@"}
    calls = [
        call(0, "CreateQueue", {"QueueName": "q"}, "sqs"),
        call(1, "ReceiveMessage", queue, "sqs", actor="background-1", polling=polling),
        call(2, "SendTaskSuccess", send, actor="background-1"),
        create(3, definition='{"queue": "@@0.QueueUrl@@"}'),
        start(4, 3),
        await_end(5, 4),
        of_run(6, "GetExecutionHistory", 4),
    ]
    checks = [
        check("o", call=6, path="events[-1].executionSucceededEventDetails.output.TaskToken"),
        check("m", call=1, path="Messages[0].MessageId"),
    ]
    recorded = {"o": f"{STATES}:execution:toy:<run>", "m": "0"}
    rules = [{"type": "regex", "pattern": "@@4.executionArn|part(-1)@@", "replacement": "<run>"}]
    return case(calls, checks, recorded, needs=["sqs"], normalise=rules)


def test_background_steps_run_while_the_execution_is_awaited() -> None:
    assert run(background()) == Result("tests/toy.py::test_it", "toy", "passed")


def test_a_background_step_that_is_refused_fails_the_case() -> None:
    assert "call 2 SendTaskSuccess" in run(background(polling=False)).reason


def test_a_queue_is_drained_and_sorted() -> None:
    calls = [
        call(0, "CreateQueue", {"QueueName": "q"}, "sqs"),
        create(1, "notify"),
        start(2, 1),
        await_end(3, 2),
        call(4, "ReceiveMessage", {"QueueUrl": "@@0.QueueUrl@@"}, "sqs", polling=True),
    ]
    collect = {"call": 4, "path": "Messages[*].Body", "sort": "time"}
    recorded = {"e": [{"time": "date", "detail": {"status": status}} for status in ("RUNNING", "SUCCEEDED")]}
    assert run(case(calls, [check("e", collect=collect)], recorded, needs=["sqs"])).verdict == "passed"


def test_logs_are_awaited() -> None:
    params = {"logGroupName": "g", "until": "the last log record is a terminal execution event"}
    complete = {"logGroupName": "g", "until": "there are as many log records as history events loggable"}
    calls = [create(0), start(1, 0), call(2, "AwaitOnExecutionLogs", params, "runner")]
    calls += [call(3, "AwaitOnExecutionLogs", complete, "runner")]
    checks = [check("last", call=2, path="[-1]"), check("all", call=3)]
    records = [{"type": event["type"]} for event in DONE["events"]]
    raw = case(calls, checks, {"last": {"type": "ExecutionSucceeded"}, "all": records}, needs=["logs"])
    assert run(raw).verdict == "passed"


def test_refusals_in_all_their_forms() -> None:
    bad = {"name": "a b", "definition": "{}", "roleArn": "r"}
    calls = [
        call(0, "CreateStateMachine", bad, expect="error"),
        call(1, "CreateStateMachine", bad | {"definition": None}, expect="client_side_error"),
    ]
    text = "An error occurred (InvalidName) when calling the CreateStateMachine operation: Invalid Name: 'a b'"
    parsed = {
        "Error": {"Code": "InvalidName", "Message": "Invalid Name: 'a b'"},
        "message": "Invalid Name: 'a b'",
    }
    own = "Parameter validation failed:\nInvalid type for parameter definition, value: None, type: <class 'NoneType'>, valid types: <class 'str'>"  # noqa: E501
    forms = {"t": {"call": 0, "error": "typename"}, "e": {"call": 0, "error": "exception"}}
    checks = [
        check("r", call=0, error="response"),
        check("o", object=forms),
        check("ct", call=1, error="typename"),
        check("ce", call=1, error="exception"),
        check("l", literal="@@role_arn@@"),
    ]
    recorded = {
        "r": parsed | {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 400}},
        "o": {"t": "InvalidName", "e": text},
        "ct": "ParamValidationError",
        "ce": own,
        "l": "role",
    }
    rules = [{"type": "regex", "pattern": "@@role_arn@@", "replacement": "role"}]
    assert run(case(calls, checks, recorded, normalise=rules)) == Result("tests/toy.py::test_it", "toy", "passed")


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ([create(0, "a b")], "call 0 CreateStateMachine: An error occurred (InvalidName)"),
        ([create(0, expect="error")], "call 0 CreateStateMachine: accepted, AWS refuses it"),
        ([start(0, 7)], "call 0 StartExecution: @@7.stateMachineArn@@ names nothing that was answered"),
        (
            [call(0, "AwaitTheImpossible", {}, "runner")],
            "call 0 AwaitTheImpossible: not a step this runner knows",
        ),
        ([call(0, "StopExecution", {"executionArn": "x"})], "crashed: KeyError: 'x'"),
        ([call(0, "ListStateMachines", {})], "stateMachines[0]: nothing at 0"),
    ],
)
def test_reasons(calls: list[dict[str, Any]], reason: str) -> None:
    result = run(case(calls, [check("x", call=0, path="stateMachines[0]")], {"x": 1}))
    assert result.verdict == "failed" and result.reason.startswith(reason)


def test_a_wait_in_vain_is_part_of_the_reason() -> None:
    raw = plain()
    raw["calls"][0]["params"]["definition"] = '{"queue": "q"}'
    result = run(raw)
    assert result.reason == "call 2 AwaitExecutionTerminated: did not come about"
    assert result.differences[0] == "h.events: recorded 3 items, observed 2"


def test_steps_of_services_that_are_not_needed_are_skipped() -> None:
    raw = plain()
    raw["calls"] = [
        call(9, "CreateStack", {}, "cloudformation"),
        call(8, "Noop", {}, "runner"),
        *raw["calls"],
    ]
    assert run(raw).verdict == "passed"


def test_what_the_target_does_not_have() -> None:
    assert run(plain(needs=["sqs", "lambda"])).reason == "needs lambda"


def test_a_case_may_take_no_longer_than_its_limit() -> None:
    class Stuck(Toy):
        def settle(self, until: Any, timeout_s: float) -> None:
            while timeout_s:
                until()

    (stuck,) = read(plain(executions=[]))
    assert run_case(stuck, Stuck, limit_s=0.05).reason == "took longer than 0.05 s"


# ---- choosing and counting


def with_mock() -> dict[str, Any]:
    raw = plain(needs=["lambda"])
    mocked = {
        "calls": raw["calls"],
        "checks": raw["checks"],
        "normalise": [],
        "mock_config": {"StateMachines": {}},
    }
    return raw | {"mocked": mocked}


def test_a_mocked_case_needs_nothing_and_carries_its_configuration() -> None:
    original, mocked = read(with_mock())
    assert run_case(original, Toy).reason == "needs lambda"
    assert run_case(mocked, Toy).verdict == "passed"
    assert mocked.id == "tests/toy.py::test_it (mocked)"
    assert Toy.made[-1].mock_config == {"StateMachines": {}}


def cases() -> list[Case]:
    raws = [
        plain(id="plain"),
        plain(id="validate", kind="validate"),
        with_mock() | {"id": "lambda"},
        case([create(0, definition='{"QueryLanguage": "JSONata"}')], [], {}, id="jsonata"),
    ]
    return [one for raw in raws for one in read(raw)]


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(), ["plain", "validate", "lambda", "lambda (mocked)", "jsonata"]),
        (Selection(kinds=frozenset({"validate"})), ["validate"]),
        (Selection(needs=frozenset()), ["plain", "validate", "jsonata"]),
        (Selection(language="jsonata"), ["jsonata"]),
        (Selection(language="jsonpath", only="^(plain|jsonata)$"), ["plain"]),
        (Selection(only="mock"), ["lambda (mocked)"]),
    ],
)
def test_selection(selection: Selection, ids: list[str]) -> None:
    assert [chosen.id for chosen in selection.of(cases())] == ids


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spaced = case([create(0, definition="[1, 2]")], [check("d", literal="[1, 2]")], {"d": "[1,2]"}, id="spaced")
    broken = case([create(0, "a b")], [], {}, id="broken", area="other")
    (tmp_path / "toy.json").write_text(json.dumps({"area": "toy", "cases": [plain(id="good"), spaced]}))
    (tmp_path / "other.json").write_text(json.dumps({"area": "other", "cases": [broken]}))
    (tmp_path / "index.json").write_text("[]")
    return tmp_path


def test_loading_a_folder(folder: Path) -> None:
    assert [one.id for one in load(folder)] == ["broken", "good", "spaced"]


OUTPUT = """\
area    passed  failed  spacing only  total
other        0       1             0      1
toy          1       0             1      2
total        1       1             1      3

failed: broken
    call 0 CreateStateMachine: An error occurred (InvalidName) when calling the CreateStateMachine operation: Invalid Name: 'a b'
spacing only: spaced
    d: recorded "[1,2]", observed "[1, 2]"
conformance: 1 of 3
"""  # noqa: E501


def test_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "-v"], Toy) == 1
    assert capsys.readouterr().out == OUTPUT


@pytest.mark.parametrize(
    ("options", "status", "last"),
    [
        (["--only", "good"], 0, "conformance: 1 of 1"),
        (["--minimum", "33"], 0, "conformance: 1 of 3"),
        (["--minimum", "34"], 1, "conformance: 1 of 3"),
        (["--only", "spaced"], 1, "conformance: 0 of 1"),
        (["--kinds", "api"], 2, "conformance: 0 of 0"),
        (["--kinds", "", "--needs", "", "--language", "", "--only", ""], 1, "conformance: 1 of 3"),
        (["-j", "2", "--only", "good"], 0, "conformance: 1 of 1"),
    ],
)
def test_status_and_last_line(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, last: str
) -> None:
    assert main([str(folder), *options], Toy) == status
    assert capsys.readouterr().out.splitlines()[-1] == last
