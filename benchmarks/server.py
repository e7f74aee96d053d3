"""Requests per second that `kaidan serve` answers, seen by raw clients that keep their connections.

    python benchmarks/server.py [--connections 32] [--seconds 3] [--durability process]

Beside each figure stands what aiohttp's low-level server does with the same request and a fixed answer in the
same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/bench"
THREE_STATES = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "C"}], "Default": "C"},
        "C": {"Type": "Pass", "End": True},
    },
}

BARE = """
import asyncio
from aiohttp import web
BODY = b"x" * 500
async def handle(request):
    await request.read()
    return web.Response(body=BODY, headers={"Content-Type": "application/x-amz-json-1.0"})
async def main():
    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"at http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """A server's process: its port and its id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield int(found[1]), process.pid
    finally:
        process.terminate()
        process.wait(20)


def request(operation: str, params: dict[str, Any]) -> bytes:
    body = json.dumps(params).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AWSStepFunctions.{operation}\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> tuple[int, bytes]:
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    return int(head[9:12]), await reader.readexactly(length)


async def ask(port: int, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    status, body = await exchange(reader, writer, request(operation, params))
    writer.close()
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


async def load(port: int, connections: int, seconds: float, data: Callable[[], bytes]) -> list[float]:
    """Ask as fast as answers come; how long each took, in milliseconds."""
    until = time.monotonic() + seconds

    async def client() -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        took = []
        while (began := time.monotonic()) < until:
            status, body = await exchange(reader, writer, data())
            assert status == 200, body
            took.append((time.monotonic() - began) * 1000)
        writer.close()
        return took

    return [each for many in await asyncio.gather(*(client() for _ in range(connections))) for each in many]


def cpu_s(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(name: str, port: int, pid: int, options: argparse.Namespace, data: Callable[[], bytes]) -> None:
    before, began = cpu_s(pid), time.monotonic()
    took = sorted(await load(port, options.connections, options.seconds, data))
    wall, cpu = time.monotonic() - began, cpu_s(pid) - before
    print(
        f"{name:34} {len(took) / wall:8,.0f} requests/s   {cpu / len(took) * 1e6:6,.0f} µs of CPU each"
        f"   p50 {took[len(took) // 2]:6.1f} ms   p99 {took[len(took) * 99 // 100]:6.1f} ms",
        flush=True,
    )


async def measure_server(port: int, pid: int, options: argparse.Namespace) -> None:
    machine = {"definition": json.dumps(THREE_STATES), "roleArn": ROLE}
    arn = (await ask(port, "CreateStateMachine", {"name": "bench", **machine}))["stateMachineArn"]
    express = (await ask(port, "CreateStateMachine", {"name": "fast", "type": "EXPRESS", **machine}))["stateMachineArn"]
    input = json.dumps({"n": 1})
    execution = (await ask(port, "StartExecution", {"stateMachineArn": arn, "input": input}))["executionArn"]
    for operation, params in (
        ("DescribeExecution", {"executionArn": execution}),
        ("GetExecutionHistory", {"executionArn": execution}),
        ("StartExecution", {"stateMachineArn": arn, "input": input}),
        ("StartSyncExecution", {"stateMachineArn": express, "input": input}),
    ):
        data = request(operation, params)
        await measure(operation, port, pid, options, lambda data=data: data)  # type: ignore[misc]
    memory = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert memory is not None
    print(f"memory of the server: {int(memory[1]) / 1024:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--durability", default="process", choices=["process", "power", "none"])
    options = parser.parse_args()
    with serving([sys.executable, "-c", BARE]) as (port, pid):
        data = request("DescribeExecution", {"executionArn": "x" * 80})
        asyncio.run(measure("a fixed answer by aiohttp", port, pid, options, lambda: data))
    with tempfile.TemporaryDirectory() as folder:
        keep = ["--in-memory"] if options.durability == "none" else ["--durability", options.durability]
        command = [str(Path(sys.executable).with_name("kaidan")), "serve", "--port", "0", "--data", folder, *keep]
        with serving(command) as (port, pid):
            asyncio.run(measure_server(port, pid, options))


if __name__ == "__main__":
    main()
