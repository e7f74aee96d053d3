"""The benchmarks of a server in small: killed again and again, and with many executions that only wait."""

from __future__ import annotations

from pathlib import Path

from benchmarks import crash
from benchmarks import open as many_open


def test_a_server_that_is_killed(tmp_path: Path) -> None:
    assert crash.measure(tmp_path, kills=5, executions=3, seed=7) == []


def test_ten_thousand_executions_that_wait(tmp_path: Path) -> None:
    """Bounds are far above what is measured (1 KB each): a thread or a task for each would break them."""
    figures = many_open.measure(tmp_path, 10_000)
    assert figures.memory_bytes < 10_000 and figures.disk_bytes < 10_000
