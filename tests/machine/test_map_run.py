"""Distributed Maps from the first item to the last result: what children get, what becomes of their outcomes, what a
Map Run says of itself, and how it ends when something goes wrong. Items and results are in a folder."""

from __future__ import annotations

import datetime
import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from kaidan.asl.language import compile_definition
from kaidan.integrations.contract import Reply
from kaidan.protocol.effects import RunTask
from kaidan.runtime.simulated import World as Made
from kaidan.runtime.simulated import simulate
from kaidan.values import JSON
from tests.service.support import ARN, Service

Fields = dict[str, Any]

ECHO: Fields = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
PICKY: Fields = {
    "StartAt": "Check",
    "States": {
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "NumericEquals": 0, "Next": "Refuse"}],
            "Default": "Accept",
        },
        "Accept": {"Type": "Pass", "End": True},
        "Refuse": {"Type": "Fail", "Error": "Zero", "Cause": "it is nothing"},
    },
}
TASK = "arn:aws:states:::aws-sdk:ec2:describeInstances"
WORK: Fields = {
    "StartAt": "Work",
    "States": {"Work": {"Type": "Task", "Resource": TASK, "Parameters": {}, "End": True}},
}


class World:
    """A service, a folder for items and results, and one machine with one Map state."""

    def __init__(self, folder: Path, as_of: datetime.date | None = None) -> None:
        self.folder = folder
        self.service = Service(as_of, folders=[folder])
        self.execution = ""
        self.tasks: deque[Reply] = deque()
        """Those that wait for `work`."""
        self.service.api.service.engine.handler.dispatcher.by_service["aws-sdk:ec2"] = self._take  # type: ignore[attr-defined]

    def _take(self, task: RunTask, reply: Reply) -> None:
        reply.started()
        reply.on_cancel(lambda: self.tasks.remove(reply))
        self.tasks.append(reply)

    def reader(self, items: JSON, **config: Any) -> Fields:
        """An ItemReader of a JSON file, or of text as it is."""
        (self.folder / "items").write_text(items if isinstance(items, str) else json.dumps(items))
        parameters = {"Bucket": f"file://{self.folder}", "Key": "items"}
        return {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, "Parameters": parameters}

    def writer(self, **config: str) -> Fields:
        parameters = {"Bucket": f"file://{self.folder}", "Prefix": "out"}
        written = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": parameters}
        return written | ({"WriterConfig": config} if config else {})

    def run(
        self, fields: Fields, processor: Fields = ECHO, input: JSON = None, mode: str = "STANDARD", **machine: Any
    ) -> Fields:
        """Start it, let all happen that can; what DescribeExecution says."""
        config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": mode}}
        state = {"Type": "Map", "Label": "all", "ItemProcessor": config | processor, "End": True, **fields}
        definition = {"StartAt": "Map", "States": {"Map": state}, **machine}
        arn = self.service.machine(definition=definition)
        self.execution = self.service.run(arn, input=json.dumps(input if input is not None else {}))
        self.settle()
        return self.described

    def settle(self) -> None:
        """Reading and writing are done in threads."""
        engine = self.service.api.service.engine
        horizon_ms = engine.clock.now_ms() + 100_000  # Express children are not to run out of time
        engine.run_until(lambda: self.described["status"] != "RUNNING", 0.3, horizon_ms)
        self.service.settle()

    @property
    def described(self) -> Fields:
        return self.service("DescribeExecution", executionArn=self.execution)

    @property
    def output(self) -> JSON:
        assert self.described["status"] == "SUCCEEDED", self.described
        return json.loads(self.described["output"])

    @property
    def problem(self) -> tuple[str, str]:
        assert self.described["status"] == "FAILED", self.described
        return self.described["error"], self.described["cause"]

    @property
    def events(self) -> list[str]:
        events = self.service("GetExecutionHistory", executionArn=self.execution, maxResults=1000)["events"]
        return [event["type"] for event in events]

    @property
    def map_run(self) -> Fields:
        """The latest."""
        listed = self.service("ListMapRuns", executionArn=self.execution)["mapRuns"]
        return self.service("DescribeMapRun", mapRunArn=listed[0]["mapRunArn"])

    def counts(self, of: str = "execution") -> Fields:
        return {name: count for name, count in self.map_run[f"{of}Counts"].items() if count}

    def children(self, **filters: str) -> list[Fields]:
        """In the order of their start."""
        listed = self.service("ListExecutions", mapRunArn=self.map_run["mapRunArn"], **filters)["executions"][::-1]
        return [self.service("DescribeExecution", executionArn=child["executionArn"]) for child in listed]

    @property
    def inputs(self) -> list[JSON]:
        return [json.loads(child["input"]) for child in self.children()]

    def results(self) -> dict[str, list[Fields]]:
        """The records of the files that the manifest of the last attempt names, by status."""
        map_run = self.map_run["mapRunArn"]
        manifests = sorted(
            (self.folder / "out" / map_run[-36:]).rglob("manifest.json"), key=lambda path: len(path.parts)
        )
        manifest = json.loads(manifests[-1].read_text())
        assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (f"file://{self.folder}", map_run)
        files = manifest["ResultFiles"]
        return {status: [each for file in files[status] for each in self._records(file)] for status in files}

    def _records(self, file: Fields) -> list[Fields]:
        text = (self.folder / file["Key"]).read_text()
        assert len(text.encode()) == file["Size"]
        if file["Key"].endswith(".jsonl"):
            return [json.loads(line) for line in text.splitlines()]
        records: list[Fields] = json.loads(text)
        return records

    def work(self, outcomes: list[JSON]) -> None:
        """Tasks are carried out, the first begun first: an outcome that is None is a failure."""
        for outcome in outcomes:
            reply = self.tasks.popleft()
            if outcome is None:
                reply.failed("Bad", "as told")
            else:
                reply.succeeded(outcome)
            self.settle()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# --- what children get ------------------------------------------------------------------------------------

