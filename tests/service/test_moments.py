"""Moments as the language sees them: a Wait's, and those of the context object.

Source: AWS guide, "Wait workflow state" and "Accessing execution data from the Context object".
"""

from __future__ import annotations

import json

from kaidan.asl.query.timestamps import format_ms
from tests.service.support import Service


def test_a_wait_cuts_off_fractions_of_a_second(service: Service) -> None:
    wait = {"Type": "Wait", "TimestampPath": "$.at", "End": True}
    machine = service.machine(definition={"StartAt": "Wait", "States": {"Wait": wait}})
    now_ms = service.api.service.engine.clock.now_ms()
    start_ms = now_ms // 1000 * 1000
    arn = service.run(machine, input=json.dumps({"at": format_ms(start_ms + 10_900)}))
    service.pass_time(start_ms + 9_999 - now_ms)
    service.settle()
    assert service("DescribeExecution", executionArn=arn)["status"] == "RUNNING"
    service.pass_time(1)
    service.settle()
    assert service("DescribeExecution", executionArn=arn)["status"] == "SUCCEEDED"


def test_a_moment_on_the_second_shows_no_fraction() -> None:
    assert format_ms(1_756_288_962_000) == "2025-08-27T10:02:42Z"
    assert format_ms(1_756_288_962_010) == "2025-08-27T10:02:42.010Z"
