"""Where records and events go: files, streams, CloudWatch Logs, a web hook, an event bus."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kaidan.observe import log_sinks, status_sinks
from kaidan.observe.files import RotatedFile
from kaidan.observe.logs import LogEntry
from kaidan.observe.status_sinks import EventBus, Undelivered, Webhook
from kaidan.protocol.history import HistoryEvent

# --- files ------------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text().splitlines() for path in sorted(folder.iterdir())}


def test_a_file_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "log", bytes_max=10, old_max=2)
    for first in range(0, 8, 2):
        file.write([f"{first:04}", f"{first + 1:04}"])
    assert contents(tmp_path) == {"log": ["0006", "0007"], "log.1": ["0004", "0005"], "log.2": ["0002", "0003"]}


def test_a_batch_may_be_larger_than_a_file_and_a_line_too(tmp_path: Path) -> None:
    RotatedFile(tmp_path / "new" / "log", bytes_max=10, old_max=9).write(["1111", "2222", "3333", "4" * 30, "5555"])
    assert list(contents(tmp_path / "new").values()) == [["5555"], ["4" * 30], ["3333"], ["1111", "2222"]]


def test_a_file_goes_on_after_a_restart(tmp_path: Path) -> None:
    for _ in range(3):
        RotatedFile(tmp_path / "log", bytes_max=10, old_max=1).write(["1111"])
    assert contents(tmp_path) == {"log": ["1111"], "log.1": ["1111", "1111"]}


def test_without_old_files(tmp_path: Path) -> None:
    RotatedFile(tmp_path / "log", bytes_max=10, old_max=0).write(["1111", "2222", "3333"])
    assert contents(tmp_path) == {"log": ["3333"]}


# --- log records ------------------------------------------------------------------------------------------


def entries(*times_ms: int, group: str = "orders", machine: str = "orders", text: str = "") -> list[LogEntry]:
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    logging = {"includeExecutionData": True, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}
    details = {"input": text}
    return [
        LogEntry(machine, "arn:…", 0, logging, HistoryEvent(number, number - 1, "TaskScheduled", time_ms, details))
        for number, time_ms in enumerate(times_ms, 1)
    ]


def test_lines(tmp_path: Path) -> None:
    stream, some = io.StringIO(), entries(1, 2)
    log_sinks.StreamLog(stream)(some)
    log_sinks.FileLog(tmp_path / "log")(some)
    lines = [entry.text() for entry in some]
    assert stream.getvalue().splitlines() == lines == contents(tmp_path)["log"]


class Gone(Exception):
    """What CloudWatch calls ResourceNotFoundException."""


class Client:
    """CloudWatch Logs and EventBridge, as far as they are called."""

    class exceptions:
        ResourceNotFoundException = Gone

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.puts: list[list[dict[str, Any]]] = []
        self.refusals: list[set[int]] = []
        self.regions: list[str] = []

    def in_region(self, region: str) -> Client:
        self.regions.append(region)
        return self

    def client(self, service: str) -> Client:
        assert service in ("logs", "events")
        return self

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:
        if logGroupName not in self.groups:
            raise Gone(logGroupName)
        self.groups[logGroupName][logStreamName] = []

    def put_log_events(self, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:
        if logStreamName not in self.groups.get(logGroupName, {}):
            raise Gone(logStreamName)
        self.groups[logGroupName][logStreamName] += logEvents

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.puts.append(Entries)
        refused = self.refusals.pop(0) if self.refusals else set()
        error = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}
        return {"Entries": [error if number in refused else {"EventId": "1"} for number in range(len(Entries))]}


def test_cloudwatch_streams_are_named_as_on_aws() -> None:
    client: Any = Client()
    client.groups["orders"] = {}
    sink = log_sinks.CloudWatchLog(client)
    sink(entries(5, 6))
    sink(entries(7) + entries(8, machine="bills"))
    streams = client.groups["orders"]
    assert [re.sub(r"\d{4}(-\d\d){4}/[0-9a-f]{8}$", "…", name) for name in streams] == [
        "states/orders/…",
        "states/bills/…",
    ]
    assert set(client.regions) == {"us-east-1"}
    assert [[event["timestamp"] for event in events] for events in streams.values()] == [[5, 6, 7], [8]]
    assert json.loads(next(iter(streams.values()))[0]["message"])["type"] == "TaskScheduled"


def test_a_stream_that_was_deleted_is_made_anew() -> None:
    client: Any = Client()
    client.groups["orders"] = {}
    sink = log_sinks.CloudWatchLog(client)
    sink(entries(5))
    client.groups["orders"].clear()
    sink(entries(6))
    assert [len(events) for events in client.groups["orders"].values()] == [1]


def test_a_group_that_is_gone_loses_its_records_and_no_others() -> None:
    client: Any = Client()
    client.groups["orders"] = {}
    sink = log_sinks.CloudWatchLog(client)
    with pytest.raises(Gone):
        sink(entries(5, group="gone") + entries(6) + entries(7, group="gone"))
    assert [len(events) for events in client.groups["orders"].values()] == [1]


@pytest.mark.parametrize(
    ("events", "sizes"),
    [
        ([(5, 10), (3, 10), (4, 10)], [3]),
        ([(0, 10), (24 * 3_600_000, 10), (1, 10)], [2, 1]),
        ([(0, 600_000), (1, 600_000), (2, 10)], [1, 2]),
        ([(0, 1)] * 10_001, [10_000, 1]),
        ([], []),
    ],
)
def test_batches_hold_what_a_request_may(events: list[tuple[int, int]], sizes: list[int]) -> None:
    made = [{"timestamp": time, "message": "m" * size} for time, size in events]
    batches = list(log_sinks.batches(made))
    assert [len(batch) for batch in batches] == sizes
    times = [event["timestamp"] for batch in batches for event in batch]
    assert times == sorted(times)


# --- a web hook -------------------------------------------------------------------------------------------


@contextmanager
def hook(*statuses: int) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers with these statuses, and then with 200."""
    answers, received = list(statuses), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


