"""The parameters of each type of rule, for forms; what a form cannot express is YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lavendertown.core.findings import SEVERITIES

FieldKind = Literal["text", "value", "count", "share", "flag", "choice", "values", "columns"]


@dataclass(frozen=True)
class RuleField:
    """A parameter of a type of rule.

    Attributes:
        name: Its name.
        label: What people call it.
        kind: What it takes; ``value`` is a number, a text or a date.
        choices: The possible values of a choice.
        hint: An example.
    """

    name: str
    label: str
    kind: FieldKind
    choices: tuple[str, ...] = ()
    hint: str = ""


SEVERITY_FIELD = RuleField("severity", "Severity", "choice", SEVERITIES)
SHARE_FIELD = RuleField("max_share", "Accepted share of failing values", "share")

FIELDS: dict[str, tuple[RuleField, ...]] = {
    "not_null": (RuleField("placeholders", "n/a and the like are missing values", "flag"),),
    "unique": (RuleField("columns", "Columns that are unique together", "columns"),),
    "range": (
        RuleField("min_value", "Lowest value", "value"),
        RuleField("max_value", "Highest value", "value"),
        RuleField("exclusive_min", "Without the lowest value itself", "flag"),
        RuleField("exclusive_max", "Without the highest value itself", "flag"),
    ),
    "enum": (RuleField("allowed_values", "Allowed values", "values"),),
    "regex": (
        RuleField("pattern", "Regular expression", "text", hint="[A-Z]{2}-[0-9]{4}"),
        RuleField("match", "Where it matches", "choice", ("start", "full", "anywhere")),
    ),
    "length": (
        RuleField("min_length", "Least length", "count"),
        RuleField("max_length", "Greatest length", "count"),
    ),
    "type": (RuleField("type", "Type", "choice", ("text", "number", "integer", "date", "boolean")),),
    "reference": (
        RuleField("table", "Other table", "text", hint="customers.csv"),
        RuleField("reference_column", "Its column", "text"),
    ),
    "row_count": (RuleField("min_rows", "Least rows", "count"), RuleField("max_rows", "Most rows", "count")),
    "freshness": (
        RuleField("max_age", "Greatest age", "text", hint="36 hours"),
        RuleField("as_of", "Counted from", "text", hint="2026-11-30; now if empty"),
    ),
    "expression": (
        RuleField("expression", "Condition in SQL", "text", hint="amount >= 0 AND amount < 1000"),
    ),
}
"""The fields by type. A type that is missing, such as ``cross_column``, takes its parameters as YAML."""

WITHOUT_COLUMN = ("row_count", "cross_column", "expression")
"""The types whose rules need no column."""
