"""Every limit of the service in one place, with its unit and its source.

Source, unless said otherwise: AWS guide, "Step Functions service quotas". Whoever runs Kaidan off AWS can raise
them: the runtime takes a `Limits`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    payload_bytes_max: int = 262_144
    """Input or output of a task, a state or an execution, as UTF-8 JSON text."""

    history_events_max: int = 25_000
    """Events in the history of one Standard execution."""

    definition_chars_max: int = 1_048_576
    """CreateStateMachine's model: definition, max length."""

    cause_chars_max: int = 32_768
    """Cause of an error (API model, SensitiveCause)."""

    state_name_chars_max: int = 80
    """Amazon States Language in the AWS guide: state names."""

    wait_s_max: int = 99_999_999
    """States Language spec, Wait and timeouts: largest number of seconds."""

    timestamp_wait_days_max: int = 24_855
    """Recorded: a Timestamp 24,855 days ahead waits, 24,856 is refused (2^31 - 1 seconds)."""

    inline_map_concurrency_max: int = 40
    """Inline Map: iterations that run side by side."""

    distributed_map_concurrency_max: int = 10_000
    """Distributed Map: child executions that run side by side."""

    open_executions_max: int = 1_000_000
    """Executions that run at a time, in one account and region."""

    state_machines_max: int = 100_000
    activities_max: int = 100_000
    """Registered in one account and region."""

    express_duration_s_max: int = 300
    """Express executions end after five minutes."""

    standard_duration_s_max: int = 31_536_000
    """Standard executions end after one year."""

    redrivable_s_max: int = 14 * 86_400
    """How long after its end an execution can be redriven."""

    redrive_tokens_max: int = 10
    redrive_token_s_max: int = 900
    """How many client tokens of one execution's redrives count, and for how long (API reference, RedriveExecution)."""

    map_run_redrives_max: int = 1_000
    """How often one Map Run can be redriven."""

    variable_bytes_max: int = 262_144
    """One variable, and all variables of one Assign."""

    variables_bytes_max: int = 10_485_760
    """All variables of an execution."""

    slice_transitions_max: int = 500
    """Not AWS's: state visits in one `advance` before others get their turn."""


AWS = Limits()
