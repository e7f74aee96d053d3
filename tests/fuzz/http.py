"""Tens of thousands of hostile requests to a server process: only modelled errors, no failure inside, steady memory.

    python -m tests.fuzz.http [--requests 50000] [--seconds 240] [--seed 1] [--connections 16]

Malformed JSON, members of wrong types, operations in a senseless order, definitions with holes, bodies that are too
large, signatures that are wrong, bytes that are no HTTP, clients that leave or dawdle. The exit status is 1, and the
request is shown, when an answer is anything else than what AWS could have said.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader

from kaidan.server.protocol import REQUEST_BYTES_MAX
from tests.server.support import ARN, ROLE, Process

KEY, SECRET = "AKIAFUZZ", "secret"
FILE = f"[fuzz]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"

MODEL: dict[str, Any] = Loader().load_service_model("stepfunctions", "service-2")
SHAPES, OPERATIONS = MODEL["shapes"], sorted(MODEL["operations"])

FRAMEWORK = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "RequestTimeoutException",
    "SerializationException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
MODELLED = {name for name, shape in SHAPES.items() if shape.get("exception")} | FRAMEWORK

MEMORY_MB_MAX = 60
"""How much the server may grow after its first quarter; executions used last stay in memory, histories do not."""

Bytes = bytes
Answer = tuple[int, bytes]


# --- values -----------------------------------------------------------------------------------------------

ODD: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 1e308, 0.5, "", " ", "\0", "x" * 300, "\ud800", "\u968e\u6bb5", "a/b", "..",
    "arn:", ARN, f"{ARN}stateMachine:", f"{ARN}execution:m0:x", f"{ARN}mapRun:m0/x:1", [], [None], [[]], {}, {"": None},
    {"x": {"y": []}}, "{}", "[]", "null", "{", '"x"', "AAAA", "2026-11-24T00:00:00Z",
]  # fmt: skip

KINDS = ("stateMachine", "execution", "activity", "mapRun")

ODDLY = 0.02
"""How often a member has an odd value."""

NAMES = [f"m{number}" for number in range(60)]


class Values:
    """Values for the members of requests: mostly what is asked for, often something odd."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.arns: list[str] = [f"{ARN}{kind}:{name}" for kind in ("stateMachine", "activity") for name in NAMES]
        self.tokens: list[str] = ["AAAA"]

    def params(self, operation: str) -> Any:
        if self.dice.random() < 0.02:
            return self.dice.choice(ODD)
        return self._of(MODEL["operations"][operation]["input"]["shape"], "")

    def _of(self, shape_name: str, member: str) -> Any:
        dice, shape = self.dice, SHAPES[shape_name]
        if dice.random() < ODDLY:
            return dice.choice(ODD)
        match shape["type"]:
            case "structure":
                return self._structure(shape)
            case "list":
                return [self._of(shape["member"]["shape"], member) for _ in range(dice.choice((0, 1, 1, 2, 60)))]
            case "string":
                return self._text(shape, member)
            case "boolean":
                return dice.random() < 0.5
            case _:
                return dice.choice((0, 1, 5, 100, 1000, 1001, -1))

    def _structure(self, shape: Any) -> Any:
        required = shape.get("required", ())
        return {
            name: self._of(of["shape"], name)
            for name, of in shape["members"].items()
            if name in required or self.dice.random() < 0.3
        }

    def _text(self, shape: Any, member: str) -> str:
        dice = self.dice
        if "enum" in shape:
            return str(dice.choice(shape["enum"]))
        if member == "roleArn":
            return ROLE
        if member.endswith("Arn"):
            return dice.choice(self._arns_for(member))
        if member == "definition":
            return json.dumps(Definitions(dice, self.arns).machine())
        if member in ("input", "output", "context", "result", "variables"):
            return dice.choice(('{"n": 1, "list": [1, 2, 3], "when": "2020-01-01T00:00:00Z"}', "{}", "[1]", "null"))
        if member == "taskToken":
            return dice.choice(self.tokens)
        return dice.choice([*NAMES, "PROD", "a b", "x" * 81])

    def _arns_for(self, member: str) -> list[str]:
        """Nine times of ten those of the kind that the member asks for."""
        kind = next((kind for kind in KINDS if member.startswith(kind)), "")
        fitting = [arn for arn in self.arns if f":{kind}:" in arn]
        return fitting if fitting and self.dice.random() < 0.9 else self.arns

    def learn(self, answer: Any) -> None:
        """ARNs and tokens of answers are used in later requests."""
        for name, value in answer.items() if isinstance(answer, dict) else ():
            if name.endswith("Arn") and isinstance(value, str):
                self.arns.append(value)
                del self.arns[12:-200]
            elif name == "taskToken":
                self.tokens = [*self.tokens[-20:], value]


