"""Long lists in pages."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from kaidan.service.errors import ApiError
from kaidan.service.pages import TOKEN_MS, page
from kaidan.store.sqlite import SqliteStore
from tests.service.support import PASS, Service


def read_all(service: Service, names: list[str], size: int) -> list[list[str]]:
    pages, token = [], None
    while True:
        params = {"maxResults": size} | ({"nextToken": token} if token else {})
        found, token = page(service.api.service, "names", params, names, lambda name: [name])
        pages.append(list(found))
        if token is None:
            return pages


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 11, 1000])
def test_pages_together_are_the_list(service: Service, size: int) -> None:
    names = [f"n{number:02}" for number in range(10)]
    pages = read_all(service, names, size)
    assert [name for found in pages for name in found] == names
    assert all(len(found) == size for found in pages[:-1])


def test_what_comes_and_goes_between_pages_neither_repeats_nor_hides_others(service: Service) -> None:
    dice = random.Random(3)
    names = sorted(f"n{number:03}" for number in range(0, 200, 2))
    stable = set(names)
    seen: list[str] = []
    token = None
    while True:
        params = {"maxResults": 7} | ({"nextToken": token} if token else {})
        found, token = page(service.api.service, "names", params, names, lambda name: [name])
        seen += found
        if token is None:
            break
        gone = dice.choice(names)
        stable.discard(gone)
        names = sorted({*names, f"n{dice.randrange(1, 200, 2):03}"} - {gone})
    assert seen == sorted(set(seen))
    assert stable <= set(seen)


def first_token(service: Service, question: str = "names") -> str:
    _, token = page(service.api.service, question, {"maxResults": 1}, ["a", "b"], lambda name: [name])
    assert token is not None
    return token


def refused(service: Service, token: str) -> bool:
    try:
        page(service.api.service, "names", {"nextToken": token}, ["a", "b"], lambda name: [name])
    except ApiError as refusal:
        assert (refusal.code, refusal.message) == ("InvalidToken", "Invalid Token: 'Invalid token'")
        return True
    return False


def test_tokens_that_are_no_tokens(service: Service) -> None:
    good = first_token(service)
    assert not refused(service, good)
    plain = base64.urlsafe_b64decode(good).decode()
    forged = base64.urlsafe_b64encode(plain.replace('"a"', '"0"').encode()).decode()
    for token in ("x", "token", "é", "e30=", good[:-4], good + "AAAA", forged, first_token(service, "others")):
        assert refused(service, token), token


def test_tokens_end_after_a_day(service: Service) -> None:
    token = first_token(service)
    service.pass_time(TOKEN_MS)
    assert not refused(service, token)
    service.pass_time(1)
    assert refused(service, token)


FAIL: dict[str, Any] = {"StartAt": "No", "States": {"No": {"Type": "Fail"}}}

HOLD: dict[str, Any] = {
    "StartAt": "Hold",
    "States": {"Hold": {"Type": "Wait", "SecondsPath": "$.s", "Next": "No"}, "No": {"Type": "Fail"}},
}

FILTERS: list[dict[str, str]] = [
    {},
    {"statusFilter": "SUCCEEDED"},
    {"statusFilter": "FAILED"},
    {"statusFilter": "RUNNING"},
    {"redriveFilter": "REDRIVEN"},
    {"redriveFilter": "NOT_REDRIVEN", "statusFilter": "FAILED"},
]


def listed(service: Service, arn: str, size: int, filters: dict[str, str]) -> list[str]:
    names: list[str] = []
    params: dict[str, Any] = {"stateMachineArn": arn, "maxResults": size, **filters}
    while True:
        answer = service("ListExecutions", **params)
        names += [each["name"] for each in answer["executions"]]
        if "nextToken" not in answer:
            return names
        params["nextToken"] = answer["nextToken"]


@pytest.mark.parametrize("stored", [False, True])
def test_executions_in_pages(tmp_path: Path, stored: bool) -> None:
    """The last started first, whatever the filter and wherever they are kept; those of other machines are left out."""
    service = Service(store=SqliteStore(tmp_path / "kept.db") if stored else None)
    arn, other = service.machine(definition=FAIL), service.machine("other")
    for number in range(12):
        service.run(other if number % 3 == 1 else arn, name=f"e{number:02}")
        if number == 6:
            service("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(PASS))
            service("RedriveExecution", executionArn=arn.replace("stateMachine", "execution") + ":e03")
            service.settle()
    failed, succeeded = ["e06", "e05", "e03", "e02", "e00"], ["e11", "e09", "e08"]
    expected = [
        succeeded + failed,
        succeeded,
        failed,
        [],
        ["e03"],
        [name for name in failed if name != "e03"],
    ]
    for filters, names in zip(FILTERS, expected, strict=True):
        for size in (1, 2, 7, 8, 1000):
            assert listed(service, arn, size, filters) == names, (filters, size)
    service.api.close()


def test_a_page_costs_the_same_of_many_and_of_few(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine, in hundreds."""
    service = Service(store=SqliteStore(tmp_path / "kept.db"))
    arn = service.machine()

    def steps() -> int:
        token = service("ListExecutions", stateMachineArn=arn, maxResults=10)["nextToken"]
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        store: Any = service.api.service.engine.store
        store._db.set_progress_handler(step, 100)
        service("ListExecutions", stateMachineArn=arn, maxResults=10, nextToken=token)
        store._db.set_progress_handler(None, 0)
        return count

    for _ in range(30):
        service.run(arn)
    few = steps()
    for _ in range(600):
        service("StartExecution", stateMachineArn=arn)
    service.settle()
    assert steps() <= few + 2
    service.api.close()


