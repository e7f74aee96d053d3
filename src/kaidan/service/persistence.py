"""State machines and activities as the store keeps them: written when an operation changes them, read at the start.

    machine         its ARN    {"name": "orders", "current": "3", "versions": [{"number": 1, "configuration": "2"}], …}
    configuration   "3"        {"definition": "9f86d0…", "role_arn": "arn:aws:iam::…", "revision_id": …, …}
    definition      its SHA-256, as text
    activity        its ARN    {"name": "approve", …}

What is written becomes part of the next save, together with what executions did. Executions are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Literal, TypeVar

import msgspec

from kaidan.service import deletion, refs
from kaidan.service.state import Activity, Alias, Configuration, Service, StateMachine, Version
from kaidan.store.contract import Query, Store

MACHINE, CONFIGURATION, DEFINITION, ACTIVITY = "machine", "configuration", "definition", "activity"

CHANGED: dict[str, str] = {
    "CreateActivity": "activityArn",
    "CreateStateMachine": "stateMachineArn",
    "CreateStateMachineAlias": "stateMachineAliasArn",
    "DeleteActivity": "activityArn",
    "DeleteStateMachine": "stateMachineArn",
    "DeleteStateMachineAlias": "stateMachineAliasArn",
    "DeleteStateMachineVersion": "stateMachineVersionArn",
    "PublishStateMachineVersion": "stateMachineArn",
    "TagResource": "resourceArn",
    "UntagResource": "resourceArn",
    "UpdateStateMachine": "stateMachineArn",
    "UpdateStateMachineAlias": "stateMachineAliasArn",
}
"""Operations that change what is kept here → the member, of the answer or the request, that says of what."""

T = TypeVar("T")


class KeptVersion(msgspec.Struct):
    """A version; its configuration by key."""

    number: int
    configuration: str
    description: str | None
    created_ms: int


class KeptMachine(msgspec.Struct, kw_only=True):
    """A state machine; its configurations by key."""

    arn: str
    name: str
    type: Literal["STANDARD", "EXPRESS"]
    created_ms: int
    current: str
    executions_before: int
    published: tuple[bool, str | None]
    deleting: bool
    versions: list[KeptVersion]
    last_version: int
    aliases: dict[str, Alias]
    tags: dict[str, str]


class KeptActivity(msgspec.Struct):
    """An activity without those who wait for it: tasks are the engine's, and workers ask again."""

    arn: str
    name: str
    created_ms: int
    encryption: dict[str, Any]
    tags: dict[str, str]


