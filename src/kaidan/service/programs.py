"""Compiled definitions: each is compiled when it is needed first, and those used last stay in memory.

A server can hold thousands of machines; after a restart only those that run are compiled.
"""

from __future__ import annotations

from kaidan.asl.language import Program, compile_definition, read_source

PROGRAMS_MAX = 1_000
"""How many programs are kept; one of ten states takes about 30 KB."""


class Programs:
    """Programs by the text of their definitions, which have been checked."""

    def __init__(self) -> None:
        self._kept: dict[str, Program] = {}

    def of(self, definition: str) -> Program:
        """The program of a definition; the one used last comes last in the dict."""
        program = self._kept.pop(definition, None) or compile_definition(read_source(definition, strict=True).value)
        self.keep(definition, program)
        return program

    def keep(self, definition: str, program: Program) -> None:
        """A program that has just been compiled."""
        self._kept[definition] = program
        if len(self._kept) > PROGRAMS_MAX:
            del self._kept[next(iter(self._kept))]
