"""How services, actions, fields and errors are spelled: cases, AWS's list, and every model of botocore."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader

from kaidan.integrations import naming
from kaidan.integrations.aws_sdk import BODILESS_ERRORS, RETIRED, UNSUPPORTED
from tools.generate_aws_services import SUPERSEDED

INDEX: dict[str, str] = json.loads((Path(naming.__file__).parent / "aws_services.json").read_text())

_PUBLISHED = """
SageMakerA2IRuntime AiOps ApiGateway ApiGatewayV2 Account Amplify AmplifyBackend AmplifyUiBuilder AppMesh
AppRunner AppConfig AppConfigData AppFabric AppIntegrations AppStream AppSync Appflow ApplicationAutoScaling
ApplicationCostProfiler ApplicationDiscovery Mgn Athena AuditManager Dsql AutoScalingPlans B2Bi Backup
BackupGateway BackupSearch Batch Bedrock BedrockAgentCore BedrockAgentCoreControl BedrockAgent
BedrockRuntime BedrockAgentRuntime Billing Billingconductor BcmDashboards BcmPricingCalculator
BcmRecommendedActions Braket Budgets Acm AcmPca Chime ChimeSdkIdentity ChimeSdkMediaPipelines
ChimeSdkMeetings ChimeSdkMessaging ChimeSdkVoice CleanRooms CleanRoomsMl CloudControl CloudDirectory
ServiceDiscovery Cloud9 CloudFormation CloudFront CloudFrontKeyValueStore CloudHsm CloudHsmV2 CloudSearch
CloudTrail CloudTrailData CloudWatch ApplicationInsights ApplicationSignals InternetMonitor CloudWatchLogs
Oam ObservabilityAdmin Rum Synthetics Codeartifact CodeBuild CodeCatalyst CodeCommit CodeConnections
CodeDeploy CodeGuruProfiler CodeGuruReviewer CodeGuruSecurity CodePipeline CodeStarConnections
CodestarNotifications CognitoIdentity CognitoSync CognitoIdentityProvider Comprehend ComprehendMedical
ComputeOptimizer ComputeOptimizerAutomation Config Connect ConnectCampaigns ConnectCampaignsV2 ConnectCases
ConnectContactLens CustomerProfiles ConnectHealth ConnectParticipant VoiceId Wisdom ControlCatalog
ControlTower CostExplorer CostOptimizationHub CostAndUsageReport BedrockDataAutomation DataExchange
BcmDataExports Dlm DataPipeline DataSync DataZone DatabaseMigration Deadline Detective DevOpsAgent
DevOpsGuru DeviceFarm DirectConnect Directory DirectoryServiceData DocDb DocDbElastic DynamoDb Dax
DynamoDbStreams Ebs Ec2 AutoScaling Imagebuilder Ec2InstanceConnect Ecr EcrPublic Ecs Efs Eks EksAuth Emr
EmrContainers EmrServerless ElastiCache ElasticBeanstalk Drs ElasticInference ElasticLoadBalancing
ElasticLoadBalancingV2 Elasticsearch ElementalInference SocialMessaging EntityResolution EventBridge Pipes
Scheduler Schemas Fis FSx FinspaceData Finspace Fms Forecast Forecastquery FraudDetector FreeTier GameLift
GameLiftStreams Glue DataBrew GroundStation GuardDuty Health MedicalImaging HealthLake Honeycode Iam
AccessAnalyzer RolesAnywhere Ivs Ivschat IvsRealTime SsmIncidents SsmContacts InspectorScan Inspector
Inspector2 Interconnect Invoicing Iot IoTAnalytics IotDeviceAdvisor IotEvents IotEventsData IoTFleetHub
IoTFleetWise Greengrass GreengrassV2 IotJobsDataPlane IotManagedIntegrations IoTSecureTunneling IoTSiteWise
IoTThingsGraph IoTTwinMaker IotWireless Kms Kendra KendraRanking Keyspaces KeyspacesStreams KinesisAnalytics
KinesisAnalyticsV2 Firehose Kinesis KinesisVideoSignaling KinesisVideo KinesisVideoArchivedMedia
KinesisVideoMedia KinesisVideoWebRtcStorage LakeFormation Lambda LaunchWizard LexModelsV2 LexRuntimeV2
LicenseManager LicenseManagerLinuxSubscriptions LicenseManagerUserSubscriptions Lightsail Location GeoMaps
GeoPlaces GeoRoutes LookoutEquipment LookoutVision Mq Kafka KafkaConnect Mwaa MwaaServerless Macie2
MailManager M2 ManagedBlockchain ManagedBlockchainQuery Grafana MarketplaceCatalog
MarketplaceCommerceAnalytics MarketplaceDiscovery MarketplaceEntitlement MarketplaceMetering
MarketplaceReporting MTurk MediaConnect MediaConvert MediaLive MediaPackage MediaPackageV2 MediaPackageVod
MediaStore MediaTailor MemoryDb MigrationHub MigrationHubConfig MigrationHubOrchestrator
MigrationHubRefactorSpaces MigrationHubStrategy Mpa Neptune NeptuneGraph NetworkFirewall NetworkFlowMonitor
NetworkManager NetworkMonitor NovaAct Omics OpenSearch Osis OpenSearchServerless OpsWorksCm Odb
Organizations Outposts Panorama Pcs PartnerCentralAccount PartnerCentralBenefits PartnerCentralChannel
PartnerCentralSelling PaymentCryptography PaymentCryptographyData Personalize PersonalizeEvents
PersonalizeRuntime Pinpoint PinpointEmail PinpointSmsVoice PinpointSmsVoiceV2 Polly Pricing PrivateNetworks
PcaConnectorAd PcaConnectorScep Amp Proton QApps QBusiness QConnect QuickSight Rds RdsData Pi RtbFabric Rbin
Redshift RedshiftData RedshiftServerless Rekognition Resiliencehub Ram ResourceExplorer2 ResourceGroups
ResourceGroupsTaggingApi Route53 ArcRegionSwitch ArcZonalShift Route53Domains Route53GlobalResolver
Route53Profiles Route53RecoveryControlConfig Route53RecoveryReadiness Route53Resolver Route53RecoveryCluster
BedrockDataAutomationRuntime S3 S3Control S3Files Glacier S3Tables S3Vectors S3Outposts Ses SesV2 Sns Sqs
Sso SsoAdmin Identitystore SsoOidc Swf SageMaker SageMakerFeatureStoreRuntime SageMakerGeospatial
SageMakerMetrics SageMakerRuntime SageMakerRuntimeHttp2 Savingsplans SecretsManager SecurityAgent
SecurityHub SecurityIr SecurityLake Sts Sms ServerlessApplicationRepository ServiceCatalog
ServiceCatalogAppRegistry ServiceQuotas Shield Signin Signer SignerData SimSpaceWeaver SimpleDbV2
SnowDeviceManagement Snowball Sfn StorageGateway SupplyChain Support SupportApp Sustainability Ssm
SsmGuiConnect SsmQuickSetup SsmSap TaxSettings Tnb Textract TimestreamInfluxDb TimestreamQuery
TimestreamWrite Transcribe Transfer Translate TrustedAdvisor Uxc NotificationsContacts VpcLattice
VerifiedPermissions Waf WafRegional Wafv2 WellArchitected Wickr WorkDocs WorkMail WorkMailMessageFlow
WorkSpaces WorkspacesInstances WorkSpacesThinClient WorkSpacesWeb XRay Repostspace
"""
PUBLISHED = _PUBLISHED.split()
"""The exception prefixes of the AWS guide's list of SDK integrations (2026): in small letters, the services."""

