"""Histories of small machines, event for event: what points back to what is as recorded from AWS."""

from __future__ import annotations

from typing import Any

import pytest

from kaidan.asl.language import compile_definition
from kaidan.errors import StateError
from kaidan.protocol.effects import RunTask
from kaidan.runtime.run import Run
from kaidan.runtime.simulated import World, simulate

Definition = dict[str, Any]

TASK = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeImages", "Parameters": {}}


def machine(**states: Definition) -> Definition:
    return {"StartAt": next(iter(states)), "States": states}


def run(definition: Definition, input: Any, *errors: str | None) -> Run:
    """Run it; tasks fail with `errors` in turn (None: succeed), then succeed."""
    answers = iter(errors)

    def answer(task: RunTask) -> Any:
        error = next(answers, None)
        if error is not None:
            raise StateError(error, "why")
        return {"Images": []}

    return simulate(compile_definition(definition), input, World(answer=answer))


def told(done: Run) -> list[str]:
    """`4 ← 3 PassStateExited` for each event."""
    return [f"{event.id} ← {event.previous_id} {event.type}" for event in done.history]


ONE_PASS = machine(P={"Type": "Pass", "End": True})

CASES: dict[str, tuple[Definition, Any, tuple[str | None, ...], list[str]]] = {
    "the first state points to nothing": (
        machine(P={"Type": "Pass", "Next": "S"}, S={"Type": "Succeed"}),
        {},
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 PassStateEntered",
            "3 ← 2 PassStateExited",
            "4 ← 3 SucceedStateEntered",
            "5 ← 4 SucceedStateExited",
            "6 ← 5 ExecutionSucceeded",
        ],
    ),
    "an iteration points to the last state event of the one whose place it takes": (
        machine(M={"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": ONE_PASS, "End": True}),
        [1, 2],
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 MapStateEntered",
            "3 ← 2 MapStateStarted",
            "4 ← 3 MapIterationStarted",
            "5 ← 4 PassStateEntered",
            "6 ← 5 PassStateExited",
            "7 ← 6 MapIterationSucceeded",
            "8 ← 6 MapIterationStarted",
            "9 ← 8 PassStateEntered",
            "10 ← 9 PassStateExited",
            "11 ← 10 MapIterationSucceeded",
            "12 ← 11 MapStateSucceeded",
            "13 ← 11 MapStateExited",
            "14 ← 13 ExecutionSucceeded",
        ],
    ),
    "a Map of nothing": (
        machine(M={"Type": "Map", "ItemProcessor": ONE_PASS, "End": True}),
        [],
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 MapStateEntered",
            "3 ← 2 MapStateStarted",
            "4 ← 3 MapStateSucceeded",
            "5 ← 3 MapStateExited",
            "6 ← 5 ExecutionSucceeded",
        ],
    ),
    "a Distributed Map keeps its children out of the history": (
        machine(
            M={
                "Type": "Map",
                "ItemProcessor": ONE_PASS | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                "End": True,
            }
        ),
        [1, 2, 3],
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 MapStateEntered",
            "3 ← 2 MapStateStarted",
            "4 ← 3 MapRunStarted",
            "5 ← 4 MapRunSucceeded",
            "6 ← 5 MapStateSucceeded",
            "7 ← 4 MapStateExited",
            "8 ← 7 ExecutionSucceeded",
        ],
    ),
    "a Parallel state's exit points to the last event of the branch that ended last": (
        machine(P={"Type": "Parallel", "Branches": [ONE_PASS, ONE_PASS], "End": True}),
        {},
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 ParallelStateEntered",
            "3 ← 2 ParallelStateStarted",
            "4 ← 3 PassStateEntered",
            "5 ← 4 PassStateExited",
            "6 ← 3 PassStateEntered",
            "7 ← 6 PassStateExited",
            "8 ← 7 ParallelStateSucceeded",
            "9 ← 7 ParallelStateExited",
            "10 ← 9 ExecutionSucceeded",
        ],
    ),
    "a retry schedules again, and a Catcher exits": (
        machine(
            T=TASK
            | {
                "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}],
                "Next": "S",
            },
            S={"Type": "Succeed"},
        ),
        {},
        ("Boom", "Boom"),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 TaskStateEntered",
            "3 ← 2 TaskScheduled",
            "4 ← 3 TaskStarted",
            "5 ← 4 TaskFailed",
            "6 ← 5 TaskScheduled",
            "7 ← 6 TaskStarted",
            "8 ← 7 TaskFailed",
            "9 ← 8 TaskStateExited",
            "10 ← 9 SucceedStateEntered",
            "11 ← 10 SucceedStateExited",
            "12 ← 11 ExecutionSucceeded",
        ],
    ),
    "a branch that fails aborts its task and the state": (
        machine(P={"Type": "Parallel", "Branches": [machine(T=TASK | {"End": True})], "End": True}),
        {},
        ("Boom",),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 ParallelStateEntered",
            "3 ← 2 ParallelStateStarted",
            "4 ← 3 TaskStateEntered",
            "5 ← 4 TaskScheduled",
            "6 ← 5 TaskStarted",
            "7 ← 6 TaskFailed",
            "8 ← 7 TaskStateAborted",
            "9 ← 7 ParallelStateFailed",
            "10 ← 9 ExecutionFailed",
        ],
    ),
    "an evaluation that fails on entry points to what came before the state": (
        {"QueryLanguage": "JSONata"} | machine(P={"Type": "Pass", "Output": "{% $nothing %}", "End": True}),
        {},
        (),
        [
            "1 ← 0 ExecutionStarted",
            "2 ← 0 PassStateEntered",
            "3 ← 0 EvaluationFailed",
            "4 ← 3 ExecutionFailed",
        ],
    ),
    "a path that finds nothing fails the execution at once": (
        machine(P={"Type": "Pass", "InputPath": "$.nothing", "End": True}),
        {},
        (),
        ["1 ← 0 ExecutionStarted", "2 ← 0 PassStateEntered", "3 ← 2 ExecutionFailed"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_history(name: str) -> None:
    definition, input, errors, expected = CASES[name]
    assert told(run(definition, input, *errors)) == expected


CAUSES = [
    (
        machine(P={"Type": "Pass", "InputPath": "$.a.b", "End": True}),
        "States.Runtime",
        "An error occurred while executing the state 'P' (entered at the event id #2). "
        "Invalid path '$.a.b' : Missing property in path $['a']",
    ),
    (
        machine(P={"Type": "Pass", "Parameters": {"x.$": "$.a"}, "End": True}),
        "States.Runtime",
        "An error occurred while executing the state 'P' (entered at the event id #2). "
        "The JSONPath '$.a' specified for the field 'x.$' could not be found in the input '{}'",
    ),
    (
        machine(C={"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "C"}]}),
        "States.NoChoiceMatched",
        "An error occurred while executing the state 'C' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state.",
    ),
    (
        machine(P={"Type": "Pass", "Result": "x" * 262_143, "End": True}),
        "States.DataLimitExceeded",
        "The state/task 'P' returned a result with a size exceeding the maximum number of bytes service limit.",
    ),
    (
        machine(W={"Type": "Wait", "SecondsPath": "$.s", "End": True}),
        "States.Runtime",
        "An error occurred while executing the state 'W' (entered at the event id #2). "
        "The SecondsPath parameter does not reference an input value: $.s",
    ),
]


@pytest.mark.parametrize(("definition", "error", "cause"), CAUSES)
def test_causes(definition: Definition, error: str, cause: str) -> None:
    execution = run(definition, {}).execution
    assert (execution.status, execution.error, execution.cause) == ("FAILED", error, cause)


ONE = machine(One={"Type": "Pass", "End": True})
LONG = {"text": "x" * 262_144}
LONG_INPUTS: list[Definition] = [
    {**TASK, "Parameters": LONG},
    {**TASK, "Arguments": LONG, "QueryLanguage": "JSONata"},
    {"Type": "Parallel", "Branches": [ONE], "Parameters": LONG},
    {"Type": "Parallel", "Branches": [ONE], "Arguments": LONG, "QueryLanguage": "JSONata"},
    {"Type": "Map", "ItemProcessor": ONE, "ItemSelector": LONG},
]


@pytest.mark.parametrize("state", LONG_INPUTS)
def test_what_a_state_makes_of_its_input_has_a_limit(state: Definition) -> None:
    fields = {name: value for name, value in state.items() if name != "Parameters" or "Arguments" not in state}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "One"}]
    definition = machine(P={**fields, "Catch": catch, "End": True}, One=ONE["States"]["One"])
    execution = run(definition, [1]).execution
    cause = "The input that the state 'P' has made exceeds the maximum number of bytes service limit."
    assert (execution.error, execution.cause) == ("States.DataLimitExceeded", cause)


@pytest.mark.parametrize(
    ("text", "status"),
    [("2", "SUCCEEDED"), ("+2", "SUCCEEDED"), ("1_0", "FAILED"), (" 2", "FAILED"), ("2.0", "FAILED")],
)
def test_text_that_holds_an_integer(text: str, status: str) -> None:
    state = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrencyPath": "$.most", "ItemProcessor": ONE, "End": True}
    execution = run(machine(M=state), {"items": [1], "most": text}).execution
    assert execution.status == status
    if status == "FAILED":
        told = f'The MaxConcurrencyPath field refers to value "{text}" which is not a valid integer: $.most'
        assert (execution.cause or "").endswith(told)


def test_assign_sees_the_result_before_result_selector() -> None:
    """AWS guide, "Passing data between states with variables"."""
    state = {**TASK, "ResultSelector": {"many.$": "$.Images"}, "Assign": {"all.$": "$"}, "Next": "Told"}
    told = {"Type": "Pass", "Parameters": {"all.$": "$all", "output.$": "$"}, "End": True}
    done = run(machine(T=state, Told=told), {}).execution
    assert done.output is not None
    assert done.output.value == {"all": {"Images": []}, "output": {"many": []}}


MISSING = "{% $states.input.missing %}"
RULES: list[tuple[Definition, str]] = [
    ({"Condition": MISSING}, "Choices[1]/Condition"),
    ({"Condition": True, "Output": {"v": [MISSING]}}, "Choices[1]/Output/v[0]"),
    ({"Condition": True, "Assign": {"v": MISSING}}, "Choices[1]/Assign/v"),
]


@pytest.mark.parametrize(("rule", "field"), RULES)
def test_fields_of_a_rule_are_named_by_its_number(rule: Definition, field: str) -> None:
    choices = [{"Condition": False, "Next": "C"}, {**rule, "Next": "C"}]
    found = run(machine(C={"Type": "Choice", "QueryLanguage": "JSONata", "Choices": choices}), {})
    assert found.history[-2].details is not None
    assert found.history[-2].details["location"] == field
    assert f"specified for the field '{field}' returned nothing (undefined)." in (found.execution.cause or "")


def test_fields_of_a_catcher_are_named_by_its_number() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "P", "Output": {"v": MISSING}}]
    branch = machine(F={"Type": "Fail", "Error": "E"})
    state = {"Type": "Parallel", "QueryLanguage": "JSONata", "Branches": [branch], "Catch": catch, "End": True}
    cause = run(machine(P=state), {}).execution.cause
    assert "specified for the field 'Catch[0]/Output/v' returned nothing (undefined)." in (cause or "")


