"""Executions as OpenTelemetry traces: one for each execution, its child executions in it, exported when it has ended.

Where traces go is said by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, …). Trace
and span ids follow from ARNs and event ids; an execution that was started with an X-Ray trace header is part of that
trace. Needs the packages of the extra `otel`, which are imported with the first use. Spans carry no execution data.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from kaidan.observe.spans import Span, spans_of
from kaidan.protocol.history import ENDS, HistoryEvent
from kaidan.runtime.engine import Engine
from kaidan.runtime.run import Run

DEPTH_MAX = 32
"""Map Runs inside Map Runs: how far up the first execution is looked for."""

CAUSE_CHARS_MAX = 1_000


class TracesUnavailable(Exception):
    """Traces were asked for and cannot be had; the message says why."""


class Ended(NamedTuple):
    """An execution that has ended. `root_arn`: the first execution, where this is a Map Run's child."""

    arn: str
    name: str
    machine_arn: str
    root_arn: str
    map_run_arn: str | None
    trace_header: str | None
    history: list[HistoryEvent]


Receive: TypeAlias = Callable[[list[Ended]], object]


class Traces:
    """A listener of the engine: hands executions on that have ended, once that is saved."""

    def __init__(self, engine: Engine, receive: Receive) -> None:
        self._engine = engine
        self._receive = receive
        engine.listen(self, ENDS)

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        ended = self._ended(run)
        if ended.trace_header is None or "Sampled=0" not in ended.trace_header:
            self._engine.once_saved(lambda: self._hand_on(ended))

    def _hand_on(self, ended: Ended) -> None:
        self._receive([ended])

    def _ended(self, run: Run) -> Ended:
        execution, (root_arn, header) = run.execution, self._root(run)
        name = execution.machine_name
        history = list(self._engine.events(run))
        return Ended(execution.arn, name, execution.machine_arn, root_arn, run.map_run_arn, header, history)

    def _root(self, run: Run) -> tuple[str, str | None]:
        """The ARN and the trace header of the execution that all began with."""
        for _ in range(DEPTH_MAX):
            map_run = self._engine.map_runs.get(run.map_run_arn) if run.map_run_arn is not None else None
            parent = self._engine.find(map_run.execution_arn) if map_run is not None else None
            if parent is None:
                break
            run = parent
        return run.execution.arn, run.execution.trace_header


def weight(ended: Ended) -> int:
    """About how many bytes it keeps alive."""
    return 1_000 * len(ended.history)


# --- ids --------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"(?:^|;)\s*Root=1-(?P<time>[0-9a-fA-F]{8})-(?P<rest>[0-9a-fA-F]{24})")
_PARENT = re.compile(r"(?:^|;)\s*Parent=([0-9a-fA-F]{16})")


def trace_id(ended: Ended) -> int:
    """128 bits: those of the X-Ray header, or of the first execution's ARN."""
    found = _HEADER.search(ended.trace_header or "")
    return int(found["time"] + found["rest"], 16) if found else _hashed(ended.root_arn, 16)


def span_id(ended: Ended, span: Span) -> int:
    """64 bits. A Map Run's span is known by its ARN, so that its children find it."""
    return _hashed(span.key if span.kind == "map run" else f"{ended.arn}#{span.key}", 8)


def parent_id(ended: Ended, span: Span) -> int | None:
    """The span around; of a child execution its Map Run's, of the first one the caller's."""
    if span.inside is not None:
        return span_id(ended, span.inside)
    if ended.map_run_arn is not None:
        return _hashed(ended.map_run_arn, 8)
    found = _PARENT.search(ended.trace_header or "")
    return int(found[1], 16) if found and _HEADER.search(ended.trace_header or "") else None


def _hashed(text: str, size: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest()) or 1


# --- OpenTelemetry ----------------------------------------------------------------------------------------

EXPORTERS = {
    "otlp": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "OTLPSpanExporter"),
    "console": ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
}
"""What OTEL_TRACES_EXPORTER can say; `none` and OTEL_SDK_DISABLED=true turn traces off."""

EXPORT_MAX = 512
"""Spans of one request."""


class Exporter:
    """Makes spans of executions and exports them. Raises TracesUnavailable where that cannot work."""

    def __init__(self, exporter: Any = None) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        except ImportError:
            raise TracesUnavailable("traces need OpenTelemetry: pip install 'kaidan[otel]'") from None
        found = Resource.create()
        if str(found.attributes["service.name"]).startswith("unknown_service"):
            found = found.merge(Resource({"service.name": "kaidan"}))
        self._resource = found
        self._scope = InstrumentationScope("kaidan")
        self._exporter = exporter if exporter is not None else _configured()

    def __call__(self, executions: list[Ended]) -> None:
        """Raises what the exporter raises, and OSError when it could not export."""
        spans = [span for ended in executions for span in self._spans(ended)]
        failed = 0
        for first in range(0, len(spans), EXPORT_MAX):
            if self._exporter.export(spans[first : first + EXPORT_MAX]).name != "SUCCESS":
                failed += 1
        if failed:
            raise OSError(f"{failed} exports failed")

    def close(self) -> None:
        self._exporter.shutdown()

    def _spans(self, ended: Ended) -> Iterator[Any]:
        for span in spans_of(ended.history, ended.name):
            yield self._readable(ended, span)

    def _readable(self, ended: Ended, span: Span) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

        def context(id: int | None) -> Any:
            return SpanContext(trace_id(ended), id, is_remote=False, trace_flags=TraceFlags(1)) if id else None

        return ReadableSpan(
            name=span.name,
            context=context(span_id(ended, span)),
            parent=context(parent_id(ended, span)),
            resource=self._resource,
            attributes=attributes(ended, span),
            kind=SpanKind.CLIENT if span.kind == "task" else SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            status=_status(span),
            start_time=span.start_ms * 1_000_000,
            end_time=span.end_ms * 1_000_000,
        )


def attributes(ended: Ended, span: Span) -> dict[str, str | int | bool]:
    """What a span says of itself: names and ARNs, no data."""
    found: dict[str, str | int | bool] = {"aws.states.execution.arn": ended.arn, **span.attributes}
    if span.kind == "execution":
        found["aws.states.state_machine.arn"] = ended.machine_arn
    if span.kind == "state":
        found |= {"aws.states.state.name": span.name, "aws.states.state.type": span.type}
    if span.error:
        found["error.type"] = span.error
    if span.caught:
        found["aws.states.caught"] = span.caught
    if span.aborted:
        found["aws.states.aborted"] = True
    return found


def _status(span: Span) -> Any:
    from opentelemetry.trace import Status, StatusCode

    if span.error is None:
        return Status(StatusCode.UNSET)
    said = ": ".join(part for part in (span.error, span.cause) if part)
    return Status(StatusCode.ERROR, said[:CAUSE_CHARS_MAX] or None)


def enabled() -> bool:
    """Whether OpenTelemetry's variables leave traces on."""
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none"


def _configured() -> Any:
    from importlib import import_module

    name = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if name not in EXPORTERS:
        known = ", ".join([*EXPORTERS, "none"])
        raise TracesUnavailable(f"OTEL_TRACES_EXPORTER={name}: must be one of {known}")
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if name == "otlp" and protocol not in (None, "", "http/protobuf"):
        raise TracesUnavailable(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: only http/protobuf is there")
    module, class_name = EXPORTERS[name]
    try:
        return getattr(import_module(module), class_name)()
    except ImportError:
        raise TracesUnavailable("traces need OpenTelemetry: pip install 'kaidan[otel]'") from None
