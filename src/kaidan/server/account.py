"""One account: its service on an engine of its own, driven by this process's asyncio loop, kept in a file of its own.

An operation is done on the loop's thread, between two turns of the engine; its answer waits until all that has
happened is saved. Operations that take their time wait without blocking anybody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.world import World
from kaidan.observe.observer import Observer
from kaidan.runtime.driver import Driver
from kaidan.runtime.sources import RealClock
from kaidan.service import shapes
from kaidan.service.apart import apart
from kaidan.service.api import WAITING, Api
from kaidan.service.errors import unavailable
from kaidan.service.test_state import test_state
from kaidan.store.contract import Store, StoreError

log = logging.getLogger(__name__)

Output: TypeAlias = dict[str, Any]

TESTS_MAX = 32
"""States that are tested at a time (TestState); further ones wait their turn."""

DAY_MS = 86_400_000
SWEEP_S = 600
"""How often what has been kept for long enough is looked for."""
SWEEP_EXECUTIONS = 200
"""How many executions are removed at a time; others get their turn between."""


class Account:
    """Answers the operations of one account. To be made on the loop's thread; what was going on goes on."""

    def __init__(
        self,
        id: str,
        region: str,
        clients: ClientFactory,
        store: Store | None,
        retention_days: int,
        folders: Sequence[Path] = (),
        world: World | None = None,
        *,
        skip_waits: bool = False,
    ) -> None:
        """`folders`: what Distributed Maps may use of this machine. `world`: of the tasks, beside AWS."""
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._retention_days = retention_days
        self._api = Api(
            account=id,
            region=region,
            clock=RealClock(),
            clients=clients,
            store=store,
            folders=folders,
            world=world,
            skip_waits=skip_waits,
        )
        self._engine = self._api.service.engine
        self.driver = Driver(self._engine)
        self._tests = ThreadPoolExecutor(TESTS_MAX, thread_name_prefix="kaidan-test")
        self._polls: set[Callable[[], None]] = set()
        """Each ends the wait of a worker for a task."""
        self._sweeper = self._loop.create_task(self._sweep()) if retention_days else None

    async def call(self, operation: str, params: dict[str, Any]) -> Output:
        """Do one operation. Raises ApiError. Cancelled when the client is gone: what it waited for is given up.

        ServiceUnavailable says that what was done could not be saved; it may be saved later.
        """
        if self.driver.failure is not None:
            raise unavailable()
        if operation in WAITING:
            answer = await self._wait_for(operation, params)
        elif operation == "TestState":
            answer = await self._test(params)
        else:
            answer = self._api.call(operation, params)
        try:
            await self.driver.saved()
        except StoreError as problem:
            raise unavailable() from problem
        return answer

    async def _wait_for(self, operation: str, params: dict[str, Any]) -> Output:
        future: asyncio.Future[Output] = self._loop.create_future()
        give_up = self._api.begin(operation, params, lambda answer: _settle(future, answer))
        if operation == "GetActivityTask":
            self._polls.add(give_up)
        self.driver.kick()
        try:
            return await future
        finally:
            self._polls.discard(give_up)
            if future.cancelled():
                give_up()

    async def _test(self, params: dict[str, Any]) -> Output:
        """A test has an engine of its own, in a thread of its own: a state under test may take minutes."""
        shapes.check("TestState", params)
        return await self._loop.run_in_executor(self._tests, test_state, apart(self._api.service), params)

    def observe(self, observer: Observer) -> None:
        """Let what happens from now on be seen."""
        configurations = self._api.service.configurations
        observer.watch(self._engine, lambda execution: configurations[execution.definition].logging)

    def stop_waiting(self) -> None:
        """Answer the workers that wait for a task: there is none, they are to ask again."""
        for give_up in list(self._polls):
            give_up()

    def close(self) -> None:
        """Save what is left, and let go of file and threads."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.driver.close()
        self._api.close()
        self._tests.shutdown(wait=False, cancel_futures=True)
        if self._store is not None:
            self._store.close()

    # --- forgetting ---------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.forget_old()
            except StoreError as problem:
                log.error("what is old cannot be removed: %s", problem)

    async def forget_old(self) -> int:
        """Remove the executions whose time is over, a few at a time, and revisions nobody needs any more."""
        before_ms = self._engine.clock.now_ms() - self._retention_days * DAY_MS
        forgotten = 0
        while True:
            began = time.monotonic()
            count = self._engine.forget_closed(before_ms, SWEEP_EXECUTIONS)
            forgotten += count
            if count < SWEEP_EXECUTIONS:
                break
            await asyncio.sleep(time.monotonic() - began)
        if forgotten and self._api.persistence is not None:
            self._api.persistence.forget_unused()
            await self.driver.saved()
        return forgotten


def _settle(future: asyncio.Future[Output], answer: Output) -> None:
    if not future.done():
        future.set_result(answer)
