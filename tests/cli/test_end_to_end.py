"""`kaidan` as a process of its own: the emulated AWS, signals, a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaidan.cli.exits import Exit

EXAMPLE = Path(__file__).parents[2] / "examples" / "ami-backup"
KAIDAN = [sys.executable, "-c", "from kaidan.cli.main import main; main()"]
AMI = ["run", str(EXAMPLE / "ami-backup.asl.json"), "--emulate", "--skip-waits", "--input"]

HOLD = '{"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 1000, "End": true}}}'
CALL = (
    '{"StartAt": "Call", "States": {"Call": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",'
    ' "Parameters": {}, "End": true}}}'
)
FAIL = ', "Bad": {"Type": "Fail"}}}'
PATIENCE_S = 20.0
"""Far above what anything here takes, far below what it would take if a signal did not count."""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*KAIDAN, *arguments], capture_output=True, text=True, check=False)


class TestAmiBackup:
    """The example, as its README calls it."""

    def test_success(self) -> None:
        done = call(*AMI, str(EXAMPLE / "input.json"), "--json")
        assert (done.returncode, done.stderr) == (Exit.SUCCEEDED, "")
        told = json.loads(done.stdout)
        assert (told["status"], told["output"]["Total"], told["output"]["AvailableCount"]) == ("SUCCEEDED", 3, 3)
        assert re.fullmatch(r"ami-\w+-dev-\d{8}-\d{4}-[0-9a-f-]{36}", told["output"]["Available"][0]["Name"])

    def test_a_bad_night(self) -> None:
        done = call(*AMI, str(EXAMPLE / "input-failing.json"))
        assert (done.returncode, done.stderr) == (Exit.FAILED, "")
        progress, end = done.stdout.split("\n\n")
        assert re.search(r"Back up each instance +5 items", progress)
        assert re.search(r"\[2\] Create the image +failed, retry in \S+: Ec2.Ec2Exception: You are not", progress)
        assert re.search(r"\[2\] Create the image +ec2:createImage \(attempt 2\)", progress)
        assert end.startswith("FAILED in ")
        assert "  error  ImagesFailed\n  state  Some images failed  (" in end
        assert "  cause  4 of 5 images failed, 1 available. [\n" in end

    def test_no_account_is_in_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Profiles, endpoints and proxies of the user's do not count, whether they exist or not."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert call(*AMI, str(EXAMPLE / "input.json"), "--json").returncode == Exit.SUCCEEDED


# --- signals ----------------------------------------------------------------------------------------------


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def definitions() -> None:
    Path("hold.asl.json").write_text(HOLD)
    Path("call.asl.json").write_text(CALL)


def begun(*arguments: str) -> subprocess.Popen[str]:
    """The process, once it has said that the first state is entered."""
    process = subprocess.Popen(
        [*KAIDAN, "run", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_stops_the_execution(number: signal.Signals, said: str) -> None:
    process = begun("hold.asl.json")
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (Exit.ABORTED, "")
    assert "ABORTED in " in out and f"  cause  Stopped by {said}\n" in out
    events = json.loads(call("history", "--json").stdout)["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted", "WaitStateEntered", "WaitStateAborted", "ExecutionAborted",
    ]  # fmt: skip
    assert events[-1]["executionAbortedEventDetails"] == {"cause": f"Stopped by {said}"}


@pytest.mark.usefixtures("definitions")
def test_a_call_that_hangs_is_not_waited_for(silent: str) -> None:
    process = begun("call.asl.json", "--endpoint-url", silent)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (Exit.ABORTED, "")
    types = [event["type"] for event in json.loads(call("history", "--json").stdout)["events"]]
    assert types[-2:] == ["TaskStateAborted", "ExecutionAborted"]


@pytest.mark.usefixtures("definitions")
def test_a_second_signal_quits(silent: str) -> None:
    process = begun("call.asl.json", "--endpoint-url", silent)
    os.kill(process.pid, signal.SIGSTOP)  # both are there before it can act on the first
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == Exit.INTERRUPTED


@pytest.mark.usefixtures("definitions")
def test_a_run_does_not_end_with_its_reader() -> None:
    """`kaidan run … | head -0`: what it does to AWS counts, and so does its exit status."""
    Path("bad.asl.json").write_text(HOLD.replace('"End": true', '"Next": "Bad"')[:-2] + FAIL)
    process = subprocess.Popen(
        [*KAIDAN, "run", "bad.asl.json", "--skip-waits"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(PATIENCE_S), process.stderr.read()) == (Exit.FAILED, b"")
    process.stderr.close()
    assert json.loads(call("history", "--json").stdout)["events"][-1]["type"] == "ExecutionFailed"


# --- a terminal -------------------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status, and all that was written."""
    owner, terminal = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": "90", "LINES": "24", **environment}
    process = subprocess.Popen(
        [*KAIDAN, *arguments], stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL, env=variables
    )
    os.close(terminal)
    with os.fdopen(owner, "rb") as file:
        written = b"".join(chunks(file))
    return process.wait(PATIENCE_S), written.decode()


def chunks(file: Any) -> Iterator[bytes]:
    """A terminal whose other side is closed fails with EIO, which is its end of file."""
    try:
        while chunk := file.read1():
            yield chunk
    except OSError:
        return


@pytest.mark.usefixtures("definitions")
def test_a_terminal_gets_a_picture() -> None:
    status, written = on_a_terminal("run", "hold.asl.json", "--skip-waits")
    assert status == Exit.SUCCEEDED
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert written.count(hidden) == written.count(shown) == 1
    picture, end = written.split(shown)
    assert "✓" in picture and "Hold" in picture and "16m 40s" in picture
    assert "SUCCEEDED" in end


@pytest.mark.usefixtures("definitions")
def test_a_dumb_terminal_gets_lines() -> None:
    status, written = on_a_terminal("run", "hold.asl.json", "--skip-waits", TERM="dumb")
    assert status == Exit.SUCCEEDED
    assert "\x1b[?25l" not in written and "Hold" in written


@pytest.mark.usefixtures("definitions")
def test_json_on_a_terminal_is_nothing_else() -> None:
    status, written = on_a_terminal("run", "hold.asl.json", "--skip-waits", "--json")
    assert (status, json.loads(written)["status"]) == (Exit.SUCCEEDED, "SUCCEEDED")
