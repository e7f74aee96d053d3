"""Every pattern that moto can carry out against moto's server, and what it cannot by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name

from kaidan.integrations.dispatch import SERVICES, Dispatcher, optimised_actions
from kaidan.values import loads
from tests.integrations.cases.moto import ABSENT, CASES, MotoCase
from tests.integrations.emulated import World, emulated_aws
from tests.integrations.support import FakeReply, at_once, task

NAMES = {"": "one", "sync": "two", "sync:2": "three", "waitForTaskToken": "four"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with emulated_aws() as world:
        yield world


def shown(value: Any, expected: Any) -> Any:
    """As much of a value as is expected, so that the two can be compared."""
    if isinstance(expected, type):
        return expected if isinstance(value, expected) else value
    if isinstance(expected, dict) and isinstance(value, dict):
        return {name: shown(value.get(name), part) for name, part in expected.items()}
    if isinstance(expected, list) and isinstance(value, list) and len(value) == len(expected):
        return [shown(item, part) for item, part in zip(value, expected, strict=True)]
    return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.resource)
def test_against_moto(world: World, case: MotoCase) -> None:
    reply = FakeReply()
    Dispatcher(world.clients, at_once)(
        task(case.resource, case.parameters(world, NAMES[".".join(case.resource.split(".")[1:])])), reply
    )
    if case.during is not None:
        reply.pass_time(2)
        assert reply.names == ["started", "job", "submitted"], reply.told
        case.during(world, reply.told[1][1])
        reply.pass_time(300)
        error, cause = reply.failure
        assert error == "States.TaskFailed"
        assert shown(loads(cause), case.shows) == case.shows
    else:
        reply.pass_time(300)
        assert reply.names[-1] == ("submitted" if case.resource.endswith("Token") else "succeeded"), reply.told
        assert shown(reply.told[-1][1], case.shows) == case.shows


def test_every_pattern_is_tried_or_named_as_absent() -> None:
    there = {
        f"{service}:{action}{pattern}"
        for service, actions in optimised_actions().items()
        for action, patterns in actions.items()
        for pattern in patterns
    }
    tried = [case.resource for case in CASES]
    absent = {resource for resource in there if resource in ABSENT or resource.partition(".")[0] in ABSENT}
    assert set(tried) == there - absent
    assert len(tried) == len(set(tried))


@pytest.mark.parametrize("resource", [name for name, lack in ABSENT.items() if lack[0].isupper()])
def test_what_moto_lacks_it_still_lacks(world: World, resource: str) -> None:
    """Else there should be a case."""
    token, _, action = resource.partition(":")
    service = SERVICES[token]
    client = world.client(service.actions[action].client or service.client)
    with pytest.raises(Exception, match=r"(404|500|not been implemented)"):
        getattr(client, xform_name(ABSENT[resource]))(**_anything(client, ABSENT[resource]))


def _anything(client: Any, operation: str) -> dict[str, Any]:
    """Members that stand in the path."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    return {
        name: "0123456789-0123456789-0123456789-012"
        for name in shape.required_members
        if shape.members[name].serialization.get("location") in ("uri", "querystring", "header")
    }
