"""Rule sets, each under its name."""

from __future__ import annotations

from typing import Any

from lavendertown.collaboration import filters, mapping
from lavendertown.collaboration.core import Core
from lavendertown.records.accessor import Put, Remove, Restore
from lavendertown.records.values import Kind, RuleSetRecord
from lavendertown.rules.models import RuleSet


class RuleSets(Core):
    """The rule sets of a storage."""

    def save_ruleset(self, ruleset: RuleSet, *, actor: str = "internal") -> str:
        """Save a rule set under its name, new or changed, and return the name."""
        self.writes.commit([Put(mapping.ruleset_record(ruleset), None, actor)])
        return ruleset.name

    def load_ruleset(self, name: str) -> RuleSet | None:
        """Return the rule set of that name, or None."""
        record = self._read(Kind.RULESET, name)
        if not isinstance(record, RuleSetRecord) or record.deleted_at is not None:
            return None
        return mapping.ruleset(record)

    def query_rulesets(
        self,
        search: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        include_deleted: bool = False,
    ) -> list[dict[str, Any]]:
        """List rule sets by name: name, description, rule_count, updated_at, version, deleted_at."""
        query = filters.ruleset_query(search, include_deleted)
        return [mapping.row(found) for found in self.store.scan(query, filters.page(limit, offset))]

    def delete_ruleset(self, name: str, *, actor: str = "internal") -> bool:
        """Delete a rule set; say whether it was there."""
        return self.writes.commit([Remove(Kind.RULESET, name, actor)]) != []

    def restore_ruleset(self, name: str, *, actor: str = "internal") -> bool:
        """Bring a deleted rule set back; say whether it was deleted."""
        return self.writes.commit([Restore(Kind.RULESET, name, actor)]) != []
