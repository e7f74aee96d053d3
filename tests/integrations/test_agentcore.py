"""How long a task waits for a harness, and what its events come to."""

from __future__ import annotations

from typing import Any

from kaidan.integrations.agentcore import Harnesses, conversation
from tests.integrations.support import FakeReply, Script, at_once, task

PARAMETERS = {"HarnessArn": "arn:harness", "Messages": [{"Role": "user", "Content": [{"Text": "Hello"}]}]}

STREAM: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Let me look."}}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, "metrics": {"latencyMs": 10}}},
    {"messageStart": {"role": "user"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a tool's result"}}},
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "It is "}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "here."}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 4, "outputTokens": 1, "totalTokens": 5}, "metrics": {"latencyMs": 7}}},
]
ANSWER = {
    "Metrics": {"LatencyMs": 17},
    "Output": {"Message": {"Content": [{"Text": "It is here."}], "Role": "assistant"}},
    "StopReason": "end_turn",
    "Usage": {"InputTokens": 7, "OutputTokens": 3, "TotalTokens": 10},
}


def test_the_last_message_and_all_tokens() -> None:
    assert conversation(STREAM) == ANSWER


def test_a_harness_answers() -> None:
    script, reply = Script({"bedrock-agentcore.invoke_harness": [{"stream": STREAM}]}), FakeReply()
    Harnesses(script, at_once)(task("bedrockagentcore:invokeHarness", PARAMETERS), reply)  # type: ignore[arg-type]
    assert reply.result == ANSWER
    request = script.asked[0][1]
    assert len(request.pop("runtimeSessionId")) == 36
    assert request == {
        "harnessArn": "arn:harness",
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
    }


def test_a_task_waits_a_quarter_of_an_hour_at_most() -> None:
    reply = FakeReply()
    Harnesses(Script({}), lambda *_: None)(task("bedrockagentcore:invokeHarness", PARAMETERS), reply)  # type: ignore[arg-type]
    reply.pass_time(899)
    assert reply.names == ["started"]
    reply.pass_time(1)
    assert reply.told[-1] == ("failed", "States.Timeout", None)
