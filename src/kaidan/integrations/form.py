"""The form of parameters that no operation of a model describes: fields, what fits each, which must be there.

Sentences are AWS's where they are recorded: "The value of the field 'Headers' has an invalid format".
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kaidan.values import JSON

Fits: TypeAlias = Callable[[JSON], bool]

Complaint: TypeAlias = tuple[str, str | None]
"""What is wrong with Parameters or Arguments as they stand in a definition: AWS's sentence, and a hint.

At creation AWS looks for fields that are not there, at any depth, and, of optimised integrations, for required ones
that are missing (seen in refusals of deployments; ValidateStateMachineDefinition says so at `/States/S/Parameters`).
Values are looked at when the task is to start; so are unknown fields whose value is a path, `Nme.$` (one that was let
through at creation and failed then has been seen).
"""

REQUIRED = "The field '{}' is required but was missing"
UNKNOWN = 'The field "{}" is not supported by Step Functions'
UNFIT = "The value of the field '{}' has an invalid format"
BARRED = "The 'Headers' field contains unsupported values: {}"
NO_OBJECT = "The parameters must be an object"


def text(value: JSON) -> bool:
    return isinstance(value, str)


def boolean(value: JSON) -> bool:
    return isinstance(value, bool)


def object_(value: JSON) -> bool:
    return isinstance(value, dict)


def lists(value: JSON) -> bool:
    """An object of arrays."""
    return isinstance(value, dict) and all(isinstance(item, list) for item in value.values())


def anything(value: JSON) -> bool:
    return True


def one_of(*values: str) -> Fits:
    return lambda value: value in values


def headers(names: str, *prefixes: str) -> Callable[[str], bool]:
    """Whether a header is one of these: names with blanks between them, and what begins with a prefix."""
    known = frozenset(names.split())
    return lambda header: header in known or header.startswith(prefixes)


def is_unknown(name: str, fields: Container[str]) -> bool:
    """Whether a key of a definition is no field, as far as is looked before running."""
    return not name.endswith(".$") and name not in fields


@dataclass(frozen=True, slots=True)
class Form:
    """`fields` to what fits them; null is as good as absent. `required`: each name, or one of several in a tuple.
    `barred`: whether a task may not set a header, by its name in small letters."""

    fields: Mapping[str, Fits]
    required: tuple[str | tuple[str, ...], ...] = ()
    barred: Callable[[str], bool] | None = None

    def problems(self, parameters: JSON) -> list[str]:
        """What is wrong with parameters."""
        if not isinstance(parameters, dict):
            return [NO_OBJECT]
        unfit = [
            UNFIT.format(name)
            for name, value in parameters.items()
            if value is not None and not self.fields.get(name, anything)(value)
        ]
        return self.template_problems(parameters) + unfit + self._barred_headers(parameters.get("Headers"))

    def _barred_headers(self, headers: JSON) -> list[str]:
        if self.barred is None or not isinstance(headers, dict):
            return []
        found = [name for name in headers if self.barred(name.lower())]
        return [BARRED.format(found)] if found else []

    def template_problems(self, template: JSON) -> list[str]:
        """What AWS says before running, when `Name.$` and `{% … %}` may stand for anything; see `Complaint`."""
        if not isinstance(template, dict):
            return []
        given = {name.removesuffix(".$"): None for name in template}
        missing = [
            REQUIRED.format(names if isinstance(names, str) else names[0])
            for names in self.required
            if not given.keys() & {*([names] if isinstance(names, str) else names)}
        ]
        return missing + [UNKNOWN.format(name) for name in template if is_unknown(name, self.fields)]
