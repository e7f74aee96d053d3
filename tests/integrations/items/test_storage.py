"""Where items and results are: S3, as moto's server has it, and folders."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pyarrow
import pytest
from pyarrow import parquet

from kaidan.integrations import storage
from kaidan.integrations.clients import AwsSettings, ClientFactory
from kaidan.integrations.items import Unreadable, open_items
from kaidan.integrations.storage import Sink, Storage, StorageError, chunks
from kaidan.runtime.sources import RealClock
from kaidan.service.api import Api
from kaidan.values import JSON
from tests.integrations.emulated import moto_server
from tests.integrations.loopback import Exchange, loopback

BUCKET = "things"


@pytest.fixture(scope="module")
def clients() -> Iterator[ClientFactory]:
    with moto_server() as url:
        settings = AwsSettings(region="us-east-1", endpoint_url=url, access_key="a", secret_key="s", max_attempts=1)
        factory = ClientFactory(settings)
        factory.client("s3").create_bucket(Bucket=BUCKET)
        yield factory


@pytest.fixture(params=["s3", "folder"])
def place(request: pytest.FixtureRequest, clients: ClientFactory, tmp_path: Path) -> tuple[Storage, str]:
    """A storage and a bucket in it. The two behave alike."""
    if request.param == "folder":
        return Storage(clients, [tmp_path]), f"file://{tmp_path}"
    s3 = clients.client("s3")
    for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return Storage(clients), BUCKET


def put(place: tuple[Storage, str], key: str, *parts: bytes) -> None:
    sink = place[0].create({"Bucket": place[1], "Key": key})
    for part in parts:
        sink.write(part)
    sink.close()


def read(place: tuple[Storage, str], key: str, offset: int = 0) -> bytes:
    file = place[0].open({"Bucket": place[1], "Key": key}, offset)
    try:
        return file.read()
    finally:
        file.close()


def keys(place: tuple[Storage, str], **more: Any) -> list[str]:
    found, token, more_to_come = list[str](), None, True
    while more_to_come:
        page, token = place[0].listing({"Bucket": place[1], **more}, token)
        found += [entry["Key"] for entry in page]
        more_to_come = token is not None
    return found


def test_what_was_written_is_read(place: tuple[Storage, str]) -> None:
    put(place, "a/b", b"one ", b"two")
    assert read(place, "a/b") == b"one two"
    assert read(place, "a/b", 4) == b"two"
    assert read(place, "a/b", 7) == b""
    assert place[0].size({"Bucket": place[1], "Key": "a/b"}) == 7
    put(place, "a/b", b"instead")
    assert read(place, "a/b") == b"instead"
    put(place, "empty")
    assert read(place, "empty") == b""


def test_large_objects_are_written_in_parts(place: tuple[Storage, str]) -> None:
    part = bytes(range(256)) * 4_096
    put(place, "large", *[part] * 20)
    assert read(place, "large") == part * 20


def test_an_object_is_not_there_before_it_is_complete(
    place: tuple[Storage, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PART_BYTES", 5 << 20)
    sinks: list[Sink] = [place[0].create({"Bucket": place[1], "Key": f"x{number}"}) for number in range(2)]
    for sink in sinks:
        sink.write(b"x" * (6 << 20))
        assert keys(place) == []
        sink.abort()
    assert keys(place) == []


def test_listing(place: tuple[Storage, str]) -> None:
    for key in ("b/2", "a", "b/1", "c"):
        put(place, key, b"12")
    assert keys(place, MaxKeys=1) == ["a", "b/1", "b/2", "c"]
    assert keys(place, Prefix="b/") == ["b/1", "b/2"]
    assert keys(place, StartAfter="b/1") == ["b/2", "c"]


def test_files_that_vanish_while_they_are_listed(clients: ClientFactory, tmp_path: Path) -> None:
    """A page goes on behind the one before, whatever has been listed or removed meanwhile."""
    folder = Storage(clients, [tmp_path])
    for name in ("a", "b", "c", "other/x"):
        put((folder, f"file://{tmp_path}"), name, b"1")
    (tmp_path / "nowhere").symlink_to(tmp_path / "no")
    parameters = {"Bucket": f"file://{tmp_path}", "MaxKeys": 2}
    page, token = folder.listing(parameters, None)
    assert [entry["Key"] for entry in page] == ["a", "b"]
    (tmp_path / "c").unlink()
    for between in (None, {**parameters, "Prefix": "other/"}):
        if between is not None:
            assert [entry["Key"] for entry in folder.listing(between, None)[0]] == ["other/x"]
        rest, found = token, list[str]()
        while rest is not None:
            page, rest = folder.listing(parameters, rest)
            found += [entry["Key"] for entry in page]
        assert found == ["other/x"]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"Key": "missing"}, "The specified key does not exist. (Service: S3, Status Code: 404"),
        (
            {"Bucket": "no-such-bucket", "Key": "x"},
            "The specified bucket does not exist (Service: S3, Status Code: 404",
        ),
    ],
)
def test_missing(clients: ClientFactory, parameters: JSON, problem: str) -> None:
    with pytest.raises(StorageError) as refusal:
        Storage(clients).open({"Bucket": BUCKET, **parameters})
    assert str(refusal.value).startswith(problem)


class Brittle:
    """An S3 that breaks off every answer after some bytes."""

    def __init__(self, content: bytes, most: int) -> None:
        self.content = content
        self.most = most
        self.tag = '"1"'

    def __call__(self, exchange: Exchange) -> None:
        wanted = exchange.asked.headers.get("range", "bytes=0-").removeprefix("bytes=")
        begin, _, end = wanted.partition("-")
        content = self.content[int(begin) : int(end) + 1 if end else None]
        if exchange.asked.headers.get("if-match", self.tag) != self.tag:
            code = b"<Error><Code>PreconditionFailed</Code><Message>It has changed</Message></Error>"
            return exchange.reply(412, code, Content_Type="application/xml")
        exchange.send_response(206 if begin != "0" else 200)
        exchange.send_header("Content-Length", str(len(content)))
        exchange.send_header("ETag", self.tag)
        exchange.end_headers()
        exchange.wfile.write(content[: self.most])
        exchange.close_connection = True
        return None


@contextmanager
def brittle(content: bytes, most: int) -> Iterator[tuple[Brittle, Storage]]:
    answer = Brittle(content, most)
    with loopback(answer) as server:
        yield answer, storage_at(server.url)


def storage_at(url: str) -> Storage:
    settings = AwsSettings(region="us-east-1", endpoint_url=url, access_key="a", secret_key="s", max_attempts=1)
    return Storage(ClientFactory(settings))


@pytest.mark.parametrize(("offset", "length"), [(0, None), (7, None), (7, 50)])
def test_connections_that_break_off(offset: int, length: int | None) -> None:
    content = bytes(range(100))
    with brittle(content, 30) as (_, objects):
        file = objects.open({"Bucket": "b", "Key": "k"}, offset, length)
        read = b"".join(chunks(file, 8))
        file.close()
    assert read == content[offset : None if length is None else offset + length]


def test_objects_that_change_while_they_are_read() -> None:
    with brittle(bytes(100), 30) as (answer, objects):
        file = objects.open({"Bucket": "b", "Key": "k"})
        assert len(file.read(20)) == 20
        answer.tag = '"2"'
        with pytest.raises(StorageError, match="It has changed"):
            list(chunks(file, 20))


def test_connections_that_break_off_at_once() -> None:
    with brittle(bytes(100), 0) as (_, objects):
        file = objects.open({"Bucket": "b", "Key": "k"})
        with pytest.raises(StorageError, match="Reading broke off"):
            file.read(20)


def test_folders_that_may_not_be_used(clients: ClientFactory, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    inside = Storage(clients, [tmp_path / "in"])
    for bucket in (f"file://{tmp_path}", f"file://{tmp_path}/in/..", "file:///"):
        for work in (inside.open, inside.size, inside.create):
            with pytest.raises(StorageError, match="is not one of those that may be used"):
                work({"Bucket": bucket, "Key": "x"})
        with pytest.raises(StorageError, match="is not one of those that may be used"):
            inside.listing({"Bucket": bucket}, None)
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    for key in ("../x", "link/x"):
        with pytest.raises(StorageError, match="leads out of the folder"):
            inside.create({"Bucket": f"file://{tmp_path}/in", "Key": key})
    with pytest.raises(StorageError, match="is not one of those that may be used"):
        Storage(clients, []).open({"Bucket": f"file://{tmp_path}", "Key": "x"})


def test_reading_goes_on_at_the_end(place: tuple[Storage, str]) -> None:
    """After a restart, when all had been read but for the end."""
    put(place, "rows", b"1\n2\n3")
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": place[1], "Key": "rows"},
        "ReaderConfig": {"InputType": "JSONL"},
    }
    items = list(open_items(reader, None, place[0]).items)
    assert [item.value for item in items] == [1, 2, 3]
    assert list(open_items(reader, items[-1].position, place[0]).items) == []


def test_packed_on_the_way_or_for_good(clients: ClientFactory) -> None:
    """What an object is called, and what its headers say of it, does not matter."""
    packed = gzip.compress(b"1\n2\n")
    for number, header in enumerate(({}, {"ContentEncoding": "gzip"}, {"ContentType": "text/csv"})):
        clients.client("s3").put_object(Bucket=BUCKET, Key=f"packed/{number}", Body=packed, **header)
        reader = {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": BUCKET, "Key": f"packed/{number}"},
            "ReaderConfig": {"InputType": "JSONL"},
        }
        first, second = open_items(reader, None, Storage(clients)).items
        assert (first.value, second.value) == (1, 2)
        assert list(open_items(reader, first.position, Storage(clients)).items) == [second]


def test_parquet_in_ranges(place: tuple[Storage, str]) -> None:
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"n": list(range(100))}), sink, row_group_size=30)
    put(place, "table", sink.getvalue().to_pybytes())
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": place[1], "Key": "table"},
        "ReaderConfig": {"InputType": "PARQUET", "MaxItems": 70},
    }
    assert [item.value["n"] for item in open_items(reader, None, place[0]).items] == list(range(70))


def test_who_owns_a_bucket(clients: ClientFactory) -> None:
    """ExpectedBucketOwner and VersionId are S3's to look at."""
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="versions", Key="k", Body=b"[1]")["VersionId"]
    s3.put_object(Bucket="versions", Key="k", Body=b"[2]")
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {}}
    parameters = {"Bucket": "versions", "Key": "k"}
    for more, value in (({}, 2), ({"VersionId": first}, 1)):
        (item,) = open_items(reader | {"Parameters": parameters | more}, None, Storage(clients)).items
        assert (item.value, item.source) == (value, "s3://versions/k")
    with pytest.raises(Unreadable):
        list(open_items(reader | {"Parameters": parameters | {"VersionId": "nonsense"}}, None, Storage(clients)).items)


