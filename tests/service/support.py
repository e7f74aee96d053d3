"""A service to test: every answer is held against the output shape of the API's model."""

from __future__ import annotations

import datetime
import json
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader

from kaidan.runtime.sources import SeededSource
from kaidan.service.api import Api
from kaidan.service.errors import ApiError

ROLE = "arn:aws:iam::123456789012:role/runner"
ARN = "arn:aws:states:us-east-1:123456789012:"

PASS: dict[str, Any] = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
WAIT: dict[str, Any] = {
    "StartAt": "Hold",
    "States": {"Hold": {"Type": "Wait", "Seconds": 600, "Next": "Only"}, "Only": {"Type": "Pass", "End": True}},
}

ASK: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ec2:describeImages",
            "Parameters": {},
            "End": True,
        }
    },
}


def text(definition: dict[str, Any], comment: str = "") -> str:
    return json.dumps(definition | ({"Comment": comment} if comment else {}))


class Service:
    """`service("StartExecution", stateMachineArn=…)`, with chance that can be repeated."""

    def __init__(self, as_of: datetime.date | None = None, **settings: Any) -> None:
        self.api = Api(as_of=as_of, **settings)
        self.api.service.source = SeededSource(7)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer = self.api.call(operation, params)
        assert not list(misfits(operation_shape(operation), answer)), operation
        return answer

    def refuses(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of the refusal."""
        with pytest.raises(ApiError) as refusal:
            self.api.call(operation, params)
        return refusal.value.code, refusal.value.message

    def machine(self, name: str = "orders", definition: dict[str, Any] = PASS, **more: Any) -> str:
        created = self("CreateStateMachine", name=name, definition=text(definition), roleArn=ROLE, **more)
        arn: str = created["stateMachineArn"]
        return arn

    def run(self, machine_arn: str, **more: Any) -> str:
        """An execution, run for as long as nothing has to be waited for."""
        arn: str = self("StartExecution", stateMachineArn=machine_arn, **more)["executionArn"]
        self.settle()
        return arn

    def settle(self, seconds: float = 0) -> None:
        self.api.settle(lambda: False, seconds)

    def pass_time(self, milliseconds: int) -> None:
        clock = self.api.service.engine.clock
        clock.skip_to(clock.now_ms() + milliseconds)


@cache
def model() -> dict[str, Any]:
    loaded: dict[str, Any] = Loader().load_service_model("stepfunctions", "service-2")
    return loaded


def operation_shape(operation: str) -> str:
    shape: str = model()["operations"][operation]["output"]["shape"]
    return shape


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "timestamp": (datetime.datetime,),
    "integer": (int,),
    "long": (int,),
    "float": (float,),
}


def misfits(name: str, value: Any, place: str = "") -> Any:
    """What in an answer is not as the model says: unknown or missing members, wrong types, unknown words."""
    shape = model()["shapes"][name]
    match shape["type"]:
        case "structure":
            members = shape["members"]
            yield from (f"{place} lacks {key}" for key in shape.get("required", ()) if key not in value)
            yield from (f"{place}.{key} is unknown" for key in value if key not in members)
            for key in value.keys() & members.keys():
                yield from misfits(members[key]["shape"], value[key], f"{place}.{key}")
        case "list":
            for index, item in enumerate(value):
                yield from misfits(shape["member"]["shape"], item, f"{place}[{index}]")
        case "map":
            for key, item in value.items():
                yield from misfits(shape["value"]["shape"], item, f"{place}.{key}")
        case kind:
            if type(value) not in _TYPES[kind] or value not in shape.get("enum", [value]):
                yield f"{place} is {value!r}"
