"""Formats without a sample of the real tool, older versions of others, and stable identities."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from contextlib import ExitStack
from typing import Any

import pytest

from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.core.fingerprints import executed_check_keys as keys
from lavendertown.interchange import ImportedRun, read_runs
from lavendertown.interchange.json_stream import MAX_SAMPLED, read_items
from lavendertown.interchange.runs import MAX_POSITIONS, CheckResult, Failure, RunBuilder
from lavendertown.interchange.sources import open_result_files

SARIF = {
    "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "datalint", "version": "3", "rules": [{"id": "D1"}, {"id": "D2"}]}},
            "automationDetails": {"id": "orders/2026-11-21"},
            "invocations": [{"executionSuccessful": True, "endTimeUtc": "2026-11-21T00:00:00Z"}],
            "results": [
                {
                    "ruleId": "D1",
                    "level": "warning",
                    "message": {"text": "7 cells are empty"},
                    "locations": [{"logicalLocations": [{"name": "email"}]}],
                }
            ],
        }
    ],
}
DEEQU = [
    {
        "check": "nightly",
        "check_level": level,
        "check_status": "Error",
        "constraint": f"CompletenessConstraint(Completeness({column},None))",
        "constraint_status": status,
        "constraint_message": message,
    }
    for column, level, status, message in (
        ("id", "Error", "Success", ""),
        ("email", "Error", "Failure", "Value: 0.8 does not meet the constraint requirement!"),
        ("name", "Warning", "Failure", "Value: 0.9 does not meet the constraint requirement!"),
        ("gone", "Error", "Failure", "Input data does not include column gone!"),
    )
]
SUITE = {
    "version": "0.4.11",
    "timestamp": "2024-01-02 03:04:05.123",
    "tests": [
        {
            "name": name,
            "description": "The number is 5.",
            "status": status,
            "group": "g",
            "parameters": {"column_name": "age", "value": 5, "condition": {"eq": 1}},
        }
        for name, status in (("Missing Values", "FAIL"), ("Mean Value", "SUCCESS"), ("Drift", "ERROR"))
    ],
}
LINEAGE = {
    "eventType": "COMPLETE",
    "eventTime": "2026-11-21T01:00:00Z",
    "producer": "https://example.test/x",
    "run": {"runId": "r1"},
    "inputs": [
        {
            "namespace": "db",
            "name": "public.orders",
            "inputFacets": {
                "dataQualityAssertions": {
                    "assertions": [
                        {"assertion": "not_null", "success": False, "column": "id"},
                        {"assertion": "unique", "success": True, "column": "id"},
                    ]
                }
            },
        }
    ],
}
JUNIT = """<testsuites name="orders"><testsuite name="s" timestamp="2026-11-21T01:00:00">
<testcase classname="c" name="ok"/>
<testcase classname="c" name="not_null_id"><failure message="2 rows"/></testcase>
<testcase classname="c" name="bad"><error message="boom"/></testcase>
<testcase classname="c" name="later"><skipped/></testcase></testsuite></testsuites>"""


def read_one(content: Any, name: str = "results.json", **options: Any) -> ImportedRun:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (found,) = read_runs([(io.BytesIO(data), name)], **options)
    return found.run


def gx(success: bool = False, count: int = 2, batch: str = "b1", version: int = 1) -> dict[str, Any]:
    name = "expectation_type" if version == 0 else "type"
    return {
        "success": success,
        "results": [
            {
                "success": success,
                "expectation_config": {
                    name: "expect_column_values_to_not_be_null",
                    "kwargs": {"column": "email", "batch_id": batch},
                    "id": f"random-{batch}",
                },
                "result": {"element_count": 10, "unexpected_count": count},
                "exception_info": {"raised_exception": False},
            }
        ],
        "meta": {"run_id": {"run_time": "2026-11-21T00:00:00+00:00"}, "batch_spec": {"table_name": "t"}},
    }


def dbt(status: str = "fail", message: str = "Got 2 results", schema: int = 6) -> dict[str, Any]:
    return {
        "metadata": {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/run-results/v{schema}.json"},
        "results": [
            {"status": status, "message": message, "unique_id": "test.shop.not_null_orders_id.a1", "new": 1}
        ],
    }


@pytest.mark.parametrize(
    ("content", "name", "tool", "dataset", "numbers"),
    [
        (SARIF, "x.json", "datalint", "orders", (1, 1, 0, 0)),
        (DEEQU, "orders-2026-11-21.json", "Deequ", "orders", (3, 1, 1, 0)),
        (SUITE, "orders.json", "Evidently", "orders", (2, 1, 1, 0)),
        (LINEAGE, "x.json", "OpenLineage", "public.orders", (1, 1, 0, 0)),
        (JUNIT.encode(), "x.xml", "JUnit", "orders", (2, 1, 1, 1)),
    ],
    ids=["sarif", "deequ", "evidently suite", "openlineage", "junit"],
)
def test_format(content: Any, name: str, tool: str, dataset: str, numbers: tuple[int, ...]) -> None:
    run = read_one(content, name)
    found = (len(run.findings), len(run.passed), len(run.errored), len(run.not_run))
    assert (run.tool, run.dataset, found) == (tool, dataset, numbers)
    assert sum(finding.ghost_type == "check_error" for finding in run.findings) == len(run.errored)


@pytest.mark.parametrize("schema", range(1, 9))
def test_every_version_of_dbt_is_read(schema: int) -> None:
    run = read_one(dbt(schema=schema))
    (finding,) = run.findings
    assert (run.dataset, finding.ghost_type, finding.metadata["count"]) == ("shop", "null", 2)


def test_old_and_new_great_expectations_have_the_same_finding() -> None:
    assert read_one(gx(version=0)).findings == read_one(gx(version=1)).findings


def test_checkpoint_of_version_0_has_a_run_for_each_table() -> None:
    other = gx() | {"meta": {"batch_spec": {"table_name": "u"}}}
    content = {
        "run_id": {"run_time": "2026-11-21T00:00:00+00:00"},
        "run_results": {"a::b": {"validation_result": gx()}, "c::d": {"validation_result": other}},
    }
    data = json.dumps(content).encode()
    assert [each.run.dataset for each in read_runs([(io.BytesIO(data), "x.json")])] == ["t", "u"]
    assert {each.column for each in read_one(content, dataset="shop").findings} == {"t.email", "u.email"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (gx(count=2, batch="b1"), gx(count=7, batch="b2")),
        (dbt(message="Got 2 results"), dbt("warn", message="Got 9 results, reworded")),
        (SUITE, json.loads(json.dumps(SUITE).replace("number is 5", "number is 9"))),
        (SARIF, json.loads(json.dumps(SARIF).replace("7 cells", "9 cells"))),
        (DEEQU, json.loads(json.dumps(DEEQU).replace("0.8", "0.75"))),
    ],
    ids=["great expectations", "dbt", "evidently", "sarif", "deequ"],
)
def test_identity_ignores_messages_counts_and_batches(one: Any, other: Any) -> None:
    ids = [
        {compute_fingerprint(each, "d") for each in read_one(content).findings} for content in (one, other)
    ]
    assert ids[0] == ids[1]


def test_a_pass_has_the_key_of_its_failure() -> None:
    for failed, passed in ((gx(), gx(success=True)), (dbt(), dbt("pass"))):
        covered = [keys({"coverage": read_one(content).coverage()}, "d") for content in (failed, passed)]
        assert covered[0] == covered[1]


def test_skipped_and_crashed_checks_are_not_completed() -> None:
    for status in ("skipped", "error"):
        assert keys({"coverage": read_one(dbt(status)).coverage()}, "d") == frozenset()


def test_a_soda_scan_with_many_metrics_before_its_checks_is_recognized() -> None:
    metrics = [{"identity": f"m-{n}", "metricName": "missing_count", "value": n} for n in range(12_000)]
    check = {"identity": "c", "name": "a", "definition": "a", "table": "orders", "outcome": "fail"}
    header = {"definitionName": "daily", "scanStartTimestamp": "2026-11-21T00:08:31+00:00"}
    scan = {**header, "metrics": metrics, "checks": [{**check, "metrics": ["m-7"]}]}
    (found,) = read_runs([(io.BytesIO(json.dumps(scan).encode()), "scan.json")])
    assert (found.run.tool, found.run.dataset, len(found.run.findings)) == ("Soda", "orders", 1)


def test_archives_are_unpacked() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("target/run_results.json", json.dumps(dbt()))
    for data in (gzip.compress(json.dumps(dbt()).encode()), archive.getvalue()):
        assert len(read_one(data, "results.gz").findings) == 1


def test_json_of_python_with_nan_and_windows_encodings_is_read() -> None:
    content = gx() | {"statistics": {"success_percent": float("nan"), "limit": float("-inf")}}
    assert read_one(content).findings == read_one(gx()).findings
    for encoding in ("utf-8-sig", "utf-16"):
        assert read_one(json.dumps(gx()).encode(encoding)).findings == read_one(gx()).findings


def test_blank_lines_around_results_are_no_results() -> None:
    cases = "schema_context,column,check,check_number,failure_case,index\nColumn,id,not_nullable,,,3\n"
    rows = [{"schema_context": "Column", "column": "id", "check": "not_nullable", "failure_case": None}]
    for content in (DEEQU, LINEAGE, rows, gx()):
        plain = json.dumps(content).encode()
        assert read_one(b"\n \t" + plain + b"\n \n") == read_one(plain)
    assert read_one((cases + "\n \n ,,\n").encode()) == read_one(cases.encode())


def test_deequ_results_are_read_as_spark_writes_them() -> None:
    lines = "".join(f"{json.dumps(row)}\n" for row in DEEQU)
    assert read_one(lines.encode()) == read_one(DEEQU)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n'
    assert read_one((declared + JUNIT).encode(encoding), "x.xml") == read_one(JUNIT.encode(), "x.xml")


def test_only_the_first_items_of_a_sample_are_kept() -> None:
    items = [{"values": [[n, {"n": n}] for n in range(1_500)], "rest": [[1], [2]]}, {"values": [1, 2]}]
    stream = io.BytesIO(json.dumps({"results": items}).encode())
    with ExitStack() as opened:
        (file,) = open_result_files(stream, "a.json", opened)
        first, second = (
            value for path, value in read_items(file, ["results/[]"], sampled=("values",)) if path
        )
    assert first["values"] == items[0]["values"][:MAX_SAMPLED]
    assert first["rest"] == [[1], [2]]
    assert second == {"values": [1, 2]}


def test_positions_are_capped_and_the_findings_of_a_run_share_their_numbers() -> None:
    run = RunBuilder("Great Expectations")
    for column in ("a", "b"):
        positions = [number + 1_000 for number in range(MAX_POSITIONS + 5)]
        run.add_failure(
            Failure(CheckResult("not null", column), "null", count=MAX_POSITIONS + 5, positions=positions)
        )
    first, second = run.finish().findings
    assert first.row_indices is not None
    assert second.row_indices is not None
    assert (len(first.row_indices), first.metadata["count"]) == (MAX_POSITIONS, MAX_POSITIONS + 5)
    assert all(one is other for one, other in zip(first.row_indices, second.row_indices, strict=True))


def test_a_dbt_test_without_manifest_and_sql_is_described_by_its_own_name() -> None:
    results = [
        {
            "unique_id": f"test.shop.{name}.{7:010x}",
            "status": "fail",
            "failures": 2,
            "message": "Got 2 results",
        }
        for name in ("not_null_orders_id", "unique_orders_id")
    ]
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v4.json"}
    content = json.dumps({"metadata": metadata, "results": results}).encode()
    (read,) = read_runs([(io.BytesIO(content), "run_results.json")])
    assert [each.description for each in read.run.findings] == [
        "The check not_null_orders_id failed for 2 rows.",
        "The check unique_orders_id failed for 2 rows.",
    ]
