"""What a person says is expected, as a check configuration."""

from __future__ import annotations

import pandas as pd
import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.inspector import Inspector
from lavendertown.rules.check_configuration import CheckConfiguration, known_checks
from lavendertown.rules.expectations import (
    Expectation,
    ExpectationKind,
    add_expectation,
    list_changes,
    possible_kinds,
    read_value,
)
from lavendertown.rules.suggestions import describe_shapes
from tests.rules.test_tuned_checks import COLUMNS

KIND = ExpectationKind


@pytest.mark.parametrize(
    ("expected", "check"),
    [
        (Expectation(KIND.OPTIONAL, "note"), "nulls"),
        (Expectation(KIND.ALLOWED, "age", values=(-1,)), "placeholders"),
        (Expectation(KIND.ALLOWED, "team", values=("Suport",)), "category_variants"),
        (Expectation(KIND.RANGE, "amount", low=0, high=9999), "outliers"),
        (Expectation(KIND.ALLOWED, "amount", values=(9999,)), "outliers"),
        (Expectation(KIND.PATTERN, "sku", pattern="[A-Z]{2}-[0-9]{4}|zz9"), "shapes"),
        (Expectation(KIND.NO_CHECK, "sku", "shapes"), "shapes"),
    ],
)
def test_the_next_run_does_not_report_what_is_expected(expected: Expectation, check: str) -> None:
    frame = pd.DataFrame(COLUMNS)
    before = {finding.metadata["check"] for finding in Inspector(frame).detect()}
    finding = next(each for each in Inspector(frame).detect() if each.metadata["check"] == check)
    assert expected.kind in possible_kinds(check, finding.metadata["params"], finding.column)
    configuration = add_expectation(CheckConfiguration(), expected)
    after = {finding.metadata["check"] for finding in Inspector(frame, checks=configuration).detect()}
    assert after == before - {check}


def test_every_check_of_ours_can_be_expected_and_no_other() -> None:
    assert [check for check in known_checks() if not possible_kinds(check, {}, "a")] == []
    assert possible_kinds("rule:enum", {"name": "mine"}, "a") == ()
    assert possible_kinds("expect_column_values_to_be_unique", {}, "a") == ()
    assert possible_kinds("rule:range", {"name": "mine"}, "a") == ()
    assert possible_kinds("rule:range", {"name": "Expected range of a"}, "a")[0] is KIND.RANGE


def test_whole_rows_switch_off_the_check_of_the_dataset() -> None:
    configuration = add_expectation(CheckConfiguration(), Expectation(KIND.NO_CHECK, "*", "duplicates"))
    assert configuration.to_dict() == {"checks": {"duplicates": False}}


def test_repeated_values_of_a_key_are_expected() -> None:
    frame = pd.DataFrame({"order_id": [1, 1, *range(3, 201)], "x": range(200)})
    (finding,) = Inspector(frame).detect()
    assert finding.metadata["check"] == "keys"
    (kind,) = possible_kinds("keys", {}, finding.column)
    configuration = add_expectation(CheckConfiguration(), Expectation(kind, finding.column))
    assert Inspector(frame, checks=configuration).detect() == []


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (Expectation(KIND.ALLOWED, "a"), "Choose or type at least one value."),
        (Expectation(KIND.RANGE, "a"), "Enter the lowest value, the highest value or both."),
        (
            Expectation(KIND.RANGE, "a", low=2, high=1),
            "Cannot save, column a: 'range' has a min above its max: 2 and 1.",
        ),
        (Expectation(KIND.PATTERN, "a"), "Enter a regular expression."),
        (
            Expectation(KIND.PATTERN, "a", pattern="("),
            "Cannot save, column a: the pattern '(' is not a regular",
        ),
    ],
)
def test_an_incomplete_expectation_is_refused(expected: Expectation, message: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        add_expectation(CheckConfiguration(), expected)
    assert message in str(refused.value)


def test_typed_values_are_numbers_in_columns_of_numbers() -> None:
    typed = ["-1", "1.5", "1,5", "n/a", "nan"]
    assert [read_value(text, "number") for text in typed] == [-1, 1.5, "1,5", "n/a", "nan"]
    assert read_value("-1", "text") == "-1"


def test_a_pattern_is_suggested_from_few_forms() -> None:
    assert describe_shapes(["AB-1234", "XY-0001", "zz9"]) == "[A-Z]{2}-[0-9]{4}|[a-z]{2}[0-9]"
    assert describe_shapes(["a", "ab", "abc", "abcd", "abcde"]) == ""


def test_changes_are_listed_as_phrases() -> None:
    before = CheckConfiguration.from_dict(
        {
            "checks": {"outliers": {"k": 4}},
            "columns": {"age": {"allowed": [-1], "range": {"min": 0, "max": 120}}},
            "rules": [{"name": "a", "rule_type": "not_null", "column": "x"}],
            "rule_sets": ["shop"],
        }
    )
    after = CheckConfiguration.from_dict(
        {
            "checks": {"nulls": False},
            "columns": {"age": {"range": {"min": 1}, "unique": True}, "note": {"optional": True}},
            "rules": [{"name": "a", "rule_type": "not_null", "column": "x", "enabled": False}],
        }
    )
    assert list_changes(before, after) == [
        "outliers: k as by default",
        "nulls: switched off",
        "age: no longer allowed '-1'",
        "age: expected range 1 or more",
        "age: values are unique",
        "note: empty values are expected",
        "rule a switched off",
        "rule set shop taken off",
    ]
    assert list_changes(after, after) == []
