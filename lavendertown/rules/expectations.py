"""Expectations: what a person says is expected, written to the check configuration of a dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.rules.check_configuration import (
    CheckConfiguration,
    CheckSettings,
    ColumnSettings,
    known_checks,
)
from lavendertown.rules.parameters import Scalar
from lavendertown.rules.tuned_checks import KEY_CHECK, NULL_CHECK, PATTERN_CHECK, RANGE_CHECKS, VALUE_CHECKS
from lavendertown.rules.values import format_scalar

_MAX_NAMED = 3


class ExpectationKind(StrEnum):
    """What can be expected.

    OPTIONAL: empty values. ALLOWED: these values. RANGE: values in a range. PATTERN: values of a form.
    UNIQUE: no repeated values. REPEATED: repeated values. NO_CHECK: whatever the check reports.
    """

    OPTIONAL = "optional"
    ALLOWED = "allowed"
    RANGE = "range"
    PATTERN = "pattern"
    UNIQUE = "unique"
    REPEATED = "repeated"
    NO_CHECK = "no_check"


COLUMN_KINDS = (
    ExpectationKind.OPTIONAL,
    ExpectationKind.ALLOWED,
    ExpectationKind.RANGE,
    ExpectationKind.PATTERN,
    ExpectationKind.UNIQUE,
)
"""What can be expected of a column without a finding."""

_EXPECTED_RULES = {
    "rule:range": ("Expected range of ", (ExpectationKind.RANGE, ExpectationKind.ALLOWED)),
    "rule:regex": ("Expected form of ", (ExpectationKind.PATTERN, ExpectationKind.ALLOWED)),
    "rule:unique": ("Unique values of ", (ExpectationKind.REPEATED,)),
}


@dataclass(frozen=True)
class Expectation:
    """Something that is expected.

    Attributes:
        kind: What.
        column: The column, as findings name it; ``*`` for whole rows.
        check: The check, for NO_CHECK.
        values: The allowed values.
        low, high: The range, both inclusive; None for an open end.
        pattern: The regular expression that whole values match.
    """

    kind: ExpectationKind
    column: str
    check: str = ""
    values: tuple[Scalar, ...] = ()
    low: Scalar | None = None
    high: Scalar | None = None
    pattern: str = ""


def possible_kinds(check: str, params: Mapping[str, Any], column: str) -> tuple[ExpectationKind, ...]:
    """Return what can be expected of a finding, the most fitting first; empty if nothing can.

    Args:
        check: The check of the finding.
        params: Its parameters.
        column: Its column.
    """
    if check in _EXPECTED_RULES:
        name, kinds = _EXPECTED_RULES[check]
        return kinds if params == {"name": f"{name}{column}"} else ()
    if check not in known_checks():
        return ()
    switch_off = ExpectationKind.NO_CHECK
    if check == NULL_CHECK:
        return (ExpectationKind.OPTIONAL,)
    if check == KEY_CHECK:
        return (ExpectationKind.REPEATED,) if ", " not in column else (switch_off,)
    if check in RANGE_CHECKS:
        return (ExpectationKind.RANGE, ExpectationKind.ALLOWED, switch_off)
    if check == PATTERN_CHECK:
        return (ExpectationKind.ALLOWED, ExpectationKind.PATTERN, switch_off)
    return (ExpectationKind.ALLOWED, switch_off) if check in VALUE_CHECKS else (switch_off,)


def add_expectation(configuration: CheckConfiguration, expected: Expectation) -> CheckConfiguration:
    """Return the configuration with an expectation.

    Raises:
        InvalidInputError: The expectation is incomplete or not possible. The message is a sentence.
    """
    name = expected.column
    settings = configuration.column(name)
    match expected.kind:
        case ExpectationKind.OPTIONAL:
            settings = replace(settings, optional=True)
        case ExpectationKind.UNIQUE:
            settings = replace(settings, unique=True)
        case ExpectationKind.REPEATED:
            settings = replace(settings, unique=False)
        case ExpectationKind.ALLOWED:
            if not expected.values:
                raise InvalidInputError("Choose or type at least one value.")
            settings = replace(settings, allowed=_add_values(settings.allowed, expected.values))
        case ExpectationKind.RANGE:
            if expected.low is None and expected.high is None:
                raise InvalidInputError("Enter the lowest value, the highest value or both.")
            settings = replace(settings, low=expected.low, high=expected.high)
        case ExpectationKind.PATTERN:
            if not expected.pattern:
                raise InvalidInputError("Enter a regular expression.")
            settings = replace(settings, pattern=expected.pattern)
        case ExpectationKind.NO_CHECK:
            if name == WHOLE_ROW:
                before = configuration.checks.get(expected.check, CheckSettings())
                return configuration.with_check(expected.check, replace(before, enabled=False))
            before = settings.checks.get(expected.check, CheckSettings())
            checks = {**settings.checks, expected.check: replace(before, enabled=False)}
            settings = replace(settings, checks=checks)
    changed = configuration.with_column(name, settings)
    # Refuses what a file could not say either, such as a range that ends before it begins.
    return CheckConfiguration.from_dict(changed.to_dict(), "Cannot save")


def read_value(text: str, kind: str) -> Scalar:
    """Return a typed value as the kind of its column has it: a number in a column of numbers."""
    if kind != "number":
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def list_changes(before: CheckConfiguration, after: CheckConfiguration) -> list[str]:
    """Return what differs between two configurations, as phrases: ``note: empty values are expected``."""
    changes = []
    for check in dict.fromkeys([*before.checks, *after.checks]):
        old, new = (each.checks.get(check, CheckSettings()) for each in (before, after))
        changes += [f"{check}: {change}" for change in _changes_of_check(old, new)]
    for column in dict.fromkeys([*before.columns, *after.columns]):
        changes += [
            f"{column}: {change}"
            for change in _changes_of_column(before.column(column), after.column(column))
        ]
    old_rules, new_rules = ({rule.name: rule for rule in each.rules} for each in (before, after))
    for name in dict.fromkeys([*old_rules, *new_rules]):
        if old_rules.get(name) == new_rules.get(name):
            continue
        is_switched = (
            name in old_rules
            and name in new_rules
            and replace(old_rules[name], enabled=True) == replace(new_rules[name], enabled=True)
        )
        verb = "added" if name not in old_rules else "deleted" if name not in new_rules else "changed"
        if is_switched:
            verb = "switched on" if new_rules[name].enabled else "switched off"
        changes.append(f"rule {name} {verb}")
    changes += [f"rule set {name} added" for name in after.rule_sets if name not in before.rule_sets]
    changes += [f"rule set {name} taken off" for name in before.rule_sets if name not in after.rule_sets]
    return changes


def describe_column(settings: ColumnSettings) -> list[str]:
    """Return what is expected of a column, and what is set for its checks, as phrases."""
    return _changes_of_column(ColumnSettings(), settings)


def _changes_of_column(old: ColumnSettings, new: ColumnSettings) -> list[str]:
    changes = []
    if old.optional != new.optional:
        changes.append("empty values are expected" if new.optional else "empty values are not expected")
    added = [value for value in new.allowed if value not in old.allowed]
    removed = [value for value in old.allowed if value not in new.allowed]
    changes += [f"allowed {_list_values(added)}"] if added else []
    changes += [f"no longer allowed {_list_values(removed)}"] if removed else []
    if (old.low, old.high) != (new.low, new.high):
        changes.append(f"expected range {_format_range(new)}" if new.has_range else "no expected range")
    if old.unique != new.unique:
        words = {
            True: "values are unique",
            False: "repeated values are expected",
            None: "no expectation about repeated values",
        }
        changes.append(words[new.unique])
    if old.pattern != new.pattern:
        changes.append(f"expected pattern {new.pattern}" if new.pattern else "no expected pattern")
    for check in dict.fromkeys([*old.checks, *new.checks]):
        settings = (each.checks.get(check, CheckSettings()) for each in (old, new))
        changes += [f"{check} {change}" for change in _changes_of_check(*settings)]
    return changes


def _changes_of_check(old: CheckSettings, new: CheckSettings) -> list[str]:
    changes = []
    if old.enabled != new.enabled:
        changes.append("switched off" if new.enabled is False else "switched on")
    for name in dict.fromkeys([*old.parameters, *new.parameters]):
        if old.parameters.get(name) != new.parameters.get(name):
            value = new.parameters.get(name)
            changes.append(f"{name} {value}" if value is not None else f"{name} as by default")
    return changes


def _format_range(settings: ColumnSettings) -> str:
    low, high = (None if each is None else format_scalar(each) for each in (settings.low, settings.high))
    if low is None:
        return f"up to {high}"
    return f"{low} or more" if high is None else f"{low} to {high}"


def _list_values(values: Sequence[Scalar]) -> str:
    named = ", ".join(f"'{format_scalar(value)}'" for value in values[:_MAX_NAMED])
    more = len(values) - _MAX_NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _add_values(allowed: Sequence[Scalar], values: Sequence[Scalar]) -> tuple[Scalar, ...]:
    return tuple(dict.fromkeys([*allowed, *values]))