@pytest.mark.parametrize("stored", [False, True])
def test_histories_in_pages(tmp_path: Path, stored: bool) -> None:
    service = Service(store=SqliteStore(tmp_path / "kept.db") if stored else None)
    execution = service.run(service.machine())
    for latest_first in (False, True):
        whole = service("GetExecutionHistory", executionArn=execution, reverseOrder=latest_first)["events"]
        assert [event["id"] for event in whole] == [1, 2, 3, 4][:: -1 if latest_first else 1]
        for size in (1, 3, 4, 5):
            params: dict[str, Any] = {"executionArn": execution, "reverseOrder": latest_first, "maxResults": size}
            events: list[Any] = []
            while True:
                answer = service("GetExecutionHistory", **params)
                events += answer["events"]
                if "nextToken" not in answer:
                    break
                params["nextToken"] = answer["nextToken"]
            assert events == whole
    service.api.close()


@pytest.mark.parametrize("stored", [False, True])
def test_executions_are_listed_by_their_last_moment(tmp_path: Path, stored: bool) -> None:
    """API reference, ListExecutions: running ones by when they were started or redriven, others by when they ended."""
    service = Service(store=SqliteStore(tmp_path / "kept.db") if stored else None)
    arn = service.machine(definition=HOLD)
    for name, seconds in (("long", 50), ("mid", 20), ("short", 5), ("open", 900)):
        service("StartExecution", stateMachineArn=arn, name=name, input=json.dumps({"s": seconds}))
        service.settle(1)
        service.pass_time(1000)
    assert listed(service, arn, 9, {}) == ["open", "short", "mid", "long"]
    service.settle(100)
    for size in (1, 2, 4):
        assert listed(service, arn, size, {}) == ["long", "mid", "short", "open"]
        assert listed(service, arn, size, {"statusFilter": "FAILED"}) == ["long", "mid", "short"]
    execution = arn.replace("stateMachine", "execution") + ":open"
    service("StopExecution", executionArn=execution)
    service("StartExecution", stateMachineArn=arn, name="late", input=json.dumps({"s": 900}))
    service.pass_time(1000)
    service("RedriveExecution", executionArn=execution)
    assert listed(service, arn, 2, {"statusFilter": "RUNNING"}) == ["open", "late"]
    assert listed(service, arn, 2, {}) == ["open", "late", "long", "mid", "short"]
    service.api.close()
