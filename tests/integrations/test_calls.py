"""Work that is given up: whatever a thread waits for, it waits no longer."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kaidan.errors import StateError
from kaidan.integrations import web, web_client
from kaidan.integrations.calls import Call, GivenUp
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.lambda_local import Invocation, LocalFunctions
from kaidan.integrations.lambda_targets import Command, PythonFile
from tests.integrations.loopback import Exchange, Loopback, loopback

SOON_S = 5.0


class Hanging:
    """Answers nothing until it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.over = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.asked.release()
        self.over.wait(30)
        exchange.reply(200, "{}")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.over.set()


@pytest.fixture
def server(hanging: Hanging) -> Iterator[Loopback]:
    with loopback(hanging) as made:
        yield made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def clients(url: str, attempts: int = 3) -> ClientFactory:
    settings = AwsSettings(region="us-east-1", endpoint_url=url, access_key="a", secret_key="s", max_attempts=attempts)
    return ClientFactory(settings)


def given_up(call: Call, work: Future[Any]) -> None:
    """It ends with an error, and at once."""
    began = time.monotonic()
    call.give_up()
    assert work.exception(SOON_S) is not None
    assert time.monotonic() - began < SOON_S


def test_a_call_of_aws(hanging: Hanging, server: Loopback, threads: ThreadPoolExecutor) -> None:
    call, sqs, sent = Call(), clients(server.url).client("sqs"), []
    sqs.meta.events.register("before-send", lambda **request: sent.append(1))
    work = threads.submit(call.do, lambda: sqs.list_queues())
    assert hanging.asked.acquire(timeout=SOON_S)
    given_up(call, work)
    assert len(sent) == 1  # and it is not tried again


def test_a_call_on_a_connection_that_was_used_before(threads: ThreadPoolExecutor) -> None:
    """What has been let go of serves others: giving up a call that is over harms nobody."""
    release, asked = threading.Event(), threading.Semaphore(0)

    def answer(exchange: Exchange) -> None:
        asked.release()
        if len(served.requests) == 2:
            release.wait(SOON_S)
        exchange.reply(200, "{}")

    with loopback(answer) as served:
        first, second, sqs = Call(), Call(), clients(served.url, attempts=1).client("sqs")
        first_over, go_on = threading.Event(), threading.Event()

        def twice() -> None:
            sqs.list_queues()
            first_over.set()
            go_on.wait(SOON_S)

        work = threads.submit(first.do, twice)
        assert first_over.wait(SOON_S)
        other = threads.submit(second.do, sqs.list_queues)
        assert asked.acquire(timeout=SOON_S) and asked.acquire(timeout=SOON_S)
        first.give_up()
        release.set()
        assert other.result(SOON_S)["ResponseMetadata"]["HTTPStatusCode"] == 200
        go_on.set()
        work.result(SOON_S)
        third = Call()
        again = threads.submit(third.do, sqs.list_queues)
        assert again.result(SOON_S)


def test_a_request_over_http(hanging: Hanging, server: Loopback, threads: ThreadPoolExecutor) -> None:
    call, request = Call(), web.Request("GET", server.url)
    work = threads.submit(call.do, lambda: web_client.exchange(request, 60.0, 1000, web.WebSettings()))
    assert hanging.asked.acquire(timeout=SOON_S)
    given_up(call, work)


def test_an_answer_that_stops_in_the_middle(threads: ThreadPoolExecutor) -> None:
    begun, over = threading.Event(), threading.Event()

    def answer(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", "10")
        exchange.end_headers()
        exchange.wfile.write(b"half")
        exchange.wfile.flush()
        begun.set()
        over.wait(30)

    with loopback(answer) as server:
        call, s3 = Call(), clients(server.url).client("s3")
        work = threads.submit(call.do, lambda: s3.get_object(Bucket="b", Key="k")["Body"].read())
        assert begun.wait(SOON_S)
        given_up(call, work)
        over.set()


def ended(started: Path, work: Callable[[], Any], threads: ThreadPoolExecutor) -> int:
    """The process that a function runs in, when it has been given up."""
    call = Call()
    done = threads.submit(call.do, work)
    until = time.monotonic() + SOON_S
    while not started.exists() or not started.read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    began = time.monotonic()
    call.give_up()
    assert done.result(SOON_S).failed
    assert time.monotonic() - began < SOON_S
    return int(started.read_text())


HANG = "open({!r}, 'w').write(str(os.getpid())); time.sleep(60)"


@pytest.mark.parametrize("kind", ["python", "command"])
def test_a_local_function(kind: str, tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    started, local = tmp_path / "started", LocalFunctions()
    code = HANG.format(str(started))
    file = tmp_path / "hang.py"
    file.write_text(f"import os, time\ndef handler(event, context):\n    {code}\n")
    target: PythonFile | Command = PythonFile(file, "handler", timeout_s=60.0)
    if kind == "command":
        target = Command((sys.executable, "-c", f"import os, time; {code}"), tmp_path, timeout_s=60.0)
    invocation = Invocation("orders", "arn", "{}", "id")
    pid = ended(started, lambda: local.run(target, invocation), threads)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    local.close()


def test_what_was_given_up_before_it_began_does_not_begin() -> None:
    call, done = Call(), []
    call.give_up()
    with pytest.raises(GivenUp):
        call.do(lambda: done.append(1))
    assert done == []


def test_a_call_without_anybody_to_give_it_up() -> None:
    """Other threads than the pool's use the same clients."""
    with loopback(lambda exchange: exchange.reply(200, "{}")) as server:
        assert clients(server.url).client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_error_of_the_work_is_its_own() -> None:
    def fail() -> None:
        raise StateError("E", "c")

    with pytest.raises(StateError):
        Call().do(fail)
