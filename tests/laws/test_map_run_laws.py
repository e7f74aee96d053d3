"""Laws of Map Runs: random ones, killed at random moments, lose no item and do none twice; nor do redrives."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON

Fields = dict[str, Any]

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
ROLE = "arn:aws:iam::123456789012:role/r"


@st.composite
def map_runs(draw: st.DrawFn) -> Fields:
    """What varies: the items, of which "bad" ones fail at first, and the settings of the Map."""
    return {
        "items": draw(st.lists(st.sampled_from(["good", "good", "good", "bad"]), max_size=30)),
        "mode": draw(st.sampled_from(["STANDARD", "EXPRESS"])),
        "format": draw(st.sampled_from(["JSON", "JSONL", "CSV"])),
        "writer": draw(st.booleans()),
        "batch": draw(st.sampled_from([0, 0, 3])),
        "concurrency": draw(st.sampled_from([0, 1, 4])),
        "tolerated": draw(st.sampled_from([0, 3, 30])),
    }


class World:
    """A durable service with one execution, which can be killed and started again."""

    def __init__(self, folder: Path, run: Fields) -> None:
        self.folder, self.run = folder, run
        self.clock = SimulatedClock()
        self.fails = "bad"
        """Items of this kind fail."""
        self._open()
        (folder / "items").write_text(self._items())
        definition = json.dumps(self._definition())
        machine = self.api.call("CreateStateMachine", {"name": "m", "definition": definition, "roleArn": ROLE})
        self.arn = self.api.call("StartExecution", machine | {"name": "x"})["executionArn"]
        self.engine.save()

    def _open(self) -> None:
        self.store = SqliteStore(self.folder / "db")
        self.api = Api(clock=self.clock, store=self.store, folders=[self.folder])
        self.engine = self.api.service.engine
        self.engine.handler.dispatcher.by_kind["lambda"] = self._task  # type: ignore[attr-defined]

    def _items(self) -> str:
        rows = [{"n": str(number), "kind": kind} for number, kind in enumerate(self.run["items"])]
        match self.run["format"]:
            case "JSON":
                return json.dumps(rows)
            case "JSONL":
                return "\n".join(map(json.dumps, rows))
            case _:
                return "n,kind\n" + "".join(f"{row['n']},{row['kind']}\n" for row in rows)

    def _definition(self) -> Fields:
        run, bucket = self.run, f"file://{self.folder}"
        config = {"InputType": run["format"], **({"CSVHeaderLocation": "FIRST_ROW"} if run["format"] == "CSV" else {})}
        work = TASK | {"Parameters": {"all.$": "$"}, "End": True}
        state = {
            "Type": "Map",
            "MaxConcurrency": run["concurrency"],
            "ToleratedFailureCount": run["tolerated"],
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": config,
                "Parameters": {"Bucket": bucket, "Key": "items"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": run["mode"]},
                "StartAt": "First",
                "States": {"First": {"Type": "Pass", "Next": "Work"}, "Work": work},
            },
            "End": True,
        }
        if run["batch"]:
            state["ItemBatcher"] = {"MaxItemsPerBatch": run["batch"]}
        if run["writer"]:
            parameters = {"Bucket": bucket, "Prefix": "out"}
            state["ResultWriter"] = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": parameters}
        return {"StartAt": "Each", "States": {"Each": state}}

    def _task(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.later(1, lambda: self._finish(numbers_of(task.parameters.value["all"]), reply))

    def _finish(self, numbers: list[int], reply: Reply) -> None:
        if any(self.run["items"][number] == self.fails for number in numbers):
            reply.failed("Bad", "as it is")
        else:
            reply.succeeded(numbers)

    # --- going on -----------------------------------------------------------------------------------------

    def go_on(self, steps: int) -> None:
        left = iter(range(steps))
        self.engine.run_until(lambda: next(left, None) is None or not self.running)

    def finish(self) -> None:
        self.engine.run_until(lambda: not self.running)
        self.engine.run_until(lambda: False)
        self.engine.save()

    def kill(self) -> None:
        """As kill -9 leaves it: what was not saved is lost, and nothing goes on."""
        self.store.close()
        self.engine.maps._pool.close(wait=True)
        self._open()

    def killed_at_times(self, chance: random.Random, times: int) -> None:
        for _ in range(times):
            self.go_on(chance.randint(1, 40))
            if not self.running:
                break
            self.kill()
        self.finish()

    @property
    def running(self) -> bool:
        run = self.engine.find(self.arn)
        assert run is not None
        return run.execution.status == "RUNNING"

    # --- what became of it --------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        status: str = self.api.call("DescribeExecution", {"executionArn": self.arn})["status"]
        return status

    def children(self) -> list[tuple[str, str]]:
        """Inputs and statuses."""
        (map_run,) = self.api.call("ListMapRuns", {"executionArn": self.arn})["mapRuns"]
        listed = self.api.call("ListExecutions", {"mapRunArn": map_run["mapRunArn"], "maxResults": 1000})["executions"]
        found = (self.api.call("DescribeExecution", {"executionArn": child["executionArn"]}) for child in listed)
        return sorted((child["input"], child["status"]) for child in found)

    def outcome(self) -> Fields:
        """Everything that is to be the same, whatever happened on the way."""
        described = self.api.call("DescribeExecution", {"executionArn": self.arn})
        (map_run,) = self.api.call("ListMapRuns", {"executionArn": self.arn})["mapRuns"]
        counts = self.api.call("DescribeMapRun", {"mapRunArn": map_run["mapRunArn"]})
        return {
            "status": described["status"],
            "error": described.get("error"),
            "output": self._output(json.loads(described.get("output", "null"))),
            "counts": (counts["itemCounts"], counts["executionCounts"]),
            "children": self.children(),
            "results": self.results(map_run["mapRunArn"]) if self.run["writer"] else None,
        }

    def _output(self, output: JSON) -> JSON:
        if isinstance(output, list):
            return [part if not isinstance(part, dict) else part["Status"] for part in output]
        return output and sorted(output)

    def results(self, map_run_arn: str) -> Fields:
        """Inputs, by the status that a file is named after."""
        manifests = (self.folder / "out" / map_run_arn[-36:]).rglob("manifest.json")
        manifest = json.loads(max(manifests, key=lambda path: len(path.parts)).read_text())
        files = {
            status: [self.folder / file["Key"] for file in manifest["ResultFiles"][status]] for status in _STATUSES
        }
        return {
            status: sorted(record["Input"] for path in paths for record in json.loads(path.read_text()))
            for status, paths in files.items()
        }


_STATUSES = ("SUCCEEDED", "FAILED", "PENDING")


def numbers_of(input: JSON) -> list[int]:
    """The items that a child got."""
    return [int(item["n"]) for item in input.get("Items", [input])]


@contextmanager
def begun(run: Fields) -> Iterator[World]:
    """A world whose pages and saves are of a few, so that there is much to be interrupted."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("kaidan.runtime.pages.PAGE_ITEMS", 4)
        patch.setattr("kaidan.runtime.map_runs.CHILDREN_PAGE", 3)
        patch.setattr("kaidan.runtime.engine.EFFECTS_PER_SAVE_MAX", 30)
        patch.setattr("kaidan.asl.machine.map_runs.STARTS_MAX", 2)
        world = World(Path(folder), run)
        yield world
        world.api.close()
        world.store.close()


