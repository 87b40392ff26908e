"""Turn rules into checks that run with the other checks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.detectors.runner import CheckResult
from lavendertown.rules.checks import RuleCheck, UnrunnableRule
from lavendertown.rules.cross_column_rules import CrossColumnRule
from lavendertown.rules.expression_rules import ExpressionRule
from lavendertown.rules.models import Rule
from lavendertown.rules.reference_rules import ReferenceRule, References
from lavendertown.rules.table_rules import FreshnessRule, RowCountRule, UniqueRule
from lavendertown.rules.value_rules import EnumRule, LengthRule, NotNullRule, RangeRule, RegexRule, TypeRule

_TYPES: dict[str, type[RuleCheck]] = {
    "not_null": NotNullRule,
    "unique": UniqueRule,
    "range": RangeRule,
    "enum": EnumRule,
    "regex": RegexRule,
    "length": LengthRule,
    "type": TypeRule,
    "cross_column": CrossColumnRule,
    "row_count": RowCountRule,
    "freshness": FreshnessRule,
    "expression": ExpressionRule,
}
RULE_TYPES = (*_TYPES, "reference")
"""The types of rules that run."""

Outcome = Literal["passed", "failed", "not_run", "disabled"]
_OUTCOMES: dict[str, Outcome] = {
    "passed": "passed",
    "found": "failed",
    "failed": "not_run",
    "not_run": "not_run",
}


@dataclass(frozen=True)
class RuleResult:
    """The result of a rule.

    Attributes:
        rule: The rule.
        outcome: passed, failed, not_run (it could not run, or the table has no rows) or disabled.
        finding: The finding, if it failed or could not run; None also for a table without rows.
    """

    rule: Rule
    outcome: Outcome
    finding: GhostFinding | None = None


def create_check(rule: Rule, references: References) -> RuleCheck:
    """Return a rule as a check.

    Raises:
        InvalidInputError: The type is unknown, or a parameter is not possible. The message is a part of a
            sentence.
    """
    if rule.rule_type == "reference":
        return ReferenceRule(rule, references)
    if rule.rule_type not in _TYPES:
        close = difflib.get_close_matches(str(rule.rule_type), RULE_TYPES, 1)
        hint = f"did you mean {close[0]}?" if close else "docs/rules.md lists the types"
        raise InvalidInputError(f"its type {rule.rule_type!r} is unknown; {hint}")
    return _TYPES[rule.rule_type](rule)


def create_checks(rules: Iterable[Rule], references: References | None = None) -> list[RuleCheck]:
    """Return the enabled rules as checks, in order.

    A rule that cannot run becomes a check that fails with the reason: it is reported, and the others run.

    Args:
        rules: The rules.
        references: Other tables that rules may name; by default none.
    """
    known = references or References()
    return [_create_or_report(rule, known) for rule in rules if rule.enabled]


def find_problem(rule: Rule) -> str | None:
    """Return why a rule cannot run on any table, as a sentence; None if it can."""
    reason = find_problem_reason(rule)
    return f"Rule {rule.name!r} cannot run: {reason}." if reason else None


def find_problem_reason(rule: Rule) -> str:
    """Return why a rule cannot run on any table, as a part of a sentence; empty if it can."""
    try:
        create_check(rule, References())
    except InvalidInputError as error:
        return str(error)
    return ""


def parameter_aliases(rule_type: str) -> Mapping[str, str]:
    """Return the former names of the parameters of a rule type, with the current ones."""
    check = ReferenceRule if rule_type == "reference" else _TYPES.get(rule_type)
    return check.aliases if check is not None else {}


def match_results(
    rules: Iterable[Rule], findings: Iterable[GhostFinding], checks: Iterable[CheckResult]
) -> list[RuleResult]:
    """Return the result of each rule, in order, of a run in which all of them were checks.

    Args:
        rules: The rules.
        findings: The findings of the run.
        checks: The results of the checks of the run.
    """
    by_check = {_result_key(check.check, check.params): check for check in checks}
    by_finding = {_result_key(each.metadata["check"], each.metadata["params"]): each for each in findings}
    results = []
    for rule in rules:
        if not rule.enabled:
            results.append(RuleResult(rule, "disabled"))
            continue
        (detector,) = create_checks([rule])
        key = _result_key(detector.check, detector.params)
        check = by_check.get(key)
        outcome = _OUTCOMES[check.outcome] if check else "not_run"
        results.append(RuleResult(rule, outcome, by_finding.get(key)))
    return results


def _result_key(check: str, params: Mapping[str, Any]) -> bytes:
    return json_codec.dumps_canonical([check, json_codec.to_jsonable(params)])


def _create_or_report(rule: Rule, references: References) -> RuleCheck:
    try:
        return create_check(rule, references)
    except InvalidInputError as error:
        return UnrunnableRule(rule, str(error))
