"""What Step Functions adds to JSONata, and what it bounds: cases as observed on AWS."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kaidan.asl.query.jsonata import UNDEFINED, JsonataError, LimitExceeded, Limits, compile_expression
from kaidan.asl.query.jsonata.errors import MEMORY_LIMIT, STACK_OVERFLOW, TIMEOUT
from kaidan.values import JSON
from tests.query.jsonata_env import NOW_MS, evaluate


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$partition([1,2,3,4], 2)", [[1, 2], [3, 4]]),
        ("$partition([0,1,2,3], 5)", [[0, 1, 2, 3]]),
        ("$partition([1,2,3], 2.9)", [[1, 2], [3]]),
        ("$partition([1,2,3])", [[1, 2, 3]]),
        ("$partition([], 2)", UNDEFINED),
        ("$partition([1], 0)", UNDEFINED),
        ("$partition([1], -0.5)", UNDEFINED),
        ("$partition($missing, 2)", UNDEFINED),
        ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("$range(0, 6, 2)", [0, 2, 4, 6]),
        ("$range(0, 7, 2)", [0, 2, 4, 6]),
        ("$range(6, 0, -3)", [6, 3, 0]),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$range(3, 3, 1)", 3),
        ("$range(0, 6, -2)", UNDEFINED),
        ("$range(0, 6, 0)", UNDEFINED),
        ("$range(0, 6)", UNDEFINED),
        ("$count($range(1, 200000, 1))", 200_000),
        ('$hash("input", "SHA-1")', "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ('$hash("", "MD5")', "d41d8cd98f00b204e9800998ecf8427e"),
        ('$hash("é", "SHA-256")', "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
        ('$hash("x")', UNDEFINED),
        ("$random(42)", 0.7275636800328681),
        ("$random(42.9)", 0.7275636800328681),
        ("$random() & $random()", "00.1"),
        ("$uuid()", "00000000-0000-4000-8000-000000000001"),
        ('$parse("{\\"a\\": [1, 2.50, 1e2, null]}")', {"a": [1, 2.5, 100, None]}),
        ('$parse("{\\"Arg1\\": 1, \\"Arg2\\": []}").Arg1', 1),
        ('$parse("9223372036854775807")', 9223372036854775807),
        ('$parse("9223372036854775808")', 9.223372036854776e18),
        ("$parse($missing)", UNDEFINED),
        ("$millis()", NOW_MS),
        ("$now()", "2018-03-23T10:33:36.617Z"),
        ('$now("[Y]/[M01]", "+1400")', "2018/03"),
        ('$toMillis("12:00", "[H]:[m]")', NOW_MS - NOW_MS % 86_400_000 + 12 * 3_600_000),
        ("$shuffle([1,2,3])", [3, 1, 2]),
    ],
)
def test_functions(expression: str, expected: JSON) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("$partition('a', 2)", 'T0412: Argument 1 of function "partition" must be an array of undefined'),
        ("$partition([1], 'a')", 'T0410: Argument 2 of function "partition" does not match function signature'),
        ("$partition([1], 1, 1)", 'T0410: Argument 3 of function "partition" does not match function signature'),
        ("$partition([1], -2)", "D3137: Second argument must be zero or greater"),
        ("$range()", 'T0410: Argument 1 of function "range" does not match function signature'),
        ("$range(1, $missing, 1)", 'T0410: Argument 2 of function "range" does not match function signature'),
        ("$hash(5, 'MD5')", 'T0410: Argument 1 of function "hash" does not match function signature'),
        ("$hash('a', 'md5')", "D3137: Hash algorithm 'md5' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"),
        ("$random('a')", 'T0410: Argument 1 of function "random" does not match function signature'),
        ("$uuid(1)", 'T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$parse(1)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$parse('')", "D3137: Invalid JSON"),
        ("$parse('1 2')", "D3137: Invalid JSON"),
        ('$parse(\'{"a":1,"a":2}\')', "D3137: Invalid JSON"),
        ("$parse('NaN')", "D3137: Invalid JSON"),
        ("$eval('1+1')", "T1006: Attempted to invoke a non-function"),
        ("$randomSeeded(1)", "T1006: Attempted to invoke a non-function"),
        ("$sum('a')", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$abs('a')", 'T0410: Argument 1 of function "abs" does not match function signature'),
        (
            "$formatNumber(1, 'x')",
            "D3086: The sub-picture must not contain a passive character that is preceded by an active character "
            "and that is followed by another active character",
        ),
    ],
)
def test_errors(expression: str, error: str) -> None:
    with pytest.raises(JsonataError) as raised:
        evaluate(expression)
    assert str(raised.value) == error


def stopped(expression: str) -> str:
    """The bound that an expression runs into."""
    with pytest.raises(LimitExceeded) as raised:
        evaluate(expression)
    assert raised.value.code == ""
    return str(raised.value)


NESTINGS: list[tuple[str, Callable[[int], str], int]] = [
    ("terms", lambda n: "+".join(["1"] * n), 100),
    ("parentheses", lambda n: "(" * n + "1" + ")" * n, 99),
    ("arrays", lambda n: "[" * n + "1" + "]" * n, 99),
    ("objects", lambda n: '{"a":' * n + "1" + "}" * n, 99),
    ("chain", lambda n: "1" + " ~> $string()" * n, 99),
    ("recursion", lambda n: f"($f := function($n){{ $n = 0 ? 0 : 1 + $f($n-1) }}; $f({n}))", 31),
    ("functions", lambda n: "$string(" * n + "1" + ")" * n, 99),
    ("conditions", lambda n: "true ? " * n + "1" + " : 0" * n, 99),
]


@pytest.mark.parametrize(("make", "deepest"), [row[1:] for row in NESTINGS], ids=[row[0] for row in NESTINGS])
def test_depth_100_is_accepted_and_101_is_not(make: Callable[[int], str], deepest: int) -> None:
    assert evaluate(make(deepest)) is not UNDEFINED
    assert stopped(make(deepest + 1)) == STACK_OVERFLOW


def test_what_is_not_evaluated_may_be_deep() -> None:
    deep = "(" * 150 + "1" + ")" * 150
    assert evaluate(f"true ? 1 : {deep}") == 1
    assert evaluate(f"($f := function($n){{ $n = 1 ? 1 : {deep} }}; $f(1))") == 1
    assert evaluate(f"true or {deep}") is True


def test_tail_calls_are_not_deep() -> None:
    assert evaluate("($f := function($n, $a){ $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(5000, 0))") == 12_502_500
    assert evaluate("($even := function($n){ $n = 0 or $odd($n-1) }; $odd := function($n){ $n = 0 }; $even(1))") is True


def test_memory_as_on_aws() -> None:
    double = "($p := function($s, $n){ $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', %d)))"
    assert evaluate("[1..873782] ~> $count()") == 873_782
    assert stopped("[1..873783] ~> $count()") == MEMORY_LIMIT
    assert evaluate(double % 22) == 2**22
    assert stopped(double % 23) == MEMORY_LIMIT


BOMBS = [
    ("($f := function($x){ $f($x + 1) }; $f(1))", TIMEOUT),
    ("($f := function($x){ 1 + $f($x + 1) }; $f(1))", STACK_OVERFLOW),
    ("($a := function(){ $b() }; $b := function(){ $a() }; $a())", TIMEOUT),
    ("+".join(["1"] * 200), STACK_OVERFLOW),
    ("+".join(["1"] * 5000), STACK_OVERFLOW),
    ("[1..10000000]", MEMORY_LIMIT),
    ("$pad('x', 1000000000)", MEMORY_LIMIT),
    ("$range(1, 1e9, 1)", MEMORY_LIMIT),
    ("($s := $pad('x', 4000000); $map([1..1000], function($i){ $s & $i }))", MEMORY_LIMIT),
    ("$map([1..100000], function($i){ $map([1..100000], function($j){ $i * $j }) })", TIMEOUT),
    ("([1..1000])@$a.([1..1000])@$b.($a + $b)", TIMEOUT),
    ("($f := function($a, $n){ $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $f(1, 60))", MEMORY_LIMIT),
    ("($f := function($a, $n){ $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $string($f(1, 60)))", TIMEOUT),
    ("($f := function($a, $n){ $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $f(1, 60) = $f(1, 60))", TIMEOUT),
    ("($f := function($a, $n){ $n = 0 ? $a : $f([[$a], [$a]], $n - 1) }; $f(0, 60).x)", TIMEOUT),
    ("($f := function($a, $n){ $n = 0 ? $a : $f([$a, $a], $n - 1) }; $count($f([1], 60)))", MEMORY_LIMIT),
    ("$contains($pad('', 60, 'a') & '!', /^(a+)+$/)", TIMEOUT),
    ("$contains($pad('', 60, 'a') & '!', /^(a|aa)+$/)", TIMEOUT),
    ("$contains($pad('', 200000, 'a'), /a*a*a*a*b/)", TIMEOUT),
    ("$split($pad('', 4000000, 'a,'), ',')", MEMORY_LIMIT),
]


@pytest.mark.parametrize(("expression", "message"), BOMBS, ids=[row[0][:60] for row in BOMBS])
def test_bombs_end(expression: str, message: str) -> None:
    started = time.process_time()
    assert stopped(expression) == message
    assert time.process_time() - started < 2


def test_limits_can_be_set() -> None:
    with pytest.raises(LimitExceeded, match="timeout"):
        evaluate("$map([1..100], function($x){$x})", limits=Limits(steps=100))
    with pytest.raises(LimitExceeded, match="Stack overflow"):
        evaluate("((1))", limits=Limits(depth=2))
    with pytest.raises(LimitExceeded, match="memory"):
        evaluate("'abcd' & 'efgh'", limits=Limits(value_bytes=7))


def test_a_program_keeps_nothing() -> None:
    program = compile_expression("($n := $exists($n) ? $n + 1 : 1; $n)")
    assert [evaluate(program) for _ in range(3)] == [1, 1, 1]
    assert evaluate(program, bindings={"n": 4}) == 5
