"""Lambda functions on this machine: processes that answer invocations, and what Lambda says when they do not.

Each function has as many processes as it has invocations side by side; beyond its concurrency it is throttled.
Blocking, safe in any thread; to be called in the runtime's pool. Source: Lambda guide, "Lambda runtimes"; recordings of
AWS for the form of errors.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock, Timer
from typing import IO, Any, TypeAlias

from kaidan.errors import StateError
from kaidan.integrations import lambda_worker
from kaidan.integrations.calls import ended_by
from kaidan.integrations.lambda_targets import Command, InProcess, PythonFile
from kaidan.values import loads

MEMORY_MB = 128
"""Lambda's own default."""

INIT_S = 10.0
"""How long loading a file may take, beside the time-out of its invocations (Lambda guide, "Init phase")."""

LOG_TAIL_BYTES = 4096
"""How much of its log an invocation can give back (Lambda API, Invoke: LogResult)."""

SHOWN_BYTES = 65_536
"""How much of what an invocation prints is shown, the end of it."""

THROTTLED = (
    "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; "
    "Request ID: {}; Proxy: null)"
)


Key: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a function. `payload` is JSON text."""

    name: str
    arn: str
    payload: str
    request_id: str
    client_context: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function answered: `payload` is its result or, when `failed`, its error. `log`: the end of its log."""

    payload: str
    failed: bool = False
    log: bytes = b""


class LocalFunctions:
    """The processes of all local functions."""

    def __init__(self) -> None:
        self._idle: dict[Key, list[_Worker]] = {}
        self._running: dict[Key, int] = {}
        self._lock = Lock()

    def run(self, target: PythonFile | Command, invocation: Invocation) -> Outcome:
        """Raises StateError, `Lambda.TooManyRequestsException`, when all processes are busy."""
        with self._place(target, invocation.request_id):
            if isinstance(target, Command):
                return _run_command(target, invocation)
            return self._run_python(target, invocation)

    @contextmanager
    def _place(self, target: PythonFile | Command, request_id: str) -> Iterator[None]:
        key = _key(target)
        with self._lock:
            if self._running.get(key, 0) >= target.concurrency:
                raise StateError("Lambda.TooManyRequestsException", THROTTLED.format(request_id))
            self._running[key] = self._running.get(key, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._running[key] -= 1

    def _run_python(self, target: PythonFile, invocation: Invocation) -> Outcome:
        worker = self._idle_worker(target) or _Worker(target, invocation.name)
        outcome = worker.answer(invocation)
        if worker.alive:
            with self._lock:
                self._idle.setdefault(_key(target), []).append(worker)
        return outcome

    def _idle_worker(self, target: PythonFile) -> _Worker | None:
        """One that has read the file as it is now; those that know an older one end."""
        modified = _modified(target)
        with self._lock:
            idle = self._idle.pop(_key(target), [])
            fresh = [worker for worker in idle if worker.modified == modified]
            chosen = fresh.pop() if fresh else None
            self._idle[_key(target)] = fresh
        for worker in idle:
            if worker.modified != modified:
                worker.close()
        return chosen

    def close(self) -> None:
        """End the processes that are idle; the others end with what they are doing, or with this process."""
        with self._lock:
            workers = [worker for idle in self._idle.values() for worker in idle]
            self._idle.clear()
        for worker in workers:
            worker.close()


def _key(target: PythonFile | Command) -> Key:
    """Targets hold dicts, so they have no hash of their own."""
    return repr(target)


def _modified(target: PythonFile) -> int | None:
    try:
        return target.path.stat().st_mtime_ns
    except OSError:
        return None


class _Worker:
    """One process of a function in a file of Python."""

    def __init__(self, target: PythonFile, name: str) -> None:
        self._target = target
        self.modified = _modified(target)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-P", lambda_worker.__file__, str(target.path), target.function],
            cwd=target.path.parent if target.path.parent.is_dir() else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            env=_environment(target.environment, name, target),
        )
        self._loaded = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def answer(self, invocation: Invocation) -> Outcome:
        if self._loaded:
            self._log.seek(0)
            self._log.truncate()
        else:
            line, expired = self._ask("", INIT_S)
            self._loaded = bool(line)
            if not self._loaded:
                return self._died(invocation, INIT_S, expired)
        timeout_s = self._target.timeout_s
        line, expired = self._ask(self._call(invocation), timeout_s)
        if not line:
            return self._died(invocation, timeout_s, expired)
        well, payload = json.loads(line)
        log = _log(invocation, self._target.memory_mb, self._printed(invocation))
        return Outcome(payload, failed=not well, log=log)

    def _call(self, invocation: Invocation) -> str:
        deadline_ms = int((time.time() + self._target.timeout_s) * 1000)
        about = (invocation.request_id, invocation.name, invocation.arn)
        context = [*about, self._target.memory_mb, deadline_ms, invocation.client_context]
        return json.dumps({"event": invocation.payload, "context": context}) + "\n"

    def _ask(self, line: str, seconds: float) -> tuple[str, bool]:
        """The next line that comes, "" when the process has ended instead; and whether it was ended for its time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with _limited(self._process, seconds) as expired:
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except OSError:
                answer = ""
        return answer, bool(expired)

    def _died(self, invocation: Invocation, seconds: float, expired: bool) -> Outcome:
        self._printed(invocation)
        self.close()
        return _died(invocation, seconds, self._process.returncode, expired)

    def _printed(self, invocation: Invocation) -> bytes:
        """What was printed since the last invocation."""
        return _shown(invocation, self._log)

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            _shut(pipe)
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            _kill(self._process)
            self._process.wait()
        self._log.close()


def _run_command(target: Command, invocation: Invocation) -> Outcome:
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                target.arguments,
                cwd=target.directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=_environment(target.environment, invocation.name, None),
            )
        except OSError as problem:
            return _failure("Runtime.InvalidEntrypoint", f"RequestId: {invocation.request_id} Error: {problem}")
        with _limited(process, target.timeout_s) as expired:
            output, _ = process.communicate(invocation.payload.encode())
        printed = _shown(invocation, log)
    if process.returncode or expired:
        return _failed_command(output, invocation, target.timeout_s, process.returncode, bool(expired))
    return Outcome(output.decode("utf-8", "replace").strip() or "null", log=_log(invocation, MEMORY_MB, printed))


def _failed_command(output: bytes, invocation: Invocation, timeout_s: float, code: int, expired: bool) -> Outcome:
    """A command that fails may say why, in Lambda's form on its output."""
    try:
        said = loads(output)
    except ValueError:
        said = None
    if not expired and isinstance(said, dict) and "errorType" in said:
        return Outcome(output.decode().strip(), failed=True)
    return _died(invocation, timeout_s, code, expired)


