"""Owner rules: which person owns the findings of which datasets and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lavendertown.core.errors import ConfigurationError, InvalidInputError

MAX_PATTERNS = 255
"""The maximum length of the patterns of a rule, which findings that it assigns store."""
MAX_OWNER = 255
_FORM = re.compile(
    r"\s*(?:dataset:(?P<dataset>.*?))?\s*(?:(?:^|\s)column:(?P<column>.*?))?\s*=\s*(?P<owner>[^=]*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """A person who owns the findings of matching datasets and columns.

    Attributes:
        dataset, column: Patterns such as ``orders*``, in which case does not matter; empty for any.
        owner: The person.
    """

    dataset: str
    column: str
    owner: str

    @property
    def patterns(self) -> str:
        """The patterns as in the settings: ``dataset:orders* column:email``."""
        parts = (("dataset", self.dataset), ("column", self.column))
        return " ".join(f"{name}:{pattern}" for name, pattern in parts if pattern)

    def __str__(self) -> str:
        """Return the rule as in the settings: ``dataset:orders* column:email = Ana``."""
        return f"{self.patterns} = {self.owner}"

    def matches_dataset(self, dataset: str) -> bool:
        """Return whether the rule applies to findings of a dataset, in some or all of its columns."""
        return not self.dataset or _matches(self.dataset, dataset)

    def matches(self, dataset: str, column: str) -> bool:
        """Return whether the rule applies to a finding; of several columns, one suffices."""
        if not self.matches_dataset(dataset):
            return False
        return not self.column or any(_matches(self.column, name) for name in (column, *column.split(", ")))


def parse_owner_rule(text: str) -> OwnerRule:
    """Return the rule that a text such as ``dataset:orders* column:email = Ana`` describes.

    Raises:
        ConfigurationError: It has another form, or a part is too long.
    """
    match = _FORM.fullmatch(text)
    parts = {name: (value or "").strip() for name, value in match.groupdict().items()} if match else {}
    rule = OwnerRule(parts.get("dataset", ""), parts.get("column", ""), parts.get("owner", ""))
    if not rule.owner or not rule.patterns:
        raise ConfigurationError(
            f"The owner rule {text!r} is not of the form 'dataset:orders* column:email = Ana'; "
            "write a dataset, a column or both, and a person."
        )
    if len(rule.patterns) > MAX_PATTERNS or len(rule.owner) > MAX_OWNER:
        raise ConfigurationError(
            f"The owner rule {text[:40]!r}… is too long; its patterns and its person have at most "
            f"{MAX_PATTERNS} characters."
        )
    return rule


def create_owner_rule(dataset: str, column: str, owner: str) -> OwnerRule:
    """Return the rule that a person entered.

    Args:
        dataset, column: Patterns such as ``orders*``; empty for any.
        owner: The person.

    Raises:
        InvalidInputError: Both patterns or the person are missing, or the rule cannot be written as text.
    """
    rule = OwnerRule(dataset.strip(), column.strip(), owner.strip())
    if not rule.patterns:
        raise InvalidInputError("An owner rule needs a dataset, a column or both, such as orders*.")
    if not rule.owner:
        raise InvalidInputError("An owner rule needs a person; enter a name.")
    if not str(rule).isprintable() or _read_back(rule) != rule:
        raise InvalidInputError(
            f"The owner rule {str(rule)[:80]!r} cannot be stored; leave out line breaks, '=' and ' column:', "
            f"and use at most {MAX_PATTERNS} characters."
        )
    return rule


def _read_back(rule: OwnerRule) -> OwnerRule | None:
    try:
        return parse_owner_rule(str(rule))
    except ConfigurationError:
        return None


def find_owner_rule(rules: Iterable[OwnerRule], dataset: str, column: str) -> OwnerRule | None:
    """Return the first rule that applies to a finding, or None."""
    return next((rule for rule in rules if rule.matches(dataset, column)), None)


def _matches(pattern: str, name: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())
