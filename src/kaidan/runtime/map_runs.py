"""What the engine does for Distributed Maps: starts children, reads items, writes results, and keeps count.

Children are executions like others, but for their names: a child's name is its Map Run's and its number, so that
starting one twice is starting the same. The engine's thread; reading and writing happen in threads of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

import msgspec

from kaidan.asl.machine.execution import Execution
from kaidan.errors import ITEM_READER_FAILED, RESULT_WRITER_FAILED
from kaidan.integrations.items import Unreadable, open_items
from kaidan.integrations.storage import Storage, StorageError
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.runtime import keeping, results
from kaidan.runtime.pages import Page, Pages
from kaidan.runtime.pool import Pool
from kaidan.runtime.redrivable import refusal
from kaidan.runtime.results import Destination, Export, Unwritable
from kaidan.runtime.run import MapRun, Run
from kaidan.store.contract import Row
from kaidan.values import Payload

if TYPE_CHECKING:
    from kaidan.runtime.engine import Engine

MAP_RUN, PENDING = "mapRun", "mapRunPending"
"""The kinds of the documents that Map Runs, and inputs of children that were never started, are kept as."""

CHILDREN_PAGE = 500
"""How many children are read from the store in one go."""

THREADS_MAX = 16

Effect: TypeAlias = (
    fx.StartMapRun
    | fx.RedriveMapRun
    | fx.MapRunItems
    | fx.OpenResults
    | fx.FetchItems
    | fx.FetchFailures
    | fx.StartChild
    | fx.ContinueMapRun
    | fx.CancelChild
    | fx.CloseMapRun
)

Action: TypeAlias = Callable[[], None]


class Names(NamedTuple):
    """What the names and ARNs of a Map Run's children are made of, and their machine's ARN."""

    machine_arn: str
    before: str
    stem: str
    after: str

    @classmethod
    def of(cls, map_run: MapRun) -> Names:
        prefix, _, uuid = map_run.arn.rpartition(":")
        machine_arn = prefix.replace(":mapRun:", ":stateMachine:", 1)
        kind, after = ("express", f":{uuid}") if map_run.effect.express else ("execution", "")
        return cls(machine_arn, prefix.replace(":mapRun:", f":{kind}:", 1) + ":", uuid[:24], after)

    def name(self, index: int) -> str:
        """A UUID whose last part is the child's number."""
        return f"{self.stem}{index:012x}"

    def arn(self, index: int) -> str:
        return f"{self.before}{self.stem}{index:012x}{self.after}"


