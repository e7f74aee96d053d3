"""ARNs of every partition."""

from __future__ import annotations

from botocore.loaders import Loader

from kaidan.arns import partition_of, states_arn


def test_every_region_is_in_its_partition() -> None:
    """botocore knows them all; `aws-cn-global` and its like are no regions."""
    known = {
        region: partition["id"]
        for partition in Loader().load_data("partitions")["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    }
    assert len(known) > 40
    assert {region: partition_of(region) for region in known} == known


def test_an_arn_is_in_the_partition_of_its_region() -> None:
    assert (
        states_arn("cn-north-1", "123456789012", "activity:a") == "arn:aws-cn:states:cn-north-1:123456789012:activity:a"
    )
