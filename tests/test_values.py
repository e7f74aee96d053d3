"""JSON read and written: what is odd, what is too large, what is too deep."""

from __future__ import annotations

import pytest

from kaidan.asl.language import load
from kaidan.runtime.simulated import simulate
from kaidan.values import DEPTH_MAX, JSON, InvalidJson, Payload, TooDeep, dumps, loads

HUGE = "9" * 400
TOO_LONG_FOR_INT = "9" * 5000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2.50, -0]", [1, 2.5, 0]),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 2.0**64),
        ('{"\\ud800": "\\udc00", "n": 18446744073709551616, "f": 1.5}', {"\ufffd": "\ufffd", "n": 2.0**64, "f": 1.5}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("1e-400", 0.0),
    ],
)
def test_read(text: str, value: JSON) -> None:
    assert loads(text) == loads(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "1e400",
        HUGE,
        TOO_LONG_FOR_INT,
        f'["\\ud800", {HUGE}]',
        f'["\\ud800", {TOO_LONG_FOR_INT}]',
        '["\\ud800", 1e400]',
        '["\\ud800", NaN]',
        "[" * 5000,
        "[" * 5000 + "]" * 5000,
        '["\\ud800"' + "[" * 5000,
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidJson):
        loads(text)


def nested(levels: int) -> JSON:
    value: JSON = 1
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


def test_the_deepest() -> None:
    deepest = dumps(nested(DEPTH_MAX))
    assert Payload.of_text(deepest).text == dumps(loads(deepest)) == deepest
    assert len(loads(dumps([[1]] * 1000))) == 1000  # many brackets, but not inside one another


def test_too_deep() -> None:
    with pytest.raises(TooDeep, match="nested deeper than 254 levels"):
        dumps(nested(DEPTH_MAX + 1))
    with pytest.raises(InvalidJson, match="nested deeper than 254 levels"):
        loads("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1))


DIGGING: dict[str, dict[str, JSON]] = {
    "a Pass state": {"Type": "Pass", "Parameters": {"a.$": "$"}},
    "variables": {"Type": "Pass", "Assign": {"x": {"a.$": "$x"}}},
    "a Parallel state": {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}],
    },
}
MORE = {"Variable": "$", "IsPresent": True, "Next": "Dig"}


@pytest.mark.parametrize("state", DIGGING)
def test_an_execution_that_digs_ever_deeper_fails(state: str) -> None:
    """Its data have a bound, as their size has; and Catch sees no such thing, as of other runtime errors."""
    definition = {
        "StartAt": "Start",
        "States": {
            "Start": {"Type": "Pass", "Assign": {"x": 1}, "Next": "Dig"},
            "Dig": {**DIGGING[state], "Next": "More?"},
            "More?": {"Type": "Choice", "Choices": [MORE], "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }
    execution = simulate(load(dumps(definition)).program, {}).execution
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause is not None and execution.cause.endswith("The data is nested deeper than 254 levels.")
