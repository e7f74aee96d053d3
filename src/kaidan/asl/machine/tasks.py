"""What the machine does for a frame whose state asked for a task: events, tokens, time-outs.

The history's names differ by what does the work; `_FAMILIES` is that difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from kaidan import errors
from kaidan.arns import TaskKind, TaskResource, task_resource
from kaidan.asl.machine.execution import Frame
from kaidan.asl.states.recovery import HeartbeatMissed
from kaidan.asl.states.visit import Ask
from kaidan.errors import StateError, runtime_error
from kaidan.protocol import effects as fx
from kaidan.protocol import events as ev
from kaidan.values import JSON, Payload

if TYPE_CHECKING:
    from kaidan.asl.machine.advance import Turn


class Family(NamedTuple):
    """Event names of one kind of task, and whether each event repeats the resource."""

    prefix: str
    names_resource: bool


_FAMILIES: dict[TaskKind, Family] = {
    "integration": Family("Task", True),
    "lambda": Family("LambdaFunction", False),
    "activity": Family("Activity", False),
}


def ask(turn: Turn, frame: Frame, step: Ask) -> None:
    """Schedule a task: parameters that cannot start it are an error of the state (recorded)."""
    resource, parameters = step.resource, step.parameters
    refusal = turn.machine.check_parameters(resource, parameters.value)
    if refusal is not None:
        raise runtime_error(f"The Parameters '{parameters.text}' could not be used to start the Task: [{refusal}]")
    prepared = turn.machine.prepare_parameters(resource, parameters.value)
    if prepared is not parameters.value:
        parameters = Payload(prepared)
    turn.record_in(frame, _FAMILIES[resource.kind].prefix + "Scheduled", _scheduled(turn, step, parameters.text))
    frame.waiting, frame.resource = "task", resource.arn
    frame.task_started, frame.task_submitted, frame.early = False, False, None
    frame.request_id = turn.await_answer(frame)
    frame.timeout_s, frame.heartbeat_s = step.timeout_s or 0, step.heartbeat_s or 0
    turn.effects.append(
        fx.RunTask(
            request_id=frame.request_id,
            state=frame.state,
            resource=resource,
            parameters=parameters,
            token=turn.surroundings.token(frame) if turn.state_of(frame).has_token else "",
            attempt=frame.retry_count,
            timeout_s=step.timeout_s,
            heartbeat_s=step.heartbeat_s,
            role=_role(turn, step),
            case=turn.execution.case,
        )
    )


def _role(turn: Turn, step: Ask) -> fx.Role | None:
    """`…:stateMachine:Orders/Each`, whose executions are a Distributed Map's children, is Orders to others."""
    if step.role_arn is None:
        return None
    return fx.Role(step.role_arn, turn.execution.machine_arn.partition("/")[0])


def _scheduled(turn: Turn, step: Ask, parameters: str) -> dict[str, JSON]:
    resource = step.resource
    details: dict[str, JSON] = {"resource": resource.history_resource}
    if resource.kind == "integration":
        details |= {"resourceType": resource.history_type, "region": turn.execution.region}
        details["parameters"] = parameters
    else:
        details["input"] = parameters
    if step.timeout_s is not None:
        details["timeoutInSeconds"] = step.timeout_s
    if step.heartbeat_s is not None:
        details["heartbeatInSeconds"] = step.heartbeat_s
    if step.role_arn is not None:
        details["taskCredentials"] = {"roleArn": step.role_arn}
    return details


def _record(turn: Turn, frame: Frame, name: str, details: dict[str, JSON]) -> None:
    resource = task_resource(frame.resource)
    family = _FAMILIES[resource.kind]
    if family.names_resource:
        details = {"resourceType": resource.history_type, "resource": resource.history_resource, **details}
    turn.record_in(frame, family.prefix + name, details)


def started(turn: Turn, frame: Frame, event: ev.TaskStarted) -> None:
    """Recorded once, also when the work is begun again after a restart.

    From here on the time runs, of activities too: it begins with ActivityStarted (AWS guide, "Task workflow state").
    """
    if frame.task_started:
        return
    frame.task_started = True
    worker = {"workerName": event.worker} if event.worker is not None else {}
    _record(turn, frame, "Started", worker)
    if frame.timeout_s:
        frame.timeout_timer = turn.timer(frame, turn.now_ms + 1000 * frame.timeout_s)
    if task_resource(frame.resource).pattern != ".waitForTaskToken":
        _start_heartbeat(turn, frame)
    _take_early(turn, frame)


