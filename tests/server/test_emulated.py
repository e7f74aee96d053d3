"""`kaidan serve --emulate`: AWS's services beside the endpoint, in one command and without an account."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import boto3

from tests.server.support import Process, client, machine
from tests.server.test_clients import ended
from tests.server.test_process import serve

SEED = """
calls:
  - service: sqs
    operation: create_queue
    parameters: {QueueName: orders}
"""

SEND: dict[str, Any] = {
    "StartAt": "Send",
    "States": {
        "Send": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl.$": "$.url", "MessageBody.$": "$.say"},
            "End": True,
        }
    },
}


def test_tasks_call_what_clients_call(tmp_path: Path) -> None:
    seed = tmp_path / "emulate.yaml"
    seed.write_text(SEED)
    process = Process("--in-memory", "--emulate", str(seed))
    assert process.process.stdout is not None
    second = process.process.stdout.readline()
    found = re.match(r"An emulated AWS at (http://127\.0\.0\.1:\d+); clients of both: ", second)
    assert found is not None, second
    options = {"region_name": "us-east-1", "aws_access_key_id": "kaidan", "aws_secret_access_key": "kaidan"}
    sqs = boto3.client("sqs", endpoint_url=found[1], **options)
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sfn = client(process.url)
    input = json.dumps({"url": url, "say": "hello"})
    execution = sfn.start_execution(stateMachineArn=machine(sfn, definition=SEND), input=input)["executionArn"]
    assert ended(sfn, execution)["status"] == "SUCCEEDED"
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["hello"]
    assert process.stop() == 0
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", int(found[1].rpartition(":")[2]))) != 0


def test_the_next_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = serve("--in-memory", "--emulate", "--port", str(port - 1))
    assert (status, said) == (
        2,
        f"error: the emulated AWS did not start: another process listens at port {port}\n",
    )


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("colour: red\n")
    status, said = serve("--in-memory", "--port", "0", "--emulate", str(tmp_path / "e.yaml"))
    assert status == 2
    assert "e.yaml:1: colour is not a field here" in said
