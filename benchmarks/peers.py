"""Executions, transitions and Map items per second, durable, beside two peers in the same run with the same client.

    chain   executions per second of ten Pass states, started one after another by eight callers
    loop    transitions per second of one execution that goes round 100, 1,000 and 5,000 times
    map     items per second of an inline Map of 1,000
    sync    StartSyncExecution per second of an Express machine of one Pass state

The client is a raw keep-alive HTTP client, so that it is not what is measured; `boto3` beside it shows how much of
a user's time the client is. moto and ministack keep everything in memory; Kaidan writes all of it to its file.

Peers are installed into their own environment, `benchmarks/.peers`, by `make bench-peers`.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/bench"
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0"
)
CALLERS = 8


def chain(length: int) -> dict[str, Any]:
    """Pass states one after another."""
    names = [f"P{number}" for number in range(length)]
    states: dict[str, Any] = {name: {"Type": "Pass", "Next": after} for name, after in itertools.pairwise(names)}
    return {"StartAt": "P0", "States": states | {names[-1]: {"Type": "Pass", "End": True}}}


LOOP = {
    "StartAt": "More",
    "States": {
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": 0, "Next": "Count"}],
            "Default": "Done",
        },
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, -1)"}, "Next": "More"},
        "Done": {"Type": "Succeed"},
    },
}

MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    },
}


class Client:
    """One connection that speaks AWS JSON 1.0, kept alive if the server does, with as little work as can be."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connect()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        body = json.dumps(params).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: AWSStepFunctions.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\n"
            f"Authorization: {AUTHORIZATION}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        status, answer = self._receive()
        if status != 200:
            raise SystemExit(f"{operation}: {status} {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def _receive(self) -> tuple[int, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        if b"connection: close" in lower or head.startswith(b"HTTP/1.0"):
            self._socket.close()
            self._connect()
        return int(head.split(b" ")[1]), body

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise SystemExit("the server closed the connection")
        return data


def create(client: Client, name: str, definition: dict[str, Any], type: str = "STANDARD") -> str:
    """A machine of this name; its ARN."""
    answer = client("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE, type=type)
    return str(answer["stateMachineArn"])


_numbers = itertools.count()


def start_execution(client: Client, machine: str, input: str) -> str:
    """Start an execution under a name of its own (moto needs one); its ARN."""
    name = f"bench-{next(_numbers)}"
    return str(client("StartExecution", stateMachineArn=machine, name=name, input=input)["executionArn"])


def finish(client: Client, arn: str) -> None:
    """Wait until an execution has succeeded."""
    while True:
        status = client("DescribeExecution", executionArn=arn)["status"]
        if status == "SUCCEEDED":
            return
        if status != "RUNNING":
            raise SystemExit(f"{arn}: {status}")
        time.sleep(0.001)


def chains_per_second(port: int, seconds: float) -> float:
    """Executions that were started for some seconds, per second until the last of them had succeeded."""
    machine = create(Client(port), "chain", chain(10))
    done = [0] * CALLERS
    start = time.perf_counter()

    def work(number: int) -> None:
        client = Client(port)
        while time.perf_counter() - start < seconds:
            start_execution(client, machine, '{"a": 1}')
            done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client, running = Client(port), {"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1}
    while client("ListExecutions", **running)["executions"]:
        time.sleep(0.01)
    return sum(done) / (time.perf_counter() - start)


def loop_us(port: int, rounds: int) -> float:
    """Microseconds per transition of one execution."""
    client = Client(port)
    machine = create(client, f"loop{rounds}", LOOP)
    start = time.perf_counter()
    finish(client, start_execution(client, machine, json.dumps({"n": rounds})))
    return (time.perf_counter() - start) / (2 * rounds) * 1e6


def items_per_second(port: int) -> float:
    """Items of an inline Map."""
    client = Client(port)
    machine = create(client, "map", MAP)
    count, repeats = 1_000, 3
    text = json.dumps({"items": list(range(count))})
    start = time.perf_counter()
    for _ in range(repeats):
        finish(client, start_execution(client, machine, text))
    return count * repeats / (time.perf_counter() - start)


def syncs_per_second(port: int, seconds: float) -> float:
    """StartSyncExecution one after another."""
    client = Client(port)
    machine = create(client, "sync", chain(1), "EXPRESS")
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        client("StartSyncExecution", stateMachineArn=machine, input="{}")
        done += 1
    return done / (time.perf_counter() - start)


def boto3_starts_per_second(port: int, seconds: float) -> float:
    """What one boto3 client sees of the chain."""
    import boto3
    from botocore.config import Config

    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    config = Config(inject_host_prefix=False)
    client = boto3.client("stepfunctions", endpoint_url=f"http://127.0.0.1:{port}", config=config, **keys)
    machine = client.create_state_machine(name="boto", definition=json.dumps(chain(10)), roleArn=ROLE)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        client.start_execution(stateMachineArn=machine["stateMachineArn"], name=f"boto{done}", input="{}")
        done += 1
    return done / (time.perf_counter() - start)


@contextmanager
def server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """A server process, from when it answers; its process id."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
        try:
            _await_port(process, port)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.5)
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def chain_cpu_us(port: int, pid: int) -> float:
    """Processor time of the server for one execution of the chain: what no client and no neighbour hides."""
    client, count = Client(port), 300
    machine = create(client, "cpu", chain(10))
    before = cpu_s(pid)
    for _ in range(count):
        finish(client, start_execution(client, machine, '{"a": 1}'))
    return (cpu_s(pid) - before) / count * 1e6


def _figures(port: int, pid: int, seconds: float) -> dict[str, float | None]:
    figures: dict[str, Callable[[], float]] = {
        "chain of 10, executions/s": lambda: chains_per_second(port, seconds),
        "chain of 10, us of CPU": lambda: chain_cpu_us(port, pid),
        "the same by boto3, starts/s": lambda: boto3_starts_per_second(port, seconds),
        "loop of 100, us/transition": lambda: loop_us(port, 100),
        "loop of 1,000, us/transition": lambda: loop_us(port, 1_000),
        "loop of 5,000, us/transition": lambda: loop_us(port, 5_000),
        "Map of 1,000, items/s": lambda: items_per_second(port),
        "StartSyncExecution/s": lambda: syncs_per_second(port, seconds),
    }
    measured: dict[str, float | None] = {}
    for name, figure in figures.items():
        try:
            measured[name] = figure()
        except (Exception, SystemExit) as problem:
            print(f"    {name}: {str(problem)[:160]}", file=sys.stderr)
            measured[name] = None
    return measured


def commands(peers: Path) -> dict[str, Callable[[int, Path], tuple[list[str], dict[str, str]]]]:
    """How each server is started on a port, with a folder for its data."""
    kaidan = str(Path(sys.executable).with_name("kaidan"))
    return {
        "kaidan (durable)": lambda port, data: (
            [kaidan, "serve", "--port", str(port), "--data", str(data / "kaidan.db")],
            {},
        ),
        "moto": lambda port, data: (
            [str(Path(sys.executable).with_name("moto_server")), "-p", str(port)],
            {"MOTO_STEPFUNCTIONS_CONFIG_FILE": "", "SF_EXECUTE_STATE_MACHINE": "1"},
        ),
        "ministack": lambda port, data: (
            [str(peers / "bin" / "ministack")],
            {"GATEWAY_PORT": str(port), "MINISTACK_PORT": str(port), "LOG_LEVEL": "ERROR"},
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="for each figure that is a rate of calls")
    parser.add_argument("--peers", type=Path, default=Path(__file__).with_name(".peers"))
    options = parser.parse_args()
    results: dict[str, dict[str, float | None]] = {}
    for name, command in commands(options.peers).items():
        with tempfile.TemporaryDirectory() as data:
            port = free_port()
            line, environment = command(port, Path(data))
            with server(line, port, environment) as pid:
                if name == "moto":
                    _let_moto_execute(port)
                results[name] = _figures(port, pid, options.seconds)
    _print(results)


def _let_moto_execute(port: int) -> None:
    """moto runs executions only when it is told to."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}})
    connection.request("POST", "/moto-api/config", body, {"Content-Type": "application/json"})
    connection.getresponse().read()


def _print(results: dict[str, dict[str, float | None]]) -> None:
    names = list(results)
    print(f"{'':<30}" + "".join(f"{name:>18}" for name in names) + f"{'to the faster peer':>20}")
    for figure in next(iter(results.values())):
        row = [results[name][figure] for name in names]
        cells = "".join(f"{'-' if value is None else format(value, ',.1f'):>18}" for value in row)
        print(f"{figure:<30}{cells}{_ratio(figure, row):>20}")


def _ratio(figure: str, row: list[float | None]) -> str:
    own, *others = row
    peers = [value for value in others if value is not None]
    if own is None or not peers:
        return ""
    return f"{min(peers) / own:.1f} x" if "us" in figure else f"{own / max(peers):.1f} x"


if __name__ == "__main__":
    main()
