"""What the exit status of a command means: the one table, which the code, `--help` and the tests read."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses. What an execution ended with has the name of the execution's status."""

    SUCCEEDED = 0
    FAILED = 1
    BAD_INPUT = 2
    INVALID_DEFINITION = 3
    TIMED_OUT = 4
    ABORTED = 5
    INTERNAL_ERROR = 70
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.SUCCEEDED: "the execution succeeded; the command did what was asked",
    Exit.FAILED: "the execution failed; `fmt --check`: files would change; `convert`: not all could be converted",
    Exit.BAD_INPUT: "nothing was run: a wrong option, file, input, endpoint or profile, or no credentials",
    Exit.INVALID_DEFINITION: "nothing was run: the definition has errors",
    Exit.TIMED_OUT: "the execution timed out, by its own TimeoutSeconds",
    Exit.ABORTED: "the execution was stopped: Ctrl-C, SIGTERM, --timeout, or nothing could happen any more",
    Exit.INTERNAL_ERROR: "an error inside kaidan",
    Exit.INTERRUPTED: "interrupted before the execution began, or by a second Ctrl-C",
}


def epilog() -> str:
    """The table for `--help`; \\b keeps click from filling the lines."""
    rows = (f"  {status.value:>3}  {meaning}" for status, meaning in MEANINGS.items())
    return "\b\nExit status:\n" + "\n".join(rows)
