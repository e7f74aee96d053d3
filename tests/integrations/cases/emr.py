"""EMR, EMR on EKS, EMR Serverless."""

from __future__ import annotations

from typing import Any

from tests.integrations.cases.case import THEN_S, THEN_S_MS, Case, Ending

ROLE = "arn:aws:iam::123456789012:role/runs-the-jobs"
STEP = {"Name": "s", "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["a"]}}
ME = "arn:aws:iam::123456789012:user/me"
VIRTUAL = "arn:aws:emr-containers:us-east-1:123456789012:/virtualclusters/v-1"
APPLICATION_ARN = "arn:aws:emr-serverless:us-east-1:123456789012:/applications/00a1"
RUN_ARN = APPLICATION_ARN + "/jobruns/00b1"


def _cluster(state: str) -> dict[str, Any]:
    return {"Cluster": {"Id": "j-1", "Name": "c", "Status": {"State": state}}}


def _step(state: str) -> dict[str, Any]:
    return {"Step": {"Id": "s-1", "Name": "s", "Status": {"State": state}}}


EMR = [
    Case(
        "elasticmapreduce:createCluster",
        {
            "Name": "c",
            "ReleaseLabel": "emr-7.0.0",
            "Applications": [{"Name": "Spark"}],
            "Instances": {"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m5.xlarge"},
        },
        [
            (
                "emr.RunJobFlow",
                {
                    "Name": "c",
                    "ReleaseLabel": "emr-7.0.0",
                    "Applications": [{"Name": "Spark"}],
                    "Instances": {
                        "KeepJobFlowAliveWhenNoSteps": True,
                        "InstanceCount": 1,
                        "MasterInstanceType": "m5.xlarge",
                    },
                },
            )
        ],
        [{"JobFlowId": "j-1", "ClusterArn": "arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/j-1"}],
        {"ClusterId": "j-1"},
        {
            ".sync": Ending(
                ask=("emr.DescribeCluster", {"ClusterId": "j-1"}),
                running=_cluster("BOOTSTRAPPING"),
                succeeded=_cluster("WAITING"),
                result={**_cluster("WAITING"), "ClusterId": "j-1"},
                failed=_cluster("TERMINATED_WITH_ERRORS"),
                cause={**_cluster("TERMINATED_WITH_ERRORS"), "ClusterId": "j-1"},
            )
        },
    ),
    Case(
        "elasticmapreduce:setClusterTerminationProtection",
        {"ClusterId": "j-1", "TerminationProtected": True},
        [("emr.SetTerminationProtection", {"JobFlowIds": ["j-1"], "TerminationProtected": True})],
        [{}],
        {},
    ),
    Case(
        "elasticmapreduce:terminateCluster",
        {"ClusterId": "j-1"},
        [("emr.TerminateJobFlows", {"JobFlowIds": ["j-1"]})],
        [{}],
        {},
        {
            ".sync": Ending(
                ask=("emr.DescribeCluster", {"ClusterId": "j-1"}),
                running=_cluster("TERMINATING"),
                succeeded=_cluster("TERMINATED"),
                result={**_cluster("TERMINATED"), "ClusterId": "j-1"},
            )
        },
    ),
    Case(
        "elasticmapreduce:addStep",
        {"ClusterId": "j-1", "ExecutionRoleArn": ROLE, "Step": STEP},
        [("emr.AddJobFlowSteps", {"JobFlowId": "j-1", "ExecutionRoleArn": ROLE, "Steps": [STEP]})],
        [{"StepIds": ["s-1"]}],
        {"StepId": "s-1"},
        {
            ".sync": Ending(
                ask=("emr.DescribeStep", {"ClusterId": "j-1", "StepId": "s-1"}),
                running=_step("PENDING"),
                succeeded=_step("COMPLETED"),
                result=_step("COMPLETED"),
                failed=_step("FAILED"),
                cause=_step("FAILED"),
                stop=("emr.CancelSteps", {"ClusterId": "j-1", "StepIds": ["s-1"]}),
            )
        },
    ),
    Case(
        "elasticmapreduce:cancelStep",
        {"ClusterId": "j-1", "StepId": "s-1"},
        [("emr.CancelSteps", {"ClusterId": "j-1", "StepIds": ["s-1"]})],
        [{"CancelStepsInfoList": [{"StepId": "s-1", "Status": "SUBMITTED", "Reason": "asked"}]}],
        {"CancelStepsInfo": {"Reason": "asked", "Status": "SUBMITTED", "StepId": "s-1"}},
    ),
    Case(
        "elasticmapreduce:modifyInstanceFleetByName",
        {"ClusterId": "j-1", "InstanceFleetName": "core", "InstanceFleet": {"TargetOnDemandCapacity": 8}},
        [
            ("emr.ListInstanceFleets", {"ClusterId": "j-1"}),
            (
                "emr.ModifyInstanceFleet",
                {"ClusterId": "j-1", "InstanceFleet": {"InstanceFleetId": "if-1", "TargetOnDemandCapacity": 8}},
            ),
        ],
        [{"InstanceFleets": [{"Id": "if-1", "Name": "core"}]}, {}],
        {},
    ),
    Case(
        "elasticmapreduce:modifyInstanceGroupByName",
        {"ClusterId": "j-1", "InstanceGroupName": "core", "InstanceGroup": {"InstanceCount": 8}},
        [
            ("emr.ListInstanceGroups", {"ClusterId": "j-1"}),
            (
                "emr.ModifyInstanceGroups",
                {"ClusterId": "j-1", "InstanceGroups": [{"InstanceGroupId": "ig-1", "InstanceCount": 8}]},
            ),
        ],
        [{"InstanceGroups": [{"Id": "ig-1", "Name": "core"}]}, {}],
        {},
    ),
]

# --- on EKS -----------------------------------------------------------------------------------------------

ON_EKS = [
    Case(
        "emr-containers:createVirtualCluster",
        {"Name": "v", "ContainerProvider": {"Id": "c", "Type": "EKS", "Info": {"EksInfo": {"Namespace": "spark"}}}},
        [
            (
                "emr-containers.CreateVirtualCluster",
                {
                    "name": "v",
                    "containerProvider": {"id": "c", "type": "EKS", "info": {"eksInfo": {"namespace": "spark"}}},
                },
            )
        ],
        [{"id": "v-1", "name": "v", "arn": VIRTUAL}],
        {"Arn": VIRTUAL, "Id": "v-1", "Name": "v"},
    ),
    Case(
        "emr-containers:deleteVirtualCluster",
        {"Id": "v-1"},
        [("emr-containers.DeleteVirtualCluster", {"id": "v-1"})],
        [{"id": "v-1"}],
        {"Id": "v-1"},
        {
            ".sync": Ending(
                ask=("emr-containers.DescribeVirtualCluster", {"id": "v-1"}),
                running={"virtualCluster": {"id": "v-1", "state": "TERMINATING"}},
                succeeded={"virtualCluster": {"id": "v-1", "state": "TERMINATED", "createdAt": THEN_S}},
                result={"CreatedAt": THEN_S_MS, "Id": "v-1", "State": "TERMINATED"},
                failed={"virtualCluster": {"id": "v-1", "state": "ARRESTED"}},
                cause={"Id": "v-1", "State": "ARRESTED"},
            )
        },
    ),
    Case(
        "emr-containers:startJobRun",
        {
            "VirtualClusterId": "v-1",
            "Name": "n",
            "ExecutionRoleArn": ROLE,
            "JobDriver": {"SparkSubmitJobDriver": {"EntryPoint": "s3://b/trips.py", "EntryPointArguments": ["60"]}},
            "Tags": {"taskType": "jobName"},
        },
        [
            (
                "emr-containers.StartJobRun",
                {
                    "virtualClusterId": "v-1",
                    "name": "n",
                    "executionRoleArn": ROLE,
                    "jobDriver": {
                        "sparkSubmitJobDriver": {"entryPoint": "s3://b/trips.py", "entryPointArguments": ["60"]}
                    },
                    "tags": {"taskType": "jobName"},
                },
            )
        ],
        [{"id": "r-1", "name": "n", "virtualClusterId": "v-1"}],
        {"Id": "r-1", "Name": "n", "VirtualClusterId": "v-1"},
        {
            ".sync": Ending(
                ask=("emr-containers.DescribeJobRun", {"id": "r-1", "virtualClusterId": "v-1"}),
                running={"jobRun": {"id": "r-1", "state": "SUBMITTED"}},
                succeeded={"jobRun": {"id": "r-1", "state": "COMPLETED", "tags": {"taskType": "jobName"}}},
                result={"Id": "r-1", "State": "COMPLETED", "Tags": {"taskType": "jobName"}},
                failed={"jobRun": {"id": "r-1", "state": "FAILED", "failureReason": "USER_ERROR"}},
                cause={"FailureReason": "USER_ERROR", "Id": "r-1", "State": "FAILED"},
                stop=("emr-containers.CancelJobRun", {"id": "r-1", "virtualClusterId": "v-1"}),
            )
        },
    ),
]

# --- without servers --------------------------------------------------------------------------------------

APPLICATION = {"applicationId": "a-1"}
JOB_RUN = {"applicationId": "a-1", "jobRunId": "r-1"}


def _application(state: str) -> dict[str, Any]:
    described = {"arn": APPLICATION_ARN, "releaseLabel": "emr-7.0.0", "type": "SPARK", "state": state}
    return {"application": {**APPLICATION, **described, "createdAt": THEN_S, "updatedAt": THEN_S}}


def _application_result(state: str) -> dict[str, Any]:
    described = {"Arn": APPLICATION_ARN, "ReleaseLabel": "emr-7.0.0", "Type": "SPARK", "State": state}
    return {"ApplicationId": "a-1", **described, "CreatedAt": THEN_S_MS, "UpdatedAt": THEN_S_MS}


def _job_run(state: str) -> dict[str, Any]:
    described = {"arn": RUN_ARN, "createdBy": ME, "executionRole": ROLE, "state": state, "stateDetails": "why"}
    driver = {"sparkSubmit": {"entryPoint": "s3://b/sample.py"}}
    times = {"createdAt": THEN_S, "updatedAt": THEN_S}
    return {"jobRun": {**JOB_RUN, **described, **times, "releaseLabel": "emr-7.0.0", "jobDriver": driver}}


def _job_run_result(state: str) -> dict[str, Any]:
    described = {"Arn": RUN_ARN, "CreatedBy": ME, "ExecutionRole": ROLE, "State": state, "StateDetails": "why"}
    driver = {"SparkSubmit": {"EntryPoint": "s3://b/sample.py"}}
    times = {"CreatedAt": THEN_S_MS, "UpdatedAt": THEN_S_MS}
    named = {"ApplicationId": "a-1", "JobRunId": "r-1", "ReleaseLabel": "emr-7.0.0", "JobDriver": driver}
    return {**named, **described, **times}


def _until(state: str, failed: str = "", stop: str = "", running: str = "STOPPING") -> Ending:
    return Ending(
        ask=("emr-serverless.GetApplication", APPLICATION),
        running=_application(running),
        succeeded=_application(state),
        result=_application_result(state),
        failed=_application(failed) if failed else None,
        cause=_application_result(failed) if failed else None,
        stop=(f"emr-serverless.{stop}Application", APPLICATION) if stop else None,
    )


def _run_until(state: str, failed: str, stop: str = "") -> Ending:
    return Ending(
        ask=("emr-serverless.GetJobRun", JOB_RUN),
        running=_job_run("RUNNING"),
        succeeded=_job_run(state),
        result=_job_run_result(state),
        failed=_job_run(failed),
        cause=_job_run_result(failed),
        stop=(f"emr-serverless.{stop}", JOB_RUN) if stop else None,
    )


def _change(verb: str, end: Ending) -> Case:
    return Case(
        f"emr-serverless:{verb}Application",
        {"ApplicationId": "a-1"},
        [(f"emr-serverless.{verb.capitalize()}Application", APPLICATION)],
        [{}],
        {"ApplicationId": "a-1"},
        {".sync": end},
    )


SERVERLESS = [
    Case(
        "emr-serverless:createApplication",
        {"Name": "MyApplication", "ReleaseLabel": "emr-7.0.0", "Type": "SPARK"},
        [
            (
                "emr-serverless.CreateApplication",
                {"name": "MyApplication", "releaseLabel": "emr-7.0.0", "type": "SPARK"},
            )
        ],
        [{**APPLICATION, "arn": APPLICATION_ARN, "name": "MyApplication"}],
        {"ApplicationId": "a-1", "Arn": APPLICATION_ARN, "Name": "MyApplication"},
        {".sync": _until("CREATED", "TERMINATED", "Delete", running="CREATING")},
    ),
    _change("start", _until("STARTED", "TERMINATED", "Stop", running="STARTING")),
    _change("stop", _until("STOPPED", "TERMINATED")),
    _change("delete", _until("TERMINATED")),
    Case(
        "emr-serverless:startJobRun",
        {
            "ApplicationId": "a-1",
            "ExecutionRoleArn": ROLE,
            "JobDriver": {"SparkSubmit": {"EntryPoint": "s3://b/sample.py", "EntryPointArguments": ["1"]}},
        },
        [
            (
                "emr-serverless.StartJobRun",
                {
                    "applicationId": "a-1",
                    "executionRoleArn": ROLE,
                    "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/sample.py", "entryPointArguments": ["1"]}},
                },
            )
        ],
        [{**JOB_RUN, "arn": RUN_ARN}],
        {"ApplicationId": "a-1", "Arn": RUN_ARN, "JobRunId": "r-1"},
        {".sync": _run_until("SUCCESS", "FAILED", "CancelJobRun")},
    ),
    Case(
        "emr-serverless:cancelJobRun",
        {"ApplicationId": "a-1", "JobRunId": "r-1"},
        [("emr-serverless.CancelJobRun", JOB_RUN)],
        [JOB_RUN],
        {"ApplicationId": "a-1", "JobRunId": "r-1"},
        {".sync": _run_until("CANCELLED", "SUCCESS")},
    ),
]

CASES = [*EMR, *ON_EKS, *SERVERLESS]
