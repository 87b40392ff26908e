"""Turn rules into checks that run with the other checks."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.checks import RuleCheck, UnrunnableRule
from lavendertown.rules.cross_column_rules import CrossColumnRule
from lavendertown.rules.models import Rule
from lavendertown.rules.reference_rules import ReferenceRule, References
from lavendertown.rules.table_rules import FreshnessRule, RowCountRule, UniqueRule
from lavendertown.rules.value_rules import EnumRule, LengthRule, NotNullRule, RangeRule, RegexRule, TypeRule

_TYPES: dict[str, Callable[[Rule], RuleCheck]] = {
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
}
RULE_TYPES = (*_TYPES, "reference")
"""The types of rules that run."""


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
    try:
        create_check(rule, References())
    except InvalidInputError as error:
        return f"Rule {rule.name!r} cannot run: {error}."
    return None


def _create_or_report(rule: Rule, references: References) -> RuleCheck:
    try:
        return create_check(rule, references)
    except InvalidInputError as error:
        return UnrunnableRule(rule, str(error))