EVENT = {"detail-type": "Step Functions Execution Status Change", "detail": {"input": '{"a":"階"}'}}


@pytest.mark.parametrize(
    ("statuses", "attempts", "problem"),
    [
        ([], 1, None),
        ([204], 1, None),
        ([503, 429], 3, None),
        ([500] * 9, 4, "HTTP 500"),
        ([404], 1, "HTTP 404"),
        ([302], 1, "HTTP 302"),
    ],
)
def test_webhook(statuses: list[int], attempts: int, problem: str | None) -> None:
    with hook(*statuses) as (url, received):
        sink = Webhook(url, lambda seconds: True)
        if problem is None:
            sink([EVENT])
        else:
            with pytest.raises(Undelivered, match=problem):
                sink([EVENT])
    assert received == [("application/json", EVENT)] * attempts


def test_one_event_that_is_refused_keeps_no_other_back() -> None:
    with hook(400) as (url, received), pytest.raises(Undelivered):
        Webhook(url, lambda seconds: True)([EVENT, EVENT])
    assert len(received) == 2


def test_nobody_answers_a_webhook_and_there_is_no_time() -> None:
    waits: list[float] = []

    def pause(seconds: float) -> bool:
        waits.append(seconds)
        return False

    with pytest.raises(Undelivered, match="refused"):
        Webhook("http://127.0.0.1:9/hook", pause)([EVENT])
    assert waits == [status_sinks.RETRIES_S[0]]


# --- an event bus -----------------------------------------------------------------------------------------


def change(number: int, input: str = "{}", region: str = "eu-west-1") -> dict[str, Any]:
    return {
        "region": region,
        "detail-type": "Step Functions Execution Status Change",
        "time": "2026-11-24T12:03:01Z",
        "resources": [f"arn:…:{number}"],
        "detail": {"name": str(number), "input": input},
    }


def test_event_bus() -> None:
    client: Any = Client()
    EventBus(client, "default", lambda seconds: True)([change(number) for number in range(12)])
    assert [len(put) for put in client.puts] == [10, 2]
    entry = client.puts[0][0]
    assert entry["Time"].isoformat() == "2026-11-24T12:03:01+00:00"
    assert entry | {"Time": None} == {
        "Time": None,
        "Source": "kaidan.states",
        "Resources": ["arn:…:0"],
        "DetailType": "Step Functions Execution Status Change",
        "Detail": '{"name":"0","input":"{}"}',
        "EventBusName": "default",
    }


def test_events_go_to_the_bus_of_their_region() -> None:
    client: Any = Client()
    EventBus(client, "b", lambda seconds: True)(
        [change(0), change(1, region="us-east-1"), change(2), change(3, region="us-east-1")]
    )
    assert client.regions == ["eu-west-1", "us-east-1"]
    assert [[entry["Resources"][0][-1] for entry in put] for put in client.puts] == [["0", "2"], ["1", "3"]]


def test_what_a_bus_refuses_is_put_again() -> None:
    client: Any = Client()
    client.refusals = [{1, 2}, {1}]
    EventBus(client, "b", lambda seconds: True)([change(number) for number in range(3)])
    assert [[entry["Resources"][0][-1] for entry in put] for put in client.puts] == [["0", "1", "2"], ["1", "2"], ["2"]]


def test_a_bus_that_refuses_for_good() -> None:
    client: Any = Client()
    client.refusals = [{0}] * 9
    with pytest.raises(Undelivered, match="1 events: ThrottlingException: later"):
        EventBus(client, "b", lambda seconds: True)([change(0)])
    assert len(client.puts) == 4


def test_large_events_travel_apart() -> None:
    client: Any = Client()
    EventBus(client, "b", lambda seconds: True)([change(number, "x" * 200_000) for number in range(3)])
    assert [len(put) for put in client.puts] == [1, 1, 1]


@pytest.mark.parametrize(("endpoint", "source"), [(None, "kaidan.states"), ("http://127.0.0.1:4566", "aws.states")])
def test_source(endpoint: str | None, source: str) -> None:
    assert status_sinks.default_source(endpoint) == source


def test_event_lines(tmp_path: Path) -> None:
    stream = io.StringIO()
    status_sinks.StreamEvents(stream)([EVENT])
    status_sinks.FileEvents(tmp_path / "events")([EVENT])
    assert json.loads(stream.getvalue()) == json.loads((tmp_path / "events").read_text()) == EVENT