def submitted(turn: Turn, frame: Frame, event: ev.TaskSubmitted) -> None:
    """Recorded once, too. Who has the token is heard of from here on: while a Lambda function that will hand it on is
    running, no heartbeat is missed (AWS guide, "Invoke an AWS Lambda function with Step Functions")."""
    if frame.task_submitted:
        return
    frame.task_submitted = True
    _record(turn, frame, "Submitted", {"output": event.output.text})
    if task_resource(frame.resource).pattern == ".waitForTaskToken":
        heartbeat(turn, frame)
    _take_early(turn, frame)


def answered(turn: Turn, frame: Frame, event: ev.TokenAnswered) -> None:
    """The answer waits until it is recorded that the task was handed over: who has the token may be faster."""
    activity = task_resource(frame.resource).kind == "activity"
    if not (frame.task_started if activity else frame.task_submitted):
        frame.early = event
    elif event.output is not None:
        succeeded(turn, frame, ev.TaskSucceeded(event.request_id, event.output))
    else:
        failed(turn, frame, ev.TaskFailed(event.request_id, event.error, event.cause))


def _take_early(turn: Turn, frame: Frame) -> None:
    early, frame.early = frame.early, None
    if early is not None:
        answered(turn, frame, early)


def heartbeat(turn: Turn, frame: Frame) -> None:
    turn.drop_timer(frame.heartbeat_timer)
    _start_heartbeat(turn, frame)


def _start_heartbeat(turn: Turn, frame: Frame) -> None:
    if frame.heartbeat_s:
        frame.heartbeat_timer = turn.timer(frame, turn.now_ms + 1000 * frame.heartbeat_s)


def succeeded(turn: Turn, frame: Frame, event: ev.TaskSucceeded) -> None:
    """Take the result, unless it is too large: then the task has failed (recorded)."""
    if event.output.size_bytes > turn.machine.limits.payload_bytes_max:
        cause = too_large(_short_name(task_resource(frame.resource)))
        failed(turn, frame, ev.TaskFailed(event.request_id, errors.DATA_LIMIT_EXCEEDED, cause))
    _forget(turn, frame)
    _record(turn, frame, "Succeeded", {"output": event.output.text})
    turn.resume(frame, event.output)


def _short_name(resource: TaskResource) -> str:
    return resource.arn if resource.kind != "integration" else resource.service.removeprefix("aws-sdk:")


def too_large(name: str) -> str:
    """AWS's words for a result over the payload limit (recorded)."""
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."


def failed(turn: Turn, frame: Frame, event: ev.TaskFailed) -> NoReturn:
    _forget(turn, frame)
    error = StateError(event.error, event.cause)
    _record(turn, frame, "Failed", error_details(error))
    raise error


def timed_out(turn: Turn, frame: Frame, timer_id: int) -> None:
    """TimeoutSeconds or HeartbeatSeconds passed without an answer."""
    error = HeartbeatMissed() if timer_id == frame.heartbeat_timer else StateError(errors.TIMEOUT)
    turn.effects.append(fx.CancelTask(frame.request_id))
    _forget(turn, frame)
    _record(turn, frame, "TimedOut", error_details(error))
    raise error


def release(turn: Turn, frame: Frame) -> None:
    """Stop whatever the frame waits for."""
    if frame.waiting == "task":
        turn.effects.append(fx.CancelTask(frame.request_id))
        _forget(turn, frame)
    elif frame.waiting in ("timer", "retry"):
        turn.drop_timer(frame.request_id)
    frame.waiting, frame.request_id = "", 0


def _forget(turn: Turn, frame: Frame) -> None:
    """The answer is here, or nobody wants it any more."""
    turn.execution.requests.pop(frame.request_id, None)
    turn.drop_timer(frame.timeout_timer)
    turn.drop_timer(frame.heartbeat_timer)
    frame.waiting, frame.request_id, frame.early = "", 0, None


def error_details(error: StateError) -> dict[str, JSON]:
    """`{"error": …, "cause": …}` without what is absent."""
    details = {"error": error.error, "cause": error.cause}
    return {key: value for key, value in details.items() if value is not None}
