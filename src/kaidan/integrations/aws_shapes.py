"""Fields of a state to members of a request, members of an answer to fields of a result.

    {"StateMachineArn": "arn:…", "Input": {"a": 1}}   to   {"stateMachineArn": "arn:…", "input": '{"a":1}'}

Everything is read off the shapes of botocore's models; the few tables here hold what the models do not say.
Scalars are as interchangeable as Jackson, which Step Functions uses, makes them. Calls nothing.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import quote

from kaidan.integrations.form import UNFIT, UNKNOWN
from kaidan.integrations.naming import did_you_mean, member_names, nearest
from kaidan.values import JSON, dumps, type_name

Shape: TypeAlias = Any
"""A botocore.model.Shape; botocore has no types."""

Members: TypeAlias = dict[str, Any]
"""What botocore takes for a structure: members by the model's names, bytes and datetimes among the values."""

_BINARY = """
AttestationDocument B Bs Bytes CiphertextBlob CiphertextForRecipient EncryptedKeyMaterial ImageFile
ImportToken LayerPartBlob Mac PrivateKeyCiphertextBlob PrivateKeyPlaintext PublicKey SharedSecret
SharedSecretCiphertextBlob Signature ZipFile
"""
BINARY_FIELDS = frozenset(_BINARY.split())
"""Blobs that are never text: base64 both ways, as in DynamoDB's own JSON. All other blobs are text."""

DEFAULTED = {("glacier", "accountId")}
"""(service, member) of a request's path that the client fills in."""

TEXT_CONTENT_TYPE = "text/plain; charset=UTF-8"
"""What Step Functions says of a body it streams when it is given no ContentType (recorded: S3 PutObject)."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A field that cannot be sent. `place` points to it, `/Filters/0/Nme`; an unknown one has no `expected`.

    Its text is AWS's sentence (recorded: API Gateway), with what AWS leaves out behind it.
    """

    place: str
    name: str
    nearest: tuple[str, ...] = ()
    expected: str | None = None

    @property
    def sentence(self) -> str:
        return (UNKNOWN if self.expected is None else UNFIT).format(self.name)

    @property
    def hint(self) -> str:
        more = did_you_mean(self.nearest) if self.expected is None else f": {self.expected}"
        return f"at {self.place}{more}"

    def __str__(self) -> str:
        return f"{self.sentence} ({self.hint})"


@cache
def _names(service: str, shape: str, union: bool, members: tuple[str, ...]) -> dict[str, str]:
    return member_names(service, shape, members, union=union)


def _fields(service: str, shape: Shape) -> dict[str, str]:
    """Field to member of a structure."""
    return _names(service, shape.name, shape.is_tagged_union, tuple(shape.members))


# ------------------------------------------------------------------------------------------------------ going


def to_request(
    service: str, operation: str, shape: Shape | None, parameters: JSON, *, template: bool = False
) -> tuple[Members, list[FieldProblem]]:
    """The request, and every problem of the parameters; with a problem, the request is of no use.

    `template`: the parameters still hold `Name.$` and `{% … %}`, whose values are not known: they pass.
    `shape` is the operation's input, None when it has none.
    """
    reader = _Reader(service, template)
    before, after = CUSTOMISED.get((service, operation), (_as_is, _as_is))
    given = before(parameters) if isinstance(parameters, dict) else parameters
    if shape is None:
        return reader.members({}, {}, given, "", "Parameters"), reader.problems
    request = reader.read(shape, given, "", "Parameters")
    if not reader.problems and not template:
        request = after(_with_content_type(shape, request))
    return request, reader.problems


def missing_fields(service: str, shape: Shape | None, request: Members) -> list[str]:
    """Fields without which the request has no address: those of its path that are absent or empty."""
    if shape is None:
        return []
    return [
        field
        for field, member in _fields(service, shape).items()
        if shape.members[member].serialization.get("location") == "uri"
        and not request.get(member)
        and (service, member) not in DEFAULTED
    ]


