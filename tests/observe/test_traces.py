"""Traces: ids that follow from names, the caller's trace, and what OpenTelemetry is given."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from kaidan.observe import traces
from kaidan.observe.spans import spans_of
from kaidan.observe.traces import Ended, Exporter, Traces, TracesUnavailable, attributes, parent_id, span_id, trace_id
from tests.service.support import ARN, PASS, Service

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
FAIL: dict[str, Any] = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Broken", "Cause": "so"}}}
PROCESSOR = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
EACH: dict[str, Any] = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": PROCESSOR, "End": True}}}


@pytest.fixture
def ended(service: Service) -> list[Ended]:
    found: list[Ended] = []
    Traces(service.api.service.engine, found.extend)
    return found


def test_an_execution_is_a_trace(service: Service, ended: list[Ended]) -> None:
    machine = service.machine("orders", PASS)
    first, second = service.run(machine), service.run(machine)
    assert [each.arn for each in ended] == [first, second]
    assert trace_id(ended[0]) != trace_id(ended[1])
    root, state = spans_of(ended[0].history, ended[0].name)
    assert parent_id(ended[0], root) is None
    assert parent_id(ended[0], state) == span_id(ended[0], root)
    assert attributes(ended[0], root) == {
        "aws.states.execution.arn": first,
        "aws.states.state_machine.arn": f"{ARN}stateMachine:orders",
    }
    assert attributes(ended[0], state) == {
        "aws.states.execution.arn": first,
        "aws.states.state.name": "Only",
        "aws.states.state.type": "Pass",
    }


def test_a_trace_header_names_the_trace_and_the_parent(service: Service, ended: list[Ended]) -> None:
    service.run(service.machine("orders", PASS), traceHeader=HEADER)
    root = spans_of(ended[0].history, "orders")[0]
    assert trace_id(ended[0]) == 0x5759E988BD862E3FE1BE46A994272793
    assert parent_id(ended[0], root) == 0x53995C3F42CD8AD8


@pytest.mark.parametrize(("header", "count"), [("Root=1-0-0;Sampled=0", 0), ("nonsense", 1), ("Sampled=1", 1)])
def test_other_headers(service: Service, ended: list[Ended], header: str, count: int) -> None:
    service.run(service.machine("orders", PASS), traceHeader=header)
    assert len(ended) == count
    for each in ended:
        assert parent_id(each, spans_of(each.history, "orders")[0]) is None


def test_child_executions_are_part_of_the_trace(service: Service, ended: list[Ended]) -> None:
    parent_arn = service.run(service.machine("orders", EACH), input="[1, 2]", traceHeader=HEADER)
    parent = next(each for each in ended if each.arn == parent_arn)
    children = [each for each in ended if each is not parent]
    (map_run,) = (span for span in spans_of(parent.history, "orders") if span.kind == "map run")
    assert len(children) == 2
    assert {trace_id(each) for each in ended} == {trace_id(parent)}
    for child in children:
        root = spans_of(child.history, child.name)[0]
        assert parent_id(child, root) == span_id(parent, map_run)


def test_a_redrive_is_told_apart(service: Service, ended: list[Ended]) -> None:
    arn = service.run(service.machine("orders", FAIL))
    service("RedriveExecution", executionArn=arn)
    service.settle()
    ids = [span_id(each, span) for each in ended for span in spans_of(each.history, "orders")]
    assert len(ended) == 2 and len(set(ids)) == len(ids)
    assert trace_id(ended[0]) == trace_id(ended[1])


# --- OpenTelemetry ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "on"),
    [
        ({}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_enabled(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], on: bool) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert traces.enabled() is on


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TracesUnavailable, match=r"pip install 'kaidan\[otel\]'"):
        Exporter()


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin: must be one of otlp, console, none"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only http/protobuf is there"),
    ],
)
def test_variables_that_ask_for_too_much(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TracesUnavailable, match=problem):
        Exporter()


def test_what_is_exported(service: Service) -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    exporter = Exporter(memory)
    Traces(service.api.service.engine, exporter)
    service.run(service.machine("orders", FAIL), traceHeader=HEADER)
    root, state = memory.get_finished_spans()
    assert (root.name, state.name) == ("orders", "No")
    assert root.parent and state.parent and root.attributes
    assert (root.parent.span_id, state.parent.span_id) == (0x53995C3F42CD8AD8, root.context.span_id)
    assert (root.start_time, root.end_time) == (1_700_000_000_000_000_000, 1_700_000_000_000_000_000)
    assert (root.status.status_code.name, root.status.description) == ("ERROR", "Broken: so")
    assert root.attributes["error.type"] == "Broken"
    assert root.resource.attributes["service.name"] == "kaidan"
    exporter.close()
