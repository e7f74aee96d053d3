"""Amazon SQS: `sqs:sendMessage`. Source: AWS guide, "Send messages to an Amazon SQS queue"; recordings of AWS.

The older SDK sends to the host of the queue's URL, so that a host which does not exist is an error of the client.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from kaidan.errors import StateError
from kaidan.integrations.aws_sdk import HTTP
from kaidan.integrations.jobs import Fields
from kaidan.integrations.optimised import Action, Service, Situation

OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def _to_a_host(fields: Fields, situation: Situation) -> Fields:
    host = urlsplit(str(fields.get("QueueUrl") or "")).hostname
    settings = situation.clients.settings
    endpoints = (settings.endpoint_urls.get("sqs"), settings.endpoint_url)
    if host is None or host.endswith(OF_AWS) or host in {urlsplit(url).hostname for url in endpoints if url}:
        return fields
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        cause = HTTP.format(f"{host}: Name or service not known")
        raise StateError("SQS.SdkClientException", cause) from None
    return fields


SERVICE = Service(
    token="sqs",
    client="sqs",
    prefix="SQS",
    product="AmazonSQS",
    exception="AmazonSQSException",
    actions={"sendMessage": Action("SendMessage", token=True, completed=_to_a_host)},
)
