"""A tiny service to replay against: machines that wait a minute, a queue, and a clock of its own.

Every execution enters State_1 at once and, 60 s later, succeeds. A machine whose definition is
`{"queue": url}` sends a task token to the queue instead and succeeds when it is sent back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from conformance.targets import ApiError

BASE = "arn:aws:states:us-east-1:111111111111"
START = datetime(2024, 1, 1, tzinfo=UTC)


class Toy:
    made: list[Toy] = []  # noqa: RUF012

    def __init__(self, as_of: date | None = None, mock_config: dict[str, Any] | None = None) -> None:
        self.as_of, self.mock_config = as_of, mock_config
        self.calls: list[str] = []
        self.closed = False
        self._now = START
        self._due: list[tuple[datetime, Callable[[], object]]] = []
        self._machines: dict[str, dict[str, Any]] = {}
        self._runs: dict[str, dict[str, Any]] = {}
        self._queue: list[dict[str, Any]] = []
        Toy.made.append(self)

    # ---- the target

    def call(self, service: str, operation: str, params: dict[str, Any], account: str | None = None) -> dict[str, Any]:
        self.calls.append(operation)
        answer: dict[str, Any] = getattr(self, operation)(**params)
        return answer

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        end = self._now + timedelta(seconds=timeout_s)
        while not until() and self._due:
            self._due.sort(key=lambda entry: entry[0])
            when, act = self._due[0]
            if when > end:
                self._now = end
                return
            self._now = when
            self._due.pop(0)
            act()

    def supports(self, service: str) -> bool:
        return service in ("sqs", "logs")

    def now(self) -> datetime:
        return self._now

    def close(self) -> None:
        self.closed = True

    # ---- its operations

    def CreateStateMachine(self, name: str, definition: str, roleArn: str) -> dict[str, Any]:
        if " " in name:
            raise ApiError("InvalidName", f"Invalid Name: '{name}'")
        arn = f"{BASE}:stateMachine:{name}"
        self._machines[arn] = {"name": name, "definition": definition, "roleArn": roleArn}
        return {"stateMachineArn": arn, "creationDate": self._now}

    def DescribeStateMachine(self, stateMachineArn: str) -> dict[str, Any]:
        if stateMachineArn not in self._machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{stateMachineArn}'")
        return {"stateMachineArn": stateMachineArn, "status": "ACTIVE", **self._machines[stateMachineArn]}

    def DeleteStateMachine(self, stateMachineArn: str) -> dict[str, Any]:
        self._after(5, lambda: self._machines.pop(stateMachineArn))
        return {}

    def ListStateMachines(self, **page: Any) -> dict[str, Any]:
        machines = [{"stateMachineArn": arn, "name": m["name"]} for arn, m in sorted(self._machines.items())]
        start = int(page.get("nextToken", 0))
        more = {"nextToken": str(start + 1)} if start + 1 < len(machines) else {}
        return {"stateMachines": machines[start : start + 1]} | more

    def StartExecution(self, stateMachineArn: str, input: str = "{}") -> dict[str, Any]:
        machine = self._machines[stateMachineArn.partition("#")[0]]
        arn = f"{BASE}:execution:{machine['name']}:00000000-1111-2222-3333-{len(self._runs):012}"
        run = {"status": "RUNNING", "events": [], "input": input}
        self._runs[arn] = run
        self._event(run, "ExecutionStarted", executionStartedEventDetails={"input": input})
        self._after(0, lambda: self._enter(arn, run, json.loads(machine["definition"])))
        return {"executionArn": arn, "startDate": self._now}

    def DescribeExecution(self, executionArn: str) -> dict[str, Any]:
        if executionArn not in self._runs:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{executionArn}'")
        return {"executionArn": executionArn, "status": self._runs[executionArn]["status"]}

    def GetExecutionHistory(self, executionArn: str) -> dict[str, Any]:
        return {"events": self._runs[executionArn]["events"]}

    def StopExecution(self, executionArn: str) -> dict[str, Any]:
        self._end(self._runs[executionArn], "ExecutionAborted", "ABORTED")
        return {"stopDate": self._now}

    def SendTaskSuccess(self, taskToken: str, output: str) -> dict[str, Any]:
        run = self._runs[taskToken]
        details = {"executionSucceededEventDetails": {"output": output}}
        self._after(0, lambda: self._end(run, "ExecutionSucceeded", "SUCCEEDED", **details))
        return {}

    def CreateQueue(self, QueueName: str) -> dict[str, Any]:
        return {"QueueUrl": f"https://queue/{QueueName}"}

    def ReceiveMessage(self, QueueUrl: str) -> dict[str, Any]:
        return {"Messages": [self._queue.pop(0)]} if self._queue else {}

    def DescribeLogStreams(self, logGroupName: str) -> dict[str, Any]:
        return {
            "logStreams": [
                {"logStreamName": "old", "creationTime": 1},
                {"logStreamName": "new", "creationTime": 2},
            ]
        }

    def GetLogEvents(self, logGroupName: str, logStreamName: str, startFromHead: bool) -> dict[str, Any]:
        assert logStreamName == "new"
        events = [event for run in self._runs.values() for event in run["events"]]
        return {"events": [{"message": json.dumps({"type": event["type"]})} for event in events]}

    def DescribeStateMachineForExecution(self, executionArn: str) -> dict[str, Any]:
        return {"loggingConfiguration": {"level": "ALL"}}

    # ---- its engine

    def _after(self, seconds: float, act: Callable[[], object]) -> None:
        self._due.append((self._now + timedelta(seconds=seconds), act))

    def _event(self, run: dict[str, Any], kind: str, **details: Any) -> None:
        before = len(run["events"])
        run["events"].append(
            {"id": before + 1, "previousEventId": before, "timestamp": self._now, "type": kind, **details}
        )

    def _enter(self, arn: str, run: dict[str, Any], definition: dict[str, Any]) -> None:
        self._event(run, "WaitStateEntered", stateEnteredEventDetails={"name": "State_1"})
        self._notify("RUNNING")
        if "queue" in definition:
            self._queue.append({"MessageId": str(len(self._queue)), "Body": json.dumps({"TaskToken": arn})})
        else:
            self._after(60, lambda: self._end(run, "ExecutionSucceeded", "SUCCEEDED"))

    def _end(self, run: dict[str, Any], kind: str, status: str, **details: Any) -> None:
        if run["status"] == "RUNNING":
            run["status"] = status
            self._event(run, kind, **details)
            self._notify(status)

    def _notify(self, status: str) -> None:
        if "notify" in str(self._machines):
            body = {"time": self._now.isoformat(), "detail": {"status": status}}
            self._queue.insert(0, {"Body": json.dumps(body)})
