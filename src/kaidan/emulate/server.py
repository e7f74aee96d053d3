"""Emulator: a private AWS endpoint on this machine, in a process of its own.

The process is `child.py`. It gets the configuration as one line of JSON on its standard input, answers one
line (`{"port": 43121}` or `{"problem": "…"}`), and ends when that input closes: at close(), or when its owner
dies in whatever way. A process of its own keeps moto's patches, environment and interpreter lock out of the
owner's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Lock, Timer
from types import TracebackType
from typing import IO, NamedTuple

import msgspec

from kaidan.emulate.config import EmulateConfig

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
HOST = "127.0.0.1"


class EmulatorError(Exception):
    """The emulator is not installed, did not start, or a call that seeds it was refused."""


class Credentials(NamedTuple):
    """What the emulator accepts. It accepts anything; these can do no harm elsewhere."""

    access_key_id: str = "test"
    secret_access_key: str = "test"


class Ready(msgspec.Struct):
    """The child's one line: a port, or what went wrong."""

    port: int = 0
    problem: str = ""


class Emulator:
    """A running emulated AWS. Use it as a context manager, or close() it.

    with Emulator.start(config) as aws:
        boto3.client("ec2", **aws.client_options)
    """

    def __init__(self, process: subprocess.Popen[bytes], config: EmulateConfig) -> None:
        self._process = process
        self._lock = Lock()
        self._port: int | None = None
        self._problem = ""
        self.region = config.region
        self.credentials = Credentials()

    @classmethod
    def launch(cls, config: EmulateConfig | None = None, *, port: int = 0, log: IO[bytes] | None = None) -> Emulator:
        """Start the process and return at once; `endpoint_url` waits until it answers. Port 0: any that is free.

        `log` receives what moto writes, its tracebacks above all; without it that is dropped.
        Raises EmulatorError when moto is not installed.
        """
        if find_spec("moto") is None or find_spec("flask") is None:
            raise EmulatorError("the emulated AWS needs moto: pip install 'kaidan[emulate]'")
        config = config or EmulateConfig()
        process = subprocess.Popen(
            [sys.executable, "-m", "kaidan.emulate.child", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log or subprocess.DEVNULL,
            env=child_environment(os.environ),
        )
        emulator = cls(process, config)
        emulator._send(msgspec.json.encode(config))
        return emulator

    @classmethod
    def start(cls, config: EmulateConfig | None = None, *, port: int = 0, log: IO[bytes] | None = None) -> Emulator:
        """launch(), and wait until it is seeded and answers. Raises EmulatorError."""
        emulator = cls.launch(config, port=port, log=log)
        emulator.wait()
        return emulator

    def wait(self) -> None:
        """Return when the emulator answers. Raises EmulatorError, also on every later call."""
        with self._lock:
            if self._port is None and not self._problem:
                self._hear()
        if self._problem:
            raise EmulatorError(self._problem)

    @property
    def endpoint_url(self) -> str:
        """`http://127.0.0.1:43121`, for every service. Waits for the start."""
        self.wait()
        return f"http://{HOST}:{self._port}"

    @property
    def client_options(self) -> dict[str, str]:
        """The arguments that lead a boto3 client here."""
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": self.region,
            "aws_access_key_id": self.credentials.access_key_id,
            "aws_secret_access_key": self.credentials.secret_access_key,
        }

    def close(self) -> None:
        """End the process. Everything in it is forgotten. May be called twice."""
        process = self._process
        _shut(process.stdin)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _shut(process.stdout)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # It died at once; wait() finds no answer and says so.

    def _hear(self) -> None:
        """Read the child's answer; a child that gives none is ended, and the reason kept."""
        assert self._process.stdout is not None
        with _deadline(self._process):
            line = self._process.stdout.readline()
        ready = msgspec.json.decode(line, type=Ready) if line else self._silent()
        self._port, self._problem = ready.port or None, ready.problem
        if self._problem:
            self.close()

    def _silent(self) -> Ready:
        self.close()
        return Ready(problem=f"the emulated AWS did not start (its process ended with {self._process.returncode})")


@contextmanager
def _deadline(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A child that hangs is killed, so that whoever reads from it gets an end of file."""
    timer = Timer(START_TIMEOUT_S, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        try:
            pipe.close()
        except OSError:
            pass


def child_environment(environ: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """The owner's environment without its AWS settings: nothing of a real account reaches the emulator."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {
        **kept,
        **nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 1,300 public images nobody asked for: two seconds
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }
