"""JSON text → places, and what is wrong with text that is not JSON, in the words that AWS uses.

AWS reads definitions with Jackson and hands its messages on (as recorded: `Unrecognized token 'not': was
expecting (JSON String, …)` with the location `[Source: (String)"not a definition"; line: 1, column: 4]`), so
this scanner fails where Jackson's parser fails and says what it says. Values come from `kaidan.values.loads`.
"""

from __future__ import annotations

import re
from typing import NoReturn

from kaidan.asl.language.places import NESTING_MAX, Lines, Members, Place, Problem, Steps, UnreadableText

_SPACE = re.compile(r"[ \t\n\r]*")
_TEXT = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")
_WORD = re.compile(r"[\w$]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SOURCE_CHARS_MAX = 500  # Jackson shows so much of the text (ErrorReportConfiguration.DEFAULT_MAX_RAW_CONTENT_LENGTH)
_TOKEN_CHARS_MAX = 256  # … and so much of a token (DEFAULT_MAX_ERROR_TOKEN_LENGTH)

_COMMENT = re.compile(r'("(?:[^"\\\n]++|\\.)*+"?)|//[^\n]*|/\*[\s\S]*?\*/')
_TOKEN = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[\[\]{},:]|[^\s"\[\]{},:]+')


def plain(text: str) -> str:
    """The text with comments and trailing commas blanked out: as long as before, every place unchanged."""
    text = _COMMENT.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), text)
    before = last = ""
    at = 0
    commas = []
    for token in _TOKEN.finditer(text):
        if token[0] in "]}" and last == "," and before not in ("[", "{", ",", ":", ""):
            commas.append(at)
        before, last, at = last, token[0], token.start()
    for comma in commas:
        text = f"{text[:comma]} {text[comma + 1 :]}"
    return text


def scan(text: str, shown: str | None = None) -> tuple[Place, list[Problem]]:
    """The places of a JSON text, and a problem for each repeated key. `shown`: the text that messages quote.

    Raises UnreadableText.
    """
    scanner = _Scanner(text, text if shown is None else shown)
    return scanner.scan(), scanner.members.problems(scanner.lines)