def undisturbed(run: Fields) -> Fields:
    with begun(run) as world:
        world.finish()
        return world.outcome()


def check(outcome: Fields) -> None:
    """What is said in different places about the same; no item is in two children."""
    items, executions = outcome["counts"]
    assert executions["running"] == items["running"] == 0
    statuses = Counter(status for _, status in outcome["children"])
    for name, status in (("succeeded", "SUCCEEDED"), ("failed", "FAILED"), ("aborted", "ABORTED")):
        assert executions[name] == statuses[status]
    numbers = [number for input, _ in outcome["children"] for number in numbers_of(json.loads(input))]
    assert len(numbers) == len(set(numbers))
    if outcome["results"] is not None:
        for succeeded, file in ((True, "SUCCEEDED"), (False, "FAILED")):
            inputs = [input for input, status in outcome["children"] if (status == "SUCCEEDED") == succeeded]
            assert outcome["results"][file] == inputs


@settings(max_examples=40, deadline=None, derandomize=True)
@given(map_runs(), st.integers(0, 1000))
def test_killed_at_any_moment_no_item_is_lost_or_done_twice(run: Fields, seed: int) -> None:
    with begun(run) as world:
        world.killed_at_times(random.Random(seed), 100)
        outcome = world.outcome()
    check(outcome)
    if outcome["status"] == "SUCCEEDED":
        assert outcome == undisturbed(run)
    else:
        assert undisturbed(run)["status"] == "FAILED"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(map_runs(), st.integers(0, 1000), st.booleans())
def test_redriven_with_nothing_that_fails_all_is_done_once(run: Fields, seed: int, stopped: bool) -> None:
    """Failed or stopped; killed before the redrive and after it, or not."""
    chance = random.Random(seed)
    with begun(run) as world:
        world.go_on(chance.randint(1, 60) if stopped else 1_000_000)
        if world.running:
            world.api.call("StopExecution", {"executionArn": world.arn})
        world.engine.save()
        if chance.random() < 0.5:
            world.kill()
        world.fails = "nothing"
        if world.status == "SUCCEEDED" or not world.engine.map_runs:
            return
        before = [status for _, status in world.children()]
        world.api.call("RedriveExecution", {"executionArn": world.arn})
        world.engine.save()
        world.killed_at_times(chance, chance.randint(0, 5))
        outcome = world.outcome()
    check(outcome)
    statuses = {status for _, status in outcome["children"]}
    if "RUNNING" in before and "FAILED" in statuses:
        return  # an Express child was about to fail when it was waited for again
    assert outcome["status"] == "SUCCEEDED"
    assert statuses <= {"SUCCEEDED"}
    assert outcome["counts"][0]["succeeded"] == outcome["counts"][0]["total"] == len(run["items"])
