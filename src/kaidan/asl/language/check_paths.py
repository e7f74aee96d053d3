"""Paths, payload templates and variables of the JSONPath dialect, checked. Knows no state type."""

from __future__ import annotations

from collections.abc import Callable

from kaidan.asl.query.intrinsics import IntrinsicSyntaxError, compile_intrinsic, is_intrinsic
from kaidan.asl.query.jsonpath import JsonPathSyntaxError, Path, parse
from kaidan.asl.states.fields import Reference, Site, looks_dynamic, parts
from kaidan.values import JSON

_NOT_A_REFERENCE = "Value is not a Reference Path"


def check_path(text: str, site: Site) -> None:
    """A path of InputPath or OutputPath."""
    if problem := _problem(parse, text):
        site.error("Value must be a valid JSONPath.", hint=problem)


def check_reference(text: str, kind: Reference, site: Site) -> None:
    """A path to one place."""
    if not text.startswith("$"):
        hint = "functions are called in Parameters and other templates" if is_intrinsic(text) else None
        site.error(f"{_NOT_A_REFERENCE}: Reference path didn't start with '$'", hint=hint)
    elif problem := _problem(parse, text) or _unsuitable(parse(text), kind):
        site.error(_NOT_A_REFERENCE, hint=problem)


def _unsuitable(path: Path, kind: Reference) -> str | None:
    if not path.is_reference:
        return "it must lead to one place, by names and indexes only"
    if path.root == "context" and not kind.context:
        return "the Context object ($$) is not allowed here"
    if path.root == "variable" and kind.written:
        return "a variable is set by Assign: here a path into the state's input is needed"
    return None


def check_call(text: str, name: str, site: Site) -> None:
    """A path or a call, as ErrorPath takes it."""
    if problem := _value_problem(text):
        site.error(_not_a_value(name), hint=problem)


def check_template(template: JSON, site: Site) -> None:
    """Observed: wherever in a template a field is, AWS names the template as the place."""
    for pointer, name, value in parts(template):
        if name.endswith(".$") and pointer.endswith(name):
            if problem := _value_problem(value):
                site.error(_not_a_value(name), hint=f"at {site.pointer}{pointer}: {problem}")
        elif looks_dynamic(value):
            message = f"The value of the field '{name}' looks like a path or a function, but it is taken as text."
            site.warning("NO_DOLLAR", message, hint=f"at {site.pointer}{pointer}: '{name}.$' would be evaluated")


def _not_a_value(name: str) -> str:
    return f"The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"


def _value_problem(value: JSON) -> str | None:
    if not isinstance(value, str):
        return "it is not a string"
    if is_intrinsic(value):
        return _problem(compile_intrinsic, value)
    return _problem(parse, value)


def _problem(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except (JsonPathSyntaxError, IntrinsicSyntaxError) as problem:
        return str(problem)
    except RecursionError:
        return "it is nested too deeply"
    return None


VARIABLE_CHARS_MAX = 80


def check_variable(name: str, site: Site) -> None:
    """A variable's name: an identifier (Unicode Annex 31), not `states` (AWS guide, "Variable name syntax")."""
    if name == "states":
        site.error("Cannot assign to reserved variable '$states'.", code="RESERVED_VARIABLE_NAME")
    elif not name.isidentifier() or name.startswith("_"):
        message = f"Invalid variable name '{name}': the variable name contains invalid characters."
        hint = "allowed: letters, digits and _, with a letter first"
        site.error(message, code="INVALID_VARIABLE_NAME", hint=hint)
    elif len(name) > VARIABLE_CHARS_MAX:
        message = f"Invalid variable name '{name}': the variable name exceeds {VARIABLE_CHARS_MAX} characters."
        site.error(message, code="INVALID_VARIABLE_NAME")
