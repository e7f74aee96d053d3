"""Versions and aliases: published, routed, chosen, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.support import ARN, PASS, ROLE, Service, text

ORDERS = ARN + "stateMachine:orders"


def published(service: Service, count: int = 2) -> list[str]:
    """A machine with so many versions."""
    service.machine(publish=True, versionDescription="the first")
    for number in range(2, count + 1):
        service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(PASS, f"v{number}"), publish=True)
    return [f"{ORDERS}:{number}" for number in range(1, count + 1)]


def routes(*shares: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in shares]


def listed(service: Service) -> list[str]:
    versions = service("ListStateMachineVersions", stateMachineArn=ORDERS)["stateMachineVersions"]
    return [item["stateMachineVersionArn"].rsplit(":", 1)[1] for item in versions]


# versions


def test_a_revision_is_published_once(service: Service) -> None:
    service.machine()
    first = service("PublishStateMachineVersion", stateMachineArn=ORDERS, description="one")
    service.pass_time(1000)
    assert service("PublishStateMachineVersion", stateMachineArn=ORDERS) == first
    same = service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(PASS), publish=True)
    assert same["stateMachineVersionArn"] == first["stateMachineVersionArn"] == ORDERS + ":1"
    other = service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(PASS, "2"), publish=True)
    assert other["stateMachineVersionArn"] == ORDERS + ":2"
    assert listed(service) == ["2", "1"]


def test_numbers_are_not_used_again(service: Service) -> None:
    published(service, 2)
    service("DeleteStateMachineVersion", stateMachineVersionArn=ORDERS + ":2")
    service("DeleteStateMachineVersion", stateMachineVersionArn=ORDERS + ":2")
    assert service("PublishStateMachineVersion", stateMachineArn=ORDERS)["stateMachineVersionArn"] == ORDERS + ":3"
    assert listed(service) == ["3", "1"]


def test_a_version_keeps_what_it_was_published_from(service: Service) -> None:
    published(service, 2)
    described = service("DescribeStateMachine", stateMachineArn=ORDERS + ":1")
    assert described["stateMachineArn"] == ORDERS + ":1"
    assert (described["definition"], described["description"]) == (text(PASS), "the first")
    assert service("DescribeStateMachine", stateMachineArn=ORDERS + ":2")["definition"] == text(PASS, "v2")
    for missing in (ORDERS + ":3", ORDERS + ":NONE"):
        refusal = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{missing}'")
        assert service.refuses("DescribeStateMachine", stateMachineArn=missing) == refusal


def test_publishing_guards_against_other_updates(service: Service) -> None:
    service.machine()
    service("PublishStateMachineVersion", stateMachineArn=ORDERS, revisionId="INITIAL")
    current = service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(PASS, "2"))["revisionId"]
    refusal = service.refuses("PublishStateMachineVersion", stateMachineArn=ORDERS, revisionId="INITIAL")
    message = (
        "Failed to publish the State Machine version for revision INITIAL. "
        f"The current State Machine revision is {current}."
    )
    assert refusal == ("ConflictException", message)
    service("PublishStateMachineVersion", stateMachineArn=ORDERS, revisionId=current)


def test_newest_versions_first_in_pages(service: Service) -> None:
    published(service, 12)
    first = service("ListStateMachineVersions", stateMachineArn=ORDERS, maxResults=5)
    rest = service("ListStateMachineVersions", stateMachineArn=ORDERS, nextToken=first["nextToken"])
    arns = [item["stateMachineVersionArn"] for item in first["stateMachineVersions"] + rest["stateMachineVersions"]]
    assert arns == [f"{ORDERS}:{number}" for number in range(12, 0, -1)]


def test_a_version_that_an_alias_holds(service: Service) -> None:
    one, two = published(service)
    service("CreateStateMachineAlias", name="PROD", routingConfiguration=routes((one, 60), (two, 40)))
    refusal = service.refuses("DeleteStateMachineVersion", stateMachineVersionArn=two)
    message = (
        "Version to be deleted must not be referenced by an alias. "
        "Current list of aliases referencing this version: [PROD]"
    )
    assert refusal == ("ConflictException", message)
    service("UpdateStateMachineAlias", stateMachineAliasArn=ORDERS + ":PROD", routingConfiguration=routes((one, 100)))
    service("DeleteStateMachineVersion", stateMachineVersionArn=two)


# aliases


def test_the_life_of_an_alias(service: Service) -> None:
    one, two = published(service)
    alias = ORDERS + ":PROD"
    created = service(
        "CreateStateMachineAlias", name="PROD", description="live", routingConfiguration=routes((one, 100))
    )
    assert created["stateMachineAliasArn"] == alias
    service.pass_time(1000)
    service("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=routes((one, 10), (two, 90)))
    assert service("DescribeStateMachineAlias", stateMachineAliasArn=alias) == {
        "stateMachineAliasArn": alias,
        "name": "PROD",
        "description": "live",
        "routingConfiguration": routes((one, 10), (two, 90)),
        "creationDate": created["creationDate"],
        "updateDate": service.api.now(),
    }
    service("UpdateStateMachineAlias", stateMachineAliasArn=alias, description="")
    assert service("DescribeStateMachineAlias", stateMachineAliasArn=alias)["description"] == ""
    assert service("DescribeStateMachine", stateMachineArn=alias)["definition"] == text(PASS)
    service("DeleteStateMachineAlias", stateMachineAliasArn=alias)
    service("DeleteStateMachineAlias", stateMachineAliasArn=alias)
    assert service.refuses("DescribeStateMachineAlias", stateMachineAliasArn=alias) == (
        "ResourceNotFound",
        "Request references a resource that does not exist.",
    )


def test_the_same_alias_again(service: Service) -> None:
    one, two = published(service)
    params = {"name": "PROD", "description": "d", "routingConfiguration": routes((one, 100))}
    created = service("CreateStateMachineAlias", **params)
    service.pass_time(1000)
    assert service("CreateStateMachineAlias", **params) == created
    conflict = (
        "ConflictException",
        "Failed to create alias because an alias with the same name and a different routing configuration "
        "already exists.",
    )
    for change in ({"description": "e"}, {"routingConfiguration": routes((two, 100))}):
        assert service.refuses("CreateStateMachineAlias", **params | change) == conflict


def test_an_update_that_changes_nothing(service: Service) -> None:
    """API reference, UpdateStateMachineAlias: the same parameters again get the same answer."""
    one, two = published(service)
    alias = service("CreateStateMachineAlias", name="PROD", routingConfiguration=routes((one, 100)))
    params = {"stateMachineAliasArn": alias["stateMachineAliasArn"], "routingConfiguration": routes((two, 100))}
    service.pass_time(1000)
    updated = service("UpdateStateMachineAlias", **params)
    assert updated["updateDate"] > alias["creationDate"]
    service.pass_time(1000)
    assert service("UpdateStateMachineAlias", **params) == updated
    described = service("DescribeStateMachineAlias", stateMachineAliasArn=alias["stateMachineAliasArn"])
    assert described["updateDate"] == updated["updateDate"]


def test_routes_that_lead_nowhere(service: Service) -> None:
    one, two = published(service)
    service.machine("bills", publish=True)
    bills = ARN + "stateMachine:bills:1"
    routing = "Routing configuration must contain"
    cases = [
        (
            routes((ORDERS, 70), (one, 30)),
            f"{routing} state machine version ARNs. Received: [{ORDERS}, {one}]",
        ),
        (routes((one, 50), (one, 50)), f"{routing} distinct state machine version ARNs. Received: [{one}, {one}]"),
        (routes((one, 70), (two, 29)), "Sum of routing configuration weights must equal 100. Received: [70, 29]"),
        (routes((one, 99)), "Sum of routing configuration weights must equal 100. Received: [99]"),
        (routes((one, 50), (bills, 50)), f"{routing} versions of one state machine. Received: [{one}, {bills}]"),
    ]
    for routing_configuration, message in cases:
        refusal = service.refuses("CreateStateMachineAlias", name="P", routingConfiguration=routing_configuration)
        assert refusal == ("ValidationException", message)
    missing = routes((ORDERS + ":9", 100))
    assert service.refuses("CreateStateMachineAlias", name="P", routingConfiguration=missing)[0] == "ResourceNotFound"


def test_updates_of_aliases_that_say_nothing_or_lead_elsewhere(service: Service) -> None:
    one, _ = published(service)
    service.machine("bills", publish=True)
    service("CreateStateMachineAlias", name="PROD", routingConfiguration=routes((one, 100)))
    alias = ORDERS + ":PROD"
    assert service.refuses("UpdateStateMachineAlias", stateMachineAliasArn=alias)[0] == "ValidationException"
    elsewhere = routes((ARN + "stateMachine:bills:1", 100))
    refusal = service.refuses("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=elsewhere)
    assert refusal[0] == "ValidationException"


def test_aliases_by_name_and_by_version(service: Service) -> None:
    one, two = published(service)
    for name, routing in (("B", routes((one, 100))), ("A", routes((one, 1), (two, 99))), ("C", routes((two, 100)))):
        service("CreateStateMachineAlias", name=name, routingConfiguration=routing)

    def names(arn: str) -> list[str]:
        aliases = service("ListStateMachineAliases", stateMachineArn=arn)["stateMachineAliases"]
        return [item["stateMachineAliasArn"].rsplit(":", 1)[1] for item in aliases]

    assert (names(ORDERS), names(one), names(two)) == (["A", "B", "C"], ["A", "B"], ["A", "C"])


# starting


@pytest.mark.parametrize(
    ("qualifier", "version", "alias"), [("", None, None), (":1", "1", None), (":PROD", "1", "PROD")]
)
def test_what_an_execution_was_started_with(
    service: Service, qualifier: str, version: str | None, alias: str | None
) -> None:
    one, _ = published(service)
    service("CreateStateMachineAlias", name="PROD", routingConfiguration=routes((one, 100)))
    execution = service.run(ORDERS + qualifier)
    described = service("DescribeExecution", executionArn=execution)
    assert described["stateMachineArn"] == ORDERS
    assert described.get("stateMachineVersionArn") == (f"{ORDERS}:{version}" if version else None)
    assert described.get("stateMachineAliasArn") == (f"{ORDERS}:{alias}" if alias else None)
    ran = service("DescribeStateMachineForExecution", executionArn=execution)
    assert (ran["stateMachineArn"], ran["definition"]) == (ORDERS, text(PASS) if qualifier else text(PASS, "v2"))
    for arn in (ORDERS, ORDERS + ":1", ORDERS + ":PROD"):
        listed = service("ListExecutions", stateMachineArn=arn)["executions"]
        belongs = arn in (ORDERS, described.get("stateMachineVersionArn"), described.get("stateMachineAliasArn"))
        assert [item["executionArn"] for item in listed] == ([execution] if belongs else [])


def versions_started(service: Service) -> list[str | None]:
    return [run.execution.version_arn for run in service.api.service.engine.runs.values()]


def test_an_alias_shares_executions_out_by_weight(service: Service) -> None:
    one, two = published(service)
    service("CreateStateMachineAlias", name="PROD", routingConfiguration=routes((one, 80), (two, 20)))
    for _ in range(500):
        service("StartExecution", stateMachineArn=ORDERS + ":PROD")
    counts = [versions_started(service).count(arn) for arn in (one, two)]
    assert sum(counts) == 500
    assert 370 < counts[0] < 430


@pytest.mark.parametrize("weights", [(0, 100), (100, 0)])
def test_a_weight_of_nothing_is_never_chosen(service: Service, weights: tuple[int, int]) -> None:
    one, two = published(service)
    service("CreateStateMachineAlias", name="P", routingConfiguration=routes((one, weights[0]), (two, weights[1])))
    for _ in range(50):
        service("StartExecution", stateMachineArn=ORDERS + ":P")
    assert set(versions_started(service)) == {two if weights[1] else one}


def test_running_executions_keep_their_revision(service: Service) -> None:
    service.machine()
    execution = service("StartExecution", stateMachineArn=ORDERS)["executionArn"]
    other = {"StartAt": "Other", "States": {"Other": {"Type": "Fail", "Error": "No"}}}
    service("UpdateStateMachine", stateMachineArn=ORDERS, definition=text(other), roleArn=ROLE)
    service.settle()
    assert service("DescribeExecution", executionArn=execution)["status"] == "SUCCEEDED"
    assert service("DescribeStateMachineForExecution", executionArn=execution)["definition"] == text(PASS)
