"""Measure the memory of ``lavendertown import``: files of about 100 MB in several formats.

    python -m benchmarks.imports [--megabytes 100] [--postgres URL] [KIND ...]

Each file is imported by a process of its own into a storage of files, which needs more memory than a
database, after the run of the day before. A kind with many checks has nearly as many as an import accepts;
one with few has long lists of rows or long texts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LIMIT = 500
"""The maximum of a process's resident memory, in MiB."""


def write_dbt(many: bool, day: int) -> Iterator[str]:
    """Yield the parts of dbt's ``run_results.json``; one test in ten failed."""
    yield '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"'
    yield f', "dbt_version": "1.10.0", "generated_at": "2026-11-0{day}T06:00:00Z"}}, "results": ['
    number = 0
    while True:
        failed = number % 10 == 0
        result: dict[str, Any] = {
            "status": "fail" if failed else "pass",
            "unique_id": f"test.shop.not_null_orders_column_{number}.{number:010x}",
            "failures": number % 97 + 1 if failed else 0,
            "message": f"Got {number % 97 + 1} results, configured to fail if != 0" if failed else None,
            "compiled_code": "select 1\n" * (80 if many else 900),
            "timing": [],
            "thread_id": "Thread-1",
            "execution_time": 0.1,
            "adapter_response": {},
            "relation_name": None,
        }
        yield (", " if number else "") + json.dumps(result)
        number += 1


def write_great_expectations(many: bool, day: int) -> Iterator[str]:
    """Yield the parts of a validation result: passed checks, or failed ones with 75,000 positions each."""
    yield '{"success": false, "statistics": {"evaluated_expectations": 1}'
    yield f', "meta": {{"run_id": {{"run_name": "nightly", "run_time": "2026-11-0{day}T06:00:00Z"}}'
    yield ', "active_batch_definition": {"data_asset_name": "orders"}}, "results": ['
    number = 0
    while True:
        result: dict[str, Any] = {"element_count": 1_000_000, "unexpected_count": 0}
        if not many:
            positions = range(number % 13, 13 * 75_000, 13)
            counts = {"unexpected_count": 75_000, "unexpected_index_list": list(positions)}
            result |= counts | {"partial_unexpected_list": [None] * 20}
        config = {
            "type": "expect_column_values_to_be_between" if many else "expect_column_values_to_not_be_null",
            "kwargs": {
                "column": f"column_{number}",
                **({"min_value": 0, "max_value": number} if many else {}),
            },
        }
        entry = {
            "success": many,
            "expectation_config": config | {"meta": {}},
            "result": result,
            "meta": {"notes": "Agreed with the shop in May. " * (27 if many else 0)},
            "exception_info": {"raised_exception": False, "exception_message": None},
        }
        yield (", " if number else "") + json.dumps(entry)
        number += 1


def write_junit(many: bool, day: int) -> Iterator[str]:
    """Yield the parts of a JUnit report; one case in ten failed, with a short or a long message."""
    yield '<?xml version="1.0"?><testsuites>'
    yield f'<testsuite name="orders" timestamp="2026-11-0{day}T06:00:00">'
    number = 0
    while True:
        text = "assert value is not None\n" * (42 if many else 1200)
        case = f'<testcase classname="tests.test_orders" name="test_column_{number}_is_complete" time="0.01">'
        outcome = f'<failure message="{number} values are missing">{text}</failure>'
        yield (
            case + (outcome if number % 10 == 0 else "<system-out>" + text + "</system-out>") + "</testcase>"
        )
        number += 1


def write_pandera(many: bool, day: int) -> Iterator[str]:
    """Yield the rows of a table of failure cases: of 20,000 checks, or of 2."""
    del day  # the table names no time
    yield ",schema_context,column,check,check_number,failure_case,index\n"
    number = 0
    while True:
        column = number % (20_000 if many else 2)
        yield f"{number},Column,column_{column},greater_than(0),0,-{number}.5,{number}\n"
        number += 1


KINDS: dict[str, Callable[[bool, int], Iterator[str]]] = {
    "dbt": write_dbt,
    "great-expectations": write_great_expectations,
    "junit": write_junit,
    "pandera": write_pandera,
}
SUFFIXES = {"dbt": "json", "great-expectations": "json", "junit": "xml", "pandera": "csv"}
ENDS = {"dbt": "]}", "great-expectations": "]}", "junit": "</testsuite></testsuites>", "pandera": ""}


def write_file(file: Path, kind: str, many: bool, day: int, size: int) -> int:
    """Write the file of a day, of at least this size; return the number of its results."""
    written = parts = 0
    with file.open("w", encoding="utf-8") as stream:
        for part in KINDS[kind](many, day):
            written += stream.write(part)
            parts += 1
            if written >= size:
                break
        stream.write(ENDS[kind])
    return parts


def import_file(file: Path, data_dir: Path) -> tuple[int, int, dict[str, Any]]:
    """Import a file; return the peak of memory in MiB, the exit code, and the answer."""
    command = [sys.executable, "-m", "lavendertown", "import", str(file), "--json"]
    environment = {**os.environ, "LAVENDERTOWN_DATA_DIR": str(data_dir)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        answer = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss // 1024, process.returncode, json.loads(answer) if answer else {}


def main() -> None:
    """Print the peak of memory for each kind of file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; default: all")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--postgres", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for kind in options.kinds or KINDS:
        for many in (False, True):
            peaks = []
            with tempfile.TemporaryDirectory() as folder:
                for day in (1, 2):
                    file = Path(folder) / f"results.{SUFFIXES[kind]}"
                    results = write_file(file, kind, many, day, options.megabytes * 1_000_000)
                    peak, code, answer = import_file(file, Path(folder) / "data")
                    assert code == 0, f"the import of {kind} ended with {code}"
                    peaks.append(peak)
            counts = ", ".join(f"{answer[name]:,} {name}" for name in ("findings", "passed", "new", "gone"))
            missed = ", MISSED" if max(peaks) > LIMIT else ""
            print(f"{kind}: {results:,} results ({counts}): {max(peaks):,} MiB (≤ {LIMIT}{missed})")


if __name__ == "__main__":
    main()
