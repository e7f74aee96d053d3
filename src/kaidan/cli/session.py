"""One execution, from its definition to what is said of its end. `run.py` has the options, this is what they mean."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kaidan.asl.language import Definition
from kaidan.cli import account, runs
from kaidan.cli.compose import Embedded, Work, distributes, services, tasks, unsupported
from kaidan.cli.console import reporter, waiting
from kaidan.cli.exits import Exit
from kaidan.cli.findings import Checked, as_text, counted
from kaidan.cli.inputs import load_definition, machine_name
from kaidan.cli.problems import Refusal, say, tell
from kaidan.cli.signals import stopping
from kaidan.cli.summary import outcome, pretty, summary
from kaidan.emulate import Emulator
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.files import FileError
from kaidan.integrations.world import World, read_world
from kaidan.limits import AWS
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run
from kaidan.store.contract import Store, StoreError
from kaidan.store.sqlite import SqliteStore
from kaidan.values import JSON, Payload

if TYPE_CHECKING:
    from kaidan.cli.run import Options


CANCEL_S = 2.0
"""How long the end waits for cancelled work to be cancelled where it is done, in real time."""


def run_once(options: Options, payload: Payload, values: dict[str, JSON], emulator: Emulator | None) -> Exit:
    """Load, run, keep, report. Raises Refusal when nothing could be run."""
    world = _world(options)
    mocked = _mocked(options, world)
    try:
        definition = load_definition(options.definition, values, options.workflow_type)
        every = list(tasks(definition.source.value))
        work = [each for each in every if each.state not in mocked]
        if findings := unsupported(work):
            raise DefinitionError([definition.source.placed(finding) for finding in findings])
    except DefinitionError as problem:
        _say(options, problem.diagnostics)
        return Exit.INVALID_DEFINITION
    _say(options, definition.warnings)
    for state in sorted(mocked - {each.state for each in every}):
        tell("warning", f"{options.mocks}: the test case {options.case} answers '{state}', which is no Task here")
    if any(each.resource.pattern == ".waitForTaskToken" for each in work):
        tell("warning", "a task waits for its token to come back, and nobody can send it to this process")
    clients = _clients(options, work, emulator)
    try:
        with ExitStack() as cleanup:
            store = cleanup.enter_context(_spool()) if distributes(definition.source.value) else None
            embedded = Embedded(clients, skip_waits=options.skip_waits, world=world, store=store)
            run = _run(options, definition, payload, cleanup.enter_context(closing(embedded)))
    except StoreError as problem:
        raise Refusal(f"the executions of a Distributed Map cannot be kept: {problem}") from None
    return Exit[run.execution.status]


@contextmanager
def _spool() -> Iterator[Store]:
    """Where the child executions of Distributed Maps are kept as long as this process needs them: a file, since there
    may be millions. Raises StoreError."""
    with (
        tempfile.TemporaryDirectory(prefix="kaidan-") as folder,
        closing(SqliteStore(Path(folder) / "executions.db", synchronous="OFF")) as store,
    ):
        yield store


def _run(options: Options, definition: Definition, payload: Payload, embedded: Embedded) -> Run:
    """The whole history is collected here: the engine lets go of what is stored or not to be kept."""
    run = _start(options, definition, payload, embedded)
    history: deque[HistoryEvent] = deque(maxlen=AWS.history_events_max)
    embedded.engine.listen(lambda of, event: history.append(event) if of is run else None)
    began = time.monotonic()
    _drive(options, embedded.engine, run)
    real_ms = round((time.monotonic() - began) * 1000)
    embedded.engine.save()
    run.history = list(history)
    _keep(options, run)
    _report(options, embedded.engine, run, definition, real_ms)
    return run


def _say(options: Options, findings: Sequence[Diagnostic]) -> None:
    checked = Checked(str(options.definition), tuple(findings))
    for line in as_text([checked]):
        click.echo(line, err=True)
    if errors := checked.count("ERROR"):
        click.echo(f"{counted(errors, 'error')}: nothing was run", err=True)


def _clients(options: Options, work: list[Work], emulator: Emulator | None) -> ClientFactory:
    needed = services(work)
    if emulator is not None:
        with nullcontext() if options.as_json else waiting("Starting the emulated AWS"):
            return account.clients_of(emulator, needed)
    settings = AwsSettings(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
    return account.own_clients(settings, options.role_arn, needed=bool(needed))


def _start(options: Options, definition: Definition, payload: Payload, embedded: Embedded) -> Run:
    return embedded.start(
        definition.program,
        payload,
        machine_name=machine_name(options.definition),
        name=options.name,
        role_arn=options.role_arn,
        express=options.workflow_type == "EXPRESS",
        case=options.case,
    )


def _world(options: Options) -> World:
    try:
        return read_world(options)
    except FileError as problem:
        raise Refusal(str(problem)) from None


def _mocked(options: Options, world: World) -> frozenset[str]:
    """The states that the test case answers. Raises Refusal when there is no such case."""
    if world.mocks is None or options.case is None:
        return frozenset()
    try:
        return frozenset(world.mocks.of_case(machine_name(options.definition), options.case))
    except FileError as problem:
        raise Refusal(str(problem)) from None


def _drive(options: Options, engine: Engine, run: Run) -> None:
    """Let the engine run until the execution has ended, one way or another."""
    execution, calls_left = run.execution, [0]

    def stop(cause: str) -> None:
        calls_left[0] = engine.busy  # Calls that nobody waits for any more: they may take for ever.
        engine.stop(execution.arn, None, cause)

    with nullcontext() if options.as_json else closing(reporter(engine, run)), stopping(engine, stop):
        deadline = None if options.timeout_s is None else time.monotonic() + options.timeout_s
        if not engine.run_until(lambda: execution.status != "RUNNING", options.timeout_s):
            late = deadline is not None and time.monotonic() >= deadline
            stop(f"Stopped by --timeout {options.timeout_s:g}" if late else _stuck(run))
        engine.run_until(lambda: False, 0)
        engine.run_until(lambda: engine.busy <= calls_left[0], CANCEL_S)


def _stuck(run: Run) -> str:
    waiting = sorted({frame.state for frame in run.execution.frames.values() if frame.waiting == "task"})
    return f"Nothing is left that could happen: {', '.join(waiting) or 'a state'} waits for somebody to answer"


def _keep(options: Options, run: Run) -> None:
    """Write the history where it is wanted, and among those that are kept."""
    record = runs.record_of(run, options.definition)
    try:
        runs.keep(record, run.execution.start_ms)
    except OSError as problem:
        tell("warning", f"the history was not kept: {problem}")
    if options.history is not None:
        try:
            options.history.write_text(pretty({"events": record["events"]}) + "\n", encoding="utf-8")
        except OSError as problem:
            tell("warning", f"--history {options.history}: cannot be written: {problem.strerror}")


def _report(options: Options, engine: Engine, run: Run, definition: Definition, real_ms: int) -> None:
    if options.as_json:
        say(pretty(outcome(run)))
        return
    say("")
    for line in summary(engine, run, definition, real_ms if options.skip_waits else None):
        say(line)