class Definitions:
    """State machines, most of which can be run, and mistakes in some of them."""

    def __init__(self, dice: random.Random, arns: list[str]) -> None:
        self.dice = dice
        self.arns = arns

    def machine(self, depth: int = 0) -> dict[str, Any]:
        names = [f"S{number}" for number in range(self.dice.randint(1, 4))]
        states = {name: self._state(name, names, depth) for name in names}
        machine: dict[str, Any] = {"StartAt": names[0], "States": states}
        if not depth and self.dice.random() < 0.3:
            machine["QueryLanguage"] = "JSONata"
        if self.dice.random() < 0.03:
            machine[self.dice.choice(list(machine))] = self.dice.choice(ODD)
        return machine

    def _state(self, name: str, names: list[str], depth: int) -> dict[str, Any]:
        dice = self.dice
        later = [other for other in names if other > name]
        kind = dice.choice(("Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"))
        state: dict[str, Any] = {"Type": kind} | self._fields(kind, later, depth)
        if kind not in ("Choice", "Succeed", "Fail"):
            state |= {"Next": dice.choice(later)} if later else {"End": True}
        if dice.random() < 0.1:
            state[dice.choice(("Output", "Assign", "ResultPath", "InputPath", "Retry", "Comment"))] = dice.choice(ODD)
        return state

    def _fields(self, kind: str, later: list[str], depth: int) -> dict[str, Any]:
        dice = self.dice
        inside = self.machine(depth + 1) if depth < 2 else {"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}
        match kind:
            case "Pass":
                return {"Parameters": {"x.$": dice.choice(PATHS)}} if dice.random() < 0.5 else {}
            case "Task":
                return {"Resource": dice.choice([*RESOURCES, dice.choice(self.arns)]), "Parameters": self._parameters()}
            case "Choice":
                rule = {"Variable": dice.choice(PATHS), "NumericEquals": 1, "Next": dice.choice(later or ["S0"])}
                return {"Choices": [rule], "Default": dice.choice(later or ["S0"])}
            case "Wait":
                return {"Seconds": dice.choice((0, 0, 1, 99_999_999))}
            case "Parallel":
                return {"Branches": [inside] * dice.choice((1, 2))}
            case "Map":
                return {"ItemProcessor": inside, "ItemsPath": dice.choice(("$.list", "$", "$.none"))}
            case _:
                return {}

    def _parameters(self) -> Any:
        return self.dice.choice(
            (
                {"StateMachineArn": self.dice.choice(self.arns), "Input.$": "$"},
                {"StateMachineArn.$": "$.n"},
                {"ExecutionArn": self.dice.choice(self.arns)},
                {"ActivityArn": self.dice.choice(self.arns)},
                {"token.$": "$$.Task.Token"},
                {},
                [],
                "x",
            )
        )


PATHS = ["$", "$.n", "$.list[0]", "$.list[*]", "$.none", "$$.Execution.Id", "$..n", "States.UUID()", "States.Array(1)"]
RESOURCES = [
    "arn:aws:states:::states:startExecution",
    "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:states:::states:startExecution.waitForTaskToken",
    "arn:aws:states:::aws-sdk:sfn:describeExecution",
    "arn:aws:states:::aws-sdk:sfn:listStateMachines",
    "arn:aws:states:::aws-sdk:sfn:startSyncExecution",
    "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
    "arn:aws:states:::aws-sdk:nothing:atAll",
]


# --- requests ---------------------------------------------------------------------------------------------


class Requests:
    """Bytes to send. Each kind is a method; `WEIGHTS` says how often it comes."""

    def __init__(self, dice: random.Random, port: int) -> None:
        self.dice = dice
        self.values = Values(dice)
        self._host = f"127.0.0.1:{port}"

    def good(self) -> Bytes:
        operation = self.dice.choice(OPERATIONS + OFTEN)
        return self._signed(operation, json.dumps(self.values.params(operation)).encode())

    def malformed(self) -> Bytes:
        operation = self.dice.choice(OPERATIONS)
        body = bytearray(json.dumps(self.values.params(operation)).encode())
        for _ in range(self.dice.randint(1, 4)):
            position = self.dice.randrange(len(body))
            body[position : position + self.dice.randint(0, 3)] = self.dice.randbytes(self.dice.randint(0, 3))
            body = body or bytearray(b"{")
        return self._signed(operation, bytes(body))

    def deep(self) -> Bytes:
        bracket = self.dice.choice((b"[", b'{"a":', b'{"input":"'))
        return self._signed("StartExecution", bracket * self.dice.choice((900, 5_000, 100_000)))

    def huge(self) -> Bytes:
        size = self.dice.choice((REQUEST_BYTES_MAX - 500, REQUEST_BYTES_MAX + 1))
        return self._signed("CreateActivity", b'{"name": "' + b"x" * (size - 12) + b'"}')

    def unsigned(self) -> Bytes:
        return self._request("ListActivities", b"{}", {})

    def badly_signed(self) -> Bytes:
        data = bytearray(self._signed("ListActivities", b'{"maxResults": 5}'))
        position = self.dice.randrange(len(data) - 1)
        data[position] = self.dice.randrange(33, 127)
        return bytes(data)

    def wrong_target(self) -> Bytes:
        target = self.dice.choice(("", "X", "AWSStepFunctions.", "DynamoDB_20120810.ListTables", "\xff\xfe", "é"))
        return self._signed(target, b"{}", prefix="")

    def garbage(self) -> Bytes:
        return self.dice.randbytes(self.dice.randint(1, 2_000)) + b"\r\n\r\n"

    def _signed(self, operation: str, body: bytes, prefix: str = "AWSStepFunctions.") -> Bytes:
        headers = {"Host": self._host, "X-Amz-Target": prefix + operation}
        request = AWSRequest("POST", f"http://{self._host}/", headers, body)
        SigV4Auth(Credentials(KEY, SECRET), "states", "us-east-1").add_auth(request)
        return self._request("", body, dict(request.headers.items()))

    def _request(self, operation: str, body: bytes, headers: dict[str, str]) -> Bytes:
        lines = {"Host": self._host, "X-Amz-Target": operation} | headers | {"Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST / HTTP/1.1\r\n{head}\r\n".encode("utf-8", "replace") + body


OFTEN = [
    *["CreateStateMachine", "StartExecution"] * 20,
    *["UpdateStateMachine", "StartSyncExecution", "TestState", "DescribeExecution", "GetExecutionHistory"] * 8,
]
"""Operations that let the engine work."""

WEIGHTS: dict[str, float] = {
    "good": 70,
    "malformed": 12,
    "badly_signed": 6,
    "unsigned": 2,
    "wrong_target": 4,
    "garbage": 4,
    "deep": 1,
    "huge": 0.3,
}
NO_HTTP = ("garbage", "badly_signed", "wrong_target")
"""Kinds that may hurt HTTP itself; the answer is then not one of AWS's."""

WAITING = (b"GetActivityTask", b"StartSyncExecution", b"TestState")
"""Operations whose answer may take its time; the client does not wait for it."""

PATIENCE_S = 20
"""How long an answer may take."""

LEAVING = 0.02
"""How often a client leaves before the answer."""
DAWDLING_S = 0.002
"""How long a slow client rests between two of its packets."""


# --- clients ----------------------------------------------------------------------------------------------


class Fuzz:
    """Clients, and what they were told."""

    def __init__(self, port: int, seed: int, requests: int, until: float) -> None:
        self.dice = random.Random(seed)
        self.requests = Requests(self.dice, port)
        self.left = requests
        self.told: Counter[str] = Counter()
        self.problems: list[str] = []
        self._port = port
        self._until = until

    async def client(self) -> None:
        """Send one request after the other; connections live as long as the server lets them."""
        connection = None
        while self.left > 0 and not self.problems and time.monotonic() < self._until:
            self.left -= 1
            if connection is None:
                try:
                    connection = await asyncio.open_connection("127.0.0.1", self._port)
                except OSError as problem:
                    self.problems.append(f"the server is gone: {problem}")
                    return
            kind = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            data: Bytes = getattr(self.requests, kind)()
            if not await self._exchange(connection, kind, data):
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    async def _exchange(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], kind: str, data: Bytes
    ) -> bool:
        """Whether the connection can be used again."""
        reader, writer = connection
        leaving = self.dice.random() < LEAVING
        try:
            await self._send(writer, data[: self.dice.randrange(len(data))] if leaving else data)
            if leaving:
                self.told["(left)"] += 1
                return False
            answer = await asyncio.wait_for(_answer(reader), _patience_s(kind, data))
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            return self._silence(kind, data)
        return self._judge(kind, data, *answer) and kind not in NO_HTTP

    async def _send(self, writer: asyncio.StreamWriter, data: Bytes) -> None:
        if self.dice.random() > 0.002:
            writer.write(data)
            return
        for position in range(0, min(len(data), 40_000), 1_000):
            writer.write(data[position : position + 1_000])
            await asyncio.sleep(DAWDLING_S)
        writer.write(data[40_000:])

    def _silence(self, kind: str, data: Bytes) -> bool:
        """The server hung up: on nonsense it may; and the framing may have been hit when a signature was."""
        if kind == "huge" or _patience_s(kind, data) < PATIENCE_S:
            self.told["(nothing)"] += 1
        else:
            self.problems.append(f"no answer to {kind}: {data[:2_000]!r}")
        return False

    def _judge(self, kind: str, data: Bytes, status: int, body: bytes) -> bool:
        """Note an answer; whether the server read the whole request, so that the connection can be used again."""
        name = _name(status, body)
        self.told[f"200 {_operation(data)}" if name == "200" else name] += 1
        if kind == "good" and status == 200:
            self.requests.values.learn(json.loads(body))
        expected = status == 200 or name in MODELLED or (status == 400 and kind in NO_HTTP)
        if not expected or status >= 500:
            self.problems.append(f"{status} {body[:300]!r} to {kind}: {data[:3_000]!r}")
        return status in (200, 400) and (status == 200 or name in MODELLED)


def _operation(data: Bytes) -> str:
    found = re.search(rb"AWSStepFunctions\.(\w+)", data)
    return found[1].decode() if found else ""


def _name(status: int, body: bytes) -> str:
    if status == 200:
        return "200"
    try:
        code: str = json.loads(body)["__type"].partition("#")[2]
    except (ValueError, KeyError, TypeError):
        return f"({status})"
    return code


def _patience_s(kind: str, data: Bytes) -> float:
    """How long a client waits: not for what may never be answered, or not for a minute."""
    if any(name in data for name in WAITING):
        return 0.2
    return 0.1 if kind in NO_HTTP else PATIENCE_S


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


def memory_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def _run(fuzz: Fuzz, connections: int, pid: int) -> float:
    """Let the clients run; how much the server grew after a quarter of the requests."""
    clients = asyncio.gather(*(fuzz.client() for _ in range(connections)))
    total, early = fuzz.left, 0.0
    while not clients.done():
        await asyncio.wait([clients], timeout=0.5)
        if not early and fuzz.left < total * 3 / 4:
            early = memory_mb(pid)
    await clients
    return memory_mb(pid) - early


def main(arguments: list[str] | None = None, say: Callable[[str], None] = print) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--seed", type=int, default=int(datetime.datetime.now().timestamp()))
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args(arguments)
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder, "credentials")
        credentials.write_text(FILE)
        server = Process("--data", folder, "--credentials", str(credentials), "--endpoint-url", "http://127.0.0.1:9")
        port, began = int(server.url.rpartition(":")[2]), time.monotonic()
        fuzz = Fuzz(port, options.seed, options.requests, began + options.seconds)
        try:
            grown = asyncio.run(_run(fuzz, options.connections, server.process.pid))
        finally:
            server.process.terminate()
            status, said = server.ended()
    if said:
        fuzz.problems.append(f"the server said: {said[-3_000:]}")
    if status:
        fuzz.problems.append(f"the server ended with {status}")
    if options.requests >= 20_000 and grown > MEMORY_MB_MAX:
        fuzz.problems.append(f"the server grew by {grown:.0f} MB")
    done = options.requests - fuzz.left
    say(f"{done:,} requests in {time.monotonic() - began:.0f} s; memory grew by {grown:.0f} MB after the first quarter")
    for name, count in fuzz.told.most_common():
        say(f"{count:8,} {name}")
    for problem in fuzz.problems:
        say(problem)
    return 1 if fuzz.problems else 0


if __name__ == "__main__":
    sys.exit(main())