SELECTED = {"at.$": "$$.Map.Item.Index", "what.$": "$$.Map.Item.Value", "from.$": "$$.Map.Item.Source", "all.$": "$.x"}

INPUTS: list[tuple[str, JSON, Fields, Fields, JSON]] = [
    ("array", [1, {"a": 2}], {}, {}, [1, {"a": 2}]),
    ("object", {"a": 1}, {}, {}, [{"Key": "a", "Value": 1}]),
    ("pointer, most items", {"a": [1, 2, 3]}, {"ItemsPointer": "/a", "MaxItems": 2}, {}, [1, 2]),
    ("most items by a path", [1, 2, 3], {"MaxItemsPath": "$.two"}, {}, [1, 2]),
    ("lines", "1\n2\n", {"InputType": "JSONL"}, {}, [1, 2]),
    ("rows", "a,b\n1,2\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, {}, [{"a": "1", "b": "2"}]),
    (
        "selected",
        [7],
        {},
        {"ItemSelector": SELECTED},
        [{"at": 0, "what": 7, "from": "file://FOLDER/items", "all": "input"}],
    ),
    (
        "selected of an object",
        {"k": 7},
        {},
        {"ItemSelector": {"key.$": "$$.Map.Item.Key", "value.$": "$$.Map.Item.Value"}},
        [{"key": "k", "value": 7}],
    ),
    ("batches", [1, 2, 3], {}, {"ItemBatcher": {"MaxItemsPerBatch": 2}}, [{"Items": [1, 2]}, {"Items": [3]}]),
    (
        "batches by paths",
        [1, 2, 3],
        {},
        {"ItemBatcher": {"MaxItemsPerBatchPath": "$.two", "MaxInputBytesPerBatchPath": "$.many"}},
        [{"Items": [1, 2]}, {"Items": [3]}],
    ),
    (
        "batches by bytes",
        ["aaaa", "bbbb", "c"],
        {},
        {"ItemBatcher": {"MaxInputBytesPerBatch": len('{"Items":["aaaa","c"]}')}},
        [{"Items": ["aaaa"]}, {"Items": ["bbbb", "c"]}],
    ),
    (
        "batches with an input, of what is selected",
        [1, 2],
        {},
        {
            "ItemBatcher": {"MaxItemsPerBatch": 10, "BatchInput": {"x.$": "$.x", "is": "fixed"}},
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
        },
        [{"BatchInput": {"x": "input", "is": "fixed"}, "Items": [{"v": 1}, {"v": 2}]}],
    ),
    ("no items", [], {}, {}, []),
    ("no batches", [], {}, {"ItemBatcher": {"MaxItemsPerBatch": 2}}, []),
]


@pytest.mark.parametrize(
    ("items", "config", "fields", "inputs"), [case[1:] for case in INPUTS], ids=[case[0] for case in INPUTS]
)
@pytest.mark.parametrize("mode", ["STANDARD", "EXPRESS"])
def test_inputs(world: World, items: JSON, config: Fields, fields: Fields, inputs: JSON, mode: str) -> None:
    expected = json.loads(json.dumps(inputs).replace("FOLDER", str(world.folder)))
    input = {"x": "input", "two": 2, "many": 1_000}
    world.run({"ItemReader": world.reader(items, **config), **fields}, input=input, mode=mode)
    assert world.inputs == expected
    assert world.output == expected
    assert world.counts().get("total", 0) == len(expected)
    taken = sum(len(each["Items"]) for each in expected) if "ItemBatcher" in fields else len(expected)
    assert world.counts("item") == {name: taken for name in ("succeeded", "total", "resultsWritten") if taken}
    assert world.events[:4] == ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted"]
    assert world.events[4:] == ["MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"]


def test_jsonata(world: World) -> None:
    reader = world.reader([5, 6, 7])
    reader["Arguments"] = {"Bucket": "{% $states.input.bucket %}", "Key": "items"}
    del reader["Parameters"]
    reader["ReaderConfig"] = {"InputType": "JSON", "MaxItems": "{% 1 + 1 %}"}
    writer = world.writer(Transformation="COMPACT", OutputType="JSON")
    writer["Arguments"] = {"Bucket": "{% $states.input.bucket %}", "Prefix": "{% 'o' & 'ut' %}"}
    del writer["Parameters"]
    fields = {
        "ItemReader": reader,
        "ItemSelector": {"v": "{% $states.context.Map.Item.Value * 2 %}"},
        "ItemBatcher": {"MaxItemsPerBatch": "{% 1 %}", "BatchInput": {"n": "{% $states.input.n %}"}},
        "ResultWriter": writer,
        "ToleratedFailureCount": "{% 1 %}",
    }
    world.run(fields, input={"bucket": f"file://{world.folder}", "n": 9}, QueryLanguage="JSONata")
    assert world.inputs == [{"BatchInput": {"n": 9}, "Items": [{"v": v}]} for v in (10, 12)]
    assert world.results()["SUCCEEDED"] == world.inputs
    assert world.map_run["toleratedFailureCount"] == 1


def test_state_data(world: World) -> None:
    """Items of the input have the same fields; an object's members are items too."""
    fields = {"ItemsPath": "$.in", "ItemSelector": {"k.$": "$$.Map.Item.Key", "s.$": "$$.Map.Item.Source"}}
    world.run(fields, input={"in": {"a": 1, "b": 2}})
    assert world.output == [{"k": "a", "s": "STATE_DATA"}, {"k": "b", "s": "STATE_DATA"}]


def test_before_data_sources(tmp_path: Path) -> None:
    world = World(tmp_path, datetime.date(2025, 1, 1))
    world.run({"ItemReader": world.reader({"a": 1})})
    assert world.problem == ("States.ItemReaderFailed", "Attempting to map over non-iterable node.")


def test_many_pages(world: World) -> None:
    """More items than are read at a time; at no time more of them in memory than a page and what runs."""
    rows = "n\n" + "".join(f"{number}\n" for number in range(3_500))
    reader = world.reader(rows, InputType="CSV", CSVHeaderLocation="FIRST_ROW")
    seen: list[int] = []
    engine = world.service.api.service.engine
    engine.listen(lambda run, event: seen.append(_waiting(run)))
    world.run({"ItemReader": reader, "MaxConcurrency": 10, "ResultWriter": world.writer()}, mode="EXPRESS")
    engine.run_until(lambda: world.described["status"] != "RUNNING", 60)
    assert world.counts("item") == {"succeeded": 3_500, "total": 3_500, "resultsWritten": 3_500}
    found = [json.loads(record["Input"])["n"] for record in world.results()["SUCCEEDED"]]
    assert found == [str(number) for number in range(3_500)]
    assert max(seen) <= 1_000


def _waiting(run: Any) -> int:
    return sum(len(shelf.page) + len(shelf.results) for shelf in run.execution.shelves.values())


def test_without_anything_that_reads() -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **ECHO}
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}
    run = simulate(compile_definition({"StartAt": "Map", "States": {"Map": state}}), {}, Made())
    assert run.execution.error == "States.ItemReaderFailed"


