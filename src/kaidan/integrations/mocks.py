"""Mocked tasks, by the configuration file of Step Functions Local (MockConfigFile.json, or the same as YAML):

    {"StateMachines": {"Orders": {"TestCases": {"HappyPath": {"Charge": "charged"}}}},
     "MockedResponses": {"charged": {"0": {"Throw": {"Error": "Busy", "Cause": "…"}}, "1-2": {"Return": {"a": 1}}}}}

An execution of `…:stateMachine:Orders#HappyPath` takes the answers of the state Charge from `charged`: the first time
it fails, the second and third it succeeds. States without an answer are carried out by whoever does that otherwise.
Which case an execution runs the task says itself, and the execution counts its invocations: nothing is remembered
here. Source: AWS guide, "Using mocked service integrations for testing".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kaidan.arns import Arn
from kaidan.errors import RUNTIME
from kaidan.integrations.contract import Handler, Reply
from kaidan.integrations.files import FileError, fields, read_value, text
from kaidan.integrations.mock_results import UnfitResult, Validation, check_result
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """What a state is answered from its `first` invocation to its `last`, counted from 0.

    `error` and `cause` are None for a result.
    """

    first: int
    last: int
    result: JSON = None
    failed: bool = False
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class MockConfig:
    """`cases`: machine to case to state to the name of its response. `responses`: name to answers. `place`: the file.

    `validation`: how strictly results are held against what the services can answer.
    """

    cases: Mapping[str, Mapping[str, Mapping[str, str]]]
    responses: Mapping[str, tuple[Answer, ...]]
    place: str
    validation: Validation

    def of_case(self, machine: str, case: str) -> Mapping[str, tuple[Answer, ...]]:
        """State to answers. Raises FileError when there is no such case."""
        cases = self.cases.get(machine, {})
        if case not in cases:
            raise FileError(
                f"{self.place}: no test case '{case}' of the state machine '{machine}' "
                f"(its test cases: {', '.join(cases) or 'none'}; state machines: {', '.join(self.cases) or 'none'})"
            )
        return {state: self.responses[name] for state, name in cases[case].items()}


# --- reading ----------------------------------------------------------------------------------------------


def read_mock_config(path: str | Path, validation: Validation = "NONE") -> MockConfig:
    """Read a file, JSON or YAML. Raises FileError."""
    return parse_mock_config(read_value(path), str(path), validation)


def parse_mock_config(value: JSON, place: str = "MockConfigFile.json", validation: Validation = "NONE") -> MockConfig:
    """The same from a value."""
    top = fields(value, place, "StateMachines", "MockedResponses")
    responses = {
        name: _answers(given, f"{place}: MockedResponses.{name}")
        for name, given in fields(top.get("MockedResponses", {}), f"{place}: MockedResponses").items()
    }
    cases = {
        machine: _cases(given, responses, f"{place}: StateMachines.{machine}")
        for machine, given in fields(top.get("StateMachines", {}), f"{place}: StateMachines").items()
    }
    return MockConfig(cases, responses, place, validation)


def _cases(given: JSON, responses: Mapping[str, object], place: str) -> dict[str, dict[str, str]]:
    test_cases = fields(fields(given, place, "TestCases").get("TestCases", {}), f"{place}.TestCases")
    cases = {}
    for case, states in test_cases.items():
        cases[case] = fields(states, f"{place}.TestCases.{case}")
        for state, name in cases[case].items():
            if not isinstance(name, str) or name not in responses:
                known = ", ".join(responses) or "none"
                raise FileError(
                    f"{place}.TestCases.{case}.{state}: must be the name of a mocked response, not {name!r} "
                    f"(there are: {known})"
                )
    return cases


def _answers(given: JSON, place: str) -> tuple[Answer, ...]:
    answers = [_answer(key, each, f"{place}.{key}") for key, each in fields(given, place).items()]
    answers.sort(key=lambda answer: answer.first)
    for before, after in pairwise(answers):
        if after.first <= before.last:
            raise FileError(f"{place}: invocation {after.first} is answered twice")
    return tuple(answers)


def _answer(key: str, given: JSON, place: str) -> Answer:
    first, last = _invocations(key, place)
    outcome = fields(given, place, "Return", "Throw")
    if len(outcome) != 1:
        raise FileError(f"{place}: must have either Return or Throw")
    if "Return" in outcome:
        return Answer(first, last, outcome["Return"])
    thrown = fields(outcome["Throw"], f"{place}.Throw", "Error", "Cause")
    said = {name: text(value, f"{place}.Throw.{name}") for name, value in thrown.items()}
    return Answer(first, last, failed=True, error=said.get("Error"), cause=said.get("Cause"))


def _invocations(key: str, place: str) -> tuple[int, int]:
    """`0` is the first invocation, `1-2` the second and the third."""
    begin, dash, end = key.partition("-")
    if not begin.isdecimal() or (dash and not end.isdecimal()) or int(end or begin) < int(begin):
        raise FileError(f"{place}: must be the number of an invocation, counted from 0, or a range: 0, 1-2")
    return int(begin), int(end or begin)


# --- answering --------------------------------------------------------------------------------------------


class Mocks:
    """A Handler: tasks of test cases get their answers, all others are carried out by another one."""

    def __init__(self, config: MockConfig | None, handler: Handler) -> None:
        """Without a configuration, tasks of test cases fail: what was to be mocked must not be done in earnest."""
        self._config = config
        self._handler = handler

    def __call__(self, task: RunTask, reply: Reply) -> None:
        if task.case is None:
            return self._handler(task, reply)
        machine, invocation = _machine(reply.execution_arn), ""
        try:
            answers = self._answers_of(machine, task.case)
            if task.state not in answers:
                return self._handler(task, reply)
            number = reply.count()
            invocation = f", invocation {number}"
            return self._give(answers[task.state], number, task, reply)
        except FileError as problem:
            at = f"State machine '{machine}', test case '{task.case}', state '{task.state}'{invocation}"
            return reply.failed(RUNTIME, f"{at}: {problem}")

    def _answers_of(self, machine: str, case: str) -> Mapping[str, tuple[Answer, ...]]:
        if self._config is None:
            raise FileError("there are no mocks: the file of this test case is not configured any more")
        return self._config.of_case(machine, case)

    def _give(self, answers: tuple[Answer, ...], number: int, task: RunTask, reply: Reply) -> None:
        """Raises FileError when there is no answer, or none that the service could give."""
        answer = next((each for each in answers if each.first <= number <= each.last), None)
        if answer is None:
            known = ", ".join(map(_range, answers)) or "none"
            raise FileError(f"there is no mocked response for it (there are: {known})")
        reply.started()
        if answer.failed:
            return reply.failed(answer.error, answer.cause)
        self._check(answer.result, task)
        if task.resource.pattern:
            reply.submitted(answer.result)
        return reply.succeeded(_result(answer.result, task))

    def _check(self, result: JSON, task: RunTask) -> None:
        assert self._config is not None
        try:
            check_result(task.resource, result, self._config.validation)
        except UnfitResult as problem:
            allowed = f" (allowed: {problem.allowed})" if problem.allowed else ""
            raise FileError(f"{problem}{allowed}") from None

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """Mocked tasks have no jobs."""
        self._handler.resume(task, job, reply)


def _machine(execution_arn: str) -> str:
    """`…:execution:Orders:one` is of Orders, and so is `…:execution:Orders/Each:…`, the child of a Distributed Map."""
    return Arn.parse(execution_arn).resource.split(":")[1].split("/")[0]


def _range(answer: Answer) -> str:
    return str(answer.first) if answer.first == answer.last else f"{answer.first}-{answer.last}"


def _result(result: JSON, task: RunTask) -> JSON:
    """A function as the Resource gives what Invoke would have around it (recorded)."""
    if task.resource.kind == "lambda" and isinstance(result, dict) and "Payload" in result:
        return result["Payload"]
    return result


def split_case(machine_arn: str) -> tuple[str, str | None]:
    """`…:stateMachine:Orders#HappyPath` is the machine's ARN and the case."""
    arn, hash_, case = machine_arn.partition("#")
    return arn, case if hash_ else None
