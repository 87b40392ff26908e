from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lavendertown.cli.options import open_storage
from lavendertown.rules.models import Rule, RuleSet
from tests.cli.conftest import Run

Answer = Callable[..., Any]
RULES = """\
name: order rules
description: What an order is
rules:
- {name: small, rule_type: range, column: amount, parameters: {max_value: 11}}
- {name: known, rule_type: enum, column: country, parameters: {allowed_values: [NL, DE]}}
- {name: off, rule_type: not_null, column: amount, enabled: false}
"""


@pytest.fixture
def rules_file(folder: Path) -> str:
    (folder / "rules.yaml").write_text(RULES, "utf-8")
    return "rules.yaml"


def test_run_lists_the_results_and_exits_with_1_if_a_rule_fails(run: Run, rules_file: str) -> None:
    result = run("rules", "run", "orders.csv", "--rules", rules_file)
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        "failed   small: amount is above 11 in 1 of 4 rows (25%).",
        "passed   known",
        "disabled off",
        "3 rules on orders.csv (4 rows): 1 passed, 1 failed, 1 disabled.",
    ]


def test_run_exits_with_0_if_all_rules_pass(run: Run, folder: Path) -> None:
    (folder / "r.json").write_text('{"rules": [{"name": "a", "rule_type": "unique", "column": "id"}]}')
    result = run("rules", "run", "orders.csv", "--rules", "r.json", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ok"], answer["passed"], answer["ruleset"]) == (0, True, 1, "r")
    assert answer["rules"][0]["outcome"] == "passed"


def test_a_rule_that_cannot_run_is_no_success(run: Run, folder: Path) -> None:
    (folder / "r.yaml").write_text(
        "rules: [{name: a, rule_type: range, column: price, parameters: {min: 0}}]"
    )
    result = run("rules", "run", "orders.csv", "--rules", "r.yaml")
    assert result.exit_code == 1
    assert "not run  The check 'Rule a' could not run on price: there is no column 'price';" in result.stdout


def test_rules_of_a_table_without_rows_are_not_run(run: Run, folder: Path, rules_file: str) -> None:
    (folder / "empty.csv").write_text("id,amount,country\n")
    result = run("rules", "run", "empty.csv", "--rules", rules_file)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "not run  small: the table has no rows.")


def test_analyze_checks_rules_and_saves_them_with_the_report(
    run: Run, answer: Answer, rules_file: str
) -> None:
    arguments = ("analyze", "orders.csv", "--rules", rules_file)
    assert run(*arguments, "--fail-on", "error").exit_code == 1
    saved = answer(*arguments, "--save", "--author", "Ana")
    checks = [(found["metadata"]["check"], found["severity"]) for found in saved["findings"]]
    assert ("rule:range", "error") in checks
    ran = {entry["check"]: entry["outcome"] for entry in saved["coverage"]["ran"]}
    assert (ran["rule:range"], ran["rule:enum"]) == ("found", "passed")
    with open_storage() as storage:
        report = storage.load_report(saved["report_id"])
    assert [rule.name for rule in report.ruleset.rules] == ["small", "known", "off"]


def test_a_rule_set_is_stored_listed_shown_and_run_by_name(run: Run, answer: Answer, rules_file: str) -> None:
    stored = answer("rules", "import", rules_file, "--author", "Ana")
    assert (stored["name"], stored["format"], stored["rule_count"]) == ("order rules", "rules", 3)
    assert [row["name"] for row in answer("rules", "list")] == ["order rules"]
    assert [rule["name"] for rule in answer("rules", "show", "order rules")["rules"]] == [
        "small",
        "known",
        "off",
    ]
    assert run("rules", "run", "orders.csv", "--rules", "order rules").exit_code == 1
    assert run("analyze", "orders.csv", "--rules", "order rules", "--fail-on", "error").exit_code == 1


def test_a_stored_rule_set_is_replaced_only_if_asked(run: Run, answer: Answer, rules_file: str) -> None:
    answer("rules", "import", rules_file, "--author", "Ana")
    again = run("rules", "import", rules_file, "--author", "Ana")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "A rule set 'order rules' is stored already. Replace it with --replace" in again.stderr
    assert answer("rules", "import", rules_file, "--author", "Ana", "--replace")["rule_count"] == 3
    assert answer("rules", "import", rules_file, "--author", "Ana", "--name", "other")["name"] == "other"


def test_importing_needs_an_author(run: Run, rules_file: str) -> None:
    result = run("rules", "import", rules_file)
    assert (result.exit_code, "The author is missing." in result.stderr) == (2, True)


