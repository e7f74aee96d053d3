"""Write docs/reference/integrations.md: every integration, its actions and patterns, from the lists that tasks run by.

Run it after an integration changed: `python tools/generate_integrations_reference.py`. With `--check` it writes
nothing and ends with 1 when the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kaidan.integrations import aws_sdk
from kaidan.integrations.dispatch import optimised_actions
from kaidan.integrations.naming import action_name

TARGET = Path(__file__).parents[1] / "docs/reference/integrations.md"

TITLES = {
    "apigateway": "Amazon API Gateway",
    "athena": "Amazon Athena",
    "batch": "AWS Batch",
    "bedrock": "Amazon Bedrock",
    "bedrockagentcore": "Amazon Bedrock AgentCore",
    "codebuild": "AWS CodeBuild",
    "databrew": "AWS Glue DataBrew",
    "dynamodb": "Amazon DynamoDB",
    "ecs": "Amazon ECS and Fargate",
    "eks": "Amazon EKS",
    "elasticmapreduce": "Amazon EMR",
    "emr-containers": "Amazon EMR on EKS",
    "emr-serverless": "Amazon EMR Serverless",
    "events": "Amazon EventBridge",
    "glue": "AWS Glue",
    "http": "HTTPS APIs",
    "lambda": "AWS Lambda",
    "mediaconvert": "AWS Elemental MediaConvert",
    "sagemaker": "Amazon SageMaker AI",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
    "states": "AWS Step Functions",
}

HEAD = """\
# Integrations

Made by `tools/generate_integrations_reference.py` from the lists that tasks are run by.

## Optimized integrations

`arn:aws:states:::service:action`, and the pattern behind it. A request-response task goes on when the call has been
answered, `.sync` when the job it started has ended, `.waitForTaskToken` when somebody has answered its token. Express
workflows have request-response only. Tasks that wait for a job note its id: a restart takes the job up again, and when
the execution is stopped, so is the job, where its service can.

| Service | Resource | Request | .sync | .sync:2 | .waitForTaskToken |
| --- | --- | --- | --- | --- | --- |
"""

SDK_HEAD = """
## AWS SDK integrations

`arn:aws:states:::aws-sdk:service:action`, request-response and `.waitForTaskToken`: every operation of {services}
services. Action, parameters, result and errors are spelled as AWS's SDK for Java spells them: `describeDBInstances`,
`DbInstanceIdentifier`, `Rds.DbInstanceNotFoundException`. Where the AWS CLI has another name for a service, it is in
brackets. What AWS excludes is refused: operations that stream events, and those of this table.

| Service | Refused actions |
| --- | --- |
"""


def optimised_rows() -> Iterator[str]:
    """One for each action, in the order of the services' titles."""
    actions = optimised_actions()
    for token in sorted(actions, key=lambda token: TITLES[token].lower()):
        for name, patterns in actions[token].items():
            marks = ("yes" if pattern in patterns else "" for pattern in ("", ".sync", ".sync:2", ".waitForTaskToken"))
            yield _row([TITLES[token], f"`{token}:{name}`", *marks])


def refused_rows() -> Iterator[str]:
    for token, operations in sorted(aws_sdk.UNSUPPORTED.items()):
        yield _row([f"`{token}`", ", ".join(f"`{action_name(name)}`" for name in sorted(operations))])


def services() -> Iterator[str]:
    """All that an SDK integration can call."""
    for token, client in aws_sdk.services().items():
        yield f"`{token}`" if token == client else f"`{token}` ({client})"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _filled(words: list[str], width: int = 120) -> str:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) + 2 > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def page() -> str:
    missing = {*optimised_actions()} - {*TITLES}
    if missing:
        raise SystemExit(f"no title for {', '.join(sorted(missing))}")
    found = list(services())
    listing = _filled([*(name + "," for name in found[:-1]), found[-1] + "."])
    retired = _filled([f"`{token}`" for token in sorted(aws_sdk.RETIRED)])
    return (
        HEAD
        + "".join(optimised_rows())
        + SDK_HEAD.format(services=len(found))
        + "".join(refused_rows())
        + f"\nThe services: {listing}\n"
        + f"\nIn AWS's list, and retired since; definitions may name them, calls fail:\n{retired}\n"
    )


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