LOADED: list[tuple[dict[str, Any], list[bytes], list[JSON]]] = [
    ({"InputType": "JSON"}, [b"[1, 2]", b'{"k": 3}', b"[]"], [1, 2, {"Key": "k", "Value": 3}]),
    ({"InputType": "JSON", "ItemsPointer": "/a"}, [b'{"a": [1]}', b'{"b": 0, "a": [2]}'], [1, 2]),
    ({"InputType": "JSONL"}, [b"1\n", gzip.compress(b"2\n3")], [1, 2, 3]),
    (
        {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": "TAB"},
        [b"a\tb\n1\t2\n", b"b\ta\n3\t4\n"],
        [{"a": "1", "b": "2"}, {"a": "4", "b": "3"}],
    ),
    (
        {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x"]},
        [b"1\n", b"", b"2\n"],
        [{"x": "1"}, {"x": "2"}],
    ),
]


@pytest.mark.parametrize(("config", "contents", "values"), LOADED)
def test_listings_that_are_loaded(
    place: tuple[Storage, str], config: dict[str, Any], contents: list[bytes], values: list[JSON]
) -> None:
    for number, content in enumerate(contents):
        put(place, f"in/{number}", content)
    put(place, "in2/9", b"not looked at")
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket": place[1], "Prefix": "in/", "MaxKeys": 2},
        "ReaderConfig": {**config, "Transformation": "LOAD_AND_FLATTEN"},
    }
    items = list(open_items(reader, None, place[0]).items)
    assert [item.value for item in items] == values
    assert items[0].source.endswith("/in/0")
    for number, item in enumerate(items, 1):
        assert list(open_items(reader, item.position, place[0]).items) == items[number:]


def manifest_items(clients: ClientFactory, key: str, **config: Any) -> list[tuple[JSON, str]]:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "manifests", "Key": key},
        "ReaderConfig": config,
    }
    items = list(open_items(reader, None, Storage(clients)).items)
    for number, item in enumerate(items, 1):
        assert list(open_items(reader, item.position, Storage(clients)).items) == items[number:]
    return [(item.value, item.source) for item in items]