class MapRuns:
    """All Map Runs that the engine knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.runs: dict[str, MapRun] = {}
        self.storage: Storage | None = None
        """Where items are read from and results are written to."""
        self._names: dict[str, Names] = {}
        self._pages: dict[str, Pages] = {}
        self._changed: set[str] = set()
        self._pending_of: dict[str, list[str]] = {}
        self._telling: dict[tuple[str, int], Run] = {}
        """A parent and its request → the child that has ended, until the parent has heard of it."""
        self._writing: dict[str, list[Action]] = {}
        """Map Runs of which something is being written → what is to be written after that."""
        self._pool = Pool(engine, THREADS_MAX, "kaidan-map")

    # --- keeping ------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Put what has changed into the store's next transaction."""
        store = self._engine.store
        if store is not None:
            for arn in self._changed:
                store.put(MAP_RUN, arn, keeping.encode(self.runs[arn]))
        self._changed.clear()

    def change(self, map_run: MapRun) -> None:
        """It is to be saved, even when nothing else is."""
        if not self._changed:
            self._engine.once_saved(_nothing)
        self._changed.add(map_run.arn)

    def recover(self) -> None:
        """Take up what the store says was going on."""
        store = self._engine.store
        assert store is not None
        for key, data in store.documents(MAP_RUN):
            self.runs[key] = msgspec.msgpack.decode(data, type=MapRun)
        for map_run in self.runs.values():
            if map_run.status == "RUNNING":
                self._engine.post(map_run.execution_arn, ev.MapRunResumed(map_run.arn))
            else:
                self._write_abandoned(map_run)

    def forget(self, before_ms: int) -> None:
        """Forget those whose execution is gone."""
        closed = [each for each in self.runs.values() if 0 < each.stop_ms < before_ms]
        for map_run in closed:
            if self._engine.find(map_run.execution_arn) is None:
                del self.runs[map_run.arn]
                self._names.pop(map_run.arn, None)
                self._changed.discard(map_run.arn)
                self._pending_of.pop(map_run.arn, None)
                self._drop(MAP_RUN, map_run.arn)
                self._drop(PENDING, map_run.arn)

    def _drop(self, kind: str, arn: str) -> None:
        if self._engine.store is not None:
            self._engine.store.drop(kind, arn)
            self._engine.once_saved(_nothing)

    def close(self) -> None:
        """Let go of the threads without waiting for calls that hang."""
        self._pool.close()

    # --- effects ------------------------------------------------------------------------------------------

    def carry_out(self, run: Run, effect: Effect) -> None:
        match effect:
            case fx.StartChild():
                self._start_child(run, effect)
            case fx.StartMapRun():
                started = MapRun(effect.map_run_arn, run.execution.arn, effect, self._engine.clock.now_ms())
                started.item_count = effect.item_count
                self.runs[started.arn] = started
                self.change(started)
            case fx.RedriveMapRun():
                self._redrive(self.runs[effect.map_run_arn])
            case fx.MapRunItems():
                map_run = self.runs[effect.map_run_arn]
                map_run.item_count = effect.item_count
                self.change(map_run)
            case fx.FetchItems():
                self._fetch_items(run.execution.arn, effect)
            case fx.FetchFailures():
                self._engine.once_saved(lambda: self._fetch_failures(run.execution.arn, effect))
            case fx.OpenResults():
                self._engine.once_saved(lambda: self._open_results(run.execution.arn, effect))
            case fx.ContinueMapRun():
                self._engine.post(run.execution.arn, ev.MapRunContinued(effect.map_run_arn))
            case fx.CancelChild():
                self._cancel_child(effect)
            case fx.CloseMapRun():
                self._close(run.execution.arn, effect)
            case _:
                assert_never(effect)

    def update(self, map_run: MapRun) -> None:
        """The settings of a running Map Run were changed: keep them, and tell the state that waits for its children."""
        self.change(map_run)
        effect = map_run.effect
        counts = (effect.tolerated_failure_count, effect.tolerated_failure_percentage)
        self._engine.post(map_run.execution_arn, ev.MapRunUpdated(map_run.arn, effect.max_concurrency, *counts))

    # --- children -----------------------------------------------------------------------------------------

    def names(self, map_run: MapRun) -> Names:
        names = self._names.get(map_run.arn)
        if names is None:
            names = self._names[map_run.arn] = Names.of(map_run)
        return names

    def _start_child(self, parent: Run, effect: fx.StartChild) -> None:
        map_run = self.runs[effect.map_run_arn]
        if effect.input is None:
            return self._start_again(map_run, effect)
        names, execution = self.names(map_run), parent.execution
        child = Execution(
            arn=names.arn(effect.index),
            name=names.name(effect.index),
            machine_arn=names.machine_arn,
            machine_name=execution.machine_name,
            role_arn=execution.role_arn,
            input=effect.input,
            start_ms=self._engine.clock.now_ms(),
            region=execution.region,
            definition=execution.definition,
            scope=map_run.effect.scope,
            child_index=effect.index,
            child_items=effect.items,
            attempt=map_run.redrive_count,
            express=map_run.effect.express,
            case=execution.case,
        )
        map_run.started(effect.items)
        self.change(map_run)
        run = Run(parent.machine, child, map_run_arn=map_run.arn, parent_request=effect.request_id)
        return self._engine.start(run)

    def _start_again(self, map_run: MapRun, effect: fx.StartChild) -> None:
        """A redrive: an Express child begins anew, a Standard one goes on. One that has succeeded meanwhile, or that
        cannot go on, only says so."""
        child = self._engine.resident(self.names(map_run).arn(effect.index))
        if child is None:
            closed = ev.ChildClosed(effect.request_id, "FAILED", effect.items)
            return self._engine.post(map_run.execution_arn, closed)
        child.undelivered, child.parent_request = False, effect.request_id
        self._engine.change(child)
        execution = child.execution
        status, items = execution.status, execution.child_items
        if status == "RUNNING":
            return None
        if status == "SUCCEEDED":
            return self.tell(child)
        self.change(map_run)
        execution.attempt = map_run.redrive_count
        now_ms = self._engine.clock.now_ms()
        if refusal(execution, now_ms) is not None:
            map_run.refused(status, items)
            return self.tell(child)
        map_run.started_again(status, items)
        if not execution.express:
            return self._engine.redrive(execution.arn)
        execution.begin_again(now_ms)
        return self._engine.start(child)

    def _cancel_child(self, effect: fx.CancelChild) -> None:
        """Nobody waits for its end any more. An Express child goes on."""
        map_run = self.runs[effect.map_run_arn]
        child = self._engine.resident(self.names(map_run).arn(effect.index))
        if child is not None:
            child.undelivered, child.parent_request = False, 0
            self._engine.change(child)
            if not map_run.effect.express:
                self._engine.stop(child.execution.arn, None, f"{_ABORTED_BY} [{map_run.arn}] {_ABORTED}")

    def child_ended(self, child: Run) -> None:
        """An execution has closed: if it is the child of a Map Run, that counts it, and its parent hears of it."""
        map_run = self.runs.get(child.map_run_arn or "")
        if map_run is None:
            return
        map_run.ended(child.execution.status, child.execution.child_items)
        self.change(map_run)
        if child.parent_request:
            self.tell(child)
        self._write_abandoned(map_run)

    def tell(self, child: Run) -> None:
        """Tell the parent of a child's end before all else, so that this and what follows are mostly saved together."""
        map_run = self.runs[child.map_run_arn or ""]
        execution, effect = child.execution, map_run.effect
        result: Payload | None = None
        if effect.writer is None:
            plain = execution.status == "SUCCEEDED" and effect.transformation != "NONE"
            result = execution.output if plain else Payload(results.record(execution, self._engine.clock.now_ms()))
        child.undelivered = True
        self._telling[map_run.execution_arn, child.parent_request] = child
        closed = ev.ChildClosed(child.parent_request, execution.status, execution.child_items, result)
        self._engine.post(map_run.execution_arn, closed, first=True)

    def told(self, parent_arn: str, request_id: int) -> None:
        """A parent knows that one of its children has ended."""
        child = self._telling.pop((parent_arn, request_id), None)
        if child is not None and child.parent_request == request_id:
            child.undelivered, child.parent_request = False, 0
            self._engine.change(child)

    def ancestor(self, run: Run) -> Run:
        """The execution that somebody started: of a child, that whose Map Run it belongs to, or whose Map Run's …"""
        while run.map_run_arn is not None:
            parent = self._engine.resident(self.runs[run.map_run_arn].execution_arn)
            if parent is None:
                break
            run = parent
        return run

    def holds(self, run: Run) -> bool:
        """Whether an execution is the child of a Map Run that is kept: then it is kept too."""
        return run.map_run_arn in self.runs

    def _redrive(self, map_run: MapRun) -> None:
        map_run.status, map_run.stop_ms, map_run.abandoned, map_run.written = "RUNNING", 0, False, False
        map_run.redrive_count, map_run.redrive_ms = map_run.redrive_count + 1, self._engine.clock.now_ms()
        map_run.queue()
        self._pages.pop(map_run.arn, None)
        self.change(map_run)

    def _fetch_failures(self, arn: str, effect: fx.FetchFailures) -> None:
        attempt = self.runs[effect.map_run_arn].redrive_count
        children = self._children(effect.map_run_arn, succeeded=False, after=effect.after)
        found = list(islice(((number, each) for number, each in children if each.attempt < attempt), CHILDREN_PAGE))
        failures = [(number, child.child_index, child.child_items) for number, child in found]
        self._engine.post(arn, ev.FailuresFetched(effect.request_id, failures, last=len(found) < CHILDREN_PAGE))

    def failures(self, map_run_arn: str) -> Iterator[Execution]:
        """A Map Run's children that have ended without success, in their order."""
        return (child for _, child in self._children(map_run_arn, succeeded=False))

    def _children(self, map_run_arn: str, *, succeeded: bool, after: int = 0) -> Iterator[tuple[int, Execution]]:
        """A Map Run's children that have ended, well or not, in their order, each with its number."""
        store = self._engine.store
        if store is None:
            for number, run in enumerate(list(self._engine.runs.values()), 1):
                if number > after and run.map_run_arn == map_run_arn and _has_ended(run.execution, succeeded):
                    yield number, run.execution
            return
        rows: list[Row] | None = None
        while rows is None or len(rows) == CHILDREN_PAGE:
            rows = store.children(map_run_arn, succeeded, after, CHILDREN_PAGE)
            for row in rows:
                after = row.number
                yield row.number, keeping.execution_of(row)

    # --- items --------------------------------------------------------------------------------------------

    def _fetch_items(self, arn: str, effect: fx.FetchItems) -> None:
        storage = self.storage
        if storage is None:
            cause = f"Nothing here reads {effect.reader['Resource']}"
            return self._engine.post(arn, ev.MapRunBroken(effect.request_id, ITEM_READER_FAILED, cause))
        pages = self._pages.get(effect.map_run_arn)
        if pages is None:
            reader = effect.reader
            pages = Pages(lambda position: open_items(reader, position, storage), self._pool)
            self._pages[effect.map_run_arn] = pages

        def take(page: Page) -> None:
            self._engine.post(arn, ev.ItemsFetched(effect.request_id, page.items, page.last))

        def failed(problem: BaseException) -> None:
            self._engine.post(arn, ev.MapRunBroken(effect.request_id, ITEM_READER_FAILED, _words(problem)))

        return pages.fetch(effect.position, take, failed)

    # --- results ------------------------------------------------------------------------------------------

    def _open_results(self, arn: str, effect: fx.OpenResults) -> None:
        map_run = self.runs[effect.map_run_arn]

        def opened(_: None) -> None:
            self._leave(map_run)
            self._engine.post(arn, ev.ResultsOpened(effect.request_id))

        def failed(problem: BaseException) -> None:
            self._leave(map_run)
            self._engine.post(arn, ev.MapRunBroken(effect.request_id, RESULT_WRITER_FAILED, _words(problem)))

        self._in_turn(map_run, lambda: self._pool.do(lambda: self._destination(map_run).open(), opened, failed))

    def _in_turn(self, map_run: MapRun, work: Action) -> None:
        """Begin to write when nothing else of the Map Run is being written: then its files are one's own, until
        `_leave`."""
        if map_run.arn in self._writing:
            self._writing[map_run.arn].append(work)
        else:
            self._writing[map_run.arn] = []
            work()

    def _leave(self, map_run: MapRun) -> None:
        waiting = self._writing[map_run.arn]
        if waiting:
            waiting.pop(0)()
        else:
            del self._writing[map_run.arn]

    def _destination(self, map_run: MapRun) -> Destination:
        return Destination(map_run, self.storage)

    def _close(self, arn: str, effect: fx.CloseMapRun) -> None:
        map_run = self.runs[effect.map_run_arn]
        self._pages.pop(map_run.arn, None)
        self.change(map_run)
        if effect.request_id:
            self._keep_pending(map_run, effect)
            self._write(map_run, lambda problem: self._written(arn, effect, problem))
            return
        self._end(map_run, effect.status)
        if effect.status == "ABORTED" and map_run.effect.writer is not None:
            map_run.abandoned = True
            self._keep_pending(map_run, effect)
            self._write_abandoned(map_run)

    def _end(self, map_run: MapRun, status: str) -> None:
        map_run.status, map_run.stop_ms = status, self._engine.clock.now_ms()
        map_run.written = map_run.written or (status != "ABORTED" and map_run.effect.writer is None)
        map_run.unqueue()
        self.change(map_run)

    def _keep_pending(self, map_run: MapRun, effect: fx.CloseMapRun) -> None:
        pending = [input.text for input, _ in effect.pending]
        self._pending_of[map_run.arn] = pending
        if self._engine.store is not None and pending:
            self._engine.store.put(PENDING, map_run.arn, msgspec.msgpack.encode(pending))

    def _take_pending(self, map_run: MapRun) -> list[str]:
        pending = self._pending_of.pop(map_run.arn, None)
        store = self._engine.store
        if pending is None and store is not None:
            data = store.get(PENDING, map_run.arn)
            pending = msgspec.msgpack.decode(data, type=list[str]) if data is not None else None
        return pending or []

    def _write(self, map_run: MapRun, done: Callable[[str | None], None]) -> None:
        """Write all results of this attempt once what they are is saved, then call `done` with what went wrong."""
        attempt = map_run.redrive_count

        def finish(problem: str | None) -> None:
            self._leave(map_run)
            if map_run.redrive_count == attempt:
                done(problem)

        self._engine.once_saved(lambda: self._in_turn(map_run, lambda: self._export(map_run, attempt, finish)))

    def _export(self, map_run: MapRun, attempt: int, done: Callable[[str | None], None]) -> None:
        if map_run.written or map_run.redrive_count != attempt:
            return done(None)

        def children(succeeded: bool) -> Iterator[Execution]:
            found = (child for _, child in self._children(map_run.arn, succeeded=succeeded))
            return found if not succeeded else (each for each in found if each.attempt >= map_run.exported)

        def begin(destination: Destination) -> None:
            now_ms = self._engine.clock.now_ms()
            export = Export(destination, children, self._take_pending(map_run), map_run.files, now_ms)

            def go_on(_: None = None) -> None:
                if map_run.redrive_count != attempt:
                    return give_up(None)
                step = export.next_step()
                if step is not None:
                    return self._pool.do(step, go_on, failed)
                map_run.files, map_run.exported, map_run.written = export.files["SUCCEEDED"], attempt + 1, True
                self.change(map_run)
                self._drop(PENDING, map_run.arn)
                return done(None)

            def failed(problem: BaseException) -> None:
                give_up(_words(problem))

            def give_up(problem: str | None) -> None:
                self._pool.do(export.abort, lambda _: done(problem), lambda _: done(problem))

            go_on()

        return self._pool.do(lambda: self._destination(map_run), begin, lambda problem: done(_words(problem)))

    def _written(self, arn: str, effect: fx.CloseMapRun, problem: str | None) -> None:
        map_run = self.runs[effect.map_run_arn]
        if map_run.status != "RUNNING":  # it was stopped meanwhile
            return
        if problem is not None:
            self._engine.post(arn, ev.MapRunBroken(effect.request_id, RESULT_WRITER_FAILED, problem))
        else:
            self._end(map_run, effect.status)
            self._engine.post(arn, ev.MapRunClosed(effect.request_id, self._destination(map_run).output))

    def _write_abandoned(self, map_run: MapRun) -> None:
        """When the last child of a Map Run has ended whose execution was stopped, write the results: nobody waits for
        them, and nobody hears of problems."""

        def done(problem: str | None) -> None:
            map_run.abandoned = False
            self.change(map_run)

        if map_run.abandoned and not map_run.running():
            self._write(map_run, done)


_ABORTED_BY = "The map run execution"
_ABORTED = "which was managing this resource was aborted"


def _nothing() -> None:
    pass


def _has_ended(execution: Execution, succeeded: bool) -> bool:
    return execution.status != "RUNNING" and (execution.status == "SUCCEEDED") == succeeded


def _words(problem: BaseException) -> str:
    """What went wrong, for the cause of an error."""
    foreseen = isinstance(problem, (Unreadable, Unwritable, StorageError))
    return str(problem) if foreseen else f"{type(problem).__name__}: {problem}"
