"""moto's server, and what there must be in it for tasks to do their work on."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from moto.server import ThreadedMotoServer

from kaidan.integrations.clients import AwsSettings, ClientFactory

ACCOUNT = "123456789012"
WITHOUT_DOCKER = {"batch": {"use_docker": False}, "lambda": {"use_docker": False}}
INSTANCES = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m5.xlarge"}


class World:
    """An emulated AWS. Whatever is asked for is made the first time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._slow: set[str] = set()
        self.clients = ClientFactory(
            AwsSettings(region="us-east-1", endpoint_url=url, max_attempts=1, access_key="test", secret_key="test")
        )

    def client(self, service: str) -> Any:
        return self.clients.client(service)

    def tell(self, path: str, what: dict[str, Any]) -> None:
        """Moto's own API: `tell("config", …)`, `tell("state-manager/set-transition", …)`."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/moto-api/{path}", json.dumps(what).encode(), headers)
        urllib.request.urlopen(request, timeout=10).close()

    def progress(self, kind: str, questions: int) -> None:
        """Let things of a kind, `glue::job_run`, take so many questions from each of their states to the next, or none
        to the last of them."""
        self._slow.add(kind)
        transition = {"progression": "manual", "times": questions} if questions else {"progression": "immediate"}
        self.tell("state-manager/set-transition", {"model_name": kind, "transition": transition})

    def close(self) -> None:
        """What moto has is its process's, not the server's: leave nothing to the next one."""
        for kind in self._slow:
            self.tell("state-manager/unset-transition", {"model_name": kind})
        self.tell("reset", {})

    @cached_property
    def role(self) -> str:
        return str(self.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")["Role"]["Arn"])

    @cached_property
    def queue(self) -> str:
        return str(self.client("sqs").create_queue(QueueName="orders")["QueueUrl"])

    @cached_property
    def topic(self) -> str:
        return str(self.client("sns").create_topic(Name="orders")["TopicArn"])

    @cached_property
    def table(self) -> str:
        self.client("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "1"}, "n": {"N": "1"}})
        return "orders"

    @cached_property
    def bucket(self) -> str:
        self.client("s3").create_bucket(Bucket="models")
        return "models"

    @cached_property
    def function(self) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as packed:
            packed.writestr("orders.py", "def handle(event, context):\n    return event\n")
        self.client("lambda").create_function(
            FunctionName="orders",
            Runtime="python3.12",
            Role=self.role,
            Handler="orders.handle",
            Code={"ZipFile": code.getvalue()},
        )
        return "orders"

    @cached_property
    def machine(self) -> str:
        definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
        made = self.client("stepfunctions").create_state_machine(name="o", definition=definition, roleArn=self.role)
        return str(made["stateMachineArn"])

    @cached_property
    def query(self) -> str:
        """One that has ended."""
        athena = self.client("athena")
        started = athena.start_query_execution(QueryString="SELECT 1")["QueryExecutionId"]
        athena.get_query_execution(QueryExecutionId=started)
        return str(started)

    @cached_property
    def glue_job(self) -> str:
        return str(self.client("glue").create_job(Name="nightly", Role="r", Command={"Name": "glueetl"})["Name"])

    @cached_property
    def project(self) -> str:
        self.client("codebuild").create_project(
            name="site",
            source={"type": "S3", "location": "bucket/path"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=self.role,
        )
        return "site"

    def build(self) -> str:
        return str(self.client("codebuild").start_build(projectName=self.project)["build"]["id"])

    @cached_property
    def batch_job(self) -> dict[str, str]:
        """Name, queue and definition of jobs."""
        batch = self.client("batch")
        environment = batch.create_compute_environment(
            computeEnvironmentName="machines", type="UNMANAGED", state="ENABLED", serviceRole=self.role
        )["computeEnvironmentArn"]
        order = [{"order": 1, "computeEnvironment": environment}]
        batch.create_job_queue(jobQueueName="nightly", state="ENABLED", priority=1, computeEnvironmentOrder=order)
        container = {"image": "i", "vcpus": 1, "memory": 128, "command": ["true"]}
        batch.register_job_definition(jobDefinitionName="job", type="container", containerProperties=container)
        return {"JobName": "n", "JobQueue": "nightly", "JobDefinition": "job"}

    @cached_property
    def subnet(self) -> str:
        """Of the VPC that an account has from the beginning."""
        return str(self.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"])

    @cached_property
    def ecs_task(self) -> dict[str, Any]:
        """Cluster, task definition and where it runs."""
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="mine")
        ecs.register_task_definition(
            family="t",
            containerDefinitions=[{"name": "n", "image": "i", "memory": 128, "cpu": 1}],
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
        )
        group = self.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
        network = {"AwsvpcConfiguration": {"Subnets": [self.subnet], "SecurityGroups": [group]}}
        return {"Cluster": "mine", "TaskDefinition": "t", "LaunchType": "FARGATE", "NetworkConfiguration": network}

    @cached_property
    def kubernetes(self) -> str:
        """An EKS cluster that stays."""
        self.eks_cluster("main")
        return "main"

    def eks_cluster(self, name: str) -> str:
        vpc = {"subnetIds": [self.subnet]}
        self.client("eks").create_cluster(name=name, roleArn=self.role, resourcesVpcConfig=vpc)
        return name

    def nodegroup(self, name: str) -> dict[str, str]:
        named = {"clusterName": self.kubernetes, "nodegroupName": name}
        self.client("eks").create_nodegroup(**named, subnets=[self.subnet], nodeRole=self.role)
        return {"ClusterName": self.kubernetes, "NodegroupName": name}

    def fargate_profile(self, name: str) -> dict[str, str]:
        named = {"clusterName": self.kubernetes, "fargateProfileName": name}
        selectors = [{"namespace": name}]
        self.client("eks").create_fargate_profile(**named, podExecutionRoleArn=self.role, selectors=selectors)
        return {"ClusterName": self.kubernetes, "FargateProfileName": name}

    def emr_cluster(self) -> str:
        group = {"Name": "core", "InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
        instances = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceGroups": [group]}
        made = self.client("emr").run_job_flow(Name="c", ReleaseLabel="emr-7.0.0", Instances=instances)
        return str(made["JobFlowId"])

    def virtual_cluster(self, name: str) -> str:
        cluster = self.eks_cluster(f"for-{name}")
        provider = {"id": cluster, "type": "EKS", "info": {"eksInfo": {"namespace": name}}}
        made = self.client("emr-containers").create_virtual_cluster(name=name, containerProvider=provider)
        return str(made["id"])

    @cached_property
    def spark(self) -> str:
        """A virtual cluster that stays."""
        return self.virtual_cluster("spark")

    def application(self, name: str) -> dict[str, str]:
        made = self.client("emr-serverless").create_application(name=name, releaseLabel="emr-6.6.0", type="SPARK")
        return {"ApplicationId": str(made["applicationId"])}

    def stopped_application(self, name: str) -> dict[str, str]:
        made = self.application(name)
        self.client("emr-serverless").stop_application(applicationId=made["ApplicationId"])
        return made

    def serverless_run(self) -> dict[str, str]:
        application = self.application("runs")
        made = self.client("emr-serverless").start_job_run(
            applicationId=application["ApplicationId"], executionRoleArn=self.role
        )
        return {**application, "JobRunId": str(made["jobRunId"])}

    @cached_property
    def model(self) -> str:
        container = {"Image": "i"}
        self.client("sagemaker").create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=self.role)
        return "m"

    @cached_property
    def endpoint_config(self) -> str:
        variant = {
            "VariantName": "v",
            "ModelName": self.model,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.t2.medium",
        }
        self.client("sagemaker").create_endpoint_config(EndpointConfigName="main", ProductionVariants=[variant])
        return "main"


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of moto's server in this process; what it has belongs to the process, not to the server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def emulated_aws() -> Iterator[World]:
    with moto_server() as url:
        world = World(url)
        try:
            world.tell("config", WITHOUT_DOCKER)
            yield world
        finally:
            world.close()
