"""Operations on executions."""

from __future__ import annotations

from typing import Any

from kaidan.arns import execution_arn
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.limits import AWS
from kaidan.protocol.history import to_aws
from kaidan.runtime.run import Run
from kaidan.service.errors import ApiError
from kaidan.service.machines import find as find_machine
from kaidan.service.state import Service, StateMachine
from kaidan.service.wire import moment
from kaidan.values import InvalidJson, Payload


def start_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StartExecution: the same name with the same input gives the same running execution."""
    machine = find_machine(service, params["stateMachineArn"])
    run = _start(service, machine, params)
    return {"executionArn": run.execution.arn, "startDate": moment(run.execution.start_ms)}


def _start(service: Service, machine: StateMachine, params: dict[str, Any]) -> Run:
    payload = _input(params.get("input") or "{}")
    name = params.get("name") or service.source.uuid4()
    express_id = service.source.uuid4() if machine.type == "EXPRESS" else None
    arn = execution_arn(machine.arn, name, express_id=express_id)
    existing = service.engine.runs.get(arn)
    if existing is not None:
        if existing.execution.status == "RUNNING" and existing.execution.input.value == payload.value:
            return existing
        raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    execution = Execution(
        arn=arn,
        name=name,
        machine_arn=machine.arn,
        machine_name=machine.name,
        role_arn=machine.role_arn,
        input=payload,
        start_ms=service.engine.clock.now_ms(),
        region=service.region,
        express=machine.type == "EXPRESS",
    )
    run = Run(
        Machine(
            machine.program,
            service.source,
            revision=service.revision,
        ),
        execution,
    )
    service.engine.start(run)
    return run


def _input(text: str) -> Payload:
    try:
        payload = Payload.of_text(text)
    except InvalidJson as problem:
        raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'") from None
    if payload.size_bytes > AWS.payload_bytes_max:
        raise ApiError("InvalidExecutionInput", "Invalid State Machine Execution Input: 'size exceeds 262144'")
    return payload


def start_sync_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StartSyncExecution: runs an Express execution to its end and answers with its outcome."""
    machine = find_machine(service, params["stateMachineArn"])
    if machine.type != "EXPRESS":
        raise ApiError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    run = _start(service, machine, params)
    execution = run.execution
    service.engine.run_until(lambda: execution.status != "RUNNING", AWS.express_duration_s_max)
    return {
        "executionArn": execution.arn,
        "stateMachineArn": machine.arn,
        "name": execution.name,
        "startDate": moment(execution.start_ms),
        "stopDate": moment(execution.stop_ms),
        "status": execution.status,
        "input": execution.input.text,
        "inputDetails": {"included": True},
        **_outcome(execution),
        "billingDetails": _billing(execution),
    }


def _billing(execution: Execution) -> dict[str, int]:
    """Memory in MB in steps of 64, duration in ms in steps of 100, as Express is billed."""
    duration_ms = execution.stop_ms - execution.start_ms
    return {
        "billedMemoryUsedInMB": 64,
        "billedDurationInMilliseconds": max(100, -(-duration_ms // 100) * 100),
    }


def find(service: Service, arn: str) -> Run:
    """The execution of an ARN, or ExecutionDoesNotExist."""
    try:
        return service.engine.runs[arn]
    except KeyError:
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None


def describe_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeExecution."""
    run = find(service, params["executionArn"])
    execution = run.execution
    answer = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": moment(execution.start_ms),
        "input": execution.input.text,
        "inputDetails": {"included": True},
        **_outcome(execution),
        **(_redrive(execution) if service.revision.redrive else {}),
    }
    if execution.status != "RUNNING":
        answer["stopDate"] = moment(execution.stop_ms)
    if run.map_run_arn is not None:
        answer["mapRunArn"] = run.map_run_arn
    return answer


def _outcome(execution: Execution) -> dict[str, Any]:
    outcome: dict[str, Any] = {"error": execution.error, "cause": execution.cause}
    if execution.output is not None:
        outcome |= {"output": execution.output.text, "outputDetails": {"included": True}}
    return {key: value for key, value in outcome.items() if value is not None}


def _redrive(execution: Execution) -> dict[str, Any]:
    answer: dict[str, Any] = {"redriveCount": execution.redrive_count}
    if execution.status in ("RUNNING", "SUCCEEDED"):
        answer["redriveStatus"] = "NOT_REDRIVABLE"
        answer["redriveStatusReason"] = f"Execution is {execution.status} and cannot be redriven"
    else:
        answer["redriveStatus"] = "REDRIVABLE"
    return answer


def stop_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StopExecution."""
    run = find(service, params["executionArn"])
    service.engine.stop(run.execution.arn, params.get("error"), params.get("cause"))
    return {"stopDate": moment(run.execution.stop_ms or service.engine.clock.now_ms())}


def get_execution_history(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """GetExecutionHistory: pages of `maxResults` (1,000 at most), oldest first or `reverseOrder`."""
    run = find(service, params["executionArn"])
    events = run.history[::-1] if params.get("reverseOrder") else run.history
    first = int(params.get("nextToken") or 0)
    most = params.get("maxResults") or 1000
    include = params.get("includeExecutionData", True)
    page = [to_aws(event, moment(event.timestamp_ms), include_data=include) for event in events[first : first + most]]
    answer: dict[str, Any] = {"events": page}
    if first + most < len(events):
        answer["nextToken"] = str(first + most)
    return answer
