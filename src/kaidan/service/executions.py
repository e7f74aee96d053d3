"""Operations on executions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from kaidan.arns import Arn, execution_arn
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.integrations import dispatch
from kaidan.integrations.files import FileError
from kaidan.integrations.mocks import split_case
from kaidan.limits import AWS
from kaidan.protocol.history import HistoryEvent, to_aws
from kaidan.runtime.engine import Listener
from kaidan.runtime.run import Run
from kaidan.service import configuration, lookup, redrives, refs
from kaidan.service.deletion import LastState
from kaidan.service.errors import ApiError, invalid
from kaidan.service.pages import answer, page, page_of_rows
from kaidan.service.payloads import execution_input
from kaidan.service.state import Answer, Beginning, Service
from kaidan.service.wire import moment
from kaidan.store.contract import Query, Row
from kaidan.values import Payload, dumps, equal, loads

log = logging.getLogger(__name__)


def _type_not_supported() -> ApiError:
    message = "This operation is not supported by this type of state machine"
    return ApiError("StateMachineTypeNotSupported", message)


# --- starting ---------------------------------------------------------------------------------------------


def start_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StartExecution: of a machine, a version or an alias. The same name with the same input gives the same running
    execution, unless it is Express."""
    machine_arn, case = _case(service, params["stateMachineArn"])
    execution = _start(service, lookup.beginning(service, machine_arn), params, case).execution
    return {"executionArn": execution.arn, "startDate": moment(execution.start_ms)}


def _case(service: Service, arn: str) -> tuple[str, str | None]:
    """A machine's ARN and the test case behind it, where there are any."""
    return split_case(arn) if service.mocks is not None else (arn, None)


def _check_case(service: Service, beginning: Beginning, case: str | None) -> None:
    """Raises ValidationException when there is no such test case."""
    mocks, machine = service.mocks, beginning.machine.name
    if mocks is None or case is None:
        return
    try:
        answered = mocks.of_case(machine, case)
    except FileError as problem:
        raise invalid(str(problem)) from None
    scopes = service.programs.of(beginning.configuration.definition).scopes
    for state in sorted(answered.keys() - {state for scope in scopes.values() for state in scope.states}):
        log.warning(
            "%s: the test case %s of %s answers '%s', which is no state of it", mocks.place, case, machine, state
        )


def _start(service: Service, beginning: Beginning, params: dict[str, Any], case: str | None) -> Run:
    machine = beginning.machine
    name = params.get("name")
    if name is not None:
        refs.check_name(name)
    payload = execution_input(params.get("input"))
    name = name or service.source.uuid4()
    express = machine.type == "EXPRESS"
    arn = execution_arn(machine.arn, name, express_id=service.source.uuid4() if express else None)
    existing = None if express else service.engine.find(arn)
    if existing is not None:
        return _same(service, existing, payload)
    lookup.check_room_for_execution(service)
    _check_case(service, beginning, case)
    run = _run(service, beginning, arn, name, payload)
    run.execution.trace_header, run.execution.case = params.get("traceHeader"), case
    service.engine.start(run)
    return run


def _run(service: Service, beginning: Beginning, arn: str, name: str, payload: Payload) -> Run:
    machine = beginning.machine
    execution = Execution(
        arn=arn,
        name=name,
        machine_arn=machine.arn,
        machine_name=machine.name,
        role_arn=beginning.configuration.role_arn,
        input=payload,
        start_ms=service.engine.clock.now_ms(),
        region=service.region,
        definition=beginning.configuration.key,
        version_arn=beginning.version_arn,
        alias_arn=beginning.alias_arn,
        express=machine.type == "EXPRESS",
    )
    return Run(machine_of(service, execution), execution)


def machine_of(service: Service, execution: Execution) -> Machine:
    """What runs an execution: the revision that it was started from, whatever became of the machine since."""
    program = service.programs.of(service.configurations[execution.definition].definition)
    machine = Machine(
        program,
        service.source,
        check_parameters=dispatch.check_parameters,
        prepare_parameters=dispatch.prepare_parameters,
        revision=service.revision,
    )
    owner = service.machines.get(execution.machine_arn)
    return LastState(machine) if owner is not None and owner.deleting else machine


def _same(service: Service, existing: Run, payload: Payload) -> Run:
    """The running execution of the same name, if it has the same input."""
    execution = existing.execution
    if execution.status == "RUNNING" and equal(execution.input.value, payload.value):
        return existing
    raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution.arn}'")