def test_history_with_an_unknown_type_is_kept_and_reported(run: Run, answer: Answer) -> None:
    with open_storage() as storage:
        storage.save_ruleset(RuleSet("old", "", [Rule("own", "", "fancy", "id", {"x": 1})]))
    assert answer("rules", "show", "old")["problems"] == [
        "Rule 'own' cannot run: its type 'fancy' is unknown; docs/rules.md lists the types."
    ]
    result = run("rules", "run", "orders.csv", "--rules", "old")
    assert (result.exit_code, result.stdout.splitlines()[-1][-12:]) == (1, ": 1 not run.")


def test_rules_of_version_07_run_after_their_migration(run: Run, folder: Path) -> None:
    old = Path(__file__).parents[1] / "schema" / "assets" / "071" / "folder"
    target = (
        "sqlite:///.lavendertown/lavendertown.db"
        if "LAVENDERTOWN_STORAGE_TYPE" in os.environ
        else ".lavendertown"
    )
    assert run("migrate", "--from", str(old), "--to", target).exit_code == 0
    (folder / "people.csv").write_text("age,email\n17,a\n18,b\n")
    result = run("rules", "run", "people.csv", "--rules", "customer rules")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "failed   age: age is outside 18 to 120 in 1 of 2 rows (50%).",
        "disabled off",
    ]


def test_an_unknown_name_lists_what_is_stored(run: Run, answer: Answer, rules_file: str) -> None:
    answer("rules", "import", rules_file, "--author", "Ana")
    result = run("rules", "show", "orders")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no rule file and no stored rule set 'orders'; stored are 'order rules'." in result.stderr


def test_what_is_not_translated_is_named(run: Run, folder: Path) -> None:
    (folder / "suite.json").write_text(
        '{"expectations": [{"type": "expect_column_mean_to_be_between", "kwargs": {"column": "a"}}]}'
    )
    result = run("rules", "import", "suite.json", "--output", "out.yaml")
    assert (result.exit_code, result.stdout) == (0, "Wrote 0 rules to out.yaml.\n")
    assert result.stderr.startswith("Not translated: expectation 1 on a: expect_column_mean_to_be_between")
    assert yaml.safe_load((folder / "out.yaml").read_text()) == {
        "name": "suite",
        "description": "",
        "rules": [],
    }


def test_export_writes_the_format_of_another_tool(
    run: Run, answer: Answer, folder: Path, rules_file: str
) -> None:
    printed = run("rules", "export", rules_file, "--format", "great-expectations")
    assert [each["type"] for each in json.loads(printed.stdout)["expectations"]] == [
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
    ]
    assert printed.stderr == "Not translated: Rule 'off' of type not_null: it is disabled.\n"
    asked = answer("rules", "export", rules_file, "--format", "odcs", "--output", "contract.yaml")
    assert (folder / "contract.yaml").read_text("utf-8") == asked["text"]
    assert len(asked["not_translated"]) == 1


def test_suggested_rules_are_a_rule_file_that_the_data_meets(run: Run, folder: Path) -> None:
    lines = [f"{n},{n * 1.5},{'NL' if n % 3 else 'DE'},AB-{n:04d},{n % 7 - 3 or ''}\n" for n in range(1, 61)]
    (folder / "orders_2026-11.csv").write_text("id,amount,country,code,change\n" + "".join(lines))
    printed = run("rules", "suggest", "orders_2026-11.csv")
    assert (printed.exit_code, printed.stderr) == (0, "")
    suggested = yaml.safe_load(printed.stdout)
    assert suggested["name"] == "orders"
    found = {(rule["column"], rule["rule_type"]): rule["parameters"] for rule in suggested["rules"]}
    assert found == {
        **{("id", "type"): {"type": "integer"}, ("id", "not_null"): {}, ("id", "unique"): {}},
        **{("amount", "type"): {"type": "number"}, ("amount", "not_null"): {}},
        **{("amount", "range"): {"min_value": 0}, ("country", "not_null"): {}},
        ("country", "enum"): {"allowed_values": ["DE", "NL"]},
        **{("code", "not_null"): {}, ("code", "unique"): {}},
        ("code", "regex"): {"pattern": "^[A-Z]{2}-[0-9]{4}$"},
        ("change", "type"): {"type": "integer"},
    }
    (folder / "r.yaml").write_text(printed.stdout)
    assert run("rules", "run", "orders_2026-11.csv", "--rules", "r.yaml").exit_code == 0
