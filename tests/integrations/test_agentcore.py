"""`bedrockagentcore:invokeHarness`: what becomes of streams that are cut short, and of calls that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kaidan.integrations.dispatch import Dispatcher
from tests.integrations.cases.machine_learning import AGENT_CORE
from tests.integrations.modelled import ModelledAws, Refusal, modelled_aws
from tests.integrations.support import EXECUTION, FakeReply, at_once, task

INVOKE = "bedrock-agentcore.InvokeHarness"
WITHOUT_SESSION = {name: value for name, value in AGENT_CORE.parameters.items() if name != "RuntimeSessionId"}


@pytest.fixture
def aws() -> Iterator[ModelledAws]:
    with modelled_aws() as aws:
        yield aws
        assert aws.faults == []


def invoke(aws: ModelledAws, answer: Any, parameters: Any = AGENT_CORE.parameters, arn: str = EXECUTION) -> FakeReply:
    aws.answers = {INVOKE: [answer]}
    reply = FakeReply(arn)
    Dispatcher(aws.clients, at_once)(task("bedrockagentcore:invokeHarness", parameters), reply)
    return reply


START = {"messageStart": {"role": "assistant"}}


def said(text: str) -> Any:
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text}}}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"internalServerException": {"message": "m"}}, "BedrockAgentCore.InternalServerException"),
        ({"validationException": {"message": "m", "reason": "CannotParse"}}, "BedrockAgentCore.ValidationException"),
        ({"runtimeClientError": {"message": "m"}}, "BedrockAgentCore.RuntimeClientErrorException"),
    ],
)
def test_a_stream_that_ends_with_an_error(aws: ModelledAws, event: Any, error: str) -> None:
    name, cause = invoke(aws, {"stream": [START, said("Let me"), event]}).failure
    assert name == error
    assert cause.startswith("m (Service: AmazonBedrockAgentCore; Status Code: 0; Error Code: ")


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 429), ("ResourceNotFoundException", 404), ("AccessDeniedException", 403)],
)
def test_a_refusal(aws: ModelledAws, code: str, status: int) -> None:
    """The first two are those that the guide retries and catches."""
    error, cause = invoke(aws, Refusal(code, "no", status)).failure
    assert error == f"BedrockAgentCore.{code}"
    assert f"Status Code: {status}; Error Code: {code}" in cause


def test_only_text_is_shown(aws: ModelledAws) -> None:
    """Neither tools nor reasoning, nor what others have said, nor earlier turns."""
    tool = {"toolUse": {"toolUseId": "t", "name": "browser"}}
    stream = [
        START,
        said("earlier"),
        {"messageStop": {"stopReason": "tool_use"}},
        {"messageStart": {"role": "user"}},
        said("not mine"),
        {"messageStop": {"stopReason": "end_turn"}},
        START,
        {"contentBlockStart": {"contentBlockIndex": 1, "start": tool}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}},
        said("done"),
        {"messageStop": {"stopReason": "max_tokens"}},
    ]
    result = invoke(aws, {"stream": stream}).result
    assert result["Output"] == {"Message": {"Content": [{"Text": "done"}], "Role": "assistant"}}
    assert result["StopReason"] == "max_tokens"
    assert result["Usage"] == {"InputTokens": 0, "OutputTokens": 0, "TotalTokens": 0}


def test_a_session_is_the_tasks_own(aws: ModelledAws) -> None:
    """Where none is named: begun again after a restart it is the same conversation."""
    for arn in (EXECUTION, EXECUTION, EXECUTION + "2"):
        invoke(aws, {"stream": [START]}, WITHOUT_SESSION, arn)
    first, again, another = (request["runtimeSessionId"] for _, request in aws.asked)
    assert first == again != another


def test_a_quarter_of_an_hour_at_most(aws: ModelledAws) -> None:
    reply = FakeReply()
    Dispatcher(aws.clients, lambda work, then: None)(task(AGENT_CORE.action, AGENT_CORE.parameters), reply)
    reply.pass_time(899)
    assert reply.names == ["started"]
    reply.pass_time(2)
    assert reply.told[-1] == ("failed", "States.Timeout", None)