def start_sync_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StartSyncExecution: runs an Express execution to its end and answers with its outcome."""
    answers: list[dict[str, Any]] = []
    start_sync(service, params, answers.append)
    service.engine.run_until(lambda: bool(answers), AWS.express_duration_s_max + 5)
    return answers[0]


def start_sync(service: Service, params: dict[str, Any], answer: Answer) -> Callable[[], None]:
    """StartSyncExecution without blocking: `answer` is called once, when the execution has ended.

    What is returned ends the wait; the execution goes on.
    """
    machine_arn, case = _case(service, params["stateMachineArn"])
    beginning = lookup.beginning(service, machine_arn)
    if beginning.machine.type != "EXPRESS":
        raise _type_not_supported()
    execution = _start(service, beginning, params, case).execution
    service.endings[execution.arn] = lambda: answer(_outcome(execution, params.get("includedData")))
    return lambda: _ignore(service.endings.pop(execution.arn, None))


def _ignore(value: object) -> None:
    pass


def listener(service: Service) -> Listener:
    """For the engine: sees when executions end that somebody waits for."""

    def hear(run: Run, event: HistoryEvent) -> None:
        if run.execution.arn in service.endings:
            service.engine.once_saved(service.endings.pop(run.execution.arn))

    return hear


def _outcome(execution: Execution, included_data: str | None) -> dict[str, Any]:
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "startDate": moment(execution.start_ms),
        "stopDate": moment(execution.stop_ms),
        "status": execution.status,
        **_data(execution, included_data),
        **_trace(execution),
        "billingDetails": _billing(execution),
    }


def _billing(execution: Execution) -> dict[str, int]:
    """Memory in MB in steps of 64, duration in ms in steps of 100, as Express is billed."""
    duration_ms = execution.stop_ms - execution.start_ms
    return {
        "billedMemoryUsedInMB": 64,
        "billedDurationInMilliseconds": max(100, -(-duration_ms // 100) * 100),
    }


def stop_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """StopExecution. An execution that has ended stays as it is."""
    execution = lookup.standard_execution(service, params["executionArn"]).execution
    if execution.status == "RUNNING":
        service.engine.stop(execution.arn, params.get("error"), params.get("cause"))
    return {"stopDate": moment(lookup.execution(service, execution.arn).execution.stop_ms)}


# --- describing -------------------------------------------------------------------------------------------


def describe_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeExecution."""
    run = lookup.execution(service, params["executionArn"])
    described = _listed(service, run) | _data(run.execution, params.get("includedData"))
    if service.revision.redrive:
        described |= redrives.describe(service, run)
    return described | _trace(run.execution)


def _listed(service: Service, run: Run) -> dict[str, Any]:
    """What ListExecutions and DescribeExecution say alike."""
    execution = run.execution
    listed: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": _name(run),
        "status": "PENDING_REDRIVE" if _awaits_redrive(service, run) else execution.status,
        "startDate": moment(execution.start_ms),
    }
    if run.map_run_arn is not None:
        listed["mapRunArn"] = run.map_run_arn
    if execution.status != "RUNNING":
        listed["stopDate"] = moment(execution.stop_ms)
    if service.revision.redrive:
        listed["redriveCount"] = execution.redrive_count
    if execution.redrive_ms and service.revision.redrive:
        listed["redriveDate"] = moment(execution.redrive_ms)
    if execution.version_arn is not None:
        listed["stateMachineVersionArn"] = execution.version_arn
    if execution.alias_arn is not None:
        listed["stateMachineAliasArn"] = execution.alias_arn
    return listed


def _awaits_redrive(service: Service, run: Run) -> bool:
    """Whether it is one of those that a Map Run, redriven, has still to start again."""
    map_run = service.engine.map_runs.get(run.map_run_arn or "")
    if map_run is None or map_run.status != "RUNNING" or run.execution.status in ("RUNNING", "SUCCEEDED"):
        return False
    return run.execution.attempt < map_run.redrive_count


def _name(run: Run) -> str:
    """Of an Express child, both parts of its ARN that are its own (recorded)."""
    execution = run.execution
    return ":".join(execution.arn.split(":")[7:]) if run.is_brief and run.map_run_arn else execution.name


def _data(execution: Execution, included_data: str | None) -> dict[str, Any]:
    """Input as it was sent, and the outcome. METADATA_ONLY leaves input and output out."""
    included = included_data != "METADATA_ONLY"
    data: dict[str, Any] = {"inputDetails": {"included": included}}
    if included:
        data["input"] = execution.sent or execution.input.text
    if execution.output is not None:
        data["outputDetails"] = {"included": included}
    if execution.output is not None and included:
        data["output"] = execution.output.text
    if execution.error is not None:
        data["error"] = execution.error
    if execution.cause is not None:
        data["cause"] = execution.cause
    return data


def _trace(execution: Execution) -> dict[str, Any]:
    return {} if execution.trace_header is None else {"traceHeader": execution.trace_header}


