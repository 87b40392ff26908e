"""Rules about several columns of a row, about whole tables, and about a second table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from lavendertown.inspector import Inspector
from lavendertown.rules.models import Rule
from tests.rules.conftest import make_rule

PAIRS = {"a": [1, 2, 3, None, 5], "b": [2, 2, 2, 2, None]}


@pytest.mark.parametrize(
    ("operation", "rows"),
    [
        ("equals", [0, 2]),
        ("not_equals", [1]),
        ("greater_than", [0, 1]),
        ("greater", [0, 1]),
        ("greater_or_equal", [0]),
        ("less_than", [1, 2]),
        ("less", [1, 2]),
        ("less_or_equal", [2]),
    ],
)
def test_two_columns_are_compared(run_rules, operation: str, rows: list[int]) -> None:
    rule = make_rule("cross_column", source_columns=["a", "b"], operation=operation)
    (finding,) = run_rules(PAIRS, rule)
    assert (finding.column, finding.row_indices) == ("a", rows)
    assert finding.metadata["columns"] == ["a", "b"]


def test_a_comparison_ignores_further_columns_as_version_07_did(run_rules) -> None:
    rule = make_rule("cross_column", source_columns=["a", "b", "gone"], operation="equals")
    assert [finding.row_indices for finding in run_rules(PAIRS, rule)] == [[0, 2]]


def test_a_comparison_may_have_a_tolerance(run_rules) -> None:
    columns = {"a": [1.0, 1.0, 1.0], "b": [1.05, 1.5, 0.96]}
    rule = make_rule("cross_column", source_columns=["a", "b"], operation="equals", tolerance=0.1)
    assert [finding.row_indices for finding in run_rules(columns, rule)] == [[1]]
    rule.parameters["operation"] = "not_equals"
    assert [finding.row_indices for finding in run_rules(columns, rule)] == [[0, 2]]


def test_a_sum_differs_from_its_total_but_not_by_the_rounding_of_floats(run_rules) -> None:
    columns = {"net": [0.1, 1.0, 1.0, None], "tax": [0.2, 2.0, 2.0, 1.0], "total": [0.3, 3.0, 4.0, 1.0]}
    parameters = {"source_columns": ["net", "tax"], "operation": "sum_equals", "target_column": "total"}
    (finding,) = run_rules(columns, Rule("sum", "", "cross_column", None, parameters))
    assert (finding.column, finding.row_indices) == ("total", [2])
    assert finding.description == "sum: net + tax is not total in 1 of 4 rows (25%)."
    assert run_rules(columns, Rule("sum", "", "cross_column", None, {**parameters, "tolerance": 1})) == []


@pytest.mark.parametrize("if_value", ["1", 1])
def test_a_condition_on_one_column_demands_a_value_in_another(run_rules, if_value: Any) -> None:
    condition = {"if_column": "n", "if_value": if_value, "then_column": "s", "then_value": "x"}
    rule = make_rule("cross_column", source_columns=["n", "s"], operation="conditional", condition=condition)
    (finding,) = run_rules({"n": [1, 1, 2, None], "s": ["x", "y", "y", "y"]}, rule)
    assert (finding.column, finding.row_indices) == ("s", [1])


def test_values_that_another_column_never_has_fail(run_rules) -> None:
    columns = {"boss": ["1", "9", None], "id": ["1", "2", "3"]}
    rule = make_rule("cross_column", source_columns=["boss"], operation="referential", target_column="id")
    (finding,) = run_rules(columns, rule)
    assert (finding.column, finding.row_indices, finding.metadata["samples"]) == ("boss", [1], ["9"])


def test_rows_that_repeat_an_earlier_key_fail(run_rules) -> None:
    columns = {"a": [1, 1, 1, None, None], "b": ["x", "x", "y", "x", "x"]}
    (single,) = run_rules(columns, make_rule("unique", "a"))
    assert (single.column, single.row_indices) == ("a", [1, 2])
    (pair,) = run_rules(columns, make_rule("unique", columns=["a", "b"]))
    assert (pair.column, pair.row_indices) == ("*", [1])
    assert pair.description == "unique: a, b repeat an earlier row in 1 of 5 rows (20%)."


def test_the_number_of_rows_has_bounds(run_rules) -> None:
    (few,) = run_rules({"a": [1, 2]}, make_rule("row_count", min_rows=3))
    assert (few.column, few.description) == ("*", "row_count: the table has 2 rows, fewer than 3.")
    assert [each.metadata["count"] for each in run_rules({"a": [1, 2]}, make_rule("row_count", max=1))] == [0]
    assert run_rules({"a": [1, 2]}, make_rule("row_count", min_rows=2, max_rows=2)) == []


def test_an_empty_table_has_too_few_rows() -> None:
    frame = pl.DataFrame({"a": []}, {"a": pl.Int64})
    inspector = Inspector(
        frame, detectors=[], rules=[make_rule("row_count", min_rows=1), make_rule("not_null", "a")]
    )
    assert [finding.metadata["check"] for finding in inspector.detect()] == ["rule:row_count"]
    assert [check.check for check in inspector.checks] == ["rule:row_count"], (
        "not_null says nothing of no rows"
    )


@pytest.mark.parametrize(
    ("max_age", "as_of", "fresh"),
    [
        ("2 days", "2026-11-12T00:00:00Z", True),
        ("2d", "2026-11-12T00:00:01Z", False),
        ("48 hours", "2026-11-12", True),
        ("30 min", "2026-11-10T00:30:00Z", True),
        ("30m", "2026-11-10T00:31:00Z", False),
    ],
)
def test_the_newest_time_has_an_age(run_rules, max_age: str, as_of: str, fresh: bool) -> None:
    # The time of 2027 is in the future, and says nothing of how fresh the data are.
    times = [dt.datetime(2026, 11, 1), dt.datetime(2026, 11, 10), dt.datetime(2027, 1, 1), None]
    findings = run_rules({"at": times}, make_rule("freshness", "at", max_age=max_age, as_of=as_of))
    assert [finding.column for finding in findings] == ([] if fresh else ["at"])


def test_a_day_is_as_old_as_its_end(run_rules) -> None:
    days = {"day": [dt.date(2026, 11, 9), dt.date(2026, 11, 10)]}
    assert run_rules(days, make_rule("freshness", "day", max_age="12h", as_of="2026-11-11T12:00:00Z")) == []
    (old,) = run_rules(days, make_rule("freshness", "day", max_age="12h", as_of="2026-11-11T13:00:00Z"))
    assert old.description == (
        "freshness: the newest day is 2026-11-10, 13.0 hours old; up to 12h is accepted."
    )


def test_values_that_a_second_table_does_not_have_fail(run_rules) -> None:
    customers = pd.DataFrame({"number": [1, 2], "name": ["a", "b"]})
    rule = make_rule("reference", "customer", table="customers", reference_column="number")
    (finding,) = run_rules({"customer": [1, 3, None]}, rule, customers=customers)
    assert (finding.row_indices, finding.metadata["samples"]) == ([1], [3])
    assert finding.description == (
        "reference: customer is not in number of customers in 1 of 3 rows (33.3%)."
    )


def test_numbers_and_texts_of_two_tables_are_compared_as_text(run_rules) -> None:
    codes = pl.DataFrame({"code": ["1", "2", "x"]})
    (finding,) = run_rules({"code": [1, 3]}, make_rule("reference", "code", table="codes"), codes=codes)
    assert finding.row_indices == [1]


def test_a_second_table_is_a_file_beside_the_rule_file(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "countries.csv").write_text("code\nNL\nDE\n")
    (tmp_path / "rules" / "r.yaml").write_text(
        "rules: [{name: known, rule_type: reference, column: country,"
        " parameters: {table: countries.csv, reference_column: code}}]"
    )
    frame = pl.DataFrame({"country": ["NL", "XX"]})
    (finding,) = Inspector(frame, detectors=[], rules=tmp_path / "rules" / "r.yaml").detect()
    assert finding.row_indices == [1]