class _Scanner:
    """One pass over the text with a stack of its own, so that depth costs no recursion."""

    def __init__(self, text: str, shown: str) -> None:
        self.text = text
        self.shown = shown
        self.at = 0
        self.lines = Lines(text)
        self.members = Members()
        self.open: list[tuple[Place, int]] = []
        self.steps: Steps = []

    def scan(self) -> Place:
        if self.peek("") in "]}":
            self.mismatch("root", self.source(0, -1), "]" if self.text[self.at] == "}" else "}")
        root = Place(self.at)
        self.value(root, "")
        while self.open:
            self.part()
        self.space()
        if self.at < len(self.text):
            self.unexpected("expected the end of the text")
        return root

    def part(self) -> None:
        """The next member or item of the innermost open value, or its end."""
        place, start = self.open[-1]
        char = self.peek(f": expected close marker for {self.kind()} (start marker at {self.source(start)})")
        if char in "]}":
            self.close(char, start)
            return
        if place.children:
            self.comma(char)
        if isinstance(place.children, dict):
            self.member(place)
        elif isinstance(place.children, list):
            child = Place(self.at)
            place.children.append(child)
            self.value(child, f"[{len(place.children) - 1}]")

    def comma(self, char: str) -> None:
        if char != ",":
            self.unexpected(f"was expecting comma to separate {self.kind()} entries")
        self.at += 1
        self.between()

    def member(self, place: Place) -> None:
        if self.text[self.at] != '"':
            self.unexpected("was expecting double-quote to start field name")
        child = Place(self.at)
        key = self.string(" in field name", "name")
        self.members.add(place, key, child, self.steps)
        if self.between() != ":":
            self.unexpected("was expecting a colon to separate field name and value")
        self.at += 1
        self.between()
        self.value(child, f"/{key}")

    def value(self, place: Place, step: str) -> None:
        """Read a scalar, or open an object or array whose parts follow."""
        char = self.text[self.at]
        if char in "{[":
            self.enter(place, step, char)
        elif char == '"':
            self.string(": was expecting closing quote for a string value", "string value")
        elif char == "-" or char in "0123456789":
            self.number()
        else:
            self.word(char)

    def enter(self, place: Place, step: str, char: str) -> None:
        place.children = {} if char == "{" else []
        self.open.append((place, self.at))
        self.steps.append(step)
        if len(self.open) > NESTING_MAX:
            message = f"The definition is nested deeper than {NESTING_MAX} levels"
            raise UnreadableText(Problem(self.at, message, "TOO_DEEPLY_NESTED"))
        self.at += 1

    def close(self, char: str, start: int) -> None:
        expected = "]" if self.kind() == "Array" else "}"
        if char != expected:
            self.mismatch(self.kind(), self.source(start), expected)
        self.open.pop()
        self.steps.pop()
        self.at += 1

    def mismatch(self, kind: str, began: str, expected: str) -> NoReturn:
        marker = self.text[self.at]
        self.fail(f"Unexpected close marker '{marker}': expected '{expected}' (for {kind} starting at {began})")

    def string(self, unfinished: str, what: str) -> str:
        found = _TEXT.match(self.text, self.at)
        assert found is not None
        start, self.at = self.at, found.end()
        char = self.text[self.at : self.at + 1]
        if char == '"':
            self.at += 1
            return _unescaped(self.text[start + 1 : self.at - 1])
        if not char:
            self.end(unfinished, start)
        if char == "\\":
            self.escape()
        hint = "a string ends on the line where it began: is its closing quote missing?"
        illegal = f"Illegal unquoted character ({_described(char)})"
        message = f"{illegal}: has to be escaped using backslash to be included in {what}"
        raise self.failure(message, hint=hint)

    def escape(self) -> NoReturn:
        self.at += 1
        char = self.text[self.at : self.at + 1]
        if char == "u":
            self.at = self.at + 1 + len(re.match("[0-9a-fA-F]*", self.text[self.at + 1 : self.at + 5])[0])  # type: ignore[index]
            char = self.text[self.at : self.at + 1]
        if not char:
            self.end(" in character escape sequence", self.at)
        if self.text[self.at - 1] == "\\":
            self.fail(f"Unrecognized character escape {_described(char)}", hint="a backslash itself is written \\\\")
        self.unexpected("expected a hex-digit for character escape sequence")

    def number(self) -> None:
        found = _NUMBER.match(self.text, self.at)
        self.at = found.end() if found else self.at + 1
        after = self.text[self.at : self.at + 1]
        if found is None:
            what = "expected digit (0-9) to follow minus sign, for valid numeric value"
        elif found[0].lstrip("-") == "0" and after and after in "0123456789":
            self.fail("Invalid numeric value: Leading zeroes not allowed")
        elif after == "." and "." not in found[0]:
            what = "Decimal point not followed by a digit"
            self.at += 1
        elif after in ("e", "E") and "e" not in found[0].lower():
            what = "Exponent indicator not followed by a digit"
            self.at += 1
        else:
            return
        if self.at >= len(self.text):
            self.end(" in numeric value", self.at)
        self.fail(f"Unexpected character ({_described(self.text[self.at])}) in numeric value: {what}")

    def word(self, char: str) -> None:
        """`true`, `false`, `null`, or no value at all."""
        found = _WORD.match(self.text, self.at)
        if found and found[0] in ("true", "false", "null"):
            self.at = found.end()
        elif found and (char == "$" or char.isidentifier()):
            token = found[0] if len(found[0]) <= _TOKEN_CHARS_MAX else found[0][:_TOKEN_CHARS_MAX] + "..."
            self.fail(f"Unrecognized token '{token}': was expecting {_VALUES}", past=len(found[0]))
        else:
            self.unexpected("expected a value" if char == "}" else f"expected a valid value {_VALUES}")

    def kind(self) -> str:
        if not self.open:
            return "root"
        return "Object" if isinstance(self.open[-1][0].children, dict) else "Array"

    def space(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def peek(self, unfinished: str) -> str:
        self.space()
        if self.at >= len(self.text):
            self.end(unfinished, self.open[-1][1] if self.open else self.at)
        return self.text[self.at]

    def between(self) -> str:
        return self.peek(f" within/between {self.kind()} entries")

    def unexpected(self, comment: str) -> NoReturn:
        char = self.text[self.at]
        if char == "/":
            comment = (
                "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' "
                "not enabled for parser)"
            )
        hint = "strings and names take double quotes" if char in "'‘’“”" else None
        self.fail(f"Unexpected character ({_described(char)}): {comment}", hint=hint)

    def end(self, comment: str, start: int) -> NoReturn:
        hint = f"what begins at line {self.lines.at(start)[0]} is not finished" if start < self.at else None
        self.fail(f"Unexpected end-of-input{comment}", past=0, hint=hint)

    def fail(self, message: str, past: int = 1, hint: str | None = None) -> NoReturn:
        """Jackson's place is behind the character (or token) it did not like; ours is where it starts."""
        raise self.failure(message, past, hint)

    def failure(self, message: str, past: int = 1, hint: str | None = None) -> UnreadableText:
        location = self.source(self.at, past)
        return UnreadableText(Problem(self.at, f"{message}\n at {location}", location=location, hint=hint))

    def source(self, offset: int, past: int = 0) -> str:
        """`[Source: (String)"{"StartAt": …"[truncated 812 chars]; line: 3, column: 7]`, lengths in UTF-16."""
        line, column = self.lines.at(offset)
        column = len(_utf16(self.text[offset - column + 1 : offset])) // 2 + 1 + past
        shown = _utf16(self.shown)
        more = len(shown) // 2 - _SOURCE_CHARS_MAX
        text = shown[: _SOURCE_CHARS_MAX * 2].decode("utf-16-le", "replace")
        cut = f'"[truncated {more} chars]' if more > 0 else '"'
        return f'[Source: (String)"{text}{cut}; line: {line}, column: {column}]'


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]), text)
    return _utf16(plain).decode("utf-16-le", "replace")


def _described(char: str) -> str:
    code = ord(char)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"(CTRL-CHAR, code {code})"
    return f"'{char}' (code {code})" if code <= 255 else f"'{char}' (code {code} / 0x{code:x})"
