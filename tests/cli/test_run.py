"""`kaidan run` in this process: what it takes, what it refuses, what it says, what it keeps."""

from __future__ import annotations

import json
import re
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from kaidan.cli import compose, session
from kaidan.cli.exits import Exit
from kaidan.runtime import engine
from kaidan.store.sqlite import SqliteStore
from tests.cli.conftest import Kaidan

TASK = "arn:aws:states:::aws-sdk:ec2:describeImages"


def machine(**states: dict[str, Any]) -> str:
    """A definition that begins with its first state."""
    return json.dumps({"StartAt": next(iter(states)), "States": states}, indent=1)


def calling(resource: str = TASK, **fields: Any) -> str:
    return machine(Call={"Type": "Task", "Resource": resource, "Parameters": {}, **fields, "End": True})


ECHO = machine(Echo={"Type": "Pass", "End": True})
HOLD = machine(Hold={"Type": "Wait", "Seconds": 1000, "End": True})
PLACEHOLDER = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${Seconds}, "Next": "B"},\n' + (
    '"B": {"Type": "Pass", "Result": "${Name}", "End": true}}}'
)
FIRST, SECOND = (line.index("${") + 1 for line in PLACEHOLDER.splitlines())


@pytest.fixture
def define(surroundings: Path) -> Any:
    def write(text: str, name: str = "m.asl.json") -> str:
        Path(surroundings, name).write_text(text, encoding="utf-8")
        return name

    return write


# --- how it ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "arguments", "status", "outcome"),
    [
        (ECHO, ["--input", '{"a": [1, null]}'], "SUCCEEDED", {"output": {"a": [1, None]}, "events": 4}),
        (ECHO, [], "SUCCEEDED", {"output": {}}),
        (ECHO, ["--input", "3"], "SUCCEEDED", {"output": 3}),
        (ECHO, ["--input", "null"], "SUCCEEDED", {"output": None}),
        (ECHO, ["--name", "first"], "SUCCEEDED", {"name": "first"}),
        (HOLD, ["--skip-waits"], "SUCCEEDED", {"output": {}}),
        (HOLD, ["--timeout", "0.05"], "ABORTED", {"cause": "Stopped by --timeout 0.05"}),
        (
            machine(Bad={"Type": "Fail", "Error": "Oops", "Cause": "on purpose"}),
            [],
            "FAILED",
            {"error": "Oops", "cause": "on purpose"},
        ),
        (json.dumps({"TimeoutSeconds": 5} | json.loads(HOLD)), ["--skip-waits"], "TIMED_OUT", {"events": 4}),
        (
            machine(Who={"Type": "Pass", "Parameters": {"Role.$": "$$.Execution.RoleArn"}, "End": True}),
            ["--role-arn", "arn:aws:iam::999999999999:role/r"],
            "SUCCEEDED",
            {
                "output": {"Role": "arn:aws:iam::999999999999:role/r"},
            },
        ),
    ],
)
def test_outcome(
    kaidan: Kaidan, define: Any, definition: str, arguments: list[str], status: str, outcome: dict[str, Any]
) -> None:
    result = kaidan("run", define(definition), "--json", *arguments)
    told = json.loads(result.out)
    assert (result.status, result.err) == (Exit[status], "")
    assert told["status"] == status
    assert told | outcome == told
    assert list(told)[:5] == ["status", "executionArn", "name", "startDate", "stopDate"]
    assert told["executionArn"].endswith(f":execution:m:{told['name']}")


def test_express(kaidan: Kaidan, define: Any) -> None:
    """Its ARN says so, as on AWS, and what Express machines may not do is told before the run."""
    said = json.loads(kaidan("run", define(ECHO), "--type", "express", "--name", "first", "--json").out)
    assert re.fullmatch(r"arn:aws:states:[^:]+:\d{12}:express:m:first:[0-9a-f-]{36}", said["executionArn"])
    refused = kaidan("run", define(calling("arn:aws:states:::ecs:runTask.sync")), "--type", "EXPRESS")
    assert refused.status == Exit.INVALID_DEFINITION
    assert "Express state machine does not support '.sync' service integration" in refused.err


def test_skipped_time_is_in_the_dates(kaidan: Kaidan, define: Any) -> None:
    told = json.loads(kaidan("run", define(HOLD), "--json", "--skip-waits").out)
    record = json.loads(kaidan("history", "--json").out)["events"]
    assert record[-1]["timestamp"] == told["stopDate"]
    result = kaidan("run", define(HOLD), "--skip-waits")
    assert "SUCCEEDED in 16m 40s (" in result.out and "of real time), 1 state" in result.out


