"""Rules and rule sets, with the same fields as in LavenderTown 0.7."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lavendertown.core.dataclass_dicts import fields_from_dict, fields_to_dict


@dataclass
class Rule:
    """One check that a person defined.

    Attributes:
        name: The name, unique within the rule set.
        description: The purpose of the rule, for people.
        rule_type: The type, such as ``"range"``, ``"regex"`` or ``"enum"``.
        column: The column to check; None for a rule over several columns.
        parameters: The parameters of the rule type, as plain JSON values.
        enabled: Whether the rule runs.
    """

    name: str
    description: str
    rule_type: str
    column: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as a dictionary with one key per field."""
        return fields_to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Rule:
        """Build a rule from a dictionary that :meth:`to_dict` returned.

        Raises:
            InvalidInputError: A required key is missing.
        """
        return cls(**fields_from_dict(cls, data, "rule"))


@dataclass
class RuleSet:
    """A named collection of rules.

    Attributes:
        name: The name, unique within a store.
        description: The purpose of the rule set.
        rules: The rules in the order in which they run.
    """

    name: str
    description: str
    rules: list[Rule] = field(default_factory=list)

    def add_rule(self, rule: Rule) -> None:
        """Append a rule."""
        self.rules.append(rule)

    def remove_rule(self, rule_name: str) -> bool:
        """Remove the first rule with this name; return whether there was one."""
        for position, rule in enumerate(self.rules):
            if rule.name == rule_name:
                del self.rules[position]
                return True
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return the rule set as a dictionary, including its rules."""
        return fields_to_dict(self) | {"rules": [rule.to_dict() for rule in self.rules]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RuleSet:
        """Build a rule set from a dictionary that :meth:`to_dict` returned.

        Raises:
            InvalidInputError: A required key is missing.
        """
        values = fields_from_dict(cls, data, "rule set")
        return cls(**values | {"rules": [Rule.from_dict(rule) for rule in values.get("rules", ())]})
