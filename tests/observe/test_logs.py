"""Log records: what each level writes, and what a record says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from kaidan.observe.logs import DATA_BYTES_MAX, LEVELS, LogEntry, Logs
from kaidan.protocol.history import DETAILS_KEYS, HistoryEvent
from tests.service.support import PASS, ROLE, WAIT, Service

GROUP = "/aws/vendedlogs/states/orders"
DESTINATION = {"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*"}}

ERROR_LEVEL = """
ExecutionAborted ExecutionFailed ExecutionTimedOut FailStateEntered LambdaFunctionFailed LambdaFunctionScheduleFailed
LambdaFunctionStartFailed LambdaFunctionTimedOut MapIterationAborted MapIterationFailed MapRunAborted MapRunFailed
MapStateAborted MapStateFailed ParallelStateAborted ParallelStateFailed TaskFailed TaskStartFailed TaskStateAborted
TaskSubmitFailed TaskTimedOut WaitStateAborted
"""
NOT_ERROR_LEVEL = """
ChoiceStateEntered ChoiceStateExited ExecutionStarted ExecutionSucceeded LambdaFunctionScheduled LambdaFunctionStarted
LambdaFunctionSucceeded MapIterationStarted MapIterationSucceeded MapStateEntered MapStateExited MapStateStarted
MapStateSucceeded ParallelStateEntered ParallelStateExited ParallelStateStarted ParallelStateSucceeded PassStateEntered
PassStateExited SucceedStateEntered SucceedStateExited TaskScheduled TaskStarted TaskStateEntered TaskStateExited
TaskSubmitted TaskSucceeded WaitStateEntered WaitStateExited
"""
"""AWS guide, "Log levels for Step Functions execution events": the table's rows."""

FAIL: dict[str, Any] = {
    "StartAt": "Stop",
    "States": {"Stop": {"Type": "Fail", "Error": "Broken", "Cause": "It could not be helped."}},
}
RESULT: dict[str, Any] = {
    "StartAt": "Only",
    "States": {"Only": {"Type": "Pass", "Result": {"done": True}, "End": True}},
}


def test_levels() -> None:
    errors, others = set(ERROR_LEVEL.split()), set(NOT_ERROR_LEVEL.split())
    assert LEVELS["ALL"] == set(DETAILS_KEYS) >= errors | others
    assert LEVELS["ERROR"] >= errors
    assert not LEVELS["ERROR"] & others
    assert LEVELS["FATAL"] == {"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"}
    assert LEVELS["OFF"] == set()


def logging(level: str, include_data: bool = True) -> dict[str, Any]:
    return {"level": level, "includeExecutionData": include_data, "destinations": [DESTINATION]}


