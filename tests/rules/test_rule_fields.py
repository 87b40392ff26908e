"""The fields of forms are parameters that the rules take."""

from __future__ import annotations

import pytest

from lavendertown.rules.models import Rule
from lavendertown.rules.rule_fields import FIELDS, SEVERITY_FIELD, SHARE_FIELD, RuleField
from lavendertown.rules.running import RULE_TYPES, find_problem_reason

POSSIBLE = {
    "text": "2 days",
    "value": 1,
    "count": 1,
    "share": 0.5,
    "flag": True,
    "values": [1],
    "columns": ["a"],
}


def value_of(field: RuleField) -> object:
    if field.name == "expression":
        return "a > 1"
    if field.name == "as_of":
        return "2026-11-30"
    return field.choices[0] if field.kind == "choice" else POSSIBLE[field.kind]


@pytest.mark.parametrize("rule_type", FIELDS)
def test_all_fields_of_a_type_are_its_parameters(rule_type: str) -> None:
    fields = (*FIELDS[rule_type], SEVERITY_FIELD, SHARE_FIELD)
    parameters = {field.name: value_of(field) for field in fields}
    assert find_problem_reason(Rule("a", "", rule_type, "a", parameters)) == ""


def test_only_rules_across_columns_take_yaml() -> None:
    assert set(RULE_TYPES) - set(FIELDS) == {"cross_column"}
