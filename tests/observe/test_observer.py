"""The observer of a process: targets by their names, and everything together."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from kaidan.integrations.clients import ClientFactory
from kaidan.observe.observer import CONTENT_TYPE, Observer
from kaidan.observe.targets import event_target, log_target
from tests.observe.test_sinks import hook
from tests.service.support import PASS, Service


@pytest.mark.parametrize("text", ["stdout", "cloudwatch", "logs/all.jsonl", "/var/log/kaidan"])
def test_log_targets(text: str) -> None:
    assert log_target(text) == text


@pytest.mark.parametrize("text", ["", "bus:default", "https://example.com/logs"])
def test_what_logs_cannot_go_to(text: str) -> None:
    with pytest.raises(ValueError, match="must be stdout, cloudwatch or a file"):
        log_target(text)


@pytest.mark.parametrize("text", ["stdout", "bus:default", "https://example.com/hook", "events.jsonl"])
def test_event_targets(text: str) -> None:
    assert event_target(text) == text


@pytest.mark.parametrize("text", ["", "bus:", "cloudwatch", "http://", "https://[x", "http://x:y"])
def test_what_events_cannot_go_to(text: str) -> None:
    with pytest.raises(ValueError, match="must be a URL, bus:NAME, stdout or a file"):
        event_target(text)


def watch(observer: Observer, service: Service) -> None:
    inner = service.api.service
    observer.watch(inner.engine, lambda execution: inner.configurations[execution.definition].logging)


def test_everything_together(service: Service, tmp_path: Path) -> None:
    log, events = tmp_path / "log", tmp_path / "events"
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:1:log-group:x:*"}}
    how = {"level": "ALL", "includeExecutionData": True, "destinations": [destination]}
    with hook() as (url, received):
        observer = Observer(ClientFactory(), logs=[str(log)], events=[str(events), url])
        watch(observer, service)
        service.run(service.machine("orders", PASS, loggingConfiguration=how))
        observer.close()
    types = [json.loads(line)["type"] for line in log.read_text().splitlines()]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [event for _, event in received] == told
    assert [event["detail"]["status"] for event in told] == ["RUNNING", "SUCCEEDED"]
    assert "aws_states_executions_succeeded_total{" in observer.metrics()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_lines_on_standard_output(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer(ClientFactory(), events=["stdout"])
    watch(observer, service)
    service.run(service.machine("orders", PASS))
    observer.close()
    assert [json.loads(line)["detail"]["status"] for line in capsys.readouterr().out.splitlines()] == [
        "RUNNING",
        "SUCCEEDED",
    ]


def test_metrics_name_receivers_without_their_secrets() -> None:
    observer = Observer(ClientFactory(), logs=["cloudwatch"], events=["https://user:key@example.com/T0/B0/secret?a=b"])
    lost = [line for line in observer.metrics().splitlines() if line.startswith("kaidan_observations_lost")]
    assert lost == [
        'kaidan_observations_lost_total{to="logs to cloudwatch"} 0',
        'kaidan_observations_lost_total{to="events to https://example.com"} 0',
    ]
    observer.close()


def test_nothing_but_metrics_is_watched_unless_it_was_asked_for(service: Service) -> None:
    engine = service.api.service.engine
    before = len(engine.listeners)
    observer = Observer(ClientFactory())
    watch(observer, service)
    assert len(engine.listeners) == before + 1
    observer.close()


def test_a_file_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ValueError, match="taken/log: cannot be written: "):
        Observer(ClientFactory(), logs=[str(tmp_path / "taken" / "log")])


def test_all_receivers_together_have_the_time_of_one_to_close() -> None:
    """Nobody answers at these addresses; each would be tried again for seconds."""
    observer = Observer(ClientFactory(), events=[f"http://127.0.0.1:9/{number}" for number in range(3)])
    for delivery in observer._deliveries:
        delivery([{"detail": {"input": "", "output": "", "cause": ""}}])
    began = time.monotonic()
    observer.close(0.3)
    assert time.monotonic() - began < 2
