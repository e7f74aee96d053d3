"""What the machine does for a Map in Distributed mode: its Map Run, from the first page of items to the last result.

    start → (results can be written?) → items, page by page → children → (results are written) → the state's output

Child executions are the world's to run, items its to read, results its to write: the machine decides what is begun
when, counts what failed, and keeps where it is as plain data, so that it goes on after a restart. Where events point
back to is as recorded: MapRunRedriven to MapStateStarted, MapStateExited to MapRunStarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from kaidan import errors
from kaidan.arns import Arn
from kaidan.asl.machine import tasks
from kaidan.asl.machine.execution import Container, Dispatch, Frame, Shelf
from kaidan.asl.states.distributed import Tolerance
from kaidan.asl.states.map import Map
from kaidan.asl.states.visit import Visit
from kaidan.errors import StateError
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.values import JSON, Payload, check_depth, dumps

if TYPE_CHECKING:
    from kaidan.asl.machine.advance import Turn

STARTS_MAX = 100
"""How many children are started in one turn."""

EXCEEDED = "The specified tolerated failure threshold was exceeded"


class MapRun:
    """One call's view of a frame with a Map Run."""

    __slots__ = ("container", "frame", "run", "shelf", "state", "turn")

    def __init__(self, turn: Turn, frame: Frame) -> None:
        container, state = frame.container, turn.state_of(frame)
        assert container is not None and container.run is not None and isinstance(state, Map)
        self.turn = turn
        self.frame = frame
        self.container = container
        self.run: Dispatch = container.run
        self.shelf: Shelf = turn.execution.shelves[frame.id]
        self.state = state

    def take(self, event: ev.MapRunEvent) -> None:
        """Take an answer in, or what somebody has changed."""
        match event:
            case ev.ChildClosed():
                self._child_closed(event)
            case ev.ItemsFetched():
                self._items_fetched(event)
            case ev.FailuresFetched():
                self._failures_fetched(event)
            case ev.ResultsOpened():
                self._answered(event.request_id)
                self._go_on()
            case ev.MapRunClosed():
                self._answered(event.request_id)
                self._finish(event.output)
            case ev.MapRunBroken():
                self._broken(event)
            case ev.MapRunUpdated():
                self._update(event)
            case ev.MapRunContinued():
                self.shelf.continues = False
                self._go_on()
            case ev.MapRunResumed():
                self._resume()
            case _:
                assert_never(event)

    # --- going on -----------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Start what there is room for; ask for what is missing; come to the end when nothing is left to wait for."""
        run, container = self.run, self.container
        if run.asked == "results":
            return
        if not run.ending:
            self._attempt()
        if not run.ending and not container.running and run.redriving is None and self._is_through():
            self._come_to_an_end()
        if run.ending and not container.running and not run.asked:
            self._close()

    def _attempt(self) -> None:
        try:
            self._start_children()
        except StateError as error:
            self._fail(self.turn.located(self.frame, self.state, error) if error.located else error)

    def _start_children(self) -> None:
        """As many as there is room for, some at a time: children that have begun go first."""
        container, room, shelf = self.container, self._concurrency(), self.shelf
        most = len(container.running) + STARTS_MAX
        while len(container.running) < room and not shelf.continues:
            if len(container.running) >= most:
                shelf.continues = True
                self.turn.effects.append(fx.ContinueMapRun(self.run.arn))
            elif not (self._start_failed() if self.run.redriving is not None else self._start_next()):
                return

    def _concurrency(self) -> int:
        most = self.turn.machine.limits.distributed_map_concurrency_max
        return min(self.container.concurrency or most, most)

    def _is_through(self) -> bool:
        run = self.run
        return run.exhausted and run.taken >= run.known and not run.batch

    def _ask(self, what: str) -> int:
        """A request beside those for children; its answer ends it."""
        run = self.run
        if run.asked == "":
            run.asked, run.request_id = what, self.turn.await_answer(self.frame)  # type: ignore[assignment]
        return run.request_id

    def _answered(self, request_id: int) -> None:
        del self.turn.execution.requests[request_id]
        self.run.asked, self.run.request_id = "", 0

    # --- children -----------------------------------------------------------------------------------------

    def _start_next(self) -> bool:
        """Start the child of the next item or batch, if there is one; otherwise see to it that one comes."""
        input = self._next_batch() if self.run.terms.batched else self._next_input()
        if input is None:
            self._read_on()
            return False
        payload, items = input
        if payload.size_bytes > self.turn.machine.limits.payload_bytes_max:
            raise self._too_large()
        self._start(self.container.launched, items, payload)
        self.container.launched += 1
        return True

    def _start(self, index: int, items: int, input: Payload | None) -> None:
        request_id = self.turn.await_answer(self.frame)
        self.container.running[request_id] = index
        self.turn.effects.append(fx.StartChild(request_id, self.run.arn, index, items, input))

    def _start_failed(self) -> bool:
        """Start the next child that did not succeed before the redrive; True as well when there is none any more."""
        run, shelf = self.run, self.shelf
        if shelf.failures:
            run.redriving, index, items = shelf.failures.popleft()
            self._start(index, items, None)
            return True
        if shelf.last_failures:
            run.redriving, shelf.last_failures = None, False
            return True
        if run.asked == "":
            self.turn.effects.append(fx.FetchFailures(self._ask("failures"), run.arn, run.redriving or 0))
        return False

    def _failures_fetched(self, event: ev.FailuresFetched) -> None:
        self._answered(event.request_id)
        self.shelf.failures.extend(event.children)
        self.shelf.last_failures = event.last
        self._go_on()

    def _child_closed(self, event: ev.ChildClosed) -> None:
        """A child execution has ended; failures count against what the state tolerates."""
        del self.turn.execution.requests[event.request_id]
        index = self.container.running.pop(event.request_id)
        if event.result is not None:
            self._put_result(index, event.result)
        if event.status != "SUCCEEDED":
            self.run.failed += event.items
            self._count_failures()
        self._go_on()

    def _count_failures(self) -> None:
        run = self.run
        if not run.ending and Tolerance(*run.tolerated).exceeded(run.failed, self._total()):
            self._fail(StateError(errors.EXCEED_TOLERATED_FAILURE_THRESHOLD, EXCEEDED))

    def _total(self) -> int | None:
        """How many items there are, as far as that is known: at most MaxItems."""
        run = self.run
        if run.exhausted or self.shelf.last:
            return run.known
        most: int | None = run.terms.reader["ReaderConfig"].get("MaxItems") or None
        return most

    # --- items --------------------------------------------------------------------------------------------

    def _peek(self) -> ev.Item | None:
        run, shelf = self.run, self.shelf
        if run.terms.reader is not None:
            return shelf.page[0] if shelf.page else None
        if shelf.items is None or run.taken >= len(shelf.items):
            return None
        value = shelf.items[run.taken]
        return ev.Item(value, None, "STATE_DATA", value["Key"] if run.keyed else None)

    def _take(self, item: ev.Item) -> None:
        run, shelf = self.run, self.shelf
        run.taken += 1
        if run.terms.reader is not None:
            shelf.page.popleft()
            run.position = item.position
            run.exhausted = shelf.last and not shelf.page

    def _next_input(self) -> tuple[Payload, int] | None:
        item = self._peek()
        if item is None:
            return None
        input = self._selected(item)
        self._take(item)
        return input, 1

    def _selected(self, item: ev.Item) -> Payload:
        """What a child gets of an item."""
        if not self.state.selects:
            return Payload(item.value)
        turn, frame = self.turn, self.frame
        context = item_context(self.run.taken, item, sources=turn.machine.revision.data_sources)
        visit = Visit(turn.surroundings.env(frame, self.state, turn.now_ms, context), frame.input, turn.now_ms)
        return self.state.item_input(visit, self.container.input, item.value)

    def _next_batch(self) -> tuple[Payload, int] | None:
        """As many items as a batch may have; None while there are more to come."""
        run, terms = self.run, self.run.terms
        while not terms.batch_items or len(run.batch) < terms.batch_items:
            item = self._peek()
            if item is None:
                return self._batch() if run.batch and run.exhausted else None
            selected = self._selected(item)
            size = selected.size_bytes + (1 if run.batch else 0)
            if terms.empty_batch_bytes() + run.batch_bytes + size > terms.batch_bytes:
                if not run.batch:
                    raise self._too_large()
                return self._batch()
            self._take(item)
            run.batch.append(selected.value)
            run.batch_bytes += size
        return self._batch()

    def _batch(self) -> tuple[Payload, int]:
        run = self.run
        batch = run.terms.batch(run.batch), len(run.batch)
        run.batch, run.batch_bytes = [], 0
        return batch

    def _too_large(self) -> StateError:
        cause = f"The input of a child workflow execution of the state '{self.state.name}' exceeds the maximum number"
        return StateError(errors.DATA_LIMIT_EXCEEDED, f"{cause} of bytes service limit.")

    def _read_on(self) -> None:
        run = self.run
        if run.terms.reader is not None and not run.exhausted and run.asked == "" and not self.shelf.page:
            self.turn.effects.append(fx.FetchItems(self._ask("items"), run.arn, run.terms.reader, run.position))

    def _items_fetched(self, event: ev.ItemsFetched) -> None:
        self._answered(event.request_id)
        run, shelf = self.run, self.shelf
        shelf.page.extend(event.items)
        shelf.last = event.last
        run.exhausted = event.last and not shelf.page
        known = run.taken + len(shelf.page)
        if known > run.known:
            run.known = known
            self.turn.effects.append(fx.MapRunItems(run.arn, known))
        if run.failed and event.last:
            self._count_failures()
        self._go_on()

    # --- results ------------------------------------------------------------------------------------------

    def _put_result(self, index: int, result: Payload) -> None:
        """Keep a result, as long as all of them can be the state's output: beyond, only that they cannot."""
        run, shelf = self.run, self.shelf
        before = shelf.results.get(index)
        run.result_bytes += result.size_bytes + 1 - (before.size_bytes + 1 if before is not None else 0)
        if run.result_bytes <= self.turn.machine.limits.payload_bytes_max:
            shelf.results[index] = result
            shelf.unsaved.append(index)

    def _come_to_an_end(self) -> None:
        run = self.run
        run.ending = "SUCCEEDED"
        if run.result_bytes > self.turn.machine.limits.payload_bytes_max:
            run.ending = "FAILED"
            run.error, run.cause = errors.DATA_LIMIT_EXCEEDED, tasks.too_large(self.state.name)

    def _fail(self, error: StateError) -> None:
        """Start nothing more, stop what can be stopped, and come to a bad end. Express children are waited for: they
        cannot be stopped (AWS guide, "Viewing a Distributed Map Run")."""
        run = self.run
        run.ending, run.error, run.cause = "FAILED", error.error, error.cause
        if run.asked in ("items", "failures"):
            self._answered(run.request_id)
        if not self.state.express:
            self._cancel_children()
            self.container.running = {}

    def _cancel_children(self) -> None:
        for request_id, index in self.container.running.items():
            self.turn.execution.requests.pop(request_id, None)
            self.turn.effects.append(fx.CancelChild(self.run.arn, index))

    def _close(self) -> None:
        run = self.run
        request_id = self._ask("close") if run.terms.writer is not None else 0
        self.turn.effects.append(fx.CloseMapRun(run.arn, run.ending, request_id, self._pending()))
        if not request_id:
            self._finish(None)

    def _pending(self) -> list[tuple[Payload, int]]:
        """Inputs of the children that were not started, as far as their items are known."""
        pending: list[tuple[Payload, int]] = []
        if self.run.terms.writer is None or self.run.ending == "SUCCEEDED":
            return pending
        run, page = self.run, list(self.shelf.page)
        before = run.taken, run.position, run.exhausted, run.batch, run.batch_bytes
        run.batch = list(run.batch)
        try:
            while (input := self._next_batch() if run.terms.batched else self._next_input()) is not None:
                pending.append(input)
        except StateError:  # what failed the run may well be one of these
            pass
        if run.batch:
            pending.append(self._batch())
        run.taken, run.position, run.exhausted, run.batch, run.batch_bytes = before
        self.shelf.page.clear()
        self.shelf.page.extend(page)
        return pending

    def _broken(self, event: ev.MapRunBroken) -> None:
        """Items cannot be read, or results not be written. What went wrong first is what counts."""
        asked = self.run.asked
        self._answered(event.request_id)
        if self.run.ending != "FAILED":
            self._fail(StateError(event.error, event.cause))
        if asked != "close":
            return self._go_on()
        self.turn.effects.append(fx.CloseMapRun(self.run.arn, "FAILED"))
        return self._finish(None)

    def _finish(self, output: Payload | None) -> None:
        turn, frame, run = self.turn, self.frame, self.run
        if run.ending == "FAILED":
            error = StateError(run.error, run.cause)
            turn.record_in(frame, "MapRunFailed", tasks.error_details(error))
            raise error
        turn.record_in(frame, "MapRunSucceeded")
        turn.record("MapStateSucceeded", frame.last_event_id)
        if turn.machine.revision.map_exit_follows_run_start:
            frame.last_event_id = run.run_event_id
        result = output or self._output()
        del turn.execution.shelves[frame.id]
        frame.container = None
        turn.resume(frame, result)

    def _output(self) -> Payload:
        """The results as the state's output, in the order of the children."""
        terms, results = self.run.terms, self.shelf.results
        payloads = [results[index] for index in sorted(results)]
        if terms.transformation == "FLATTEN":
            payloads = [part for payload in payloads for part in _flat(payload)]
        if terms.lines:
            return Payload("\n".join(payload.line for payload in payloads))
        return joined(payloads)

    # --- from outside -------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """After a restart: ask again for what was asked and not answered."""
        run, effects = self.run, self.turn.effects
        match run.asked:
            case "results":
                effects.append(fx.OpenResults(run.request_id, run.arn))
            case "items":
                effects.append(fx.FetchItems(run.request_id, run.arn, run.terms.reader, run.position))
            case "failures":
                effects.append(fx.FetchFailures(run.request_id, run.arn, run.redriving or 0))
            case "close":
                effects.append(fx.CloseMapRun(run.arn, run.ending, run.request_id, self._pending()))
            case "":
                self._go_on()

    def _update(self, event: ev.MapRunUpdated) -> None:
        """UpdateMapRun: the state looks at the new numbers from now on."""
        self.container.concurrency = event.max_concurrency
        self.run.tolerated = event.tolerated_failure_count, event.tolerated_failure_percentage
        self._count_failures()
        self._go_on()

    def abandon(self) -> None:
        """The execution stops. Who was running is remembered, for a redrive."""
        run = self.run
        self._cancel_children()
        if run.asked:
            self._answered(run.request_id)
        run.ending = "ABORTED"
        self.turn.effects.append(fx.CloseMapRun(run.arn, "ABORTED", 0, self._pending()))

    def redrive(self) -> None:
        """Go on with the children that did not succeed, then with the items that were not taken yet.

        Children that were running when the execution stopped are asked after first: Express ones went on.
        """
        run, turn, container = self.run, self.turn, self.container
        run.ending, run.error, run.cause = "", None, None
        self.shelf.continues = self.shelf.last_failures = False
        self.shelf.failures.clear()
        run.failed, run.redriving, run.redrives = 0, 0, run.redrives + 1
        if run.terms.reader is not None and container.launched == 0:
            run.position, run.taken, run.known, run.exhausted, run.batch = None, 0, 0, False, []
            self.shelf.page.clear()
        details = {"mapRunArn": run.arn, "redriveCount": run.redrives}
        run.run_event_id = self.frame.last_event_id = turn.record("MapRunRedriven", run.map_event_id, details)
        turn.effects.append(fx.RedriveMapRun(run.arn))
        indexes = sorted(container.running.values())
        container.running = {}
        for index in indexes:
            self._start(index, 0, None)
        self._begin()

    def _begin(self) -> None:
        run = self.run
        if run.terms.writer is not None and not run.ending:
            self.turn.effects.append(fx.OpenResults(self._ask("results"), run.arn))
        else:
            self._go_on()

    def start(self) -> None:
        run, container, state = self.run, self.container, self.state
        count, percentage = run.tolerated
        self.turn.effects.append(
            fx.StartMapRun(
                map_run_arn=run.arn,
                state=state.name,
                scope=state.processor,
                express=state.express,
                item_count=run.known,
                max_concurrency=container.concurrency,
                tolerated_failure_count=count,
                tolerated_failure_percentage=percentage,
                writer=run.terms.writer,
                transformation=run.terms.transformation,
            )
        )
        self._begin()