class _Invalid(ValueError):
    """A value that its member cannot take; the text says what was wanted."""


class _Reader:
    """Reads the value of each shape, gathering problems on the way.

    Nulls are left out, as AWS leaves them out (recorded: SFN StartExecution with `"Input": null`).
    """

    def __init__(self, service: str, template: bool) -> None:
        self.problems: list[FieldProblem] = []
        self._service = service
        self._template = template

    def read(self, shape: Shape, value: JSON, place: str, name: str) -> Any:
        if self._template and isinstance(value, str) and value.startswith("{%"):
            return None
        try:
            match shape.type_name:
                case "structure" if shape.is_document_type:
                    return value
                case "structure":
                    return self.members(_fields(self._service, shape), shape.members, value, place, name)
                case "list":
                    return self._list(shape.member, value, place, name)
                case "map":
                    return self._map(shape.value, value, place, name)
                case "blob":
                    return _blob(shape, value, name)
                case scalar:
                    return _SCALARS[scalar](shape, value)
        except _Invalid as problem:
            self.problems.append(FieldProblem(place or "/", name, expected=str(problem)))

    def members(
        self, fields: Mapping[str, str], members: Mapping[str, Shape], value: JSON, place: str, name: str
    ) -> Members:
        """A structure, by its fields; `members` are their shapes."""
        result = {}
        for key, item in _object(value).items():
            field = key.removesuffix(".$") if self._template else key
            member = fields.get(field)
            if member is None:
                if self._template and field != key:
                    continue
                self.problems.append(FieldProblem(f"{place}/{field}", field, nearest(field, fields)))
            elif item is not None and field == key:
                result[member] = self.read(members[member], item, f"{place}/{field}", field)
        return result

    def _list(self, shape: Shape, value: JSON, place: str, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise _Invalid(f"must be an array but was {_a(value)}")
        items = ((index, item) for index, item in enumerate(value) if item is not None)
        return [self.read(shape, item, f"{place}/{index}", name) for index, item in items]

    def _map(self, shape: Shape, value: JSON, place: str, name: str) -> Members:
        """The keys are the user's own: names of attributes, of tags."""
        return {
            key: self.read(shape, item, f"{place}/{key}", name)
            for key, item in _object(value).items()
            if item is not None and not (self._template and key.endswith(".$"))
        }


def _object(value: JSON) -> dict[str, JSON]:
    if isinstance(value, dict):
        return value
    raise _Invalid(f"must be an object but was {_a(value)}")


def _blob(shape: Shape, value: JSON, name: str) -> bytes:
    """A streamed body is JSON text whatever its value (recorded: S3 PutObject of the string `text data`
    stores eleven characters, with quotes); in any other blob a string stands for its characters."""
    if shape.serialization.get("streaming") or not isinstance(value, str):
        return dumps(value).encode()
    if name not in BINARY_FIELDS:
        return value.encode()
    try:
        return b64decode(value, validate=True)
    except Base64Error:
        raise _Invalid("must be base64") from None


def _string(shape: Shape, value: JSON) -> Any:
    """What is no string is sent as its JSON text (recorded: an object as MessageBody of SQS)."""
    text = value if isinstance(value, str) else dumps(value)
    if not _is_json_header(shape):
        return text
    try:
        return json.loads(text)  # botocore writes the header itself
    except ValueError:
        raise _Invalid("must be JSON text") from None


def _is_json_header(shape: Shape) -> bool:
    return bool(shape.serialization.get("jsonvalue")) and shape.serialization.get("location") == "header"


def _integer(shape: Shape, value: JSON) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9]+\s*", value):
        return int(value)
    raise _Invalid(f"must be an integer but was {_a(value)}")


def _float(shape: Shape, value: JSON) -> float:
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return float(value)
    except ValueError:
        pass
    raise _Invalid(f"must be a number but was {_a(value)}")


def _boolean(shape: Shape, value: JSON) -> bool:
    if isinstance(value, int):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise _Invalid(f"must be a boolean but was {_a(value)}")


