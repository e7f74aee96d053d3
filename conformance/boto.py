"""What boto3 does on the caller's side: parameter checks, and the forms a refusal takes (FORMAT section 3).

Reads botocore's service model; knows nothing of cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from conformance.cases import JsonObject
from conformance.targets import ApiError


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("stepfunctions")


@cache
def modelled_errors() -> frozenset[str]:
    return frozenset(shape.name for shape in _model().error_shapes)


@cache
def event_types() -> frozenset[str]:
    return frozenset(_model().shape_for("HistoryEventType").enum)


def param_problems(operation: str, params: JsonObject) -> str | None:
    """boto3's text for parameters that do not fit the operation's shape, or None."""
    if operation not in _model().operation_names:
        return f"Unknown operation {operation}"
    report = ParamValidator().validate(params, _model().operation_model(operation).input_shape)
    return str(report.generate_report()) if report.has_errors() else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that did not go through. code None: boto3 refused it, the service never saw it."""

    operation: str
    code: str | None
    message: str
    status: int = 400

    @classmethod
    def by_service(cls, operation: str, error: ApiError) -> Refusal:
        return cls(operation, error.code, error.message, error.status)

    def as_response(self) -> JsonObject:
        """The parsed error; modelled errors have their `message` member at the top as well."""
        return {
            "Error": {"Code": self.code, "Message": self.message},
            "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": self.status},
        } | ({"message": self.message} if self.code in modelled_errors() else {})

    def as_exception(self) -> str:
        if self.code is None:
            return f"Parameter validation failed:\n{self.message}"
        return f"An error occurred ({self.code}) when calling the {self.operation} operation: {self.message}"

    def as_typename(self) -> str:
        if self.code is None:
            return "ParamValidationError"
        return self.code if self.code in modelled_errors() else "ClientError"

    def __str__(self) -> str:
        return self.as_exception()
