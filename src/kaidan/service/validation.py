"""ValidateStateMachineDefinition: a definition checked without making a machine of it."""

from __future__ import annotations

from typing import Any

from kaidan.asl.language import diagnose
from kaidan.errors import Diagnostic
from kaidan.integrations.dispatch import check_resource, check_template
from kaidan.service.state import Service

DIAGNOSTICS_MAX = 100
"""Findings in one answer (API reference, `maxResults`)."""


def validate_state_machine_definition(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ValidateStateMachineDefinition: OK when there is no error; warnings are told to those who ask."""
    findings = diagnose(
        params["definition"],
        workflow_type=params.get("type", "STANDARD"),
        check_resource=check_resource,
        check_template=check_template,
        strict=True,
    )
    failed = any(finding.severity == "ERROR" for finding in findings)
    if params.get("severity", "ERROR") == "ERROR":
        findings = [finding for finding in findings if finding.severity == "ERROR"]
    most = params.get("maxResults") or DIAGNOSTICS_MAX
    return {
        "result": "FAIL" if failed else "OK",
        "diagnostics": [_described(finding) for finding in findings[:most]],
        "truncated": len(findings) > most,
    }


def _described(finding: Diagnostic) -> dict[str, str]:
    described = {"severity": finding.severity, "code": finding.code, "message": finding.message}
    return described if finding.location is None else described | {"location": finding.location}
