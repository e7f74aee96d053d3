"""What every optimised integration is given, what its service is then asked, and what the task's output is.

A table per kind of service; ALL is what tests go through. A pattern that no case lists fails
`test_every_pattern_has_a_case`. Requests and answers are those of botocore's models, results are without what is said
of HTTP and, for the services whose results are full of them, without empty lists.
"""

from __future__ import annotations

from tests.integrations.cases import builds, clusters, data, emr, machine_learning, messages
from tests.integrations.cases.case import Case, Ending

ALL: list[Case] = [
    *messages.CASES,
    *data.CASES,
    *builds.CASES,
    *clusters.CASES,
    *emr.CASES,
    *machine_learning.CASES,
]

JOBS: list[tuple[Case, str, Ending]] = [(case, pattern, end) for case in ALL for pattern, end in case.ends.items()]

__all__ = ["ALL", "JOBS", "Case", "Ending"]