def describe_state_machine_for_execution(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """DescribeStateMachineForExecution: the revision that runs, whatever became of the machine since."""
    run = lookup.execution(service, params["executionArn"])
    execution = run.execution
    configured = service.configurations[execution.definition]
    described = {
        "stateMachineArn": execution.machine_arn,
        "name": execution.machine_name,
        "updateDate": moment(configured.updated_ms),
        **configuration.describe(service, configured, params.get("includedData")),
    }
    if run.map_run_arn is None:
        return described
    if params.get("includedData") != "METADATA_ONLY":
        described["definition"] = dumps(_processor(loads(configured.definition), execution.scope))
    return described | {"mapRunArn": run.map_run_arn, "label": Arn.parse(execution.machine_arn).name.split("/")[1]}


def _processor(definition: dict[str, Any], scope: str) -> dict[str, Any]:
    """The definition that a Map Run's children have: that of the item processor, which need not say what holds for the
    whole machine (recorded)."""
    found = {key: value for key, value in _inside(definition, scope).items() if key != "ProcessorConfig"}
    language = definition.get("QueryLanguage", "JSONPath")
    return found if language == "JSONPath" else {"QueryLanguage": language, **found}


def _inside(value: Any, pointer: str) -> Any:
    """The part of a definition that `/States/Each/ItemProcessor` names; states may have slashes in their names."""
    if not pointer or value is None:
        return value
    parts: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        parts = ((f"/{key}", part) for key, part in value.items())
    elif isinstance(value, list):
        parts = ((f"[{index}]", part) for index, part in enumerate(value))
    found = (_inside(part, pointer[len(step) :]) for step, part in parts if pointer.startswith(step))
    return next((part for part in found if part is not None), None)


# --- listing ----------------------------------------------------------------------------------------------


def list_executions(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """ListExecutions of a machine, a version, an alias or a Map Run, in the order of `Query`."""
    machine_arn, map_run_arn = params.get("stateMachineArn"), params.get("mapRunArn")
    if machine_arn is not None and map_run_arn is None:
        query = _of_machine(service, machine_arn, params.get("statusFilter"))
    elif map_run_arn is not None and machine_arn is None:
        query = Query(map_run_arn=lookup.map_run(service, map_run_arn).arn)
    else:
        raise invalid("Either stateMachineArn or mapRunArn must be specified, but not both")
    status = params.get("statusFilter")
    query.status = None if status == "PENDING_REDRIVE" else status
    query.redriven = {"REDRIVEN": True, "NOT_REDRIVEN": False}.get(params.get("redriveFilter", ""))
    question = f"ListExecutions {[params.get(name) for name in _QUESTION]}"
    wanted = None
    if map_run_arn is not None and status not in (None, "RUNNING", "SUCCEEDED"):
        wanted = _wanted(service, status == "PENDING_REDRIVE")
    found, token = page_of_rows(service, question, params, query, wanted)
    return answer("executions", [_in_list(service, row) for row in found], token)


def _in_list(service: Service, row: Row) -> dict[str, Any]:
    run = lookup.execution(service, row.arn)
    listed = _listed(service, run)
    return listed | {"itemCount": run.execution.child_items} if run.map_run_arn is not None else listed


_QUESTION = ("stateMachineArn", "mapRunArn", "statusFilter", "redriveFilter")
"""What has to stay the same from page to page."""


def _of_machine(service: Service, arn: str, status: str | None) -> Query:
    machine_arn, qualifier = refs.state_machine(arn)
    machine = service.machines.get(machine_arn)
    if machine is None:
        raise lookup.no_machine(arn)
    if machine.type == "EXPRESS":
        raise _type_not_supported()
    if status == "PENDING_REDRIVE":
        raise invalid("The statusFilter PENDING_REDRIVE is for the executions of a Map Run")
    query = Query(machine_arn=machine_arn, since=machine.executions_before)
    if refs.is_version(qualifier):
        query.version_arn = arn
    elif qualifier:
        query.alias_arn = arn
    return query


def _wanted(service: Service, pending: bool) -> Callable[[Row], bool]:
    """What no row tells: whether a Map Run's child that failed is to be started again."""
    return lambda row: _awaits_redrive(service, lookup.execution(service, row.arn)) == pending


def get_execution_history(service: Service, params: dict[str, Any]) -> dict[str, Any]:
    """GetExecutionHistory: oldest first, or `reverseOrder`."""
    run = lookup.standard_execution(service, params["executionArn"])
    latest_first = bool(params.get("reverseOrder"))
    all_ids = range(1, run.execution.next_event_id)
    question = f"GetExecutionHistory {run.execution.arn} {latest_first}"
    sign = -1 if latest_first else 1
    ids, token = page(service, question, params, all_ids[::sign], lambda id: [sign * id])
    events = service.engine.events(run, min(ids, default=1), len(ids))[::sign]
    include = params.get("includeExecutionData", True)
    shown = [to_aws(event, moment(event.timestamp_ms), include_data=include) for event in events]
    return answer("events", shown, token)
