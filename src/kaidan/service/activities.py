"""Activities and callbacks: tasks that somebody else carries out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from kaidan.errors import RUNTIME
from kaidan.integrations.contract import Reply
from kaidan.limits import AWS
from kaidan.protocol import events as ev
from kaidan.protocol.effects import RunTask
from kaidan.service import configuration, lookup, refs, tags
from kaidan.service.errors import ApiError
from kaidan.service.pages import answer as answer_page
from kaidan.service.pages import page
from kaidan.service.payloads import task_output
from kaidan.service.state import AWS_OWNED_KEY, Activity, Answer, Service
from kaidan.service.wire import moment

POLL_S = 60
"""How long GetActivityTask waits for a task (API reference, GetActivityTask)."""

_TOKEN = re.compile(r"(\S+) [0-9]+ [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a task token says in base64 (`machine.context`): the execution's ARN, the frame, a UUID."""

WORKERS_MAX = 1_000
"""Polls of one activity at a time (AWS guide, "Quotas related to API action throttling", activity pollers)."""


def create_activity(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """CreateActivity: idempotent for the same name and encryption; tags may differ."""
    refs.check_name(params["name"])
    encryption = configuration.encryption(params.get("encryptionConfiguration", AWS_OWNED_KEY))
    arn = service.arn(f"activity:{params['name']}")
    activity = service.activities.get(arn)
    if activity is None and len(service.activities) >= AWS.activities_max:
        raise lookup.limit_exceeded("Activity", f"There are {AWS.activities_max} activities")
    if activity is None:
        now_ms = service.engine.clock.now_ms()
        activity = Activity(arn, params["name"], now_ms, encryption, tags.first(arn, params))
        service.activities[arn] = activity
    elif activity.encryption != encryption:
        raise ApiError("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'")
    return {"activityArn": arn, "creationDate": moment(activity.created_ms)}


def describe_activity(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeActivity."""
    activity = lookup.activity(service, params["activityArn"])
    described = _listed(activity)
    if service.revision.encryption:
        described["encryptionConfiguration"] = activity.encryption
    return described


def list_activities(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListActivities, by name."""
    activities = sorted(service.activities.values(), key=lambda activity: activity.name)
    found, token = page(service, "ListActivities", params, activities, lambda activity: [activity.name])
    return answer_page("activities", [_listed(activity) for activity in found], token)


def _listed(activity: Activity) -> dict[str, Any]:
    return {"activityArn": activity.arn, "name": activity.name, "creationDate": moment(activity.created_ms)}


def delete_activity(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DeleteActivity: deleting what is not there is no error (recorded)."""
    refs.activity(params["activityArn"])
    service.activities.pop(params["activityArn"], None)
    return {}


# --- workers ----------------------------------------------------------------------------------------------


def get_activity_task(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """GetActivityTask: waits up to 60 s; without a task the answer has no token."""
    answers: list[dict[str, Any]] = []
    poll_activity(service, params, answers.append)
    service.engine.run_until(lambda: bool(answers), POLL_S + 5)
    return answers[0] if answers else {}


def poll_activity(service: Service, params: dict[str, Any], answer: Answer) -> Callable[[], None]:
    """GetActivityTask without blocking: `answer` is called once, now or within 60 s.

    What is returned ends the wait: the worker takes no task any more, and is answered that there is none.
    """
    activity = lookup.activity(service, params["activityArn"])
    worker_name = params.get("workerName")
    if len(activity.workers) >= WORKERS_MAX:
        message = f"Maximum number of workers exceeded for activity '{activity.arn}'"
        raise ApiError("ActivityWorkerLimitExceeded", message)

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
    return give_up


def offer(service: Service, task: RunTask, reply: Reply) -> None:
    """A task for an activity: it waits for a worker. Fails the task where there is no such activity."""
    try:
        activity = lookup.activity(service, task.resource.arn)
    except ApiError as refusal:
        return reply.failed(RUNTIME, refusal.message)
    activity.tasks.append((task, reply))
    return match(activity)


def match(activity: Activity) -> None:
    """Hand waiting tasks to waiting workers; tasks that have ended meanwhile are left out."""
    while activity.tasks and activity.workers:
        work = activity.tasks.popleft()
        if not work[1].ended:
            activity.workers.popleft()(work)


# --- callbacks --------------------------------------------------------------------------------------------


def send_task_success(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskSuccess."""
    arn, request_id = _waiting(service, params["taskToken"])
    service.engine.answer_token(arn, ev.TokenAnswered(request_id, task_output(params["output"])))
    return {}


def send_task_failure(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskFailure: error and cause may both be absent."""
    arn, request_id = _waiting(service, params["taskToken"])
    answer = ev.TokenAnswered(request_id, error=params.get("error"), cause=params.get("cause"))
    service.engine.answer_token(arn, answer)
    return {}


def send_task_heartbeat(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """SendTaskHeartbeat."""
    arn, request_id = _waiting(service, params["taskToken"])
    service.engine.post(arn, ev.Heartbeat(request_id))
    return {}


def _waiting(service: Service, token: str) -> tuple[str, int]:
    """The task that a token is for. Raises TaskTimedOut for one that has ended, InvalidToken for no token of ours."""
    waiting = service.engine.awaiting(token)
    if waiting is not None:
        return waiting
    if _was_given_out(service, token):
        raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")


def _was_given_out(service: Service, token: str) -> bool:
    """A token names its execution."""
    try:
        named = _TOKEN.fullmatch(base64.b64decode(token, validate=True).decode())
    except (binascii.Error, ValueError):
        return False
    return named is not None and service.engine.find(named[1]) is not None
