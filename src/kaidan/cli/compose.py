"""One execution on an engine of its own: how `kaidan run` puts runtime and integrations together.

Tasks call AWS, or whatever answers at the endpoint, through botocore. Nothing here is a server: what only
somebody else could answer (an activity, a task token) cannot be waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from kaidan.arns import Arn, TaskResource, execution_arn, states_arn, task_resource
from kaidan.asl.language import Program
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.errors import Diagnostic
from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.dispatch import Dispatcher, check_parameters, prepare_parameters
from kaidan.integrations.storage import Storage
from kaidan.integrations.world import Tasks, World
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.pool import Pool
from kaidan.runtime.sources import RealClock, SkippingClock, SystemSource
from kaidan.store.contract import Store
from kaidan.values import JSON, Payload

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/kaidan"
"""What a definition sees in its context object where no role is given."""


class Embedded:
    """An engine, and what carries out its tasks."""

    def __init__(
        self,
        clients: ClientFactory,
        *,
        skip_waits: bool = False,
        world: World | None = None,
        store: Store | None = None,
    ) -> None:
        self.engine = Engine(SkippingClock() if skip_waits else RealClock(), store)
        self._pool = Pool(self.engine)
        world = world or World()
        self.tasks = Tasks(Dispatcher(clients, self._pool.run, world.surroundings), world)
        self.engine.handler = self.tasks
        self.engine.maps.storage = Storage(clients)
        self._region = clients.region

    def start(
        self,
        program: Program,
        input: Payload,
        *,
        machine_name: str,
        name: str | None,
        role_arn: str | None,
        express: bool = False,
        case: str | None = None,
    ) -> Run:
        """Begin an execution; it goes on when the engine runs."""
        source = SystemSource()
        account = Arn.parse(role_arn).account if role_arn else ACCOUNT
        machine_arn = states_arn(self._region, account, f"stateMachine:{machine_name}")
        name = name or source.uuid4()
        execution = Execution(
            arn=execution_arn(machine_arn, name, express_id=source.uuid4() if express else None),
            name=name,
            machine_arn=machine_arn,
            machine_name=machine_name,
            role_arn=role_arn or ROLE_ARN,
            input=input,
            start_ms=self.engine.clock.now_ms(),
            region=self._region,
            express=express,
            case=case,
        )
        machine = Machine(program, source, check_parameters=check_parameters, prepare_parameters=prepare_parameters)
        self.engine.machine_of = lambda execution: machine
        run = Run(machine, execution)
        self.engine.pinned.add(execution.arn)
        self.engine.start(run)
        return run

    def close(self) -> None:
        """Let go of the threads, and end the processes of local functions."""
        self._pool.close()
        self.tasks.close()
        self.engine.maps.close()


# --- what can be run --------------------------------------------------------------------------------------


_PROCESSORS = ("ItemProcessor", "Iterator")


class Work(NamedTuple):
    """A Task state of a definition: where it is, its name, what it calls."""

    pointer: str
    state: str
    resource: TaskResource


def tasks(machine: JSON, pointer: str = "") -> Iterator[Work]:
    """Every Task of a definition that has been checked, those inside branches and items too."""
    for name, state in machine["States"].items():
        at = f"{pointer}/States/{name}"
        if state["Type"] == "Task":
            yield Work(at, name, task_resource(state["Resource"]))
        for index, branch in enumerate(state.get("Branches", ())):
            yield from tasks(branch, f"{at}/Branches[{index}]")
        for field in _PROCESSORS:
            if field in state:
                yield from tasks(state[field], f"{at}/{field}")


def distributes(machine: JSON) -> bool:
    """Whether a definition that has been checked has a Distributed Map: it may have any number of children."""
    inner = [state[field] for state in machine["States"].values() for field in _PROCESSORS if field in state]
    inner += [branch for state in machine["States"].values() for branch in state.get("Branches", ())]
    return any(each.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED" or distributes(each) for each in inner)


def unsupported(work: Iterable[Work]) -> list[Diagnostic]:
    """A finding for each Task that nothing here can carry out: better now than in the middle of a run."""
    dispatcher = Dispatcher(ClientFactory(), lambda work, reply: None)
    known = ", ".join(f"{service}:<action>" for service in ("aws-sdk:<service>", *sorted(dispatcher.by_service)))
    return [
        Diagnostic(
            "NOT_SUPPORTED_HERE",
            f"'kaidan run' cannot carry out the Task '{each.state}': {_called(each.resource)}",
            f"{each.pointer}/Resource",
            hint=f"what can be carried out: {known}",
        )
        for each in work
        if not _is_supported(dispatcher, each.resource)
    ]


def _is_supported(dispatcher: Dispatcher, resource: TaskResource) -> bool:
    if resource.kind != "integration":
        return resource.kind in dispatcher.by_kind
    return resource.service.startswith("aws-sdk:") or resource.service in dispatcher.by_service


def _called(resource: TaskResource) -> str:
    if resource.kind == "lambda":
        return "it names a Lambda function as its Resource"
    if resource.kind == "activity":
        return "no worker can poll this process for an activity's tasks"
    return f"nothing does {resource.service}:{resource.action}{resource.pattern}"


def services(work: Iterable[Work]) -> list[str]:
    """The AWS services that SDK integrations call, by botocore's names: `["ec2", "stepfunctions"]`."""
    found = set()
    for each in work:
        if each.resource.service.startswith("aws-sdk:"):
            with suppress(ValueError):  # a service that botocore does not have: its call will say so
                token = each.resource.service.removeprefix("aws-sdk:")
                found.add(aws_sdk.resolve(token, each.resource.action).service)
    return sorted(found)
