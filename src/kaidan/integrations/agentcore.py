"""Amazon Bedrock AgentCore: `bedrockagentcore:invokeHarness`. The stream of events that a harness answers becomes one
object: the text of the last assistant message, why it ended, and the tokens of all turns together.

    {"Output": {"Message": {"Role": "assistant", "Content": [{"Text": "…"}]}}, "StopReason": "end_turn",
     "Usage": {"InputTokens": 10, "OutputTokens": 5, "TotalTokens": 15}, "Metrics": {"LatencyMs": 812}}

A task takes a quarter of an hour at most. Neither that nor stopping the task stops the harness. Source: AWS guide,
"Invoke Amazon Bedrock AgentCore harness".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from kaidan.errors import TIMEOUT
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.contract import Reply, RunBlocking
from kaidan.integrations.jobs import Fields
from kaidan.integrations.optimised import Action, Calls, Service, action_of, request_name
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON

SERVICE = Service(
    token="bedrockagentcore",
    client="bedrock-agentcore",
    prefix="BedrockAgentCore",
    product="AmazonBedrockAgentCore",
    exception="BedrockAgentCoreException",
    metadata=False,
    actions={"invokeHarness": Action("InvokeHarness", spare=("runtimeSessionId",))},
)

TIMEOUT_S = 900.0
"""How long a task lasts, whatever its TimeoutSeconds."""


class Harnesses:
    """Carries out `bedrockagentcore:invokeHarness`."""

    def __init__(self, clients: ClientFactory, run_blocking: RunBlocking) -> None:
        self._clients = clients
        self._run_blocking = run_blocking

    def __call__(self, task: RunTask, reply: Reply) -> None:
        action = action_of(SERVICE, task.resource)
        calls = Calls(SERVICE, self._clients, task.role)
        session = request_name(task, reply) or str(uuid.uuid4())
        reply.started()
        reply.later(TIMEOUT_S, lambda: reply.failed(TIMEOUT, None))
        parameters = {"RuntimeSessionId": session, **task.parameters.value}
        self._run_blocking(lambda: _converse(calls, action, parameters), reply)


def _converse(calls: Calls, action: Action, parameters: Fields) -> JSON:
    request = calls.request(action, parameters)
    return calls.read(action.operation, request, lambda answer: conversation(answer["stream"]))


def conversation(events: Iterable[dict[str, Any]]) -> JSON:
    """The events of InvokeHarness as one object, in the form of Converse."""
    role, stop_reason = "assistant", None
    blocks: dict[int, str] = {}
    usage, latency_ms = {"InputTokens": 0, "OutputTokens": 0, "TotalTokens": 0}, 0
    for event in events:
        if "messageStart" in event:
            role = event["messageStart"]["role"]
            blocks = {} if role == "assistant" else blocks
        elif "contentBlockDelta" in event and role == "assistant":
            _add_text(blocks, event["contentBlockDelta"])
        elif "messageStop" in event and role == "assistant":
            stop_reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            for name in usage:
                usage[name] += event["metadata"].get("usage", {}).get(name[0].lower() + name[1:], 0)
            latency_ms += event["metadata"].get("metrics", {}).get("latencyMs", 0)
    content = [{"Text": blocks[index]} for index in sorted(blocks)]
    return {
        "Metrics": {"LatencyMs": latency_ms},
        "Output": {"Message": {"Content": content, "Role": "assistant"}},
        "StopReason": stop_reason,
        "Usage": usage,
    }


def _add_text(blocks: dict[int, str], event: dict[str, Any]) -> None:
    text = event.get("delta", {}).get("text")
    if text is not None:
        index = event.get("contentBlockIndex", 0)
        blocks[index] = blocks.get(index, "") + text
