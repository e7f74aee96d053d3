"""Numbers that a definition gives as a literal, a path or an expression: concurrency, time-outs, tolerance.

Recorded: text that holds a number counts as one; anything else is States.Runtime naming the field and the value.
"""

from __future__ import annotations

from kaidan.asl.states.state import Value
from kaidan.asl.states.visit import Visit
from kaidan.errors import QUERY_EVALUATION_ERROR, StateError, runtime_error
from kaidan.values import JSON, dumps


def integer(field: Value | None, name: str, visit: Visit, *, minimum: int | None = None) -> int | None:
    """The field's value as an integer, None when the definition has no such field."""
    if field is None:
        return None
    value = field.at(visit)
    try:
        number = _integer(value)
    except ValueError:
        raise _invalid(field, name, value, "integer") from None
    if minimum is not None and number < minimum:
        raise out_of_range(field, name, f"{name} must be at least {minimum} but was: {number}")
    return number


def out_of_range(field: Value, name: str, cause: str, *, after_entry: bool = False) -> StateError:
    """A number, or a moment, that the field does not take: of a path it is States.Runtime (recorded), of a JSONata
    expression an error that can be caught (AWS guide, "Handling expression errors"). `after_entry` as in StateError."""
    if field.path is not None:
        return runtime_error(cause)
    return StateError(QUERY_EVALUATION_ERROR, cause, located=True, location=name, after_entry=after_entry)


def _integer(value: JSON) -> int:
    value = _as_in_java(value)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


def _as_in_java(value: JSON) -> int | float | str:
    """A number or its text, without what only Python takes for one: `1_000`, and blanks around it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(value)
    if isinstance(value, str) and ("_" in value or value != value.strip()):
        raise ValueError(value)
    return value


def count(field: Value | None, name: str, visit: Visit) -> int:
    """The field's value as an integer that is not negative, 0 when the definition has no such field."""
    number = integer(field, name, visit)
    if field is None or number is None:
        return 0
    if number < 0:
        raise out_of_range(field, name, f"{name} cannot be negative.")
    return number


def percentage(field: Value | None, name: str, visit: Visit) -> float:
    """The field's value as a number from 0 to 100, 0 when the definition has no such field."""
    if field is None:
        return 0
    value = field.at(visit)
    try:
        number = float(_as_in_java(value))
    except ValueError:
        raise _invalid(field, name, value, "float") from None
    if not 0 <= number <= 100:
        raise out_of_range(field, name, f"{name} must be between 0 and 100.")
    return number


def _invalid(field: Value, name: str, value: JSON, kind: str) -> StateError:
    shown = value if isinstance(value, str) else dumps(value)
    if field.path is not None:
        return runtime_error(
            f'The {name}Path field refers to value "{shown}" which is not a valid {kind}: {field.path}'
        )
    cause = f"The {name} field is not a valid {kind}: {shown}"
    return StateError(QUERY_EVALUATION_ERROR, cause, located=True, location=name)