YAML = "StartAt: A\nStates:\n  A: {Type: Pass, Result: [1], End: true}\n"
COMMENTED = '// why\n{"StartAt": "A", /* what */ "States": {"A": {"Type": "Pass", "Result": [1], "End": true,}}}'


@pytest.mark.parametrize(("name", "text"), [("a.asl.yaml", YAML), ("a.asl.yml", YAML), ("a.asl.json", COMMENTED)])
def test_forms_of_definitions(kaidan: Kaidan, define: Any, name: str, text: str) -> None:
    assert json.loads(kaidan("run", define(text, name), "--json").out)["output"] == [1]


def test_input_from_a_file_and_from_standard_input(kaidan: Kaidan, define: Any) -> None:
    define("\ufeff[1, 2]", "input.json")
    assert json.loads(kaidan("run", define(ECHO), "--json", "--input", "input.json").out)["output"] == [1, 2]
    assert json.loads(kaidan("run", define(ECHO), "--json", "--input", "-", stdin='"x"').out)["output"] == "x"


@pytest.mark.parametrize(
    ("arguments", "vars_file", "output"),
    [
        (["--var", "Seconds=2", "--var", "Name=x=y"], None, "x=y"),
        (["--var", "Name=x"], ("v.json", '{"Seconds": 2, "Name": "other"}'), "x"),
        ([], ("v.yaml", "Seconds: 2\nName: from yaml # comment"), "from yaml"),
    ],
)
def test_placeholders(
    kaidan: Kaidan, define: Any, arguments: list[str], vars_file: tuple[str, str] | None, output: str
) -> None:
    if vars_file:
        arguments = [*arguments, "--vars-file", define(vars_file[1], vars_file[0])]
    result = kaidan("run", define(PLACEHOLDER), "--skip-waits", "--json", *arguments)
    assert json.loads(result.out)["output"] == output


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m.asl.json", "--input", "bad.json"], "error: bad.json:2:7: not JSON: "),
        (["m.asl.json", "--input", '{"a": }'], "error: --input:1:7: not JSON: "),
        (["m.asl.json", "--input", "nope.json"], "error: nope.json: no such file"),
        (["m.asl.json", "--input", " "], "error: --input is empty: it takes a file, - for standard input, or JSON"),
        (["m.asl.json", "--input", f'"{"x" * 262_144}"'], "error: --input: 262,146 bytes of input; an execution"),
        (["nope.asl.json"], "error: nope.asl.json: no such file"),
        (["."], "error: .: is a directory, not a file"),
        (["empty.asl.json"], "error: empty.asl.json: is empty"),
        (["binary.asl.json"], "error: binary.asl.json: is not text: byte 0xff at 1 is no UTF-8"),
        (["zero.asl.json"], "error: zero.asl.json: is not text: it holds a zero byte at 1"),
        (["m.asl.json", "--var", "Name"], "error: --var Name: must be Name=value"),
        (["m.asl.json", "--vars-file", "bad.json"], "error: bad.json:2:7: Unrecognized token 'nope'"),
        (["m.asl.json", "--vars-file", "list.json"], 'error: list.json: must be an object, {"Name": "value", …}'),
        (["m.asl.json", "--name", "a b"], "error: --name 'a b': takes 1 to 80 characters"),
        (["m.asl.json", "--role-arn", "me"], "error: --role-arn me: must be a role's ARN"),
        (["m.asl.json", "--emulate", "nope.yaml"], "error: nope.yaml: no such file"),
        (["m.asl.json", "--emulate", "list.json"], "error: list.json:1: the file must be a mapping with region"),
        (["m.asl.json", "--emulate", "--profile", "x"], "error: --profile and --emulate exclude each other"),
        (["m.asl.json", "--emulate", "--region", "x"], "error: --region and --emulate exclude each other"),
        (["m.asl.json", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["task.asl.json"], "error: no AWS credentials: the definition calls AWS, and none were found"),
        (["task.asl.json", "--profile", "me"], "error: The config profile (me) could not be found"),
        (["task.asl.json", "--endpoint-url", "localhost:1"], "error: --endpoint-url localhost:1: must be a URL"),
        (["task.asl.json", "--endpoint-url", "http://a..b"], "error: --endpoint-url http://a..b: must be a URL"),
        (["task.asl.json", "--endpoint-url", "http://[::1"], "error: --endpoint-url http://[::1: must be a URL"),
        ([], "Error: Missing argument 'DEFINITION'"),
        (["--emulate"], "Error: Missing argument 'DEFINITION'"),
        (["--emulate", "nope.asl.json"], "error: nope.asl.json: no such file"),
    ],
)
def test_refused(kaidan: Kaidan, define: Any, surroundings: Path, arguments: list[str], message: str) -> None:
    define(ECHO)
    define(calling(), "task.asl.json")
    define('{"a": 1,\n "b": nope}', "bad.json")
    define("[1]", "list.json")
    define(" \n", "empty.asl.json")
    define("{\0}", "zero.asl.json")
    (surroundings / "binary.asl.json").write_bytes(b"{\xff}")
    result = kaidan("run", *arguments)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert not (surroundings.parent / "home").exists()


