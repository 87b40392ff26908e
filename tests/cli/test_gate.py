"""``--fail-on`` of ``analyze`` and ``import``: exit codes and summaries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Run

Answer = Callable[..., Any]
MORE = "id,amount,country\n1,10.5,NL\n2,,NL\n3,,\n4,11.0,DE\n,7.0,DE\n"
FRICTIONLESS = {"valid": False, "tasks": []}


def analyze(run: Run, *options: str, file: str = "orders.csv") -> Any:
    return run("analyze", file, "--dataset", "orders", *options)


def test_only_what_was_named_fails(run: Run, saved: dict[str, Any], folder: Path) -> None:
    assert analyze(run, "--fail-on", "new", "--fail-on", "worse").exit_code == 0
    (folder / "orders.csv").write_text(MORE, "utf-8")
    assert analyze(run, "--fail-on", "error").exit_code == 0
    result = analyze(run, "--fail-on", "new")
    assert result.exit_code == 1
    assert f"failed: 1 finding (fails on new, compared with report {saved['report_id']})" in result.stderr
    assert "[new] id is empty in 1 of 5 rows (20%). It is not in the baseline." in result.stderr
    assert analyze(run, "--fail-on", "worse").exit_code == 1


def test_a_decision_of_the_team_is_honoured(run: Run, saved: dict[str, Any]) -> None:
    assert analyze(run, "--fail-on", "any").exit_code == 1
    for finding in saved["findings"]:
        name = finding["finding_id"]
        asked = ("annotate", name, "--status", "false_positive", "--comment", "No.", "--author", "Ana")
        assert run(*asked).exit_code == 0
    result = analyze(run, "--fail-on", "any")
    assert (result.exit_code, "should fail nothing" in result.stderr) == (0, True)


def test_saving_compares_with_the_run_before(run: Run, saved: dict[str, Any], folder: Path) -> None:
    (folder / "orders.csv").write_text(MORE, "utf-8")
    options = ("--save", "--author", "Ana", "--fail-on", "new", "--json")
    result = analyze(run, *options)
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["failed"], answer["gate"]["baseline"]) == (1, True, saved["report_id"])
    assert [each["column"] for each in answer["gate"]["failures"]] == ["id"]
    assert analyze(run, *options).exit_code == 0


def test_the_first_text_in_a_column_of_numbers_is_new_and_passes_when_it_is_gone(
    run: Run, folder: Path
) -> None:
    save = ("--save", "--author", "Ana", "--fail-on", "new")
    clean, dirty = "id,amount\n1,2\n2,3\n3,4\n4,5\n", "id,amount\n1,2\n2,3\n3,4\n4,n.a.5\n"
    codes = []
    for content in (clean, dirty, clean):
        (folder / "orders.csv").write_text(content, "utf-8")
        codes.append(analyze(run, *save).exit_code)
    assert codes == [0, 1, 0]
    (found,) = json.loads(run("findings", "inbox", "--json").stdout)
    assert (found["ghost_type"], found["seen"]) == ("type", "passing")


@pytest.mark.parametrize("name", ["gate.md", "gate.xml", "gate.txt"])
def test_the_summary_says_why(run: Run, saved: dict[str, Any], folder: Path, name: str) -> None:
    (folder / "orders.csv").write_text(MORE, "utf-8")
    assert analyze(run, "--fail-on", "new", "--summary", name).exit_code == 1
    text = (folder / name).read_text("utf-8")
    assert "It is not in the baseline." in text
    if name == "gate.xml":
        [suite] = ElementTree.fromstring(text)
        assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    if name == "gate.md":
        assert (
            r"| new | warning | id | id is empty in 1 of 5 rows \(20%\). | It is not in the baseline. |"
            in text
        )


def test_the_summary_names_no_column_of_whole_rows(run: Run, folder: Path) -> None:
    (folder / "orders.csv").write_text("id,amount\n1,2\n1,2\n2,3\n3,4\n", "utf-8")
    assert analyze(run, "--fail-on", "any", "--summary", "gate.md").exit_code == 1
    assert "| whole row | 1 of 4 rows " in (folder / "gate.md").read_text("utf-8")


def test_without_a_readable_storage_triage_is_not_applied(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    result = run("analyze", "orders.csv", "--fail-on", "info")
    assert result.exit_code == 1
    assert "Statuses and snoozes are not applied" in result.stderr
    assert run("analyze", "orders.csv", "--fail-on", "error").exit_code == 0
    result = run("analyze", "orders.csv", "--fail-on", "new")
    assert result.exit_code == 2
    assert "there is no baseline for --fail-on new" in result.stderr


def test_an_import_without_a_readable_storage_is_judged_by_severity(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    cases = '<testcase name="a"/><testcase name="b"><failure message="3 rows"/></testcase>'
    (folder / "checks.xml").write_text(f'<testsuite name="orders">{cases}</testsuite>', "utf-8")
    gate = ("import", "checks.xml", "--fail-on", "error")
    result = run(*gate, "--dry-run", "--json", "--summary", "gate.md")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["findings"], answer["passed"], answer["new"], answer["saved"]) == (1, 1, None, False)
    assert answer["gate"][0]["passed"] is False
    assert "Statuses and snoozes are not applied" in (folder / "gate.md").read_text("utf-8")
    result = run(*gate, "--dry-run")
    assert result.exit_code == 1
    assert result.stdout == "Nothing was saved, and nothing was compared with earlier runs.\n"
    assert "Statuses and snoozes are not applied" in result.stderr
    assert run("import", "checks.xml", "--fail-on", "new", "--dry-run").exit_code == 2
    # Nothing can be saved, so the command does not succeed, but the summary is written.
    (folder / "gate.md").unlink()
    result = run(*gate, "--summary", "gate.md")
    assert result.exit_code == 2
    assert "orders: failed: 1 finding" in result.stderr
    assert "Statuses and snoozes are not applied" in (folder / "gate.md").read_text("utf-8")


@pytest.mark.parametrize("option", [("--summary", "gate.md"), ("--baseline", "r-1")])
def test_an_option_without_fail_on_is_refused(run: Run, folder: Path, option: tuple[str, str]) -> None:
    result = run("analyze", "orders.csv", *option)
    assert result.exit_code == 2
    assert f"{option[0]} requires --fail-on, which says what fails." in result.stderr
    assert not (folder / "gate.md").exists()


def test_judging_writes_nothing(run: Run, folder: Path) -> None:
    run("analyze", "orders.csv", "--fail-on", "any")
    assert [path.name for path in folder.iterdir() if path.name != ".lavendertown"] == ["orders.csv"]
    assert run("report", "list").stdout.strip() == "No matching reports."


def test_results_of_other_tools_are_judged_too(run: Run, folder: Path) -> None:
    for day, failures in ((1, 3), (2, 3), (3, 4)):
        results = {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
                "invocation_id": f"run-{day}",
                "generated_at": f"2026-11-0{day}T00:00:00Z",
            },
            "results": [
                {
                    "unique_id": f"test.shop.not_null_orders_c{number}.{number:010x}",
                    "status": "fail" if number < failures else "pass",
                    "failures": 1 if number < failures else 0,
                    "message": "Got 1 result",
                }
                for number in range(5)
            ],
        }
        (folder / "run_results.json").write_text(json.dumps(results), "utf-8")
        result = run("import", "run_results.json", "--dataset", "shop", "--fail-on", "new", "--author", "Ana")
        assert result.exit_code == (1 if day == 3 else 0), result.output
    assert "failed: 1 finding" in result.stderr


def test_imported_results_of_small_tables_are_judged_by_count(run: Run, folder: Path) -> None:
    codes = []
    for hour, (failing, rows) in enumerate([(1, 10), (1, 8), (2, 10)]):
        result = {
            "element_count": rows,
            "unexpected_count": failing,
            "unexpected_percent": 100 * failing / rows,
        }
        config = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "meta": {}}
        suite = {
            "success": False,
            "results": [{"success": False, "expectation_config": config, "result": result}],
            "meta": {
                "great_expectations_version": "1.24.1",
                "run_id": {"run_time": f"2026-11-01T0{hour}:00:00Z"},
            },
        }
        (folder / "gx.json").write_text(json.dumps(suite), "utf-8")
        asked = ("import", "gx.json", "--dataset", "shop", "--fail-on", "worse", "--author", "Ana", "--json")
        result = run(*asked)
        codes.append(result.exit_code)
        (gate,) = json.loads(result.stdout)["gate"]
        assert gate["dataset"] == "shop"
    assert codes == [0, 0, 1]
