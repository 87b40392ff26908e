"""Rules and rule sets, in the shape LavenderTown 0.7 wrote them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lavendertown.errors import InvalidInputError


@dataclass
class Rule:
    """One check that a person chose.

    Attributes:
        name: Unique within its rule set.
        description: What it checks, for people.
        rule_type: Such as ``"range"``, ``"regex"`` or ``"enum"``.
        column: The column it looks at; None for a rule over several columns.
        parameters: The rule type's own settings, plain JSON values.
        enabled: Whether it runs.
    """

    name: str
    description: str
    rule_type: str
    column: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    enabled: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as a dictionary with one key a field."""
        return {
            "name": self.name,
            "description": self.description,
            "rule_type": self.rule_type,
            "column": self.column,
            "parameters": self.parameters,
            "enabled": self.enabled,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Rule:
        """Build a rule from :meth:`to_dict`'s dictionary.

        Raises:
            InvalidInputError: A required key is missing.
        """
        missing = [k for k in ("name", "description", "rule_type") if k not in data]
        if missing:
            raise InvalidInputError(f"This rule lacks {', '.join(missing)}.")
        return cls(
            name=data["name"],
            description=data["description"],
            rule_type=data["rule_type"],
            column=data.get("column"),
            parameters=data.get("parameters") or {},
            enabled=data.get("enabled", True),
        )


@dataclass
class RuleSet:
    """A named collection of rules.

    Attributes:
        name: Identifies the set in a store.
        description: What it is for.
        rules: Its rules, in the order they run.
    """

    name: str
    description: str
    rules: list[Rule] = field(default_factory=list)

    def add_rule(self, rule: Rule) -> None:
        """Append a rule."""
        self.rules.append(rule)

    def remove_rule(self, rule_name: str) -> bool:
        """Remove the first rule of that name; say whether there was one."""
        for position, rule in enumerate(self.rules):
            if rule.name == rule_name:
                del self.rules[position]
                return True
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return the set as a dictionary, rules included."""
        return {
            "name": self.name,
            "description": self.description,
            "rules": [rule.to_dict() for rule in self.rules],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RuleSet:
        """Build a rule set from :meth:`to_dict`'s dictionary.

        Raises:
            InvalidInputError: A required key is missing.
        """
        missing = [k for k in ("name", "description") if k not in data]
        if missing:
            raise InvalidInputError(f"This rule set lacks {', '.join(missing)}.")
        return cls(
            name=data["name"],
            description=data["description"],
            rules=[Rule.from_dict(rule) for rule in data.get("rules") or []],
        )