@pytest.mark.parametrize(
    ("definition", "messages"),
    [
        ('{"StartAt": "A"', ["m.asl.json:1:16: error INVALID_JSON_DESCRIPTION Unexpected end-of-input"]),
        ("[1]", ["m.asl.json:1:1: error SCHEMA_VALIDATION_FAILED Definition must be a valid JSON object"]),
        (
            machine(A={"Type": "Pass", "Next": "B"}),
            ["m.asl.json:6:4: error MISSING_TRANSITION_TARGET Missing 'Next' target: B (at /States/A/Next)"],
        ),
        (PLACEHOLDER, [f"m.asl.json:1:{FIRST}: error INVALID_JSON_DESCRIPTION", "${Seconds} stands here"]),
        (
            PLACEHOLDER.replace("${Seconds}", "1"),
            [f"m.asl.json:2:{SECOND}: error UNKNOWN_PLACEHOLDER No substitution is given for ${{Name}}"],
        ),
        (
            calling(TASK[:-1]),
            ["/States/Call/Resource", "unknown action 'describeImage' of service 'ec2'", "describeImages"],
        ),
        (calling(TASK.replace("ec2", "dynamo")), ["unknown service 'dynamo': did you mean 'dynamodb'?"]),
        (
            calling("arn:aws:states:us-east-1:123456789012:activity:a"),
            [
                "m.asl.json:6:4: error NOT_SUPPORTED_HERE 'kaidan run' cannot carry out the Task 'Call': no worker can",
                "(at /States/Call/Resource)",
                "aws-sdk:<service>:<action>",
            ],
        ),
    ],
)
def test_invalid_definitions(kaidan: Kaidan, define: Any, definition: str, messages: list[str]) -> None:
    result = kaidan("run", define(definition))
    assert (result.status, result.out) == (Exit.INVALID_DEFINITION, "")
    assert [message for message in messages if message not in result.err] == []
    assert result.err.endswith(": nothing was run\n")
    assert "[Source" not in result.err


def test_inner_tasks_are_looked_at_before_the_run(kaidan: Kaidan, define: Any) -> None:
    activity = json.loads(calling("arn:aws:states:us-east-1:123456789012:activity:a"))
    inner = machine(
        Each={"Type": "Map", "ItemProcessor": activity, "Next": "Both"},
        Both={"Type": "Parallel", "Branches": [json.loads(ECHO), activity], "End": True},
    )
    result = kaidan(
        "run", define(inner.replace('"Call"', '"Other"', 1).replace('"StartAt": "Call"', '"StartAt": "Other"', 1))
    )
    assert result.status == Exit.INVALID_DEFINITION


def test_an_endpoint_that_does_not_answer(kaidan: Kaidan, define: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = kaidan("run", define(calling()), "--endpoint-url", url)
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err == f"error: --endpoint-url {url}: nobody answers there: Connection refused\n"


def test_without_moto(kaidan: Kaidan, define: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaidan.emulate.server.find_spec", lambda name: None)
    result = kaidan("run", define(ECHO), "--emulate")
    assert (result.status, result.out) == (Exit.BAD_INPUT, "")
    assert result.err == "error: the emulated AWS needs moto: pip install 'kaidan[emulate]'\n"


def test_profiles_there_are(kaidan: Kaidan, define: Any, surroundings: Path) -> None:
    (surroundings.parent / "aws-config").write_text("[profile dev]\nregion = eu-west-1\n")
    result = kaidan("run", define(calling()), "--profile", "me")
    assert result.err.splitlines()[1] == "  profiles there are: dev"


# --- what is said -----------------------------------------------------------------------------------------

LOOP = machine(
    Start={"Type": "Pass", "Result": {"items": [1, 2]}, "Next": "Each"},
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 60, "End": True}}},
        "Next": "Bad",
    },
    Bad={"Type": "Fail", "Error": "Oops", "Cause": 'because {"why": ["a", "b"]}'},
)


def test_lines(kaidan: Kaidan, define: Any) -> None:
    result = kaidan("run", define(LOOP), "--skip-waits")
    assert result.status == Exit.FAILED
    progress, end = result.out.split("\n\n", 1)
    assert [line[10:] for line in progress.splitlines()] == [
        "Start",
        "Each                      2 items",
        f"  [0] Rest                until {later(progress, 60)}",
        f"  [1] Rest                until {later(progress, 60)}",
        "Each                      done in 1m 00s",
        "Bad",
    ]
    assert end.splitlines()[1:] == [
        "  error  Oops",
        f"  state  Bad  (m.asl.json:{line_of(LOOP, 'Bad')})",
        "  cause  because {",
        '           "why": [',
        '             "a",',
        '             "b"',
        "           ]",
        "         }",
    ]
    assert end.startswith("FAILED in 1m 00s (")
    assert end.splitlines()[0].endswith("of real time), 5 states")


def line_of(definition: str, state: str) -> int:
    return next(number for number, line in enumerate(definition.splitlines(), 1) if f'"{state}": {{' in line)


def later(progress: str, seconds: int) -> str:
    hours, minutes, rest = map(int, progress[:8].split(":"))
    moment = (hours * 3600 + minutes * 60 + rest + seconds) % 86400
    return f"{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}"


def test_a_large_map_is_told_in_tenths(kaidan: Kaidan, define: Any) -> None:
    each = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
    definition = machine(Each={"Type": "Map", "ItemProcessor": each, "End": True})
    result = kaidan("run", define(definition), "--input", json.dumps(list(range(1000))))
    progress = [line[10:].split(None, 1) for line in result.out.split("\n\n")[0].splitlines()]
    assert progress == [
        ["Each", "1,000 items"],
        *(["Each", f"{done:,} of 1,000"] for done in range(100, 1001, 100)),
        ["Each", progress[-1][1]],
    ]
    assert "lines more, with --json all" in result.out


def test_a_loop_names_its_quick_states_once(kaidan: Kaidan, define: Any) -> None:
    again = {"Variable": "$.n", "NumericLessThan": 3, "Next": "Add"}
    states: dict[str, dict[str, Any]] = {
        "Start": {"Type": "Pass", "Result": {"n": 0}, "Next": "More?"},
        "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Rest"},
        "Rest": {"Type": "Wait", "Seconds": 5, "Next": "More?"},
        "More?": {"Type": "Choice", "Choices": [again], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }
    definition = machine(**states)
    result = kaidan("run", define(definition), "--skip-waits")
    names = [line[10:].split()[0] for line in result.out.split("\n\n")[0].splitlines()]
    assert names == ["Start", "More?", "Add", "Rest", "Rest", "Rest", "Done"]


def test_a_failure_inside_is_placed_where_it_began(kaidan: Kaidan, define: Any) -> None:
    bad = {"StartAt": "Deep", "States": {"Deep": {"Type": "Pass", "InputPath": "$.none", "End": True}}}
    branch = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "ItemsPath": "$.i", "ItemProcessor": bad, "End": True}},
    }
    definition = machine(Both={"Type": "Parallel", "Branches": [json.loads(ECHO), branch], "End": True})
    line = line_of(definition, "Deep")
    result = kaidan("run", define(definition), "--input", '{"i": [{}]}')
    assert f"  state  Deep  (m.asl.json:{line})" in result.out


def reading(folder: Path, items: int, *states: dict[str, Any], kind: str = "EXPRESS") -> str:
    """A Distributed Map over the lines of a file."""
    (folder / "items.jsonl").write_text("".join(f"{number}\n" for number in range(items)))
    inner = json.loads(machine(**{f"S{number}": state for number, state in enumerate(states)}))
    return machine(
        Each={
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSONL"},
                "Parameters": {"Bucket": "file://.", "Key": "items.jsonl"},
            },
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **inner},
            "ResultPath": None,
            "End": True,
        }
    )


