"""Progress on a terminal: the rows of `progress.py`, redrawn in place while the engine runs."""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from kaidan.cli.progress import Progress, Row, View, duration, fitted, waits
from kaidan.cli.text import cells, cut, padded
from kaidan.protocol.history import HistoryEvent
from kaidan.runtime.engine import Engine, Run

REDRAWS_PER_S = 10
TOOK_CELLS = 7

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MARKS: dict[str, tuple[str, str]] = {
    "running": ("", "cyan"),
    "waiting": ("◦", "cyan"),
    "done": ("✓", "green"),
    "caught": ("!", "yellow"),
    "failed": ("✗", "red"),
    "stopped": ("-", "dim"),
    "idle": (" ", ""),
    "more": ("…", "dim"),
}
"""A row's mark: its sign (a spinner where there is none) and colour."""


class Screen:
    """A listener of the engine that draws, on the engine's own thread: nothing changes while it is drawn."""

    def __init__(self, console: Console, engine: Engine, run: Run, name_cells: int) -> None:
        self._console = console
        self._engine = engine
        self._run = run
        self._name_cells = name_cells
        self._progress = Progress()
        self._live = Live(console=console, auto_refresh=False, transient=False, vertical_overflow="crop")
        self._over = threading.Event()
        self._asked = False
        self._ticker = threading.Thread(target=self._tick, name="kaidan-screen", daemon=True)
        engine.listen(self)
        self._live.start()
        self._ticker.start()

    def __call__(self, run: Run, event: HistoryEvent) -> None:
        self._progress.take(run, event)

    def close(self) -> None:
        """Draw how it ended, and leave that on the screen."""
        self._over.set()
        self._ticker.join()
        self._draw()
        self._live.stop()

    def _tick(self) -> None:
        """Ask the engine for a redraw now and then, unless it still owes one."""
        while not self._over.wait(1 / REDRAWS_PER_S):
            if not self._asked:
                self._asked = True
                self._engine.wake(self._draw)

    def _draw(self) -> None:
        self._asked = False
        now_ms, execution = self._engine.clock.now_ms(), self._run.execution
        ended = execution.status != "RUNNING"
        view = View(waits(self._engine, self._progress), execution.stop_ms if ended else now_ms, execution.status)
        rows = fitted(list(view.rows(self._progress.root)), max(4, self._console.height - 3))
        lines = [self._line(row) for row in rows]
        if not ended:
            lines.append(Text(f"{self._spinner()} {duration(now_ms - execution.start_ms)}", "dim"))
        self._live.update(Text("\n").join(lines), refresh=True)

    def _line(self, row: Row) -> Text:
        sign, colour = MARKS[row.mark]
        indent = "  " * row.depth
        took = "" if row.took_ms is None else duration(row.took_ms)
        name = padded(row.name, max(8, min(self._name_cells, self._console.width // 2) - cells(indent)))
        room = self._console.width - cells(indent + name) - TOOK_CELLS - 6
        return Text.assemble(
            indent,
            (f"{sign or self._spinner()} ", colour),
            (name, "dim" if row.mark in ("more", "stopped", "idle") else ""),
            (f" {took:>{TOOK_CELLS}}", "dim"),
            (f"  {cut(row.detail, max(0, room))}" if row.detail else "", "" if row.mark == "caught" else "dim"),
            no_wrap=True,
        )

    def _spinner(self) -> str:
        return SPINNER[int(time.monotonic() * REDRAWS_PER_S) % len(SPINNER)]
