"""JSON that a request carries as text: read once, and refused in the words of the parser that AWS uses.

Source: `Unrecognized token 'not': was expecting (JSON String, …)`, as recorded from AWS for StartExecution.
"""

from __future__ import annotations

from kaidan.asl.language import source_json
from kaidan.asl.language.places import UnreadableText
from kaidan.service.errors import ApiError
from kaidan.values import InvalidJson, Payload


def execution_input(text: str | None) -> Payload:
    """The input of an execution; nothing stands for `{}`, but an empty text is no input (recorded)."""
    if text is None:
        return Payload({}, "{}")
    prefix = "Invalid State Machine Execution Input"
    if not text.strip():
        raise ApiError("InvalidExecutionInput", f"{prefix}: 'Invalid execution input.'")
    return _read(text, "InvalidExecutionInput", prefix)


def task_output(text: str) -> Payload:
    """The output of a task that somebody else carried out."""
    return _read(text, "InvalidOutput", "Invalid Output")


def _read(text: str, code: str, prefix: str) -> Payload:
    try:
        return Payload.of_text(text)
    except InvalidJson as problem:
        raise ApiError(code, f"{prefix}: '{_problem(text) or problem}'") from None


def _problem(text: str) -> str | None:
    """What Jackson says, without the place: `was expecting double-quote to start field name`."""
    try:
        source_json.scan(text)
    except UnreadableText as unreadable:
        first = unreadable.problems[0]
        return None if first.code == "TOO_DEEPLY_NESTED" else first.message.partition("\n at [Source: ")[0]
    return None
