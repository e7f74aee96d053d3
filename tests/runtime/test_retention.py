"""Of an execution that was removed nothing remains, in any table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kaidan.runtime.sources import SimulatedClock
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ROLE, text

EACH: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 5, "End": True}}},
                {
                    "StartAt": "Each",
                    "States": {
                        "Each": {
                            "Type": "Map",
                            "ItemProcessor": {
                                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                                "StartAt": "Maybe",
                                "States": {
                                    "Maybe": {
                                        "Type": "Choice",
                                        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "No"}],
                                        "Default": "Yes",
                                    },
                                    "Yes": {"Type": "Succeed"},
                                    "No": {"Type": "Fail"},
                                },
                            },
                            "ToleratedFailureCount": 0,
                            "End": True,
                        }
                    },
                },
            ],
            "End": True,
        }
    },
}


def test_nothing_remains(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "kaidan.db"), SimulatedClock()
    api = Api(clock=clock, store=store)
    params = {"name": "each", "definition": text(EACH), "roleArn": ROLE}
    arn = api.call("CreateStateMachine", params)["stateMachineArn"]
    began_ms = clock.now_ms()
    for items in ([1, 2, 3], [1], []):
        api.call("StartExecution", {"stateMachineArn": arn, "input": json.dumps(items)})
    api.settle(lambda: False, 100)
    engine = api.service.engine
    engine.save()
    statuses = sorted(each["status"] for each in api.call("ListExecutions", {"stateMachineArn": arn})["executions"])
    assert statuses == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert list(store.documents("mapRun"))
    clock.skip_to(began_ms + 1_000_000)
    while engine.forget_closed(clock.now_ms(), 2):
        pass
    engine.save()
    names = [name for (name,) in store._db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    tables = [name for name in names if not name.startswith("sqlite_") and name not in ("documents", "last_number")]
    assert set(tables) == {"executions", "frames", "items", "history", "timers", "tasks"}
    left = {table: store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    assert left == dict.fromkeys(tables, 0)
    assert [kind for kind in ("mapRun", "mapRunPending") if list(store.documents(kind))] == []
    assert engine.runs == {} and engine.map_runs == {}
    api.close()
    store.close()


def test_numbers_are_not_given_again(tmp_path: Path) -> None:
    """A machine made anew under its old name does not show the old one's executions, which it knows by number."""
    for number in (1, 2):
        store, clock = SqliteStore(tmp_path / "kaidan.db"), SimulatedClock()
        api = Api(clock=clock, store=store)
        definition = text({"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}})
        machine = api.call("CreateStateMachine", {"name": "m", "definition": definition, "roleArn": ROLE})
        api.call("StartExecution", {"stateMachineArn": machine["stateMachineArn"]})
        api.settle(lambda: False, 1)
        assert api.service.engine.forget_closed(clock.now_ms() + 1, 10) == 1
        assert store.last_number() == number
        api.close()
        store.close()
