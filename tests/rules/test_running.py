"""Rules run beside the other checks: identity, coverage, and rules that cannot run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lavendertown.core.fingerprints import compute_fingerprint, executed_check_keys
from lavendertown.demo.seeds import starter_rulesets
from lavendertown.inspector import Inspector
from lavendertown.rules.models import Rule, RuleSet
from tests.rules.conftest import make_rule

FRAME = pl.DataFrame({"a": [1, 2, 300], "b": ["x", "y", None]})
OLD_RULES = Path(__file__).parents[1] / "schema/assets/071/folder/shared_rulesets/customer rules.json"


def fingerprint(rule: Rule, frame: pl.DataFrame = FRAME) -> str:
    (finding,) = Inspector(frame, detectors=[], rules=[rule], dataset="d").detect()
    return compute_fingerprint(finding, "d")


def test_a_rule_runs_beside_the_checks() -> None:
    findings = Inspector(FRAME, rules=[make_rule("range", "a", max_value=100)]).detect()
    assert [finding.metadata["check"] for finding in findings] == ["rule:range", "nulls"]


def test_a_finding_names_its_rule_in_the_words_of_version_07() -> None:
    rule = Rule("a is small", "Small numbers", "range", "a", {"min": 0, "max_value": 100})
    (finding,) = Inspector(FRAME, detectors=[], rules=RuleSet("s", "", [rule])).detect()
    meta = finding.metadata
    assert (meta["check"], meta["count"]) == ("rule:range", 1)
    assert meta["params"] == {"name": "a is small", "min_value": 0, "max_value": 100}
    assert (meta["rule_name"], meta["rule_type"], meta["violation_count"]) == ("a is small", "range", 1)
    assert (meta["min_value"], meta["max_value"]) == (0, 100)


def test_identity_stays_when_data_description_severity_and_tolerance_change() -> None:
    first = fingerprint(Rule("r", "", "range", "a", {"max_value": 100}))
    assert (
        fingerprint(Rule("r", "", "range", "a", {"max_value": 100}), FRAME.with_columns(a=pl.lit(101)))
        == first
    )
    settings = {"severity": "info", "max_share": 0.1}
    assert fingerprint(Rule("r", "About a", "range", "a", {"max": 100, **settings})) == first


def test_two_rules_on_one_column_have_two_identities() -> None:
    names = [Rule("r", "", "range", "a", {"max_value": 100}), Rule("q", "", "range", "a", {"max_value": 100})]
    bound = Rule("r", "", "range", "a", {"max_value": 99})
    kind = Rule("r", "", "enum", "a", {"allowed_values": [1]})
    assert len({fingerprint(rule) for rule in (*names, bound, kind)}) == 4


def test_passed_rules_are_coverage_and_disabled_ones_do_not_run() -> None:
    off = make_rule("not_null", "b")
    off.enabled = False
    inspector = Inspector(FRAME, detectors=[], rules=[make_rule("not_null", "a"), off])
    assert inspector.detect() == []
    (ran,) = inspector.coverage()["ran"]
    assert ran == {
        "check": "rule:not_null",
        "column": "a",
        "params": {"name": "not_null"},
        "outcome": "passed",
    }


def test_a_finding_of_a_rule_is_passing_when_a_later_run_covers_it() -> None:
    rule = make_rule("unique", columns=["a", "b"])
    repeated = pl.concat([FRAME.head(1), FRAME.head(1)])
    keys = []
    for frame in (repeated, FRAME):
        inspector = Inspector(frame, detectors=[], rules=[rule], dataset="d")
        keys.append(executed_check_keys({"coverage": inspector.coverage()}, "d"))
    assert keys[0] == keys[1] != frozenset()


def test_severity_is_a_parameter() -> None:
    (finding,) = Inspector(FRAME, detectors=[], rules=[make_rule("not_null", "b", severity="info")]).detect()
    assert finding.severity == "info"
    assert finding.metadata["settings"] == {"severity": "info"}


@pytest.mark.parametrize(
    ("parameters", "fails"),
    [
        ({"max_share": 0.25}, False),
        ({"mostly": 0.75}, False),
        ({"mostly": 0.76}, True),
        ({"max_share": 0.2}, True),
    ],
)
def test_a_share_of_the_values_may_fail(run_rules, parameters: dict[str, Any], fails: bool) -> None:
    column = [1, 2, 3, 400, None, None, None, None]  # a quarter of the values
    assert bool(run_rules({"a": column}, make_rule("range", "a", max_value=9, **parameters))) is fails


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (make_rule("range", "A", min_value=0), "there is no column 'A'; the table has a, b"),
        (make_rule("range", "a"), "give at least one of min_value and max_value"),
        (make_rule("range", "a", min_value=5, max_value=1), "min_value 5 is above max_value 1"),
        (
            make_rule("range", "a", min_value=0, mx_value=1),
            "a range rule has no parameter mx_value; did you mean",
        ),
        (make_rule("range", "a", min=0, min_value=1), "the parameter min_value is given twice"),
        (make_rule("range", "a", min_value="low"), "a holds numbers, and 'low' is not a number"),
        (make_rule("range", min_value=0), "a range rule needs a column"),
        (make_rule("enum", "a", allowed_values=[]), "the parameter allowed_values must be a list"),
        (make_rule("regex", "a", pattern="(["), "'([' is not a regular expression"),
        (make_rule("regex", "a"), "the parameter pattern is missing"),
        (make_rule("length", "a", max=-1), "the parameter max_length must be a whole number from 0 on"),
        (make_rule("type", "a", type="money"), "type 'money' is unknown"),
        (make_rule("freshness", "a", max_age="2 days"), "a does not hold dates"),
        (make_rule("freshness", "a", max_age="soon"), "max_age 'soon' is not a duration"),
        (make_rule("reference", "a", table="nowhere.csv"), "there is no file nowhere.csv"),
        (
            make_rule("cross_column", operation="equals", source_columns=["a"]),
            "equals compares two source_columns",
        ),
        (
            make_rule("cross_column", operation="equals", source_columns=["a", "b"]),
            "a holds numbers and b holds text",
        ),
        (make_rule("cross_column", operation="conditional"), "its condition has no if_column, if_value"),
        (make_rule("not_null", "a", severity="fatal"), "severity 'fatal' is unknown"),
        (make_rule("not_null", "a", max_share=2), "the parameter max_share must be a share from 0 to 1"),
        (make_rule("not_nul", "a"), "its type 'not_nul' is unknown; did you mean not_null?"),
        (make_rule("custom", "a", anything=[1]), "its type 'custom' is unknown"),
    ],
)
def test_a_rule_that_cannot_run_is_one_finding_and_no_other_is_lost(rule: Rule, reason: str) -> None:
    inspector = Inspector(FRAME, detectors=[], rules=[rule, make_rule("not_null", "b")])
    found, error = inspector.detect()
    assert (found.ghost_type, error.ghost_type) == ("rule", "check_error")
    assert rule.column in (None, error.column)
    assert error.description.startswith(f"The check 'Rule {rule.name}' could not run on ")
    assert reason in error.description
    assert sorted(check.outcome for check in inspector.checks) == ["failed", "found"]


def test_rules_of_version_07_run_unchanged() -> None:
    rules = RuleSet.from_dict(json.loads(OLD_RULES.read_text("utf-8")))
    frame = pl.DataFrame({"age": [17, 18, 120, 121], "email": ["x"] * 4})
    (finding,) = Inspector(frame, detectors=[], rules=rules).detect()
    assert (finding.column, finding.row_indices) == ("age", [0, 3])


def test_the_starter_rules_run() -> None:
    frame = pl.DataFrame(
        {
            **{"email": ["a@b.c"], "age": [30], "country": ["NL"], "amount": [1.0], "quantity": [1]},
            **{"currency": ["EUR"], "status": ["new"], "net": [1.0], "tax": [0.2], "total": [1.2]},
            **{"temperature": [20], "share": [0.5], "unit": ["C"], "day": ["2026-11-21"], "level": ["info"]},
            "event_id": ["123e4567-e89b-12d3-a456-426614174000"],
        }
    )
    rules = [rule for ruleset in starter_rulesets() for rule in ruleset.rules]
    inspector = Inspector(frame, detectors=[], rules=rules)
    assert inspector.detect() == []
    assert len(inspector.checks) == len(rules)


def test_the_samples_of_a_finding_show_all_columns_of_its_rule() -> None:
    frame = pl.DataFrame({"id": [7, 8], "a": [1, 2], "b": [2, 1], "c": [0, 0]})
    rules = [
        make_rule("cross_column", source_columns=["b", "a"], operation="greater_than"),
        make_rule("unique", columns=["c"]),
    ]
    inspector = Inspector(frame, detectors=[], rules=rules)
    inspector.detect()
    samples = inspector.evidence().samples
    assert samples["0"].rows[0].values == {"id": 8, "b": 1, "a": 2}
    assert samples["1"].rows[0].values == {"id": 8, "c": 0}