RETIRED_PREFIXES = {prefix for prefix in PUBLISHED if prefix.lower() in RETIRED}


@pytest.mark.parametrize(
    ("service_id", "name"),
    [
        ("SFN", "Sfn"),
        ("S3", "S3"),
        ("EC2", "Ec2"),
        ("DynamoDB", "DynamoDb"),
        ("RDS", "Rds"),
        ("ACM PCA", "AcmPca"),
        ("Secrets Manager", "SecretsManager"),
        ("Elastic Load Balancing v2", "ElasticLoadBalancingV2"),
        ("ApiGatewayV2", "ApiGatewayV2"),
        ("WAFV2", "Wafv2"),
        ("SESv2", "SesV2"),
        ("b2bi", "B2Bi"),
        ("IoT", "Iot"),
        ("IoTFleetWise", "IoTFleetWise"),
        ("MTurk", "MTurk"),
        ("XRay", "XRay"),
        ("Database Migration Service", "DatabaseMigration"),
        ("Directory Service", "Directory"),
        ("Directory Service Data", "DirectoryServiceData"),
        ("SageMaker A2I Runtime", "SageMakerA2IRuntime"),
        ("Amazon Thing", "Thing"),
        ("AWS Thing", "Thing"),
    ],
)
def test_service(service_id: str, name: str) -> None:
    assert naming.service_name(service_id) == name
    assert naming.service_token(service_id) == name.lower()


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("ListSecrets", "listSecrets"),
        ("DescribeDBInstances", "describeDBInstances"),
        ("CreateDBSnapshot", "createDBSnapshot"),
        ("StartExecution", "startExecution"),
        ("ListObjectsV2", "listObjectsV2"),
        ("GetOTelEnrichment", "getOTelEnrichment"),
    ],
)
def test_action(operation: str, action: str) -> None:
    assert naming.action_name(operation) == action


