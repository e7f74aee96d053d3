"""Amazon SQS: `sqs:sendMessage`. Source: AWS guide, "Send messages to an Amazon SQS queue"; recordings of AWS."""

from __future__ import annotations

from kaidan.integrations.optimised import Action, Service

SERVICE = Service(
    token="sqs",
    client="sqs",
    prefix="SQS",
    product="AmazonSQS",
    exception="AmazonSQSException",
    actions={"sendMessage": Action("SendMessage", token=True)},
)
