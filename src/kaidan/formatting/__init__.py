"""Definitions in canonical form: the order of members, indentation and line breaks, and nothing else.

    formatted('{"States": {…}, "StartAt": "A"}', "orders.asl.json")      text, the same again for its own result

Comments stay. What a definition says stays, too: it is read again before the text is handed out.
"""

from __future__ import annotations

from kaidan.asl.language.source import Format, read_source
from kaidan.errors import DefinitionError
from kaidan.formatting.json_text import format_json
from kaidan.values import JSON, dumps, equal

__all__ = ["CannotFormat", "as_json", "as_yaml", "formatted"]


class CannotFormat(Exception):
    """A definition that can be read, but is written in a way that is better left alone. The message says which."""


def formatted(text: str, name: str = "<definition>") -> str:
    """The text of a definition in canonical form. `name` decides between JSON and YAML as in `read_source`.

    Raises DefinitionError for text that cannot be read, CannotFormat.
    """
    source = read_source(text, name)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    made = _written(plain, source.format)
    if not _same(source.value, made, name):
        raise CannotFormat("it would not say the same any more")
    return made


def as_json(definition: JSON) -> str:
    """A definition as canonical JSON text."""
    return format_json(dumps(definition))


def as_yaml(definition: JSON) -> str:
    """A definition as canonical YAML text. Raises CannotFormat for what YAML would read as something else."""
    import io

    from ruamel.yaml import YAML

    writer = YAML()
    writer.width = 1 << 20
    text = io.StringIO()
    writer.dump(definition, text)
    if not _same(definition, text.getvalue(), "<definition>.yaml"):
        raise CannotFormat("it would not say the same in YAML")
    return formatted(text.getvalue(), "<definition>.yaml")


def _written(text: str, form: Format) -> str:
    if form == "json":
        return format_json(text)
    from kaidan.formatting.yaml_text import Unsupported, format_yaml  # 20 ms of import that JSON need not pay

    try:
        return format_yaml(text)
    except Unsupported as problem:
        raise CannotFormat(f"it has {problem}") from None


def _same(value: JSON, made: str, name: str) -> bool:
    """Also where the order decides: an alias needs its anchor before it."""
    try:
        return equal(value, read_source(made, name).value)
    except DefinitionError:
        return False
