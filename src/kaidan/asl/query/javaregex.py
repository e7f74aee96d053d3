"""Regular expressions of JSONPath filters, as Java reads them, within bounds.

Python's `re` cannot be interrupted. So where a pattern repeats things, JSONata's matcher does the work, which counts
its steps where there could be many; the two languages differ in nothing that such patterns use. Knows nothing of paths.
"""

from __future__ import annotations

import re
import warnings

from kaidan.asl.query.jsonata.regex import JsRegex
from kaidan.asl.query.jsonata.regex_syntax import RegexSyntaxError

STEPS_MAX = 1_000_000
"""Steps of one match, some tenth of a second; ours."""

FLAGS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X}

_REPEATS = re.compile(r"[*+?}]")
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")


class TooManySteps(Exception):
    """The pattern has too many ways to match the text, or not to."""


class JavaRegex:
    """A pattern for whole texts. Classes are those of ASCII; groups are named without the P of Python's."""

    def __init__(self, pattern: str, flags: str) -> None:
        """`flags`: any of i, m, s, x. Raises re.error."""
        self.pattern = pattern
        combined = re.ASCII
        for letter in flags:
            combined |= FLAGS[letter]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of brackets in brackets, which Java reads otherwise
            self._re = re.compile(_NAMED_GROUP.sub("(?P<", pattern), combined)
        self._bounded = _bounded(pattern, flags)

    @property
    def flags(self) -> str:
        """The flags in force, given or set in the pattern: `im`."""
        return "".join(letter for letter, flag in FLAGS.items() if self._re.flags & flag)

    def matches(self, text: str) -> bool:
        """Whether the whole text is what the pattern says. Raises TooManySteps."""
        if self._bounded is None:
            return self._re.fullmatch(text) is not None
        left = STEPS_MAX

        def charge(steps: int) -> None:
            nonlocal left
            left -= steps
            if left < 0:
                raise TooManySteps

        return self._bounded.search(text, 0, charge) is not None


def _bounded(pattern: str, flags: str) -> JsRegex | None:
    """The pattern for JSONata's matcher; None where `re` is as quick, or the pattern is none of JavaScript's."""
    if len(_REPEATS.findall(pattern)) < 2 or set(flags) - {"i"}:
        return None
    try:
        return JsRegex(f"^(?:{pattern})$", flags)
    except RegexSyntaxError:
        return None
