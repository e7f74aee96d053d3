"""JSONPath text read into tokens: the grammar that Step Functions accepts.

Knows nothing of documents, the context object or variables' values: it only says what a path is made of.

The grammar is that of Jayway JsonPath as Step Functions runs it (an early 2.0: see `jsonpath.py`):

    $.a.b  $['a']['b']  $.[0].a      names; after a dot anything but `.`, `[` and blanks belongs to the name
    $['a', 'b']                      several names: an object of those members
    [0]  [0,2]  [(@.length-1)]       elements, the last counted from the end
    [1:]  [:2]  [1:3]  [*]  .*  ..a  slices, everything, everywhere below
    [?(@.a == 1 && @.b)]             filters: == != < <= > >= =~, && || !, parentheses

In a filter a literal needs no quotes (`[?(@.Name==Receipt)]`). Operators that are words (`in`, `contains`, …)
and functions are unknown (AWS guide, "Using JSONPath paths"): `length()` is just a name that no object has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from kaidan.asl.query.javaregex import JavaRegex

T = TypeVar("T")
Root = Literal["input", "context", "variable"]


class JsonPathSyntaxError(ValueError):
    """Text that is not a path. The message says what is wrong and at which character (from 1)."""


@dataclass(frozen=True, slots=True)
class Names:
    """`.a`, `['a']` or `['a', 'b']`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "['" + "', '".join(self.names) + "']"


@dataclass(frozen=True, slots=True)
class Index:
    """`[2]`. A negative one is read, but no array has it."""

    index: int

    def __str__(self) -> str:
        return f"[{self.index}]"


@dataclass(frozen=True, slots=True)
class FromEnd:
    """`[(@.length-1)]`, `[(@.size()-1)]`: `back` is 1 for the last element."""

    back: int

    def __str__(self) -> str:
        return f"[@.size()-{self.back}]"


@dataclass(frozen=True, slots=True)
class Indexes:
    """`[0,2]`."""

    indexes: tuple[int, ...]

    def __str__(self) -> str:
        return f"[{','.join(map(str, self.indexes))}]"


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:]`, `[:2]`, `[1:3]`: at least one of the two is there."""

    start: int | None
    stop: int | None

    def __str__(self) -> str:
        return f"[{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}]"


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`[*]` or `.*`: the elements of an array, the values of an object."""

    def __str__(self) -> str:
        return "[*]"


@dataclass(frozen=True, slots=True)
class Scan:
    """`..`: what follows is looked for here and everywhere below."""

    def __str__(self) -> str:
        return ".."


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(…)]`."""

    test: Test

    def __str__(self) -> str:
        return "[?]"


Token: TypeAlias = Names | Index | FromEnd | Indexes | Slice | Wildcard | Scan | Filter

DEFINITE = (Names, Index, FromEnd)
"""The tokens that lead to exactly one value."""


@dataclass(frozen=True, slots=True)
class SubPath:
    """`@.a` (of the item) or `$.a` (of the whole document) in a filter; always definite."""

    of_document: bool
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A literal: `'cat'`, `cat`, `5`, `true` and `null` are all text until they meet a value."""

    text: str


Operand: TypeAlias = SubPath | Text


