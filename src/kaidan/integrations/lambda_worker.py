"""The process of a local Lambda function: loads a file of Python, then answers events with what its handler returns.

Started by lambda_local.py alone: `python -m kaidan.integrations.lambda_worker file.py function`. For each event a line
of JSON comes in, and a line with its result goes out; whatever the handler prints goes to standard error. Errors have
the form that Lambda's own Python runtime gives them. Imports nothing of this package, so that it starts quickly.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

Handler = Callable[[Any, Any], Any]


class Context:
    """What a handler learns of its invocation (Lambda guide, "Using the Lambda context object in Python")."""

    def __init__(self, request_id: str, name: str, arn: str, memory_mb: int, deadline_ms: int, client: str | None):
        self.aws_request_id = request_id
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = str(memory_mb)
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = f"{os.getpid()}"
        self.identity = None
        self.client_context = SimpleNamespace(**json.loads(client)) if client else None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def encode(value: Any) -> Any:
    """What JSON has no word for, as Lambda's runtime writes it."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def error(kind: str, message: str, request_id: str, trace: list[str]) -> str:
    """`{"errorMessage": …, "errorType": …, "requestId": …, "stackTrace": […]}` (recorded)."""
    fields = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return json.dumps(fields, ensure_ascii=False)


def run(handler: Handler, event: Any, context: Any) -> tuple[bool, str]:
    """Whether all went well, and the payload: the result or the error. Bytes are JSON text already (recorded)."""
    request_id: str = context.aws_request_id
    try:
        result = handler(event, context)
    except Exception as problem:
        return False, error(type(problem).__name__, str(problem), request_id, trace_of(problem.__traceback__))
    try:
        if isinstance(result, bytes):
            return True, result.decode()
        return True, json.dumps(result, ensure_ascii=False, default=encode)
    except (TypeError, ValueError) as problem:
        return False, error("Runtime.MarshalError", f"Unable to marshal response: {problem}", request_id, [])


def trace_of(trace: TracebackType | None) -> list[str]:
    """The lines of the handler's own frames: the first frame is the one that called it."""
    return traceback.format_list(traceback.extract_tb(trace)[1:])


def load(path: str, function: str) -> Handler:
    """The handler, or one that says why there is none."""
    file = Path(path)
    sys.path.insert(0, str(file.parent))
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        if spec is None or spec.loader is None or not file.is_file():
            return _failing("Runtime.ImportModuleError", f"Unable to import module '{file.stem}': No such file: {path}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        spec.loader.exec_module(module)
    except SyntaxError as problem:
        return _failing("Runtime.UserCodeSyntaxError", f"Syntax error in module '{file.stem}': {problem}")
    except Exception as problem:
        return _failing("Runtime.ImportModuleError", f"Unable to import module '{file.stem}': {problem}")
    handler = getattr(module, function, None)
    if not callable(handler):
        return _failing("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{file.stem}'")
    found: Handler = handler
    return found


def _failing(kind: str, message: str) -> Handler:
    def handler(event: Any, context: Any) -> Any:
        raise type(kind, (Exception,), {})(message)

    return handler


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    handler = load(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        call = json.loads(line)
        context = Context(*call["context"])
        well, payload = run(handler, json.loads(call["event"]), context)
        sys.stdout.flush()
        answers.write(json.dumps([well, payload]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
