"""`.sync` through `kill -9`: one job at its service, waited for or stopped by the process that comes after."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaidan.integrations.aws_sdk import service_model
from kaidan.integrations.dispatch import SERVICES
from kaidan.integrations.jobs import soon
from tests.integrations.cases import JOBS, Case, Ending
from tests.integrations.emulated import World, emulated_aws
from tests.integrations.modelled import ModelledAws, modelled_aws
from tests.server.support import Process, client, machine

WAIT_S = 60.0

STOPPED = {
    "databrew.StopJobRun": {"RunId": "db_1"},
    "emr-serverless.CancelJobRun": {"applicationId": "a-1", "jobRunId": "r-1"},
}
"""What services answer that do not answer nothing."""

Fields = dict[str, Any]


def until(holds: Callable[..., bool], *given: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds(*given):
        assert time.monotonic() < deadline, given
        time.sleep(0.05)


def definition(resource: str, parameters: Fields) -> Fields:
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    return {"StartAt": "Job", "States": {"Job": task}}


def submissions(sfn: Any, execution: str) -> int:
    events = sfn.get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in events].count("TaskSubmitted")


def status(sfn: Any, execution: str) -> str:
    found: str = sfn.describe_execution(executionArn=execution)["status"]
    return found


class Server:
    """`kaidan serve` on the same data, before the kill and after it."""

    def __init__(self, data: Path, *arguments: str, **environment: str) -> None:
        self._arguments = ("--data", str(data), *arguments)
        self._environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "1",
            **environment,
        }
        self.begin()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.kill()

    def begin(self) -> None:
        self.process = Process(*self._arguments, environment=self._environment)
        self.sfn = client(self.process.url)

    def start(self, name: str, resource: str, parameters: Fields) -> str:
        arn = machine(self.sfn, name, definition(resource, parameters))
        started: str = self.sfn.start_execution(stateMachineArn=arn)["executionArn"]
        return started

    def submitted(self, execution: str) -> bool:
        """Whether its job is known, on disk too."""
        return submissions(self.sfn, execution) == 1

    def running(self, execution: str) -> bool:
        return status(self.sfn, execution) == "RUNNING"


# --- moto's services --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A service whose jobs last. jobs: the states of all that it was ever asked to do. end: let those that run come to
    an end; away: which they do while nobody watches. stopped: the state of a job that was stopped; None when moto
    cannot stop it."""

    resource: str
    parameters: Callable[[World, Any], Fields]
    jobs: Callable[[World, Any], list[str]]
    end: Callable[[World, Any], object]
    outcome: str = "SUCCEEDED"
    stopped: str | None = None
    away: bool = False


def _queries(world: World, sfn: Any) -> list[str]:
    athena = world.client("athena")
    ids = athena.list_query_executions()["QueryExecutionIds"]
    return [athena.get_query_execution(QueryExecutionId=each)["QueryExecution"]["Status"]["State"] for each in ids]


def _tasks(world: World, sfn: Any) -> list[str]:
    ecs = world.client("ecs")
    tasks = ecs.describe_tasks(cluster="mine", tasks=ecs.list_tasks(cluster="mine")["taskArns"])["tasks"]
    return [task["desiredStatus"] for task in tasks]


def _glue_runs(world: World, sfn: Any) -> list[str]:
    return [run["JobRunState"] for run in world.client("glue").get_job_runs(JobName=world.glue_job)["JobRuns"]]


def _spark(world: World, sfn: Any) -> Fields:
    return {"VirtualClusterId": world.spark, "ExecutionRoleArn": world.role, "ReleaseLabel": "emr-6.3.0-latest"}


def _spark_runs(world: World, sfn: Any) -> list[Fields]:
    runs: list[Fields] = world.client("emr-containers").list_job_runs(virtualClusterId=world.spark)["jobRuns"]
    return runs


def _spark_end(world: World, sfn: Any) -> None:
    """Somebody else cancels what is left."""
    for run in _spark_runs(world, sfn):
        if run["state"] != "CANCELLED":
            world.client("emr-containers").cancel_job_run(id=run["id"], virtualClusterId=world.spark)


def _child(world: World, sfn: Any) -> Fields:
    """One that waits for a worker."""
    activity = sfn.create_activity(name="work")["activityArn"]
    asking = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": activity, "End": True}}}
    return {"StateMachineArn": machine(sfn, "child", asking), "Input": {}}


def _work(world: World, sfn: Any) -> None:
    activity = sfn.list_activities()["activities"][0]["activityArn"]
    task = sfn.get_activity_task(activityArn=activity)
    sfn.send_task_success(taskToken=task["taskToken"], output="{}")


def _children(world: World, sfn: Any) -> list[str]:
    machines = {each["name"]: each["stateMachineArn"] for each in sfn.list_state_machines()["stateMachines"]}
    return [each["status"] for each in sfn.list_executions(stateMachineArn=machines["child"])["executions"]]


KEPT = {
    "athena": Kept(
        "athena:startQueryExecution.sync",
        lambda world, sfn: {"QueryString": "SELECT 1"},
        _queries,
        lambda world, sfn: world.progress("athena::execution", 0),
        stopped="CANCELLED",
    ),
    "ecs": Kept(
        "ecs:runTask.sync",
        lambda world, sfn: world.ecs_task,
        _tasks,
        lambda world, sfn: world.progress("ecs::task", 0),
        stopped="STOPPED",
    ),
    "glue": Kept(
        "glue:startJobRun.sync",
        lambda world, sfn: {"JobName": world.glue_job},
        _glue_runs,
        lambda world, sfn: world.progress("glue::job_run", 0),
    ),
    "spark": Kept(
        "emr-containers:startJobRun.sync",
        _spark,
        lambda world, sfn: [run["state"] for run in _spark_runs(world, sfn)],
        _spark_end,
        outcome="FAILED",
        away=True,
    ),
    "executions": Kept("states:startExecution.sync:2", _child, _children, _work, stopped="ABORTED"),
}


