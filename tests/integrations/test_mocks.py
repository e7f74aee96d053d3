"""The file of mocked answers: what it may say, and which answer a task gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kaidan.integrations.contract import Reply
from kaidan.integrations.files import FileError
from kaidan.integrations.mock_results import Validation
from kaidan.integrations.mocks import Mocks, parse_mock_config, read_mock_config
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON
from tests.integrations.support import FakeReply, task

RESPONSES: dict[str, Any] = {
    "sent": {"0": {"Return": {"MessageId": "1"}}},
    "retried": {
        "0": {"Throw": {"Error": "Busy", "Cause": "later"}},
        "1-2": {"Throw": {"Error": "Slow"}},
        "3": {"Return": {"MessageId": "4"}},
    },
    "unfit": {"0": {"Return": {"MessageId": 5}}},
    "incomplete": {"0": {"Return": {"executionArn": "arn"}}},
    "unknown status": {"0": {"Return": {"Table": {"TableStatus": "LOST"}}}},
}
CONFIG = {
    "StateMachines": {"Orders": {"TestCases": {name: {"Work": name} for name in RESPONSES}}},
    "MockedResponses": RESPONSES,
}


class Earnest:
    """What is done without a mock."""

    def __call__(self, task: RunTask, reply: Reply) -> None:
        reply.succeeded("done in earnest")

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        reply.succeeded("gone on in earnest")


def ask(
    case: str | None,
    invocation: int = 0,
    *,
    resource: str = "sqs:sendMessage",
    state: str = "Work",
    validation: Validation = "NONE",
    execution: str = "execution:Orders:one",
) -> FakeReply:
    mocks = Mocks(parse_mock_config(CONFIG, validation=validation), Earnest())
    reply = FakeReply(f"arn:aws:states:us-east-1:123456789012:{execution}")
    reply.counted = invocation
    mocks(msgspec.structs.replace(task(resource, state=state), case=case), reply)
    return reply


# --- which answer -----------------------------------------------------------------------------------------


def test_the_answers_of_invocations() -> None:
    assert [ask("retried", invocation).told[1:] for invocation in range(4)] == [
        [("failed", "Busy", "later")],
        [("failed", "Slow", None)],
        [("failed", "Slow", None)],
        [("succeeded", {"MessageId": "4"})],
    ]


def test_an_invocation_without_an_answer_fails_and_says_which_there_are() -> None:
    assert ask("retried", 4).failure == (
        "States.Runtime",
        "State machine 'Orders', test case 'retried', state 'Work', invocation 4: there is no mocked response for it "
        "(there are: 0, 1-2, 3)",
    )


def test_what_is_not_mocked_is_done_in_earnest() -> None:
    assert ask("sent", state="Other").result == "done in earnest"
    assert ask(None).result == "done in earnest"


def test_the_children_of_a_distributed_map_belong_to_its_machine() -> None:
    assert ask("sent", execution="execution:Orders/Each:1").result == {"MessageId": "1"}
    assert ask("sent", execution="express:Orders:one:2").result == {"MessageId": "1"}


@pytest.mark.parametrize("pattern", [".sync", ".sync:2", ".waitForTaskToken"])
def test_what_is_waited_for_is_handed_over_first(pattern: str) -> None:
    reply = ask("sent", resource=f"sqs:sendMessage{pattern}")
    assert reply.names == ["started", "submitted", "succeeded"]


def test_a_function_as_resource_gives_its_payload() -> None:
    config = {"0": {"Return": {"StatusCode": 200, "Payload": {"paid": True}}}}
    mocks = Mocks(parse_mock_config(CONFIG | {"MockedResponses": RESPONSES | {"sent": config}}), Earnest())
    for resource, result in (
        ("arn:aws:lambda:us-east-1:123456789012:function:charge", {"paid": True}),
        ("lambda:invoke", {"StatusCode": 200, "Payload": {"paid": True}}),
    ):
        reply = FakeReply()
        mocks(msgspec.structs.replace(task(resource), case="sent"), reply)
        assert reply.result == result


def test_without_a_configuration_a_test_case_is_not_done_in_earnest() -> None:
    reply = FakeReply()
    Mocks(None, Earnest())(msgspec.structs.replace(task("sqs:sendMessage"), case="sent"), reply)
    assert reply.failure[0] == "States.Runtime"
    assert "not configured any more" in reply.failure[1]


# --- checked against the service's model ------------------------------------------------------------------


SCHEMA = "Mock result schema validation error"


def unfit(case: str, said: str) -> str:
    return f"State machine 'Orders', test case '{case}', state 'Work', invocation 0: {said}"


@pytest.mark.parametrize("validation", ["PRESENT", "STRICT"])
def test_a_result_of_the_wrong_type(validation: Validation) -> None:
    failure = (
        "States.Runtime",
        unfit("unfit", "Mock result schema validation error: Field 'MessageId' must be a string"),
    )
    assert ask("unfit", validation=validation).failure == failure


def test_the_values_that_are_allowed_are_told() -> None:
    said = ask("unknown status", resource="aws-sdk:dynamodb:describeTable", validation="PRESENT").failure[1]
    assert said.startswith(
        unfit("unknown status", "Mock result schema validation error: Field 'TableStatus' is not an")
    )
    assert "(allowed: CREATING, UPDATING, DELETING, ACTIVE" in said


def test_required_fields_are_required_when_strict() -> None:
    resource = "states:startExecution"
    assert ask("incomplete", resource=resource, validation="PRESENT").result == {"executionArn": "arn"}
    said = f"{SCHEMA}: Required field 'ExecutionArn' is missing"
    assert ask("incomplete", resource=resource, validation="STRICT").failure[1] == unfit("incomplete", said)


def test_by_default_nothing_is_checked_as_in_step_functions_local() -> None:
    assert ask("unfit").result == {"MessageId": 5}


def test_errors_are_not_checked() -> None:
    assert ask("retried", validation="STRICT").failure == ("Busy", "later")


# --- the file ---------------------------------------------------------------------------------------------


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "mocks.json").write_text(json.dumps(CONFIG))
    (tmp_path / "mocks.yaml").write_text(
        """
        StateMachines: {Orders: {TestCases: {retried: {Work: retried}}}}
        MockedResponses:
          retried:
            0: {Throw: {Error: Busy, Cause: later}}
            1-2: {Throw: {Error: Slow}}
            "3": {Return: {MessageId: "4"}}
          dated: {0: {Return: {Day: 2026-11-24, At: 2026-11-24T10:00:00Z, Sure: yes}}}
        """
    )
    written, same = (read_mock_config(tmp_path / name) for name in ("mocks.json", "mocks.yaml"))
    assert same.responses["retried"] == written.responses["retried"]
    dated = same.responses["dated"][0].result
    assert dated == {"Day": "2026-11-24", "At": "2026-11-24T10:00:00Z", "Sure": "yes"}


WRONG: list[tuple[JSON, str]] = [
    ([], "m: must be an object, not []"),
    ({"Mocks": {}}, "m: unknown field 'Mocks' (allowed: StateMachines, MockedResponses)"),
    ({"StateMachines": {"O": {"Cases": {}}}}, "m: StateMachines.O: unknown field 'Cases' (allowed: TestCases)"),
    (
        {"StateMachines": {"O": {"TestCases": {"A": {"Work": "x"}}}}, "MockedResponses": {"y": {}, "z": {}}},
        "m: StateMachines.O.TestCases.A.Work: must be the name of a mocked response, not 'x' (there are: y, z)",
    ),
    (
        {"MockedResponses": {"y": {"first": {"Return": 1}}}},
        "m: MockedResponses.y.first: must be the number of an invocation, counted from 0, or a range: 0, 1-2",
    ),
    (
        {"MockedResponses": {"y": {"2-1": {"Return": 1}}}},
        "m: MockedResponses.y.2-1: must be the number of an invocation, counted from 0, or a range: 0, 1-2",
    ),
    (
        {"MockedResponses": {"y": {"0-1": {"Return": 1}, "1": {"Return": 2}}}},
        "m: MockedResponses.y: invocation 1 is answered twice",
    ),
    ({"MockedResponses": {"y": {"0": {}}}}, "m: MockedResponses.y.0: must have either Return or Throw"),
    (
        {"MockedResponses": {"y": {"0": {"Returns": 1}}}},
        "m: MockedResponses.y.0: unknown field 'Returns' (allowed: Return, Throw)",
    ),
    (
        {"MockedResponses": {"y": {"0": {"Throw": {"Error": 5}}}}},
        "m: MockedResponses.y.0.Throw.Error: must be a string, not 5",
    ),
]


@pytest.mark.parametrize(("value", "said"), WRONG)
def test_what_cannot_be_is_refused(value: JSON, said: str) -> None:
    with pytest.raises(FileError) as refusal:
        parse_mock_config(value, "m")
    assert str(refusal.value) == said


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.json", "{", "is not JSON"),
        ("m.yaml", "a: b: c", "is not YAML: line 1, column 5: mapping values are not allowed here"),
        ("m.yaml", "{true: 1}", "the key True must be a text: put it in quotes"),
        ("m.yaml", "a: !!set {x}", "m.yaml: a: set is nothing that JSON has"),
        ("m.yml", None, "cannot be read: No such file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(FileError) as refusal:
        read_mock_config(tmp_path / name)
    assert said in str(refusal.value)
    assert name in str(refusal.value)


def test_a_case_that_is_not_there() -> None:
    config = parse_mock_config(CONFIG, "m")
    with pytest.raises(
        FileError, match=r"m: no test case 'x' of the state machine 'Orders' \(its test cases: sent, ret"
    ):
        config.of_case("Orders", "x")
    with pytest.raises(FileError, match=r"'Other' \(its test cases: none; state machines: Orders\)"):
        config.of_case("Other", "x")
