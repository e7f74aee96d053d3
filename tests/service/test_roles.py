"""Credentials of tasks: roles, also of other accounts, assumed at an STS that answers for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kaidan.cli.account import RoleClients
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.world import World
from kaidan.protocol.effects import Role
from kaidan.runtime.sources import RealClock
from tests.integrations.emulated import moto_server
from tests.integrations.loopback import Exchange, loopback
from tests.service.support import ARN, Service

OTHER = "222222222222"
TARGET = f"arn:aws:iam::{OTHER}:role/target"
WHO = "arn:aws:states:::aws-sdk:sts:getCallerIdentity"


@pytest.fixture(scope="module")
def settings() -> Iterator[AwsSettings]:
    with moto_server() as url:
        yield AwsSettings(region="us-east-1", endpoint_url=url, max_attempts=1, access_key="test", secret_key="test")


@pytest.fixture
def clients(settings: AwsSettings) -> ClientFactory:
    return ClientFactory(settings)


@pytest.fixture
def service(clients: ClientFactory) -> Iterator[Service]:
    made = Service(clock=RealClock(), clients=clients, world=World())
    yield made
    made.api.close()


def task(resource: str, parameters: Any, role: dict[str, str] | None, language: str = "JSONPath") -> dict[str, Any]:
    field = "Arguments" if language == "JSONata" else "Parameters"
    state = {"Type": "Task", "Resource": resource, field: parameters, "End": True}
    if role is not None:
        state["Credentials"] = role
    return {"QueryLanguage": language, "StartAt": "Call", "States": {"Call": state}}


def run(service: Service, definition: dict[str, Any], data: Any = None) -> dict[str, Any]:
    machine = service.machine(f"m{len(service.api.service.machines)}", definition)
    arn = service("StartExecution", stateMachineArn=machine, input=json.dumps(data))["executionArn"]
    described: dict[str, Any] = {}

    def ended() -> bool:
        described.update(service("DescribeExecution", executionArn=arn))
        return bool(described["status"] != "RUNNING")

    assert service.api.service.engine.run_until(ended, 30)
    return described


CREDENTIALS: list[tuple[str, dict[str, str]]] = [
    ("JSONPath", {"RoleArn": TARGET}),
    ("JSONPath", {"RoleArn.$": "$.role"}),
    ("JSONPath", {"RoleArn.$": f"States.Format('arn:aws:iam::{{}}:role/target', '{OTHER}')"}),
    ("JSONata", {"RoleArn": TARGET}),
    ("JSONata", {"RoleArn": "{% $states.input.role %}"}),
]


@pytest.mark.parametrize(("language", "role"), CREDENTIALS)
def test_the_role_makes_the_call(service: Service, language: str, role: dict[str, str]) -> None:
    described = run(service, task(WHO, {}, role, language), {"role": TARGET})
    output = json.loads(described["output"])
    assert output["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/target/kaidan"
    assert output["Account"] == OTHER
    events = service("GetExecutionHistory", executionArn=described["executionArn"])["events"]
    (scheduled,) = [event["taskScheduledEventDetails"] for event in events if event["type"] == "TaskScheduled"]
    assert scheduled["taskCredentials"] == {"roleArn": TARGET}


def test_without_a_role_the_caller_is_who_runs_kaidan(service: Service) -> None:
    assert json.loads(run(service, task(WHO, {}, None))["output"])["Account"] != OTHER


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        ("arn:aws:states:::dynamodb:getItem", "Item"),
        ("arn:aws:states:::aws-sdk:dynamodb:getItem", "Item"),
    ],
)
def test_what_the_other_account_has(service: Service, settings: AwsSettings, resource: str, result: str) -> None:
    theirs = ClientFactory(settings).client("dynamodb", Role(TARGET))
    if "only-theirs" not in theirs.list_tables()["TableNames"]:
        theirs.create_table(
            TableName="only-theirs",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        theirs.put_item(TableName="only-theirs", Item={"id": {"S": "1"}})
    parameters = {"TableName": "only-theirs", "Key": {"id": {"S": "1"}}}
    found = run(service, task(resource, parameters, {"RoleArn": TARGET}))
    assert json.loads(found["output"])[result] == {"id": {"S": "1"}}
    assert "ResourceNotFoundException" in run(service, task(resource, parameters, None))["error"]


PASS = '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}'


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::states:startExecution", "arn:aws:states:::aws-sdk:sfn:startExecution"]
)
def test_a_state_machine_that_the_other_account_has_on_aws(
    service: Service, settings: AwsSettings, resource: str
) -> None:
    theirs = ClientFactory(settings).client("stepfunctions", Role(TARGET))
    target = theirs.create_state_machine(name="target", definition=PASS, roleArn=TARGET)["stateMachineArn"]
    assert f":{OTHER}:" in target
    parameters = {"StateMachineArn": target, "Input": "{}"}
    found = run(service, task(resource, parameters, {"RoleArn": TARGET}))
    started = json.loads(found["output"])["ExecutionArn"]
    assert theirs.describe_execution(executionArn=started)["stateMachineArn"] == target
    assert "StateMachineDoesNotExist" in run(service, task(resource, parameters, None))["error"]


def test_a_role_of_the_own_account_finds_the_own_state_machines(service: Service) -> None:
    target = service.machine("target")
    own = {"RoleArn": "arn:aws:iam::123456789012:role/own"}
    found = run(service, task("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": target}, own))
    assert json.loads(found["output"])["Status"] == "SUCCEEDED"


def test_the_role_hears_which_state_machine_asks(service: Service, clients: ClientFactory) -> None:
    """As the external id, which a trust policy may demand (AWS guide, "Trust policy update for .sync calls")."""
    asked: list[dict[str, Any]] = []
    local = service.api.service.engine.handler.dispatcher._clients  # type: ignore[attr-defined]
    local.client("sts").meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(dict(params))
    )
    inside = task(WHO, {}, {"RoleArn": TARGET}) | {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    }
    del inside["QueryLanguage"]
    each = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": inside, "End": True}}}
    assert run(service, each, [1])["status"] == "SUCCEEDED"
    assert run(service, task(WHO, {}, {"RoleArn": TARGET}))["status"] == "SUCCEEDED"
    assert [params["ExternalId"] for params in asked] == [ARN + "stateMachine:m0", ARN + "stateMachine:m1"]
    assert {params["RoleArn"] for params in asked} == {TARGET}


@pytest.mark.parametrize("role", [5, None, ["arn"]])
def test_what_is_no_role(service: Service, role: Any) -> None:
    described = run(service, task(WHO, {}, {"RoleArn.$": "$.role"}), {"role": role})
    assert described["status"] == "FAILED"
    assert described["error"] == "States.Runtime"


def test_a_role_that_may_not_be_assumed() -> None:
    def refuse(exchange: Exchange) -> None:
        error = "<Error><Code>AccessDenied</Code><Message>not authorized</Message></Error>"
        exchange.reply(403, f"<ErrorResponse>{error}</ErrorResponse>", Content_Type="text/xml")

    with loopback(refuse) as sts:
        settings = AwsSettings(region="us-east-1", endpoint_url=sts.url, access_key="a", secret_key="s", max_attempts=1)
        service = Service(clock=RealClock(), clients=ClientFactory(settings))
        described = run(service, task(WHO, {}, {"RoleArn": TARGET}))
        service.api.close()
    assert described["error"] == "States.Permissions"
    assert described["cause"] == f"The role '{TARGET}' could not be assumed: not authorized"


def test_the_executions_own_role_assumes_that_of_the_task(settings: AwsSettings) -> None:
    """`kaidan run --role-arn`."""
    clients = RoleClients(settings, "arn:aws:iam::333333333333:role/execution")
    signed: list[bytes] = []
    clients.client("sts").meta.events.register(
        "before-send.sts.AssumeRole", lambda request, **_: signed.append(request.headers["Authorization"])
    )
    assert clients.client("sts").get_caller_identity()["Account"] == "333333333333"
    assert clients.client("sts", Role(TARGET)).get_caller_identity()["Account"] == OTHER
    assert len(signed) == 1
    assert b"Credential=test/" not in signed[0]
