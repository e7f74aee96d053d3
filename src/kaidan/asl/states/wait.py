"""Wait: for a number of seconds, or until a moment. Source: States Language spec, "Wait State".

Recorded: a path to something else than a number or a date-time is States.Runtime with the path and the value;
a moment more than 24,855 days ahead is refused.
"""

from __future__ import annotations

from kaidan.asl.query.timestamps import parse_ns
from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fields import (
    ASSIGN,
    COMMON,
    INPUT_OUTPUT,
    OUTPUT,
    TRANSITION,
    Integer,
    OneOf,
    Reference,
    Timestamp,
    with_path,
)
from kaidan.asl.states.numbers import out_of_range
from kaidan.asl.states.state import Compiler, State, Value
from kaidan.asl.states.visit import Exit, Sleep, Visit
from kaidan.errors import QUERY_EVALUATION_ERROR, StateError, runtime_error
from kaidan.limits import AWS
from kaidan.values import JSON, Payload, dumps

_TIMING = OneOf(("Seconds", "SecondsPath", "Timestamp", "TimestampPath"), required=True)

FIELDS = (
    *COMMON,
    *TRANSITION,
    *INPUT_OUTPUT,
    *with_path("Seconds", Integer(0, AWS.wait_s_max), Reference(), one_of=_TIMING),
    *with_path("Timestamp", Timestamp(), Reference(), one_of=_TIMING),
    OUTPUT,
    ASSIGN,
)

_DAY_MS = 86_400_000


class Wait(State):
    __slots__ = ("_seconds", "_timestamp")

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        super().__init__(definition, compiler, compiler.flow(definition))
        self._seconds = compiler.value(definition, "Seconds")
        self._timestamp = compiler.value(definition, "Timestamp")

    def enter(self, visit: Visit) -> Sleep:
        self.flow.arguments(visit)
        if self._seconds is not None:
            return Sleep(visit.now_ms + 1000 * _seconds(self._seconds, visit))
        assert self._timestamp is not None
        return Sleep(_moment_ms(self._timestamp, visit))

    def resume(self, visit: Visit, result: Payload) -> Exit:
        return self.exit(visit, self.flow.arguments(visit))


def _seconds(field: Value, visit: Visit) -> int:
    value = field.at(visit)
    if isinstance(value, float) and value.is_integer() and field.path is None:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _not_seconds(field, value)
    if not 0 <= value <= AWS.wait_s_max:
        cause = f"The Seconds of a Wait state must be between 0 and {AWS.wait_s_max} but was: {value}"
        raise out_of_range(field, "Seconds", cause, after_entry=True)
    return value


def _not_seconds(field: Value, value: JSON) -> StateError:
    if field.path is not None:
        shown = value if isinstance(value, str) else dumps(value)
        return runtime_error(f"The SecondsPath parameter cannot be parsed as a long value: {field.path} == {shown}")
    cause = f"The Seconds field cannot be parsed as a long value: {dumps(value)}"
    return StateError(QUERY_EVALUATION_ERROR, cause, located=True, location="Seconds", after_entry=True)


def _moment_ms(field: Value, visit: Visit) -> int:
    value = field.at(visit)
    moment_ns = parse_ns(value)
    if moment_ns is None:
        raise _not_a_moment(field, value)
    moment_ms = moment_ns // 1_000_000_000 * 1000  # fractions of a second are cut off (AWS guide, "Wait")
    if moment_ms - visit.now_ms >= (AWS.timestamp_wait_days_max + 1) * _DAY_MS - 2 * 3_600_000:
        raise out_of_range(field, "Timestamp", "Wait state delay is too long.", after_entry=True)
    return moment_ms


def _not_a_moment(field: Value, value: JSON) -> StateError:
    shown = value if isinstance(value, str) else dumps(value)
    if field.path is None:
        cause = f"The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {shown}"
        return StateError(QUERY_EVALUATION_ERROR, cause, located=True, location="Timestamp", after_entry=True)
    return runtime_error(
        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
        f"{field.path} == {shown}"
    )
