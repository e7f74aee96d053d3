"""A full disk: what cannot be saved has not happened for anybody, and everything goes on when there is room again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kaidan.runtime import driver
from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.service.errors import ApiError
from kaidan.store.contract import StoreError
from kaidan.store.sqlite import SqliteStore
from tests.server.conftest import surroundings  # noqa: F401  # (a fixture)
from tests.server.support import Running, client, machine, running, waiting
from tests.service.support import PASS, ROLE, text

LARGE = '{"room": "' + "x" * 200_000 + '"}'


def limit(store: SqliteStore, pages: int) -> None:
    """Let the file have so many pages at most, but those that it has: beyond, SQLite says that the disk is full."""
    store._db.execute(f"PRAGMA max_page_count = {pages}").fetchone()


ROOM = 2**30


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "kaidan.db")
    yield made
    made.close()


@pytest.fixture
def api(store: SqliteStore) -> Iterator[Api]:
    made = Api(clock=SimulatedClock(), store=store)
    yield made
    made.close()


def create(api: Api) -> str:
    params = {"name": "orders", "definition": text(PASS), "roleArn": ROLE}
    arn: str = api.call("CreateStateMachine", params)["stateMachineArn"]
    api.service.engine.once_saved(lambda: None)
    api.service.engine.save()
    return arn


def test_nothing_goes_on_until_what_happened_is_saved(api: Api, store: SqliteStore) -> None:
    arn, engine, shown = create(api), api.service.engine, []
    limit(store, 1)
    start = {"stateMachineArn": arn, "name": "first", "input": LARGE}
    execution = api.call("StartExecution", start)["executionArn"]
    engine.once_saved(lambda: shown.append("saved"))
    for _ in range(3):
        with pytest.raises(StoreError, match="disk is full"):
            engine.run_until(lambda: False, horizon_ms=engine.clock.now_ms())
    assert shown == []
    for operation, params in (
        ("StartExecution", start),
        ("DescribeExecution", {"executionArn": execution}),
        ("ListExecutions", {"stateMachineArn": arn}),
    ):
        with pytest.raises(ApiError) as refusal:
            api.call(operation, params)
        assert (refusal.value.code, refusal.value.status) == ("ServiceUnavailable", 503)
    limit(store, ROOM)
    engine.run_until(lambda: False, horizon_ms=engine.clock.now_ms())
    assert shown == ["saved"]
    assert api.call("DescribeExecution", {"executionArn": execution})["status"] == "SUCCEEDED"
    events = api.call("GetExecutionHistory", {"executionArn": execution})["events"]
    assert [event["id"] for event in events] == [1, 2, 3, 4]


def test_an_operation_that_saves_by_itself_is_refused(api: Api, store: SqliteStore) -> None:
    arn = create(api)
    limit(store, 1)
    api.call("StartExecution", {"stateMachineArn": arn, "name": "first", "input": LARGE})
    with pytest.raises(ApiError, match="ServiceUnavailable"):
        api.call("ListExecutions", {"stateMachineArn": arn})
    limit(store, ROOM)
    api.settle(lambda: False, 0)
    assert [each["name"] for each in api.call("ListExecutions", {"stateMachineArn": arn})["executions"]] == ["first"]


def test_of_a_save_that_failed_nothing_is_in_the_file(api: Api, store: SqliteStore) -> None:
    """The process ends before there is room again: what was refused has not happened."""
    arn, engine = create(api), api.service.engine
    limit(store, 1)
    api.call("StartExecution", {"stateMachineArn": arn, "name": "small"})
    api.call("StartExecution", {"stateMachineArn": arn, "name": "large", "input": LARGE})
    api.call("CreateActivity", {"name": "approve"})
    with pytest.raises(StoreError):
        engine.save()
    store.close()
    again = SqliteStore(store.path)
    restarted = Api(clock=SimulatedClock(), store=again)
    try:
        assert restarted.call("ListExecutions", {"stateMachineArn": arn})["executions"] == []
        assert restarted.call("ListActivities", {})["activities"] == []
    finally:
        restarted.close()
        again.close()


def test_documents_wait_for_a_save_that_succeeds(store: SqliteStore) -> None:
    store.put("machine", "orders", b"x" * 100_000)
    limit(store, 1)
    with pytest.raises(StoreError):
        store.save([])
    limit(store, ROOM)
    assert list(store.documents("machine")) == []
    store.save([])
    assert list(store.documents("machine")) == [("orders", b"x" * 100_000)]


class Stubborn:
    """A connection that fails one statement as a disk does that breaks: SQLite has rolled back by itself then."""

    def __init__(self, db: sqlite3.Connection, statement: str) -> None:
        self._db, self._statement = db, statement

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == self._statement:
            self._db.execute("ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return self._db.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def test_a_commit_that_fails(store: SqliteStore) -> None:
    whole, store._db = store._db, Stubborn(store._db, "COMMIT")  # type: ignore[assignment]
    store.put("machine", "orders", b"x")
    with pytest.raises(StoreError, match="disk I/O error"):
        store.save([])
    store._db = whole
    store.save([])
    assert store.get("machine", "orders") == b"x"


# --- the server -------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PAUSE_S", 0.01)
    monkeypatch.setattr(driver, "PAUSE_S_MAX", 0.02)


@pytest.fixture
def server(tmp_path: Path, quick: None) -> Iterator[Running]:
    with running(data=tmp_path / "data") as server:
        yield server


def limit_server(server: Running, pages: int) -> None:
    (account,) = server.server._accounts.values()
    server.do(lambda: limit(account._store, pages))  # type: ignore[arg-type]


def refusal(call: Callable[[], Any]) -> int:
    with pytest.raises(ClientError) as problem:
        call()
    assert problem.value.response["Error"]["Code"] == "ServiceUnavailable"
    status: int = problem.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return status


def test_a_server_refuses_and_recovers(server: Running) -> None:
    sfn = client(server.url)
    arn, slow = machine(sfn), machine(sfn, "slow", waiting(1))
    going_on = sfn.start_execution(stateMachineArn=slow)["executionArn"]
    limit_server(server, 1)
    assert refusal(lambda: sfn.start_execution(stateMachineArn=arn, name="first", input=LARGE)) == 503
    assert refusal(lambda: sfn.start_execution(stateMachineArn=arn, name="first", input=LARGE)) == 503
    assert refusal(lambda: sfn.describe_execution(executionArn=going_on)) == 503
    time.sleep(1)
    limit_server(server, ROOM)
    until(lambda: sfn.describe_execution(executionArn=going_on)["status"] == "SUCCEEDED")
    found = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert [(each["name"], each["status"]) for each in found] == [("first", "SUCCEEDED")]
    assert sfn.start_execution(stateMachineArn=arn, name="second", input=LARGE)["executionArn"]


def until(done: Callable[[], bool]) -> None:
    for _ in range(500):
        try:
            if done():
                return
        except ClientError as problem:
            assert problem.response["Error"]["Code"] == "ServiceUnavailable"
        time.sleep(0.01)
    raise AssertionError


def test_a_server_gives_up(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    sfn = client(server.url)
    arn = machine(sfn)
    monkeypatch.setattr(driver, "SAVING_S_MAX", 0.05)
    limit_server(server, 1)
    assert refusal(lambda: sfn.start_execution(stateMachineArn=arn, input=LARGE)) == 503
    future = server.server._failure
    for _ in range(500):
        if future.done():
            break
        time.sleep(0.01)
    assert "disk is full" in str(future.result())
    limit_server(server, ROOM)
    assert refusal(lambda: sfn.list_state_machines()) == 503