def test_jobs_of_services_that_last(tmp_path: Path) -> None:
    with emulated_aws() as world, Server(tmp_path, "--endpoint-url", world.url) as server:
        for kind in ("athena::execution", "ecs::task", "glue::job_run"):
            world.progress(kind, 100_000)
        waited, stopped = {}, {}
        for name, kept in KEPT.items():
            parameters = kept.parameters(world, server.sfn)
            waited[name] = server.start(name, kept.resource, parameters)
            if kept.stopped:
                stopped[name] = server.start(name, kept.resource, parameters)
        for execution in (*waited.values(), *stopped.values()):
            until(server.submitted, execution)
        server.process.kill()
        for kept in KEPT.values():
            if kept.away:
                kept.end(world, server.sfn)

        server.begin()
        for name, execution in stopped.items():
            server.sfn.stop_execution(executionArn=execution)
            until(lambda kept: kept.jobs(world, server.sfn).count(kept.stopped) == 1, KEPT[name])
        for kept in KEPT.values():
            if not kept.away:
                kept.end(world, server.sfn)
        for name, kept in KEPT.items():
            until(lambda execution: not server.running(execution), waited[name])
            assert status(server.sfn, waited[name]) == kept.outcome
            assert submissions(server.sfn, waited[name]) == 1
            assert len(kept.jobs(world, server.sfn)) == 1 + (name in stopped)


# --- all other services -----------------------------------------------------------------------------------


def _asked_soon() -> list[tuple[Case, Ending]]:
    """A job of every service whose jobs are asked for in seconds."""
    found: dict[str, tuple[Case, Ending]] = {}
    for case, pattern, end in JOBS:
        token, _, action = case.action.partition(":")
        if token != "states" and SERVICES[token].actions[action].jobs[pattern].delay_s is soon:  # type: ignore[index]
            found.setdefault(token, (case, end))
    return list(found.values())


def _variable(client_name: str) -> str:
    service_id: str = service_model(client_name).service_id
    return "AWS_ENDPOINT_URL_" + service_id.replace(" ", "_").upper()


def _endpoints(aws: ModelledAws, jobs: list[tuple[Case, Ending]]) -> dict[str, str]:
    services = {operation.partition(".")[0] for case, end in jobs for operation, _ in (*case.asked, end.ask)}
    return {_variable(name): aws.clients.settings.endpoint_urls[name] for name in services}


def test_jobs_of_all_services(tmp_path: Path) -> None:
    """Two of each: one is waited for, one is stopped after the kill."""
    jobs = _asked_soon()
    with modelled_aws() as aws:
        starts = {case.asked[-1][0]: [case.answers[-1]] for case, _ in jobs}
        stops = {end.stop[0]: [STOPPED.get(end.stop[0], {})] for _, end in jobs if end.stop}
        aws.begin({**starts, **stops, **{end.ask[0]: [end.running] for _, end in jobs}})
        with Server(tmp_path, **_endpoints(aws, jobs)) as server:
            waited: list[str] = []
            stopped: list[str] = []
            for number, (case, _) in enumerate(jobs):
                for executions in (waited, stopped):
                    executions.append(server.start(f"job-{number}", f"{case.action}.sync", case.parameters))
            for execution in (*waited, *stopped):
                until(server.submitted, execution)
            server.process.kill()
            asked = aws.operations
            assert [asked.count(operation) for operation in starts] == [2] * len(jobs)
            assert not set(asked) & set(stops)

            server.begin()
            for execution in stopped:
                server.sfn.stop_execution(executionArn=execution)
            for operation in stops:
                until(lambda operation: operation in aws.operations, operation)
            aws.answers |= {end.ask[0]: [end.succeeded] for _, end in jobs}
            for execution in waited:
                until(lambda execution: not server.running(execution), execution)
                assert status(server.sfn, execution) == "SUCCEEDED"
            asked = aws.operations
            assert [asked.count(operation) for operation in starts] == [2] * len(jobs)
            assert [asked.count(operation) for operation in stops] == [1] * len(stops)
            assert aws.faults == []


def _tokens_of(case: Case) -> list[str]:
    """Members that make a request one that its service carries out once."""
    service, _, name = case.asked[-1][0].partition(".")
    found: list[str] = service_model(service).operation_model(name).idempotent_members
    return found


def test_a_request_under_way_is_sent_again_under_its_name(tmp_path: Path) -> None:
    """Nobody knows whether the service has got it: by the token it can tell."""
    jobs = [(case, end) for case, end in _asked_soon() if _tokens_of(case)]
    assert len(jobs) >= 5
    for_ever = threading.Event()
    with modelled_aws() as aws:
        questions = {end.ask[0]: [end.succeeded] for _, end in jobs}
        aws.begin({case.asked[-1][0]: [for_ever.wait, case.answers[-1]] for case, _ in jobs} | questions)
        with Server(tmp_path, **_endpoints(aws, jobs)) as server:
            executions = [
                server.start(f"job-{number}", f"{case.action}.sync", case.parameters)
                for number, (case, _) in enumerate(jobs)
            ]
            until(lambda: len(aws.asked) == len(jobs))
            server.process.kill()
            server.begin()
            for execution in executions:
                until(lambda execution: not server.running(execution), execution)
                assert status(server.sfn, execution) == "SUCCEEDED"
            for case, _ in jobs:
                names = _tokens_of(case)
                sent = [request for operation, request in aws.asked if operation == case.asked[-1][0]]
                first, second = ([request.get(name) for name in names] for request in sent)
                assert first == second != [None] * len(names)
        for_ever.set()
