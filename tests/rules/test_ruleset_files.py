"""Rule files: YAML and JSON with the same keys, and errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.errors import InvalidInputError
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.ruleset_files import format_ruleset, parse_ruleset, read_ruleset_file

RULES = RuleSet(
    "orders – ü",
    "What an order is",
    [
        Rule("small", "0 to 100", "range", "amount", {"min_value": 0, "max_value": 99.5}),
        Rule("off", "", "regex", "yes", {"pattern": r"^\d: #$"}, enabled=False),
        Rule("since", "", "range", "day", {"min_value": "2026-11-01"}),
    ],
)


@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_a_rule_set_is_the_same_after_a_round_trip(file_format, tmp_path: Path) -> None:
    path = tmp_path / f"rules.{file_format}"
    path.write_text(format_ruleset(RULES, file_format), "utf-8")
    assert read_ruleset_file(path) == RULES


def test_a_short_file_needs_names_and_types_only() -> None:
    text = "rules:\n- {name: a, rule_type: range, column: day, parameters: {min_value: 2026-11-01}}\n"
    rule = Rule("a", "", "range", "day", {"min_value": "2026-11-01"})
    assert parse_ruleset(text, "orders.yaml") == RuleSet("orders", "", [rule])


def test_words_and_numbers_mean_what_they_say() -> None:
    values = "[no, 007, 12:30, 7, 0.5, true]"
    text = f"rules: [{{name: off, rule_type: enum, column: n, parameters: {{values: {values}}}}}]"
    (rule,) = parse_ruleset(text, "r.yaml").rules
    assert (rule.name, rule.parameters["values"]) == ("off", ["no", "007", "12:30", 7, 0.5, True])


def test_a_rule_set_of_a_file_store_is_a_rule_file() -> None:
    folder = Path(__file__).parents[1] / "golden/assets/store/rulesets"
    assert [rule.name for rule in read_ruleset_file(folder / "nightly.json").rules] == ["price range", "off"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "r.yaml is not valid YAML or JSON in line 1, column 9: "),
        ('{"rules": [}', "r.yaml is not valid YAML or JSON in line 1, column 12: "),
        (
            "rules: []\nrules: []",
            "r.yaml is not valid YAML or JSON in line 2, column 1: the key 'rules' is given twice.",
        ),
        (
            '{"rules": [], "rules": []}',
            "r.yaml is not valid YAML or JSON in line 1, column 15: the key 'rules'",
        ),
        ("a: &x 1\nrules: [*x]", "aliases (*name) are not supported"),
        ("- a", "r.yaml is not a rule set: it has no list 'rules'."),
        ("", "r.yaml is not a rule set: it has no list 'rules'."),
        ("rules: 1", "r.yaml: 'rules' must be a list of rules."),
        ("rules: []\nruls: 1", "r.yaml: the key 'ruls' is unknown; did you mean 'rules'?"),
        ("rules: [1]", "r.yaml, rule 1 must have keys such as name and rule_type."),
        ("rules: [{name: a}]", "r.yaml, rule 1 (a) has no rule_type."),
        ("rules: [{rule_type: a}]", "r.yaml, rule 1 has no name."),
        (
            "rules: [{name: true, rule_type: range}]",
            "r.yaml, rule 1: 'name' must be a text; write it in quotes.",
        ),
        (
            "rules: [{name: a, rule_type: b, colum: c}]",
            "r.yaml, rule 1 (a): the key 'colum' is unknown; did you mean",
        ),
        (
            "rules: [{name: a, rule_type: b, parameters: [1]}]",
            "r.yaml, rule 1 (a): 'parameters' must be names",
        ),
        (
            "rules: [{name: a, rule_type: b, enabled: 3}]",
            "r.yaml, rule 1 (a): 'enabled' must be true or false.",
        ),
        (
            "rules: [{name: a, rule_type: b}, {name: a, rule_type: c}]",
            "r.yaml, rule 2: the name 'a' is given twice.",
        ),
    ],
)
def test_an_error_names_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_ruleset(text, "r.yaml")
    assert message in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.yaml cannot be read: No such file"):
        read_ruleset_file(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    with pytest.raises(InvalidInputError, match="is not text in UTF-8"):
        read_ruleset_file(tmp_path / "latin.yaml")
