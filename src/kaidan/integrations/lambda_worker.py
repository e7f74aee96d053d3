"""The process of a local Lambda function: loads a file of Python, then answers events with what its handler returns.

Started by lambda_local.py alone: `python -P lambda_worker.py file.py function`, in the file's directory. A line goes
out when the file is loaded; then for each event a line of JSON comes in, and a line with its result goes out. Whatever
the file prints goes to standard error. Errors have the form that Lambda's own Python runtime gives them. Imports
nothing of this package, so that it starts quickly.
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
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any

Handler = Callable[[Any, Any], Any]

LOADED = "loaded"
"""The line that says that events can come."""


class Unusable(Exception):
    """A file without a handler: Lambda's name of the problem, what it says, and where in the file it is."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


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
    except Unusable as problem:
        return False, error(problem.kind, str(problem), request_id, problem.trace)
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
        module = _module(file)
    except Exception as problem:
        return _failing(_unusable(file, problem))
    handler = getattr(module, function, None)
    if not callable(handler):
        return _failing(Unusable("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{file.stem}'"))
    found: Handler = handler
    return found


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"No such file: {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _unusable(file: Path, problem: Exception) -> Unusable:
    """Errors of the file's own code keep their names, and say where they were raised."""
    if isinstance(problem, ImportError):
        return Unusable("Runtime.ImportModuleError", f"Unable to import module '{file.stem}': {problem}")
    if isinstance(problem, SyntaxError):
        place = f'  File "{problem.filename}" Line {problem.lineno}\n    {problem.text or ""}'
        return Unusable("Runtime.UserCodeSyntaxError", f"Syntax error in module '{file.stem}': {problem}", [place])
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(file)]
    return Unusable(type(problem).__name__, str(problem), traceback.format_list(frames))


def _failing(problem: Unusable) -> Handler:
    def handler(event: Any, context: Any) -> Any:
        raise problem

    return handler


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    handler = load(sys.argv[1], sys.argv[2])
    print(LOADED, file=answers, flush=True)
    for line in sys.stdin:
        call = json.loads(line)
        context = Context(*call["context"])
        well, payload = run(handler, json.loads(call["event"]), context)
        sys.stdout.flush()
        print(json.dumps([well, payload]), file=answers, flush=True)


if __name__ == "__main__":
    main()