def test_manifests(clients: ClientFactory) -> None:
    """They may be in one bucket, and what they name in another, under keys with any letters."""
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="manifests")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="q/1 ü.gz", Body=gzip.compress(b"1,a\n2,b\n"))
    s3.put_object(Bucket="data", Key="q/2%20", Body=b"3,c\n")
    s3.put_object(Bucket="manifests", Key="athena.csv", Body="s3://data/q/1 ü.gz\ns3://data/q/2%20\n".encode())
    columns = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["n", "x"]}
    first, second = "s3://data/q/1 ü.gz", "s3://data/q/2%20"
    expected = [({"n": "1", "x": "a"}, first), ({"n": "2", "x": "b"}, first), ({"n": "3", "x": "c"}, second)]
    assert manifest_items(clients, "athena.csv", ManifestType="ATHENA_DATA", InputType="CSV", **columns) == expected
    inventory = {
        "sourceBucket": "data",
        "destinationBucket": "arn:aws:s3:::data",
        "fileFormat": "CSV",
        "fileSchema": "n, x",
        "files": [{"key": "q/1 ü.gz"}, {"key": "q/2%20"}],
    }
    s3.put_object(Bucket="manifests", Key="manifest.json", Body=json.dumps(inventory))
    assert manifest_items(clients, "manifest.json", InputType="MANIFEST") == expected
    assert manifest_items(clients, "manifest.json", ManifestType="S3_INVENTORY") == expected