# --- when it cannot be read or written --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"ReaderConfig": {"MaxItemsPath": "$.n"}}, "field MaxItems must be positive"),
        ({"ReaderConfig": {"ItemsPointer": "/x"}}, "The provided ReaderConfig.ItemsPointer does not match"),
        ({"Parameters": {"Bucket": "file:///", "Key": "x"}}, "The folder '/' is not one of"),
        ({"Parameters": {"Bucket": "file://FOLDER", "Key": "no"}}, "FOLDER/no: No such file"),
        ({"Parameters": {"Bucket": "file://FOLDER", "Key": "../x"}}, "The key '../x' leads out of the folder"),
        ({"Parameters": {"Bucket": "file://FOLDER"}}, "The field 'Key' of the ItemReader must be a string"),
    ],
)
def test_unreadable_items(world: World, fields: Fields, cause: str) -> None:
    reader = json.dumps(world.reader([1]) | fields).replace("FOLDER", str(world.folder))
    world.run({"ItemReader": json.loads(reader)}, input={"n": -1})
    error, found = world.problem
    assert error == "States.ItemReaderFailed"
    assert found.startswith(cause.replace("FOLDER", str(world.folder)))
    assert world.events[3:] == ["MapRunStarted", "MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    assert world.map_run["status"] == "FAILED"


def test_items_that_become_unreadable(world: World) -> None:
    """What runs is let end if it is Express; the error is what the items had."""
    reader = world.reader("1\n2\n" + "3\n" * 2_000 + "oops\n", InputType="JSONL")
    world.run({"ItemReader": reader}, mode="EXPRESS")
    assert world.problem[0] == "States.ItemReaderFailed"
    assert world.counts()["succeeded"] == 2_000


def test_most_items_that_are_no_number(world: World) -> None:
    world.run({"ItemReader": world.reader([1], MaxItemsPath="$.n")}, input={"n": "two"})
    assert world.problem[0] == "States.Runtime"
    assert "MapRunStarted" not in world.events


def test_caught_and_retried(world: World) -> None:
    fields = {
        "ItemReader": world.reader([1]) | {"Parameters": {"Bucket": f"file://{world.folder}", "Key": "no"}},
        "Retry": [{"ErrorEquals": ["States.ItemReaderFailed"], "MaxAttempts": 1, "IntervalSeconds": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}],
    }
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "ItemProcessor": config | ECHO, "End": True, **fields}
    after = {"Type": "Pass", "Parameters": {"error.$": "$.Error"}, "End": True}
    arn = world.service.machine(definition={"StartAt": "Map", "States": {"Map": state, "After": after}})
    world.execution = world.service.run(arn, input="{}")
    engine = world.service.api.service.engine
    engine.run_until(lambda: world.described["status"] != "RUNNING", 10)
    assert world.output == {"error": "States.ItemReaderFailed"}
    assert world.events.count("MapRunFailed") == 2
    assert len(world.service("ListMapRuns", executionArn=world.execution)["mapRuns"]) == 2


