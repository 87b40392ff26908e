"""Rules about the values of one column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lavendertown.rules.models import Rule
from tests.rules.conftest import make_rule

AMOUNTS = {"amount": [-1.0, 0.0, 5.0, 10.0, 11.0, None]}
DAYS = {"day": [dt.date(2026, 11, 1), dt.date(2026, 11, 20), None]}


@pytest.mark.parametrize(
    ("parameters", "rows", "what"),
    [
        ({"min_value": 0, "max_value": 10}, [0, 4], "is outside 0 to 10"),
        ({"min": 0, "max": 10}, [0, 4], "is outside 0 to 10"),
        ({"min_value": 0}, [0], "is below 0"),
        ({"max_value": 10}, [4], "is above 10"),
        ({"min_value": 0, "exclusive_min": True}, [0, 1], "is not above 0"),
        ({"max_value": 10, "exclusive_max": True}, [3, 4], "is not below 10"),
        ({"min_value": "0", "max_value": 10.0, "exclusive_max": True}, [0, 3, 4], "is outside 0 to 10"),
    ],
)
def test_numbers_outside_a_range_fail(run_rules, parameters: dict, rows: list[int], what: str) -> None:
    (finding,) = run_rules(AMOUNTS, make_rule("range", "amount", **parameters))
    assert (finding.ghost_type, finding.column, finding.severity) == ("rule", "amount", "error")
    assert finding.row_indices == rows
    assert finding.description.startswith(f"range: amount {what}")
    assert finding.metadata["count"] == len(rows)


@pytest.mark.parametrize("column", [[1, 5, 9], [1.0, 5.0, None], [None, None, None]])
def test_values_in_the_range_and_missing_ones_pass(run_rules, column: list[Any]) -> None:
    assert run_rules({"a": column}, Rule("r", "", "range", "a", {"min_value": 1, "max_value": 9})) == []


def test_dates_are_compared_with_dates_as_text(run_rules) -> None:
    (finding,) = run_rules(DAYS, make_rule("range", "day", min_value="2026-11-02"))
    assert finding.row_indices == [0]
    assert finding.description == "range: day is below 2026-11-02 in 1 of 3 rows (33.3%)."


def test_bounds_may_be_python_dates(run_rules) -> None:
    (finding,) = run_rules(DAYS, make_rule("range", "day", max_value=dt.date(2026, 11, 2)))
    assert finding.row_indices == [1]
    assert finding.metadata["params"] == {"name": "range", "max_value": "2026-11-02"}


def test_times_with_a_zone_are_compared_in_utc(run_rules) -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    times = [dt.datetime(2026, 11, 1, 1, tzinfo=zone), dt.datetime(2026, 11, 1, 3, tzinfo=zone)]
    (finding,) = run_rules({"at": times}, make_rule("range", "at", min_value="2026-11-01T00:00:00"))
    assert finding.row_indices == [0]


def test_numbers_in_a_text_column_are_compared_as_numbers(run_rules) -> None:
    (finding,) = run_rules({"a": ["9", "10", "x", None]}, make_rule("range", "a", max_value=9))
    assert finding.row_indices == [1, 2]


def test_a_cell_that_is_no_number_is_outside_every_range_but_a_placeholder_is_missing(run_on_csv) -> None:
    cells = [*map(str, range(20)), "abc", "n/a"]
    (finding,) = run_on_csv("a\n" + "\n".join(cells), make_rule("range", "a", min_value=0))
    assert (finding.row_indices, finding.metadata["samples"]) == ([20], ["abc"])


def test_values_outside_the_list_fail(run_rules) -> None:
    (finding,) = run_rules(
        {"s": ["new", "paid", "New", None]}, make_rule("enum", "s", allowed_values=["new", "paid"])
    )
    assert (finding.row_indices, finding.metadata["samples"]) == ([2], ["New"])
    assert finding.description == "enum: s is not 'new' or 'paid' in 1 of 4 rows (25%)."


@pytest.mark.parametrize("allowed", [["1", "2"], [1, 2], [1.0, "2", "x"]])
def test_numbers_are_allowed_by_value_however_they_are_written(run_rules, allowed: list[Any]) -> None:
    (finding,) = run_rules({"n": [1, 2, 3]}, make_rule("enum", "n", allowed_values=allowed))
    assert finding.row_indices == [2]


def test_a_text_among_numbers_may_be_allowed(run_on_csv) -> None:
    cells = "\n".join(["1"] * 20 + ["other", "odd"])
    (finding,) = run_on_csv(f"n\n{cells}\n", make_rule("enum", "n", allowed_values=[1, "other"]))
    assert finding.metadata["samples"] == ["odd"]


def test_booleans_are_allowed_by_value(run_rules) -> None:
    (finding,) = run_rules({"b": [True, False, None]}, make_rule("enum", "b", allowed_values=[True]))
    assert finding.row_indices == [1]


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"pattern": r"\d{3}"}, [1]),
        ({"pattern": r"\d{3}", "match": "full"}, [1, 2]),
        ({"pattern": r"\d{3}", "match": "anywhere"}, []),
        ({"pattern": r"(?i)X|1"}, [2]),
        ({"pattern": r"(?!1)\d"}, [0, 1]),  # look-ahead runs in Python
        ({"pattern": r"(?i)(?!Z)[^X]"}, [1]),
        ({"pattern": r"(\d)\1{2}", "match": "full"}, [0, 1, 2]),
        ({"pattern": r"(?=\d{3})\d+x", "match": "full"}, [0, 1]),
    ],
)
def test_texts_that_do_not_match_fail(run_rules, parameters: dict, rows: list[int]) -> None:
    findings = run_rules({"code": ["123", "x123", "456x", None]}, make_rule("regex", "code", **parameters))
    assert [row for finding in findings for row in finding.row_indices] == rows


def test_a_pattern_is_compared_with_cells_as_written(run_on_csv) -> None:
    text = "zip,day,price\n00123,2026-11-01,$1\n12345,2026-11-02,$2\n"
    patterns = {"zip": r"^\d{5}$", "day": r"^\d{4}-\d{2}-\d{2}$", "price": r"^\$\d$"}
    assert (
        run_on_csv(text, *(make_rule("regex", name, pattern=each) for name, each in patterns.items())) == []
    )


def test_texts_of_another_length_fail(run_rules) -> None:
    (finding,) = run_rules({"a": ["ü", "üü", "üüü", None]}, make_rule("length", "a", min=2, max_length=2))
    assert finding.row_indices == [0, 2]
    assert finding.description.startswith("length: a does not have 2 characters")


def test_missing_values_fail_not_null(run_rules) -> None:
    (finding,) = run_rules({"a": ["x", None, "n/a"]}, make_rule("not_null", "a"))
    assert (finding.row_indices, finding.description) == ([1], "not_null: a is empty in 1 of 3 rows (33.3%).")


def test_placeholders_fail_not_null_if_the_rule_says_so(run_rules) -> None:
    (finding,) = run_rules({"a": ["x", None, "n/a"]}, make_rule("not_null", "a", placeholders=True))
    assert finding.row_indices == [1, 2]


@pytest.mark.parametrize(
    ("wanted", "column", "rows"),
    [
        ("number", ["1", "2.5", "x", None], [2]),
        ("integer", ["1", "2.5", "-3", None], [1]),
        ("integer", [1.0, 2.5, None], [1]),
        ("integer", [1, 2], []),
        ("date", ["2026-11-01", "x"], [1]),
        ("date", [dt.date(2026, 11, 1), None], []),
        ("boolean", ["yes", "no", "maybe"], [2]),
        ("boolean", [0, 1, 2], [2]),
        ("boolean", [True, None], []),
        ("text", ["a", "1"], []),
        ("string", [1, 2], [0, 1]),
        ("number", [dt.date(2026, 11, 1), None], [0]),
    ],
)
def test_values_of_another_type_fail(run_rules, wanted: str, column: list[Any], rows: list[int]) -> None:
    findings = run_rules({"a": column}, make_rule("type", "a", type=wanted))
    assert [row for finding in findings for row in finding.row_indices] == rows


def test_numbers_in_a_csv_file_may_be_text(run_on_csv) -> None:
    assert (
        run_on_csv("a,b\n1,2026-11-01\n2,2026-11-02\n", *(make_rule("type", c, type="text") for c in "ab"))
        == []
    )


def test_dates_are_allowed_by_value(run_rules) -> None:
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2), None]
    found = run_rules({"day": days}, make_rule("enum", "day", allowed_values=["2024-01-01", "2024-03-01"]))
    assert [each.row_indices for each in found] == [[1]]