def start(turn: Turn, frame: Frame, container: Container, state: Map, keyed: bool) -> None:
    """A Map state in Distributed mode has begun: so does its Map Run."""
    visit = turn.visit(frame)
    visit.effective = container.input
    terms = state.distribution.terms(visit, container.input, turn.machine.limits.payload_bytes_max)
    if terms.reader is not None and not turn.machine.revision.data_sources:
        terms.reader["ArraysOnly"] = True
    execution, uuid4 = turn.execution, turn.machine.source.uuid4
    machine_arn = Arn.parse(execution.machine_arn)
    arn = machine_arn.states(f"mapRun:{machine_arn.resource.split(':')[1]}/{state.label or uuid4()}:{uuid4()}")
    container.run = Dispatch(
        arn=arn,
        terms=terms,
        tolerated=(terms.tolerated_count, terms.tolerated_percentage),
        map_event_id=frame.last_event_id,
        run_event_id=turn.record_in(frame, "MapRunStarted", {"mapRunArn": arn}),
        known=container.total,
        exhausted=terms.reader is None,
        keyed=keyed,
    )
    MapRun(turn, frame).start()


def redrive(turn: Turn, frame: Frame, run: Dispatch) -> bool:
    """False where a new Map Run is to be started instead; States.Runtime where this one was redriven too often (AWS
    guide, "Redriving Map Runs")."""
    if run.error in (errors.DATA_LIMIT_EXCEEDED, errors.RUNTIME):
        return False
    most = turn.machine.limits.map_run_redrives_max
    if run.redrives >= most:
        raise StateError(errors.RUNTIME, f"A Map Run can be redriven {most} times at most.")
    MapRun(turn, frame).redrive()
    return True


def item_context(index: int, item: ev.Item, *, sources: bool) -> dict[str, JSON]:
    """The `Map.Item` that ItemSelector sees. `sources`: it says where an item is from."""
    context = {"Index": index, "Value": item.value if item.key is None else item.value["Value"]}
    if item.key is not None:
        context["Key"] = item.key
    return context | {"Source": item.source} if sources else context


def joined(results: list[Payload]) -> Payload:
    """The array of results; its text is made of theirs, so that nothing is serialised again (recorded)."""
    values, text = [result.value for result in results], "[" + ",".join(result.text for result in results) + "]"
    check_depth(values, text)
    return Payload(values, text)


def _flat(payload: Payload) -> list[Payload]:
    if not isinstance(payload.value, list):
        return [payload]
    return [Payload(value, dumps(value)) for value in payload.value]
