r"""Intrinsic functions in JSONata: a call as a node. One more is a function and a line in FUNCTIONS.

    States.Format('{}-{}', $.a, $.b)    $exists($states.input.a) and … ? $states.input.a & '-' & $states.input.b
    States.MathAdd($.n, 1)              $floor($states.input.n + 0.5) + 1
    States.Array($.a, 'x')              ["{% $states.input.a %}", "x"]

Arguments of the wrong type fail in JSONata as well, unless the place says otherwise. Not the same, and left so: text
of fractions without a fraction (`1.0`), and of arrays and objects in Format (Java's); Base64 of what is no ASCII; blank
text, which StringToJson takes for null; an item of a computed array that is empty, null as well; `[0]` of what is no
array; bounds of a random number in the wrong order; limits on sizes. Knows nothing of states.
Source: `asl.query.intrinsic_functions`; AWS guide, "JSONata functions provided by Step Functions".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from kaidan.asl.query.intrinsic_functions import FUNCTIONS as INTRINSICS
from kaidan.asl.query.intrinsic_functions import Refusal
from kaidan.asl.query.intrinsics import Argument, Call, Literal, PathText, parse_intrinsic
from kaidan.convert.expressions import (
    ADD,
    ATOM,
    BACKSLASH,
    COMPARE,
    CONDITION,
    Arr,
    Code,
    Const,
    Guard,
    Guards,
    Node,
    Ref,
    Unconvertible,
    code,
    is_a,
    parameter,
    string_text,
    within,
)
from kaidan.convert.paths import Scene, never, path
from kaidan.values import JSON

Note: TypeAlias = Callable[[str], None]
"""Told what is not quite the same after the conversion."""


def call(text: str, scene: Scene, note: Note) -> Node:
    """The value of a call. Raises Unconvertible."""
    return _call(parse_intrinsic(text), scene, note)


def result_type(text: str) -> str | None:
    """The type of a call's value, where the function alone decides it."""
    return _TYPES.get(text.split("(")[0])


def _argument(node: Argument, scene: Scene, note: Note) -> Node:
    match node:
        case Literal(value):
            return Const(value)
        case PathText(text):
            return path(text, scene)
        case Call():
            return _call(node, scene, note)


def _call(node: Call, scene: Scene, note: Note) -> Node:
    fewest, most, convert = FUNCTIONS[node.name]
    arguments = _Arguments([_argument(part, scene, note) for part in node.arguments], node.name, note)
    if not fewest <= len(node.arguments) <= (math.inf if most is None else most) or _always_refused(arguments):
        return arguments.refused()
    return convert(arguments)


