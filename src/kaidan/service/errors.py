"""The errors that the API answers with. On the wire: `{"__type": code, "message": message}` with its status."""

from __future__ import annotations


class ApiError(Exception):
    """A modelled error of an operation: `ApiError("ExecutionDoesNotExist", "Execution Does Not Exist: '…'")`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
