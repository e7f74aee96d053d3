"""What a service knows survives it: after any operations, a new service on the same file gives the same answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaidan.runtime.sources import SeededSource, SimulatedClock
from kaidan.service import programs
from kaidan.service.api import OPERATIONS, Api
from kaidan.service.errors import ApiError
from kaidan.service.persistence import CHANGED
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ARN, PASS, ROLE, WAIT, text

DAY_MS = 86_400_000


class Kept:
    """A service on a file, which can be closed and opened again. Time goes on, as far as it is moved."""

    def __init__(self, folder: Path | str) -> None:
        self._path = Path(folder) / "kaidan.db"
        self.clock = SimulatedClock()
        self._seed = 0
        self.open()

    def open(self) -> None:
        self._seed += 1
        self.store = SqliteStore(self._path)
        self.api = Api(clock=self.clock, store=self.store)
        self.api.service.source = SeededSource(self._seed)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer = self.api.call(operation, params)
        self.settle()
        return answer

    def settle(self, seconds: int = 0) -> None:
        """As a server does before it answers: all that is due is done and saved."""
        self.api.service.engine.once_saved(lambda: None)
        self.api.settle(lambda: False, seconds)

    def close(self) -> None:
        self.api.close()
        self.store.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def machine(self, name: str, definition: dict[str, Any] = PASS, **more: Any) -> str:
        created = self("CreateStateMachine", name=name, definition=text(definition), roleArn=ROLE, **more)
        arn: str = created["stateMachineArn"]
        return arn

    def documents(self, kind: str) -> int:
        return len(list(self.store.documents(kind)))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    service = Kept(tmp_path)
    yield service
    service.close()


# --- the law ----------------------------------------------------------------------------------------------

NAMES = ("a", "b")
MACHINES = [f"{ARN}stateMachine:{name}" for name in NAMES]
VERSIONS = [f"{machine}:{number}" for machine in MACHINES for number in (1, 2, 3)]
ALIASES = [f"{machine}:{name}" for machine in MACHINES for name in ("PROD", "TEST")]
ACTIVITIES = [f"{ARN}activity:{name}" for name in NAMES]

names, machines, versions = st.sampled_from(NAMES), st.sampled_from(MACHINES), st.sampled_from(VERSIONS)
aliases, resources = st.sampled_from(ALIASES), st.sampled_from(MACHINES + ACTIVITIES)
definitions = st.sampled_from([text(PASS), text(PASS, "other"), text(WAIT)])
routes = versions.map(lambda version: [{"stateMachineVersionArn": version, "weight": 100}])
tags = st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["1", "2"]), min_size=1).map(
    lambda found: [{"key": key, "value": value} for key, value in found.items()]
)

MEMBERS: dict[str, dict[str, Any]] = {
    "CreateActivity": {"name": names, "tags": tags},
    "CreateStateMachine": {
        "name": names,
        "definition": definitions,
        "roleArn": st.just(ROLE),
        "type": st.sampled_from(["STANDARD", "STANDARD", "EXPRESS"]),
        "publish": st.booleans(),
        "tags": tags,
    },
    "CreateStateMachineAlias": {"name": st.sampled_from(["PROD", "TEST"]), "routingConfiguration": routes},
    "DeleteActivity": {"activityArn": st.sampled_from(ACTIVITIES)},
    "DeleteStateMachine": {"stateMachineArn": machines},
    "DeleteStateMachineAlias": {"stateMachineAliasArn": aliases},
    "DeleteStateMachineVersion": {"stateMachineVersionArn": versions},
    "PublishStateMachineVersion": {"stateMachineArn": machines, "description": st.sampled_from(["", "d"])},
    "StartExecution": {"stateMachineArn": st.one_of(machines, versions, aliases), "input": st.just('{"a": 1}')},
    "StopExecution": {},
    "TagResource": {"resourceArn": resources, "tags": tags},
    "UntagResource": {"resourceArn": resources, "tagKeys": st.lists(st.sampled_from("xyz"), min_size=1)},
    "UpdateStateMachine": {"stateMachineArn": machines, "definition": definitions, "publish": st.booleans()},
    "UpdateStateMachineAlias": {"stateMachineAliasArn": aliases, "description": st.sampled_from(["d", "e"])},
}

steps = st.lists(
    st.one_of(*(st.tuples(st.just(name), st.fixed_dictionaries(members)) for name, members in MEMBERS.items())),
    max_size=12,
)


def answers(service: Kept) -> dict[str, Any]:
    """Everything that can be asked."""
    found: dict[str, Any] = {}
    executions = [row["executionArn"] for machine in MACHINES for row in _executions(service, machine)]
    questions: list[tuple[str, str, list[str]]] = [
        ("DescribeStateMachine", "stateMachineArn", MACHINES + VERSIONS + ALIASES),
        ("ListStateMachineVersions", "stateMachineArn", MACHINES),
        ("ListStateMachineAliases", "stateMachineArn", MACHINES),
        ("DescribeStateMachineAlias", "stateMachineAliasArn", ALIASES),
        ("ListExecutions", "stateMachineArn", MACHINES + VERSIONS + ALIASES),
        ("DescribeActivity", "activityArn", ACTIVITIES),
        ("ListTagsForResource", "resourceArn", MACHINES + ACTIVITIES),
        ("DescribeExecution", "executionArn", executions),
        ("DescribeStateMachineForExecution", "executionArn", executions),
        ("GetExecutionHistory", "executionArn", executions),
    ]
    for operation, member, arns in questions:
        for arn in arns:
            found[f"{operation} {arn}"] = _answer(service, operation, {member: arn})
    for operation in ("ListStateMachines", "ListActivities"):
        found[operation] = _answer(service, operation, {})
    return found


def _answer(service: Kept, operation: str, params: dict[str, Any]) -> Any:
    try:
        return service.api.call(operation, params)
    except ApiError as refusal:
        return refusal.code


def _executions(service: Kept, machine: str) -> Any:
    answer = _answer(service, "ListExecutions", {"stateMachineArn": machine})
    return answer["executions"] if isinstance(answer, dict) else []


@settings(derandomize=True, deadline=None, max_examples=60)
@given(steps)
def test_a_new_service_on_the_same_file_gives_the_same_answers(steps: list[tuple[str, dict[str, Any]]]) -> None:
    with TemporaryDirectory() as folder:
        service = Kept(folder)
        running: list[str] = []
        for number, (operation, params) in enumerate(steps):
            service.clock.skip_to(service.clock.now_ms() + 1_000)
            if operation == "StopExecution":
                if not running:
                    continue
                params = {"executionArn": running.pop()}
            if operation == "StartExecution":
                params = params | {"name": f"run-{number}"}
                running.append(f"{params['stateMachineArn'].replace(':stateMachine:', ':execution:')}:run-{number}")
            _answer(service, operation, params)
            service.settle()
        before = answers(service)
        service.reopen()
        assert answers(service) == before
        service.close()


def test_every_operation_that_changes_something_is_in_the_law() -> None:
    reading = ("Describe", "List", "Get", "Validate", "Send", "Test")
    others = {"StartSyncExecution", "RedriveExecution", "UpdateMapRun"}
    changing = {name for name in OPERATIONS if not name.startswith(reading)} - others
    assert changing == set(MEMBERS)
    assert CHANGED.keys() == changing - {"StartExecution", "StopExecution"}


# --- cases ------------------------------------------------------------------------------------------------


def test_an_execution_goes_on_with_the_revision_it_was_started_from(kept: Kept) -> None:
    arn = kept.machine("a", WAIT)
    execution = kept("StartExecution", stateMachineArn=arn)["executionArn"]
    kept("UpdateStateMachine", stateMachineArn=arn, definition=text(PASS))
    kept.reopen()
    assert json.loads(kept("DescribeStateMachine", stateMachineArn=arn)["definition"]) == PASS
    kept.settle(600)
    assert kept("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"
    states = [
        event["stateEnteredEventDetails"]["name"]
        for event in kept("GetExecutionHistory", executionArn=execution)["events"]
        if "stateEnteredEventDetails" in event
    ]
    assert states == ["Hold", "Only"]


def test_deletion_goes_on(kept: Kept) -> None:
    """While an execution runs its machine is DELETING; it ends where it would enter its next state."""
    arn = kept.machine("a", WAIT)
    execution = kept("StartExecution", stateMachineArn=arn)["executionArn"]
    kept("DeleteStateMachine", stateMachineArn=arn)
    kept.reopen()
    assert kept("DescribeStateMachine", stateMachineArn=arn)["status"] == "DELETING"
    kept.settle(600)
    assert kept("DescribeExecution", executionArn=execution)["status"] == "ABORTED"
    kept.settle()
    assert kept("ListStateMachines")["stateMachines"] == []
    kept.reopen()
    assert kept("ListStateMachines")["stateMachines"] == []
    assert kept.documents("machine") == 0


def test_a_task_for_a_worker_waits_on(kept: Kept) -> None:
    activity = kept("CreateActivity", name="approve")["activityArn"]
    task = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": activity, "End": True}}}
    execution = kept("StartExecution", stateMachineArn=kept.machine("a", task))["executionArn"]
    kept.reopen()
    taken = kept("GetActivityTask", activityArn=activity)
    kept.reopen()
    kept("SendTaskSuccess", taskToken=taken["taskToken"], output="1")
    assert kept("DescribeExecution", executionArn=execution)["output"] == "1"


def test_equal_definitions_are_kept_once(kept: Kept) -> None:
    for name in ("a", "b", "c"):
        kept.machine(name)
    assert (kept.documents("configuration"), kept.documents("definition")) == (3, 1)


def test_numbers_of_revisions_go_on(kept: Kept) -> None:
    kept.machine("a")
    kept.reopen()
    kept.machine("b", WAIT)
    assert sorted(key for key, _ in kept.store.documents("configuration")) == ["1", "2"]


# --- forgetting -------------------------------------------------------------------------------------------


def test_old_executions_are_forgotten(kept: Kept) -> None:
    arn = kept.machine("a")
    execution = kept("StartExecution", stateMachineArn=arn)["executionArn"]
    kept.clock.skip_to(kept.clock.now_ms() + 1_000)
    newer = kept("StartExecution", stateMachineArn=arn)["executionArn"]
    engine = kept.api.service.engine
    assert engine.forget_closed(kept.clock.now_ms(), 10) == 1
    with pytest.raises(ApiError, match="ExecutionDoesNotExist"):
        kept("DescribeExecution", executionArn=execution)
    assert [row["executionArn"] for row in _executions(kept, arn)] == [newer]


def test_running_ones_are_not_forgotten(kept: Kept) -> None:
    execution = kept("StartExecution", stateMachineArn=kept.machine("a", WAIT))["executionArn"]
    assert kept.api.service.engine.forget_closed(kept.clock.now_ms() + DAY_MS, 10) == 0
    assert kept("DescribeExecution", executionArn=execution)["status"] == "RUNNING"


def test_one_that_failed_is_forgotten_with_all_it_would_have_needed(kept: Kept) -> None:
    broken = {"StartAt": "Go", "States": {"Go": {"Type": "Wait", "TimestampPath": "$.none", "End": True}}}
    kept("StartExecution", stateMachineArn=kept.machine("a", broken))
    assert kept.api.service.engine.forget_closed(kept.clock.now_ms() + 1, 10) == 1
    for table in ("executions", "frames", "items", "timers", "tasks", "history"):
        assert kept.store._db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_lists_are_right_when_all_was_forgotten(kept: Kept) -> None:
    kept("StartExecution", stateMachineArn=kept.machine("a"))
    later = kept.machine("b")
    kept.api.service.engine.forget_closed(kept.clock.now_ms() + 1, 10)
    kept.reopen()
    execution = kept("StartExecution", stateMachineArn=later)["executionArn"]
    assert [row["executionArn"] for row in _executions(kept, later)] == [execution]


def test_revisions_that_nobody_needs_are_forgotten(kept: Kept) -> None:
    """Those of a machine stay; those of its past stay for as long as it has executions."""
    arn = kept.machine("a", publish=True)
    execution = kept("StartExecution", stateMachineArn=arn)["executionArn"]
    for comment in ("1", "2", "3"):
        kept("UpdateStateMachine", stateMachineArn=arn, definition=text(PASS, comment))
    persistence = kept.api.persistence
    assert persistence is not None
    persistence.forget_unused()
    kept.settle()
    assert (kept.documents("configuration"), kept.documents("definition")) == (4, 4)
    kept("DescribeStateMachineForExecution", executionArn=execution)
    kept.api.service.engine.forget_closed(kept.clock.now_ms() + 1, 10)
    persistence.forget_unused()
    kept.settle()
    assert (kept.documents("configuration"), kept.documents("definition")) == (2, 2)
    kept("DeleteStateMachine", stateMachineArn=arn)
    persistence.forget_unused()
    kept.settle()
    assert [kept.documents(kind) for kind in ("machine", "configuration", "definition")] == [0, 0, 0]


def test_programs_used_last_stay_compiled(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PROGRAMS_MAX", 2)
    arns = [kept.machine(name, PASS | {"Comment": name}) for name in "abc"]
    for arn in itertools.chain(arns, arns):
        execution = kept("StartExecution", stateMachineArn=arn)["executionArn"]
        assert kept("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"
    assert len(kept.api.service.programs._kept) == 2


# --- executions that others wait for -----------------------------------------------------------------------


def waiting_for(child: str, pattern: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    state = {"Type": "Task", "Resource": resource, "Parameters": {"StateMachineArn": child}, "End": True, **more}
    return {"StartAt": "Child", "States": {"Child": state}}


def statuses(kept: Kept, machine: str) -> list[str]:
    return [each["status"] for each in kept("ListExecutions", stateMachineArn=machine)["executions"]]


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
@pytest.mark.parametrize("again", [False, True])
def test_an_execution_is_stopped_with_the_one_that_waits_for_it(kept: Kept, pattern: str, again: bool) -> None:
    """AWS guide, "Discover service integration patterns". After a restart too, and be it the first thing that is asked
    for; the answer says when."""
    child = kept.machine("child", WAIT)
    machine = kept.machine("parent", waiting_for(child, pattern))
    parent = kept("StartExecution", stateMachineArn=machine)["executionArn"]
    kept.settle(3)
    assert statuses(kept, child) == ["RUNNING"]
    if again:
        kept.reopen()
    stopped = kept.api.call("StopExecution", {"executionArn": parent})
    kept.settle()
    assert stopped["stopDate"] == kept("DescribeExecution", executionArn=parent)["stopDate"]
    assert stopped["stopDate"].timestamp() * 1000 == kept.clock.now_ms()
    assert statuses(kept, child) == ["ABORTED"]


def test_an_execution_is_stopped_when_nobody_has_time_to_wait_for_it(kept: Kept) -> None:
    child = kept.machine("child", WAIT)
    parent = kept.machine("parent", waiting_for(child, ".sync", TimeoutSeconds=5))
    kept("StartExecution", stateMachineArn=parent)
    kept.settle(10)
    assert (statuses(kept, parent), statuses(kept, child)) == (["FAILED"], ["ABORTED"])
