"""What a server tells of its executions: metrics, log records, events and traces, received where they were sent."""

from __future__ import annotations

import http.server
import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from kaidan.server import app
from tests.observe.test_sinks import hook
from tests.server.support import ARN, PASS, Process, client, machine, running
from tests.server.test_clients import ended
from tests.server.test_process import serve

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders:*"
LOGGING = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}


def get(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except HTTPError as problem:
        return problem.code, problem.headers["Content-Type"], problem.read().decode()


def types(path: Path) -> list[str]:
    return [json.loads(line)["type"] for line in path.read_text().splitlines()]


def statuses(events: list[Any]) -> list[str]:
    return [event["detail"]["status"] for event in events]


def test_log_records_events_and_metrics(tmp_path: Path) -> None:
    log, events = tmp_path / "told" / "log.jsonl", tmp_path / "events.jsonl"
    with (
        hook() as (url, received),
        running(data=tmp_path / "data", log_to=log, events_to=f"{url},{events}") as server,
    ):
        sfn = client(server.url)
        arn = sfn.start_execution(stateMachineArn=machine(sfn, loggingConfiguration=LOGGING))["executionArn"]
        ended(sfn, arn)
        quiet = sfn.start_execution(stateMachineArn=machine(sfn, "quiet"))["executionArn"]
        ended(sfn, quiet)
        status, kind, metrics = get(f"{server.url}/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert f'aws_states_executions_succeeded_total{{state_machine_arn="{ARN}stateMachine:orders"}} 1' in metrics
    assert types(log) == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert {json.loads(line)["execution_arn"] for line in log.read_text().splitlines()} == {arn}
    told = [event for _, event in received]
    assert [json.loads(line) for line in events.read_text().splitlines()] == told
    assert statuses(told) == ["RUNNING", "SUCCEEDED"] * 2
    assert [event["resources"] for event in told] == [[arn]] * 2 + [[quiet]] * 2


def test_what_goes_on_after_a_restart_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    hold: dict[str, Any] = {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 2, "End": True}}}
    process = Process("--data", str(tmp_path / "data"), "--log-to", str(log))
    sfn = client(process.url)
    created = machine(sfn, definition=hold, loggingConfiguration=LOGGING)
    arn = sfn.start_execution(stateMachineArn=created)["executionArn"]
    assert process.stop() == 0
    process = Process("--data", str(tmp_path / "data"), "--log-to", str(log))
    ended(client(process.url), arn)
    assert process.stop() == 0
    assert types(log) == ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded"]


def test_metrics_are_for_this_machine_unless_they_are_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "is_loopback", lambda host: False)
    with running(in_memory="true") as server:
        assert get(f"{server.url}/metrics")[0] == 403
        assert get(f"{server.url}/ready")[0] == 200
    with running(in_memory="true", metrics="all") as server:
        assert get(f"{server.url}/metrics")[0] == 200


def test_log_groups_and_event_buses_of_an_emulated_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log group that a machine names has its records; the bus is called, and a group that is not there lost."""
    import boto3

    from kaidan.emulate import Emulator

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    missing = json.loads(json.dumps(LOGGING).replace("states/orders", "states/none"))
    with Emulator.start() as aws:
        logs = boto3.client("logs", **aws.client_options)
        logs.create_log_group(logGroupName="/aws/vendedlogs/states/orders")
        to = {"log_to": "cloudwatch", "events_to": "bus:default"}
        with running(data=tmp_path, endpoint_url=aws.endpoint_url, **to) as server:
            sfn = client(server.url)
            for created in (
                machine(sfn, loggingConfiguration=LOGGING),
                machine(sfn, "none", loggingConfiguration=missing),
            ):
                ended(sfn, sfn.start_execution(stateMachineArn=created)["executionArn"])
        events = logs.filter_log_events(logGroupName="/aws/vendedlogs/states/orders")["events"]
    assert [json.loads(event["message"])["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """What receives OTLP over HTTP."""
    received: list[tuple[str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", received
        finally:
            server.shutdown()
            thread.join()


def test_traces_arrive_at_a_collector(tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with collector() as (url, received):
        process = Process(
            "--data", str(tmp_path), "--traces", environment=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
        )
        sfn = client(process.url)
        ended(sfn, sfn.start_execution(stateMachineArn=machine(sfn, definition=PASS))["executionArn"])
        assert process.stop() == 0
    assert {path for path, _ in received} == {"/v1/traces"}
    spans = [
        span.name
        for _, body in received
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert sorted(spans) == ["Only", "orders"]


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--log-to", "{tmp}/taken/x/log"], {}, "error: {tmp}/taken/x/log: cannot be written: Not a directory\n"),
        (["--events-to", "{tmp}"], {}, "error: {tmp}: cannot be written: Is a directory\n"),
        (["--events-to", "http://"], {}, "--events-to: must be a URL, bus:NAME, stdout or a file, not 'http://'\n"),
        (["--traces"], {"OTEL_TRACES_EXPORTER": "zipkin"}, ""),
    ],
)
def test_what_cannot_be_told_keeps_it_from_starting(
    arguments: list[str], environment: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    status, told = serve("--port", "0", "--data", str(tmp_path / "data"), *given)
    assert status == 2
    assert told.endswith(said.format(tmp=tmp_path))
    assert "Traceback" not in told and told.count("\n") <= 2
