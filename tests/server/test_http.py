"""What goes over the wire: raw sockets against a server, from polite to hostile."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from kaidan.server import app, protocol
from kaidan.service.shapes import operation_names
from tests.server.support import ARN, Connection, Running, client, machine, post, running


def test_an_answer(server: Running) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{}"))
    assert answer is not None
    assert (answer.status, answer.json) == (200, {"stateMachines": []})
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-requestid"])
    assert answer.headers["server"] == "Kaidan"


def test_request_ids_differ(server: Running) -> None:
    with Connection(server.port) as connection:
        answers = [connection.ask(post(b"{}")) for _ in range(3)]
    assert len({answer.headers["x-amzn-requestid"] for answer in answers if answer}) == 3


REFUSED: list[tuple[str, bytes, int, str]] = [
    ("no JSON", post(b"{"), 400, "SerializationException"),
    ("no target", post(b"{}", None), 400, "UnknownOperationException"),
    ("an unknown operation", post(b"{}", "MakeCoffee"), 400, "UnknownOperationException"),
    ("a wrong type", post(b'{"maxResults": "3"}'), 400, "SerializationException"),
    ("a missing member", post(b"{}", "StartExecution"), 400, "ValidationException"),
    ("zipped", post(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"), 400, "SerializationException"),
    ("chunks that are none", post(b"", Content_Length="", Transfer_Encoding="chunked") + b"zz\r\n", 400, ""),
]


@pytest.mark.parametrize(("data", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(server: Running, data: bytes, status: int, code: str) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(data)
    assert answer is not None
    assert answer.status == status
    if code:
        assert answer.code == code
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"


@pytest.mark.parametrize("host", ["sync-localhost:8083", "sync-127.0.0.1", "states.us-east-1.amazonaws.com", "x" * 200])
def test_any_host_is_served(server: Running, host: str) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{}", Host=host))
    assert answer is not None and answer.status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8083", 200),
        ("http://[::1]:8083", 200),
        ("https://example.org", 403),
        ("http://localhost.example.org", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_other_peoples_web_sites_have_no_business_here(server: Running, origin: str, status: int) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{}", Origin=origin))
    assert answer is not None and answer.status == status
    assert "access-control-allow-origin" not in answer.headers


def test_a_header_names_the_trace(server: Running) -> None:
    sfn, trace = client(server.url), "Root=1-5759e988-bd862e3fe1be46a994272793"
    body = json.dumps({"stateMachineArn": machine(sfn), "traceHeader": "another"}).encode()
    with Connection(server.port) as connection:
        answer = connection.ask(post(body, "StartExecution", X_Amzn_Trace_Id=trace))
    assert answer is not None and answer.status == 200
    assert sfn.describe_execution(executionArn=answer.json["executionArn"])["traceHeader"] == trace


def test_chunked_bodies(server: Running) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(
            post(b"", Content_Length="", Transfer_Encoding="chunked") + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
        )
    assert answer is not None and answer.status == 200


def test_requests_in_one_packet(server: Running) -> None:
    with Connection(server.port) as connection:
        connection.send(post(b"{}") * 5)
        answers = [connection.answer() for _ in range(5)]
    assert [answer.status for answer in answers if answer] == [200] * 5


def test_a_client_that_asks_before_it_sends(server: Running) -> None:
    request = post(b"{}", Expect="100-continue")
    with Connection(server.port) as connection:
        connection.send(request[:-2])
        interim = connection.answer()
        assert interim is not None and interim.status == 100
        answer = connection.ask(request[-2:])
    assert answer is not None and answer.status == 200


# --- too much, too slow, nonsense -------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_large(server: Running) -> None:
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{", Content_Length=str(protocol.REQUEST_BYTES_MAX + 1)))
    assert answer is not None
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


def test_a_body_that_becomes_too_large(server: Running) -> None:
    with Connection(server.port) as connection:
        connection.send(post(b"", Content_Length="", Transfer_Encoding="chunked"))
        for _ in range(protocol.REQUEST_BYTES_MAX // 65_536 + 2):
            connection.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        answer = connection.answer()
    assert answer is None or answer.status == 413


def test_a_definition_of_one_megabyte_is_not_too_large(server: Running) -> None:
    definition = json.dumps({"Comment": "", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    definition = definition.replace('"Comment": ""', f'"Comment": "{"x" * (1_048_576 - len(definition))}"')
    params = {"name": "large", "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/x"}
    with Connection(server.port) as connection:
        answer = connection.ask(post(json.dumps(params).encode(), "CreateStateMachine"))
    assert answer is not None and answer.status == 200, answer


def test_a_slow_client(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_S_MAX", 0.2)
    with Connection(server.port) as slow, Connection(server.port) as other:
        slow.send(post(b"{}", Content_Length="10"))
        assert other.ask(post(b"{}")) is not None
        answer = slow.answer()
    assert answer is not None
    assert (answer.status, answer.code) == (408, "RequestTimeoutException")


GARBAGE = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9, b"GET\r\n\r\n", b"\0" * 99, b"x" * 20_000]


@pytest.mark.parametrize("data", GARBAGE, ids=["TLS", "half a request", "zeros", "a long line"])
def test_garbage(server: Running, data: bytes) -> None:
    with Connection(server.port) as connection:
        connection.send(data + b"\r\n\r\n")
        answer = connection.answer()
        assert answer is None or answer.status == 400
    with Connection(server.port) as connection:
        assert connection.ask(post(b"{}")) is not None


def test_clients_that_leave(server: Running) -> None:
    for data in (b"", b"POST / HTTP/1.1\r\n", post(b"{}", Content_Length="100"), post(b"{}")):
        with Connection(server.port) as connection:
            connection.send(data)
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{}"))
    assert answer is not None and answer.status == 200


def test_an_error_inside_tells_nothing(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*request: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(protocol, "read", fail)
    with Connection(server.port) as connection:
        answer = connection.ask(post(b"{}"))
    assert answer is not None
    assert (answer.status, answer.json) == (500, {"__type": "com.amazon.coral.service#InternalFailure"})


# --- pages ------------------------------------------------------------------------------------------------

PAGES: list[tuple[str, str, int, Any]] = [
    ("GET", "/health", 200, {"status": "ok"}),
    ("HEAD", "/health", 200, None),
    ("GET", "/ready", 200, {"ready": True}),
    ("GET", "/", 404, None),
    ("GET", "/../etc/passwd", 404, None),
    ("DELETE", "/", 405, None),
    ("OPTIONS", "/", 405, None),
]


@pytest.mark.parametrize(("method", "path", "status", "json"), PAGES, ids=lambda value: str(value))
def test_pages(server: Running, method: str, path: str, status: int, json: Any) -> None:
    with Connection(server.port) as connection:
        connection.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if method == "HEAD":
            assert connection.socket.recv(99).startswith(b"HTTP/1.1 200 ")
            return
        answer = connection.answer()
    assert answer is not None and answer.status == status
    if json is not None:
        assert answer.json == json


# --- activities: a worker that goes away takes no task ----------------------------------------------------


def test_a_worker_that_has_left_is_given_nothing(server: Running, sfn: Any) -> None:
    activity = sfn.create_activity(name="approve")["activityArn"]
    poll = post(json.dumps({"activityArn": activity}).encode(), "GetActivityTask")
    with Connection(server.port) as gone:
        gone.send(poll)
        _until(lambda: len(_workers(server, activity)) == 1)
    _until(lambda: not _workers(server, activity))
    with Connection(server.port) as stays:
        task = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": activity, "End": True}}}
        sfn.start_execution(stateMachineArn=machine(sfn, definition=task), input='{"n": 1}')
        answer = stays.ask(poll)
    assert answer is not None and json.loads(answer.json["input"]) == {"n": 1}


def _workers(server: Running, activity: str) -> Any:
    account = server.server._accounts["123456789012", "us-east-1"]
    return server.do(lambda: list(account._api.service.activities[activity].workers))


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_server_stops_while_a_worker_waits(tmp_path: Any) -> None:
    with running(data=tmp_path) as server:
        activity = client(server.url).create_activity(name="approve")["activityArn"]
        connection = Connection(server.port)
        connection.send(post(json.dumps({"activityArn": activity}).encode(), "GetActivityTask"))
        _until(lambda: len(_workers(server, activity)) == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    with connection:
        answer = connection.answer()
    assert answer is not None and (answer.status, answer.json) == (200, {})


def test_no_operation_of_the_model_is_an_internal_failure(server: Running) -> None:
    bodies = [b"{}", b'{"executionArn": "", "stateMachineArn": 1}', json.dumps({"stateMachineArn": ARN}).encode()]
    with Connection(server.port) as connection:
        for operation in sorted(operation_names()):
            for body in bodies:
                answer = connection.ask(post(body, operation))
                assert answer is not None and answer.status in (200, 400), (operation, body, answer)
