"""What the translators of rule formats share: collected rules, and sentences about what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.rules.text_patterns import bound_pattern

_TYPE_NAMES = {
    **{"int": "integer", "integer": "integer", "bigint": "integer", "smallint": "integer"},
    **{"float": "number", "double": "number", "number": "number", "decimal": "number", "numeric": "number"},
    **{"real": "number", "str": "text", "string": "text", "text": "text", "varchar": "text", "char": "text"},
    **{"bool": "boolean", "boolean": "boolean"},
    **{"date": "date", "datetime": "date", "timestamp": "date"},
}
"""Types of other tools, without their sizes, and the type of a rule."""


class RuleFormatError(InvalidInputError):
    """A file of another tool cannot be read as rules. The message names the file and the place."""


@dataclass
class ReadRules:
    """Rules read from a file of another tool.

    Attributes:
        format_name: The format.
        ruleset: The rules.
        skipped: Sentences about what was not translated.
    """

    format_name: str
    ruleset: RuleSet
    skipped: list[str] = field(default_factory=list)

    def add(
        self,
        what: str,
        rule_type: str,
        column: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        description: str = "",
        name: str = "",
    ) -> None:
        """Append a rule. Its name is made of the column and ``what``, and numbered if it is taken."""
        base = name or (f"{column} {what}" if column else what)
        taken = {rule.name for rule in self.ruleset.rules}
        unique, number = base, 1
        while unique in taken:
            number += 1
            unique = f"{base} ({number})"
        given = {key: value for key, value in (parameters or {}).items() if value is not None}
        self.ruleset.add_rule(Rule(unique, description, rule_type, column, given))

    def skip(self, place: str, what: str, reason: str = "no rule type can express this") -> None:
        """Note something that was not translated."""
        self.skipped.append(f"{place}: {what} ({reason}).")


@dataclass
class WrittenRules:
    """Rules in the format of another tool.

    Attributes:
        values: The content of the file, as JSON values.
        skipped: Sentences about rules that were not translated.
    """

    values: Any = None
    skipped: list[str] = field(default_factory=list)

    def skip(self, rule: Rule, reason: str) -> None:
        """Note a rule that was not translated."""
        self.skipped.append(f"Rule {rule.name!r} of type {rule.rule_type}: {reason}.")

    def translatable_rules(self, ruleset: RuleSet) -> list[Rule]:
        """Return the rules to translate; those that are disabled or cannot run are noted."""
        from lavendertown.rules.running import find_problem_reason

        usable = []
        for rule in ruleset.rules:
            problem = find_problem_reason(rule) if rule.enabled else "it is disabled"
            if problem:
                self.skip(rule, problem)
            else:
                usable.append(rule)
        return usable


def find_rule_type(name: Any) -> str | None:
    """Return the type of a rule for a type name such as ``Int64``, ``VARCHAR(20)`` or ``datetime64[ns]``."""
    text = str(name).lower().partition("(")[0].partition("[")[0].strip().rstrip("0123456789").lstrip("u")
    return _TYPE_NAMES.get(text)


def current_parameters(rule: Rule) -> dict[str, Any]:
    """Return the parameters of a rule by their current names, without those that are null."""
    # Imported here, because it imports Polars, which most commands do not need.
    from lavendertown.rules.running import parameter_aliases

    names = parameter_aliases(rule.rule_type)
    values = {names.get(key, key): value for key, value in rule.parameters.items() if value is not None}
    if isinstance(values.get("columns"), str):
        values["columns"] = [values["columns"]]
    return values


def max_share_of(parameters: Mapping[str, Any]) -> float:
    """Return the tolerance of a rule as the largest accepted share."""
    if "mostly" in parameters:
        return round(1 - float(parameters["mostly"]), 12)
    return float(parameters.get("max_share", 0))


def search_pattern(parameters: Mapping[str, Any]) -> str:
    """Return the pattern of a regex rule for tools that search it anywhere in a text."""
    pattern, place = str(parameters.get("pattern")), parameters.get("match", "start")
    if place == "anywhere" or (place == "start" and pattern.startswith("^") and "|" not in pattern):
        return pattern
    return bound_pattern(pattern, place, start="^", end="$")


def severity_of(value: Any) -> str | None:
    """Return the severity of a rule for a word of another tool; None for the default, error."""
    word = {"critical": "error", "warn": "warning", "medium": "warning", "low": "info"}.get(
        str(value).lower(), str(value).lower()
    )
    return word if word in SEVERITIES and word != "error" else None


def as_mapping(value: Any, place: str) -> Mapping[str, Any]:
    """Return a mapping; an empty one for null.

    Raises:
        RuleFormatError: The value is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RuleFormatError(f"{place} must be a mapping, not {type(value).__name__}.")
    return value


def as_number(value: Any, place: str) -> float | int:
    """Return a number.

    Raises:
        RuleFormatError: The value is something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleFormatError(f"{place} must be a number, not {value!r}.")
    return value


def as_list(value: Any, place: str) -> Sequence[Any]:
    """Return a list; an empty one for null, and one with the value for a single text.

    Raises:
        RuleFormatError: The value is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise RuleFormatError(f"{place} must be a list, not {type(value).__name__}.")
    return value
