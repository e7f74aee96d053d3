"""The Step Functions API as one object: `Api.call("StartExecution", {…})`. No HTTP here.

An operation is a function `(service, params) → answer` named as the operation; `OPERATIONS` is the list.
Answers have AWS's shapes with native datetimes, as boto3 gives them; refusals are ApiErrors.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.dispatch import Dispatcher
from kaidan.integrations.storage import Storage
from kaidan.integrations.world import Tasks, World
from kaidan.protocol.history import ENDS
from kaidan.revisions import as_of as revision_of
from kaidan.runtime.engine import Engine
from kaidan.runtime.pool import Pool
from kaidan.runtime.sources import Clock, SimulatedClock
from kaidan.service import (
    activities,
    aliases,
    deletion,
    executions,
    machines,
    map_runs,
    redrives,
    shapes,
    tags,
    test_state,
    validation,
    versions,
)
from kaidan.service.errors import ApiError, unavailable
from kaidan.service.local import LocalClients, StepFunctionsTasks
from kaidan.service.persistence import Persistence
from kaidan.service.state import Answer, Service
from kaidan.store.contract import Store, StoreError

Operation = Callable[[Service, dict[str, Any]], dict[str, Any]]

OPERATIONS: dict[str, Operation] = {
    "CreateActivity": activities.create_activity,
    "CreateStateMachine": machines.create_state_machine,
    "CreateStateMachineAlias": aliases.create_state_machine_alias,
    "DeleteActivity": activities.delete_activity,
    "DeleteStateMachine": machines.delete_state_machine,
    "DeleteStateMachineAlias": aliases.delete_state_machine_alias,
    "DeleteStateMachineVersion": versions.delete_state_machine_version,
    "DescribeActivity": activities.describe_activity,
    "DescribeExecution": executions.describe_execution,
    "DescribeMapRun": map_runs.describe_map_run,
    "DescribeStateMachine": machines.describe_state_machine,
    "DescribeStateMachineAlias": aliases.describe_state_machine_alias,
    "DescribeStateMachineForExecution": executions.describe_state_machine_for_execution,
    "GetActivityTask": activities.get_activity_task,
    "GetExecutionHistory": executions.get_execution_history,
    "ListActivities": activities.list_activities,
    "ListExecutions": executions.list_executions,
    "ListMapRuns": map_runs.list_map_runs,
    "ListStateMachineAliases": aliases.list_state_machine_aliases,
    "ListStateMachineVersions": versions.list_state_machine_versions,
    "ListStateMachines": machines.list_state_machines,
    "ListTagsForResource": tags.list_tags_for_resource,
    "RedriveExecution": redrives.redrive_execution,
    "PublishStateMachineVersion": versions.publish_state_machine_version,
    "SendTaskFailure": activities.send_task_failure,
    "SendTaskHeartbeat": activities.send_task_heartbeat,
    "SendTaskSuccess": activities.send_task_success,
    "StartExecution": executions.start_execution,
    "StartSyncExecution": executions.start_sync_execution,
    "StopExecution": executions.stop_execution,
    "TagResource": tags.tag_resource,
    "TestState": test_state.test_state,
    "UntagResource": tags.untag_resource,
    "UpdateMapRun": map_runs.update_map_run,
    "UpdateStateMachine": machines.update_state_machine,
    "UpdateStateMachineAlias": aliases.update_state_machine_alias,
    "ValidateStateMachineDefinition": validation.validate_state_machine_definition,
}

Begin = Callable[[Service, dict[str, Any], Answer], Callable[[], None]]

WAITING: dict[str, Begin] = {
    "GetActivityTask": activities.poll_activity,
    "StartSyncExecution": executions.start_sync,
}
"""Operations that take their time, in a form that does not block."""


class Api:
    """A service of its own: an engine with its own clock, account and region.

    Without a store everything is in memory. With one, it goes on from what the store has.
    """

    def __init__(
        self,
        *,
        account: str = "123456789012",
        region: str = "us-east-1",
        clock: Clock | None = None,
        clients: ClientFactory | None = None,
        as_of: datetime.date | None = None,
        store: Store | None = None,
        folders: Sequence[Path] | None = (),
        world: World | None = None,
        skip_waits: bool = False,
    ) -> None:
        """`folders`: those of this machine that Distributed Maps may use as buckets, `file:///data`; None: all.

        `world`: of the tasks, beside AWS. `skip_waits`: see `Engine.skip_waits`.
        """
        revision = revision_of(as_of)
        engine = Engine(clock or SimulatedClock(), store)
        self._pool = Pool(engine)
        engine.skip_waits = skip_waits
        world = world or World()
        self.service = Service(engine, account=account, region=region, revision=revision, mocks=world.mocks)
        for listener in (deletion.listener(self.service), executions.listener(self.service)):
            engine.listen(listener, ENDS)
        engine.machine_of = lambda execution: executions.machine_of(self.service, execution)
        local = LocalClients(self.call, clients or ClientFactory(), account)
        engine.maps.storage = Storage(local, folders)
        dispatcher = Dispatcher(local, self._pool.run, world.surroundings)
        StepFunctionsTasks(self.service, self.call, self.begin, local, self._pool.run).register(dispatcher)
        self._tasks = Tasks(dispatcher, world)
        engine.handler = self._tasks
        self.persistence = Persistence(self.service, store) if store is not None else None
        if self.persistence is not None:
            self.persistence.load()
            engine.recover()

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do one operation. Raises ApiError; ServiceUnavailable, with nothing done, while nothing can be saved."""
        self._check_stuck()
        if operation not in OPERATIONS:
            raise ApiError("UnknownOperationException", f"{operation} is not an operation here")
        shapes.check(operation, params)
        try:
            answer = OPERATIONS[operation](self.service, params)
        except StoreError as problem:
            raise unavailable() from problem
        if self.persistence is not None:
            self.persistence.note(operation, params, answer)
        return answer

    def begin(self, operation: str, params: dict[str, Any], answer: Answer) -> Callable[[], None]:
        """Begin one of the operations that wait; `answer` is called when it is done, on the engine's thread.

        What is returned ends the wait. Raises ApiError.
        """
        self._check_stuck()
        shapes.check(operation, params)
        return WAITING[operation](self.service, params, answer)

    def _check_stuck(self) -> None:
        if self.service.engine.stuck is not None:
            raise unavailable()

    def settle(self, until: Callable[[], bool], timeout_s: float) -> None:
        """Let the engine run until `until()` holds, nothing more can happen, or its clock is `timeout_s` on."""
        engine = self.service.engine
        engine.run_until(until, horizon_ms=engine.clock.now_ms() + int(timeout_s * 1000))

    def now(self) -> datetime.datetime:
        """The engine's clock."""
        return datetime.datetime.fromtimestamp(self.service.engine.clock.now_ms() / 1000, datetime.UTC)

    def close(self) -> None:
        """Let go of threads, and end the processes of local functions."""
        self._pool.close()
        self._tasks.close()
        self.service.engine.maps.close()


__all__ = ["Api", "ApiError"]
