"""Amazon EventBridge: `events:putEvents`. Each event names the state machine and the execution among its resources;
one entry that fails fails the task: `EventBridge.FailedEntry`. Source: AWS guide, "Add EventBridge events";
recordings of AWS."""

from __future__ import annotations

from kaidan.arns import Arn
from kaidan.errors import StateError
from kaidan.integrations.jobs import Fields
from kaidan.integrations.optimised import Action, Service, Situation
from kaidan.values import JSON, dumps


def _with_resources(fields: Fields, situation: Situation) -> Fields:
    """Behind the resources that an entry has already, the machine before the execution (recorded)."""
    if not situation.arn or not isinstance(fields.get("Entries"), list):
        return fields
    origin = [_machine(situation.arn), situation.arn]
    entries = [
        entry | {"Resources": [*(entry.get("Resources") or ()), *origin]} if isinstance(entry, dict) else entry
        for entry in fields["Entries"]
    ]
    return fields | {"Entries": entries}


def _machine(execution: str) -> str:
    arn = Arn.parse(execution)
    return arn.states("stateMachine:" + arn.resource.split(":")[1])


def _no_failed_entry(answer: Fields, parameters: Fields, situation: Situation) -> JSON:
    if answer.get("FailedEntryCount"):
        raise StateError("EventBridge.FailedEntry", dumps(answer))
    return answer


SERVICE = Service(
    token="events",
    client="events",
    prefix="EventBridge",
    product="AmazonEventBridge",
    exception="AmazonEventBridgeException",
    metadata=False,
    actions={"putEvents": Action("PutEvents", token=True, completed=_with_resources, result=_no_failed_entry)},
)
