"""Commands called as `kaidan` calls them, in this process, with a home of their own and no AWS account in reach."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from kaidan.cli import main
from tests.surroundings import clear


class Result(NamedTuple):
    status: int
    out: str
    err: str


Kaidan = Callable[..., Result]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty directory to work in; neither credentials nor proxies nor kept executions."""
    clear(monkeypatch, tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def kaidan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Kaidan:
    def call(*arguments: str | Path, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main.run(list(map(str, arguments)))
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return call
