"""What can go wrong, and how it is said.

    StateError        at run time, inside a state: a name that Retry and Catch match, and a cause
    DefinitionError   before running: the list of all Diagnostics of a definition

A state's error name is AWS's: `States.Runtime`, `States.Timeout`, … (States Language spec, appendix A;
AWS guide, "Handling errors in Step Functions workflows").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
PARAMETER_PATH_FAILURE = "States.ParameterPathFailure"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
REFERENCE_PATH_CONFLICT = "States.ReferencePathConflict"
"""What AWS says where the spec has States.ResultPathMatchFailure (as users quote it)."""
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
BRANCH_FAILED = "States.BranchFailed"
PERMISSIONS = "States.Permissions"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"


class StateError(Exception):
    """An error inside a running state.

    `located`: an error of the state itself, not of a task or a Fail state; the machine says before the cause
    where it happened: "An error occurred while executing the state 'X' (entered at the event id #N). ".
    `location`: the field of a failed evaluation, `Output/result`. `after_entry`: it came up when the state had
    evaluated its fields; its event then follows StateEntered (recorded).
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None = None,
        *,
        located: bool = False,
        location: str | None = None,
        after_entry: bool = False,
    ) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.located = located
        self.location = location
        self.after_entry = after_entry


def runtime_error(cause: str) -> StateError:
    """States.Runtime: nothing retries or catches it (AWS guide: States.ALL does not match it)."""
    return StateError(RUNTIME, cause, located=True)


Severity = Literal["ERROR", "WARNING"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a definition, in the form of ValidateStateMachineDefinition.

    `location` is AWS's pointer (`/States/Check/Choices[0]/Next`); line and column (from 1) are known when the
    definition came from text. `hint` says what was allowed, where the code and AWS's message leave that open.
    """

    code: str
    message: str
    location: str | None = None
    severity: Severity = "ERROR"
    line: int | None = None
    column: int | None = None
    hint: str | None = None

    def at(self, line: int | None, column: int | None) -> Diagnostic:
        return replace(self, line=line, column=column)

    def __str__(self) -> str:
        """AWS's one-line form: `CODE: message at /pointer`."""
        place = f" at {self.location}" if self.location is not None else ""
        return f"{self.code}: {self.message}{place}"


def _joined(error: Diagnostic) -> str:
    """As AWS joins findings into one message: what has no place is "at null"."""
    return str(error) if error.location is not None else f"{error} at null"


class DefinitionError(Exception):
    """A definition that cannot be run. `diagnostics` holds every finding, errors and warnings."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        errors = [d for d in diagnostics if d.severity == "ERROR"]
        super().__init__("Invalid State Machine Definition: '" + ", ".join(map(_joined, errors)) + "'")
        self.diagnostics = diagnostics
