"""What shows a run while it lasts: nothing for scripts, a picture on a terminal, lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from kaidan.cli.text import cells

if TYPE_CHECKING:
    from kaidan.asl.language import Program
    from kaidan.runtime.engine import Engine, Run


class Reporter(Protocol):
    """Shows a run from when it is made until it is closed."""

    def close(self) -> None: ...


def reporter(engine: Engine, run: Run) -> Reporter:
    """The one that suits standard output."""
    name_cells = _name_cells(run.machine.program)
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        if not console.is_dumb_terminal:
            from kaidan.cli.live import Screen

            return Screen(console, engine, run, name_cells)
    from kaidan.cli.lines import Lines

    return Lines(engine, name_cells)


def _name_cells(program: Program) -> int:
    """The width that the names of the states need, with their place in a Map or Parallel and their number of visits."""
    depths = [(pointer.count("/States/"), scope.states) for pointer, scope in program.scopes.items()]
    return 5 + max(cells(name) + (2 * depth + 4 if depth else 0) for depth, names in depths for name in names)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Something that moves on a terminal while there is nothing else to show."""
    if not sys.stdout.isatty():
        yield
        return
    from rich.console import Console

    with Console().status(f"[dim]{text}[/dim]"):
        yield
