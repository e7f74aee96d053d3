"""Servers to test, and clients for them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from kaidan.server.process import Server
from kaidan.server.settings import Settings, resolve

ROLE = "arn:aws:iam::123456789012:role/runner"
ARN = "arn:aws:states:us-east-1:123456789012:"

PASS: dict[str, Any] = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
KAIDAN = str(Path(sys.executable).with_name("kaidan"))


def waiting(seconds: int) -> dict[str, Any]:
    return {
        "StartAt": "Hold",
        "States": {
            "Hold": {"Type": "Wait", "Seconds": seconds, "Next": "Done"},
            "Done": {"Type": "Pass", "Result": {"done": True}, "End": True},
        },
    }


def settings(**given: Any) -> Settings:
    """Port 0 and region us-east-1, unless given."""
    return resolve({"port": "0", "region": "us-east-1"} | {name: str(value) for name, value in given.items()}, {})


class Running(NamedTuple):
    server: Server
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def do(self, action: Callable[[], Any]) -> Any:
        """Do something on the server's thread."""

        async def act() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(10)


@contextmanager
def running(**given: Any) -> Iterator[Running]:
    """A server on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait_for(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    try:
        server = wait_for(Server.start(settings(**given)))
        try:
            yield Running(server, loop)
        finally:
            wait_for(server.stop())
    finally:
        wait_for(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def client(url: str, key: str = "test", secret: str = "test", region: str = "us-east-1") -> Any:
    """boto3's client, as a user makes it."""
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, proxies={}, read_timeout=90)
    return boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )


def machine(sfn: Any, name: str = "orders", definition: dict[str, Any] = PASS, **more: Any) -> str:
    created = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **more)
    arn: str = created["stateMachineArn"]
    return arn


# --- raw HTTP ---------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        code: str = self.json["__type"].partition("#")[2]
        return code


def post(body: bytes, operation: str | None = "ListStateMachines", **headers: str) -> bytes:
    """The bytes of a request. Headers are given with underscores; None leaves the target out."""
    lines = {"Host": "localhost", "Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(body))}
    if operation is not None:
        lines["X-Amz-Target"] = f"AWSStepFunctions.{operation}"
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body


class Connection:
    """A socket to a server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self._read = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *problem: object) -> None:
        self._read.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        with suppress(OSError):
            self.socket.sendall(data)

    def answer(self) -> Answer | None:
        """The next answer, or None when the server hung up."""
        try:
            status = self._read.readline()
            if not status:
                return None
            lines = iter(self._read.readline, b"\r\n")
            headers = {
                name.decode().lower(): value.decode().strip()
                for name, _, value in (line.partition(b":") for line in lines)
            }
            return Answer(int(status.split()[1]), headers, self._read.read(int(headers.get("content-length", 0))))
        except ConnectionError:
            return None

    def ask(self, data: bytes) -> Answer | None:
        self.send(data)
        return self.answer()


# --- processes --------------------------------------------------------------------------------------------


class Process:
    """`kaidan serve` as a process."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [KAIDAN, "serve", "--port", "0", "--region", "us-east-1", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline()

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+:\d+", self.greeting)
        assert found is not None, (self.greeting, self.ended())
        return found[0]

    def kill(self) -> None:
        """As the out-of-memory killer does."""
        self.process.kill()
        self.ended()

    def stop(self) -> int:
        self.process.terminate()
        return self.ended()[0]

    def ended(self) -> tuple[int, str]:
        """Status and standard error, once it has ended."""
        said = self.process.communicate(timeout=20)[1]
        return self.process.returncode, said
