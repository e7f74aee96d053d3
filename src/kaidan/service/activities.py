"""Activities and callbacks: tasks that somebody else carries out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaidan.integrations.contract import Reply
from kaidan.protocol import events as ev
from kaidan.protocol.effects import RunTask
from kaidan.service.errors import ApiError
from kaidan.service.state import Activity, Service
from kaidan.service.wire import moment
from kaidan.values import InvalidJson, Payload

POLL_S = 60
"""How long GetActivityTask waits for a task (API reference, GetActivityTask)."""


def create_activity(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """CreateActivity: idempotent for the same name."""
    arn = service.arn(f"activity:{params['name']}")
    activity = service.activities.get(arn)
    if activity is None:
        activity = service.activities[arn] = Activity(arn, params["name"], service.engine.clock.now_ms())
    return {"activityArn": arn, "creationDate": moment(activity.created_ms)}


def _find(service: Service, arn: str) -> Activity:
    try:
        return service.activities[arn]
    except KeyError:
        raise ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'") from None


def get_activity_task(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """GetActivityTask: waits up to 60 s; without a task the answer has no token."""
    answers: list[dict[str, Any]] = []
    poll_activity(service, params, answers.append)
    service.engine.run_until(lambda: bool(answers), POLL_S + 5)
    return answers[0] if answers else {}


def poll_activity(service: Service, params: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
    """GetActivityTask without blocking: `answer` is called once, now or within 60 s."""
    activity = _find(service, params["activityArn"])
    worker_name = params.get("workerName")

    def take(work: tuple[RunTask, Reply]) -> None:
        task, reply = work
        reply.started(worker_name)
        answer({"taskToken": task.token, "input": task.parameters.text})

    def give_up() -> None:
        if take in activity.workers:
            activity.workers.remove(take)
            answer({})

    activity.workers.append(take)
    service.engine.after(POLL_S * 1000, give_up)
    match(activity)


def offer(service: Service, task: RunTask, reply: Reply) -> None:
    """A task for an activity: it waits for a worker."""
    activity = _find(service, task.resource.arn)
    activity.tasks.append((task, reply))
    match(activity)


def match(activity: Activity) -> None:
    """Hand waiting tasks to waiting workers; tasks that have ended meanwhile are left out."""
    while activity.tasks and activity.workers:
        work = activity.tasks.popleft()
        if not work[1].ended:
            activity.workers.popleft()(work)


def send_task_success(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskSuccess."""
    arn, request_id = _waiting(service, params["taskToken"])
    try:
        output = Payload.of_text(params["output"])
    except InvalidJson as problem:
        raise ApiError("InvalidOutput", f"Invalid Output: '{problem}'") from None
    service.engine.answer(arn, ev.TaskSucceeded(request_id, output))
    return {}


def send_task_failure(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskFailure: error and cause may both be absent."""
    arn, request_id = _waiting(service, params["taskToken"])
    service.engine.answer(arn, ev.TaskFailed(request_id, params.get("error"), params.get("cause")))
    return {}


def send_task_heartbeat(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskHeartbeat."""
    arn, request_id = _waiting(service, params["taskToken"])
    service.engine.post(arn, ev.Heartbeat(request_id))
    return {}


def _waiting(service: Service, token: str) -> tuple[str, int]:
    waiting = service.engine.awaiting(token)
    if waiting is None:
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
    return waiting
