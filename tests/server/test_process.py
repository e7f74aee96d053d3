"""`kaidan serve` as a process: killed, stopped, started twice."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kaidan.server import process
from tests.server.support import KAIDAN, Connection, Process, client, machine, post, running, waiting
from tests.server.test_clients import ended

WORKER = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$",
            "ItemProcessor": {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 1, "End": True}}},
            "End": True,
        }
    },
}


def test_executions_go_on_after_a_kill(tmp_path: Path) -> None:
    """An answer to StartExecution means that it exists, and everything that was going on goes on."""
    process = Process("--data", str(tmp_path))
    sfn = client(process.url)
    machines = {
        "wait": machine(sfn, "wait", waiting(1)),
        "map": machine(sfn, "map", WORKER, publish=True),
        "ask": machine(sfn, "ask", _asking(sfn.create_activity(name="approve")["activityArn"])),
    }
    started = [
        sfn.start_execution(stateMachineArn=arn, name=f"{name}-{number}", input="[1, 2, 3]")["executionArn"]
        for number in range(20)
        for name, arn in machines.items()
    ]
    process.kill()
    process = Process("--data", str(tmp_path))
    sfn = client(process.url)
    described = [sfn.describe_execution(executionArn=arn) for arn in started]
    assert {each["status"] for each in described if ":ask:" not in each["executionArn"]} <= {"RUNNING", "SUCCEEDED"}
    _answer(sfn, count=20)
    assert {ended(sfn, arn)["status"] for arn in started} == {"SUCCEEDED"}
    events = sfn.get_execution_history(executionArn=started[1])["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert len(sfn.list_executions(stateMachineArn=machines["wait"])["executions"]) == 20
    assert sfn.describe_state_machine(stateMachineArn=f"{machines['map']}:1")["name"] == "map"
    assert process.stop() == 0


def _asking(activity: str) -> dict[str, Any]:
    return {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": activity, "End": True}}}


def _answer(sfn: Any, count: int) -> None:
    activity = sfn.list_activities()["activities"][0]["activityArn"]
    for _ in range(count):
        task = sfn.get_activity_task(activityArn=activity)
        sfn.send_task_success(taskToken=task["taskToken"], output=task["input"])


def test_answers_under_way_are_finished_when_it_stops(tmp_path: Path) -> None:
    process = Process("--data", str(tmp_path))
    arn = machine(client(process.url), definition=waiting(1), type="EXPRESS")
    body = json.dumps({"stateMachineArn": arn}).encode()
    with Connection(int(process.url.rpartition(":")[2])) as connection:
        connection.send(post(body, "StartSyncExecution"))
        time.sleep(0.2)
        began = time.monotonic()
        assert process.stop() == 0
        answer = connection.answer()
    assert time.monotonic() - began < 5
    assert answer is not None and answer.json["status"] == "SUCCEEDED"


def test_a_stop_is_bounded_whatever_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that takes its time, a client that dawdles, and nobody who receives events."""
    monkeypatch.setattr(process, "STOP_S", 0.2)
    monkeypatch.setattr(process, "CLOSE_S", 0.2)
    with ExitStack() as clients:
        with running(data=tmp_path, events_to="http://127.0.0.1:9/") as server:
            sfn = client(server.url)
            arn = machine(sfn, definition=waiting(60), type="EXPRESS")
            sfn.start_execution(stateMachineArn=machine(sfn, "told"))
            slow, half = (clients.enter_context(Connection(server.port)) for _ in range(2))
            slow.send(post(json.dumps({"stateMachineArn": arn}).encode(), "StartSyncExecution"))
            half.send(post(b"{}", Content_Length="100"))
            time.sleep(0.2)
            began = time.monotonic()
        assert time.monotonic() - began < 5


def test_the_greeting_says_where_everything_is(tmp_path: Path) -> None:
    process = Process("--data", str(tmp_path))
    assert process.greeting.endswith(f" at {process.url}, data in {tmp_path / '123456789012.us-east-1.db'}\n")
    assert process.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["123456789012.us-east-1.db"]


def test_in_memory_nothing_is_kept(tmp_path: Path) -> None:
    process = Process("--in-memory", environment=os.environ | {"KAIDAN_HOME": str(tmp_path)})
    machine(client(process.url))
    assert process.greeting.endswith("data in memory: nothing is kept\n")
    assert process.stop() == 0
    assert list(tmp_path.iterdir()) == []


def serve(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([KAIDAN, "serve", *arguments], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_a_second_process_on_the_same_data(tmp_path: Path) -> None:
    process = Process("--data", str(tmp_path))
    status, said = serve("--port", "0", "--data", str(tmp_path))
    assert process.stop() == 0
    assert status == 2
    path = tmp_path / "123456789012.us-east-1.db"
    assert said == f"error: {path}: another process uses it; a second server needs --data of its own\n"


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = serve("--port", str(port), "--data", str(tmp_path))
    assert (status, said) == (
        2,
        f"error: 127.0.0.1, port {port}: another process listens there; choose another --port\n",
    )


REFUSED: dict[str, tuple[list[str], str]] = {
    "an open door": (["--host", "0.0.0.0"], "others could call in without being asked who they are"),
    "an address of another machine": (["--host", "192.0.2.1", "--credentials", "{ok}"], "192.0.2.1, port 0: cannot"),
    "no such credentials": (["--credentials", "{tmp}/none"], "cannot be read: No such file or directory"),
    "an address that is none": (["--host", "no host", "--credentials", "{ok}"], "no host, port 0: cannot listen there"),
    "a name that is none": (["--host", "a..b", "--credentials", "{ok}"], "a..b: is no address"),
    "no folder of items": (["--files", "{tmp}/none"], "none: is no folder"),
    "no such profile": (["--profile", "nobody"], "the AWS profile nobody could not be found; profiles there are: none"),
    "no directory": (["--data", "{ok}/x"], "cannot be made: "),
    "no database": (["--data", "{bad}"], "123456789012.us-east-1.db: file is not a database"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_keeps_it_from_starting(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "ok").write_text("[a]\naws_access_key_id = AKIA\naws_secret_access_key = x\n")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "123456789012.us-east-1.db").write_bytes(b"no database at all" * 99)
    places = {"ok": tmp_path / "ok", "tmp": tmp_path, "bad": tmp_path / "bad"}
    given = [argument.format(**places) for argument in arguments]
    data = [] if "--data" in given else ["--data", str(tmp_path / "data")]
    status, told = serve("--port", "0", *data, *given)
    assert status == 2, told
    assert said in told
    assert "Unknown error" not in told
    assert "Traceback" not in told