def _always_refused(given: _Arguments) -> bool:
    """Whether the arguments, all of them written out, are none that the function takes."""
    if not all(isinstance(node, Const) for node in given.nodes) or given.function in _BY_CHANCE:
        return False
    try:
        INTRINSICS[given.function][2](None, *(given.literal(at) for at in range(len(given.nodes))))
    except Refusal:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The arguments of one call."""

    nodes: Sequence[Node]
    function: str
    note: Note

    def literal(self, at: int) -> JSON:
        """Raises Unconvertible for what is only known at run time."""
        node = self.nodes[at]
        if isinstance(node, Const):
            return node.value
        raise Unconvertible(f"argument {at + 1} of {self.function} is not written out in the call")

    def code(self, at: int) -> Code:
        return code(self.nodes[at])

    def refused(self) -> Code:
        return never(f"Invalid arguments in {self.function}")


def _guards(*parts: Code) -> Guards:
    return tuple(guard for part in parts for guard in part.unseen)


def _native(name: str, *parts: Code, type: str | None = None) -> Code:
    """A function of JSONata that gives nothing, or fails, where an argument is missing."""
    text = f"{name}({', '.join(part.text for part in parts)})"
    return Code(text, type=type, unseen=_guards(*parts), seen=tuple(guard for part in parts for guard in part.seen))


def _kind(part: Code, kind: str) -> Guards:
    """What has to hold for an argument of a kind where JSONata would make do with others."""
    return part.all_guards if part.type == kind else (*part.unseen, Guard(part.text, kind))


def _array(part: Code) -> Guards:
    return _kind(part, "array")


# --- arrays -----------------------------------------------------------------------------------------------


def _array_of(given: _Arguments) -> Node:
    return Arr(list(given.nodes))


def _partition(given: _Arguments) -> Node:
    """Brackets, because JSONata makes nothing of an empty array."""
    items, size = given.code(0), given.code(1)
    if isinstance(given.nodes[1], Const) and not (is_a(size.type, "number") and given.literal(1) >= 1):
        return given.refused()
    text = f"[$partition({items.text}, {size.text})]"
    positive = () if isinstance(given.nodes[1], Const) else (*size.all_guards,)
    return Code(text, type="array", unseen=(*_array(items), *positive))


def _contains(given: _Arguments) -> Node:
    items, wanted = given.code(0), given.code(1)
    guards = (*_array(items), *wanted.all_guards)
    if wanted.type in ("string", "timestamp", "number", "integer", "boolean", "null"):
        text = f"{within(wanted, COMPARE + 1)} in {within(items, COMPARE + 1)}"
        return Code(text, COMPARE, "boolean", guards)
    return Code(f"$exists({within(items, ATOM)}[$ = {within(wanted, COMPARE + 1)}])", ATOM, "boolean", guards)


def _range(given: _Arguments) -> Node:
    """Brackets, because JSONata makes a number of a range of one, and nothing of an empty range."""
    parts = [_whole(given, at) for at in range(3)]
    if parts[2].text == "0":
        return given.refused()
    text = f"[$range({', '.join(part.text for part in parts)})]"
    return Code(text, type="array", unseen=(*_guards(*parts), *parts[2].seen))


def _get_item(given: _Arguments) -> Node:
    items, index = given.code(0), _whole(given, 1)
    if isinstance(items, _Parts) and items.members is not None:
        items = items.members
    if isinstance(given.nodes[1], Const) and not (is_a(index.type, "number") and given.literal(1) >= 0):
        return given.refused()
    text = f"{within(items, ATOM)}[{index.text}]"
    guards = (*_guards(items, index), *index.seen)
    if isinstance(given.nodes[0], Ref):  # recorded: null for any place in an empty array
        return Code(f"{items.text} = [] ? null : {text}", CONDITION, unseen=guards, seen=(Guard(text),))
    return Code(text, unseen=guards, seen=(Guard(text),))


def _length(given: _Arguments) -> Node:
    items = given.code(0)
    return Code(f"$count({items.text})", type="integer", unseen=_array(items))


def _unique(given: _Arguments) -> Node:
    given.note("$distinct keeps the order of the array, States.ArrayUnique gives that of a hash table")
    items = given.code(0)
    return Code(f"$distinct({items.text})", type="array", unseen=_array(items))


def _whole(given: _Arguments, at: int) -> Code:
    """A number whose fraction, if it is written out, is cut off; at run time JSONata does so itself."""
    node = given.nodes[at]
    if isinstance(node, Const) and isinstance(node.value, float):
        return code(Const(int(node.value)))
    return code(node)


# --- numbers ----------------------------------------------------------------------------------------------


def _add(given: _Arguments) -> Node:
    left, right = _rounded(given, 0), _rounded(given, 1)
    unseen, seen = _guards(left, right), (*left.seen, *right.seen)
    if right.text.startswith("-"):
        return Code(f"{within(left, ADD)} - {right.text[1:]}", ADD, "integer", unseen, seen)
    return Code(f"{within(left, ADD)} + {within(right, ADD)}", ADD, "integer", unseen, seen)


def _rounded(given: _Arguments, at: int) -> Code:
    """The nearest integer, halves upwards."""
    node, part = given.nodes[at], given.code(at)
    if isinstance(node, Const) and isinstance(node.value, float):
        return code(Const(math.floor(node.value + 0.5)))
    if part.type == "integer":
        return part
    return replace(part, text=f"$floor({within(part, ADD)} + 0.5)", power=ATOM, type="integer")


def _random(given: _Arguments) -> Node:
    start, end = _whole(given, 0), _whole(given, 1)
    seed = ""
    if len(given.nodes) == 3:
        given.note("$random makes other numbers of a seed than States.MathRandom")
        seed = _whole(given, 2).text
    unseen, seen = _guards(start, end), (*start.seen, *end.seen)
    if isinstance(given.nodes[0], Const) and isinstance(given.nodes[1], Const):
        width = str(int(end.text) - int(start.text))
        if int(width) < 1:
            return given.refused()
    else:
        width = f"({within(end, ADD)} - {within(start, ADD + 1)})"
    text = f"$floor($random({seed}) * {width})"
    shift = f" + {within(start, ADD)}" if not start.text.startswith("-") else f" - {start.text[1:]}"
    return Code(text + (shift if start.text != "0" else ""), ADD, "integer", unseen, seen)


# --- texts ------------------------------------------------------------------------------------------------


def _split(given: _Arguments) -> Node:
    """Each character of the delimiters splits, and empty parts are left out."""
    text, delimiters = given.code(0), given.code(1)
    characters = given.nodes[1].value if isinstance(given.nodes[1], Const) else None
    if isinstance(characters, str) and characters:
        separator = string_text(characters) if len(characters) == 1 else f"/[{_in_class(characters)}]/"
        parts = Code(f"$split({text.text}, {separator})[$ != '']", unseen=text.unseen, seen=text.seen)
    else:
        parts = _split_at_any(text, delimiters)
    return _Parts(f"[{parts.text}]", type="array", unseen=(*parts.unseen, *parts.seen), members=parts)


def _split_at_any(text: Code, delimiters: Code) -> Code:
    """All delimiters are made one, a character that no text has."""
    unified = f"$reduce($split({delimiters.text}, ''), function($t, $d) {{ $replace($t, $d, '\\u0001') }}, {text.text})"
    unseen, seen = _guards(text, delimiters), (*text.seen, *delimiters.seen)
    return Code(f"$split({unified}, '\\u0001')[$ != '']", unseen=(*unseen, *delimiters.seen), seen=seen)


@dataclass(frozen=True, slots=True)
class _Parts(Code):
    """A list that was put in brackets: `members` is what it was before, enough to pick one by its place."""

    members: Code | None = None


def _in_class(characters: str) -> str:
    escaped = re.sub(r"[\]\[(){}^/-]", lambda found: "\\" + found[0], characters.replace("\\", "\0"))
    return escaped.replace("\0", BACKSLASH)


_TEMPLATE: Final = re.compile(r"\\([\\'{}])|(\{\})|([{}])|([^\\{}]+|\\)")


def _format(given: _Arguments) -> Node:
    if not isinstance(given.nodes[0], Const):
        return _format_any(given)
    pieces: list[Code] = []
    values = iter(code(node) for node in given.nodes[1:])
    used = 0
    for escaped, place, stray, literal in _TEMPLATE.findall(str(given.literal(0))):
        if stray:
            return given.refused()
        if place:
            value = next(values, None)
            if value is None:
                return given.refused()
            pieces.append(value)
            used += 1
        else:
            _add_text(pieces, escaped or literal)
    return _joined(pieces) if used == len(given.nodes) - 1 else given.refused()


def _format_any(given: _Arguments) -> Node:
    """A template that is only known at run time: the pieces between its `{}`, as many as there have to be."""
    text, values = given.code(0), [given.code(at) for at in range(1, len(given.nodes))]
    name = parameter("pieces", text.text, *(value.text for value in values))
    pieces = [f"{name}[0]"]
    for at, value in enumerate(values, 1):
        pieces += [within(value, ADD + 1), f"{name}[{at}]"]
    joined = f"$count({name}) = {len(values) + 1} ? {' & '.join(pieces)}"
    guards = tuple(guard for value in values for guard in value.all_guards)
    whole = f"({name} := $split({text.text}, '{{}}').$replace($, /{BACKSLASH}(.)/, '$1'); {joined})"
    return Code(whole, type="string", unseen=(*text.unseen, *guards), seen=text.seen)


@dataclass(frozen=True, slots=True)
class _Words(Code):
    """Text of a template."""

    words: str = ""


def _add_text(pieces: list[Code], text: str) -> None:
    last = pieces[-1] if pieces else None
    if isinstance(last, _Words):
        text = last.words + text
        pieces.pop()
    pieces.append(_Words(string_text(text), type="string", words=text))


def _joined(pieces: list[Code]) -> Node:
    if not pieces:
        return Const("")
    if len(pieces) == 1:
        only = pieces[0]
        if isinstance(only, _Words):
            return Const(only.words)
        return only if is_a(only.type, "string") else _native("$string", only, type="string")
    text = " & ".join(within(piece, ADD + 1) for piece in pieces)
    guards = tuple(guard for piece in pieces for guard in piece.all_guards)
    return Code(text, ADD, "string", guards)


def _to_string(given: _Arguments) -> Node:
    """$string leaves text without its quotes: in brackets it has them."""
    value = given.code(0)
    plain = _native("$string", value, type="string")
    quoted = f"$replace($string([{value.text}]), /^.|.$/, '')"
    if is_a(value.type, "string"):
        return Code(quoted, type="string", unseen=value.all_guards)
    if value.type is not None:
        return plain
    text = f"$type({value.text}) = 'string' ? {quoted} : {plain.text}"
    return Code(text, CONDITION, "string", plain.unseen, plain.seen)


def _merge(given: _Arguments) -> Node:
    left, right = given.code(0), given.code(1)
    if given.literal(2) is not False:
        return given.refused()
    guards = (*_kind(left, "object"), *_kind(right, "object"))
    return Code(f"$merge([{left.text}, {right.text}])", type="object", unseen=guards)


def _to_json(given: _Arguments) -> Node:
    return _native("$parse", given.code(0))


def _encode(given: _Arguments) -> Node:
    given.note("$base64encode takes characters beyond ASCII for single bytes, not for UTF-8")
    return _native("$base64encode", given.code(0), type="string")


def _decode(given: _Arguments) -> Node:
    given.note("$base64decode makes single characters of bytes beyond ASCII, and does not read UTF-8")
    return _native("$base64decode", given.code(0), type="string")


def _hash(given: _Arguments) -> Node:
    return _native("$hash", given.code(0), given.code(1), type="string")


def _uuid(given: _Arguments) -> Node:
    return Code("$uuid()", type="string")


FUNCTIONS: Final[dict[str, tuple[int, int | None, Callable[[_Arguments], Node]]]] = {
    "States.Array": (0, None, _array_of),
    "States.ArrayContains": (2, 2, _contains),
    "States.ArrayGetItem": (2, 2, _get_item),
    "States.ArrayLength": (1, 1, _length),
    "States.ArrayPartition": (2, 2, _partition),
    "States.ArrayRange": (3, 3, _range),
    "States.ArrayUnique": (1, 1, _unique),
    "States.Base64Decode": (1, 1, _decode),
    "States.Base64Encode": (1, 1, _encode),
    "States.Format": (1, None, _format),
    "States.Hash": (2, 2, _hash),
    "States.JsonMerge": (3, 3, _merge),
    "States.JsonToString": (1, 1, _to_string),
    "States.MathAdd": (2, 2, _add),
    "States.MathRandom": (2, 3, _random),
    "States.StringSplit": (2, 2, _split),
    "States.StringToJson": (1, 1, _to_json),
    "States.UUID": (0, None, _uuid),
}
"""Name → fewest and most arguments (None: no end), conversion."""

_BY_CHANCE: Final = ("States.MathRandom", "States.UUID")
"""These need a source of chance."""

_TYPES: Final = {
    **dict.fromkeys(("States.MathAdd", "States.MathRandom", "States.ArrayLength"), "integer"),
    **dict.fromkeys(("States.Format", "States.Hash", "States.JsonToString", "States.UUID"), "string"),
    **dict.fromkeys(("States.Base64Encode", "States.Base64Decode"), "string"),
    **dict.fromkeys(("States.Array", "States.ArrayPartition", "States.ArrayRange"), "array"),
    **dict.fromkeys(("States.ArrayUnique", "States.StringSplit"), "array"),
    "States.ArrayContains": "boolean",
    "States.JsonMerge": "object",
}