@pytest.mark.parametrize(
    ("member", "field"),
    [
        ("stateMachineArn", "StateMachineArn"),
        ("Bucket", "Bucket"),
        ("ETag", "ETag"),
        ("ARN", "Arn"),
        ("VPCId", "VpcId"),
        ("SNSTopicArn", "SnsTopicArn"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("MD5OfBody", "Md5OfBody"),
        ("ACLs", "AcLs"),
        ("SSEKMSKeyId", "SsekmsKeyId"),
        ("ChecksumCRC32", "ChecksumCRC32"),
        ("BOOL", "Bool"),
        ("equals", "EqualsValue"),  # AWS guide
        ("Equals", "EqualsValue"),
        ("static", "StaticValue"),
        ("Default", "DefaultValue"),
        ("Return", "ReturnValue"),
        ("notify", "NotifyValue"),
        ("type", "Type"),
        ("x", "X"),
    ],
)
def test_member(member: str, field: str) -> None:
    assert naming.member_name(member) == field


def test_members_of_a_structure() -> None:
    assert naming.member_names("ec2", "Image", ["ImageId", "Public"]) == {
        "ImageId": "ImageId",
        "PublicLaunchPermissions": "Public",
    }
    assert naming.member_names("x", "Filter", ["type"], union=True) == {"TypeValue": "type"}


def test_dynamodb_values_are_spelled_as_step_functions_spells_them() -> None:
    """Seen in results of AWS: Bool and Nul, where DynamoDB itself says BOOL and NULL."""
    names = naming.member_names(
        "dynamodb", "AttributeValue", ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"]
    )
    assert list(names) == ["S", "N", "B", "Ss", "Ns", "Bs", "M", "L", "Nul", "Bool"]


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ("ResourceNotFoundException", "ResourceNotFoundException"),
        ("NoSuchKey", "NoSuchKeyException"),
        ("NoSuchBucket", "NoSuchBucketException"),
        ("BucketAlreadyExists", "BucketAlreadyExistsException"),  # AWS guide
        ("DBInstanceNotFoundFault", "DbInstanceNotFoundException"),
        ("InvalidDBClusterStateFault", "InvalidDbClusterStateException"),
        ("InvalidToken", "InvalidTokenException"),
        ("KMSInvalidStateException", "KmsInvalidStateException"),
        ("QueueDoesNotExist", "QueueDoesNotExistException"),
    ],
)
def test_exception(shape: str, error: str) -> None:
    assert naming.exception_name(shape) == error


