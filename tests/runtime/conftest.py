from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    store = SqliteStore(tmp_path / "kaidan.db")
    made = Api(clock=SimulatedClock(), store=store)
    yield made
    made.close()
    store.close()