class MemoryLog:
    """Keeps records."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def __call__(self, entries: Iterable[LogEntry]) -> None:
        self.entries += entries

    def records(self, log_group: str | None = None) -> list[dict[str, Any]]:
        """The records of a log group, or all of them."""
        return [entry.record() for entry in self.entries if log_group in (None, entry.log_group)]


def watched(service: Service) -> MemoryLog:
    memory, inner = MemoryLog(), service.api.service
    Logs(inner.engine, lambda execution: inner.configurations[execution.definition].logging, [memory])
    return memory


def expected(arn: str, *records: tuple[int, str, int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(id),
            "type": type,
            "details": details,
            "previous_event_id": str(previous),
            "event_timestamp": "1700000000000",
            "execution_arn": arn,
            "redrive_count": "0",
        }
        for id, type, previous, details in records
    ]


WHOLE = {"truncated": False}


def data(name: str, value: str) -> dict[str, Any]:
    return {name: value, f"{name}Details": WHOLE}


CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[int, str, int, dict[str, Any]]]]] = [
    (
        "all, with data",
        RESULT,
        logging("ALL"),
        [
            (1, "ExecutionStarted", 0, data("input", "{}") | {"roleArn": ROLE}),
            (2, "PassStateEntered", 0, data("input", "{}") | {"name": "Only"}),
            (3, "PassStateExited", 2, data("output", '{"done":true}') | {"name": "Only"}),
            (4, "ExecutionSucceeded", 3, data("output", '{"done":true}')),
        ],
    ),
    (
        "all, without data",
        RESULT,
        logging("ALL", include_data=False),
        [
            (1, "ExecutionStarted", 0, {"roleArn": ROLE}),
            (2, "PassStateEntered", 0, {"name": "Only"}),
            (3, "PassStateExited", 2, {"name": "Only"}),
            (4, "ExecutionSucceeded", 3, {}),
        ],
    ),
    (
        "errors: the cause is no execution data",
        FAIL,
        logging("ERROR", include_data=False),
        [
            (2, "FailStateEntered", 0, {"name": "Stop"}),
            (3, "ExecutionFailed", 2, {"error": "Broken", "cause": "It could not be helped."}),
        ],
    ),
    (
        "fatal",
        FAIL,
        logging("FATAL"),
        [(3, "ExecutionFailed", 2, {"error": "Broken", "cause": "It could not be helped."})],
    ),
    ("fatal, of what succeeds", RESULT, logging("FATAL"), []),
    ("off", FAIL, logging("OFF"), []),
]


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize(
    ("definition", "how", "records"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_records(service: Service, definition: Any, how: Any, records: Any, type: str) -> None:
    memory = watched(service)
    arn = service.run(service.machine("orders", definition, type=type, loggingConfiguration=how))
    assert memory.records() == memory.records(GROUP) == expected(arn, *records)
    assert {entry.machine for entry in memory.entries} <= {"orders"}


def test_members_come_by_name_as_aws_writes_them(service: Service) -> None:
    memory = watched(service)
    service.run(service.machine("orders", RESULT, loggingConfiguration=logging("ALL")))
    assert [list(record["details"]) for record in memory.records()] == [
        ["input", "inputDetails", "roleArn"],
        ["input", "inputDetails", "name"],
        ["name", "output", "outputDetails"],
        ["output", "outputDetails"],
    ]
    assert [json.loads(entry.text()) for entry in memory.entries] == memory.records()


def test_an_execution_keeps_the_logging_of_the_revision_that_it_runs(service: Service) -> None:
    memory = watched(service)
    machine = service.machine("orders", WAIT, loggingConfiguration=logging("ALL"))
    service("StartExecution", stateMachineArn=machine)
    service.settle()
    service("UpdateStateMachine", stateMachineArn=machine, loggingConfiguration=logging("OFF"))
    service.settle(700)
    service.run(machine)
    assert [entry.event.type for entry in memory.entries][-1] == "ExecutionSucceeded"
    assert len({entry.execution_arn for entry in memory.entries}) == 1


def test_records_after_a_redrive_say_so(service: Service) -> None:
    memory = watched(service)
    arn = service.run(service.machine("orders", FAIL, loggingConfiguration=logging("ALL")))
    service("RedriveExecution", executionArn=arn)
    service.settle()
    said = [(record["type"], record["redrive_count"]) for record in memory.records()]
    assert said[2:4] == [("ExecutionFailed", "0"), ("ExecutionRedriven", "1")]
    assert {count for _, count in said[3:]} == {"1"}
    assert memory.records()[3]["details"] == {"redriveCount": 1}


# --- what does not fit ------------------------------------------------------------------------------------


def entry(details: dict[str, Any], include_data: bool = True) -> LogEntry:
    event = HistoryEvent(7, 6, "TaskScheduled", 1_700_000_000_000, details)
    return LogEntry("orders", "arn:aws:states:…", 0, logging("ALL", include_data), event)


@pytest.mark.parametrize("text", ["a" * 300_000, '"' * 300_000, "階" * 300_000, "\U0001f600\n" * 99_999])
def test_data_is_cut_to_what_a_record_holds(text: str) -> None:
    details = entry({"input": text}).record()["details"]
    escaped = len(json.dumps(details["input"], ensure_ascii=False).encode()) - 2
    assert text.startswith(details["input"])
    assert DATA_BYTES_MAX - 4 <= escaped <= DATA_BYTES_MAX
    assert details["inputDetails"] == {"truncated": True}
    assert len(entry({"input": text}).text().encode()) < 262_144 - 26


def test_what_just_fits_is_left_alone() -> None:
    text = "a" * DATA_BYTES_MAX
    assert entry({"input": text}).record()["details"] == {"input": text, "inputDetails": WHOLE}


def test_variables_fit_beside_the_output_or_not_at_all() -> None:
    variables = {"big": "b" * 200_000}
    small = entry({"output": "{}", "assignedVariables": variables}).record()["details"]
    assert (small["assignedVariables"], small["assignedVariablesDetails"]) == (variables, WHOLE)
    large = entry({"output": "c" * 100_000, "assignedVariables": variables}).record()["details"]
    assert large["outputDetails"]["truncated"]
    assert len(large["output"]) + len(json.dumps(variables)) <= DATA_BYTES_MAX + 10


def test_parameters_are_data() -> None:
    details = {"resource": "invoke", "resourceType": "lambda", "parameters": "x" * 300_000}
    assert len(entry(details).record()["details"]["parameters"]) == DATA_BYTES_MAX
    assert entry(details, include_data=False).record()["details"] == {"resource": "invoke", "resourceType": "lambda"}


@pytest.mark.parametrize(
    ("destinations", "group"),
    [
        ([DESTINATION], GROUP),
        ([{"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:us-east-1:1:log-group:{GROUP}"}}], GROUP),
        ([{"cloudWatchLogsLogGroup": {}}], ""),
        ([], ""),
    ],
)
def test_log_group(destinations: list[Any], group: str) -> None:
    assert entry({})._replace(logging={"destinations": destinations}).log_group == group


def test_nothing_is_logged_before_it_is_saved(service: Service) -> None:
    memory = watched(service)
    machine = service.machine("orders", PASS, loggingConfiguration=logging("ALL"))
    service("StartExecution", stateMachineArn=machine)
    engine = service.api.service.engine
    assert engine.step()
    assert memory.entries == []
    engine.save()
    assert [record["id"] for record in memory.records()] == ["1", "2", "3", "4"]
