"""One execution on an engine of its own: how `kaidan run` puts runtime and integrations together.

Tasks call AWS, or whatever answers at the endpoint, through botocore. Nothing here is a server: what only
somebody else could answer (an activity, a task token) cannot be waited for.
"""

from __future__ import annotations

from kaidan.arns import Arn, TaskResource, execution_arn
from kaidan.asl.language import Program
from kaidan.asl.machine.advance import Machine
from kaidan.asl.machine.execution import Execution
from kaidan.integrations import aws_sdk
from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.dispatch import Dispatcher, check_resource
from kaidan.runtime.engine import Engine, Run
from kaidan.runtime.pool import Pool
from kaidan.runtime.sources import RealClock, SkippingClock, SystemSource
from kaidan.values import Payload

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/kaidan"
"""What a definition sees in its context object where no role is given."""


class Embedded:
    """An engine, and what carries out its tasks."""

    def __init__(self, clients: ClientFactory, *, skip_waits: bool = False) -> None:
        self.engine = Engine(SkippingClock() if skip_waits else RealClock())
        self._pool = Pool(self.engine)
        self.dispatcher = Dispatcher(clients, self._pool.run)
        self.engine.handler = self.dispatcher
        self._region = clients.region

    def start(
        self, program: Program, input: Payload, *, machine_name: str, name: str | None, role_arn: str | None
    ) -> Run:
        """Begin an execution; it goes on when the engine runs."""
        source = SystemSource()
        account = Arn.parse(role_arn).account if role_arn else ACCOUNT
        machine_arn = f"arn:aws:states:{self._region}:{account}:stateMachine:{machine_name}"
        name = name or source.uuid4()
        execution = Execution(
            arn=execution_arn(machine_arn, name),
            name=name,
            machine_arn=machine_arn,
            machine_name=machine_name,
            role_arn=role_arn or ROLE_ARN,
            input=input,
            start_ms=self.engine.clock.now_ms(),
            region=self._region,
        )
        run = Run(Machine(program, source), execution)
        self.engine.start(run)
        return run

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.close()


# --- what can be run --------------------------------------------------------------------------------------


class Runnable:
    """A `ResourceCheck` that also refuses what has no handler here. Remembers what it was asked about."""

    def __init__(self) -> None:
        self.resources: list[TaskResource] = []
        self._dispatcher = Dispatcher(ClientFactory(), lambda work, reply: None)

    def __call__(self, resource: TaskResource) -> str | None:
        self.resources.append(resource)
        return check_resource(resource) or self._unsupported(resource)

    def _unsupported(self, resource: TaskResource) -> str | None:
        dispatcher = self._dispatcher
        if resource.kind != "integration":
            known = resource.kind in dispatcher.by_kind
        else:
            known = resource.service.startswith("aws-sdk:") or resource.service in dispatcher.by_service
        if known:
            return None
        supported = ", ".join(("aws-sdk:*", *sorted(dispatcher.by_service), *sorted(dispatcher.by_kind)))
        return f"'kaidan run' has nothing that carries out {WHAT[resource.kind].format(resource)}: it has {supported}"

    @property
    def services(self) -> list[str]:
        """The AWS services that SDK integrations call, by botocore's names: `["ec2", "stepfunctions"]`."""
        sdk = [each for each in self.resources if each.service.startswith("aws-sdk:")]
        return sorted({aws_sdk.resolve(each.service.removeprefix("aws-sdk:"), each.action).service for each in sdk})

    @property
    def awaits_callback(self) -> bool:
        """Whether a task waits for somebody to send its token back."""
        return any(resource.pattern == ".waitForTaskToken" for resource in self.resources)


WHAT = {
    "integration": "{0.service}:{0.action}{0.pattern}",
    "lambda": "a Lambda function named as the Resource",
    "activity": "an activity",
}
