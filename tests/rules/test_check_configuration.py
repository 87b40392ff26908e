"""The format of a check configuration: what it accepts, what it refuses, and how two of them combine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import (
    CheckConfiguration,
    CheckSettings,
    ColumnSettings,
    read_check_configuration,
)

FILE = """
checks:
  near_duplicates: off
  outliers: {k: 4, severity: info}
columns:
  discount: {optional: true}
  age: {allowed: [-1, n/a], range: {min: 0, max: 120}}
  "*_note": {checks: {shapes: false}}
rules:
- {name: order is the key, rule_type: unique, column: order}
rule_sets: [shop]
"""


def test_a_file_and_its_values_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "checks.yaml").write_text(FILE, "utf-8")
    read = read_check_configuration(tmp_path / "checks.yaml")
    assert read.checks == {
        "near_duplicates": CheckSettings(False),
        "outliers": CheckSettings(None, {"k": 4, "severity": "info"}),
    }
    assert read.columns["age"] == ColumnSettings(allowed=(-1, "n/a"), low=0, high=120)
    assert [rule.name for rule in read.rules] == ["order is the key"]
    assert read.rule_sets == ("shop",)
    assert CheckConfiguration.from_dict(read.to_dict()) == read
    assert read.to_dict()["checks"]["near_duplicates"] is False


def test_a_rule_file_is_a_check_configuration(tmp_path: Path) -> None:
    rules = "name: orders\nrules:\n- {name: a, rule_type: not_null, column: b}\n"
    (tmp_path / "rules.yaml").write_text(rules, "utf-8")
    assert [rule.name for rule in read_check_configuration(tmp_path / "rules.yaml").rules] == ["a"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"check": {}}, "the key 'check' is unknown; did you mean 'checks'?"),
        ({"checks": {"outlier": False}}, "the check 'outlier' is unknown; did you mean 'outliers'?"),
        (
            {"checks": {"outliers": {"kk": 1}}},
            "check outliers: the parameter 'kk' is unknown; did you mean 'k'?",
        ),
        (
            {"checks": {"outliers": {"k": "4"}}},
            "check outliers: k must be a number that is not negative, not '4'.",
        ),
        (
            {"checks": {"nulls": {"threshold": 5}}},
            "check nulls: threshold must be a share from 0 to 1, not 5.",
        ),
        ({"checks": {"nulls": {"max_share": True}}}, "max_share must be a share from 0 to 1, not True."),
        (
            {"checks": {"nulls": {"severity": "bad"}}},
            "severity 'bad' is unknown; use one of info, warning, error.",
        ),
        ({"checks": {"nulls": "no"}}, "check nulls: write true, false or its parameters, not 'no'."),
        ({"checks": {"nulls": {"enabled": 1}}}, "check nulls: 'enabled' must be true or false, not 1."),
        ({"checks": {"duplicates": {"columns": "a"}}}, "'columns' must be a list of column names, not 'a'."),
        ({"checks": False}, "'checks' must have names of checks with settings, not False."),
        ({"checks": []}, "'checks' must have names of checks with settings, not []."),
        (
            {"columns": {"a": {"range": {"min": float("nan")}}}},
            "'range' must be of numbers or dates, not nan.",
        ),
        ({"checks": ["nulls"]}, "'checks' must have names of checks with settings, not ['nulls']."),
        (
            {"columns": {"a": {"optinal": True}}},
            "column a: the key 'optinal' is unknown; did you mean 'optional'?",
        ),
        ({"columns": {"a": {"optional": 1}}}, "column a: 'optional' must be true or false, not 1."),
        ({"columns": {"a": {"allowed": 5}}}, "column a: 'allowed' must be a list of texts, numbers"),
        (
            {"columns": {"a": {"range": {"low": 1}}}},
            "column a: 'range': the key 'low' is unknown; use min, max.",
        ),
        ({"columns": {"a": {"range": {}}}}, "column a: 'range' needs min, max or both."),
        ({"columns": {"a": {"range": {"min": 2, "max": 1}}}}, "'range' has a min above its max: 2 and 1."),
        (
            {"columns": {"a": {"range": {"min": 2, "max": "3"}}}},
            "'range' must be of two numbers or of two dates.",
        ),
        ({"columns": {"a": {"pattern": "["}}}, "column a: the pattern '[' is not a regular expression"),
        ({"rules": [{"name": "a"}]}, "rule 1 (a) has no rule_type."),
        ({"rule_sets": "shop"}, "'rule_sets' must be a list of names of stored rule sets, not 'shop'."),
        ([], "must have keys such as checks, columns and rules"),
    ],
)
def test_what_is_not_possible_is_refused_in_a_sentence(values: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        CheckConfiguration.from_dict(values, "checks.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("checks.yaml")


def test_the_configuration_of_a_run_takes_precedence_over_that_of_the_dataset() -> None:
    dataset = CheckConfiguration.from_dict(
        {
            "checks": {"outliers": {"k": 4, "severity": "info"}, "nulls": False},
            "columns": {"age": {"allowed": [-1], "range": {"min": 0}}},
            "rules": [{"name": "a", "rule_type": "not_null", "column": "x"}],
        }
    )
    run = CheckConfiguration.from_dict(
        {
            "checks": {"outliers": {"k": 5}, "nulls": True},
            "columns": {"age": {"allowed": [-2], "range": {"max": 9}}},
            "rules": [{"name": "a", "rule_type": "unique", "column": "x"}],
        }
    )
    combined = dataset.with_settings_over(run)
    assert combined.settings_of_check("outliers").parameters == {"k": 5, "severity": "info"}
    assert combined.settings_of_check("nulls").enabled is True
    assert combined.column("age") == ColumnSettings(allowed=(-1, -2), high=9)
    assert [rule.rule_type for rule in combined.rules] == ["unique"]


def test_the_exact_name_of_a_column_takes_precedence_over_patterns() -> None:
    configuration = CheckConfiguration.from_dict(
        {"columns": {"main_note": {"optional": False}, "*_note": {"optional": True, "unique": False}}}
    )
    assert configuration.settings_of_column("side_note").optional is True
    assert configuration.settings_of_column("main_note") == ColumnSettings(optional=False, unique=False)
    assert configuration.settings_of_column("price") == ColumnSettings()
    assert configuration.unmatched_columns(["side_note"]) == ["main_note"]
