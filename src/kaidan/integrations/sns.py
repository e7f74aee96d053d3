"""Amazon SNS: `sns:publish`. Source: AWS guide, "Publish messages to an Amazon SNS topic"; recordings of AWS."""

from __future__ import annotations

from kaidan.integrations.optimised import Action, Service

SERVICE = Service(
    token="sns",
    client="sns",
    prefix="SNS",
    product="AmazonSNS",
    exception="AmazonSNSException",
    actions={"publish": Action("Publish", token=True)},
)