@pytest.mark.parametrize("field", ["ItemReader", "ResultWriter"])
def test_arguments_that_are_no_object(world: World, field: str) -> None:
    """They were taken for one, and the execution never ended."""
    action = "getObject" if field == "ItemReader" else "putObject"
    fields = {field: {"Resource": f"arn:aws:states:::s3:{action}", "Arguments": "{% [1] %}"}}
    world.run(fields, input=[1], QueryLanguage="JSONata")
    error, cause = world.problem
    assert error == "States.QueryEvaluationError"
    assert cause.endswith(
        f"The JSONata expression '[1]' specified for the field '{field}/Arguments' returned an unexpected result type. "
        "Expected 'object', but was 'array' for value: [1]"
    )


def test_results_that_cannot_be_written(world: World) -> None:
    writer = world.writer() | {"Parameters": {"Bucket": "file:///nowhere", "Prefix": "x"}}
    world.run({"ItemReader": world.reader([1]), "ResultWriter": writer})
    error, cause = world.problem
    assert error == "States.ResultWriterFailed"
    assert cause.startswith("Failed to write a test manifest into the specified output bucket.")
    assert world.counts() == {}


def test_results_without_a_place(world: World) -> None:
    writer = world.writer() | {"Parameters": {"Bucket.$": "$.bucket"}}
    world.run({"ItemReader": world.reader([1]), "ResultWriter": writer}, input={"bucket": 7})
    cause = "The field 'Bucket' of the ResultWriter must be a string."
    assert world.problem == ("States.ResultWriterFailed", cause)


def test_results_that_turn_out_not_to_be_written(world: World) -> None:
    world.run({"ItemReader": world.reader([1]), "ResultWriter": world.writer()}, WORK)
    (manifest,) = world.folder.rglob("manifest.json")
    (manifest.parent / "SUCCEEDED_0.json").mkdir()
    world.work([1])
    assert world.problem[0] == "States.ResultWriterFailed"
    assert world.map_run["status"] == "FAILED"
    assert world.counts() == {"succeeded": 1, "total": 1}
    assert not list(world.folder.rglob("*.part"))


# --- results ----------------------------------------------------------------------------------------------

OUTCOMES: list[tuple[str, Fields, JSON]] = [
    ("as they are", {"Transformation": "COMPACT", "OutputType": "JSON"}, [[1, 2], 3]),
    ("flat", {"Transformation": "FLATTEN", "OutputType": "JSON"}, [1, 2, 3]),
    ("lines", {"Transformation": "COMPACT", "OutputType": "JSONL"}, "[1,2]\n3"),
    ("flat lines", {"Transformation": "FLATTEN", "OutputType": "JSONL"}, "1\n2\n3"),
]


