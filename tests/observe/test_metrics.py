"""Metrics: what is counted under which name, and that Prometheus can read it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kaidan.integrations.contract import Reply
from kaidan.observe.metrics import FAMILIES, Metrics, lost_lines
from kaidan.protocol.effects import RunTask
from kaidan.service.api import Api
from kaidan.store.sqlite import SqliteStore
from tests.service.support import ARN, PASS, ROLE, WAIT, Service, text

AWS_NAMES = """
OpenExecutionCount ExecutionTime ExecutionsStarted ExecutionsSucceeded ExecutionsFailed ExecutionsTimedOut
ExecutionsAborted ExecutionsRedriven RedrivenExecutionsSucceeded RedrivenExecutionsFailed RedrivenExecutionsTimedOut
RedrivenExecutionsAborted ExpressExecutionBilledDuration ActivityRunTime ActivityScheduleTime ActivityTime
ActivitiesFailed ActivitiesHeartbeatTimedOut ActivitiesScheduled ActivitiesStarted ActivitiesSucceeded
ActivitiesTimedOut LambdaFunctionRunTime LambdaFunctionScheduleTime LambdaFunctionTime LambdaFunctionsFailed
LambdaFunctionsScheduled
LambdaFunctionsStarted LambdaFunctionsSucceeded LambdaFunctionsTimedOut ServiceIntegrationRunTime
ServiceIntegrationScheduleTime ServiceIntegrationTime ServiceIntegrationsFailed ServiceIntegrationsScheduled
ServiceIntegrationsStarted ServiceIntegrationsSucceeded ServiceIntegrationsTimedOut ApproximateOpenMapRunCount
"""
"""AWS guide, "Step Functions metrics for CloudWatch": those that mean something here."""

OWN_NAMES = ["MapRunsStarted", "MapRunsSucceeded", "MapRunsFailed", "MapRunsAborted", "MapRunsRedriven"]

ACTIVITY = f"{ARN}activity:approve"
ORDERS = f"{ARN}stateMachine:orders"


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": resource, "End": True, **more}}}


def values(metrics: Metrics) -> dict[str, float]:
    """`{"executions_started_total orders": 1, …}`: what is not zero, without buckets and what all names begin with."""
    found: dict[str, float] = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", metrics.render(), re.MULTILINE):
        if float(value) and not name.endswith("_bucket"):
            shown = [label.rpartition(":")[2] for label in re.findall(r'="([^"]*)"', labels)]
            found[" ".join([name.removeprefix("aws_states_"), *shown])] = float(value)
    return found


@pytest.fixture
def metrics(service: Service) -> Metrics:
    made = Metrics()
    made.watch(service.api.service.engine)
    return made


def test_names() -> None:
    assert sorted(FAMILIES) == sorted([*AWS_NAMES.split(), *OWN_NAMES])
    assert FAMILIES["ActivitiesHeartbeatTimedOut"].full_name == "aws_states_activities_heartbeat_timed_out_total"
    assert FAMILIES["ExecutionTime"].full_name == "aws_states_execution_time_seconds"
    assert FAMILIES["MapRunsStarted"].full_name == "kaidan_map_runs_started_total"


def test_executions(service: Service, metrics: Metrics) -> None:
    machine = service.machine("orders", WAIT)
    service("StartExecution", stateMachineArn=machine)
    stopped = service("StartExecution", stateMachineArn=machine)["executionArn"]
    service.settle(1)
    assert values(metrics) == {"open_execution_count": 2, "executions_started_total orders": 2}
    service("StopExecution", executionArn=stopped)
    service.settle(600)
    assert values(metrics) == {
        "executions_started_total orders": 2,
        "executions_succeeded_total orders": 1,
        "executions_aborted_total orders": 1,
        "execution_time_seconds_sum orders": 600,
        "execution_time_seconds_count orders": 2,
    }


def test_redriven_executions(service: Service, metrics: Metrics) -> None:
    arn = service.run(service.machine("orders", {"StartAt": "No", "States": {"No": {"Type": "Fail"}}}))
    service("RedriveExecution", executionArn=arn)
    service.settle()
    assert values(metrics) == {
        "executions_started_total orders": 1,
        "executions_failed_total orders": 2,
        "executions_redriven_total orders": 1,
        "redriven_executions_failed_total orders": 1,
        "execution_time_seconds_count orders": 2,
    }


def test_express_executions_are_billed(service: Service, metrics: Metrics) -> None:
    service.run(service.machine("orders", PASS, type="EXPRESS"))
    found = values(metrics)
    assert found["express_execution_billed_duration_seconds_sum orders"] == 0.1
    assert found["express_execution_billed_duration_seconds_count orders"] == 1


def test_activities(service: Service, metrics: Metrics) -> None:
    service("CreateActivity", name="approve")
    machine = service.machine("orders", task(ACTIVITY, HeartbeatSeconds=10, TimeoutSeconds=12))
    service.run(machine)
    service.pass_time(2_000)
    given = service("GetActivityTask", activityArn=ACTIVITY)
    service.settle()
    service.pass_time(3_000)
    service("SendTaskSuccess", taskToken=given["taskToken"], output="1")
    service.settle()
    service.run(machine)
    service("GetActivityTask", activityArn=ACTIVITY)
    service.settle(30)
    service("StartExecution", stateMachineArn=machine)
    service.settle()
    beating = service("GetActivityTask", activityArn=ACTIVITY)
    service.settle()
    service.pass_time(5_000)
    service("SendTaskHeartbeat", taskToken=beating["taskToken"])
    service.settle(30)
    assert {name: value for name, value in values(metrics).items() if name.startswith("activit")} == {
        "activities_scheduled_total orders approve": 3,
        "activities_started_total orders approve": 3,
        "activities_succeeded_total orders approve": 1,
        "activities_timed_out_total orders approve": 2,
        "activities_heartbeat_timed_out_total orders approve": 1,
        "activity_schedule_time_seconds_sum orders approve": 2,
        "activity_schedule_time_seconds_count orders approve": 3,
        "activity_run_time_seconds_sum orders approve": 3 + 10 + 12,
        "activity_run_time_seconds_count orders approve": 3,
        "activity_time_seconds_sum orders approve": 5 + 10 + 12,
        "activity_time_seconds_count orders approve": 3,
    }


@pytest.mark.parametrize(
    ("resource", "prefix", "label"),
    [
        ("arn:aws:states:::aws-sdk:ec2:describeInstances", "service_integration", "describeInstances"),
        ("arn:aws:lambda:us-east-1:123456789012:function:resize", "lambda_function", "resize"),
    ],
)
def test_tasks(service: Service, metrics: Metrics, resource: str, prefix: str, label: str) -> None:
    engine = service.api.service.engine

    def handler(task: RunTask, reply: Reply) -> None:
        engine.after(500, reply.started)
        engine.after(2_000, lambda: reply.failed("Boom", None) if task.attempt == 0 else reply.succeeded({}))

    engine.handler = handler  # type: ignore[assignment]
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 1}]
    service.run(service.machine("orders", task(resource, Retry=retry, Parameters={})))
    service.settle(60)
    assert {name: value for name, value in values(metrics).items() if name.startswith(prefix)} == {
        f"{prefix}s_scheduled_total orders {label}": 2,
        f"{prefix}s_started_total orders {label}": 2,
        f"{prefix}s_failed_total orders {label}": 1,
        f"{prefix}s_succeeded_total orders {label}": 1,
        f"{prefix}_schedule_time_seconds_sum orders {label}": 1.0,
        f"{prefix}_schedule_time_seconds_count orders {label}": 2,
        f"{prefix}_run_time_seconds_sum orders {label}": 3.0,
        f"{prefix}_run_time_seconds_count orders {label}": 2,
        f"{prefix}_time_seconds_sum orders {label}": 4.0,
        f"{prefix}_time_seconds_count orders {label}": 2,
    }


def test_map_runs_and_their_children_have_few_labels(service: Service, metrics: Metrics) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
    each = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": processor, "End": True}}}
    machine = service.machine("orders", each)
    for _ in range(2):
        service.run(machine, input="[1, 2, 3]")
    found = values(metrics)
    assert found["kaidan_map_runs_started_total orders"] == found["kaidan_map_runs_succeeded_total orders"] == 2
    assert (found["executions_started_total orders"], found["executions_started_total orders/*"]) == (2, 6)


def test_a_restart_forgets_neither_open_executions_nor_work_under_way(tmp_path: Path) -> None:
    path = tmp_path / "kaidan.db"
    before = Api(store=SqliteStore(path))
    before.call("CreateActivity", {"name": "approve"})
    machine = {"name": "orders", "definition": text(task(ACTIVITY)), "roleArn": ROLE}
    arn = before.call("CreateStateMachine", machine)["stateMachineArn"]
    for _ in range(2):
        before.call("StartExecution", {"stateMachineArn": arn})
    before.settle(lambda: False, 0)
    token = before.call("GetActivityTask", {"activityArn": ACTIVITY})["taskToken"]
    before.settle(lambda: False, 0)
    before.call("StartExecution", {"stateMachineArn": arn})  # saved, but not begun
    before.service.engine.save()
    before.close()
    assert before.service.engine.store is not None
    before.service.engine.store.close()

    after, metrics = Api(store=SqliteStore(path)), Metrics()
    metrics.watch(after.service.engine)
    assert values(metrics) == {"open_execution_count": 2}
    after.settle(lambda: False, 0)
    after.call("SendTaskSuccess", {"taskToken": token, "output": "1"})
    after.settle(lambda: False, 0)
    found = values(metrics)
    assert found["open_execution_count"] == 2
    assert found["activities_succeeded_total orders approve"] == 1
    assert found["activity_run_time_seconds_count orders approve"] == 1
    after.close()
    assert after.service.engine.store is not None
    after.service.engine.store.close()


LINE = re.compile(
    r"# HELP \w+ [^\n]+|# TYPE \w+ (counter|gauge|histogram|summary)"
    r'|\w+(\{\w+="([^"\\\n]|\\.)*"(,\w+="([^"\\\n]|\\.)*")*\})? [0-9.e+-]+'
)


def test_the_text_is_prometheus(service: Service, metrics: Metrics) -> None:
    service.run(service.machine("orders", PASS))
    lines = metrics.render().splitlines()
    assert [line for line in lines if LINE.fullmatch(line) is None] == []
    assert len({line.split()[2] for line in lines if line.startswith("# TYPE")}) == len(FAMILIES)


def test_buckets_add_up() -> None:
    metrics = Metrics()
    for milliseconds in (0, 50, 51, 10_000, 10_000_000_000):
        metrics.time("ExecutionTime", (ORDERS, ""), milliseconds)
    buckets = re.findall(r'_bucket\{.*le="(.*)"\} (\d+)', metrics.render())
    assert [counted for counted in buckets if counted[0] in ("0.05", "0.1", "5", "10", "86400", "+Inf")] == [
        ("0.05", "2"), ("0.1", "3"), ("5", "3"), ("10", "4"), ("86400", "4"), ("+Inf", "5"),
    ]  # fmt: skip


def test_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.count("ExecutionsStarted", ('a"b\\c\nd', ""))
    assert r'{state_machine_arn="a\"b\\c\nd"} 1' in metrics.render()


def test_what_was_lost() -> None:
    assert list(lost_lines([("logs to stdout", 3)]))[-1] == 'kaidan_observations_lost_total{to="logs to stdout"} 3'


def test_every_metric_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/observability.md").read_text()
    assert [family.full_name for family in FAMILIES.values() if f"| `{family.full_name}` |" not in page] == []
