"""Commands that call a Step Functions endpoint: a server of Kaidan's on loopback, as users call it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.cli import remote
from kaidan.cli.exits import Exit
from tests.cli.conftest import Kaidan
from tests.integrations.loopback import loopback
from tests.server.support import ARN, PASS, client, machine, running, waiting

COMMANDS = (("executions",), ("start", "orders"), ("stop", "x"), ("redrive", "x"), ("logs", "x"))

FAIL: dict[str, Any] = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Broken", "Cause": "one\ntwo"}}}
TASK: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {"Ask": {"Type": "Task", "Resource": f"{ARN}activity:approve", "End": True}},
}

MOCKS = {
    "StateMachines": {"asking": {"TestCases": {"Approved": {"Ask": "yes"}}}},
    "MockedResponses": {"yes": {"0": {"Return": {"approved": True}}}},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with some machines. Nobody has started anything yet but the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        mocks = tmp_path_factory.mktemp("mocks") / "mocks.json"
        mocks.write_text(json.dumps(MOCKS))
        with running(in_memory=True, mocks=mocks) as server:
            sfn = client(server.url)
            machine(sfn, "orders", PASS)
            machine(sfn, "broken", FAIL)
            machine(sfn, "slow", waiting(600))
            machine(sfn, "asking", TASK)
            machine(sfn, "quick", PASS, type="EXPRESS")
            sfn.create_activity(name="approve")
            yield server.url
            sfn.close()


@pytest.fixture(autouse=True)
def endpoint(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The endpoint as `kaidan env` sets it, polls without long breaks, and a client beside it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", url)
    really = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: really(min(seconds, 0.01)))
    sfn = client(url)
    yield sfn
    sfn.close()


def last_word(out: str) -> str:
    return out.split()[-1]


# --- start ------------------------------------------------------------------------------------------------


def test_start(kaidan: Kaidan, endpoint: Any) -> None:
    result = kaidan("start", "slow", "--name", "one", "--input", '{"a": 1}')
    assert tuple(result) == (Exit.SUCCEEDED, f"{ARN}execution:slow:one\n", "")
    described = endpoint.describe_execution(executionArn=last_word(result.out))
    assert described["input"] == '{"a": 1}'
    endpoint.stop_execution(executionArn=last_word(result.out))


def test_start_as_json(kaidan: Kaidan) -> None:
    answer = json.loads(kaidan("start", "orders", "--json").out)
    assert sorted(answer) == ["executionArn", "startDate"]
    assert answer["startDate"].endswith("+00:00")


def test_start_with_input_from_a_file(kaidan: Kaidan, surroundings: Path) -> None:
    Path("input.json").write_text('{"from": "file"}')
    result = kaidan("start", "orders", "--input", "input.json", "--wait", "--json")
    outcome = json.loads(result.out)
    assert (result.status, outcome["status"], outcome["output"]) == (0, "SUCCEEDED", {"from": "file"})
    assert sorted(outcome) == ["executionArn", "name", "output", "startDate", "status", "stopDate"]


def test_start_and_wait(kaidan: Kaidan) -> None:
    result = kaidan("start", "orders", "--wait", "--input", "[1]")
    lines = result.out.splitlines()
    assert (result.status, result.err) == (Exit.SUCCEEDED, "")
    assert lines[0].startswith(f"{ARN}execution:orders:")
    assert lines[1].startswith("SUCCEEDED in ")
    assert json.loads("".join(lines[2:])) == [1]


@pytest.mark.parametrize("spelling", ["asking#Approved", f"{ARN}stateMachine:asking#Approved"])
def test_start_a_test_case(kaidan: Kaidan, spelling: str) -> None:
    result = kaidan("start", spelling, "--wait", "--json")
    assert json.loads(result.out)["output"] == {"approved": True}


def test_start_and_wait_for_a_failure(kaidan: Kaidan) -> None:
    result = kaidan("start", "broken", "--wait")
    assert result.status == Exit.FAILED
    assert result.out.splitlines()[2:] == ["  error  Broken", "  cause  one", "         two"]


def test_start_and_wait_for_an_express_execution(kaidan: Kaidan) -> None:
    result = kaidan("start", "quick", "--wait", "--input", '{"b": 2}')
    assert result.status == Exit.SUCCEEDED
    assert re.fullmatch(r"SUCCEEDED in \S+s", result.out.splitlines()[0])


def test_start_by_arn_and_by_version(kaidan: Kaidan, endpoint: Any) -> None:
    assert kaidan("start", f"{ARN}stateMachine:orders").status == 0
    endpoint.publish_state_machine_version(stateMachineArn=f"{ARN}stateMachine:orders")
    started = last_word(kaidan("start", "orders:1").out)
    described = endpoint.describe_execution(executionArn=started)
    assert described["stateMachineVersionArn"] == f"{ARN}stateMachine:orders:1"


def test_ctrl_c_while_waiting_leaves_the_execution_alone(
    kaidan: Kaidan, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    result = kaidan("start", "slow", "--wait")
    arn = last_word(result.out)
    assert result.status == Exit.INTERRUPTED
    assert result.err == f"warning: not waiting any more: the execution goes on\n  kaidan stop {arn}\n"
    assert endpoint.describe_execution(executionArn=arn)["status"] == "RUNNING"
    endpoint.stop_execution(executionArn=arn)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("start", "nothing"), "error: nothing: no such state machine"),
        (("start", f"{ARN}stateMachine:nothing"), "error: StateMachineDoesNotExist: State Machine Does Not Exist: '"),
        (("start", "orders", "--input", "{"), "error: --input:1:"),
        (("start", "orders", "--name", "a b"), "error: InvalidName: Invalid Name: 'a b'"),
        (("executions", "nothing"), "error: nothing: no such state machine"),
        (("executions", "quick"), "error: StateMachineTypeNotSupported: "),
        (("stop", "nothing"), "error: nothing: no such execution"),
        (("stop", "orders:nothing"), "error: ExecutionDoesNotExist: Execution Does Not Exist: '"),
        (("stop", f"{ARN}stateMachine:orders"), "error: InvalidArn: "),
        (("redrive", "nothing"), "error: nothing: no such execution"),
        (("logs", "nothing"), "error: nothing: no such execution"),
        (("logs", f"{ARN}express:quick:a:b"), "error: InvalidArn: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done(kaidan: Kaidan, arguments: tuple[str, ...], problem: str) -> None:
    result = kaidan(*arguments)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err.startswith(problem)
    assert "Traceback" not in result.err


def test_a_wrong_name_is_answered_with_those_there_are(kaidan: Kaidan) -> None:
    assert kaidan("start", "oders").err.splitlines()[1] == "  there are: asking, broken, orders, quick, slow"


# --- executions -------------------------------------------------------------------------------------------


def test_executions(kaidan: Kaidan, endpoint: Any) -> None:
    for name in ("first", "second", "third"):
        kaidan("start", "broken", "--name", name, "--wait")
    lines = kaidan("executions", "broken", "--limit", "2").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["FAILED", "third"], ["FAILED", "second"]]
    assert re.fullmatch(r"\d+ms|[\d.]+s", lines[0].split()[4])
    listed = kaidan("executions", "--limit", "2").out.splitlines()
    assert [line.split()[:3] for line in listed] == [["FAILED", "broken", "third"], ["FAILED", "broken", "second"]]
    found = json.loads(kaidan("executions", "broken", "--limit", "1", "--json").out)["executions"]
    assert found[0]["executionArn"] == f"{ARN}execution:broken:third"


def test_executions_by_status(kaidan: Kaidan, endpoint: Any) -> None:
    arn = last_word(kaidan("start", "slow", "--name", "open").out)
    assert kaidan("executions", "slow", "--status", "running").out.split()[:2] == ["RUNNING", "open"]
    assert kaidan("executions", "slow", "--status", "TIMED_OUT").out == "no executions\n"
    assert json.loads(kaidan("executions", "slow", "--status", "TIMED_OUT", "--json").out) == {"executions": []}
    endpoint.stop_execution(executionArn=arn)


# --- stop -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["{name}", "slow:{name}", "{arn}", "last"])
def test_stop(kaidan: Kaidan, endpoint: Any, spelling: str) -> None:
    time.sleep(0.002)  # The last one started is told by its start, in milliseconds.
    arn = last_word(kaidan("start", "slow").out)
    wanted = spelling.format(arn=arn, name=arn.rpartition(":")[2])
    result = kaidan("stop", wanted, "--error", "Enough", "--cause", "of it")
    assert tuple(result) == (Exit.SUCCEEDED, f"Stopped {arn}\n", "")
    described = endpoint.describe_execution(executionArn=arn)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Enough", "of it")


def test_what_has_ended_cannot_be_stopped(kaidan: Kaidan) -> None:
    arn = kaidan("start", "orders", "--wait").out.split()[0]
    assert kaidan("stop", arn) == (Exit.SUCCEEDED, f"It had ended already, SUCCEEDED: {arn}\n", "")


def test_a_name_that_two_machines_know(kaidan: Kaidan) -> None:
    for name in ("orders", "broken"):
        kaidan("start", name, "--name", "twice", "--wait")
    result = kaidan("stop", "twice")
    assert result.status == Exit.BAD_INPUT
    assert result.err.splitlines()[1] == "  say which: broken:twice, orders:twice"


# --- redrive ----------------------------------------------------------------------------------------------


def test_redrive(kaidan: Kaidan, endpoint: Any) -> None:
    arn = kaidan("start", "broken", "--wait").out.split()[0]
    assert kaidan("redrive", arn) == (Exit.SUCCEEDED, f"Redriven {arn}\n", "")
    result = kaidan("redrive", arn, "--wait")
    assert (result.status, result.out.splitlines()[-3]) == (Exit.FAILED, "  error  Broken")
    assert endpoint.describe_execution(executionArn=arn)["redriveCount"] == 2


def test_success_cannot_be_redriven(kaidan: Kaidan) -> None:
    arn = kaidan("start", "orders", "--wait").out.split()[0]
    result = kaidan("redrive", arn)
    assert result.status == Exit.BAD_INPUT
    assert result.err.startswith("error: ExecutionNotRedrivable: Execution is SUCCEEDED and cannot be redriven")


# --- logs -------------------------------------------------------------------------------------------------


def test_logs(kaidan: Kaidan) -> None:
    arn = kaidan("start", "broken", "--wait").out.split()[0]
    lines = [line.split(None, 1)[1] for line in kaidan("logs", arn).out.splitlines()]
    assert [" ".join(line.split()) for line in lines] == [
        "ExecutionStarted {}",
        "FailStateEntered No {}",
        "ExecutionFailed No Broken: one two",
    ]


def test_logs_as_json(kaidan: Kaidan) -> None:
    arn = kaidan("start", "orders", "--wait").out.split()[0]
    events = [json.loads(line) for line in kaidan("logs", arn, "--json").out.splitlines()]
    assert [event["id"] for event in events] == [1, 2, 3, 4]
    assert events[1]["stateEnteredEventDetails"]["name"] == "Only"
    assert events[1]["timestamp"].endswith("+00:00")


def answering(sfn: Any, started: Callable[[], None]) -> threading.Thread:
    """Answers one task of the activity once `started` lets it."""

    def work() -> None:
        task = sfn.get_activity_task(activityArn=f"{ARN}activity:approve", workerName="w")
        started()
        sfn.send_task_success(taskToken=task["taskToken"], output='"yes"')

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_logs_follow(kaidan: Kaidan, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = last_word(kaidan("start", "asking").out)
    asked, really = threading.Event(), remote.Remote.__call__

    def call(self: Any, operation: str, **params: Any) -> Any:
        answer = really(self, operation, **params)
        if params.get("reverseOrder"):
            asked.set()
        return answer

    monkeypatch.setattr(remote.Remote, "__call__", call)
    worker = answering(endpoint, lambda: assert_set(asked))
    lines = kaidan("logs", arn, "--follow").out.splitlines()
    worker.join()
    assert [line.split()[1] for line in lines] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert lines[2].split()[2:4] == ["Ask", "activity:approve"]


def assert_set(event: threading.Event) -> None:
    assert event.wait(10)


def test_long_histories_are_read_page_by_page(kaidan: Kaidan, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = kaidan("start", "orders", "--wait").out.split()[0]
    monkeypatch.setattr("kaidan.cli.logs.PAGE_MAX", 3)
    assert len(kaidan("logs", arn).out.splitlines()) == 4


# --- who is called ----------------------------------------------------------------------------------------


def test_the_option_goes_before_the_environment(kaidan: Kaidan, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:9")
    assert kaidan("executions", "--endpoint-url", url).status == Exit.SUCCEEDED


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nobody_answers(kaidan: Kaidan, arguments: tuple[str, ...]) -> None:
    result = kaidan(*arguments, "--endpoint-url", "http://127.0.0.1:9")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    first, second = result.err.splitlines()
    assert first == "error: http://127.0.0.1:9: nobody answers there"
    assert 'eval "$(kaidan env)"' in second


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>\nHello"), (200, '{"Queues": []}'), (404, "<html>\nWhere?"), (503, "")]
)
def test_somebody_else_answers(kaidan: Kaidan, arguments: tuple[str, ...], status: int, body: str) -> None:
    with loopback(lambda exchange: exchange.reply(status, body)) as other:
        result = kaidan(*arguments, "--endpoint-url", other.url)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err.splitlines()[0] == f"error: {other.url}: what answers there is not Step Functions"


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_credentials_for_aws(kaidan: Kaidan, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_SFN")
    result = kaidan(*arguments)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    first, second = result.err.splitlines()
    assert first == "error: no AWS credentials were found"
    assert "--profile" in second


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--profile", "nobody"), "error: The config profile (nobody) could not be found"),
        (("--region", "no where"), "error: Provided region_name 'no where' doesn't match a supported format."),
        (("--endpoint-url", "localhost:8083"), "error: localhost:8083: must be a URL"),
        (("--endpoint-url", "http://a..b"), "error: http://a..b: must be a URL"),
        (("--endpoint-url", "http://my_server"), "error: Invalid endpoint: http://my_server"),
        (("--endpoint-url", "http://[::1"), "error: http://[::1: must be a URL"),
        (("--endpoint-url", "http://localhost:99999"), "error: http://localhost:99999: must be a URL"),
    ],
    ids=str,
)
def test_options_that_lead_nowhere(kaidan: Kaidan, options: tuple[str, ...], problem: str) -> None:
    result = kaidan("executions", *options)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err.startswith(problem)
