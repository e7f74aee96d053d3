"""Operations on tags: of state machines and activities."""

from __future__ import annotations

import unicodedata
from typing import Any

from kaidan.service import refs
from kaidan.service.errors import ApiError, invalid, resource_not_found
from kaidan.service.state import Service

TAGS_MAX = 50
"""Tags of one resource (AWS guide, "Quotas related to tagging")."""


def first(arn: str, params: dict[str, Any]) -> dict[str, str]:
    """The tags that a new resource is made with. Raises TooManyTags."""
    return _joined(arn, {}, params.get("tags", []))


def tag_resource(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """TagResource: of tags with one key, the last counts."""
    arn = params["resourceArn"]
    tags = _of(service, arn)
    tags.update(_joined(arn, tags, params["tags"]))
    return {}


def untag_resource(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """UntagResource: keys that are not there are no error (recorded)."""
    tags = _of(service, params["resourceArn"])
    for key in params["tagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _of(service, params["resourceArn"])
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _of(service: Service, arn: str) -> dict[str, str]:
    refs.taggable(arn)
    resource = service.machines.get(arn) or service.activities.get(arn)
    if resource is None:
        raise resource_not_found(f"Resource not found: '{arn}'", arn)
    return resource.tags


_SIGNS = frozenset("_.:/=+-@")
_RESERVED = "aws:"


def _check(tag: dict[str, str]) -> None:
    """Letters, digits, spaces and some signs (API reference, TagResource); no key that is AWS's own (AWS guide)."""
    for member in ("key", "value"):
        text = tag.get(member) or ""
        if not all(unicodedata.category(char)[0] in "LNZ" or char in _SIGNS for char in text):
            raise invalid(f"The tag {member} '{text}' has characters other than letters, digits, spaces and _.:/=+-@")
    if tag.get("key", "").lower().startswith(_RESERVED):
        raise invalid(f"The tag key '{tag['key']}' begins with '{_RESERVED}', which is reserved")


def _joined(arn: str, tags: dict[str, str], new: list[dict[str, str]]) -> dict[str, str]:
    for tag in new:
        _check(tag)
    joined = tags | {tag["key"]: tag.get("value", "") for tag in new if "key" in tag}
    if len(joined) > TAGS_MAX:
        message = f"A resource can have {TAGS_MAX} tags at most; this would make {len(joined)}: '{arn}'"
        raise ApiError("TooManyTags", message, members={"resourceName": arn})
    return joined
