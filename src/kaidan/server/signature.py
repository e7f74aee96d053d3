"""AWS Signature Version 4, checked: who signed a request, and whether it arrived as it was signed.

botocore computes what the signature must be, as the client did. Where no credentials are configured nothing is
checked: see `accounts.py`. Source: "AWS Signature Version 4 for API requests" (IAM guide); messages as services
that speak AWS JSON give them.
"""

from __future__ import annotations

import configparser
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kaidan.server.protocol import Request
from kaidan.service.errors import ApiError

SERVICE = "states"

CLOCK_SKEW_S = 300
"""How far the client's clock may be off (IAM guide: requests are valid for five minutes)."""

_DATE = "%Y%m%dT%H%M%SZ"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/\s,]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;_-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who may call. Its text form has no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    account: str


class CredentialsError(Exception):
    """A file of credentials cannot be used: the message says which and why, without secrets."""


def read_credentials(path: Path, default_account: str) -> list[Credential]:
    """Read a file in the format of AWS's shared credentials file; sections may say whose they are.

        [ops]
        aws_access_key_id = AKIAIOSFODNN7EXAMPLE
        aws_secret_access_key = …
        aws_account_id = 111122223333

    Raises CredentialsError.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise CredentialsError(f"{path}: cannot be read: {problem.strerror}") from None
    except (configparser.Error, UnicodeDecodeError):
        raise CredentialsError(f"{path}: is no file of AWS credentials") from None
    credentials = [_credential(path, name, parser[name], default_account) for name in parser.sections()]
    if not credentials:
        raise CredentialsError(f"{path}: holds no credentials")
    keys = [each.access_key for each in credentials]
    if len(set(keys)) < len(keys):
        raise CredentialsError(f"{path}: holds one aws_access_key_id twice")
    return credentials


def _credential(path: Path, name: str, section: Mapping[str, str], default_account: str) -> Credential:
    for needed in ("aws_access_key_id", "aws_secret_access_key"):
        if not section.get(needed):
            raise CredentialsError(f"{path}: [{name}] has no {needed}")
    account = section.get("aws_account_id", default_account)
    if re.fullmatch(r"\d{12}", account) is None:
        raise CredentialsError(f"{path}: [{name}]: aws_account_id must be 12 digits")
    return Credential(section["aws_access_key_id"], section["aws_secret_access_key"], account)


class Verifier:
    """Knows the credentials that are accepted."""

    def __init__(self, credentials: list[Credential]) -> None:
        self._credentials = {each.access_key: each for each in credentials}

    def account_of(self, request: Request, now: datetime.datetime) -> str:
        """Whose account a request is for. Raises ApiError for one that nobody known has signed like this."""
        stated = _authorization(request.headers.get("authorization"))
        date = request.headers.get("x-amz-date", "")
        _check_date(date, now)
        credential = self._credentials.get(stated["key"])
        if credential is None:
            raise _refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        if stated["service"] != SERVICE:
            raise _refused("InvalidSignatureException", f"Credential should be scoped to correct service: '{SERVICE}'.")
        if stated["day"] != date[:8]:
            message = (
                f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}'"
            )
            raise _refused("InvalidSignatureException", message)
        _check_signature(request, credential, stated, date)
        return credential.account


def _refused(code: str, message: str) -> ApiError:
    return ApiError(code, message)


def _authorization(header: str | None) -> dict[str, str]:
    if not header:
        raise _refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    stated = _AUTHORIZATION.fullmatch(header.strip())
    if stated is None:
        raise _refused("IncompleteSignatureException", "Authorization header is not a Signature Version 4")
    return stated.groupdict()


def _check_date(date: str, now: datetime.datetime) -> None:
    """A request is good for five minutes, so that one that was overheard cannot be sent again later."""
    try:
        sent = datetime.datetime.strptime(date, _DATE).replace(tzinfo=datetime.UTC)
    except ValueError:
        message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        raise _refused("IncompleteSignatureException", message) from None
    minutes = CLOCK_SKEW_S // 60
    skew = datetime.timedelta(seconds=CLOCK_SKEW_S)
    if sent < now - skew:
        problem = f"expired: {date} is now earlier than {now - skew:{_DATE}} ({now:{_DATE}} - {minutes} min.)"
    elif sent > now + skew:
        problem = f"not yet current: {date} is still later than {now + skew:{_DATE}} ({now:{_DATE}} + {minutes} min.)"
    else:
        return
    raise _refused("InvalidSignatureException", f"Signature {problem}")


def _check_signature(request: Request, credential: Credential, stated: dict[str, str], date: str) -> None:
    names = stated["headers"].split(";")
    for needed in ("host", "x-amz-date"):
        if needed not in names:
            message = f"'{needed}' must be a 'SignedHeader' in the AWS Authorization."
            raise _refused("InvalidSignatureException", message)
    hashed = request.headers.get("x-amz-content-sha256")
    whole = hashed is None or hashed == sha256(request.body).hexdigest()
    if not whole or not compare_digest(_expected(request, credential, stated, date, names), stated["signature"]):
        message = (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )
        raise _refused("InvalidSignatureException", message)


def _expected(request: Request, credential: Credential, stated: dict[str, str], date: str, names: list[str]) -> str:
    """The signature that this request must have, if all of it is as it was signed."""
    auth = _AsStated(Credentials(credential.access_key, credential.secret_key), SERVICE, stated["region"])
    signed = {name: request.headers[name] for name in names if name in request.headers}
    copy = AWSRequest(request.method, f"http://host{request.path}", signed, request.body)
    copy.context["timestamp"] = date
    signature: str = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    return signature


class _AsStated(SigV4Auth):  # type: ignore[misc]
    """Signs the headers that the client has signed, whichever they are."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers
