"""Definitions made wrong, or merely odd: changes to their JSON, to the expressions in it, to their text.

Everything is drawn from the Random that is handed in: the same draws give the same mutant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias, TypeVar

from kaidan.asl.states import TABLES
from kaidan.asl.states.fields import (
    MACHINE,
    Assignments,
    Call,
    Condition,
    Flag,
    Integer,
    Items,
    Kind,
    Number,
    Path,
    Payload,
    Record,
    Reference,
    Static,
    Target,
    Text,
)
from kaidan.values import InvalidJson, loads
from tests.fuzz.seeds import Seed

T = TypeVar("T")

# --- the vocabulary ---------------------------------------------------------------------------------------


def _names(record: Record, seen: set[str]) -> set[str]:
    for field in record.table:
        if field.name in seen:
            continue
        seen.add(field.name)
        kind = field.kind.of if isinstance(field.kind, Items) else field.kind
        if isinstance(kind, Record):
            _names(kind, seen)
    return seen


FIELDS = sorted(set().union(*(_names(record, set()) for record in (MACHINE, *TABLES.values()))))
TYPES = sorted(TABLES)

PATHS = (
    "$", "$$", "$.n", "$.items", "$.items[0]", "$.items[*].x", "$..x", "$['text']", "$.items[?(@.x > 1)]",
    "$.numbers[-1]", "$.numbers[1:3]", "$['a','b']", "$.items.length()", "$x", "$x.y[0]", "$$.Execution.Input",
    "$$.Map.Item.Value", "$.a..b[*]..c", "$.items[(@.length-1)]", "$.*", "$[", "$.", "$.items[?(", "$.x['",
    "$.numbers[0,1]", "$.text =~ /a/", "$.items[?(@.y =~ /a.*/i)]", "$.items[?(@.x in [1,2])]",
    "$.numbers[99999999999999999999]", "$.é", "$.items[?(@ == 1)]", "$..*..*..*",
    "$.items[?(@.y =~ /(a+)+b/)]",
)  # fmt: skip

CALLS = (
    "States.UUID()", "States.Format('{}', $.n)", "States.Format('{}{}', $.n)", "States.Array()", "States.Array($, $$)",
    "States.ArrayRange(0, 1000, 1)", "States.ArrayRange(0, 5, 0)", "States.MathRandom(5, 1)",
    "States.MathAdd(1e308, 1)", "States.JsonMerge($, $, true)", "States.StringToJson('{')", "States.Hash($, 'x')",
    "States.ArrayPartition($.numbers, 0)", "States.Base64Decode('=')", "States.StringSplit('', '')",
    "States.ArrayGetItem($.numbers, -1)", "States.Nope()", "States.Format('\\\\', '\\'')",
    "States.Array(States.Array(States.Array(1)))", "States.Format(", "States.ArrayUnique($)",
)  # fmt: skip

JSONATA = (
    "$states.input", "$states.result.x", "$states.errorOutput", "$states", "$sum([1..10])", "$x",
    "$states.input.items[0]", "$states.input.items.x", "[1..1000000]", "[1..100000].($*2)",
    "($f := function($n){$f($n+1)}; $f(0))", "($f := function($n){$n=0 ? 0 : $f($n-1)}; $f(1000))", "$string($)",
    "$map([1..9], $string)", "function($x){$x}", "$pad('', 100000000)", "$join($split('a,b', ','), '-')", "/a+/",
    "$match('aaaa', /(a+)+b/)", "$replace('aaa', /a/, '$1')", "1/0", "$number('1e999')", "-$power(10, 400)",
    "{'a': 1}{'b': 2}", "$sort([3,1,2], function($a,$b){$a>$b})", "$eval('1')", "$states.input ~> |items|{'x': 1}|",
    "$formatNumber(12.5, '#,##0.00')", "$formatInteger(99, 'w')", "$now('[Y]')", "$toMillis('x')",
    "$fromMillis(1e300)", "$parseInteger('xii', 'I')", "$each($, function($v, $k){$k})", "$spread($)", "*", "**", "%",
    "%.%", "$$", "`a b`", "a.b.c", "$lookup($, 'a')", "(", "$.[", "{", "'", "/* x", "@$v", "#$i", "a@$v#$i",
    "$zip([1],[2])", "$random()", "$hash('a', 'b')", "$parse('[')", "$partition([1..9], 2)", "$range(0, 1, 0)",
    "\\u0000", "$split('abc', '')", "$substring('abc', -5, 1e9)", "$encodeUrl('\\ud800')", "$base64decode('####')",
    "$keys(1)", "$reduce([], function($a,$b){1})", "$single([1,2])", "$error('e')", "$assert(false)", "null",
    "true and 1", "'a' & [1]", "[[[]]]", "$states.context.Execution.Input", "$type(function(){1})",
    "($a := [1]; $append($a, $a))", "$exists(1)",
)  # fmt: skip

PATH_TOKENS = (
    "$", ".", "..", "[", "]", "[*]", "[?(", ")]", "@", "'", "\"", ",", ":", "-", "==", "&&", "||", "!", "=~", "/", "(",
    ")", "\\", "0", "99999999999", "length()", "$$", "States.", "{}", "null", "é", "\U0001f600", "\u0000", " ",
    "Format(", "UUID()", "1e999", "[-1]", "[::2]", "['a']", ".*", "in", "nin", "contains", "size", "empty true",
)  # fmt: skip

JSONATA_TOKENS = (
    "$", ".", "[", "]", "{", "}", "(", ")", "|", "~>", ":=", "?", ":", ";", "..", "*", "**", "%", "/", "-", "+", "&",
    "=", "!=", "<", ">=", "@$a", "#$i", "^(", "and", "or", "in", "function($x)", "λ", "'", "\"", "`", "\\", "\\u",
    "/a/i", "/(a*)*/", "1e308", "0x1", "[]", "{}", "$states", ".input", "$$", "/*", "*/", "é", "\U0001f600", "<s-n:b>",
    "??", "?:", "null", "%}", "{%", "$string(", "$map(", "$replace(", "$formatNumber(", "$sort(", ",", "[0]", "[1..3]",
)  # fmt: skip

RAW_TOKENS = (
    "{", "}", "[", "]", '"', ":", ",", "\\", "\\u", "\\ud800", "\\u0000", "//", "/*", "*/", "#", "---\n", "...\n",
    "- ", "? ", "&a ", "*a", "<<: ", "!!int ", "!x ", "|", ">", "'", "\t", "\n", "\r", "\u2028", "\ufeff", "\x00",
    "\x1b", "\ud800", "é", "\U0001f600", "${", "${a}", "${a:b}", "null", "true", "NaN", "Infinity", "-0", "1e999",
    "-1e-999", "0123", "0x1", "1_000", "~", "=", "9" * 30, "9" * 5000, "{%", "%}", '{"a":', '"a":1,', '"Type":"Pass"',
    '"End":true,', "%YAML 9.9\n", "\\U99999999", "\x85",
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 2, 3.0, 0.5, -0.0, 1.5, 99999999, 100000000, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64,
    10**30, 1e16, 1e308, -1e308, 5e-324,
)  # fmt: skip

STRINGS = (
    "", " ", "a", "S0", "S1", "é", "日本語", "\U0001f600", "\u0000", "\ud800", "a" * 81, "a" * 5000, "$", "{%", "%}",
    "{%%}", "{% %}", "true", "null", "0", "-1", "1e5", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00+09:00",
    "9999-99-99T99:99:99Z", "0000-01-01T00:00:00Z", "States.ALL", "States.Timeout", "States.TaskFailed",
    "States.DataLimitExceeded", "JSONata", "JSONPath", "DISTRIBUTED", "INLINE", "EXPRESS", "STANDARD", "FULL", "NONE",
    "arn:aws:states:::aws-sdk:ec2:describeInstances", "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::states:startExecution.sync:2", "arn:aws:states:::http:invoke", "arn:::::", "a.$", "CSV", "JSONL",
    "${a}",
)  # fmt: skip

KEYS = (
    "",
    ".$",
    "a.$",
    "$.a",
    "$",
    "__proto__",
    "a/b",
    "a~b",
    "a[0]",
    "é",
    "\U0001f600",
    "\u0000",
    "x" * 100,
    "/",
    "Type ",
    "type",
)


class Chaos:
    """One mutant's dice, and what it may take from other definitions."""

    def __init__(self, chance: Random, seeds: Sequence[Seed]) -> None:
        self.chance = chance
        self.seeds = seeds

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.chance.random() * len(choices))]

    def likely(self, probability: float) -> bool:
        return self.chance.random() < probability

    def count(self, most: int) -> int:
        """From 1 to most, small ones more often."""
        return min(most, 1 + int(self.chance.expovariate(1.1)))

    # values

    def value(self) -> Any:
        return self.pick(_VALUES)(self)

    def expression(self) -> str:
        """What a field could hold that is evaluated."""
        return self.jsonata() if self.likely(0.4) else self.path()

    def jsonata(self) -> str:
        text = self.pick(JSONATA)
        return "{% " + (self.edit(text, JSONATA_TOKENS) if self.likely(0.4) else text) + " %}"

    def path(self) -> str:
        """A path or a call."""
        text: str = self.pick(self.pick((PATHS, CALLS)))
        return self.edit(text, PATH_TOKENS) if self.likely(0.4) else text

    def nested(self) -> Any:
        """Something far inside something."""
        value: Any = self.pick((1, "$", [], {}, None))
        for _ in range(self.pick((3, 30, 120, 250))):
            value = [value] if self.likely(0.5) else {self.pick(("a", "And", "Branches", "a.$")): value}
        return value

    # text

    def edit(self, text: str, tokens: Sequence[str]) -> str:
        for _ in range(self.count(3)):
            text = self.pick(_EDITS)(self, text, tokens)
        return text

    def slice(self, text: str) -> tuple[int, int]:
        start = int(self.chance.random() * (len(text) + 1))
        return start, min(len(text), start + int(self.chance.expovariate(0.2)))


