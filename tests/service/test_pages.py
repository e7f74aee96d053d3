"""Long lists in pages."""

from __future__ import annotations

import base64
import random

import pytest

from kaidan.service.errors import ApiError
from kaidan.service.pages import TOKEN_MS, page
from tests.service.support import Service


def read_all(service: Service, names: list[str], size: int) -> list[list[str]]:
    pages, token = [], None
    while True:
        params = {"maxResults": size} | ({"nextToken": token} if token else {})
        found, token = page(service.api.service, "names", params, names, lambda name: [name])
        pages.append(list(found))
        if token is None:
            return pages


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 11, 1000])
def test_pages_together_are_the_list(service: Service, size: int) -> None:
    names = [f"n{number:02}" for number in range(10)]
    pages = read_all(service, names, size)
    assert [name for found in pages for name in found] == names
    assert all(len(found) == size for found in pages[:-1])


def test_what_comes_and_goes_between_pages_neither_repeats_nor_hides_others(service: Service) -> None:
    dice = random.Random(3)
    names = sorted(f"n{number:03}" for number in range(0, 200, 2))
    stable = set(names)
    seen: list[str] = []
    token = None
    while True:
        params = {"maxResults": 7} | ({"nextToken": token} if token else {})
        found, token = page(service.api.service, "names", params, names, lambda name: [name])
        seen += found
        if token is None:
            break
        gone = dice.choice(names)
        stable.discard(gone)
        names = sorted({*names, f"n{dice.randrange(1, 200, 2):03}"} - {gone})
    assert seen == sorted(set(seen))
    assert stable <= set(seen)


def first_token(service: Service, question: str = "names") -> str:
    _, token = page(service.api.service, question, {"maxResults": 1}, ["a", "b"], lambda name: [name])
    assert token is not None
    return token


def refused(service: Service, token: str) -> bool:
    try:
        page(service.api.service, "names", {"nextToken": token}, ["a", "b"], lambda name: [name])
    except ApiError as refusal:
        assert (refusal.code, refusal.message) == ("InvalidToken", "Invalid Token: 'Invalid token'")
        return True
    return False


def test_tokens_that_are_no_tokens(service: Service) -> None:
    good = first_token(service)
    assert not refused(service, good)
    plain = base64.urlsafe_b64decode(good).decode()
    forged = base64.urlsafe_b64encode(plain.replace('"a"', '"0"').encode()).decode()
    for token in ("x", "token", "é", "e30=", good[:-4], good + "AAAA", forged, first_token(service, "others")):
        assert refused(service, token), token


def test_tokens_end_after_a_day(service: Service) -> None:
    token = first_token(service)
    service.pass_time(TOKEN_MS)
    assert not refused(service, token)
    service.pass_time(1)
    assert refused(service, token)
