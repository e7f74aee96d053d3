"""The page of all integrations is complete: it is what the code says, and the code has what AWS's guide lists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kaidan.integrations.dispatch import optimised_actions

ROOT = Path(__file__).parents[2]

REQUEST, SYNC, TOKEN = ("",), ("", ".sync"), ("", ".waitForTaskToken")

GUIDE: dict[str, dict[str, tuple[str, ...]]] = {
    "apigateway": {"invoke": TOKEN},
    "athena": {
        "startQueryExecution": SYNC,
        "stopQueryExecution": REQUEST,
        "getQueryExecution": REQUEST,
        "getQueryResults": REQUEST,
    },
    "batch": {"submitJob": SYNC},
    "bedrock": {"invokeModel": TOKEN, "createModelCustomizationJob": SYNC},
    "bedrockagentcore": {"invokeHarness": REQUEST},
    "codebuild": {
        "startBuild": SYNC,
        "stopBuild": REQUEST,
        "batchDeleteBuilds": REQUEST,
        "batchGetReports": REQUEST,
        "startBuildBatch": SYNC,
        "stopBuildBatch": REQUEST,
        "retryBuildBatch": SYNC,
        "deleteBuildBatch": REQUEST,
    },
    "databrew": {"startJobRun": SYNC},
    "dynamodb": {"getItem": REQUEST, "putItem": REQUEST, "deleteItem": REQUEST, "updateItem": REQUEST},
    "ecs": {"runTask": ("", ".sync", ".waitForTaskToken")},
    "eks": {
        "runJob": SYNC,
        "call": TOKEN,
        "createCluster": SYNC,
        "deleteCluster": SYNC,
        "createFargateProfile": SYNC,
        "deleteFargateProfile": SYNC,
        "createNodegroup": SYNC,
        "deleteNodegroup": SYNC,
    },
    "elasticmapreduce": {
        "createCluster": SYNC,
        "terminateCluster": SYNC,
        "setClusterTerminationProtection": REQUEST,
        "addStep": SYNC,
        "cancelStep": REQUEST,
        "modifyInstanceFleetByName": REQUEST,
        "modifyInstanceGroupByName": REQUEST,
    },
    "emr-containers": {"createVirtualCluster": REQUEST, "deleteVirtualCluster": SYNC, "startJobRun": SYNC},
    "emr-serverless": {
        "createApplication": SYNC,
        "startApplication": SYNC,
        "stopApplication": SYNC,
        "deleteApplication": SYNC,
        "startJobRun": SYNC,
        "cancelJobRun": SYNC,
    },
    "events": {"putEvents": TOKEN},
    "glue": {"startJobRun": SYNC},
    "http": {"invoke": REQUEST},
    "lambda": {"invoke": TOKEN},
    "mediaconvert": {"createJob": SYNC},
    "sagemaker": {
        "createEndpoint": REQUEST,
        "createEndpointConfig": REQUEST,
        "createHyperParameterTuningJob": SYNC,
        "createLabelingJob": SYNC,
        "createModel": REQUEST,
        "createProcessingJob": SYNC,
        "createTrainingJob": SYNC,
        "createTransformJob": SYNC,
        "updateEndpoint": REQUEST,
    },
    "sns": {"publish": TOKEN},
    "sqs": {"sendMessage": TOKEN},
    "states": {"startExecution": ("", ".sync", ".sync:2", ".waitForTaskToken")},
}
"""AWS guide, "Integrating optimized services with Step Functions", and the page of each service."""


def test_every_integration_that_the_guide_lists_is_here() -> None:
    ours = optimised_actions()
    missing = [
        f"{service}:{action}{pattern}"
        for service, actions in GUIDE.items()
        for action, patterns in actions.items()
        for pattern in patterns
        if pattern not in ours.get(service, {}).get(action, ())
    ]
    assert missing == []
    assert ours.keys() == GUIDE.keys()


def test_the_page_is_what_the_code_says() -> None:
    """If not: python tools/generate_integrations_reference.py."""
    subprocess.run([sys.executable, "tools/generate_integrations_reference.py", "--check"], cwd=ROOT, check=True)
