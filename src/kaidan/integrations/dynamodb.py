"""Amazon DynamoDB: one item got, put, updated or deleted. Errors begin with `DynamoDB.`, not `DynamoDb.` as those of
the SDK integration. Source: AWS guide, "Perform DynamoDB CRUD operations"; recordings of AWS."""

from __future__ import annotations

from kaidan.integrations.optimised import Action, Service

SERVICE = Service(
    token="dynamodb",
    client="dynamodb",
    prefix="DynamoDB",
    product="AmazonDynamoDBv2",
    exception="AmazonDynamoDBException",
    actions={
        "getItem": Action("GetItem"),
        "putItem": Action("PutItem"),
        "updateItem": Action("UpdateItem"),
        "deleteItem": Action("DeleteItem"),
    },
)
