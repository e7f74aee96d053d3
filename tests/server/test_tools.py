"""What Terraform's aws provider, CloudFormation and CDK call: create, read at once, refresh, change, delete."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.server.support import PASS, ROLE, waiting
from tests.server.test_clients import ended

OFF = {"level": "OFF", "includeExecutionData": False}
TAGS = [{"key": "team", "value": "ops"}]


def text(definition: dict[str, Any] = PASS) -> str:
    return json.dumps(definition)


def create(sfn: Any, **more: Any) -> Any:
    """As `aws_sfn_state_machine` does it: every argument is sent."""
    arguments = {
        "name": "orders",
        "definition": text(),
        "roleArn": ROLE,
        "type": "STANDARD",
        "loggingConfiguration": OFF,
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        "tags": TAGS,
        "publish": True,
        "versionDescription": "first",
    }
    return sfn.create_state_machine(**arguments | more)


def test_a_plan_checks_the_definition(sfn: Any) -> None:
    checked = sfn.validate_state_machine_definition(definition=text(), type="STANDARD", severity="ERROR")
    assert (checked["result"], checked["diagnostics"]) == ("OK", [])
    bad = sfn.validate_state_machine_definition(definition='{"StartAt": "A", "States": {}}', type="STANDARD")
    assert bad["result"] == "FAIL"
    assert bad["diagnostics"]


def test_apply_and_refresh(sfn: Any) -> None:
    created = create(sfn)
    arn = created["stateMachineArn"]
    assert created["stateMachineVersionArn"] == f"{arn}:1"
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert (described["status"], described["definition"], described["roleArn"]) == ("ACTIVE", text(), ROLE)
    assert (described["type"], described["loggingConfiguration"]) == ("STANDARD", OFF)
    assert described["tracingConfiguration"] == {"enabled": False}
    assert described["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == TAGS
    versions = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [version["stateMachineVersionArn"] for version in versions] == [f"{arn}:1"]


def test_applied_twice_it_is_the_same_and_with_another_definition_refused(sfn: Any) -> None:
    first, again = create(sfn), create(sfn)
    assert first["stateMachineArn"] == again["stateMachineArn"]
    assert first["creationDate"] == again["creationDate"]
    with pytest.raises(sfn.exceptions.StateMachineAlreadyExists):
        create(sfn, definition=text(waiting(1)))


def test_a_change_is_there_at_once(sfn: Any) -> None:
    arn = create(sfn)["stateMachineArn"]
    updated = sfn.update_state_machine(
        stateMachineArn=arn, definition=text(waiting(0)), roleArn=f"{ROLE}-2", publish=True, versionDescription="second"
    )
    assert updated["stateMachineVersionArn"] == f"{arn}:2"
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert (described["definition"], described["roleArn"]) == (text(waiting(0)), f"{ROLE}-2")
    assert described["revisionId"] == updated["revisionId"]
    assert sfn.describe_state_machine(stateMachineArn=f"{arn}:1")["definition"] == text()
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "dev"}])
    sfn.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "stage", "value": "dev"}]
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    assert json.loads(ended(sfn, execution)["output"]) == {"done": True}


def test_aliases_with_routing(sfn: Any) -> None:
    arn = create(sfn)["stateMachineArn"]
    sfn.update_state_machine(stateMachineArn=arn, definition=text(waiting(0)), publish=True)
    both = [{"stateMachineVersionArn": f"{arn}:{number}", "weight": 50} for number in (1, 2)]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=both)["stateMachineAliasArn"]
    assert alias == f"{arn}:live"
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"] == both
    only = [{"stateMachineVersionArn": f"{arn}:2", "weight": 100}]
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=only)
    execution = sfn.start_execution(stateMachineArn=alias)["executionArn"]
    assert ended(sfn, execution)["stateMachineVersionArn"] == f"{arn}:2"
    listed = sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in listed] == [alias]
    with pytest.raises(sfn.exceptions.ConflictException):
        sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:2")
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sfn.describe_state_machine_alias(stateMachineAliasArn=alias)


def test_destroy_is_over_at_once_and_can_be_done_again(sfn: Any) -> None:
    """The provider polls DescribeStateMachine until it says StateMachineDoesNotExist."""
    arn = create(sfn)["stateMachineArn"]
    for _ in range(2):
        sfn.delete_state_machine(stateMachineArn=arn)
        with pytest.raises(sfn.exceptions.StateMachineDoesNotExist):
            sfn.describe_state_machine(stateMachineArn=arn)
    assert sfn.list_state_machines()["stateMachines"] == []
    assert create(sfn)["stateMachineArn"] == arn


def test_activities_are_made_once_and_deleted_twice(sfn: Any) -> None:
    made, again = (sfn.create_activity(name="approve", tags=TAGS) for _ in range(2))
    arn = made["activityArn"]
    assert (arn, made["creationDate"]) == (again["activityArn"], again["creationDate"])
    assert sfn.describe_activity(activityArn=arn)["name"] == "approve"
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == TAGS
    for _ in range(2):
        sfn.delete_activity(activityArn=arn)
    with pytest.raises(sfn.exceptions.ActivityDoesNotExist):
        sfn.describe_activity(activityArn=arn)