@pytest.mark.parametrize(("config", "output"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
def test_output(world: World, config: Fields, output: JSON) -> None:
    """A ResultWriter without a Resource only shapes the output."""
    world.run({"ResultWriter": {"WriterConfig": config}}, input=[[1, 2], 3])
    assert world.output == output


def test_output_with_metadata(world: World) -> None:
    world.run({"ResultWriter": {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}}, input=[1])
    (record,) = world.output
    (child,) = world.children()
    assert record == _record(child, "1", RedriveStatus="NOT_REDRIVABLE")


def _record(child: Fields, input: str, **more: Any) -> Fields:
    """What is written of a child that succeeded with its input."""
    reason = {"RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven"} if more else {}
    return {
        "ExecutionArn": child["executionArn"],
        "Input": input,
        "InputDetails": {"Included": True},
        "Name": child["name"].partition(":")[0],
        "Output": input,
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "StartDate": _iso(child["startDate"]),
        "StateMachineArn": child["stateMachineArn"],
        "Status": "SUCCEEDED",
        "StopDate": _iso(child["stopDate"]),
        **more,
        **reason,
    }


def _iso(moment: datetime.datetime) -> str:
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("config", "written"),
    [
        ({}, None),
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, [[1, 2], 3]),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, [1, 2, 3]),
        ({"Transformation": "NONE", "OutputType": "JSONL"}, None),
    ],
)
@pytest.mark.parametrize("mode", ["STANDARD", "EXPRESS"])
def test_written(world: World, config: Fields, written: JSON, mode: str) -> None:
    fields = {"ItemReader": world.reader([[1, 2], 3]), "ResultWriter": world.writer(**config)}
    world.run(fields, mode=mode)
    more = {"RedriveStatus": "NOT_REDRIVABLE"} if mode == "STANDARD" else {}
    full = [_record(child, child["input"], **more) for child in world.children()]
    assert world.results() == {"SUCCEEDED": written or full, "FAILED": [], "PENDING": []}
    uuid = world.map_run["mapRunArn"].rpartition(":")[2]
    details = {"Bucket": f"file://{world.folder}", "Key": f"out/{uuid}/manifest.json"}
    assert world.output == {"MapRunArn": world.map_run["mapRunArn"], "ResultWriterDetails": details}


def test_written_in_several_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaidan.runtime.results.CHUNK_BYTES", 10)
    monkeypatch.setattr("kaidan.runtime.results.FILE_BYTES_MAX", 30)
    for kind, folder in (("JSON", "a"), ("JSONL", "b")):
        (world.folder / folder).mkdir()
        other = World(world.folder / folder)
        config = {"Transformation": "COMPACT", "OutputType": kind}
        other.run({"ItemReader": other.reader(list(range(20))), "ResultWriter": other.writer(**config)})
        numbers: JSON = other.results()["SUCCEEDED"]
        assert numbers == list(range(20))
        sizes = [path.stat().st_size for path in other.folder.rglob("SUCCEEDED_*")]
        assert len(sizes) > 1 and max(sizes) <= 30


def test_failures_are_written(world: World) -> None:
    fields = {"ItemReader": world.reader([0, 1]), "ResultWriter": world.writer(), "ToleratedFailureCount": 1}
    world.run(fields, PICKY)
    results = world.results()
    (failed,) = results["FAILED"]
    assert (failed["Error"], failed["Cause"], failed["Status"]) == ("Zero", "it is nothing", "FAILED")
    assert (failed["RedriveStatus"], "Output" in failed) == ("REDRIVABLE_BY_MAP_RUN", False)
    assert len(results["SUCCEEDED"]) == 1
    assert world.counts() == {"succeeded": 1, "failed": 1, "total": 2, "resultsWritten": 2}


def test_no_file_for_nothing(world: World) -> None:
    world.run({"ItemReader": world.reader([]), "ResultWriter": world.writer()})
    assert [path.name for path in world.folder.rglob("*.json")] == ["manifest.json"]
    assert world.results() == {"SUCCEEDED": [], "FAILED": [], "PENDING": []}


def test_failures_in_the_output(world: World) -> None:
    """Those that are tolerated stand among the results, with all that is known of them."""
    world.run({"ToleratedFailureCount": 1}, PICKY, input=[1, 0])
    first, second = world.output
    assert (first, second["Status"], second["Error"]) == (1, "FAILED", "Zero")


@pytest.mark.parametrize("mode", ["STANDARD", "EXPRESS"])
def test_too_much_output(world: World, mode: str) -> None:
    world.run({"ItemReader": world.reader(["x" * 100_000] * 3)}, mode=mode)
    assert world.problem[0] == "States.DataLimitExceeded"
    assert world.counts()["succeeded"] == 3


@pytest.mark.parametrize("fields", [{}, {"ItemBatcher": {"MaxItemsPerBatch": 5}}])
def test_too_much_input(world: World, fields: Fields) -> None:
    world.run({"ItemReader": world.reader(["x" * 300_000]), **fields})
    error, cause = world.problem
    assert error == "States.DataLimitExceeded"
    assert cause.startswith("The input of a child workflow execution")


