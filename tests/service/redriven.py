"""Executions that fail and are redriven: a world to do it in, and short ways to write definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.sources import SimulatedClock
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON
from tests.service.support import ARN, Service

Fields = dict[str, Any]

BAD: Fields = {"Type": "Fail", "Error": "Bad"}


def task(name: str, **more: Any) -> Fields:
    """A Task whose name the worker is told."""
    resource = "arn:aws:states:::aws-sdk:ec2:describeImages"
    fields: Fields = {"Type": "Task", "Resource": resource, "Parameters": {"NextToken": name}} | more
    return fields if "Next" in more else fields | {"End": True}


def scope(*states: tuple[str, Fields], **more: Any) -> Fields:
    return {"StartAt": states[0][0], "States": dict(states)} | more


def parallel(*branches: Fields, **more: Any) -> Fields:
    return {"Type": "Parallel", "Branches": list(branches), **({} if "Next" in more else {"End": True}), **more}


def inline(processor: Fields, **more: Any) -> Fields:
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **more}


NAMED = scope(("Work", task("", Parameters={"NextToken.$": "$"})))
"""An iteration whose item is its task's name."""

CHILD = NAMED | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
EXPRESS = NAMED | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}

SIDE = ARN + "activity:side"


class World:
    """A service on a simulated clock and a file, and a worker whose tasks are answered by their names."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.service = Service(clock=SimulatedClock(), store=self.store)
        self.tasks: dict[str, Reply] = {}
        """Those that wait for an answer, by name."""
        self.done: list[str] = []
        """Names of the tasks that were begun since the latest redrive."""
        self.arn = ""
        self.service.api.service.engine.handler.dispatcher.by_service["aws-sdk:ec2"] = self._take  # type: ignore[attr-defined]

    def _take(self, task: RunTask, reply: Reply) -> None:
        name = task.parameters.value["NextToken"]
        self.done.append(name)
        self.tasks[name] = reply
        reply.on_cancel(lambda: self.tasks.__delitem__(name))
        reply.started()

    def close(self) -> None:
        self.service.api.close()
        self.store.close()

    def run(self, definition: Fields, input: str = "{}") -> None:
        machine = self.service.machine(definition=definition)
        self.arn = self.service("StartExecution", stateMachineArn=machine, input=input)["executionArn"]
        self.settle()

    def settle(self) -> None:
        """All that happens without time passing."""
        engine = self.service.api.service.engine
        engine.run_until(lambda: False, horizon_ms=engine.clock.now_ms())

    def answer(self, name: str, output: JSON) -> None:
        self.tasks.pop(name).succeeded(output)
        self.settle()

    def fail(self, name: str) -> None:
        self.tasks.pop(name).failed("Bad", None)
        self.settle()

    def pass_time(self, seconds: int) -> None:
        self.service.pass_time(1000 * seconds)
        self.settle()

    def stop(self) -> None:
        self.service("StopExecution", executionArn=self.arn)
        self.settle()

    def worker(self) -> str:
        """The token of the next task for a worker outside."""
        token: str = self.service("GetActivityTask", activityArn=SIDE)["taskToken"]
        self.settle()
        return token

    def end(self, status: str) -> None:
        """By the failure of what runs beside, by StopExecution, or by the machine's time-out after 100 s."""
        match status:
            case "FAILED":
                self.service("SendTaskFailure", taskToken=self.worker(), error="Aside")
                self.settle()
            case "ABORTED":
                self.stop()
            case _:
                self.pass_time(100 - self.elapsed_s)
        assert self.status == status

    @property
    def elapsed_s(self) -> int:
        seconds: float = (self.service.api.now() - self.described["startDate"]).total_seconds()
        return int(seconds)

    def redrive(self, token: str | None = None) -> None:
        self.done.clear()
        self.service("RedriveExecution", executionArn=self.arn, **({"clientToken": token} if token else {}))
        self.settle()

    @property
    def described(self) -> Fields:
        return self.service("DescribeExecution", executionArn=self.arn)

    @property
    def status(self) -> str:
        status: str = self.described["status"]
        return status

    @property
    def events(self) -> list[Fields]:
        events: list[Fields] = self.service("GetExecutionHistory", executionArn=self.arn)["events"]
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        return events

    def since_redrive(self) -> list[tuple[str, int]]:
        """The latest redrive's event and those since: each type, and what it points to, counted from the first."""
        events = self.events
        first = max(event["id"] for event in events if event["type"] == "ExecutionRedriven")
        return [(event["type"], event["previousEventId"] - first) for event in events[first - 1 :]]
