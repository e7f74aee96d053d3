"""The server of `http_target.py`: kaidan's web side before a service on a virtual clock. Started by it alone.

Two pages more than the real server has, both POST and answered in JSON:

    /new      {"as_of": "2024-05-01", "mock_config": {…}}   forget everything, answer as AWS did that day, tasks as a
                                                            Step Functions Local mock configuration says → {"now_ms": …}
    /advance  {"horizon_ms": …}                             do all that is due, or jump to what comes next
                                                            → {"moved": true, "now_ms": …}
"""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
import time
from typing import Any

from aiohttp import web

from conformance.cases import ACCOUNT, REGION
from kaidan.integrations.mocks import parse_mock_config
from kaidan.integrations.world import World
from kaidan.runtime.sources import SimulatedClock
from kaidan.server.app import App
from kaidan.service.api import Api


class Simulated:
    """A Caller whose engine runs when it is told to, and while an operation waits."""

    def __init__(self) -> None:
        self.api = Api()

    async def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        return self.api.call(operation, params)

    def new(self, wanted: dict[str, Any]) -> dict[str, Any]:
        as_of = datetime.date.fromisoformat(wanted["as_of"]) if wanted["as_of"] else None
        clock = SimulatedClock(int(time.time()) * 1000 + 123)
        self.api.close()
        mocked = wanted["mock_config"]
        world = World(mocks=parse_mock_config(mocked)) if mocked is not None else None
        self.api = Api(account=ACCOUNT, region=REGION, clock=clock, as_of=as_of, world=world)
        return {"now_ms": clock.now_ms()}

    def advance(self, wanted: dict[str, Any]) -> dict[str, Any]:
        engine = self.api.service.engine
        moved = False
        while engine.step():
            moved = True
        next_ms = engine.next_ms()
        if not moved and next_ms is not None and not engine.busy and next_ms <= wanted["horizon_ms"]:
            engine.clock.skip_to(next_ms)
            moved = True
        return {"moved": moved or engine.busy > 0, "now_ms": engine.clock.now_ms()}


class Bench(App):
    """The app, and the two pages."""

    def __init__(self, simulated: Simulated) -> None:
        super().__init__(lambda request, body: simulated)
        self._pages = {"/new": simulated.new, "/advance": simulated.advance}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            return await super().handle(request)
        return web.json_response(page(json.loads(await request.read())))


async def main() -> None:
    """Goes on until nobody holds the other end of its standard input any more, however that one has ended."""
    runner = web.ServerRunner(Bench(Simulated()).server())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