_VALUES: tuple[Callable[[Chaos], Any], ...] = (
    lambda chaos: chaos.pick((None, True, False)),
    lambda chaos: chaos.pick(NUMBERS),
    lambda chaos: chaos.pick(STRINGS),
    lambda chaos: chaos.pick(([], {}, [[]], [{}], {"": None}, [None], {"a.$": "$"}, {"a": "{% 1 %}"})),
    Chaos.expression,
    Chaos.expression,
    lambda chaos: {"a.$": chaos.expression(), "b": [chaos.expression()]},
    lambda chaos: chaos.nested() if chaos.likely(0.3) else [chaos.value() for _ in range(chaos.count(3))],
)


def _insert(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    at, _ = chaos.slice(text)
    return text[:at] + chaos.pick(tokens) + text[at:]


def _repeat(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    at, _ = chaos.slice(text)
    return text[:at] + chaos.pick(tokens) * chaos.pick((2, 10, 100, 400)) + text[at:]


def _delete(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    start, end = chaos.slice(text)
    return text[:start] + text[end:]


def _replace(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    start, end = chaos.slice(text)
    return text[:start] + chaos.pick(tokens) + text[end:]


def _double(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    start, end = chaos.slice(text)
    return text[:end] + text[start:end] + text[end:]


def _move(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    start, end = chaos.slice(text)
    part, rest = text[start:end], text[:start] + text[end:]
    at, _ = chaos.slice(rest)
    return rest[:at] + part + rest[at:]


def _truncate(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    at, _ = chaos.slice(text)
    return text[:at] if chaos.likely(0.7) else text[at:]


def _character(chaos: Chaos, text: str, tokens: Sequence[str]) -> str:
    at, _ = chaos.slice(text)
    return text[:at] + chr(int(chaos.chance.random() ** 3 * 0x10FFFF)) + text[at + 1 :]


_EDITS = (
    _insert,
    _insert,
    _insert,
    _repeat,
    _delete,
    _delete,
    _replace,
    _replace,
    _double,
    _move,
    _truncate,
    _character,
)


# --- changes to JSON --------------------------------------------------------------------------------------

Place: TypeAlias = tuple[Any, Any]
"""A container and the key or index in it."""


def places(box: list[Any]) -> list[Place]:
    """Every value inside, the whole included: `box` holds it as its one item."""
    found: list[Place] = []
    waiting: list[Any] = [box]
    while waiting:
        whole = waiting.pop()
        for key, part in whole.items() if isinstance(whole, dict) else enumerate(whole):
            found.append((whole, key))
            if isinstance(part, (dict, list)):
                waiting.append(part)
    return found


def objects(found: list[Place]) -> list[dict[str, Any]]:
    return [holder[key] for holder, key in found if isinstance(holder[key], dict)]


def copy(value: Any) -> Any:
    """As it would come out of a file."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return [copy(item) for item in value] if isinstance(value, list) else value


def _drop(chaos: Chaos, found: list[Place]) -> None:
    if len(found) > 1:
        holder, key = chaos.pick(found[1:])
        del holder[key]


def _duplicate(chaos: Chaos, found: list[Place]) -> None:
    holder, key = chaos.pick(found[1:] or found)
    if isinstance(holder, list):
        holder.insert(key, copy(holder[key]))
    else:
        holder[chaos.pick((key + "2", *FIELDS))] = copy(holder[key])


def _swap(chaos: Chaos, found: list[Place]) -> None:
    """Copies, so that nothing comes to stand inside itself."""
    (one, a), (other, b) = chaos.pick(found), chaos.pick(found)
    first, second = copy(one[a]), copy(other[b])
    one[a], other[b] = second, first


def _graft(chaos: Chaos, found: list[Place]) -> None:
    """A part of this definition or of another one in some other place."""
    donor = chaos.pick(chaos.seeds).value if chaos.likely(0.5) else None
    parts = found if donor is None else places([donor])
    (holder, key), (whole, name) = chaos.pick(found), chaos.pick(parts)
    part = copy(whole[name])
    holder[key] = part


def _retype(chaos: Chaos, found: list[Place]) -> None:
    holder, key = chaos.pick(found)
    holder[key] = chaos.value()


def _rename(chaos: Chaos, found: list[Place]) -> None:
    members = [(holder, key) for holder, key in found if isinstance(holder, dict)]
    if members:
        holder, key = chaos.pick(members)
        name = chaos.pick((chaos.pick(FIELDS), chaos.pick(KEYS), key + ".$", key.removesuffix("Path"), key + "Path"))
        items = [(name if each == key else each, part) for each, part in holder.items()]
        holder.clear()
        holder.update(items)


def _add(chaos: Chaos, found: list[Place]) -> None:
    """A field that belongs to some state, with a value that may fit."""
    owner = chaos.pick(objects(found) or [{}])
    owner[chaos.pick(FIELDS)] = chaos.value()


def _fit(chaos: Chaos, found: list[Place]) -> None:
    """A field that the state may have, with a value of its kind."""
    states = [(holder, holder[key]) for holder, key in found if _is_state(holder[key])]
    if states:
        scope, state = chaos.pick(states)
        field = chaos.pick(TABLES[state["Type"]].table)
        state[field.name] = fitting(chaos, field.kind, list(scope) if isinstance(scope, dict) else [])


def _is_state(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("Type"), str) and value["Type"] in TABLES


def fitting(chaos: Chaos, kind: Kind, names: list[str]) -> Any:
    """A value that a field of this kind could have. `names`: the states that it may lead to."""
    match kind:
        case Target():
            return chaos.pick(names or ["S0"])
        case Integer() | Number():
            return chaos.pick((kind.minimum or 0, 1, 2, 3, 100, kind.maximum or 1000))
        case Flag() | Condition():
            return chaos.pick((True, False, "{% $states.input.flag %}"))
        case Path() | Reference() | Call():
            return chaos.pick((*PATHS[:6], *CALLS[:2], "$.made", "$.a.b", None))
        case Text(allowed) if allowed:
            return chaos.pick(allowed)
        case Items(of):
            return [fitting(chaos, of, names) for _ in range(chaos.count(3))]
        case Record() if kind.scope:
            return {"StartAt": "X", "States": {"X": {"Type": chaos.pick(("Pass", "Succeed", "Fail")), "End": True}}}
        case Record():
            fields = [field for field in kind.table if field.required or chaos.likely(0.4)]
            return {field.name: fitting(chaos, field.kind, names) for field in fields}
        case Payload() | Assignments() | Static():
            return {chaos.pick(("a", "b.$", "x", "n.$")): chaos.expression() for _ in range(chaos.count(3))}
        case _:
            return chaos.pick(STRINGS)


def _lend(chaos: Chaos, found: list[Place]) -> None:
    """A member of one object given to another."""
    owners = objects(found)
    if owners:
        source, target = chaos.pick(owners), chaos.pick(owners)
        if source:
            key = chaos.pick(list(source))
            target[key] = copy(source[key])


def _nest(chaos: Chaos, found: list[Place]) -> None:
    holder, key = chaos.pick(found)
    value = holder[key]
    for _ in range(chaos.pick((1, 2, 5, 60, 130, 250))):
        value = [value] if chaos.likely(0.5) else {"a": value}
    holder[key] = value


def _burrow(chaos: Chaos, found: list[Place]) -> None:
    """Machines inside machines, or rules inside rules."""
    holder, key = chaos.pick(found)
    value = holder[key]
    machines = isinstance(value, dict) and "StartAt" in value
    for number in range(chaos.pick((1, 3, 10, 22, 80))):
        if machines:
            parallel = {"Type": "Parallel", "Branches": [value], "End": True}
            value = {"StartAt": f"P{number}", "States": {f"P{number}": parallel}}
        else:
            value = {"And": [value]} if chaos.likely(0.5) else {"Not": value}
    holder[key] = value


def _type(chaos: Chaos, found: list[Place]) -> None:
    states = [state for state in objects(found) if "Type" in state]
    if states:
        chaos.pick(states)["Type"] = chaos.pick(TYPES)


def _language(chaos: Chaos, found: list[Place]) -> None:
    chaos.pick(objects(found) or [{}])["QueryLanguage"] = chaos.pick(("JSONata", "JSONPath", "JSONata", None))


def _words(chaos: Chaos, found: list[Place]) -> None:
    """A change inside a string, by what it seems to be."""
    texts = [(holder, key) for holder, key in found if isinstance(holder[key], str)]
    holder, key = chaos.pick((_telling(texts) if chaos.likely(0.8) else texts) or found)
    text = holder[key]
    if not isinstance(text, str):
        return
    if text.startswith("{%") and text.endswith("%}") and chaos.likely(0.9):
        holder[key] = "{%" + chaos.edit(text[2:-2], JSONATA_TOKENS) + "%}"
    else:
        holder[key] = chaos.edit(text, PATH_TOKENS)


def _evaluated(chaos: Chaos, found: list[Place]) -> None:
    """Some other expression where there is one, or a member that has become one."""
    members = [(holder, key) for holder, key in found if isinstance(holder, dict)]
    holder, key = chaos.pick((_telling(members) if chaos.likely(0.8) else members) or found)
    if not isinstance(key, str):
        return
    if key.endswith(("Path", ".$")):
        holder[key] = chaos.path()
    elif isinstance(holder[key], str) and holder[key].startswith("{%"):
        holder[key] = chaos.jsonata()
    else:
        holder[key.removesuffix(".$") + chaos.pick(("", ".$"))] = chaos.expression()


def _telling(places: list[Place]) -> list[Place]:
    """Those that look like expressions, or all if none does."""
    beginnings = ("$", "States.", "{%")
    return [(h, k) for h, k in places if isinstance(h[k], str) and h[k].startswith(beginnings)] or places


def _shuffle(chaos: Chaos, found: list[Place]) -> None:
    owner = chaos.pick(objects(found) or [{}])
    items = list(owner.items())
    chaos.chance.shuffle(items)
    owner.clear()
    owner.update(items)


CHANGES: tuple[Callable[[Chaos, list[Place]], None], ...] = (
    _drop, _duplicate, _swap, _graft, _retype, _retype, _rename, _add, _lend, _nest, _burrow, _type, _language,
    _shuffle, *(_fit,) * 5, *(_words,) * 6, *(_evaluated,) * 6,
)  # fmt: skip
"""Often named, often done."""


# --- mutants ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutant:
    """A definition to be tried: how it is read, and what it is run with if it is accepted."""

    text: str
    name: str = "<definition>"
    strict: bool = False
    express: bool = False
    substitutions: dict[str, Any] | None = None
    input: Any = None
    world_seed: int = 0


INPUT: dict[str, Any] = {
    "n": 2,
    "m": 2,
    "text": "ünïcode, text",
    "flag": True,
    "t": "2026-01-01T00:00:00Z",
    "numbers": [3, 1, 2, 3],
    "items": [{"x": 1, "y": "a"}, {"x": 2.5}, "three"],
    "object": {"a": {"b": [None]}},
    "SelectTag": {"Key": "Backup", "Value": "true"},
    "NameTag": "Name",
    "EnvironmentName": "dev",
}
"""What the definitions that mutants are made of may ask for."""

CHARS_MAX = 200_000
"""Of a mutant's text. Longer ones take longer, and say no more."""

NAMES = ("<definition>", "<definition>", "x.asl.json", "x.asl.yaml")


def mutant(chaos: Chaos) -> Mutant:
    seed = chaos.pick(chaos.seeds)
    text, name = (
        (_changed_text(chaos, seed), seed.name)
        if seed.value is None or chaos.likely(0.15)
        else (_changed_value(chaos, seed.value), chaos.pick(NAMES))
    )
    return Mutant(
        text[:CHARS_MAX],
        name,
        strict=chaos.likely(0.1),
        express=chaos.likely(0.1),
        substitutions={"a": sound(chaos.value()), "S": 3} if chaos.likely(0.1) else None,
        input=_input(chaos),
        world_seed=int(chaos.chance.random() * 1000),
    )


def _changed_value(chaos: Chaos, value: Any) -> str:
    box = [copy(value)]
    try:
        for _ in range(chaos.count(6)):
            chaos.pick(CHANGES)(chaos, places(box))
        return json.dumps(box[0], indent=chaos.pick((None, None, 1)), ensure_ascii=chaos.likely(0.5))
    except RecursionError:  # deeper than what makes mutants can go
        return '{"a":' * 5000 + json.dumps(value) + "}" * 5000


def _changed_text(chaos: Chaos, seed: Seed) -> str:
    """Characters, or bytes, with whatever they come to mean."""
    text = chaos.edit(seed.text, RAW_TOKENS)
    if chaos.likely(0.7):
        return text
    content = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(chaos.count(5)):
        if content:
            content[int(chaos.chance.random() * len(content))] = int(chaos.chance.random() * 256)
    return content.decode("utf-8", "replace")


def _input(chaos: Chaos) -> Any:
    """The usual one, half of the time; or changed; or anything."""
    kind = chaos.chance.random()
    if kind < 0.5:
        return INPUT
    if kind > 0.9:
        return sound(chaos.value())
    box = [copy(INPUT)]
    for _ in range(chaos.count(4)):
        chaos.pick((_drop, _duplicate, _swap, _retype, _retype, _nest))(chaos, places(box))
    return sound(box[0] if box else None)


def sound(value: Any) -> Any:
    """As an execution gets it: read from JSON text."""
    try:
        return loads(json.dumps(value))
    except (RecursionError, InvalidJson):
        return None
