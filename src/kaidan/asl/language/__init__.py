"""From definition text to a program: read → check → compile, each a file of its own.

definition = load(text)          raises DefinitionError with all findings
definition.program               what the machine runs
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kaidan.asl.language.check import WorkflowType, check
from kaidan.asl.language.compile import Program, compile_definition
from kaidan.asl.language.source import Source, read_source
from kaidan.asl.states.fields import ResourceCheck, TemplateCheck
from kaidan.errors import DefinitionError, Diagnostic
from kaidan.values import JSON


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that can be run. `warnings` are findings that do not keep it from running."""

    source: Source
    program: Program
    warnings: tuple[Diagnostic, ...]


def load(
    text: str,
    name: str = "<definition>",
    *,
    workflow_type: WorkflowType = "STANDARD",
    substitutions: Mapping[str, JSON] | None = None,
    check_resource: ResourceCheck | None = None,
    check_template: TemplateCheck | None = None,
    strict: bool = False,
) -> Definition:
    """Read, check and compile a definition. Raises DefinitionError with every finding, placed in the text.

    `name` decides between JSON and YAML; `strict` reads what the API takes; `substitutions` fill `${Name}`.
    """
    source = read_source(text, name, substitutions, strict=strict)
    findings = _findings(source, workflow_type, check_resource, check_template)
    if any(finding.severity == "ERROR" for finding in findings):
        raise DefinitionError(findings)
    return Definition(source, compile_definition(source.value), tuple(findings))


def diagnose(
    text: str,
    name: str = "<definition>",
    *,
    workflow_type: WorkflowType = "STANDARD",
    substitutions: Mapping[str, JSON] | None = None,
    check_resource: ResourceCheck | None = None,
    check_template: TemplateCheck | None = None,
    strict: bool = False,
) -> list[Diagnostic]:
    """Every finding about a definition; none when it is in order."""
    try:
        source = read_source(text, name, substitutions, strict=strict)
    except DefinitionError as problem:
        return problem.diagnostics
    return _findings(source, workflow_type, check_resource, check_template)


def _findings(
    source: Source,
    workflow_type: WorkflowType,
    check_resource: ResourceCheck | None,
    check_template: TemplateCheck | None,
) -> list[Diagnostic]:
    findings = check(
        source.value, workflow_type=workflow_type, knows_resource=check_resource, knows_parameters=check_template
    )
    return [*source.problems, *(source.placed(finding) for finding in findings)]


__all__ = ["Definition", "Program", "check", "compile_definition", "diagnose", "load", "read_source"]