def run_in_process(target: InProcess, invocation: Invocation) -> Outcome:
    """Call a function of this process."""
    context = lambda_worker.Context(invocation.request_id, invocation.name, invocation.arn, MEMORY_MB, 0, None)
    well, payload = lambda_worker.run(target.function, loads(invocation.payload), context)
    return Outcome(payload, failed=not well, log=_log(invocation, MEMORY_MB, b""))


def _shown(invocation: Invocation, log: IO[bytes]) -> bytes:
    """What a function printed, the end of it. It is shown on standard error too: nobody has a CloudWatch here."""
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - SHOWN_BYTES))
    printed = log.read()
    for line in printed.decode("utf-8", "replace").splitlines():
        print(f"{invocation.name} | {line}", file=sys.stderr)
    return printed[-LOG_TAIL_BYTES:]


def _log(invocation: Invocation, memory_mb: int, printed: bytes) -> bytes:
    """What was printed between the lines that Lambda writes itself."""
    request = f"RequestId: {invocation.request_id}"
    report = f"END {request}\nREPORT {request}\tMemory Size: {memory_mb} MB\n"
    return f"START {request} Version: $LATEST\n".encode() + printed + report.encode()


def _died(invocation: Invocation, timeout_s: float, code: int | None, expired: bool) -> Outcome:
    """Of a process that took too long or ended (AWS guide, "Handling errors": Sandbox.Timedout)."""
    before = f"RequestId: {invocation.request_id} Error: "
    if expired:
        return _failure("Sandbox.Timedout", f"{before}Task timed out after {timeout_s:.2f} seconds")
    status = f"signal: {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
    return _failure("Runtime.ExitError", f"{before}Runtime exited with error: {status}")


def _failure(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")), failed=True)


def _environment(given: Mapping[str, str], name: str, target: PythonFile | None) -> dict[str, str]:
    """The function's own variables before this process's, and those that every function has."""
    reserved = {"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}
    if target is not None:
        reserved |= {
            "_HANDLER": f"{target.path.stem}.{target.function}",
            "LAMBDA_TASK_ROOT": str(target.path.parent),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(target.memory_mb),
        }
    return {**os.environ, **reserved, **given}


@contextmanager
def _limited(process: subprocess.Popen[Any], seconds: float) -> Iterator[list[bool]]:
    """Kill the process after a time, or when nobody waits for it any more. The list is not empty after the first."""
    expired: list[bool] = []

    def expire() -> None:
        expired.append(True)
        _kill(process)

    timer = Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        with ended_by(partial(_kill, process)):
            yield expired
    finally:
        timer.cancel()


def _kill(process: subprocess.Popen[Any]) -> None:
    """The process and those that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()


def _shut(pipe: IO[str] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        pass
