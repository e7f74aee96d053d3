"""Each format of an ItemReader: what its items are, where reading goes on, what cannot be read."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import sys
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as writer

from kaidan.integrations.clients import ClientFactory
from kaidan.integrations.items import Unreadable, blocks, csv_rows, json_file, lines, open_items, parquet, read_text
from kaidan.integrations.storage import Storage
from kaidan.protocol.events import Item
from kaidan.values import JSON, dumps

Config = dict[str, Any]

CSV: Config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
JSONL: Config = {"InputType": "JSONL"}


def given_headers(*names: str) -> Config:
    return {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": list(names)}


READ: list[tuple[str, str | bytes, Config, JSON]] = [
    ("array", "[1, {}, null]", {}, [1, {}, None]),
    ("empty array", " [ ] ", {}, []),
    ("object", '{"a": 1, "b": [2]}', {}, [{"Key": "a", "Value": 1}, {"Key": "b", "Value": [2]}]),
    ("empty object", "{}", {}, []),
    ("pointer", '{"a": {"b/c": [1, 2]}}', {"ItemsPointer": "/a/b~1c"}, [1, 2]),
    ("pointer past others", '{"x": [1, [2], {"y": "]"}], "z": {"x": 5}, "w": [7]}', {"ItemsPointer": "/w"}, [7]),
    ("pointer into an array", "[[1], [2, 3], [4]]", {"ItemsPointer": "/1"}, [2, 3]),
    (
        "pointer past members",
        '{"x": {"a": {"w": [1]}, "b": "}"}, "w": [{"y": {}}]}',
        {"ItemsPointer": "/w"},
        [{"y": {}}],
    ),
    ("pointer of no steps", "[1]", {"ItemsPointer": ""}, [1]),
    ("pointer to a name that is empty", '{"": [1]}', {"ItemsPointer": "/"}, [1]),
    ("half a letter", '["\\ud83d"]', {}, ["\ufffd"]),
    ("pointer to an object", '{"a": {"k": 1}}', {"ItemsPointer": "/a"}, [{"Key": "k", "Value": 1}]),
    ("most items", "[1, 2, 3]", {"MaxItems": 2}, [1, 2]),
    ("no limit", "[1, 2, 3]", {"MaxItems": 0}, [1, 2, 3]),
    ("byte order mark", "\ufeff[1]", {}, [1]),
    ("what follows is not looked at", "[1] and more", {}, [1]),
    ("integers beyond 64 bits", "[18446744073709551616]", {}, [18446744073709551616.0]),
    ("text in other letters", '["ü", "\\u00fc", "\\ud83d\\ude00"]', {}, ["ü", "ü", "😀"]),
    ("lines", '{"a": 1}\n\n  \n[2]\r\n"x"', JSONL, [{"a": 1}, [2], "x"]),
    ("no lines", "", JSONL, []),
    ("rows", "a,b\n1,2\n3,4\n", CSV, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    ("rows under given headers", "1,2\r\n3,4", given_headers("x", "y"), [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]),
    ("fields missing and too many", "a,b\n1\n1,2,3\n", CSV, [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]),
    ("no rows", "a,b\n", CSV, []),
    ("not even headers", "", CSV, []),
    ("empty lines", "a\n\n1\n\n", CSV, [{"a": "1"}]),
    ("quoted", 'a,b\n"1,2","say ""hi"""\n', CSV, [{"a": "1,2", "b": 'say "hi"'}]),
    ("quoted over lines", 'a,b\n"1\n2",3\n4,5\n', CSV, [{"a": "1\n2", "b": "3"}, {"a": "4", "b": "5"}]),
    (
        "ends of lines in quotes",
        'a,b\r\n"1\r\n2",3\r\n"4\n5",6\r\n',
        CSV,
        [{"a": "1\r\n2", "b": "3"}, {"a": "4\n5", "b": "6"}],
    ),
    ("quoted to the end", 'a,b\n"1,2\n3,4\n', CSV, [{"a": "1,2\n3,4", "b": ""}]),
    ("escaped", 'a,b\n1\\,2,\\"3\n', CSV, [{"a": "1,2", "b": '"3'}]),
    ("a backslash alone is dropped", "a\nx\\y\n", CSV, [{"a": "xy"}]),
    ("pipes", 'n|m\n1|"2|3"\n', CSV | {"CSVDelimiter": "PIPE"}, [{"n": "1", "m": "2|3"}]),
    ("semicolons", "n;m\n1;2,3\n", CSV | {"CSVDelimiter": "SEMICOLON"}, [{"n": "1", "m": "2,3"}]),
    ("spaces", "n m\n1 2\n", CSV | {"CSVDelimiter": "SPACE"}, [{"n": "1", "m": "2"}]),
    ("tabs", "n\tm\n1\t2\n", CSV | {"CSVDelimiter": "TAB"}, [{"n": "1", "m": "2"}]),
    ("gzip", gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"), CSV, [{"a": "1"}, {"a": "2"}]),
    ("gzip of JSON", gzip.compress(b"[1, 2]"), {}, [1, 2]),
]


