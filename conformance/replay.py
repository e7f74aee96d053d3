"""Doing the calls of one case against a target (FORMAT section 2).

One thread: steps of `background-N` are tried whenever the engine is between two of its own, so a replay is as
deterministic as the target. Knows nothing of how answers are compared.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from typing import Any

from conformance import waits
from conformance.boto import Refusal, param_problems
from conformance.cases import Call, Case, JsonObject
from conformance.checks import Outcome, observe, parts
from conformance.targets import ApiError, Target
from conformance.tokens import Tokens, Unresolved

WAIT_S = 900.0
"""How long a step may wait, on the engine's clock. Whoever made the recordings waited 120 s at most; state
machines that help in the background poll for 300 s."""


class ReplayFailed(Exception):
    """The case cannot go on: AWS took what was refused, or refused what was taken, or a step is unknown."""


class Replay:
    """outcomes: call number → what it gave; unmet: the waits that ended without what was waited for."""

    def __init__(self, case: Case, target: Target) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self.unmet: list[str] = []
        self._case = case
        self._target = target
        self._responses: dict[int, Any] = {}
        self.tokens = Tokens(self._responses, target.now())
        self._background: dict[str, deque[Call]] = {}
        self._broken: ReplayFailed | None = None
        self._execution_arn: str | None = None
        self._collects = {part["call"]: check.key for check in case.checks for part in _collects(check.source)}

    def run(self) -> None:
        """Raises ReplayFailed."""
        for call in self._case.calls:
            if call.background is not None:
                self._background.setdefault(call.background, deque()).append(call)
            elif self._is_due(call):
                self._let_run()
                self._main(call)
        self._wait("background steps", lambda: not any(self._background.values()))

    def _is_due(self, call: Call) -> bool:
        """Steps of services the case does not need were replaced by others (a machine made by a stack)."""
        own = call.service in ("stepfunctions", "runner") or call.service in self._case.needs
        return own and call.operation not in waits.SKIPPED

    def _let_run(self) -> None:
        """Between two calls of a test on AWS the engine does all it can at once."""
        self._settle(lambda: False, 0.0)

    def _settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        def until_or_broken() -> bool:
            self._step_background()
            return self._broken is not None or until()

        self._target.settle(until_or_broken, timeout_s)
        if self._broken is not None:
            raise self._broken

    def _wait(self, what: str, until: Callable[[], bool]) -> None:
        """Until it held once; then it is not asked again, for asking may receive a message."""
        met = False

        def once() -> bool:
            nonlocal met
            met = met or until()
            return met

        if not once():
            self._settle(once, WAIT_S)
            if not once():
                self.unmet.append(f"{what}: did not come about")

    # ---- the steps of the test itself

    def _main(self, call: Call) -> None:
        if call.service == "runner":
            self._runner_step(call)
        elif call.n in self._collects:
            self._collect(call, len(self._case.recorded[self._collects[call.n]]))
        elif call.polling:
            self._poll(call)
        else:
            self._settle_outcome(call, self._perform(call))

    def _poll(self, call: Call) -> None:
        self._wait(str(call), lambda: self._try(call))
        outcome = self.outcomes[call.n]
        if not self._useful(call, outcome):
            self._settle_outcome(call, outcome)

    def _runner_step(self, call: Call) -> None:
        params = self._resolved(call)
        ask = self._as(call.account)
        if call.operation == waits.LOGS:
            self._wait(str(call), lambda: self._read_logs(call, ask, params))
        elif call.operation in waits.CONDITIONS:
            condition = waits.waiting if self._never_ends(call) else waits.CONDITIONS[call.operation]
            self._wait(str(call), lambda: waits.holds(condition, ask, params))
        else:
            raise ReplayFailed(f"{call}: not a step this runner knows")

    def _never_ends(self, call: Call) -> bool:
        """Recorded while still running: what there is after the Wait was entered."""
        return any(f"@@{n}.executionArn@@" in call.params.values() for n in self._case.nonterminal)

    def _read_logs(self, call: Call, ask: waits.Ask, params: JsonObject) -> bool:
        def complete(ask: waits.Ask, params: JsonObject) -> bool:
            records = waits.log_records(ask, params["logGroupName"])
            self._record(call, Outcome(records))
            return waits.logs_complete(ask, records, params["until"], self._execution_arn)

        return waits.holds(complete, ask, params)

    def _collect(self, call: Call, expected: int) -> None:
        """Drain a queue: until as many messages came as were recorded, and then until there are no more."""
        messages = self._received_before(call)

        def receive() -> bool:
            outcome = self._perform(call)
            if outcome.refusal is not None:
                raise ReplayFailed(f"{call}: {outcome.refusal}")
            new = outcome.response.get("Messages", [])
            messages.extend(new)
            return bool(new)

        self._wait(str(call), lambda: len(messages) >= expected or (receive() and len(messages) >= expected))
        while receive():
            pass
        self._record(call, Outcome({"Messages": messages}))

    def _received_before(self, call: Call) -> list[Any]:
        """What earlier rounds of the same loop have taken from the queue."""
        rounds = [earlier for earlier in self._case.calls[: call.n] if earlier.polling and _same(earlier, call)]
        answers = [self.outcomes[earlier.n].response or {} for earlier in rounds if earlier.n in self.outcomes]
        return [message for answer in answers for message in answer.get("Messages", [])]

    # ---- background steps

    def _step_background(self) -> None:
        for steps in self._background.values():
            while steps and self._broken is None and self._try_background(steps[0]):
                steps.popleft()

    def _try_background(self, call: Call) -> bool:
        try:
            if call.polling:
                return self._try(call)
            self._settle_outcome(call, self._perform(call))
        except ReplayFailed as broken:
            self._broken = broken
        return True

    # ---- one call

    def _try(self, call: Call) -> bool:
        """A polled call: keep what it gives, and say whether that was what the loop waited for."""
        outcome = self._perform(call)
        self._record(call, outcome)
        return self._useful(call, outcome)

    def _useful(self, call: Call, outcome: Outcome) -> bool:
        if outcome.refusal is not None:
            return call.expect is not None or self._was_deleted(call)
        if call.operation == "ReceiveMessage":
            return bool(outcome.response.get("Messages"))
        if outcome.response.get("status") == "RUNNING" or self._was_deleted(call):
            return False
        return self._shows_expected_items(call)

    def _was_deleted(self, call: Call) -> bool:
        """Describing what an earlier call deleted: polled until it is gone."""
        named = [value for value in call.params.values() if isinstance(value, str)]
        return call.operation.startswith("Describe") and any(
            earlier.operation.startswith("Delete") and value in earlier.params.values()
            for earlier in self._case.calls[: call.n]
            for value in named
        )

    def _shows_expected_items(self, call: Call) -> bool:
        """Everything that a check takes from the answer is there."""
        sources = [part for check in self._case.checks for part in parts(check.source) if part["call"] == call.n]
        try:
            for source in sources:
                observe(source, self.outcomes, self.tokens)
        except Unresolved:
            return False
        return True

    def _perform(self, call: Call) -> Outcome:
        params = self._resolved(call)
        if call.service == "stepfunctions" and (problems := param_problems(call.operation, params)):
            return Outcome(refusal=Refusal(call.operation, None, problems))
        try:
            answer = self._target.call(call.service, call.operation, params, call.account)
        except ApiError as error:
            return Outcome(refusal=Refusal.by_service(call.operation, error))
        return Outcome(copy.deepcopy(answer) | {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}})

    def _resolved(self, call: Call) -> JsonObject:
        try:
            params: JsonObject = self.tokens.resolve(call.params)
        except Unresolved as problem:
            raise ReplayFailed(f"{call}: {problem}") from None
        return params

    def _settle_outcome(self, call: Call, outcome: Outcome) -> None:
        if outcome.refusal is not None and call.expect is None:
            raise ReplayFailed(f"{call}: {outcome.refusal}")
        if outcome.refusal is None and call.expect is not None:
            raise ReplayFailed(f"{call}: accepted, AWS refuses it")
        self._record(call, outcome)

    def _record(self, call: Call, outcome: Outcome) -> None:
        self.outcomes[call.n] = outcome
        if outcome.refusal is None:
            self._responses[call.n] = outcome.response
            if call.operation == "StartExecution" and call.actor is None:
                self._execution_arn = outcome.response["executionArn"]

    def _as(self, account: str | None) -> waits.Ask:
        return lambda service, operation, params: self._target.call(service, operation, params, account)


def _same(one: Call, other: Call) -> bool:
    return (one.service, one.operation, one.params) == (other.service, other.operation, other.params)


def _collects(source: Any) -> list[JsonObject]:
    return [source["collect"]] if "collect" in source else []
