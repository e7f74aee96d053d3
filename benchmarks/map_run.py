"""A Distributed Map over a CSV file: a million Express children, durable; then the same, killed half-way.

    python -m benchmarks.map_run --rows 1000000

Each row is one child execution of two states; one in a hundred fails, and that many are tolerated. A process of its
own runs it on a store in a file, and writes the results where ResultWriter says. What is looked at afterwards:

    rate        items a second from the start to the manifest
    memory      the most that the process ever held
    results     every row is in the result files that the manifest names, once, as it should have ended
    children    there is one execution for each row: none was started twice, also when the process was killed
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FAILING = 100
"""One row in so many fails."""

SHOWN_EVERY_S = 0.02


def definition(folder: Path) -> dict[str, Any]:
    """Reads `rows.csv` of a folder, writes below `results`."""
    bucket = f"file://{folder}"
    check = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.kind", "StringEquals": "bad", "Next": "Refuse"}],
        "Default": "Accept",
    }
    each = {
        "Type": "Map",
        "Label": "rows",
        "ToleratedFailurePercentage": 100 / FAILING,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Parameters": {"Bucket": bucket, "Key": "rows.csv"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Check",
            "States": {
                "Check": check,
                "Accept": {"Type": "Pass", "Parameters": {"id.$": "$.id", "ok": True}, "End": True},
                "Refuse": {"Type": "Fail", "Error": "Bad", "Cause": "a bad row"},
            },
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": bucket, "Prefix": "results"},
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
        },
        "End": True,
    }
    return {"StartAt": "Each", "States": {"Each": each}}


def write_rows(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "kind", "text"])
        for number in range(rows):
            writer.writerow([number, "bad" if number % FAILING == FAILING - 1 else "good", f"row {number} of many"])


# --- the process that runs it -----------------------------------------------------------------------------


def work(folder: Path) -> None:
    """Begin the execution, or go on with it; then say what has become of it."""
    from kaidan.runtime.sources import RealClock
    from kaidan.service.api import Api
    from kaidan.store.sqlite import SqliteStore

    api = Api(clock=RealClock(), store=SqliteStore(folder / "kaidan.db"), folders=[folder])
    engine = api.service.engine
    machine_arn = api.service.arn("stateMachine:rows")
    arn = api.service.arn("execution:rows:one")
    if engine.find(arn) is None:
        text = json.dumps(definition(folder))
        api.call(
            "CreateStateMachine", {"name": "rows", "definition": text, "roleArn": "arn:aws:iam::123456789012:role/r"}
        )
        api.call("StartExecution", {"stateMachineArn": machine_arn, "name": "one"})

    shown = time.monotonic()

    def done() -> bool:
        nonlocal shown
        if time.monotonic() - shown > SHOWN_EVERY_S:
            shown = time.monotonic()
            print(sum(run.item_count - run.unstarted_items() for run in engine.map_runs.values()), flush=True)
        run = engine.runs.get(arn)
        return run is not None and run.execution.status != "RUNNING"

    engine.run_until(done)
    engine.save()
    (map_run,) = api.call("ListMapRuns", {"executionArn": arn})["mapRuns"]
    described = api.call("DescribeMapRun", {"mapRunArn": map_run["mapRunArn"]})
    print(
        json.dumps(
            {
                "output": json.loads(api.call("DescribeExecution", {"executionArn": arn}).get("output", "null")),
                "counts": described["itemCounts"],
                "processor_s": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
                "memory_mb": peak_mb(),
            }
        ),
        flush=True,
    )
    api.close()


def peak_mb() -> float:
    """The most that this process has ever held (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0.0


def run(folder: Path, kill_at: int | None = None) -> dict[str, Any]:
    """Run it in a process, which is killed once when so many items have been started; its last words."""
    command = [sys.executable, "-m", "benchmarks.map_run", "--work", str(folder)]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = line
            if kill_at is not None and line.strip().isdigit() and int(line) >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
    if process.returncode == -signal.SIGKILL:
        return run(folder)
    if process.returncode:
        raise SystemExit(f"it ended with {process.returncode}")
    words: dict[str, Any] = json.loads(last)
    return words


# --- what must be true afterwards -------------------------------------------------------------------------


def problems(folder: Path, rows: int, words: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the results and the store; nothing, if all is well."""
    failing = rows // FAILING
    counts = {name: count for name, count in words["counts"].items() if count}
    expected = {"succeeded": rows - failing, "failed": failing, "total": rows, "resultsWritten": rows}
    if counts != {name: count for name, count in expected.items() if count}:
        yield f"counts: {counts}"
    manifest = json.loads((folder / words["output"]["ResultWriterDetails"]["Key"]).read_text())
    for status, name, wanted in (("SUCCEEDED", "good", rows - failing), ("FAILED", "bad", failing)):
        seen: Counter[int] = Counter()
        for file in manifest["ResultFiles"][status]:
            path = folder / file["Key"]
            if path.stat().st_size != file["Size"]:
                yield f"{file['Key']}: not of the size that the manifest says"
            with path.open() as lines:
                for record in map(json.loads, lines):
                    row = json.loads(record["Input"])
                    seen[int(row["id"])] += 1
                    if row["kind"] != name or record["Status"] != status:
                        yield f"row {row['id']}: {record['Status']}"
        if len(seen) != wanted or set(seen.values()) - {1}:
            yield f"{status}: {len(seen)} rows of {wanted}, {sum(seen.values()) - len(seen)} of them repeated"
    with sqlite3.connect(folder / "kaidan.db") as db:
        (children,) = db.execute("SELECT count(*) FROM executions WHERE map_run_arn IS NOT NULL").fetchone()
    if children != rows:
        yield f"{children} child executions for {rows} rows"


def measure(folder: Path, rows: int, *, killed: bool) -> list[str]:
    """One run, printed; what is wrong with it."""
    folder.mkdir()
    write_rows(folder / "rows.csv", rows)
    began = time.perf_counter()
    words = run(folder, rows // 2 if killed else None)
    took = time.perf_counter() - began
    store_mb = (folder / "kaidan.db").stat().st_size / 1e6
    which = "killed half-way" if killed else "undisturbed"
    print(
        f"{which:16} {rows:>9,} items  {took:7.1f} s  {rows / took:8,.0f} items/s"
        f""
        f"  processor {words['processor_s']:.1f} s  peak {words['memory_mb']:.0f} MB  store {store_mb:,.0f} MB",
        flush=True,
    )
    return list(problems(folder, rows, words))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        return work(options.work)
    with tempfile.TemporaryDirectory(prefix="kaidan-map-") as folder:
        found = measure(Path(folder) / "a", options.rows, killed=False)
        found += measure(Path(folder) / "b", options.rows, killed=True)
    for problem in found[:20]:
        print("WRONG", problem)
    if found:
        raise SystemExit(1)
    print("every row has its result, once; no child was started twice")
    return None


if __name__ == "__main__":
    main()
