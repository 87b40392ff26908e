"""Files that the real tools wrote: what is in them, and which finding is which."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.interchange import ImportedRun, read_runs
from lavendertown.interchange.run_files import read_run_file, write_run_file
from lavendertown.profile.evidence import FindingSamples

SAMPLES = Path(__file__).parent / "samples"
DBT = "dbt/generated_dbt-1.9.11__run_results.json"
MANIFEST = "dbt/generated_dbt-1.9.11__manifest.json"
DBT_110 = "dbt/generated_dbt-1.10.23__run_results.json"
MANIFEST_110 = "dbt/generated_dbt-1.10.23__manifest.json"
SOURCES_110 = "dbt/generated_dbt-1.10.23__sources.json"
DRIFT = [f"evidently/generated_evidently-0.7.23__drift_{number}.json" for number in (1, 2)]
EVIDENTLY = "evidently/generated_evidently-0.7.23__report_with_tests.json"
FRICTIONLESS = "frictionless/generated_frictionless-5.21.0__validate_people_schema.json"
CHECKPOINT = "great_expectations/generated_gx-1.24.1__CheckpointResult_describe_dict_SUMMARY.json"
VALIDATION = "great_expectations/generated_gx-1.24.1__ValidationDefinition_run_COMPLETE.json"
PANDERA_MESSAGE = "pandera/generated_pandera-0.35.0__SchemaErrors_message.json"
PANDERA_CSV = "pandera/generated_pandera-0.35.0__failure_cases.csv"
BOOLEANS = "great_expectations/generated_gx-1.24.1__ValidationDefinition_run_BOOLEAN_ONLY.json"
PANDERA_ROWS = "pandera/generated_pandera-0.35.0__failure_cases_of_rows.csv"
PANDERA_JSON = "pandera/generated_pandera-0.35.0__failure_cases.json"
SODA_4 = "soda/generated_soda-core-4.28.0__contract_results.json"
SODA = "soda/generated_soda-core__get_scan_results.json"

DBT_TYPES = {"category people.age", "null people.email", "duplicate people.id", "null people.name"}
GX_TYPES = {
    "null email",
    "format email",
    "duplicate id",
    "outlier age",
    "rule country",
    "rule *",
    "rule amount",
    "check_error missing_col",
}
PANDERA_TYPES = {"rule country", "duplicate id", "null name", "null email", "format email", "outlier age"}


def read_sample(*names: str, dataset: str = "") -> ImportedRun:
    with ExitStack() as stack:
        streams = [(stack.enter_context((SAMPLES / name).open("rb")), name) for name in names]
        (found,) = read_runs(streams, dataset=dataset)
    return found.run


def kinds(run: ImportedRun) -> set[str]:
    return {f"{finding.ghost_type} {finding.column}" for finding in run.findings}


def ids(run: ImportedRun) -> set[str]:
    return {compute_fingerprint(finding, "people") for finding in run.findings}


@pytest.mark.parametrize(
    ("names", "tool", "dataset", "expected", "passed", "errored"),
    [
        pytest.param((DBT,), "dbt", "people_dq", DBT_TYPES | {"check_error *"}, 1, 1, id="dbt"),
        pytest.param(
            (MANIFEST, DBT),
            "dbt",
            "people_dq",
            DBT_TYPES | {"check_error people.age"},
            1,
            1,
            id="dbt with manifest",
        ),
        pytest.param((VALIDATION,), "Great Expectations", "people", GX_TYPES, 0, 1, id="gx validation"),
        pytest.param((CHECKPOINT,), "Great Expectations", None, GX_TYPES, 0, 1, id="gx checkpoint"),
        pytest.param(
            (SODA,),
            "Soda",
            "people",
            {
                "rule *",
                "null email",
                "format email",
                "duplicate id",
                "rule amount",
                "null name",
            },
            0,
            0,
            id="soda",
        ),
        pytest.param((PANDERA_CSV,), "Pandera", None, PANDERA_TYPES, 0, 0, id="pandera csv"),
        pytest.param((PANDERA_JSON,), "Pandera", None, PANDERA_TYPES, 0, 0, id="pandera json"),
        pytest.param((PANDERA_MESSAGE,), "Pandera", "people", PANDERA_TYPES, 0, 0, id="pandera message"),
        pytest.param(
            (FRICTIONLESS,),
            "Frictionless",
            "people",
            {"type email", "outlier age", "type signup", "duplicate id", "null name"},
            17,
            0,
            id="frictionless",
        ),
        pytest.param(
            (EVIDENTLY,),
            "Evidently",
            None,
            {"null email", "drift age", "rule *", "drift *", "drift city"},
            3,
            0,
            id="evidently",
        ),
    ],
)
def test_sample(
    names: tuple[str, ...],
    tool: str,
    dataset: str | None,
    expected: set[str],
    passed: int,
    errored: int,
) -> None:
    run = read_sample(*names)
    assert (run.tool, kinds(run)) == (tool, expected)
    assert (len(run.passed), len(run.errored), len(run.not_run)) == (passed, errored, 0)
    assert dataset is None or run.dataset == dataset
    for finding in run.findings:
        assert finding.description.endswith((".", "…"))
        assert "\n" not in finding.description


def test_warnings_keep_their_severity() -> None:
    for name in (DBT, SODA):
        severities = {finding.severity for finding in read_sample(name).findings if "name" in finding.column}
        assert severities == {"warning"}


def test_three_forms_of_one_pandera_run_have_the_same_findings() -> None:
    assert (
        ids(read_sample(PANDERA_CSV)) == ids(read_sample(PANDERA_JSON)) == ids(read_sample(PANDERA_MESSAGE))
    )


def test_two_forms_of_one_validation_have_the_same_findings() -> None:
    assert ids(read_sample(CHECKPOINT)) == ids(read_sample(VALIDATION))


def test_a_manifest_changes_no_finding_whose_test_has_its_usual_name() -> None:
    with_manifest, without = ids(read_sample(MANIFEST, DBT)), ids(read_sample(DBT))
    assert len(with_manifest & without) == 4


def test_rows_are_positions_from_0() -> None:
    for name in (VALIDATION, PANDERA_CSV, FRICTIONLESS):
        findings = read_sample(name).findings
        rows = [row for each in findings if each.column == "age" for row in each.row_indices or []]
        assert sorted(rows) == [2, 3]


def test_counts_and_shares_come_from_the_tool() -> None:
    (finding,) = [each for each in read_sample(VALIDATION).findings if each.ghost_type == "null"]
    assert finding.description == "email is empty in 2 of 6 rows (33.3%)."
    assert (finding.metadata["count"], round(finding.metadata["share"], 3)) == (2, 0.333)


@pytest.mark.parametrize("names", [(DBT_110,), (DBT_110, MANIFEST_110)], ids=["alone", "with manifest"])
def test_each_status_of_dbt_is_read(names: tuple[str, ...]) -> None:
    run = read_sample(*names)
    found = {finding.metadata["check_id"].split(".")[-1]: finding for finding in run.findings}
    described = {"orders_wrong", "no_negative_amount"}
    assert {name: found[name].ghost_type for name in described} == {
        "orders_wrong": "rule",
        "no_negative_amount": "outlier",
    }
    severities = sorted((finding.severity, finding.ghost_type) for finding in run.findings)
    assert [severity for severity, _ in severities] == ["error"] * 5 + ["warning"] * 2
    assert [kind for _, kind in severities].count("check_error") == 1
    unit = found["orders_wrong"]
    assert (unit.column, unit.metadata["check"]) == ("customers", "orders_wrong")
    assert {check.check for check in run.passed} >= {"orders_keep_status", "not_null"}
    assert (len(run.passed), len(run.errored), len(run.not_run)) == (3, 1, 4)


def test_a_dbt_test_of_a_source_names_its_table() -> None:
    columns = {check.column for check in read_sample(DBT_110, MANIFEST_110).passed}
    assert columns == {"raw_orders.order_id", "orders", "orders.order_id"}


def test_the_table_of_a_dbt_test_is_found_in_manifests_that_do_not_attach_it(tmp_path: Path) -> None:
    manifest = json.loads((SAMPLES / MANIFEST_110).read_bytes())
    for node in manifest["nodes"].values():
        node.pop("attached_node", None)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), "utf-8")
    with path.open("rb") as nodes, (SAMPLES / DBT_110).open("rb") as results:
        (found,) = read_runs([(nodes, "manifest.json"), (results, "run_results.json")])
    tables = {check.column for check in found.run.not_run}
    assert tables == {"customers.email", "customers.customer_id", "orders.customer_id", "broken.nowhere"}


def test_the_freshness_of_dbt_sources_is_a_check() -> None:
    run = read_sample(SOURCES_110)
    (finding,) = run.findings
    assert (run.dataset, finding.column, finding.ghost_type) == ("shop", "raw_orders", "date")
    assert (finding.severity, finding.metadata["check_id"]) == ("warning", "dbt:source.shop.raw.raw_orders")
    assert finding.description == "raw_orders has not been loaded since 2020-01-01 00:00 UTC."


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("pass", "passed"), ("warn", "found"), ("error", "found"), ("runtime error", "failed")],
)
def test_a_stale_source_is_no_crashed_check(status: str, outcome: str, tmp_path: Path) -> None:
    sources = json.loads((SAMPLES / SOURCES_110).read_bytes())
    sources["results"][0]["status"] = status
    stream = io.BytesIO(json.dumps(sources).encode())
    (found,) = read_runs([(stream, "sources.json")])
    ran = [check["outcome"] for check in found.run.coverage()["ran"]]
    assert ran == [outcome]


def test_a_validation_with_booleans_only_has_the_same_kinds_of_findings() -> None:
    run = read_sample(BOOLEANS)
    assert {finding.column for finding in run.findings if finding.ghost_type == "check_error"} == {
        "missing_col"
    }
    assert {"null email", "duplicate id", "outlier age", "category country"} <= kinds(run)


def test_the_results_of_a_soda_contract_are_read() -> None:
    run = read_sample(SODA_4)
    assert kinds(run) == {"duplicate id", "null email", "format email", "rule *"}
    texts = {finding.metadata["check_id"]: finding.description for finding in run.findings}
    assert texts["soda:1b43abcc"] == "email is empty in 2 of 6 rows (33.3%)."
    assert texts["soda:f7fb057a"] == "The row count is 6, outside its limits."
    assert [check.check_id for check in run.passed] == ["soda:14ffe7b6"]


def test_a_pandera_check_of_rows_counts_rows_and_a_crash_is_no_failure() -> None:
    findings = {finding.metadata["check"]: finding for finding in read_sample(PANDERA_ROWS).findings}
    rows = findings["pandera:amount_over_id"]
    assert (rows.metadata["count"], rows.row_indices) == (1, [2])
    crash = findings["pandera:crashes"]
    assert (crash.ghost_type, crash.description) == (
        "check_error",
        'The check pandera:crashes could not run: KeyError("zzz").',
    )


def test_a_method_that_evidently_chose_by_the_values_is_no_part_of_a_check() -> None:
    runs = [read_sample(name, dataset="people") for name in DRIFT]
    checks = [
        {(check.column, repr(check.params)) for check in run.passed if "ValueDrift" in check.check}
        for run in runs
    ]
    assert {("age", "{}"), ("amount", "{}")} <= checks[0] & checks[1]


def test_values_of_failing_rows_are_evidence() -> None:
    def samples(name: str, column: str) -> list[FindingSamples]:
        run = read_sample(name)
        return [found for place, found in run.samples.items() if run.findings[int(place)].column == column]

    for name in (VALIDATION, PANDERA_CSV, PANDERA_JSON, FRICTIONLESS):
        rows = [row for each in samples(name, "age") for row in each.rows]
        assert {row.position: float(str(row.values["age"])) for row in rows} == {2: -4, 3: 212}, name
    (duplicates,) = samples(VALIDATION, "id")
    assert [(each.value, each.count) for each in duplicates.frequent] == [("3", 2)]
    ((row,),) = [each.rows for each in samples(PANDERA_ROWS, "*")]
    assert (row.position, row.values["country"], row.values["amount"]) == (2, "XX", "-5.0")


def test_values_of_failing_rows_are_not_in_findings() -> None:
    def texts() -> Iterator[str]:
        for name in (DBT, VALIDATION, CHECKPOINT, SODA, PANDERA_CSV, PANDERA_MESSAGE, FRICTIONLESS):
            yield repr(read_sample(name).findings)

    assert not any(value in text for text in texts() for value in ("not-an-email", "bad-date", "ann@"))


RESULTS = [path for path in sorted(SAMPLES.glob("*/*")) if "manifest" not in path.name]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_runs_stay_the_same_in_a_file(path: Path, tmp_path: Path) -> None:
    with path.open("rb") as stream:
        runs = read_runs([(stream, path.name)])
    write_run_file(tmp_path / "runs.json", runs)
    assert read_run_file(tmp_path / "runs.json") == runs