# --- failures that are tolerated --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "fields", "succeeds"),
    [
        ([1, 1], {}, True),
        ([0, 1], {}, False),
        ([0, 1], {"ToleratedFailureCount": 1}, True),
        ([0, 0], {"ToleratedFailureCount": 1}, False),
        ([0, 1], {"ToleratedFailurePercentage": 50}, True),
        ([0, 0, 1], {"ToleratedFailurePercentage": 50}, False),
        ([0, 0, 1], {"ToleratedFailureCountPath": "$.count"}, True),
        ([0, 0, 1], {"ToleratedFailurePercentagePath": "$.share"}, True),
        ([0, 0, 1], {"ToleratedFailureCount": 2, "ToleratedFailurePercentage": 67}, True),
        ([0, 0, 1], {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, False),
        ([0, 0, 1], {"ToleratedFailureCount": 3, "ToleratedFailurePercentage": 50}, False),
        ([0, 0, 1], {"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 67}, True),
    ],
)
@pytest.mark.parametrize("reads", [True, False])
def test_tolerance(world: World, items: JSON, fields: Fields, succeeds: bool, reads: bool) -> None:
    source = {"ItemReader": world.reader(items)} if reads else {"ItemsPath": "$.items"}
    world.run({**source, **fields}, PICKY, input={"items": items, "count": 2, "share": 67})
    assert world.described["status"] == ("SUCCEEDED" if succeeds else "FAILED")
    if not succeeds:
        assert world.problem == (
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )


def test_a_share_of_items_that_nobody_has_counted(world: World) -> None:
    """As long as it is not known how many there are, failures are not too many; in the end they are."""
    rows = "".join("0\n" if number % 2 else "1\n" for number in range(2_500))
    fields = {"ItemReader": world.reader(rows, InputType="JSONL"), "ToleratedFailurePercentage": 40}
    world.run(fields, PICKY, mode="EXPRESS")
    assert world.problem[0] == "States.ExceedToleratedFailureThreshold"
    assert world.counts()["total"] >= 2_000


def test_failed_batches_count_their_items(world: World) -> None:
    refuse = {"StartAt": "Refuse", "States": {"Refuse": {"Type": "Fail"}}}
    batched = {"ItemBatcher": {"MaxItemsPerBatch": 2}, "ToleratedFailureCount": 2}
    world.run({"ItemReader": world.reader([1, 2, 3]), **batched}, refuse)
    assert world.problem[0] == "States.ExceedToleratedFailureThreshold"
    assert world.counts("item")["failed"] == 3
    assert world.counts("execution")["failed"] == 2


def test_what_runs_when_too_much_has_failed(world: World) -> None:
    """Standard children are stopped, what was not begun is pending, and all of it is written."""
    fields = {"ItemReader": world.reader([1, 2, 3, 4]), "ResultWriter": world.writer(), "MaxConcurrency": 2}
    world.run(fields, WORK)
    world.work([None])
    assert world.problem[0] == "States.ExceedToleratedFailureThreshold"
    assert world.counts() == {"failed": 1, "aborted": 1, "pending": 2, "total": 4, "resultsWritten": 4}
    results = world.results()
    assert [record["Status"] for record in results["FAILED"]] == ["FAILED", "ABORTED"]
    aborted_by = f"The map run execution [{world.map_run['mapRunArn']}] which was managing this resource was aborted"
    assert results["FAILED"][1]["Cause"] == aborted_by
    pending = {"InputDetails": {"Included": True}, "Status": "PENDING"}
    assert results["PENDING"] == [{"Input": text, **pending} for text in ("3", "4")]


def test_express_children_are_waited_for(world: World) -> None:
    which = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 0, "Next": "Refuse"}], "Default": "Wait"}
    states = {"Which": which, "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Check"}, **PICKY["States"]}
    processor = {"StartAt": "Which", "States": states}
    world.run({"ItemReader": world.reader([0, 1, 2]), "ResultWriter": world.writer()}, processor, mode="EXPRESS")
    world.service.settle(10)
    world.settle()
    assert world.problem[0] == "States.ExceedToleratedFailureThreshold"
    assert world.counts() == {"failed": 1, "succeeded": 2, "total": 3, "resultsWritten": 3}


# --- stopped and redriven ---------------------------------------------------------------------------------


def stop(world: World) -> None:
    world.service("StopExecution", executionArn=world.execution)
    world.settle()


def redrive(world: World) -> None:
    world.service("RedriveExecution", executionArn=world.execution)
    world.settle()


def test_stopped(world: World) -> None:
    fields = {"ItemReader": world.reader([1, 2, 3]), "ResultWriter": world.writer(), "MaxConcurrency": 1}
    world.run(fields, WORK)
    world.work([1])
    stop(world)
    assert world.events[-3:] == ["MapRunAborted", "MapStateAborted", "ExecutionAborted"]
    assert world.counts() == {"succeeded": 1, "aborted": 1, "pending": 1, "total": 3, "resultsWritten": 3}
    results = world.results()
    assert {status: len(records) for status, records in results.items()} == {"SUCCEEDED": 1, "FAILED": 1, "PENDING": 1}


def test_redriven(world: World) -> None:
    """Failed and aborted children go on, pending ones are begun; earlier successes are not repeated."""
    fields = {"ItemReader": world.reader([1, 2, 3, 4]), "ResultWriter": world.writer(), "MaxConcurrency": 2}
    world.run(fields, WORK)
    world.work([1, None])
    assert world.counts() == {"succeeded": 1, "failed": 1, "aborted": 1, "pending": 1, "total": 4, "resultsWritten": 4}
    names = [child["name"] for child in world.children()]
    redrive(world)
    assert world.map_run["status"] == "RUNNING"
    assert (world.map_run["redriveCount"], "redriveDate" in world.map_run) == (1, True)
    assert world.counts() == {"succeeded": 1, "running": 2, "pending": 1, "total": 4}
    world.work([2, 3, 4])
    assert world.described["status"] == "SUCCEEDED"
    children = world.children()
    assert [child["name"] for child in children][:3] == names
    assert [child["redriveCount"] for child in children] == [0, 1, 1, 0]
    assert {child["status"] for child in children} == {"SUCCEEDED"}
    assert sorted(record["Output"] for record in world.results()["SUCCEEDED"]) == ["1", "2", "3", "4"]
    assert world.output["ResultWriterDetails"]["Key"].endswith("/Redrive-1/manifest.json")
    assert world.events[-5:] == [
        "MapRunRedriven",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
    ]


def test_redriven_express(world: World) -> None:
    """Express children begin anew, under the same names."""
    world.run({"ItemReader": world.reader([1, 2]), "ToleratedFailureCount": 0}, WORK, mode="EXPRESS")
    world.work([1, None])
    assert world.problem[0] == "States.ExceedToleratedFailureThreshold"
    before = [child["executionArn"] for child in world.children()]
    redrive(world)
    world.work([2])
    assert world.output == [1, 2]
    children = world.children()
    assert [child["executionArn"] for child in children] == before
    assert [child["redriveCount"] for child in children] == [0, 1]
    assert "redriveDate" not in children[1]


def test_pending_redrive(world: World) -> None:
    """Children that a redrive has still to start again say so."""
    world.run({"ToleratedFailureCount": 1, "MaxConcurrency": 3}, WORK, input=[1, 2, 3])
    world.work([None, None])
    map_run = world.map_run["mapRunArn"]
    assert world.counts() == {"failed": 2, "aborted": 1, "total": 3, "resultsWritten": 3}
    world.service("RedriveExecution", executionArn=world.execution)
    assert world.counts() == {"pendingRedrive": 3, "total": 3}
    assert {child["status"] for child in world.children()} == {"PENDING_REDRIVE"}
    listed = world.service("ListExecutions", mapRunArn=map_run, statusFilter="PENDING_REDRIVE")["executions"]
    assert len(listed) == 3
    assert world.service("ListExecutions", mapRunArn=map_run, statusFilter="FAILED")["executions"] == []
    world.settle()
    assert world.counts() == {"running": 3, "total": 3}
    world.work([1, 2, 3])
    assert world.output == [1, 2, 3]
    assert len(world.service("ListExecutions", mapRunArn=map_run, redriveFilter="REDRIVEN")["executions"]) == 3


def test_redriven_after_it_was_stopped(world: World) -> None:
    world.run({"ItemReader": world.reader([1, 2, 3]), "MaxConcurrency": 1}, WORK)
    world.work([1])
    stop(world)
    redrive(world)
    world.work([2, 3])
    assert world.output == [1, 2, 3]
    assert world.events.count("MapRunRedriven") == 1


def test_express_children_that_went_on_meanwhile(world: World) -> None:
    """They cannot be stopped: one that has succeeded since is not started again."""
    world.run({"ItemReader": world.reader([1, 2])}, WORK, mode="EXPRESS")
    stop(world)
    assert world.counts() == {"running": 2, "total": 2}
    world.work([1])
    assert world.counts() == {"running": 1, "succeeded": 1, "total": 2}
    redrive(world)
    assert world.counts() == {"running": 1, "succeeded": 1, "total": 2}
    world.work([2])
    assert world.output == [1, 2]
    assert [child["redriveCount"] for child in world.children()] == [0, 0]


def test_a_reader_that_failed_reads_again(world: World) -> None:
    reader = world.reader([1, 2])
    (world.folder / "items").unlink()
    world.run({"ItemReader": reader})
    assert world.problem[0] == "States.ItemReaderFailed"
    world.reader([1, 2])
    redrive(world)
    assert world.output == [1, 2]