class Persistence:
    """Keeps what a service knows in a store."""

    def __init__(self, service: Service, store: Store) -> None:
        self._service = service
        self._store = store
        self._keys: set[str] = set()
        """Configurations that the store has. They never change."""
        self._digests: set[str] = set()
        """Definitions that the store has."""

    # --- writing ------------------------------------------------------------------------------------------

    def note(self, operation: str, params: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """An operation was done: write what it changed."""
        member = CHANGED.get(operation)
        if member is not None:
            arn = answer[member] if operation.startswith("Create") else params[member]
            self._write(_unqualified(arn))

    def _write(self, arn: str) -> None:
        machine, activity = self._service.machines.get(arn), self._service.activities.get(arn)
        if machine is not None:
            for configuration in _configurations(machine):
                self._write_configuration(configuration)
            self._put(MACHINE, arn, _kept_machine(machine))
        elif activity is not None:
            self._put(ACTIVITY, arn, _kept_activity(activity))
        else:
            self._store.drop(MACHINE, arn)
            self._store.drop(ACTIVITY, arn)

    def _write_configuration(self, configuration: Configuration) -> None:
        if configuration.key in self._keys:
            return
        digest = _digest(configuration)
        if digest not in self._digests:
            self._store.put(DEFINITION, digest, configuration.definition.encode())
        self._put(CONFIGURATION, configuration.key, replace(configuration, definition=digest))
        self._keys.add(configuration.key)
        self._digests.add(digest)

    def _put(self, kind: str, key: str, kept: Any) -> None:
        self._store.put(kind, key, msgspec.msgpack.encode(kept))

    # --- reading ------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Fill a new service. Before the engine recovers: what it takes up needs its configurations."""
        service = self._service
        for configuration in sorted(self._stored_configurations(), key=lambda each: int(each.key)):
            service.configurations[configuration.key] = configuration
        for kept in self._stored(MACHINE, KeptMachine):
            service.machines[kept.arn] = _machine(kept, service.configurations)
        for kept_activity in self._stored(ACTIVITY, KeptActivity):
            service.activities[kept_activity.arn] = Activity(**msgspec.structs.asdict(kept_activity))
        self._go_on_deleting()

    def _stored(self, kind: str, type: type[T]) -> Iterator[T]:
        decode: Callable[[bytes], T] = msgspec.msgpack.Decoder(type).decode
        return (decode(data) for _, data in self._store.documents(kind))

    def _stored_configurations(self) -> Iterator[Configuration]:
        definitions = {digest: text.decode() for digest, text in self._store.documents(DEFINITION)}
        self._digests |= definitions.keys()
        for configuration in self._stored(CONFIGURATION, Configuration):
            self._keys.add(configuration.key)
            yield replace(configuration, definition=definitions[configuration.definition])

    def _go_on_deleting(self) -> None:
        for machine in [each for each in self._service.machines.values() if each.deleting]:
            deletion.delete(self._service, machine)
            self._write(machine.arn)

    # --- forgetting ---------------------------------------------------------------------------------------

    def forget_unused(self) -> None:
        """Drop the revisions of former times that no machine, version or execution has any more."""
        service = self._service
        used = {each.key for machine in service.machines.values() for each in _configurations(machine)}
        for key in service.configurations.keys() - used:
            if not self._has_executions(service.configurations[key]):
                del service.configurations[key]
                self._store.drop(CONFIGURATION, key)
                self._keys.discard(key)
        for digest in self._digests - set(map(_digest, service.configurations.values())):
            self._store.drop(DEFINITION, digest)
            self._digests.discard(digest)

    def _has_executions(self, configuration: Configuration) -> bool:
        return bool(self._service.engine.list(Query(machine_arn=configuration.machine_arn, limit=1)))


def _digest(configuration: Configuration) -> str:
    return sha256(configuration.definition.encode()).hexdigest()


def _unqualified(arn: str) -> str:
    """Of a state machine, a version, an alias or an activity: the ARN that it is kept under."""
    return refs.state_machine(arn)[0] if ":stateMachine:" in arn else arn


def _configurations(machine: StateMachine) -> Iterator[Configuration]:
    yield machine.current
    yield from (version.configuration for version in machine.versions.values())


def _kept_machine(machine: StateMachine) -> KeptMachine:
    return KeptMachine(
        arn=machine.arn,
        name=machine.name,
        type=machine.type,
        created_ms=machine.created_ms,
        current=machine.current.key,
        executions_before=machine.executions_before,
        published=machine.published,
        deleting=machine.deleting,
        versions=[
            KeptVersion(each.number, each.configuration.key, each.description, each.created_ms)
            for each in machine.versions.values()
        ],
        last_version=machine.last_version,
        aliases=machine.aliases,
        tags=machine.tags,
    )


def _machine(kept: KeptMachine, configurations: Mapping[str, Configuration]) -> StateMachine:
    versions = {
        each.number: Version(
            f"{kept.arn}:{each.number}",
            each.number,
            configurations[each.configuration],
            each.description,
            each.created_ms,
        )
        for each in kept.versions
    }
    own = msgspec.structs.asdict(kept) | {"current": configurations[kept.current], "versions": versions}
    return StateMachine(**own)


def _kept_activity(activity: Activity) -> KeptActivity:
    return KeptActivity(activity.arn, activity.name, activity.created_ms, activity.encryption, activity.tags)
