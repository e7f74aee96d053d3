"""All that is observed of a process: put together from what its settings say, and taken apart at the end.

observer = Observer(clients, logs=["cloudwatch"], events=["https://example.com/hook"], traces=False)
observer.watch(engine, logging_of)      for each engine
observer.metrics()                      the text for Prometheus
observer.close()
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from kaidan.asl.machine.execution import Execution
from kaidan.integrations.clients import AwsSettings, ClientFactory, environment_endpoint
from kaidan.observe import log_sinks, status_sinks
from kaidan.observe import logs as log_records
from kaidan.observe import status as status_changes
from kaidan.observe import traces as tracing
from kaidan.observe.delivery import Delivery
from kaidan.observe.files import RotatedFile
from kaidan.observe.metrics import CONTENT_TYPE, Metrics, lost_lines
from kaidan.observe.targets import BUS, CLOUDWATCH, STDOUT, WEB, event_target, log_target
from kaidan.runtime.engine import Engine

__all__ = ["CLOSE_S", "CONTENT_TYPE", "Observer"]

CLOSE_S = 5.0
"""How long what is left may take to be delivered at the end, all receivers together."""

LoggingOf: TypeAlias = Callable[[Execution], log_records.Logging]


class Observer:
    """Watches engines of one thread; what is slow happens on threads of its own."""

    def __init__(
        self,
        clients: ClientFactory,
        *,
        logs: Sequence[str] = (),
        events: Sequence[str] = (),
        traces: bool = False,
    ) -> None:
        """Raises ValueError for a target that is none or cannot be written, TracesUnavailable."""
        self._clients = clients
        self._metrics = Metrics()
        self._deliveries: list[Delivery[Any]] = []
        self._exporter: tracing.Exporter | None = None
        self._logs = [self._log(log_target(target)) for target in logs]
        self._events = [self._event(event_target(target)) for target in events]
        self._traces = self._trace() if traces and tracing.enabled() else None

    def watch(self, engine: Engine, logging_of: LoggingOf) -> None:
        """Observe an engine that has not gone on yet with what it recovered."""
        self._metrics.watch(engine)
        if self._logs:
            log_records.Logs(engine, logging_of, self._logs)
        if self._events:
            status_changes.StatusChanges(engine, self._events)
        if self._traces is not None:
            tracing.Traces(engine, self._traces)

    def metrics(self) -> str:
        """For Prometheus; its content type is CONTENT_TYPE."""
        lost = lost_lines((delivery.name, delivery.lost) for delivery in self._deliveries)
        return self._metrics.render() + "".join(f"{line}\n" for line in lost)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Deliver what is left, as far as the time allows."""
        until = time.monotonic() + timeout_s
        for delivery in self._deliveries:
            delivery.close(max(0.0, until - time.monotonic()))
        if self._exporter is not None:
            self._exporter.close()

    # --- targets ------------------------------------------------------------------------------------------

    def _log(self, target: str) -> Delivery[log_records.LogEntry]:
        sink: log_records.Receive
        if target == STDOUT:
            sink = log_sinks.StreamLog(sys.stdout)
        elif target == CLOUDWATCH:
            sink = log_sinks.CloudWatchLog(self._clients)
        else:
            sink = log_sinks.FileLog(_writable(target))
        delivery = Delivery(f"logs to {target}", sink, log_records.weight)
        self._deliveries.append(delivery)
        return delivery

    def _event(self, target: str) -> Delivery[status_changes.StatusChange]:
        delivery: Delivery[status_changes.StatusChange] = Delivery(
            f"events to {_public(target)}", lambda changes: sink(changes), status_changes.weight
        )
        sink = self._event_sink(target, delivery.pause)
        self._deliveries.append(delivery)
        return delivery

    def _event_sink(self, target: str, pause: status_sinks.Pause) -> status_changes.Receive:
        if target.startswith(WEB):
            return status_sinks.Webhook(target, pause)
        if target.startswith(BUS):
            source = status_sinks.default_source(_endpoint(self._clients.settings))
            return status_sinks.EventBus(self._clients, target.removeprefix(BUS), pause, source)
        return status_sinks.StreamEvents(sys.stdout) if target == STDOUT else status_sinks.FileEvents(_writable(target))

    def _trace(self) -> Delivery[tracing.Ended]:
        self._exporter = tracing.Exporter()
        delivery = Delivery("traces", self._exporter, tracing.weight)
        self._deliveries.append(delivery)
        return delivery


def _writable(target: str) -> Path:
    """A file that can be written: better said at the start than with every record. Raises ValueError."""
    path = Path(target).expanduser()
    try:
        RotatedFile(path).touch()
    except OSError as problem:
        raise ValueError(f"{path}: cannot be written: {problem.strerror}") from None
    return path


def _public(target: str) -> str:
    """The address without what may be a secret in it: user, password, path."""
    if "://" not in target:
        return target
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.hostname}"


def _endpoint(settings: AwsSettings) -> str | None:
    return settings.endpoint_urls.get("events") or settings.endpoint_url or environment_endpoint("events")
