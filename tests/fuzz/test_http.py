"""A little of `make fuzz-http` with every run of the suite."""

from __future__ import annotations

import pytest

from tests.fuzz import http


def test_two_thousand_hostile_requests() -> None:
    said: list[str] = []
    assert http.main(["--requests", "2000", "--seed", "7"], said.append) == 0, "\n".join(said)
    assert said[1].startswith("2,000 requests in ")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"__type": "com.amazon.coral.service#InternalFailure"}'),
        (400, b'{"__type": "com.amazonaws.swf.service.v2.model#Surprise"}'),
        (400, b"no JSON"),
        (503, b'{"__type": "com.amazon.coral.service#SerializationException"}'),
    ],
)
def test_it_would_notice(status: int, body: bytes) -> None:
    fuzz = http.Fuzz(port=9, seed=1, requests=1, until=0)
    assert not fuzz._judge("good", b"POST /", status, body)
    assert len(fuzz.problems) == 1
