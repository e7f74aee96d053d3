"""Mocked tasks, by the configuration file of Step Functions Local (MockConfigFile.json, or the same as YAML):

    {"StateMachines": {"Orders": {"TestCases": {"HappyPath": {"Charge": "charged"}}}},
     "MockedResponses": {"charged": {"0": {"Throw": {"Error": "Busy", "Cause": "…"}}, "1-2": {"Return": {"a": 1}}}}}

An execution of `…:stateMachine:Orders#HappyPath` takes the answers of the state Charge from `charged`: the first time
it fails, the second and third it succeeds. States without an answer are carried out by whoever does that otherwise.
Source: AWS guide, "Using mocked service integrations for testing".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kaidan.arns import Arn, TaskResource
from kaidan.errors import RUNTIME
from kaidan.integrations.contract import Handler, Reply
from kaidan.protocol.effects import RunTask
from kaidan.values import JSON, InvalidJson, loads, type_name

ResultCheck = Callable[[TaskResource, JSON], str | None]
"""Says what is wrong with a mocked result, or None."""


class MockConfigError(Exception):
    """A configuration that cannot be used: `MockConfigFile.json: MockedResponses.charged.0: …`."""


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
    """`cases`: machine to case to state to the name of its response. `responses`: name to answers."""

    cases: Mapping[str, Mapping[str, Mapping[str, str]]]
    responses: Mapping[str, tuple[Answer, ...]]

    def of_case(self, machine: str, case: str) -> Mapping[str, tuple[Answer, ...]]:
        """State to answers. Raises MockConfigError when there is no such case."""
        cases = self.cases.get(machine)
        if cases is None or case not in cases:
            raise MockConfigError(f"no test case '{case}' of a state machine '{machine}'")
        return {state: self.responses[name] for state, name in cases[case].items()}


# --- reading ----------------------------------------------------------------------------------------------


def read_mock_config(path: str | Path) -> MockConfig:
    """Read a file, JSON or YAML. Raises MockConfigError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = Path(path).read_text(encoding="utf-8")
        is_yaml = str(path).endswith((".yaml", ".yml"))
        value = YAML(typ="safe", pure=True).load(text) if is_yaml else loads(text)
    except (OSError, UnicodeDecodeError, InvalidJson, YAMLError) as problem:
        raise MockConfigError(f"{path}: {problem}") from None
    return parse_mock_config(value, str(path))


def parse_mock_config(value: JSON, place: str = "MockConfigFile.json") -> MockConfig:
    """The same from a value."""
    top = _object(value, place, "StateMachines", "MockedResponses")
    responses = {
        name: _answers(given, f"{place}: MockedResponses.{name}")
        for name, given in _object(top.get("MockedResponses", {}), f"{place}: MockedResponses").items()
    }
    cases = {
        machine: _cases(given, responses, f"{place}: StateMachines.{machine}")
        for machine, given in _object(top.get("StateMachines", {}), f"{place}: StateMachines").items()
    }
    return MockConfig(cases, responses)


def _cases(given: JSON, responses: Mapping[str, object], place: str) -> dict[str, dict[str, str]]:
    test_cases = _object(_object(given, place, "TestCases").get("TestCases", {}), f"{place}.TestCases")
    cases = {}
    for case, states in test_cases.items():
        cases[case] = _object(states, f"{place}.TestCases.{case}")
        for state, name in cases[case].items():
            if name not in responses:
                raise MockConfigError(f"{place}.TestCases.{case}.{state}: there is no mocked response '{name}'")
    return cases


def _answers(given: JSON, place: str) -> tuple[Answer, ...]:
    answers = [_answer(str(key), each, f"{place}.{key}") for key, each in _object(given, place).items()]
    answers.sort(key=lambda answer: answer.first)
    for before, after in pairwise(answers):
        if after.first <= before.last:
            raise MockConfigError(f"{place}: invocation {after.first} is answered twice")
    return tuple(answers)


def _answer(key: str, given: JSON, place: str) -> Answer:
    begin, dash, end = key.partition("-")
    if not begin.isdigit() or (dash and not end.isdigit()) or (end and int(end) < int(begin)):
        raise MockConfigError(f"{place}: must be a number of an invocation, or a range: 0, 1-2")
    first, last = int(begin), int(end or begin)
    fields = _object(given, place, "Return", "Throw")
    if len(fields) != 1:
        raise MockConfigError(f"{place}: must have either Return or Throw")
    if "Return" in fields:
        return Answer(first, last, fields["Return"])
    thrown = _object(fields["Throw"], f"{place}.Throw", "Error", "Cause")
    return Answer(first, last, failed=True, error=thrown.get("Error"), cause=thrown.get("Cause"))


