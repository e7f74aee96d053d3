"""One visit of a state, and what a state can ask for. A state never calls the machine: it returns a Step.

    enter(visit)           →  Exit | Halt | Sleep | Ask | FanOut
    resume(visit, result)  →  Exit        (a task answered, a timer fired, all children are done)

Both may raise StateError; Retry and Catch are the machine's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from kaidan.arns import TaskResource
from kaidan.asl.query.env import Env
from kaidan.values import JSON, Payload

Observer: TypeAlias = Callable[[str, Payload], None]
"""Told what each step of the data flow has made, by the step's name in the API: `("afterInputPath", payload)`."""


class Visit:
    """What a state sees: its raw input, the surroundings of its expressions, and the time.

    `effective` is the input after InputPath, once the data flow has made it; before, the raw input. `observe` is
    None unless somebody looks on.
    """

    __slots__ = ("effective", "env", "input", "now_ms", "observe")

    def __init__(self, env: Env, input: Payload, now_ms: int) -> None:
        self.env = env
        self.input = input
        self.effective = input
        self.now_ms = now_ms
        self.observe: Observer | None = None


class Exit(msgspec.Struct, frozen=True, gc=False):
    """Leave the state with `output`. `next` None ends the scope; `assigned` are the variables to set."""

    next: str | None
    output: Payload
    assigned: dict[str, JSON] | None = None


class Halt(msgspec.Struct, frozen=True):
    """A Fail state: end the scope with this error."""

    error: str | None
    cause: str | None


class Sleep(msgspec.Struct, frozen=True):
    """Come back at `due_ms` (Unix milliseconds)."""

    due_ms: int


class Ask(msgspec.Struct, frozen=True):
    """Have a task carried out."""

    resource: TaskResource
    parameters: Payload
    timeout_s: int | None = None
    heartbeat_s: int | None = None
    role_arn: str | None = None


class FanOut(msgspec.Struct, frozen=True):
    """Run children: one per branch (`items` None), or one per item.

    `input` is what branches get and ItemSelector sees; `concurrency` 0 means no limit of the definition's own.
    Where an ItemReader brings the items, there are none here. `keyed`: they are an object's members, each as
    `{"Key": …, "Value": …}`.
    """

    input: Payload
    scopes: tuple[str, ...]
    items: list[JSON] | None = None
    concurrency: int = 0
    keyed: bool = False


Step: TypeAlias = Exit | Halt | Sleep | Ask | FanOut
