"""The benchmark of Map Runs in small: a process that is killed half-way, and another that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import map_run


@pytest.mark.parametrize("killed", [False, True])
def test_a_process_that_is_killed(tmp_path: Path, killed: bool) -> None:
    assert map_run.measure(tmp_path / "run", 4_000, killed=killed) == []
