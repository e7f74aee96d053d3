"""The functions on objects, on types, and those that raise errors. Source: JSONata 2.0.6, "Object functions"."""

from __future__ import annotations

from kaidan.asl.query.jsonata.errors import JsonataError
from kaidan.asl.query.jsonata.limits import Run
from kaidan.asl.query.jsonata.text import to_precision_15
from kaidan.asl.query.jsonata.values import ARRAYS, NUMBERS, UNDEFINED, Function, Sequence, is_numeric, members
from kaidan.asl.query.jsonata.values import number as as_number
from kaidan.values import JSON


def keys(run: Run, value: JSON) -> JSON:
    """The names in an object, or in all objects of a list, each once."""
    if value.__class__ is dict:
        run.allot_members(len(value))
        return Sequence(members(value))
    if value.__class__ not in ARRAYS:
        return Sequence()
    run.charge(len(value))
    merged: dict[str, JSON] = {}
    for item in value:
        merged.update(dict.fromkeys(keys(run, item)))
    return Sequence(members(merged))


def lookup(run: Run, value: JSON, name: JSON) -> JSON:
    """The value of a field, in a list that of each of its objects."""
    if value.__class__ is dict:
        return value.get(name, UNDEFINED)
    if value.__class__ not in ARRAYS:
        return UNDEFINED
    run.charge(len(value))
    result = Sequence()
    for item in value:
        found = lookup(run, item, name)
        if found.__class__ in ARRAYS:
            result += found
        elif found is not UNDEFINED:
            result.append(found)
    return result


def spread(run: Run, value: JSON) -> JSON:
    """`{a, b}` as `[{a}, {b}]`, a list as the list of that for each of its objects."""
    if value.__class__ is dict:
        run.allot_members(len(value))
        return Sequence({name: value[name]} for name in members(value))
    if value.__class__ not in ARRAYS:
        return value
    run.charge(len(value))
    result: list[JSON] = []
    for item in value:
        part = spread(run, item)
        if part.__class__ in ARRAYS:
            result += part
        elif part is not UNDEFINED:
            result.append(part)
    run.allot_members(len(result))
    return result if result else Sequence()


def merge(run: Run, values: JSON) -> JSON:
    """One object of many; later ones win."""
    if values is UNDEFINED:
        return values
    result: dict[str, JSON] = {}
    for value in values:
        if value.__class__ is dict:
            run.charge(len(value))
            result.update(value)
    run.allot_members(len(result))
    return result


def exists(run: Run, value: JSON) -> JSON:
    return value is not UNDEFINED


def kind(run: Run, value: JSON) -> JSON:
    """`$type`"""
    if value is UNDEFINED:
        return value
    if value is None:
        return "null"
    if value.__class__ in NUMBERS:
        return "number" if is_numeric(value) else "object"
    if value.__class__ is str:
        return "string"
    if value.__class__ is bool:
        return "boolean"
    if isinstance(value, Function):
        return "function"
    return "array" if value.__class__ in ARRAYS else "object"


def error(run: Run, message: JSON = UNDEFINED) -> JSON:
    raise JsonataError("D3137", message=message or "$error() function evaluated")


def assertion(run: Run, condition: JSON, message: JSON = UNDEFINED) -> JSON:
    """`$assert`"""
    if condition is True:
        return UNDEFINED
    raise JsonataError("D3141", message=message or "$assert() statement failed")


def clone(run: Run, value: JSON) -> JSON:
    """A copy that shares nothing; numbers as $string would show them, functions as nothing."""
    if value is UNDEFINED:
        return value
    run.charge(1)
    if value.__class__ is dict:
        run.allot_members(len(value))
        return {name: clone(run, member) for name, member in value.items()}
    if value.__class__ in ARRAYS:
        run.allot_members(len(value))
        return [None if member is UNDEFINED else clone(run, member) for member in value]
    if value.__class__ is float:
        return as_number(to_precision_15(value)) if is_numeric(value) else None
    return "" if isinstance(value, Function) else value
