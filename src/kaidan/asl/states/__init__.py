"""One chapter per state type. `CHAPTERS` is the list that the language reads; it names no type itself."""

from __future__ import annotations

from collections.abc import Callable

from kaidan.asl.states import choice, fail, map_fields, parallel, pass_, succeed, task, wait
from kaidan.asl.states.choice import Choice
from kaidan.asl.states.dataflow import Definition
from kaidan.asl.states.fail import Fail
from kaidan.asl.states.fields import Record
from kaidan.asl.states.map import Map
from kaidan.asl.states.parallel import Parallel
from kaidan.asl.states.pass_ import Pass
from kaidan.asl.states.state import Compiler, State
from kaidan.asl.states.succeed import Succeed
from kaidan.asl.states.task import Task
from kaidan.asl.states.wait import Wait

CHAPTERS: dict[str, Callable[[Definition, Compiler], State]] = {
    "Task": Task,
    "Wait": Wait,
    "Pass": Pass,
    "Succeed": Succeed,
    "Fail": Fail,
    "Choice": Choice,
    "Parallel": Parallel,
    "Map": Map,
}
"""Type → chapter, in the order in which AWS lists them in its messages."""

TABLES: dict[str, Record] = {
    "Task": Record(task.FIELDS, task.check),
    "Wait": Record(wait.FIELDS),
    "Pass": Record(pass_.FIELDS),
    "Succeed": Record(succeed.FIELDS),
    "Fail": Record(fail.FIELDS),
    "Choice": Record(choice.FIELDS),
    "Parallel": Record(parallel.FIELDS),
    "Map": Record(map_fields.FIELDS),
}
"""Type → what a state of the type may hold."""

__all__ = ["CHAPTERS", "TABLES"]
