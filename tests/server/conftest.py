from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.support import Running, client, running
from tests.surroundings import clear


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No AWS account, no settings of Kaidan, no proxy."""
    clear(monkeypatch, tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(data=tmp_path / "data") as server:
        yield server


@pytest.fixture
def sfn(server: Running) -> Any:
    return client(server.url)