def _timestamp(shape: Shape, value: JSON) -> datetime:
    try:
        if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        return datetime.fromtimestamp(_float(shape, value), UTC)
    except (ValueError, OverflowError, OSError):
        raise _Invalid("must be an ISO-8601 time or seconds since 1970") from None


_SCALARS: dict[str, Callable[[Shape, JSON], Any]] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _a(value: JSON) -> str:
    kind = type_name(value)
    return f"an {kind}" if kind in ("object", "array") else f"a {kind}"


def _with_content_type(shape: Shape, request: Members) -> Members:
    body = shape.serialization.get("payload")
    if body in request and shape.members[body].serialization.get("streaming"):
        for name, member in shape.members.items():
            if member.serialization.get("name") == "Content-Type":
                request.setdefault(name, TEXT_CONTENT_TYPE)
    return request


def _as_is(value: Members) -> Members:
    return value


def _copy_fields(parameters: Members) -> Members:
    """The Java SDK's own fields: Source… together are CopySource, Destination… the plain ones."""
    fields = dict(parameters)
    for suffix in ("", ".$"):
        for name in ("Bucket", "Key"):
            if f"Destination{name}{suffix}" in fields:
                fields[name + suffix] = fields.pop(f"Destination{name}{suffix}")
        source = [fields.pop(f"Source{name}{suffix}", None) for name in ("Bucket", "Key", "VersionId")]
        if source[0] is not None and source[1] is not None:
            version = f"?versionId={source[2]}" if source[2] else ""
            fields["CopySource" + suffix] = f"{source[0]}/{quote(str(source[1]), safe='/~')}{version}"
    return fields


def _quoted_copy_source(request: Members) -> Members:
    """CopySource travels in a header: what is not URL-encoded there yet is encoded."""
    if "CopySource" in request:
        request["CopySource"] = quote(request["CopySource"], safe="/%?=&:~")
    return request


CUSTOMISED: dict[tuple[str, str], tuple[Callable[[Members], Members], Callable[[Members], Members]]] = {
    ("s3", "CopyObject"): (_copy_fields, _quoted_copy_source),
    ("s3", "UploadPartCopy"): (_copy_fields, _quoted_copy_source),
}
"""(service, operation) to what is done to the fields before they are read, and to the members after."""


# ------------------------------------------------------------------------------------------------ coming back


def to_result(service: str, shape: Shape, value: Any, drain: Callable[[Any], bytes]) -> JSON:
    """An answer as JSON, with nothing in it that the model does not name. `drain` reads a streamed body."""

    def member(shape: Shape, value: Any, name: str) -> JSON:
        match shape.type_name:
            case "structure" if not shape.is_document_type:
                return {
                    field: member(shape.members[known], value[known], field)
                    for field, known in _fields(service, shape).items()
                    if value.get(known) is not None
                }
            case "list":
                return [member(shape.member, item, name) for item in value]
            case "map":
                return {key: member(shape.value, item, name) for key, item in value.items()}
            case "blob":
                return _text(drain(value) if hasattr(value, "read") else value, name)
            case "timestamp" if isinstance(value, datetime):
                return iso_time(value)
            case "string" if not isinstance(value, str):
                return dumps(value)  # botocore has read the JSON of a header
        return value

    return member(shape, value, "")


def _text(content: bytes | str, name: str) -> str:
    """Text where the bytes are UTF-8 (AWS guide, Lambda: an SDK integration's Payload is "escaped JSON"),
    base64 where they are not: JSON cannot carry them."""
    if isinstance(content, str):
        return content
    if name not in BINARY_FIELDS:
        try:
            return content.decode()
        except UnicodeDecodeError:
            pass
    return b64encode(content).decode()


def iso_time(time: datetime) -> str:
    """As Java writes an Instant: `2025-11-06T12:20:01Z`, with three or six decimals where there are any."""
    utc = time.astimezone(UTC)
    digits = "seconds" if not utc.microsecond else "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=digits).replace("+00:00", "Z")