@dataclass(frozen=True, slots=True)
class Exists:
    """`@.a`, or `!@.a` with `wanted` false."""

    path: SubPath
    wanted: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right` with one of == != < <= > >=."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Matches:
    """`operand =~ /pattern/flags`."""

    operand: Operand
    pattern: JavaRegex


@dataclass(frozen=True, slots=True)
class Both:
    """`a && b && …`"""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """`a || b || …`"""

    tests: tuple[Test, ...]


Test: TypeAlias = Exists | Compare | Matches | Both | Either


def read_path(text: str) -> tuple[Root, str | None, tuple[Token, ...]]:
    """Where the path starts, at which variable if at one, and its tokens. Raises JsonPathSyntaxError."""
    return _Reader(text.rstrip()).path()


NESTING_MAX = 20
"""How deep tests may stand inside one another; ours, AWS publishes no number."""

_NAME = re.compile(r"(?:\\(?s:.)|\\\Z|[^.\[\\\s])*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(r" *(-?\d{1,99}) *")
_SLICE = re.compile(r" *(-?\d{1,99})? *: *(-?\d{1,99})? *\]")
_FROM_END = re.compile(r" *\(? *@\.(?:length|size\(\)) *- *(\d{1,99}) *\)? *\]")
_OPERATOR = re.compile(r"==|!=|<=|>=|=~|<|>")
_PATTERN = re.compile(r"/((?:\\.|[^/\\])*)/([imsx]*)(?![\w/])")


class _Reader:
    """A recursive descent over one text; `at` is the next character to read, `whole` what messages show, `depth` how
    many tests are open."""

    __slots__ = ("at", "depth", "text", "whole")

    def __init__(self, text: str, whole: str | None = None, depth: int = 0) -> None:
        self.text = text
        self.whole = text if whole is None else whole
        self.depth = depth
        self.at = len(text) - len(text.lstrip())

    # -- small moves -----------------------------------------------------------------------------------------

    def fail(self, problem: str, at: int | None = None) -> JsonPathSyntaxError:
        return JsonPathSyntaxError(f"{problem} at character {(self.at if at is None else at) + 1} of '{self.whole}'")

    def here(self, start: str) -> bool:
        return self.text.startswith(start, self.at)

    def take(self, start: str) -> bool:
        if not self.here(start):
            return False
        self.at += len(start)
        return True

    def need(self, start: str) -> None:
        if not self.take(start):
            raise self.fail(f"expected '{start}'")

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    # -- paths -----------------------------------------------------------------------------------------------

    def path(self) -> tuple[Root, str | None, tuple[Token, ...]]:
        if not self.take("$"):
            raise self.fail("a path starts with '$'")
        if self.take("$"):
            return "context", None, self.tokens()
        name = self.identifier()
        return ("variable" if name else "input"), name, self.tokens()

    def identifier(self) -> str | None:
        start = self.at
        while not self.done and ("_" * (self.at > start) + self.text[self.at]).isidentifier():
            self.at += 1
        return self.text[start : self.at] or None

    def tokens(self) -> tuple[Token, ...]:
        """Everything up to the end of the text."""
        if not self.done and self.text[self.at] not in ".[":
            raise self.fail("expected '.' or '['")
        tokens: list[Token] = []
        while not self.done:
            if self.take(".."):
                tokens.append(Scan())
            elif self.take("."):
                pass
            tokens.append(self.token())
        return tuple(tokens)

    def token(self) -> Token:
        if self.done or self.here("."):
            raise self.fail("expected a name")
        if self.take("["):
            return self.bracket()
        start, name = self.at, self.name()
        return Wildcard() if self.text[start : self.at] == "*" else Names((name,))

    def name(self) -> str:
        """A name after a dot; a backslash takes the next character as it is (States Language, "Paths")."""
        found = _NAME.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        if not self.done and self.text[self.at].isspace():
            raise self.fail("a name with blanks is written ['like this']; blank")
        return _ESCAPED.sub(r"\1", found[0])

    # -- brackets: the text after '[' ------------------------------------------------------------------------

    def bracket(self) -> Token:
        self.blanks()
        if self.here("'") or self.here('"'):
            return Names(self.listed(self.quoted))
        if self.take("*"):
            self.close()
            return Wildcard()
        if self.take("?"):
            return self.filter()
        if found := _FROM_END.match(self.text, self.at):
            self.at = found.end()
            return FromEnd(int(found[1]))
        if (found := _SLICE.match(self.text, self.at)) and (found[1] or found[2]):
            self.at = found.end()
            return Slice(*(None if edge is None else int(edge) for edge in found.groups()))
        indexes = self.listed(self.number)
        return Index(indexes[0]) if len(indexes) == 1 else Indexes(indexes)

    def close(self) -> None:
        self.blanks()
        self.need("]")

    def listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        """`x, y, z]`"""
        found = [read()]
        self.blanks()
        while self.take(","):
            self.blanks()
            found.append(read())
            self.blanks()
        self.need("]")
        return tuple(found)

    def number(self) -> int:
        found = _NUMBER.match(self.text, self.at)
        if not found:
            raise self.fail("expected a quoted name, an index, a slice, '*' or '?(…)'")
        self.at = found.end()
        return int(found[1])

    def quoted(self) -> str:
        """A name or literal in quotes: only the quote itself is escaped, other backslashes are characters."""
        start, quote = self.at, self.text[self.at : self.at + 1]
        if not quote or quote not in "'\"":
            raise self.fail("expected a quoted name")
        end = start + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text.startswith("\\" + quote, end) else 1
        if end >= len(self.text):
            raise self.fail("quote not closed", start)
        self.at = end + 1
        return self.text[start + 1 : end].replace("\\" + quote, quote)

    # -- filters ---------------------------------------------------------------------------------------------

    def filter(self) -> Filter:
        self.blanks()
        self.need("(")
        test = self.either()
        self.need(")")
        self.close()
        return Filter(test)

    def either(self) -> Test:
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise self.fail(f"nested deeper than {NESTING_MAX} levels")
        tests = self.joined("||", self.both)
        self.depth -= 1
        return tests[0] if len(tests) == 1 else Either(tests)

    def both(self) -> Test:
        tests = self.joined("&&", self.unit)
        return tests[0] if len(tests) == 1 else Both(tests)

    def joined(self, operator: str, read: Callable[[], Test]) -> tuple[Test, ...]:
        tests = [read()]
        while self.take(operator):
            tests.append(read())
        return tuple(tests)

    def unit(self) -> Test:
        """One test and the blanks around it."""
        self.blanks()
        if self.take("("):
            test = self.either()
            self.need(")")
        else:
            test = self.comparison()
        self.blanks()
        return test

    def comparison(self) -> Test:
        start = self.at
        if self.take("!"):
            path = self.operand()
            if isinstance(path, SubPath) and self.test_ends():
                return Exists(path, wanted=False)
            raise self.fail("'!' goes before a path that is tested for existence", start)
        left = self.operand()
        if isinstance(left, SubPath) and self.test_ends():
            return Exists(left, wanted=True)
        return self.compared(left)

    def compared(self, left: Operand) -> Test:
        found = _OPERATOR.match(self.text, self.at)
        if not found:
            raise self.fail("expected one of == != < <= > >= =~ && || )")
        self.at = found.end()
        self.blanks()
        return Matches(left, self.pattern()) if found[0] == "=~" else Compare(left, found[0], self.operand())

    def test_ends(self) -> bool:
        return self.done or self.here(")") or self.here("&&") or self.here("||")

    def operand(self) -> Operand:
        """A path or a literal, and the blanks after it."""
        start = self.at
        if self.here("@") or self.here("$"):
            operand: Operand = self.sub_path()
        elif self.here("'"):
            operand = Text(self.quoted())
        else:
            operand = Text(self.bare(blanks_end=False).strip())
            if not operand.text:
                raise self.fail("expected a value", start)
        self.blanks()
        return operand

    def sub_path(self) -> SubPath:
        start = self.at
        of_document = self.text[start] == "$"
        self.at += 1
        inner = _Reader(self.text[: self.at] + self.bare(blanks_end=True), self.whole, self.depth)
        inner.at = start + 1
        tokens = inner.tokens()
        if not all(isinstance(token, DEFINITE) for token in tokens):
            raise self.fail("a path in a filter leads to one value; path", start)
        return SubPath(of_document, tokens)

    def bare(self, *, blanks_end: bool) -> str:
        """Text up to an operator or the end of the test, outside of brackets."""
        start, open_brackets = self.at, 0
        while not self.done:
            if open_brackets and (self.here("'") or self.here('"')):
                self.quoted()
                continue
            open_brackets += (self.here("(") or self.here("[")) - (self.here(")") or self.here("]"))
            if open_brackets < 0 or (not open_brackets and self.bare_ends(blanks_end)):
                break
            self.at += 1
        return self.text[start : self.at]

    def bare_ends(self, blanks_end: bool) -> bool:
        if blanks_end and self.text[self.at].isspace():
            return True
        return self.here("&&") or self.here("||") or _OPERATOR.match(self.text, self.at) is not None

    def pattern(self) -> JavaRegex:
        """`/text/flags`"""
        found = _PATTERN.match(self.text, self.at)
        if not found:
            raise self.fail("expected a pattern like /a.*/i")
        try:
            pattern = JavaRegex(found[1], found[2])
        except (re.error, OverflowError, RecursionError) as problem:
            raise self.fail(f"not a pattern ({problem})") from None
        self.at = found.end()
        self.blanks()
        return pattern
