"""kill -9, again and again, in the middle of a workload; then everything must have ended as if nothing had happened.

    python benchmarks/crash.py --kills 200

A server process runs executions with Parallel, Map, Wait, Retry, activities, callbacks and `.sync`; workers outside
carry out the activities. Every other execution has activities whose failures nothing catches, in an inline and in a
Distributed Map: it fails, and is redriven until it succeeds. The server is killed at random moments and started again
on the same file. At the end:

    outcome     every execution has the result of an undisturbed run
    events      ids without gap or repetition, as many as without kills
    tasks       what was completed, and acknowledged to its worker, was not given out again
    redrives    each that was asked for happened, once; what had succeeded before was not done again
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.peers import Client, create, free_port

Definition = dict[str, Any]


def activity(arn: str, **fields: Any) -> Definition:
    """A Task for a worker outside. One whose way to the worker was cut off times out and is tried again."""
    lost = {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1_000, "BackoffRate": 1}
    retry = [*fields.pop("Retry", []), lost]
    return {"Type": "Task", "Resource": arn, "TimeoutSeconds": 8, "Retry": retry, **fields}


def workload(square: str, flaky: str, child: str, answerer: str) -> Definition:
    """One machine with everything that has to survive."""
    retry = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 50, "BackoffRate": 1}]
    return {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {
                        "StartAt": "Each",
                        "States": {
                            "Each": {
                                "Type": "Map",
                                "ItemsPath": "$.items",
                                "MaxConcurrency": 3,
                                "ItemProcessor": {
                                    "StartAt": "Square",
                                    "States": {
                                        "Square": activity(square, Next="Rest"),
                                        "Rest": {"Type": "Wait", "Seconds": 1, "End": True},
                                    },
                                },
                                "End": True,
                            }
                        },
                    },
                    {"StartAt": "Try", "States": {"Try": activity(flaky, Retry=retry, End=True)}},
                ],
                "ResultPath": "$.both",
                "Next": "Child",
            },
            "Child": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Parameters": {"StateMachineArn": child, "Input": {"n.$": "$.n"}},
                "ResultSelector": {"n.$": "$.Output.n"},
                "ResultPath": "$.child",
                "Next": "Callback",
            },
            "Callback": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken",
                "Parameters": {
                    "StateMachineArn": answerer,
                    "Input": {"n.$": "$.n", "token.$": "$$.Task.Token"},
                },
                "ResultPath": "$.answer",
                "End": True,
            },
        },
    }


def fragile(brittle: str) -> Definition:
    """One machine that fails of any failure, wherever it is."""
    work = {"StartAt": "Work", "States": {"Work": activity(brittle, End=True)}}
    distributed = {"StartAt": "Try", "States": {"Try": activity(brittle, End=True)}}
    distributed |= {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 3, "End": True}
    branches = [
        {"StartAt": "Each", "States": {"Each": each | {"ItemProcessor": work}}},
        {"StartAt": "Many", "States": {"Many": each | {"ItemProcessor": distributed}}},
        {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 1, "End": True}}},
    ]
    return {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}}


CHILD = {
    "StartAt": "Sleep",
    "States": {
        "Sleep": {"Type": "Wait", "Seconds": 2, "Next": "Double"},
        "Double": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, $.n)"}, "End": True},
    },
}


ANSWERER = {
    "StartAt": "Sleep",
    "States": {
        "Sleep": {"Type": "Wait", "Seconds": 1, "Next": "Answer"},
        "Answer": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
            "Parameters": {"TaskToken.$": "$.token", "Output.$": "States.JsonToString($.n)"},
            "Catch": [{"ErrorEquals": ["Sfn.TaskTimedOutException", "Sfn.InvalidTokenException"], "Next": "Was there"}],
            "End": True,
        },
        "Was there": {"Type": "Succeed"},
    },
}
"""Answers a callback. One that was cut off may come again, and be told that the task has its answer."""


class Server:
    """`kaidan serve` as a process that is killed and started again."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self._command = [str(Path(sys.executable).with_name("kaidan")), "serve"]
        self._command += ["--port", str(self.port), "--data", str(data)]
        self._process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(1_000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                raise SystemExit(f"the server ended with {self._process.returncode}")
            time.sleep(0.02)
        raise SystemExit("the server does not answer")

    def memory_mb(self) -> float:
        """Resident memory of the process (Linux)."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        return 0.0

    def kill(self) -> None:
        """As hard as it goes."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class Worker(threading.Thread):
    """Carries out one activity for as long as the run goes on, through every loss of the server."""

    def __init__(self, server: Server, arn: str, done: Counter[str], seed: int) -> None:
        super().__init__(daemon=True)
        self._server, self._arn, self._done = server, arn, done
        self._chance = random.Random(seed)
        self.stop = False
        self.repeated = 0

    def run(self) -> None:
        while not self.stop:
            with suppress(OSError, SystemExit, ValueError, IndexError), Client(self._server.port) as client:
                while not self.stop:
                    self._one(client)

    def _one(self, client: Client) -> None:
        task = client("GetActivityTask", activityArn=self._arn)
        token = task.get("taskToken")
        if not token:
            return
        if self._done[token]:
            self.repeated += 1
        time.sleep(self._chance.random() * 0.05)
        value = json.loads(task["input"])
        if self._chance.random() < FAILING.get(self._arn.rpartition(":")[2], 0):
            client("SendTaskFailure", taskToken=token, error="Flaky", cause="by chance")
        else:
            result = value * value if isinstance(value, int) else {"n": value["n"]}
            client("SendTaskSuccess", taskToken=token, output=json.dumps(result))
        self._done[token] += 1


FAILING = {"flaky": 0.3, "brittle": 0.3}
"""How often an activity fails."""


class Redriver(threading.Thread):
    """Redrives the executions that have failed, each time with a token of its own."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.arns: list[str] = []
        self.redrives: Counter[str] = Counter()
        self.stop = False

    def run(self) -> None:
        while not self.stop:
            for arn in list(self.arns):
                if patiently(self._server, "DescribeExecution", executionArn=arn)["status"] == "FAILED":
                    token = f"{arn.rpartition(':')[2]}-{self.redrives[arn]}"
                    patiently(self._server, "RedriveExecution", executionArn=arn, clientToken=token)
                    self.redrives[arn] += 1
            time.sleep(0.05)


def expected(number: int) -> Any:
    """What an undisturbed run gives."""
    items = list(range(number, number + 4))
    if _is_fragile(number):
        squares = [item * item for item in items]
        return [squares, squares, {"n": number, "items": items}]
    both = [[item * item for item in items], {"n": number}]
    return {"n": number, "items": items, "both": both, "child": {"n": 2 * number}, "answer": number}


def _is_fragile(number: int) -> bool:
    return number % 2 == 0


def patiently(server: Server, operation: str, **params: Any) -> dict[str, Any]:
    """A call that is made again until it is answered."""
    while True:
        try:
            with Client(server.port) as client:
                return client(operation, **params)
        except (OSError, ValueError, IndexError):
            time.sleep(0.05)
        except SystemExit as refusal:
            if "closed the connection" not in str(refusal):
                raise
            time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--executions", type=int, default=40, help="started over the run")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = measure(Path(folder), options.kills, options.executions, options.seed)
    for fault in faults:
        print(fault)
    print(f"crash: {len(faults)} faults in {options.kills} kills")
    return 1 if faults else 0


def measure(folder: Path, kills: int, executions: int, seed: int) -> list[str]:
    """Run the workload on a file in `folder`; what was wrong in the end."""
    server, chance = Server(folder), random.Random(seed)
    with Client(server.port) as client:
        arns = [client("CreateActivity", name=name)["activityArn"] for name in ("square", "flaky", "brittle")]
        square, flaky, brittle = arns
        child, answerer = create(client, "child", CHILD), create(client, "answerer", ANSWERER)
        sturdy = create(client, "workload", workload(square, flaky, child, answerer))
        machines = [create(client, "fragile", fragile(brittle)), sturdy]
    done: Counter[str] = Counter()
    workers = [Worker(server, arn, done, number) for number, arn in enumerate(arns * 3)]
    redriver = Redriver(server)
    for thread in (*workers, redriver):
        thread.start()
    started: dict[int, str] = {}
    start = time.monotonic()
    for kill in range(kills):
        while len(started) * kills < executions * (kill + 1):
            number = len(started) + 1
            text = json.dumps({"n": number, "items": list(range(number, number + 4))})
            params = {"stateMachineArn": machines[number % 2], "name": f"run-{number}", "input": text}
            started[number] = patiently(server, "StartExecution", **params)["executionArn"]
            if _is_fragile(number):
                redriver.arns.append(started[number])
        time.sleep(chance.random() * 0.6)
        server.kill()
        server.start()
    print(f"{kills} kills in {time.monotonic() - start:.0f} s, {len(started)} executions")
    faults = [fault for number, arn in started.items() for fault in _faults(server, redriver.redrives, number, arn)]
    for worker in workers:
        worker.stop = True
    redriver.stop = True
    redriver.join()
    repeated = sum(worker.repeated for worker in workers)
    server.kill()
    for worker in workers:
        worker.join()
    print(f"tasks completed: {sum(done.values())}, given out again after that: {repeated}")
    print(f"redrives: {sum(redriver.redrives.values())}")
    return faults + ["a task was given out again after it had been completed"] * repeated


def _faults(server: Server, redrives: Counter[str], number: int, arn: str) -> list[str]:
    """What is wrong with one execution in the end."""
    deadline = time.monotonic() + 120
    ends = ("SUCCEEDED",) if _is_fragile(number) else ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
    while (described := patiently(server, "DescribeExecution", executionArn=arn))["status"] not in ends:
        if time.monotonic() > deadline:
            return [f"{arn}: still {described['status']}"]
        time.sleep(0.2)
    faults = []
    if described["status"] != "SUCCEEDED":
        faults.append(f"{arn}: {described['status']} {described.get('error')} {described.get('cause')}")
    elif json.loads(described["output"]) != expected(number):
        faults.append(f"{arn}: {described['output']}")
    events = patiently(server, "GetExecutionHistory", executionArn=arn, maxResults=1000)["events"]
    if [event["id"] for event in events] != list(range(1, len(events) + 1)):
        faults.append(f"{arn}: ids {[event['id'] for event in events]}")
    kinds = Counter(event["type"] for event in events)
    wanted = {"ExecutionStarted": 1, "MapIterationStarted": 4}
    wanted |= _wanted_of_fragile(redrives[arn]) if _is_fragile(number) else _wanted_of_sturdy(kinds)
    faults += [f"{arn}: {kinds[kind]} {kind}" for kind, count in wanted.items() if kinds[kind] != count]
    if _is_fragile(number):
        (map_run,) = patiently(server, "ListMapRuns", executionArn=arn)["mapRuns"]
        counts = patiently(server, "DescribeMapRun", mapRunArn=map_run["mapRunArn"])["executionCounts"]
        if (counts["succeeded"], counts["total"], described["redriveCount"]) != (4, 4, redrives[arn]):
            faults.append(f"{arn}: {redrives[arn]} redrives, not {described['redriveCount']}, children {counts}")
    return faults


def _wanted_of_sturdy(kinds: Counter[str]) -> dict[str, int]:
    """How many events there are to be of each type."""
    attempts = 5 + kinds["ActivityFailed"] + kinds["ActivityTimedOut"]
    wanted = {"ActivityScheduled": attempts, "ActivitySucceeded": 5}
    return wanted | {"TaskScheduled": 2, "TaskSubmitted": 2, "TaskSucceeded": 2}


def _wanted_of_fragile(redrives: int) -> dict[str, int]:
    once = ("MapRunStarted", "MapRunSucceeded", "ParallelStateStarted", "WaitStateExited")
    return {"ActivitySucceeded": 4, "ExecutionRedriven": redrives, **dict.fromkeys(once, 1)}


if __name__ == "__main__":
    sys.exit(main())