def test_nearest_names() -> None:
    names = ["describeImages", "describeImageAttribute", "describeHosts", "runInstances"]
    assert naming.nearest("describeImage", names)[0] == "describeImages"
    assert naming.nearest("DESCRIBEIMAGES", names)[0] == "describeImages"
    assert naming.nearest("zzz", names) == ()
    assert naming.did_you_mean(["a", "b"]) == ": did you mean 'a' or 'b'?"
    assert naming.did_you_mean([]) == ""


# -------------------------------------------------------------------------------- the list that AWS publishes


def test_every_published_service_is_known_or_retired() -> None:
    assert {prefix.lower() for prefix in PUBLISHED} - INDEX.keys() == RETIRED


@pytest.fixture(scope="module")
def models() -> dict[str, dict[str, Any]]:
    """Of every service botocore models, what the laws need: a whole model is too large to be kept."""
    return {name: _digest(name, model) for name, model in _raw_models()}


def _raw_models() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in create_loader().list_available_services("service-2"):
        yield (
            name,
            create_loader().load_service_model(name, "service-2"),
        )  # a loader of its own: nothing is kept


def _digest(name: str, model: dict[str, Any]) -> dict[str, Any]:
    shapes: dict[str, dict[str, Any]] = model["shapes"]
    structures = {key: shape for key, shape in shapes.items() if shape["type"] == "structure"}
    return {
        "service_id": model["metadata"]["serviceId"],
        "operations": list(model["operations"]),
        "structures": {
            key: naming.member_names(name, key, shape.get("members", {}), union=shape.get("union", False))
            for key, shape in structures.items()
        },
        "members": {key: list(shape.get("members", {})) for key, shape in structures.items()},
        "errors": [key for key, shape in structures.items() if shape.get("exception")],
    }


def test_published_names_are_what_the_rule_gives(models: dict[str, dict[str, Any]]) -> None:
    ours = {token: naming.service_name(models[service]["service_id"]) for token, service in INDEX.items()}
    known = [prefix for prefix in PUBLISHED if prefix not in RETIRED_PREFIXES]
    assert [ours[prefix.lower()] for prefix in known] == known
    assert len(known) == 398


# ------------------------------------------------------------------------------------ every model of botocore


def test_the_index_is_up_to_date(models: dict[str, dict[str, Any]]) -> None:
    """If not: python tools/generate_aws_services.py"""
    services = {
        naming.service_token(model["service_id"]): name for name, model in models.items() if name not in SUPERSEDED
    }
    assert services == INDEX
    assert len(services) == len(models) - len(SUPERSEDED)


def test_actions_lead_back_to_their_operations(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        actions = {naming.action_name(operation): operation for operation in model["operations"]}
        assert len(actions) == len(model["operations"]), name
        assert all(action[0].islower() and action.isalnum() for action in actions), name


def test_fields_lead_back_to_their_members(models: dict[str, dict[str, Any]]) -> None:
    """No two members of a structure share a field, in any structure of any service."""
    for name, model in models.items():
        for shape, fields in model["structures"].items():
            assert list(fields.values()) == model["members"][shape], (name, shape)
            assert not any(field[0].islower() for field in fields), (name, shape)


def test_errors_are_pascal_case_and_end_in_exception(models: dict[str, dict[str, Any]]) -> None:
    """Two pairs of CloudWatch's errors, ResourceNotFound and ResourceNotFoundException, are one in Java too."""
    shared = {}
    for name, model in models.items():
        errors = [naming.exception_name(shape) for shape in model["errors"]]
        assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*Exception", error) for error in errors), name
        if len(set(errors)) < len(errors):
            shared[name] = len(errors) - len(set(errors))
    assert shared == {"cloudwatch": 2}


def test_tables_name_what_there_is(models: dict[str, dict[str, Any]]) -> None:
    """An entry of a hand-made table that no model has any more is to be deleted."""
    for service, shape, member in naming.RENAMED_MEMBERS:
        assert member in models[service]["members"][shape]
    for token, operations in UNSUPPORTED.items():
        assert operations <= set(models[INDEX[token]]["operations"]), token
    for service, operation, _ in BODILESS_ERRORS:
        assert operation in models[service]["operations"]
    assert not RETIRED & INDEX.keys()
