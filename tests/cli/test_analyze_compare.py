"""``lavendertown analyze --compare-to``: another file, or the last report of the dataset."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lavendertown.cli.options import open_storage
from lavendertown.collaboration.models import ShareableReport
from lavendertown.core import clock
from tests.cli.conftest import Run
from tests.drift.conftest import make_orders

Answer = Callable[..., Any]
SAVE = ("--save", "--author", "Ana")


@pytest.fixture
def deliveries(folder: Path) -> Path:
    """A folder with the orders of May, and those of June, which cost eight times as much."""
    may, june = make_orders(1, 600).drop("placed"), make_orders(2, 600).drop("placed")
    may.write_csv(folder / "orders_2026-05.csv")
    june.with_columns(amount=june["amount"] * 8).write_csv(folder / "orders_2026-06.csv")
    return folder


def drift_in(found: dict[str, Any]) -> list[str]:
    return [each["metadata"]["check"] for each in found["findings"] if each["ghost_type"] == "drift"]


def test_another_file(answer: Answer, deliveries: Path) -> None:
    found = answer("analyze", "orders_2026-06.csv", "--compare-to", "orders_2026-05.csv")
    assert drift_in(found) == ["drift_distribution"]
    assert found["coverage"]["compared_to"] == {"name": "orders_2026-05.csv", "rows": 600}


def test_the_last_report(answer: Answer, deliveries: Path) -> None:
    saved = answer("analyze", "orders_2026-05.csv", *SAVE)
    found = answer("analyze", "orders_2026-06.csv", "--compare-to", "latest", *SAVE)
    assert drift_in(found) == ["drift_distribution"]
    compared = found["coverage"]["compared_to"]
    assert (compared["report"], compared["rows"]) == (saved["report_id"], 600)
    # The next delivery is like this one.
    again = answer("analyze", "orders_2026-06.csv", "--compare-to", "latest")
    assert drift_in(again) == []
    assert ("drift_distribution", "passed") in {
        (each["check"], each["outcome"]) for each in again["coverage"]["ran"]
    }


def test_a_stored_finding_keeps_its_id_and_its_picture(answer: Answer, deliveries: Path) -> None:
    answer("analyze", "orders_2026-05.csv", *SAVE)
    found = answer("analyze", "orders_2026-06.csv", "--compare-to", "latest", *SAVE)
    (drifted,) = [each for each in found["findings"] if each["ghost_type"] == "drift"]
    with open_storage() as storage:
        (stored,) = storage.findings.query(dataset="orders", ghost_type="drift")
    assert stored["finding_id"] == drifted["finding_id"]


def test_imported_results_in_between_are_passed_over(answer: Answer, deliveries: Path) -> None:
    saved = answer("analyze", "orders_2026-05.csv", *SAVE)
    with open_storage() as storage:
        imported = ShareableReport("r-imported", "dbt", "Ana", clock.now(), metadata={"dataset": "orders"})
        storage.save_report(imported)
    found = answer("analyze", "orders_2026-06.csv", "--compare-to", "latest")
    assert found["coverage"]["compared_to"]["report"] == saved["report_id"]


def test_without_an_earlier_report_nothing_is_compared(run: Run, deliveries: Path) -> None:
    result = run("analyze", "orders_2026-06.csv", "--compare-to", "latest", "--json")
    reason = "Dataset orders has no earlier report with column profiles to compare with."
    assert (result.exit_code, result.stderr.strip()) == (0, reason)
    found = json.loads(result.stdout)
    assert found["coverage"]["not_run"] == [{"check": "drift", "reason": reason}]
    assert drift_in(found) == []


def test_the_other_file_is_read_with_the_same_options(answer: Answer, deliveries: Path) -> None:
    for month in ("05", "06"):
        text = (deliveries / f"orders_2026-{month}.csv").read_text("utf-8")
        (deliveries / f"{month}.csv").write_text(text.replace(",", "|"), "utf-8")
    found = answer("analyze", "06.csv", "--compare-to", "05.csv", "--delimiter", "|")
    assert drift_in(found) == ["drift_distribution"]


def test_a_table_of_a_database(answer: Answer, deliveries: Path) -> None:
    for month in ("may", "june"):
        with closing(sqlite3.connect(deliveries / f"{month}.db")) as connection, connection:
            connection.execute("create table orders (amount real)")
            values = [(float(n % 40 * (1 if month == "may" else 9)),) for n in range(400)]
            connection.executemany("insert into orders values (?)", values)
            connection.execute("create table others (x text)")
    found = answer("analyze", "june.db", "--table", "orders", "--compare-to", "may.db")
    assert drift_in(found) == ["drift_distribution"]
    found = answer("analyze", "june.db::orders", "--compare-to", "may.db::orders")
    assert drift_in(found) == ["drift_distribution"]


def test_a_missing_file_is_one_sentence(run: Run, deliveries: Path) -> None:
    result = run("analyze", "orders_2026-06.csv", "--compare-to", "april.csv")
    assert result.exit_code == 2
    assert "april.csv" in result.stderr
    result = run("analyze", "orders_2026-06.csv", "--compare-to", "-")
    assert result.exit_code == 2
    assert "Standard input cannot be compared with" in result.stderr


def test_compare_prints_only_what_has_changed(run: Run, answer: Answer, deliveries: Path) -> None:
    files = ("orders_2026-05.csv", "orders_2026-06.csv")
    result = run("compare", *files)
    assert (result.exit_code, result.stderr) == (0, "")
    first, last = result.stdout.splitlines()
    assert first.startswith("error    amount: the median is ")
    assert last == "1 change from orders_2026-05.csv to orders_2026-06.csv."
    found = answer("compare", *files)
    assert [each["column"] for each in found["findings"]] == ["amount"]
    assert answer("compare", *files, "--comparison-type", "schema_only")["findings"] == []
    assert run("compare", *files, "--fail-on", "error").exit_code == 1
    assert run("compare", files[0], files[0], "--fail-on", "info").exit_code == 0
    assert "BASELINE cannot be standard input" in run("compare", "-", files[0]).stderr


def test_drift_can_fail_the_gate(run: Run, deliveries: Path) -> None:
    drifted = ("analyze", "orders_2026-06.csv", "--compare-to", "orders_2026-05.csv", "--fail-on", "error")
    assert run(*drifted).exit_code == 1
    assert (
        run(
            "analyze", "orders_2026-05.csv", "--compare-to", "orders_2026-05.csv", "--fail-on", "error"
        ).exit_code
        == 0
    )
