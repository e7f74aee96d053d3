"""Names and ARNs in requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kaidan.service import refs
from kaidan.service.errors import ApiError

STATES = "arn:aws:states:us-east-1:123456789012:"
ORDERS = STATES + "stateMachine:orders"


@pytest.mark.parametrize("name", ["a", "A-b_c.1", "注文", "é" * 80, "a+b", "a=b", "a'b", "(a)", "a!b", "a@b"])
def test_names(name: str) -> None:
    refs.check_name(name)


@pytest.mark.parametrize("character", list(' \t\n\u3000<>{}[]?*"#%\\^|~`$&,;:/\x00\x1f\x7f\x9f\ufffe\uffff\U0010ffff'))
def test_names_that_aws_refuses(character: str) -> None:
    for name in (f"a{character}b", character):
        with pytest.raises(ApiError) as refusal:
            refs.check_name(name)
        assert (refusal.value.code, refusal.value.message) == ("InvalidName", f"Invalid Name: '{name}'")


@pytest.mark.parametrize(
    ("arn", "parts"),
    [
        (ORDERS, (ORDERS, "")),
        (ORDERS + ":12", (ORDERS, "12")),
        (ORDERS + ":PROD", (ORDERS, "PROD")),
        ("arn:aws-cn:states:cn-north-1:123456789012:stateMachine:x", None),
    ],
)
def test_state_machines(arn: str, parts: tuple[str, str] | None) -> None:
    assert refs.state_machine(arn) == (parts or (arn, ""))


REFUSED: list[tuple[Callable[[str], Any], str, str, str]] = [
    (refs.state_machine, "orders", "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: orders'"),
    (refs.execution, "arn:aws", "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: arn:aws'"),
    (
        refs.state_machine,
        STATES + "execution:orders:x",
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: execution'",
    ),
    (refs.execution, ORDERS, "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: stateMachine'"),
    (
        refs.execution,
        STATES + "express:orders:x:y",
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: express'",
    ),
    (refs.activity, ORDERS, "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: stateMachine'"),
    (refs.map_run, ORDERS, "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: stateMachine'"),
    (refs.check_role, "arn:aws:iam::1:user/x", "InvalidArn", "Invalid Role Arn: 'arn:aws:iam::1:user/x'"),
]


@pytest.mark.parametrize(("read", "arn", "code", "message"), REFUSED)
def test_refused(read: Callable[[str], Any], arn: str, code: str, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        read(arn)
    assert (refusal.value.code, refusal.value.message) == (code, message)


@pytest.mark.parametrize(
    ("read", "arn"),
    [
        (refs.state_machine, STATES + "stateMachine:orders/each"),
        (refs.unqualified, ORDERS + ":1"),
        (refs.version, ORDERS),
        (refs.version, ORDERS + ":PROD"),
        (refs.alias, ORDERS + ":1"),
        (refs.alias, ORDERS),
    ],
)
def test_the_wrong_kind_of_state_machine_arn(read: Callable[[str], Any], arn: str) -> None:
    with pytest.raises(ApiError) as refusal:
        read(arn)
    assert refusal.value.code == "ValidationException"
    assert arn in refusal.value.message


def test_express_children_of_a_map_run_have_executions() -> None:
    refs.execution(STATES + "express:orders/each:x:y")
