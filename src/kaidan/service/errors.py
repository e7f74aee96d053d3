"""The errors that the API answers with. On the wire: `{"__type": code, "message": message}` with its status."""

from __future__ import annotations


class ApiError(Exception):
    """A modelled error of an operation: `ApiError("ExecutionDoesNotExist", "Execution Does Not Exist: '…'")`.

    `members`: what the error carries besides its message: `{"reason": "INVALID_ROUTING_CONFIGURATION"}`.
    """

    def __init__(self, code: str, message: str, status: int = 400, members: dict[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}


def unavailable() -> ApiError:
    """Nothing can be saved at the moment: whether the operation was done will be known when it can (API reference,
    "Common errors")."""
    return ApiError("ServiceUnavailable", "The service cannot save at the moment, try again later", 503)


def invalid(message: str, reason: str | None = None) -> ApiError:
    """ValidationException, with one of the reasons of the API (ValidationExceptionReason)."""
    return ApiError("ValidationException", message, members={"reason": reason} if reason else None)


def invalid_arn(problem: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{problem}'")


def resource_not_found(message: str, arn: str) -> ApiError:
    return ApiError("ResourceNotFound", message, members={"resourceName": arn})