class Folder:
    """A storage of one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.storage = Storage(ClientFactory(), [path])

    def read(self, content: str | bytes, config: Config, position: JSON = None) -> list[Item]:
        (self.path / "file").write_bytes(content.encode() if isinstance(content, str) else content)
        return self.items({"Key": "file"}, config, position=position)

    def items(
        self, parameters: Config, config: Config, *, resource: str = "getObject", position: JSON = None
    ) -> list[Item]:
        reader = {
            "Resource": f"arn:aws:states:::s3:{resource}",
            "Parameters": {"Bucket": f"file://{self.path}", **parameters},
            "ReaderConfig": config,
        }
        return list(open_items(reader, position, self.storage).items)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(("content", "config", "values"), [case[1:] for case in READ], ids=[case[0] for case in READ])
@pytest.mark.parametrize("block", [1, 3, 256 << 10])
def test_items(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, content: str | bytes, config: Config, values: JSON, block: int
) -> None:
    """And reading goes on behind each of them, wherever blocks of the file end."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", block)
    items = folder.read(content, config)
    assert [item.value for item in items] == values
    assert {item.source for item in items} <= {f"file://{folder.path}/file"}
    for number, item in enumerate(items, 1):
        rest = folder.read(content, config, json.loads(json.dumps(item.position)))
        assert rest == items[number:]


UNREADABLE: list[tuple[str, str | bytes, Config, str]] = [
    ("negative", "[]", {"MaxItems": -1}, "field MaxItems must be positive"),
    ("scalar", "5", {}, "Attempting to map over non-iterable node."),
    ("pointer to a scalar", '{"a": 5}', {"ItemsPointer": "/a"}, "Attempting to map over non-iterable node."),
    *(
        (
            f"pointer to nothing: {pointer}",
            '{"a": [5, {"b": 1}]}',
            {"ItemsPointer": pointer},
            "The provided ReaderConfig",
        )
        for pointer in ("/b", "/a/2", "/a/x", "/a/01", "/a/-", "/a/0/b", "/a/1/c", "/", "a")
    ),
    ("no JSON", "[1, oops]", {}, "The file is not JSON"),
    ("cut off", "[1, 2", {}, "The file is not JSON"),
    ("no number", "[NaN]", {}, "The file is not JSON"),
    ("no double", "[1e309]", {}, "The file is not JSON"),
    ("much too deep", "[" * 100_000 + "]" * 100_000, {}, "The file is not JSON: nested too deeply"),
    (
        "too deep past",
        '{"a": ' + "[" * 9_999 + "]" * 9_999 + ', "b": []}',
        {"ItemsPointer": "/b"},
        "The file is not JSON",
    ),
    ("too deep", "[" * 300 + "]" * 300, {}, "The file is not JSON: nested deeper"),
    ("no JSON on a line", '1\n{"a"\n', JSONL, "Line 2 of the file is not JSON"),
    ("headers twice", "a,a\n1,2\n", CSV, "CSV headers cannot contain duplicates."),
    ("long headers", f"{'x' * 10_240}\n1\n", CSV, "The CSV headers exceed"),
    ("broken gzip", gzip.compress(b"[1]")[:10] + b"xxxxxx", {}, "The file is not valid GZIP"),
    ("half a gzip", gzip.compress(b"1\n" * 99_999)[:100], JSONL, "The file is not valid GZIP"),
    ("no Parquet", "[1]", {"InputType": "PARQUET"}, "The file is not valid Parquet"),
]


