"""Who signed a request: made by botocore as a client makes it, then changed on the way."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kaidan.server.protocol import Request
from kaidan.server.signature import Credential, CredentialsError, Verifier, read_credentials
from kaidan.service.errors import ApiError

KEY, SECRET, ACCOUNT = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "111122223333"
VERIFIER = Verifier([Credential(KEY, SECRET, ACCOUNT)])
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
BODY = b'{"name": "x"}'


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: NOW.replace(tzinfo=None))


def signed(key: str = KEY, secret: str = SECRET, token: str | None = None, service: str = "states") -> Request:
    headers = {"X-Amz-Target": "AWSStepFunctions.CreateActivity", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", "http://sync-localhost:8083/a%20b/?y=2&x=1", headers, BODY)
    SigV4Auth(Credentials(key, secret, token), service, "eu-west-1").add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    return Request("POST", "/a%20b/?y=2&x=1", {"host": "sync-localhost:8083", **sent}, BODY)


def header(request: Request, **changed: str | None) -> Request:
    names = {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {**request.headers, **names}
    return request._replace(headers={name: value for name, value in headers.items() if value is not None})


def authorization(request: Request, old: str, new: str) -> Request:
    return header(request, authorization=request.headers["authorization"].replace(old, new))


TAKEN: dict[str, Callable[[], Request]] = {
    "as it was signed": signed,
    "with a session's token": lambda: signed(token="FQoGZXIvYXdzE"),
    "with a header that is not signed": lambda: header(signed(), user_agent="x"),
    "with the body's hash": lambda: header(signed(), x_other="1"),
}


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
def test_taken(make: Callable[[], Request]) -> None:
    assert VERIFIER.account_of(make(), NOW) == ACCOUNT


CHANGED: list[tuple[str, Callable[[Request], Request], str]] = [
    ("no authorization", lambda r: header(r, authorization=None), "MissingAuthenticationTokenException"),
    ("nonsense", lambda r: header(r, authorization="Basic dXNlcg=="), "IncompleteSignatureException"),
    ("cut", lambda r: header(r, authorization=r.headers["authorization"][:-1]), "IncompleteSignatureException"),
    ("no date", lambda r: header(r, x_amz_date=None), "IncompleteSignatureException"),
    ("no such date", lambda r: header(r, x_amz_date="20261399T000000Z"), "IncompleteSignatureException"),
    ("an unknown key", lambda r: authorization(r, KEY, "AKIAOTHER"), "UnrecognizedClientException"),
    ("another body", lambda r: r._replace(body=b'{"name": "y"}'), "InvalidSignatureException"),
    ("no body", lambda r: r._replace(body=b""), "InvalidSignatureException"),
    ("another operation", lambda r: header(r, x_amz_target="AWSStepFunctions.X"), "InvalidSignatureException"),
    ("no operation", lambda r: header(r, x_amz_target=None), "InvalidSignatureException"),
    ("another host", lambda r: header(r, host="example.org"), "InvalidSignatureException"),
    ("another path", lambda r: r._replace(path="/"), "InvalidSignatureException"),
    ("another query", lambda r: r._replace(path="/a%20b/?y=2&x=2"), "InvalidSignatureException"),
    ("another method", lambda r: r._replace(method="PUT"), "InvalidSignatureException"),
    ("another region", lambda r: authorization(r, "eu-west-1", "us-east-1"), "InvalidSignatureException"),
    ("a false hash of the body", lambda r: header(r, x_amz_content_sha256="0" * 64), "InvalidSignatureException"),
    ("fewer signed headers", lambda r: authorization(r, "host;", ""), "InvalidSignatureException"),
    ("another day", lambda r: authorization(r, f"/{NOW:%Y%m%d}/", "/20200101/"), "InvalidSignatureException"),
]


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_changed_on_the_way(change: Callable[[Request], Request], code: str) -> None:
    assert refusal(change(signed())).code == code


def refusal(request: Request, now: datetime.datetime = NOW) -> ApiError:
    with pytest.raises(ApiError) as refused:
        VERIFIER.account_of(request, now)
    assert refused.value.status == 400
    return refused.value


def test_another_secret() -> None:
    refused = refusal(signed(secret="guessed"))
    assert refused.code == "InvalidSignatureException"
    assert refused.message.startswith("The request signature we calculated does not match the signature you provided.")
    assert SECRET not in refused.message


def test_another_service() -> None:
    assert refusal(signed(service="dynamodb")).message == "Credential should be scoped to correct service: 'states'."


@pytest.mark.parametrize(("seconds", "text"), [(-310, "not yet current"), (310, "expired")])
def test_a_request_is_good_for_five_minutes(seconds: int, text: str) -> None:
    request = signed()
    refused = refusal(request, NOW + datetime.timedelta(seconds=seconds))
    assert refused.code == "InvalidSignatureException"
    assert refused.message.startswith(f"Signature {text}: ") and "5 min.)" in refused.message


# --- files of credentials ---------------------------------------------------------------------------------

FILE = """
[ops]
aws_access_key_id = AKIA1
aws_secret_access_key = one
aws_account_id = 111122223333

[default]
aws_access_key_id = AKIA2
aws_secret_access_key = a%b
"""


def test_credentials_are_in_the_format_of_aws(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(FILE)
    assert read_credentials(path, "000000000000") == [
        Credential("AKIA1", "one", "111122223333"),
        Credential("AKIA2", "a%b", "000000000000"),
    ]


def test_secrets_do_not_show() -> None:
    assert SECRET not in repr(Credential(KEY, SECRET, ACCOUNT))


BAD_FILES: dict[str, tuple[str, str]] = {
    "nothing": ("", "holds no credentials"),
    "no section": ("aws_access_key_id = x", "is no file of AWS credentials"),
    "no secret": ("[a]\naws_access_key_id = x", "[a] has no aws_secret_access_key"),
    "an account that is none": (FILE.replace("111122223333", "1"), "[ops]: aws_account_id must be 12 digits"),
    "one key twice": (FILE.replace("AKIA2", "AKIA1"), "holds one aws_access_key_id twice"),
}


@pytest.mark.parametrize(("text", "problem"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_that_cannot_be_used(text: str, problem: str, tmp_path: Path) -> None:
    path: Any = tmp_path / "credentials"
    path.write_text(text)
    with pytest.raises(CredentialsError) as refused:
        read_credentials(path, "000000000000")
    assert str(refused.value) == f"{path}: {problem}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read: No such file"):
        read_credentials(tmp_path / "none", "000000000000")
