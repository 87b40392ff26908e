"""Rule sets in the formats of other tools, read from files that these tools wrote, and written again.

``rule_samples/expected`` has what each sample means; review the difference after a change of a translator.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lavendertown.core import json_codec
from lavendertown.errors import InvalidInputError
from lavendertown.interchange.rulesets import RULESET_FORMATS, read_rules, write_rules
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.ruleset_files import parse_ruleset
from lavendertown.rules.running import find_problem

SAMPLES = Path(__file__).parent / "rule_samples"
OTHERS = tuple(name for name in RULESET_FORMATS if name not in ("yaml", "json", "pandera-python"))


def read_sample(path: Path) -> Any:
    return read_rules(path.read_text("utf-8"), path.name, table="orders" if "package" in path.name else None)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.*")), ids=lambda path: path.name)
def test_a_sample_is_recognized_and_means_the_same_as_when_it_was_reviewed(path: Path) -> None:
    read = read_sample(path)
    assert [problem for rule in read.ruleset.rules if (problem := find_problem(rule))] == []
    found = {**read.ruleset.to_dict(), "format": read.format_name, "not_translated": read.skipped}
    expected = yaml.safe_load((SAMPLES / "expected" / f"{path.stem}.yaml").read_text("utf-8"))
    assert found == expected


def rule(name: str, rule_type: str, column: str | None = None, **parameters: Any) -> Rule:
    return Rule(name, "", rule_type, column, parameters)


COMMON = [
    rule("a type", "type", "a", type="integer"),
    rule("a is there", "not_null", "a"),
    rule("a key", "unique", "a"),
    rule("a bounds", "range", "a", min_value=0, max_value=10, exclusive_max=True),
    rule("day", "range", "day", min_value="2026-11-01"),
    rule("day type", "type", "day", type="date"),
    rule("s values", "enum", "s", allowed_values=["x", "no", "007"]),
    rule("c length", "length", "c", min_length=1, max_length=4),
]
PATTERN = {
    "pandera": {"pattern": "[A-Z]"},
    "great-expectations": {"pattern": "[A-Z]", "match": "anywhere"},
    "frictionless": {"pattern": "[A-Z]", "match": "full"},
    "odcs": {"pattern": "[A-Z]", "match": "anywhere"},
}


def meaning(ruleset: RuleSet) -> list[tuple[Any, ...]]:
    """Return what rules say: types, columns and parameters, without names; a bound alone is a rule."""
    said = []
    for each in ruleset.rules:
        parameters = each.parameters
        if each.rule_type == "range":
            for bound, flag in (("min_value", "exclusive_min"), ("max_value", "exclusive_max")):
                if bound in parameters:
                    said.append((each.column, bound, parameters[bound], parameters.get(flag, False)))
        else:
            said.append((each.column, each.rule_type, json.dumps(parameters, sort_keys=True)))
    return sorted(said, key=str)


@pytest.mark.parametrize("format_name", OTHERS)
def test_rules_that_a_format_can_say_come_back(format_name: str) -> None:
    several = rule("a, c key", "unique", columns=["a", "c"])
    rules = RuleSet("orders", "", [*COMMON, several, rule("c form", "regex", "c", **PATTERN[format_name])])
    text, skipped = write_rules(rules, format_name)
    assert skipped == []
    read = read_rules(text, "orders.file")
    assert (read.format_name, read.skipped) == (format_name, [])
    # Frictionless and ODCS need a type for a constraint, and have more rules then.
    added = {("c", "type", '{"type": "text"}'), ("s", "type", '{"type": "text"}')}
    assert [each for each in meaning(read.ruleset) if each not in added] == meaning(rules)


@pytest.mark.parametrize(
    ("format_name", "names"),
    [
        ("pandera", ["share", "rows", "fresh", "pair", "known", "off"]),
        ("great-expectations", ["fresh", "known", "off"]),
        ("frictionless", ["share", "rows", "fresh", "pair", "off"]),
        ("odcs", ["fresh", "pair", "known", "off"]),
    ],
)
def test_rules_that_a_format_cannot_say_are_named(format_name: str, names: list[str]) -> None:
    off = rule("off", "not_null", "a")
    off.enabled = False
    rules = [
        rule("share", "not_null", "a", max_share=0.1),
        rule("rows", "row_count", min_rows=1),
        rule("fresh", "freshness", "day", max_age="2 days"),
        rule("pair", "cross_column", operation="less_than", source_columns=["a", "b"]),
        rule("known", "reference", "a", table="b.csv"),
        off,
    ]
    _, skipped = write_rules(RuleSet("orders", "", rules), format_name)
    assert sorted(sentence.split("'")[1] for sentence in skipped) == sorted(names)


def test_a_suite_keeps_names_descriptions_severities_and_tolerances() -> None:
    kept = Rule("a is there", "Always", "not_null", "a", {"severity": "warning", "max_share": 0.25})
    text, _ = write_rules(RuleSet("orders", "About orders", [kept]), "great-expectations")
    read = read_rules(text, "x.json").ruleset
    kept.parameters = {"severity": "warning", "mostly": 0.75}
    assert read == RuleSet("orders", "About orders", [kept])


def test_a_contract_keeps_tolerances_as_percent() -> None:
    kept = rule("few", "enum", "a", allowed_values=["x"], max_share=0.015)
    text, _ = write_rules(RuleSet("orders", "", [kept]), "odcs")
    assert kept in read_rules(text, "x.yaml").ruleset.rules


def test_the_pattern_of_a_rule_keeps_its_place_in_the_text() -> None:
    start = RuleSet("r", "", [rule("p", "regex", "a", pattern="x|y")])
    assert "^(?:x|y)" in write_rules(start, "great-expectations")[0]
    assert '"pattern": "(?:x|y).*"' in write_rules(start, "frictionless")[0]
    full = RuleSet("r", "", [rule("p", "regex", "a", pattern="x|y", match="full")])
    assert "^(?:x|y)$" in write_rules(full, "odcs")[0]
    assert "(?:x|y)$" in write_rules(full, "pandera")[0]


def test_flags_of_a_pattern_stay_in_front() -> None:
    rules = RuleSet("r", "", [rule("p", "regex", "a", pattern="(?i)x|y", match="full")])
    for name, expected in (
        ("great-expectations", "(?i)^(?:x|y)$"),
        ("odcs", "(?i)^(?:x|y)$"),
        ("pandera", "(?i)(?:x|y)$"),
    ):
        assert expected in write_rules(rules, name)[0], name
    start = RuleSet("r", "", [rule("p", "regex", "a", pattern="(?i)x|y")])
    assert '"pattern": "(?i)(?:x|y).*"' in write_rules(start, "frictionless")[0]


@pytest.mark.parametrize("name", RULESET_FORMATS[2:])
def test_rules_that_cannot_run_are_named_and_not_translated(name: str) -> None:
    rules = [rule("p", "not_null", "a", mostly="lots"), rule("q", "odd", "a"), rule("r", "not_null", "a")]
    _, skipped = write_rules(RuleSet("r", "", rules), name)
    assert [sentence.split(" of type")[0] for sentence in skipped] == ["Rule 'p'", "Rule 'q'"]


def test_former_names_of_parameters_are_translated() -> None:
    rules = [
        rule("p", "reference", "a", file="customers.csv", reference_column="id"),
        rule("q", "unique", columns="a"),
    ]
    text, _ = write_rules(RuleSet("r", "", rules), "frictionless")
    assert '"resource": null' not in text
    assert '"a"' in text


def test_two_checks_of_one_name_are_a_list_for_pandera() -> None:
    rules = [rule(name, "regex", "a", pattern=name) for name in ("x", "y")]
    text, _ = write_rules(RuleSet("r", "", rules), "pandera")
    assert [each["value"] for each in yaml.safe_load(text)["columns"]["a"]["checks"]] == ["x", "y"]


def test_a_schema_is_code_too() -> None:
    rules = [*COMMON, rule("form", "regex", "c", pattern="^'x'$", severity="warning")]
    code, skipped = write_rules(RuleSet("orders", "", rules), "pandera-python")
    assert skipped == []
    calls = {ast.unparse(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)}
    assert "pa.Check.less_than(10)" in calls
    assert "pa.Check.str_length(min_value=1, max_value=4)" in calls
    assert """pa.Check.str_matches("^'x'$", raise_warning=True)""" in calls
    (day,) = (call for call in calls if call.startswith("pa.Column('datetime64[ns]'"))
    assert "checks=[pa.Check.greater_than_or_equal_to('2026-11-01')], nullable=True" in day


def test_a_second_pattern_of_a_field_is_named() -> None:
    rules = [rule(name, "regex", "a", pattern=name, match="full") for name in ("x", "y")]
    _, skipped = write_rules(RuleSet("r", "", rules), "frictionless")
    assert skipped == ["Rule 'y' of type regex: its field has another pattern already."]


def test_a_constraint_that_the_type_of_its_field_does_not_support_is_named() -> None:
    rules = [rule("t", "type", "a", type="integer"), rule("l", "length", "a", max_length=3)]
    text, skipped = write_rules(RuleSet("r", "", rules), "frictionless")
    assert skipped == ["Rule 'l' of type length: the type of its field does not support it."]
    assert json.loads(text)["fields"] == [{"name": "a", "type": "integer"}]


def test_a_contract_of_version_3_0_says_how_to_read_a_bound() -> None:
    options = "{minimum: 0, exclusiveMinimum: true, exclusiveMaximum: false}"
    table = f"{{name: t, properties: [{{name: a, logicalTypeOptions: {options}}}]}}"
    text = f"{{kind: DataContract, schema: [{table}]}}"
    (bound,) = read_rules(text, "x.yaml").ruleset.rules
    assert bound.parameters == {"min_value": 0, "exclusive_min": True}


def test_rule_files_are_read_too() -> None:
    text = write_rules(RuleSet("orders", "", COMMON), "yaml")[0]
    assert (
        read_rules(text, "x.yaml").ruleset == parse_ruleset(text, "x.yaml") == RuleSet("orders", "", COMMON)
    )


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (
            "a: 1",
            {},
            "x.yaml is neither a rule file nor one of: a Great Expectations suite, a Pandera schema",
        ),
        ("[1]", {"format_name": "odcs"}, "x.yaml is not an ODCS data contract"),
        ("expectations: [1]", {}, "x.yaml, expectation 1 must be a mapping, not int."),
        (
            "{schema_type: dataframe, columns: {a: 1}}",
            {},
            "x.yaml, column a must be a mapping, not int.",
        ),
        ("{kind: DataContract}", {}, "x.yaml describes no table."),
        (
            "{kind: DataContract, schema: [{name: a}, {name: b}]}",
            {},
            "several tables; choose one with --table: a, b.",
        ),
        (
            "{kind: DataContract, schema: [{name: a}]}",
            {"table": "c"},
            "x.yaml has no table 'c'; choose one with",
        ),
        ("fields: [{name: a, constraints: 3}]", {}, "x.yaml, field a: constraints must be a mapping"),
        ("expectations: []", {"table": "a"}, "x.yaml describes one table only; leave out --table."),
    ],
)
def test_a_file_that_is_wrong_is_one_sentence(text: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_rules(text, "x.yaml", **arguments)
    assert message in str(caught.value)


def replacements(value: Any) -> Iterator[Any]:
    """Yield the value with each of its parts replaced by values of other types."""
    yield from WRONG
    if isinstance(value, dict):
        for key, part in value.items():
            for wrong in replacements(part):
                yield {**value, key: wrong}
    elif isinstance(value, list):
        for position, part in enumerate(value):
            for wrong in replacements(part):
                yield [*value[:position], wrong, *value[position + 1 :]]


WRONG: tuple[Any, ...] = (None, -1, "x", [1], {"a": 1}, True)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.*")), ids=lambda path: path.name)
def test_a_wrong_value_anywhere_is_named_or_read_but_never_a_crash(path: Path) -> None:
    sample = yaml.safe_load(path.read_text("utf-8"))
    format_name = read_sample(path).format_name
    for wrong in replacements(sample):
        try:
            read = read_rules(
                json.dumps(wrong), path.name, format_name, "orders" if "package" in path.name else None
            )
        except InvalidInputError:
            continue
        for rule in read.ruleset.rules:
            find_problem(rule)
        json_codec.to_jsonable(read.ruleset.to_dict())