@pytest.mark.parametrize(
    ("content", "config", "problem"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_unreadable(folder: Folder, content: str | bytes, config: Config, problem: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        folder.read(content, config)
    assert str(refusal.value).startswith(problem)


LARGE: list[tuple[str, str, Config]] = [
    ("line", '"' + "x" * 300 + '"', JSONL),
    ("row", "a\n" + "x" * 300, CSV),
    ("row of many lines", 'a,b\n"x,1\n' + "1,2\n" * 300, CSV),
    ("text", '["' + "x" * 300 + '"]', {}),
    ("array", f"[{list(range(100))}]", {}),
    ("member", '{"k": "' + "x" * 300 + '"}', {}),
]


@pytest.mark.parametrize(("content", "config"), [case[1:] for case in LARGE], ids=[case[0] for case in LARGE])
@pytest.mark.parametrize("block", [64, 256 << 10])
def test_large_items(folder: Folder, monkeypatch: pytest.MonkeyPatch, content: str, config: Config, block: int) -> None:
    """What is in memory is bounded, even where a quotation mark or a bracket is missing."""
    for module in (lines, csv_rows, json_file):
        monkeypatch.setattr(module, "ITEM_BYTES_MAX", 100)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", block)
    with pytest.raises(Unreadable, match="larger than"):
        folder.read(content, config)


def test_what_a_pointer_passes_is_not_kept(folder: Folder) -> None:
    members = ",".join(f'"k{each}":["{"x" * 1000}"]' for each in range(10_000))
    (folder.path / "large").write_text(f'{{"past":{{{members}}},"there":[1]}}')
    tracemalloc.start()
    try:
        items = folder.items({"Key": "large"}, {"ItemsPointer": "/there"})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [item.value for item in items] == [1]
    assert peak < 2 << 20 < (folder.path / "large").stat().st_size


def test_rows_have_the_order_of_java(folder: Folder) -> None:
    """As recorded from AWS: members stand as a HashMap has them."""
    (row,) = folder.read("id,name,email,age,city\n1,2,3,4,5\n", CSV)
    assert list(row.value) == ["city", "name", "id", "email", "age"]


# --- laws -------------------------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(_VALUES), st.sampled_from([None, 2]), st.integers(1, 20))
def test_any_json(values: JSON, indent: int | None, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", block)
        assert [item.value for item in read_text(json.dumps(values, indent=indent), {})] == values
        text = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
        assert [item.value for item in read_text(text, JSONL)] == values


_FIELDS = st.text(st.characters(blacklist_characters="\r\\", blacklist_categories=["Cs"]), max_size=6)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.lists(_FIELDS, min_size=2, max_size=2), max_size=6), st.integers(1, 20))
def test_any_rows(rows: list[list[str]], block: int) -> None:
    """What a writer of CSV quotes is read as it was."""
    text = "".join(",".join('"' + field.replace('"', '""') + '"' for field in row) + "\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", block)
        found = [[item.value["a"], item.value["b"]] for item in read_text(text, given_headers("a", "b"))]
    assert found == rows


# --- ZSTD and Parquet -------------------------------------------------------------------------------------


def test_zstd(folder: Folder) -> None:
    packed = zstandard.compress(b'{"a": 1}\n') + zstandard.compress(b'{"a": 2}\n')
    assert [item.value for item in folder.read(packed, JSONL)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(Unreadable, match="not valid ZSTD"):
        folder.read(packed[:8] + b"junk that is no frame", JSONL)


@pytest.mark.parametrize(
    ("name", "content", "config"),
    [("pyarrow", b"PAR1", {"InputType": "PARQUET"}), ("zstandard", b"\x28\xb5\x2f\xfd", JSONL)],
)
def test_missing_packages(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, config: Config
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Unreadable, match=rf"needs the package {name}: pip install 'kaidan\["):
        folder.read(content, config)


def test_parquet(folder: Folder) -> None:
    moment = datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    rows = [
        {"n": number, "price": Decimal("1.5"), "at": moment, "raw": b"\x00", "tags": ["x"]} for number in range(2_500)
    ]
    file = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=1_200)
    items = folder.read(file.getvalue(), {"InputType": "PARQUET"})
    assert [item.value["n"] for item in items] == list(range(2_500))
    assert items[0].value == {"n": 0, "price": 1.5, "at": "2025-01-02T03:04:05Z", "raw": "AA==", "tags": ["x"]}
    for number in (1, 1_000, 1_199, 1_200, 1_201, 2_400, 2_499, 2_500):
        rest = folder.read(file.getvalue(), {"InputType": "PARQUET"}, items[number - 1].position)
        assert rest == items[number:]


def parquet_file(columns: JSON, **options: Any) -> bytes:
    file = io.BytesIO()
    writer.write_table(pyarrow.table(columns), file, **options)
    return file.getvalue()


def test_parquet_types(folder: Folder) -> None:
    moment_ns = 1_700_000_000_123_456_789
    moments = pyarrow.array(
        [[{"at": moment_ns}]], pyarrow.list_(pyarrow.struct([("at", pyarrow.timestamp("ns", "UTC"))]))
    )
    columns = {
        "nanoseconds": pyarrow.array([moment_ns], pyarrow.timestamp("ns")),
        "inside": moments,
        "time": pyarrow.array([3_600_123_456_789], pyarrow.time64("ns")),
        "day": [datetime.date(2025, 1, 2)],
        "there": pyarrow.array([1_700_000_000_000], pyarrow.timestamp("ms", "America/New_York")),
        "map": pyarrow.array([[("a", 1), ("b", None)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        "numbers": [[float("nan"), float("inf"), float("-inf"), 1.5]],
        "large": [Decimal("12345678901234567890.5")],
        "whole": [Decimal("5.00")],
        "nothing": [None],
        "yes": [True],
    }
    (item,) = folder.read(parquet_file(columns), {"InputType": "PARQUET"})
    assert item.value == {
        "nanoseconds": "2023-11-14T22:13:20.123456",
        "inside": [{"at": "2023-11-14T22:13:20.123456Z"}],
        "time": "01:00:00.123456",
        "day": "2025-01-02",
        "there": "2023-11-14T17:13:20-05:00",
        "map": {"a": 1, "b": None},
        "numbers": ["NaN", "Infinity", "-Infinity", 1.5],
        "large": 12345678901234567890.5,
        "whole": 5,
        "nothing": None,
        "yes": True,
    }
    assert json.loads(dumps(item.value)) == item.value


def test_parquet_with_old_times(folder: Folder) -> None:
    """INT96, as Hive and Spark write times."""
    columns = {"at": pyarrow.array([1_700_000_000_123_456_789], pyarrow.timestamp("ns"))}
    (item,) = folder.read(parquet_file(columns, use_deprecated_int96_timestamps=True), {"InputType": "PARQUET"})
    assert item.value == {"at": "2023-11-14T22:13:20.123456"}


@pytest.mark.parametrize("compression", ["gzip", "zstd", "snappy", "none"])
def test_parquet_compressed_inside(folder: Folder, compression: str) -> None:
    (item,) = folder.read(parquet_file({"n": [1]}, compression=compression), {"InputType": "PARQUET"})
    assert item.value == {"n": 1}


def test_parquet_limits(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet_file({"n": list(range(1_000))})
    for limit in ("ROW_GROUP_BYTES_MAX", "FOOTER_BYTES_MAX"):
        with monkeypatch.context() as patch:
            patch.setattr(parquet, limit, 100)
            with pytest.raises(Unreadable, match="of the Parquet file is larger than 100 bytes"):
                folder.read(content, {"InputType": "PARQUET"})
    with pytest.raises(Unreadable, match="'VersionId' is not supported"):
        folder.items({"Key": "file", "VersionId": "1"}, {"InputType": "PARQUET"})


# --- several files ----------------------------------------------------------------------------------------


def check_positions(folder: Folder, parameters: Config, config: Config, resource: str) -> list[Item]:
    """The items, once it is seen that reading goes on behind each."""
    items = folder.items(parameters, config, resource=resource)
    for number, item in enumerate(items, 1):
        assert folder.items(parameters, config, resource=resource, position=item.position) == items[number:]
    return items


def test_athena_manifest(folder: Folder) -> None:
    (folder.path / "one.jsonl").write_text("1\n2\n")
    (folder.path / "empty.jsonl").write_text("")
    (folder.path / "two.jsonl.gz").write_bytes(gzip.compress(b"3\n"))
    names = ("one.jsonl", "empty.jsonl", "two.jsonl.gz")
    (folder.path / "manifest").write_text("".join(f"file://{folder.path}/{name}\n" for name in names))
    items = check_positions(
        folder, {"Key": "manifest"}, {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"}, "getObject"
    )
    assert [item.value for item in items] == [1, 2, 3]
    assert [item.source.rpartition("/")[2] for item in items] == ["one.jsonl", "one.jsonl", "two.jsonl.gz"]


@pytest.mark.parametrize("config", [{"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}])
def test_inventory(folder: Folder, config: Config) -> None:
    (folder.path / "1.csv.gz").write_bytes(gzip.compress(b'"b","k1","10"\n"b","k2","20"\n'))
    (folder.path / "2.csv.gz").write_bytes(gzip.compress(b'"b","k3","30"\n'))
    files = [{"key": "1.csv.gz", "size": 1, "MD5checksum": "x"}, {"key": "2.csv.gz", "size": 1, "MD5checksum": "y"}]
    manifest = {"destinationBucket": "arn:aws:s3:::b", "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size"}
    (folder.path / "manifest.json").write_text(json.dumps(manifest | {"files": files}))
    items = check_positions(folder, {"Key": "manifest.json"}, config, "getObject")
    assert [item.value for item in items] == [
        {"Bucket": "b", "Key": f"k{number}", "Size": f"{number}0"} for number in (1, 2, 3)
    ]


def test_inventory_in_other_words(folder: Folder) -> None:
    """The fields for CSV files go with MANIFEST too."""
    (folder.path / "1.csv").write_text("b|k\n")
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": [{"key": "1.csv"}]}
    (folder.path / "manifest.json").write_text(json.dumps(manifest))
    given = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["bucket", "name"]}
    for more, value in (({}, {"Bucket": "b", "Key": "k"}), (given, {"bucket": "b", "name": "k"})):
        config = {"InputType": "MANIFEST", "CSVDelimiter": "PIPE", **more}
        (item,) = folder.items({"Key": "manifest.json"}, config)
        assert item.value == value


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ("[]", "not a manifest of an S3 inventory"),
        ('{"fileFormat": "ORC", "fileSchema": "", "files": []}', "must be CSV, not ORC"),
    ],
)
def test_bad_inventory(folder: Folder, manifest: str, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        folder.read(manifest, {"InputType": "MANIFEST"})


def test_bad_athena_manifest(folder: Folder) -> None:
    with pytest.raises(Unreadable, match="no address of an object in S3: 'nonsense'"):
        folder.read("nonsense\n", {"InputType": "CSV", "ManifestType": "ATHENA_DATA"})


def test_listing(folder: Folder) -> None:
    for name in ("a/1", "a/2", "a/3", "b"):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("12345")
    items = check_positions(folder, {"Prefix": "a/", "MaxKeys": 2}, {}, "listObjectsV2")
    assert [item.value["Key"] for item in items] == ["a/1", "a/2", "a/3"]
    assert set(items[0].value) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    assert (items[0].value["Size"], items[0].source) == (5, f"file://{folder.path}")
    assert [item.value["Key"] for item in folder.items({"StartAfter": "a/2"}, {}, resource="listObjectsV2")] == [
        "a/3",
        "b",
    ]


def test_listing_that_is_loaded(folder: Folder) -> None:
    for name, text in (("1.csv", "n\n1\n2\n"), ("2.csv", "n\n"), ("3.csv", "n\n3\n")):
        (folder.path / name).write_text(text)
    config = CSV | {"Transformation": "LOAD_AND_FLATTEN"}
    items = check_positions(folder, {"Prefix": "", "MaxKeys": 2}, config, "listObjectsV2")
    assert [item.value for item in items] == [{"n": "1"}, {"n": "2"}, {"n": "3"}]
    assert items[2].source == f"file://{folder.path}/3.csv"
    limited = folder.items({}, config | {"MaxItems": 2}, resource="listObjectsV2")
    assert len(limited) == 2


@pytest.mark.parametrize(
    ("parameters", "resource"),
    [({}, "getObject"), ({"Key": ""}, "getObject"), ({"Key": 5}, "getObject"), ({"Bucket": ""}, "listObjectsV2")],
)
def test_missing_parameters(folder: Folder, parameters: Config, resource: str) -> None:
    with pytest.raises(Unreadable, match="of the ItemReader must be a string"):
        folder.items(parameters, {}, resource=resource)