def _object(value: JSON, place: str, *allowed: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise MockConfigError(f"{place}: must be an object but was {type_name(value)}")
    unknown = sorted(value.keys() - set(allowed)) if allowed else []
    if unknown:
        raise MockConfigError(f"{place}: unknown field '{unknown[0]}' (allowed: {', '.join(allowed)})")
    return value


# --- answering --------------------------------------------------------------------------------------------


class MockHandler:
    """Carries out the tasks of one test case: mocked states by their answers, all others by `fallback`.

    `check`: of results, `STRICT` or `PRESENT` as the caller likes it; None takes them as they are.
    """

    def __init__(
        self, config: MockConfig, machine: str, case: str, fallback: Handler, check: ResultCheck | None = None
    ) -> None:
        """Raises MockConfigError when there is no such case."""
        self._answers = config.of_case(machine, case)
        self._fallback = fallback
        self._check = check
        self._invocations: Counter[str] = Counter()

    def __call__(self, task: RunTask, reply: Reply) -> None:
        answers = self._answers.get(task.state)
        if answers is None:
            return self._fallback(task, reply)
        number = self._invocations[task.state]
        self._invocations[task.state] += 1
        answer = next((each for each in answers if each.first <= number <= each.last), None)
        reply.started()
        if answer is None:
            cause = f"The mocked response of the state '{task.state}' has no answer for its invocation {number}"
            return reply.failed(RUNTIME, cause)
        return self._give(answer, task.resource, reply)

    def _give(self, answer: Answer, resource: TaskResource, reply: Reply) -> None:
        if answer.failed:
            return reply.failed(answer.error, answer.cause)
        complaint = self._check(resource, answer.result) if self._check is not None else None
        if complaint is not None:
            return reply.failed(RUNTIME, complaint)
        if resource.pattern:
            reply.submitted(answer.result)
        return reply.succeeded(_result(answer.result, resource))

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        """Mocked tasks have no jobs."""
        self._fallback.resume(task, job, reply)


def _result(result: JSON, resource: TaskResource) -> JSON:
    """A function as the Resource gives what Invoke would have around it (recorded)."""
    if resource.kind == "lambda" and isinstance(result, dict) and "Payload" in result:
        return result["Payload"]
    return result


def split_case(machine_arn: str) -> tuple[str, str | None]:
    """`…:stateMachine:Orders#HappyPath` is the machine's ARN and the case."""
    arn, hash_, case = machine_arn.partition("#")
    return arn, case if hash_ else None


class MockedExecutions:
    """Chooses the handler of each task by its execution: that of its test case, or `fallback`.

    Child executions of a Map belong to the case that their machine was started with last.
    """

    def __init__(self, config: MockConfig, fallback: Handler, check: ResultCheck | None = None) -> None:
        self._config = config
        self._fallback = fallback
        self._check = check
        self._by_execution: dict[str, MockHandler] = {}
        self._by_machine: dict[str, MockHandler] = {}

    def choose(self, machine: str, case: str, execution: str | None = None) -> None:
        """The next execution of a machine, or the one of this ARN, runs a test case. Raises MockConfigError."""
        handler = MockHandler(self._config, machine, case, self._fallback, self._check)
        self._by_machine[machine] = handler
        if execution is not None:
            self._by_execution[execution] = handler

    def carry_out(self, machine: str) -> None:
        """The next execution of a machine runs no test case."""
        self._by_machine.pop(machine, None)

    def _find(self, reply: Reply) -> Handler:
        arn = reply.execution_arn
        if not arn:
            return next(iter(self._by_machine.values()), self._fallback)
        machine = Arn.parse(arn).resource.split(":")[1].split("/")[0]
        return self._by_execution.get(arn) or self._by_machine.get(machine) or self._fallback

    def __call__(self, task: RunTask, reply: Reply) -> None:
        self._find(reply)(task, reply)

    def resume(self, task: RunTask, job: JSON, reply: Reply) -> None:
        self._find(reply).resume(task, job, reply)
