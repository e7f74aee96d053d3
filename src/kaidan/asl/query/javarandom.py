"""`java.util.Random`, bit for bit: what AWS's seeded random functions are made of.

Serves States.MathRandom(start, end, seed) and JSONata's $random(seed). A generator made from a seed is a pure
function of it; nothing here asks the outside for chance. Source: Java SE API, class java.util.Random, which
prescribes the algorithms; checked against values that AWS returned.
"""

from __future__ import annotations

_MULTIPLIER = 0x5DEECE66D
_INCREMENT = 0xB
_STATE_MASK = (1 << 48) - 1
INT_MAX = (1 << 31) - 1


class JavaRandom:
    """A linear congruential generator of 48 bits of state."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        """`seed` counts modulo 2**48, so every integer will do."""
        self._state = (seed ^ _MULTIPLIER) & _STATE_MASK

    def _next(self, bits: int) -> int:
        """The next `bits` (at most 32) bits, read as unsigned."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _STATE_MASK
        return self._state >> (48 - bits)

    def next_int(self, bound: int) -> int:
        """A number in [0, bound), `bound` from 1 to 2**31 - 1; each equally likely. Raises ValueError."""
        if not 0 < bound <= INT_MAX:
            raise ValueError(f"bound must be from 1 to {INT_MAX}, but was {bound}")
        bits = self._next(31)
        if bound & (bound - 1) == 0:
            return (bound * bits) >> 31
        while bits - bits % bound + (bound - 1) > INT_MAX:
            bits = self._next(31)
        return bits % bound

    def next_double(self) -> float:
        """A number in [0, 1) with 53 random bits: 0.7275636800328681 comes first from seed 42."""
        high = self._next(26)
        low = self._next(27)
        return ((high << 27) + low) / (1 << 53)