def test_a_manifest_of_parquet_files(clients: ClientFactory) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="manifests")
    for number in range(2):
        sink = pyarrow.BufferOutputStream()
        parquet.write_table(pyarrow.table({"n": [number, number]}), sink)
        s3.put_object(Bucket="manifests", Key=f"{number}.parquet", Body=sink.getvalue().to_pybytes())
    s3.put_object(Bucket="manifests", Key="m", Body=b"s3://manifests/0.parquet\ns3://manifests/1.parquet\n")
    items = manifest_items(clients, "m", ManifestType="ATHENA_DATA", InputType="PARQUET")
    assert [value["n"] for value, _ in items] == [0, 0, 1, 1]


def test_objects_are_opened_side_by_side() -> None:
    """Nobody gets an answer before four have asked: one after the other would wait for ever."""
    four = Barrier(4, timeout=20)

    def answer(exchange: Exchange) -> None:
        path = urlsplit(exchange.asked.path).path
        if path == "/b":
            names = "".join(f"<Contents><Key>{number}</Key>{_ENTRY}</Contents>" for number in range(8))
            return exchange.reply(200, f"<ListBucketResult>{names}</ListBucketResult>", Content_Type="application/xml")
        four.wait()
        return exchange.reply(200, path.removeprefix("/b/"), ETag='"1"')

    with loopback(answer) as server:
        reader = {
            "Resource": "arn:aws:states:::s3:listObjectsV2",
            "Parameters": {"Bucket": "b"},
            "ReaderConfig": {"InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN"},
        }
        items = list(open_items(reader, None, storage_at(server.url)).items)
    assert [item.value for item in items] == list(range(8))


_ENTRY = '<ETag>"1"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size>'


def test_what_the_console_calls_a_folder(clients: ClientFactory) -> None:
    """It is an object like others, but has no items."""
    put((Storage(clients), BUCKET), "folder/", b"")
    put((Storage(clients), BUCKET), "folder/1", b"1\n2\n")
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket": BUCKET, "Prefix": "folder/"},
        "ReaderConfig": {},
    }
    listed = list(open_items(reader, None, Storage(clients)).items)
    assert [(item.value["Key"], item.source) for item in listed] == [
        ("folder/", "s3://things"),
        ("folder/1", "s3://things"),
    ]
    config = {"InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN"}
    loaded = list(open_items(reader | {"ReaderConfig": config}, None, Storage(clients)).items)
    assert [(item.value, item.source) for item in loaded] == [(1, "s3://things/folder/1"), (2, "s3://things/folder/1")]


# --- a whole Map Run --------------------------------------------------------------------------------------


def test_from_bucket_to_bucket(clients: ClientFactory) -> None:
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="results")
    s3.put_object(Bucket=BUCKET, Key="orders/1.csv", Body=b"n,kind\n1,good\n2,bad\n")
    s3.put_object(Bucket=BUCKET, Key="orders/2.csv", Body=b"n,kind\n3,good\n")
    check = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.kind", "StringEquals": "bad", "Next": "Refuse"}],
        "Default": "Accept",
    }
    states = {"Check": check, "Accept": {"Type": "Pass", "End": True}, "Refuse": {"Type": "Fail", "Error": "Bad"}}
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "Transformation": "LOAD_AND_FLATTEN"}
    state = {
        "Type": "Map",
        "ToleratedFailurePercentage": 50,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:listObjectsV2",
            "ReaderConfig": config,
            "Parameters": {"Bucket": BUCKET, "Prefix": "orders/"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Check",
            "States": states,
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "results", "Prefix": "runs"},
        },
        "End": True,
    }
    api = Api(clock=RealClock(), clients=clients)
    definition = json.dumps({"StartAt": "Each", "States": {"Each": state}})
    created = {"name": "m", "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/r"}
    machine = api.call("CreateStateMachine", created)
    arn = api.call("StartExecution", {"stateMachineArn": machine["stateMachineArn"]})["executionArn"]

    def described() -> dict[str, Any]:
        return api.call("DescribeExecution", {"executionArn": arn})

    api.settle(lambda: described()["status"] != "RUNNING", 60)
    details = json.loads(described()["output"])["ResultWriterDetails"]
    assert details["Key"].startswith("runs/")

    def fetched(key: str) -> JSON:
        return json.loads(s3.get_object(Bucket="results", Key=key)["Body"].read())

    files = fetched(details["Key"])["ResultFiles"]
    found = {
        status: [json.loads(record["Input"])["n"] for file in files[status] for record in fetched(file["Key"])]
        for status in files
    }
    assert found == {"SUCCEEDED": ["1", "3"], "FAILED": ["2"], "PENDING": []}
    api.close()
