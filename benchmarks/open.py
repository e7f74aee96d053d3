"""A million executions open in a Wait: how fast they start, what they cost, and whether the server still answers.

    python benchmarks/open.py --count 1000000

Prints starts per second, memory and disk per open execution, the median of DescribeExecution among them, and how
long a restart takes until the first answer.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.crash import Server
from benchmarks.peers import Client, create

MACHINE = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86_400, "End": True}}}
CALLERS = 4
SAMPLES = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), count)
    print(f"open: {count} executions, {figures.describe_ms:.1f} ms, {figures.restart_s:.1f} s")
    return 0 if figures.describe_ms < 50 and figures.restart_s < 60 else 1


class Figures(NamedTuple):
    """What open executions cost."""

    memory_bytes: float
    """Of each."""
    disk_bytes: float
    describe_ms: float
    restart_s: float


def measure(folder: Path, count: int) -> Figures:
    """Start so many executions on a file in `folder`."""
    server = Server(folder)
    try:
        return _measure(server, folder, count)
    finally:
        server.kill()


def _measure(server: Server, folder: Path, count: int) -> Figures:
    with Client(server.port) as client:
        machine = create(client, "open", MACHINE)
    before_mb = server.memory_mb()
    start = time.perf_counter()
    _start_all(server, machine, count)
    seconds = time.perf_counter() - start
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{count:,} executions open after {seconds:.0f} s ({count / seconds:,.0f} per second)")
    memory_bytes, disk_bytes = (server.memory_mb() - before_mb) * 1e6 / count, disk / count
    print(f"memory: {server.memory_mb():,.0f} MB, {memory_bytes:,.0f} bytes each")
    print(f"disk: {disk / 1e6:,.0f} MB, {disk_bytes:,.0f} bytes each")
    median_ms = _describe_ms(server, machine, count)
    print(f"DescribeExecution: {median_ms:.1f} ms at the median of {SAMPLES}")
    start = time.perf_counter()
    server.kill()
    server.start()
    with Client(server.port) as client:
        client("DescribeExecution", executionArn=_arn(machine, count - 1))
    restart_s = time.perf_counter() - start
    print(f"restart: {restart_s:.1f} s until the first answer")
    return Figures(memory_bytes, disk_bytes, median_ms, restart_s)


def _arn(machine: str, number: int) -> str:
    return machine.replace(":stateMachine:", ":execution:") + f":open-{number}"


def _start_all(server: Server, machine: str, count: int) -> None:
    def work(first: int) -> None:
        with Client(server.port) as client:
            for number in range(first, count, CALLERS):
                client("StartExecution", stateMachineArn=machine, name=f"open-{number}", input='{"a": 1}')

    threads = [threading.Thread(target=work, args=(first,)) for first in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _describe_ms(server: Server, machine: str, count: int) -> float:
    chance, times = random.Random(1), []
    with Client(server.port) as client:
        for _ in range(SAMPLES):
            arn = _arn(machine, chance.randrange(count))
            start = time.perf_counter()
            assert client("DescribeExecution", executionArn=arn)["status"] == "RUNNING"
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
