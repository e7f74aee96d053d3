"""Deliveries: nobody waits, nothing grows for ever, nothing is lost without being counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from kaidan.observe.delivery import BATCH_MAX, Delivery


class Receiver:
    """Takes items when it may; raises what it is told to."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.may.set()
        self.entered = threading.Event()
        self.taken: list[int] = []
        self.sizes: list[int] = []
        self.problem: Exception | None = None

    def __call__(self, items: list[int]) -> None:
        self.entered.set()
        assert self.may.wait(10)
        self.sizes.append(len(items))
        if self.problem is not None:
            raise self.problem
        self.taken += items


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def delivery(receiver: Receiver) -> Iterator[Delivery[int]]:
    made: Delivery[int] = Delivery("test", receiver, lambda item: 1, queue_bytes_max=2_000)
    yield made
    receiver.may.set()
    made.close(10)


def test_items_arrive_in_their_order(delivery: Delivery[int], receiver: Receiver) -> None:
    for number in range(1_000):
        delivery([number])
    assert delivery.flush(10)
    assert receiver.taken == list(range(1_000))
    assert max(receiver.sizes) <= BATCH_MAX


def test_a_slow_receiver_loses_the_oldest(delivery: Delivery[int], receiver: Receiver) -> None:
    receiver.may.clear()
    delivery([-1])
    assert receiver.entered.wait(10)
    delivery(range(2_500))
    assert delivery.lost == 500
    assert not delivery.flush(0.01)
    receiver.may.set()
    assert delivery.flush(10)
    assert receiver.taken == [-1, *range(500, 2_500)]
    assert max(receiver.sizes) == BATCH_MAX


def test_a_failing_receiver_is_told_of_once(
    delivery: Delivery[int], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.problem = OSError("disk full")
    for number in range(3):
        delivery([number])
        assert delivery.flush(10)
    receiver.problem = None
    delivery([3])
    assert delivery.flush(10)
    assert (delivery.lost, receiver.taken) == (3, [3])
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "test: 1 not delivered, 1 in all: disk full"
    ]


def test_what_is_left_is_delivered_at_the_end(receiver: Receiver) -> None:
    delivery: Delivery[int] = Delivery("test", receiver, lambda item: 1)
    delivery(range(700))
    delivery.close(10)
    assert receiver.taken == list(range(700))


def test_the_end_interrupts_a_receiver_that_waits_for_its_next_attempt() -> None:
    paused: list[bool] = []
    waiting = threading.Event()

    def receive(items: list[int]) -> None:
        waiting.set()
        paused.append(made.pause(60))

    made: Delivery[int] = Delivery("test", receive, lambda item: 1)
    made([1])
    assert waiting.wait(10)
    made.close(0.01)
    assert paused == [False]


def test_an_unused_delivery_has_no_thread() -> None:
    before = threading.active_count()
    delivery: Delivery[int] = Delivery("test", lambda items: None, lambda item: 1)
    assert threading.active_count() == before
    assert delivery.flush(0)
    delivery.close(1)
