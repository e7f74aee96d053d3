"""Amazon EMR on EKS, `emr-containers:…`. Source: AWS guide, "Create and manage Amazon EMR clusters on EKS"."""

from __future__ import annotations

from kaidan.integrations.jobs import Job, by_the_minute, status
from kaidan.integrations.optimised import Action, Service

JOB_RUN = Job(
    handle=lambda answer, parameters: {"Id": answer["Id"], "VirtualClusterId": parameters["VirtualClusterId"]},
    ask=("DescribeJobRun", lambda run: {"id": run["Id"], "virtualClusterId": run["VirtualClusterId"]}),
    path=("JobRun",),
    verdict=status("State", succeeded="COMPLETED", failed="FAILED CANCELLED"),
    stop=("CancelJobRun", lambda run: {"id": run["Id"], "virtualClusterId": run["VirtualClusterId"]}),
    delay_s=by_the_minute,
)

DELETED = Job(
    handle=lambda answer, parameters: {"Id": parameters["Id"]},
    ask=("DescribeVirtualCluster", lambda cluster: {"id": cluster["Id"]}),
    path=("VirtualCluster",),
    verdict=status("State", succeeded="TERMINATED", failed="ARRESTED"),
    gone=frozenset({"EMRContainers.ResourceNotFoundException"}),
    delay_s=by_the_minute,
)

SERVICE = Service(
    token="emr-containers",
    client="emr-containers",
    prefix="EMRContainers",
    product="AmazonEMRContainers",
    exception="AmazonEMRContainersException",
    metadata=False,
    actions={
        "createVirtualCluster": Action("CreateVirtualCluster"),
        "deleteVirtualCluster": Action("DeleteVirtualCluster", jobs={".sync": DELETED}),
        "startJobRun": Action("StartJobRun", jobs={".sync": JOB_RUN}),
    },
)
