"""Transitions per second of the machine alone, beside a bare Python loop that does the same JSON work.

A loop of Choice and Pass over a payload of 1 KB; the machine builds the whole history. The bare loop counts,
compares, changes the payload as the Pass does, and serialises it once per change, as a history needs it:
it is what the same work costs with no engine around it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import orjson

from kaidan.asl.language import load
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.limits import Limits
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.sources import SeededSource
from kaidan.values import Payload

DEFINITION = {
    "StartAt": "More",
    "States": {
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": 0, "Next": "Count"}],
            "Default": "Done",
        },
        "Count": {
            "Type": "Pass",
            "Parameters": {"n.$": "States.MathAdd($.n, -1)", "payload.$": "$.payload"},
            "Next": "More",
        },
        "Done": {"Type": "Succeed"},
    },
}

PAYLOAD = {"items": [{"id": index, "name": f"item {index:04d}", "tags": ["a", "b"]} for index in range(20)]}
ROUNDS = 20_000


def machine_run() -> int:
    """Run the loop on the machine; the answer is the number of state visits."""
    program = load(json.dumps(DEFINITION)).program
    limits = Limits(history_events_max=10**9)
    machine = Machine(program, SeededSource(1), limits=limits)
    execution = Execution(
        arn="arn:aws:states:us-east-1:123456789012:execution:bench:1",
        name="1",
        machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:bench",
        machine_name="bench",
        role_arn="arn:aws:iam::123456789012:role/bench",
        input=Payload({"n": ROUNDS, "payload": PAYLOAD}),
        start_ms=0,
    )
    history: list[HistoryEvent] = []
    event: ev.Event = ev.Started()
    while execution.status == "RUNNING":
        effects = machine.advance(execution, event, 0)
        history += [effect for effect in effects if isinstance(effect, HistoryEvent)]
        assert isinstance(effects[-1], (fx.Yield, fx.Finish))
        event = ev.Resumed()
    assert execution.status == "SUCCEEDED", execution.cause
    return sum(1 for item in history if item.type.endswith("StateEntered"))


def bare_run() -> int:
    """The same JSON work in a plain loop: two visits a round, one payload made and serialised, four events."""
    data = {"n": ROUNDS, "payload": PAYLOAD}
    text = orjson.dumps(data).decode()
    history: list[tuple[int, int, str, dict[str, str]]] = []
    event_id = 1

    def record(kind: str, name: str, member: str, value: str) -> None:
        nonlocal event_id
        event_id += 1
        history.append((event_id, event_id - 1, kind, {"name": name, member: value}))

    visits = 0
    while True:
        record("ChoiceStateEntered", "More", "input", text)
        more = data["n"] > 0  # type: ignore[operator]
        record("ChoiceStateExited", "More", "output", text)
        visits += 1
        if not more:
            return visits
        record("PassStateEntered", "Count", "input", text)
        data = {"n": data["n"] - 1, "payload": data["payload"]}  # type: ignore[operator]
        text = orjson.dumps(data).decode()
        record("PassStateExited", "Count", "output", text)
        visits += 1


def per_second(run: Callable[[], int]) -> float:
    """Visits per second, the best of three."""
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        visits = run()
        best = max(best, visits / (time.perf_counter() - start))
    return best


def main() -> None:
    bare = per_second(bare_run)
    machine = per_second(machine_run)
    size = len(orjson.dumps(PAYLOAD))
    print(f"payload: {size} bytes")
    print(f"bare loop: {bare:,.0f} transitions/s")
    print(f"machine:   {machine:,.0f} transitions/s ({1e6 / machine:.1f} us each)")
    print(f"machine is {bare / machine:.1f} times the bare loop's cost")


if __name__ == "__main__":
    main()
