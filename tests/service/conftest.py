from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.redriven import World
from tests.service.support import Service


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.api.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "kaidan.db")
    yield made
    made.close()
