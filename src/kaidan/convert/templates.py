"""Payload templates of JSONPath as nodes: the `name.$` members are paths or calls, the rest is taken as it is."""

from __future__ import annotations

from kaidan.asl.query.intrinsics import is_intrinsic
from kaidan.convert.expressions import Arr, Const, Node, Obj, inside
from kaidan.convert.intrinsics import Note, call
from kaidan.convert.paths import Scene, path
from kaidan.values import JSON


def payload(template: JSON, scene: Scene, note: Note) -> Node:
    """The node of a template. Raises Unconvertible with the place inside it: `/a/b.$`."""
    if isinstance(template, dict):
        return _object(template, scene, note)
    if isinstance(template, list):
        return _array(template, scene, note)
    return Const(template)


def _object(template: dict[str, JSON], scene: Scene, note: Note) -> Node:
    members: dict[str, Node] = {}
    for key, part in template.items():
        with inside(f"/{key}"):
            if key.endswith(".$"):
                members[key[:-2]] = value(part, scene, note)
            else:
                members[key] = payload(part, scene, note)
    if all(isinstance(member, Const) for member in members.values()):
        return Const({key: member.value for key, member in members.items() if isinstance(member, Const)})
    return Obj(members)


def _array(template: list[JSON], scene: Scene, note: Note) -> Node:
    items: list[Node] = []
    for index, part in enumerate(template):
        with inside(f"[{index}]"):
            items.append(payload(part, scene, note))
    if all(isinstance(item, Const) for item in items):
        return Const(template)
    return Arr(items)


def value(text: str, scene: Scene, note: Note) -> Node:
    """What a path or an intrinsic call gives. Raises Unconvertible."""
    return call(text, scene, note) if is_intrinsic(text) else path(text, scene)
