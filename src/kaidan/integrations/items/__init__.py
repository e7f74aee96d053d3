"""ItemReader: the items of a Distributed Map, read from S3 or from local folders, one file per format.

    reading = open_items({"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": …, "Key": …},
                          "ReaderConfig": {"InputType": "JSONL"}}, position=None, storage)
    for item in reading.items: …

Everything is streamed: what is in memory is a block of a file and the items made of it. A position is plain data, so
that reading goes on after a restart where it was. Source: AWS guide, "ItemReader (Map)". Blocks its thread; knows no
execution.
"""

from kaidan.integrations.items.errors import Unreadable
from kaidan.integrations.items.reading import Reading, open_items, read_text

__all__ = ["Reading", "Unreadable", "open_items", "read_text"]
