"""A checked definition, compiled once to a Program: closures and plain attributes, no definition text.

Names no state type. How fields are compiled is the query language's: `compile_path.py` and `compile_jsonata.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kaidan.asl.language.compile_jsonata import JsonataCompiler
from kaidan.asl.language.compile_path import PathCompiler
from kaidan.asl.states import CHAPTERS
from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.state import State


@dataclass(slots=True)
class Scope:
    """States that run in one frame: the whole machine, a branch, an item processor."""

    start_at: str
    states: dict[str, State] = field(default_factory=dict)


@dataclass(slots=True)
class Program:
    """A compiled state machine. `scopes[""]` is the machine itself; others go by their pointer."""

    scopes: dict[str, Scope]
    timeout_s: int | None = None
    comment: str | None = None


COMPILERS: dict[str, type[PathCompiler]] = {"JSONPath": PathCompiler, "JSONata": JsonataCompiler}


def compile_definition(definition: Definition) -> Program:
    """Compile a definition that has been checked."""
    program = Program({}, definition.get("TimeoutSeconds"), definition.get("Comment"))
    _compile_scope(program, definition, "", definition.get("QueryLanguage", "JSONPath"))
    return program


def _compile_scope(program: Program, definition: Definition, pointer: str, language: str) -> str:
    scope = program.scopes[pointer] = Scope(definition["StartAt"])
    for name, state in definition["States"].items():
        own = state.get("QueryLanguage", language)

        def inner(definition: Definition, pointer: str) -> str:
            return _compile_scope(program, definition, pointer, language)

        compiler = COMPILERS[own](name, f"{pointer}/States/{name}", inner)
        scope.states[name] = CHAPTERS[state["Type"]](state, compiler)
    return pointer