def test_a_bound_of_evaluation_follows_a_colon() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $pad('', 10000000, 'x') %}", "End": True}
    cause = run(machine(P=state), {}).execution.cause
    assert "threw an error during evaluation: Expression evaluation memory limit exceeded" in (cause or "")


def test_a_cause_has_a_length() -> None:
    output = "{% $error($pad('', 100000, 'x')) %}"
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "End": True}
    run = simulate(compile_definition(machine(P=state)), {})
    assert len(run.execution.cause or "") == 32_768


def test_25000_events_are_the_most_a_standard_execution_has() -> None:
    loop = machine(P={"Type": "Pass", "Next": "C"}, C={"Type": "Choice", "Choices": [], "Default": "P"})
    done = run(loop, {})
    assert len(done.history) == 25_000
    assert done.history[-1].type == "ExecutionFailed"
    assert done.execution.status == "FAILED"


def test_an_execution_times_out_in_the_middle_of_a_wait() -> None:
    done = run(machine(W={"Type": "Wait", "Seconds": 60, "End": True}) | {"TimeoutSeconds": 5}, {})
    assert done.execution.status == "TIMED_OUT"
    assert done.execution.stop_ms - done.execution.start_ms == 5_000
    assert [event.type for event in done.history[-2:]] == ["WaitStateAborted", "ExecutionTimedOut"]


def test_the_texts_of_passed_on_data_are_made_once() -> None:
    chain = machine(**{f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(3)}, P3={"Type": "Succeed"})
    texts = [
        event.details["output"] for event in run(chain, {"a": 1}).history if event.details and "output" in event.details
    ]
    assert all(text is texts[0] for text in texts)