def test_a_map_that_reads_its_items(kaidan: Kaidan, define: Any, surroundings: Path) -> None:
    """Nobody knows how many there will be: the first have lines of their own, then there are numbers only."""
    result = kaidan("run", define(reading(surroundings, 300, {"Type": "Succeed"})))
    lines = [line.split(maxsplit=2)[1:] for line in result.out.split("\n\n")[0].splitlines()]
    assert lines[0] == ["Each"]
    numbers = [words[1] for words in lines if words[0] == "Each" and len(words) > 1]
    assert numbers[:-1] == [f"{done} done" for done in (30, 40, 50, 60, 70, 80, 90, 100, 200, 300)]
    assert len(lines) < 40


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_are_not_all_in_memory(
    kaidan: Kaidan, define: Any, surroundings: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Those that wait, and those that have ended, are in a file for as long as they are needed."""
    monkeypatch.setattr(engine, "RESIDENT_MAX", 3)
    monkeypatch.setattr(tempfile, "tempdir", str(surroundings))
    most = [0]

    class Watched(engine.Engine):
        def _evict(self) -> None:
            super()._evict()
            most[0] = max(most[0], len(self.runs))

    monkeypatch.setattr(compose, "Engine", Watched)
    waits = {"Type": "Wait", "Seconds": 20, "Next": "S1"}, {"Type": "Wait", "Seconds": 20, "End": True}
    result = kaidan("run", define(reading(surroundings, 100, *waits, kind=kind)), "--skip-waits", "--json")
    assert (result.status, json.loads(result.out)["output"]) == (Exit.SUCCEEDED, {})
    assert 1 < most[0] < 20
    assert not list(surroundings.glob("kaidan-*"))


def test_nowhere_to_keep_children(
    kaidan: Kaidan, define: Any, surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SqliteStore", lambda path, **options: SqliteStore("/dev/null/x"))
    result = kaidan("run", define(reading(surroundings, 1, {"Type": "Succeed"})))
    assert result.status == Exit.BAD_INPUT
    assert "error: the executions of a Distributed Map cannot be kept: " in result.err


def test_express_has_a_history(kaidan: Kaidan, define: Any, surroundings: Path) -> None:
    result = kaidan("run", define(ECHO), "--type", "EXPRESS", "--history", "events.json")
    assert re.search("SUCCEEDED in .*, 1 state\n", result.out)
    types = [event["type"] for event in json.loads((surroundings / "events.json").read_text())["events"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


def test_distributed_map_names_a_failed_item(kaidan: Kaidan, define: Any) -> None:
    each = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Bad",
        "States": {"Bad": {"Type": "Fail", "Error": "Oops", "Cause": "item"}},
    }
    definition = machine(Each={"Type": "Map", "ItemProcessor": each, "End": True})
    result = kaidan("run", define(definition), "--input", "[1, 2, 3]")
    assert result.status == Exit.FAILED
    assert "  error  States.ExceedToleratedFailureThreshold" in result.out
    assert "  item   [0] Oops: item\n" in result.out


def test_nobody_answers_a_token(kaidan: Kaidan, define: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task itself succeeds here without AWS; what it waits for then can come from nowhere."""
    from kaidan.integrations import aws_sdk

    monkeypatch.setattr(aws_sdk, "call", lambda *arguments, **named: {})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    definition = calling(
        "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken",
        Parameters={"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
    )
    result = kaidan("run", define(definition))
    assert result.status == Exit.ABORTED
    assert result.err.startswith("warning: a task waits for its token to come back")
    assert "Nothing is left that could happen: Call waits for somebody to answer" in result.out


# --- what is kept -----------------------------------------------------------------------------------------


def test_history_file(kaidan: Kaidan, define: Any, surroundings: Path) -> None:
    kaidan("run", define(ECHO), "--history", "h.json")
    events = json.loads(Path("h.json").read_text())["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    result = kaidan("run", define(ECHO), "--history", "nope/h.json")
    assert result.status == Exit.SUCCEEDED
    assert result.err == "warning: --history nope/h.json: cannot be written: No such file or directory\n"


def test_a_home_that_cannot_be_written(kaidan: Kaidan, define: Any, surroundings: Path) -> None:
    (surroundings.parent / "home").write_text("a file")
    result = kaidan("run", define(ECHO))
    assert result.status == Exit.SUCCEEDED
    assert result.err.startswith("warning: the history was not kept: ")
