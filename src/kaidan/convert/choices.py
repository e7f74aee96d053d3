r"""Choice rules as conditions in JSONata.

    {"Variable": "$.n", "NumericGreaterThan": 5}    $exists($states.input.n) ? $type($states.input.n) = 'number' and …
    {"Variable": "$.a", "IsPresent": true}          $exists($states.input.a)

JSONPath fails where a variable is missing, and says no to a value of another type; JSONata says no to what is missing,
and fails to order values of other types. Hence the guards, except where the tests before show that they hold.

Not the same, and left so: date-times with small letters or without seconds are none; what is finer than a millisecond
does not count. Knows nothing of states. Source: `asl.query.choice`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from kaidan.asl.query.choice import OPERATORS
from kaidan.convert.expressions import (
    AND,
    ATOM,
    BACKSLASH,
    COMPARE,
    OR,
    Code,
    Const,
    Guard,
    Guards,
    Node,
    Nowhere,
    Ref,
    code,
    expression,
    guarded,
    is_a,
    literal_text,
    string_text,
    within,
    without,
)
from kaidan.convert.paths import Scene, find, never
from kaidan.values import JSON

_ORDERS: Final = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanEquals": ">=",
    "LessThan": "<",
    "LessThanEquals": "<=",
}
_KINDS: Final = {"String": "string", "Numeric": "number", "Boolean": "boolean", "Timestamp": "timestamp"}
_TYPE_TESTS: Final = {"IsString": "string", "IsNumeric": "number", "IsBoolean": "boolean", "IsNull": "null"}
_OPERATOR: Final = re.compile(r"(String|Numeric|Boolean|Timestamp)(\w+?)(Path)?$")
_TIMESTAMP: Final = r"/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/"


@dataclass(frozen=True, slots=True)
class Test:
    """A test, and what is known once it was made: whenever it holds, and whenever it does not.

    `equal`: it says just that something (as text) equals a literal.
    """

    code: Code
    if_true: Guards = ()
    if_false: Guards = ()
    equal: tuple[str, str] | None = None


def condition(rule: JSON, scene: Scene, known: Guards) -> tuple[JSON, Guards]:
    """The `Condition` of a rule, and what is known if it does not hold. `known`: what is known before.

    Raises Unconvertible.
    """
    test = _rule(rule, scene, known)
    unseen = without(test.code.unseen, known)
    return expression(guarded(test.code.text, unseen)), (*known, *unseen, *test.if_false)


def _rule(rule: JSON, scene: Scene, known: Guards) -> Test:
    if "And" in rule:
        return _both(rule["And"], scene, known)
    if "Or" in rule:
        return _either(rule["Or"], scene, known)
    if "Not" in rule:
        return _not(_rule(rule["Not"], scene, known))
    return _data_test(rule, scene, known)


# --- tests together ---------------------------------------------------------------------------------------


def _both(rules: list[JSON], scene: Scene, known: Guards) -> Test:
    """What the first test needs is needed in any case; what later ones need, only if they are reached."""
    first = _rule(rules[0], scene, known)
    unseen = without(first.code.unseen, known)
    parts, true = [within(first.code, AND)], (*unseen, *first.if_true)
    for rule in rules[1:]:
        test = _rule(rule, scene, (*known, *true))
        parts.append(_reached(test.code, (*known, *true), AND))
        true = (*true, *test.code.unseen, *test.if_true)
    if len(rules) == 1:
        return first
    return Test(Code(" and ".join(parts), AND, "boolean", unseen), true, unseen)


def _either(rules: list[JSON], scene: Scene, known: Guards) -> Test:
    first = _rule(rules[0], scene, known)
    unseen = without(first.code.unseen, known)
    tests, parts, false = [first], [within(first.code, OR)], (*unseen, *first.if_false)
    for rule in rules[1:]:
        test = _rule(rule, scene, (*known, *false))
        tests.append(test)
        parts.append(_reached(test.code, (*known, *false), OR))
        false = (*false, *test.code.unseen, *test.if_false)
    if len(rules) == 1:
        return first
    among = _among(tests)
    joined = Code(among, COMPARE, "boolean", unseen) if among else Code(" or ".join(parts), OR, "boolean", unseen)
    return Test(joined, unseen, false)


def _among(tests: list[Test]) -> str | None:
    """`x = 'a' or x = 'b'` is `x in ['a', 'b']`."""
    equals = [test.equal for test in tests if test.equal]
    if len(equals) < len(tests) or len({subject for subject, _ in equals}) > 1:
        return None
    return f"{equals[0][0]} in [{', '.join(literal for _, literal in equals)}]"


def _reached(part: Code, known: Guards, power: int) -> str:
    """A test inside others: there, nothing would be taken for false, so what is missing has to be said aloud."""
    unseen = without(part.unseen, known)
    if not unseen:
        return within(part, power)
    missing = string_text(f"missing: {', '.join(guard.text for guard in unseen)}")
    return f"({guarded(part.text, unseen)} : $error({missing}))"


def _not(test: Test) -> Test:
    swapped = Test(test.code, test.if_false, test.if_true)
    if test.equal:
        subject, literal = test.equal
        return replace(swapped, code=replace(test.code, text=f"{subject} != {literal}"))
    return replace(swapped, code=replace(test.code, text=f"$not({test.code.text})", power=ATOM))


# --- one test ---------------------------------------------------------------------------------------------


def _data_test(rule: JSON, scene: Scene, known: Guards) -> Test:
    operator = next(key for key in rule if key in OPERATORS)
    operand = rule[operator]
    try:
        node = find(rule["Variable"], scene)
        variable = code(node)
    except Nowhere:
        return _of_nothing(operator, operand, rule["Variable"])
    if operator == "IsPresent":
        return _is_present(node, operand, known)
    variable = _typed(variable, known)
    if operator == "IsTimestamp":
        return _is_timestamp(variable, operand)
    if operator in _TYPE_TESTS:
        return _is_type(variable, _TYPE_TESTS[operator], operand)
    if operator == "StringMatches":
        return _matches(variable, operand)
    return _comparison(operator, variable, operand, scene, known)


def _of_nothing(operator: str, operand: JSON, path: str) -> Test:
    if operator == "IsPresent":
        return Test(Code(literal_text(not operand), type="boolean"))
    return Test(never(f"{path} leads nowhere"))


def _typed(part: Code, known: Guards) -> Code:
    """With the type that a test before has shown."""
    shown = next((fact.type for fact in known if fact.text == part.text and fact.type), None)
    return replace(part, type=part.type or shown)


def _is_present(node: Node, wanted: bool, known: Guards) -> Test:
    """A place in what is no list is not there, although JSONata has the thing itself at `[0]`."""
    variable = code(node)
    there = (*without(_lists_on_the_way(node), known), Guard(variable.text))
    test = Test(_all([str(guard) for guard in there], variable.unseen), there)
    return test if wanted else _not(test)


def _lists_on_the_way(node: Node) -> list[Guard]:
    if not isinstance(node, Ref):
        return []
    places = [at for at, step in enumerate(node.steps) if isinstance(step, int)]
    return [Guard(Ref(node.root, node.steps[:at]).text, "array") for at in places]


def _is_type(variable: Code, kind: str, wanted: bool) -> Test:
    sign = "=" if wanted else "!="
    fact = (Guard(variable.text, kind),)
    test = f"{variable.text} {sign} null" if kind == "null" else f"$type({variable.text}) {sign} '{kind}'"
    part = Code(test, COMPARE, "boolean", variable.all_guards)
    return Test(part, fact) if wanted else Test(part, (), fact)


def _is_timestamp(variable: Code, wanted: bool) -> Test:
    fact = (Guard(variable.text, "timestamp"),)
    parts = _timestamp_tests(variable)
    looks = Code(" and ".join(parts) or "true", AND if len(parts) > 1 else ATOM, "boolean", variable.all_guards)
    test = Test(looks, fact)
    return test if wanted else _not(test)


def _timestamp_tests(part: Code) -> list[str]:
    """The text of what has to hold for a date-time, as far as it is not known."""
    if part.type == "timestamp":
        return []
    looks = f"$contains({part.text}, {_TIMESTAMP})"
    return [looks] if part.type == "string" else [f"$type({part.text}) = 'string'", looks]


def _matches(variable: Code, pattern: str) -> Test:
    fact = (Guard(variable.text, "string"),)
    literal, regex = _glob(pattern)
    if literal is not None:
        return _equals(variable, literal, "string")
    tests = [] if is_a(variable.type, "string") else [f"$type({variable.text}) = 'string'"]
    tests += [f"$contains({variable.text}, /{regex}/)"] if regex else []
    return Test(_all(tests, variable.all_guards), fact)


def _all(tests: list[str], unseen: Guards) -> Code:
    power = AND if len(tests) > 1 else COMPARE
    return Code(" and ".join(tests) or "true", power, "boolean", unseen)


def _glob(pattern: str) -> tuple[str | None, str]:
    r"""The text that a pattern without `*` stands for, or else the regular expression."""
    parts = re.findall(r"\\[\\*]|\*|[^\\*]+|\\", pattern)
    if "*" not in parts:
        return "".join(part[1:] if part in ("\\*", "\\\\") else part for part in parts), ""
    body = "".join(map(_glob_part, parts))
    start = "" if body.startswith(_ANYTHING) else "^"
    end = "" if body.endswith(_ANYTHING) else "$"
    return None, start + body.removeprefix(_ANYTHING).removesuffix(_ANYTHING) + end if body != _ANYTHING else ""


_ANYTHING: Final = r"[\s\S]*"


def _glob_part(part: str) -> str:
    if part == "*":
        return _ANYTHING
    text = part[1:] if part in ("\\*", "\\\\") else part
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", lambda found: BACKSLASH if found[0] == "\\" else "\\" + found[0], text)


# --- comparisons ------------------------------------------------------------------------------------------


def _comparison(operator: str, variable: Code, operand: JSON, scene: Scene, known: Guards) -> Test:
    found = _OPERATOR.fullmatch(operator)
    assert found is not None
    kind, sign = _KINDS[found[1]], _ORDERS[found[2]]
    if not found[3]:
        if sign == "=" and kind != "timestamp":
            return _equals(variable, operand, kind)
        return _ordered(variable, sign, replace(code(Const(operand)), type=kind), kind)
    try:
        other = _typed(code(find(operand, scene)), known)
    except Nowhere:
        return Test(never(f"{operand} leads nowhere"))
    return _ordered(variable, sign, other, kind)


def _equals(variable: Code, literal: JSON, kind: str) -> Test:
    """A value of another type is not equal in JSONata either."""
    subject, text = within(variable, COMPARE + 1), literal_text(literal)
    test = Code(f"{subject} = {text}", COMPARE, "boolean", variable.all_guards)
    return Test(test, (Guard(variable.text, kind),), equal=(subject, text))


def _ordered(left: Code, sign: str, right: Code, kind: str) -> Test:
    """Both of the kind, and in this order. What equals a value of the kind is of the kind."""
    tests = _tests_of(left, kind)
    if sign != "=" or kind == "timestamp":
        tests += _tests_of(right, kind)
    sides = [f"$toMillis({side.text})" if kind == "timestamp" else within(side, COMPARE + 1) for side in (left, right)]
    facts = (Guard(left.text, kind), Guard(right.text, kind))
    return Test(_all([*tests, f"{sides[0]} {sign} {sides[1]}"], (*left.all_guards, *right.all_guards)), facts)


def _tests_of(part: Code, kind: str) -> list[str]:
    if kind == "timestamp":
        return _timestamp_tests(part)
    return [] if is_a(part.type, kind) else [f"$type({part.text}) = '{kind}'"]