def test_a_writer_that_failed_at_first_reads_again(world: World) -> None:
    (world.folder / "out").write_text("in the way")
    world.run({"ItemReader": world.reader([1]), "ResultWriter": world.writer()})
    assert world.problem[0] == "States.ResultWriterFailed"
    (world.folder / "out").unlink()
    world.reader([1, 2])
    redrive(world)
    assert world.counts() == {"succeeded": 2, "total": 2, "resultsWritten": 2}


def test_a_writer_that_failed_at_last_writes_again(world: World) -> None:
    """The children have succeeded: nothing else is done again."""
    world.run({"ItemReader": world.reader([1]), "ResultWriter": world.writer()}, WORK)
    (manifest,) = world.folder.rglob("manifest.json")
    (manifest.parent / "SUCCEEDED_0.json").mkdir()
    world.work([1])
    assert world.problem[0] == "States.ResultWriterFailed"
    redrive(world)
    assert world.output["ResultWriterDetails"]["Key"].endswith("/Redrive-1/manifest.json")
    assert [record["Output"] for record in world.results()["SUCCEEDED"]] == ["1"]


def test_too_much_data_starts_anew(world: World) -> None:
    """AWS guide, "Redriving Map Runs": after such a failure there is another Map Run."""
    reader = world.reader(["x" * 300_000])
    world.run({"ItemReader": reader})
    assert world.problem[0] == "States.DataLimitExceeded"
    world.reader(["x"])
    redrive(world)
    assert world.output == ["x"]
    assert len(world.service("ListMapRuns", executionArn=world.execution)["mapRuns"]) == 2


# --- children ---------------------------------------------------------------------------------------------


def test_names(world: World) -> None:
    world.run({"ItemBatcher": {"MaxItemsPerBatch": 2}}, input=[1, 2, 3], mode="EXPRESS")
    map_run = world.map_run["mapRunArn"]
    listed = world.service("ListExecutions", mapRunArn=map_run)["executions"][::-1]
    assert [child["itemCount"] for child in listed] == [2, 1]
    for child in listed:
        assert child["executionArn"].startswith(ARN + "express:orders/all:")
        assert child["executionArn"].endswith(":" + child["name"])
        assert child["stateMachineArn"] == ARN + "stateMachine:orders/all"


def test_context(world: World) -> None:
    """Children know nothing of the Map; their machine is named after the label."""
    shown = {"Type": "Pass", "Parameters": {"c.$": "$$"}, "OutputPath": "$.c", "End": True}
    world.run({}, {"StartAt": "Show", "States": {"Show": shown}}, input=[1])
    (context,) = world.output
    assert sorted(context) == ["Execution", "State", "StateMachine"]
    assert context["StateMachine"] == {"Id": ARN + "stateMachine:orders/all", "Name": "orders"}
    assert context["Execution"]["Input"] == 1


def test_concurrency(world: World) -> None:
    world.run({"ItemReader": world.reader(list(range(9))), "MaxConcurrencyPath": "$.n"}, WORK, input={"n": 4})
    assert world.counts() == {"running": 4, "pending": 5, "total": 9}
    world.work([0, 1])
    assert world.counts() == {"running": 4, "succeeded": 2, "pending": 3, "total": 9}


def test_most_concurrency(world: World) -> None:
    """Whatever it says, 10,000 run side by side (AWS guide, "Quotas related to accounts")."""
    items = world.reader(list(range(10_001)))
    world.run({"ItemReader": items, "MaxConcurrency": 20_000}, WORK, mode="EXPRESS")
    engine = world.service.api.service.engine
    engine.run_until(lambda: len(world.tasks) > 10_000, 60, engine.clock.now_ms())
    assert world.counts() == {"running": 10_000, "total": 10_000}
    world.tasks.popleft().succeeded(0)
    world.settle()
    assert world.counts() == {"running": 10_000, "succeeded": 1, "total": 10_001}


def test_a_map_in_a_map(world: World) -> None:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    inner = {"Type": "Map", "ItemProcessor": config | ECHO, "End": True}
    world.run({}, {"StartAt": "Inner", "States": {"Inner": inner}}, input=[[1, 2], [], [3]])
    assert world.output == [[1, 2], [], [3]]


@pytest.mark.parametrize("field", ["ItemReader", "ItemBatcher", "ResultWriter"])
def test_inline_maps_have_none_of_it(field: str) -> None:
    fields: Fields = {
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}},
        "ItemBatcher": {"MaxItemsPerBatch": 1},
        "ResultWriter": {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"}},
    }
    state = {"Type": "Map", field: fields[field], "ItemProcessor": ECHO, "End": True}
    run = simulate(compile_definition({"StartAt": "Map", "States": {"Map": state}}), [1], Made())
    assert run.execution.error == "States.Runtime"
