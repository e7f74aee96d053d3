"""TestState: one state visited on its own, with its work done for real or mocked, and its data shown step by step.

    {"definition": '{"Type": "Pass", "End": true}', "input": '{"a": 1}', "inspectionLevel": "DEBUG"}
    → {"output": '{"a": 1}', "status": "SUCCEEDED", "inspectionData": {"input": '{"a": 1}', "afterInputPath": …}}

A use of the machine, not a second one: `subject.py` reads what is asked for, `watched.py` puts eyes on a compiled
state (with `spans.py` for texts as they were sent), `trial.py` lets the machine visit it, and here the answer is made.

Source: API, TestState; AWS guide, "Testing state machines with TestState API"; recordings of both.
"""

from __future__ import annotations

from typing import Any

from kaidan.asl.states.recovery import matches
from kaidan.errors import StateError
from kaidan.integrations.http_task import Exchange
from kaidan.service.state import Service
from kaidan.service.test_state.subject import read
from kaidan.service.test_state.trial import Trial
from kaidan.values import JSON, dumps


def test_state(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """TestState. Blocks while a state without a mock is at work: five minutes of the engine's clock at most.

    Raises ApiError: InvalidArn, InvalidDefinition, InvalidExecutionInput, ValidationException.
    """
    trial = Trial(service, read(params))
    trial.run()
    error = trial.error
    answer: dict[str, Any] = {
        "output": trial.output.text if trial.output else None,
        "error": error.error if error else None,
        "cause": error.cause if error else None,
        "nextState": trial.next_state,
        "status": trial.status,
    }
    if trial.subject.level != "INFO":
        answer["inspectionData"] = _inspection(trial)
    return {name: value for name, value in answer.items() if value is not None}


def _inspection(trial: Trial) -> dict[str, JSON]:
    data: dict[str, JSON] = {"input": trial.subject.input.text, **trial.notes.shown}
    if trial.variables:
        data["variables"] = dumps(trial.variables)
    if trial.error and (details := _error_details(trial, trial.error)):
        data["errorDetails"] = details
    if trial.subject.level == "TRACE" and trial.notes.exchange:
        data |= _http(trial.notes.exchange, reveals=trial.subject.reveals)
    return data


def _http(exchange: Exchange, *, reveals: bool) -> dict[str, JSON]:
    """The request and the response of an HTTP task. What its connection adds is left out, unless it is to be revealed;
    of the response nothing is (API reference, `revealSecrets`)."""
    request, response = exchange.sent if reveals else exchange.open, exchange.response
    protocol = request.url.partition(":")[0]
    shown: dict[str, JSON] = {
        "protocol": protocol,
        "method": request.method,
        "url": request.url,
        "headers": _headers(request.headers),
    }
    data: dict[str, JSON] = {"request": shown if request.body is None else shown | {"body": request.body.decode()}}
    if response is not None:
        data["response"] = {
            "protocol": protocol,
            "statusCode": str(response.status),
            "statusMessage": response.reason,
            "headers": _headers(response.headers),
            "body": response.body.decode(errors="replace"),
        }
    return data


def _headers(headers: list[tuple[str, str]]) -> str:
    """As Java prints them: `[Content-Type: application/json, Date: …]`."""
    return f"[{', '.join(f'{name}: {value}' for name, value in headers)}]"


def _error_details(trial: Trial, error: StateError) -> dict[str, int]:
    """Which entries of Retry and Catch an error met. Recorded: a Retry that is used up is named too."""
    details: dict[str, int | None] = {
        "catchIndex": trial.notes.catch_index,
        "retryIndex": next(
            (index for index, entry in enumerate(trial.state.retriers) if matches(entry.error_equals, error)), None
        ),
        "retryBackoffIntervalSeconds": trial.backoff_s,
    }
    return {name: value for name, value in details.items() if value is not None}


__all__ = ["test_state"]
