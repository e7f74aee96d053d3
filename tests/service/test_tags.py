"""Tags of state machines and activities."""

from __future__ import annotations

import pytest

from tests.service.support import ARN, Service


def tags(service: Service, arn: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in service("ListTagsForResource", resourceArn=arn)["tags"]}


def made(service: Service, kind: str) -> str:
    first = [{"key": "team", "value": "a"}]
    if kind == "activity":
        arn: str = service("CreateActivity", name="pack", tags=first)["activityArn"]
        return arn
    return service.machine(tags=first)


@pytest.mark.parametrize("kind", ["stateMachine", "activity"])
def test_tags_come_and_go(service: Service, kind: str) -> None:
    arn = made(service, kind)
    assert tags(service, arn) == {"team": "a"}
    new = [{"key": "team", "value": "b"}, {"key": "env", "value": "x"}, {"key": "env", "value": ""}]
    service("TagResource", resourceArn=arn, tags=new)
    service("TagResource", resourceArn=arn, tags=[])
    assert tags(service, arn) == {"team": "b", "env": ""}
    service("UntagResource", resourceArn=arn, tagKeys=["team", "missing"])
    assert tags(service, arn) == {"env": ""}


def test_there_are_fifty_at_most(service: Service) -> None:
    arn = made(service, "activity")
    service("TagResource", resourceArn=arn, tags=[{"key": f"k{number}", "value": ""} for number in range(49)])
    service("TagResource", resourceArn=arn, tags=[{"key": "k0", "value": "again"}])
    assert service.refuses("TagResource", resourceArn=arn, tags=[{"key": "more", "value": ""}])[0] == "TooManyTags"
    assert len(tags(service, arn)) == 50


@pytest.mark.parametrize(
    ("operation", "params"),
    [("ListTagsForResource", {}), ("TagResource", {"tags": []}), ("UntagResource", {"tagKeys": []})],
)
@pytest.mark.parametrize("kind", ["stateMachine", "activity"])
def test_what_is_not_there_has_no_tags(
    service: Service, operation: str, params: dict[str, list[str]], kind: str
) -> None:
    arn = f"{ARN}{kind}:missing"
    refusal = service.refuses(operation, resourceArn=arn, **params)
    assert refusal == ("ResourceNotFound", f"Resource not found: '{arn}'")


def test_executions_have_no_tags(service: Service) -> None:
    assert service.refuses("ListTagsForResource", resourceArn=ARN + "execution:a:b")[0] == "InvalidArn"


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("Käse 1_.:/=+-@", "", True),
        ("a", "値\u3000 2", True),
        ("a!", "", False),
        ("a", "b,c", False),
        ("a", "b\n", False),
        ("aws:team", "", False),
        ("AWS:team", "", False),
        ("team", "aws:x", True),
    ],
)
def test_what_tags_may_hold(service: Service, key: str, value: str, accepted: bool) -> None:
    """API reference, TagResource; AWS guide: keys that begin with `aws:` are reserved."""
    arn, tag = made(service, "activity"), {"key": key, "value": value}
    if accepted:
        service("TagResource", resourceArn=arn, tags=[tag])
        assert tags(service, arn)[key] == value
    else:
        assert service.refuses("TagResource", resourceArn=arn, tags=[tag])[0] == "ValidationException"
        assert service.refuses("CreateActivity", name="other", tags=[tag])[0] == "ValidationException"
        assert tags(service, arn) == {"team": "a"}
