"""The Context object (`$$`, `$states.context`) and the variables that a frame sees.

    {"Execution": {"Id", "Input", "StartTime", "Name", "RoleArn", "RedriveCount", "RedriveTime"},
     "StateMachine": {"Id", "Name"}, "State": {"Name", "EnteredTime", "RetryCount"},
     "Task": {"Token"}, "Map": {"Item": {"Index", "Value"}}}

Members and their order as recorded. RetryCount is there for states that can be retried, Task for tasks that
wait for something (`.sync`, `.waitForTaskToken`, activities), Map inside a Map, RedriveTime after a redrive, but not in
Express children of a Map Run (AWS guide, "Context object").
"""

from __future__ import annotations

import base64
from collections import ChainMap
from collections.abc import Mapping

from kaidan.asl.machine.execution import Execution, Frame
from kaidan.asl.query.env import Env, Source
from kaidan.asl.query.timestamps import format_ms
from kaidan.asl.states.state import State
from kaidan.revisions import Revision
from kaidan.values import JSON


class Surroundings:
    """Makes the Env of an evaluation in one execution."""

    __slots__ = ("_execution", "_revision", "_source")

    def __init__(self, execution: Execution, source: Source, revision: Revision) -> None:
        self._execution = execution
        self._source = source
        self._revision = revision

    def env(self, frame: Frame, state: State, now_ms: int, item: JSON = None) -> Env:
        """`item`: the `Map.Item` that ItemSelector sees; otherwise that of the iteration around the frame."""
        variables = frame.variables if not frame.parent_id else self._variables(frame)
        return Env(lambda: self._context(frame, state, item), variables, self._source, now_ms)

    def token(self, frame: Frame) -> str:
        """The task token of the frame's current attempt, made on first use: opaque, and hard to guess."""
        if not frame.token:
            plain = f"{self._execution.arn} {frame.id} {self._source.uuid4()}"
            frame.token = base64.b64encode(plain.encode()).decode()
        return frame.token

    def _variables(self, frame: Frame) -> Mapping[str, JSON]:
        scopes = [frame.variables]
        while frame.parent_id:
            frame = self._execution.frames[frame.parent_id]
            scopes.append(frame.variables)
        return ChainMap(*scopes)

    def _context(self, frame: Frame, state: State, item: JSON) -> JSON:
        context: dict[str, JSON] = {
            "Execution": self._execution_part(),
            "StateMachine": {"Id": self._execution.machine_arn, "Name": self._execution.machine_name},
            "State": {"Name": state.name, "EnteredTime": format_ms(frame.entered_ms)},
        }
        if state.recovers:
            context["State"]["RetryCount"] = frame.retry_count
        if state.has_token:
            context["Task"] = {"Token": self.token(frame)}
        item = item if item is not None else self._map_item(frame)
        if item is not None:
            context["Map"] = {"Item": item}
        return context

    def _execution_part(self) -> JSON:
        execution = self._execution
        part: dict[str, JSON] = {
            "Id": execution.arn,
            "Input": execution.input.value,
            "StartTime": format_ms(execution.start_ms),
            "Name": execution.name,
            "RoleArn": execution.role_arn,
        }
        if self._revision.redrive:
            part["RedriveCount"] = execution.redrive_count
        if execution.redrive_ms:
            part["RedriveTime"] = format_ms(execution.redrive_ms)
        return part

    def _map_item(self, frame: Frame) -> JSON:
        while frame.parent_id:
            if frame.kind == "iteration":
                return {"Index": frame.index, "Value": frame.item}
            frame = self._execution.frames[frame.parent_id]
        return self._execution.map_item
