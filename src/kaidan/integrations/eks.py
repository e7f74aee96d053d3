"""Amazon EKS: clusters, and what belongs to them, made and deleted; `eks:call` and `eks:runJob` are in kubernetes.py.
Source: AWS guide, "Create and manage Amazon EKS clusters with Step Functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaidan.integrations.jobs import Fields, Job, status
from kaidan.integrations.optimised import Action, Service

GONE = frozenset({"EKS.ResourceNotFoundException"})


def _named(*names: str) -> Callable[[Fields, Fields], Fields]:
    """The handle: what names the thing, as the parameters name it."""
    return lambda answer, parameters: {name: parameters[name] for name in names}


def _question(handle: Fields) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in handle.items()}


def _made(thing: str, *names: str, failed: str = "CREATE_FAILED DELETE_FAILED DELETING") -> Job:
    return Job(
        handle=_named(*names),
        ask=(f"Describe{thing}", _question),
        path=(),
        verdict=status(thing, "Status", succeeded="ACTIVE", failed=failed),
    )


def _deleted(thing: str, *names: str, failed: str = "DELETE_FAILED") -> Job:
    return Job(
        handle=_named(*names),
        ask=(f"Describe{thing}", _question),
        path=(),
        verdict=status(thing, "Status", succeeded="", failed=failed),
        gone=GONE,
    )


NODEGROUP = ("ClusterName", "NodegroupName")
FARGATE = ("ClusterName", "FargateProfileName")
ADDON = ("ClusterName", "AddonName")

SERVICE = Service(
    token="eks",
    client="eks",
    prefix="EKS",
    product="AmazonEKS",
    exception="AmazonEKSException",
    actions={
        "createCluster": Action("CreateCluster", jobs={".sync": _made("Cluster", "Name", failed="FAILED DELETING")}),
        "deleteCluster": Action("DeleteCluster", jobs={".sync": _deleted("Cluster", "Name", failed="FAILED")}),
        "createNodegroup": Action("CreateNodegroup", jobs={".sync": _made("Nodegroup", *NODEGROUP)}),
        "deleteNodegroup": Action("DeleteNodegroup", jobs={".sync": _deleted("Nodegroup", *NODEGROUP)}),
        "createFargateProfile": Action("CreateFargateProfile", jobs={".sync": _made("FargateProfile", *FARGATE)}),
        "deleteFargateProfile": Action("DeleteFargateProfile", jobs={".sync": _deleted("FargateProfile", *FARGATE)}),
        "createAddon": Action("CreateAddon", jobs={".sync": _made("Addon", *ADDON)}),
        "deleteAddon": Action("DeleteAddon", jobs={".sync": _deleted("Addon", *ADDON)}),
    },
)
