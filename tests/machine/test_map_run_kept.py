"""What is kept of a Map Run's children, for how long, and what a service that starts again knows of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.store.contract import Query
from kaidan.store.sqlite import SqliteStore

Fields = dict[str, Any]
CLOCK = SimulatedClock()


class Kept:
    """A service on a file, after a Map Run of three items."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        self.open()
        states = {"First": {"Type": "Pass", "Next": "Second"}, "Second": {"Type": "Pass", "End": True}}
        config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": mode}}
        state = {"Type": "Map", "ItemProcessor": {**config, "StartAt": "First", "States": states}, "End": True}
        created = {"name": "m", "definition": json.dumps({"StartAt": "Each", "States": {"Each": state}})}
        machine = self("CreateStateMachine", **created, roleArn="arn:aws:iam::123456789012:role/r")
        arn = machine["stateMachineArn"]
        self.execution = self("StartExecution", stateMachineArn=arn, input="[1, 2, 3]")["executionArn"]
        self.api.settle(lambda: False, 0)

    def open(self) -> None:
        self.store = SqliteStore(self.path)
        self.api = Api(clock=CLOCK, store=self.store)
        self.engine = self.api.service.engine

    def again(self) -> None:
        self.close()
        self.open()

    def close(self) -> None:
        self.engine.save()
        self.api.close()
        self.store.close()

    def __call__(self, operation: str, **params: Any) -> Fields:
        return self.api.call(operation, params)

    def children(self) -> list[Fields]:
        (map_run,) = self("ListMapRuns", executionArn=self.execution)["mapRuns"]
        listed = self("ListExecutions", mapRunArn=map_run["mapRunArn"])["executions"]
        return [self("DescribeExecution", executionArn=child["executionArn"]) for child in listed]


@pytest.fixture(params=["STANDARD", "EXPRESS"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    kept = Kept(tmp_path / "db", request.param)
    yield kept
    kept.close()


def test_children_are_described_as_before(kept: Kept) -> None:
    before = kept.children()
    assert [child["output"] for child in before] == ["3", "2", "1"]
    kept.again()
    assert kept.children() == before
    (map_run,) = kept("ListMapRuns", executionArn=kept.execution)["mapRuns"]
    assert kept("DescribeMapRun", mapRunArn=map_run["mapRunArn"])["itemCounts"]["succeeded"] == 3


def test_histories(kept: Kept) -> None:
    """Those of Express children are not kept: there may be millions, and no operation shows them."""
    children = kept.children()
    express = ":express:" in children[0]["executionArn"]
    assert {kept.store.event_count(child["executionArn"]) for child in children} == {0 if express else 6}


def test_only_open_children_are_in_memory(kept: Kept) -> None:
    assert list(kept.engine.runs) == [kept.execution]


def test_children_are_kept_as_long_as_their_map_run(kept: Kept) -> None:
    arns = [child["executionArn"] for child in kept.children()]
    assert kept.engine.forget_closed(CLOCK.now_ms() + 1, 1) == 1
    assert kept.store.row(kept.execution) is None
    assert kept.engine.map_runs == {}
    assert [kept.store.row(arn) is not None for arn in arns] == [True] * 3
    assert kept.engine.forget_closed(CLOCK.now_ms() + 1, 10) == 3
    assert kept.engine.list(Query()) == []
    kept.again()
    assert kept.engine.map_runs == {}


def test_a_machine_does_not_list_children(kept: Kept) -> None:
    machine = kept("ListStateMachines")["stateMachines"][0]["stateMachineArn"]
    listed = kept("ListExecutions", stateMachineArn=machine)["executions"]
    assert [each["executionArn"] for each in listed] == [kept.execution]
