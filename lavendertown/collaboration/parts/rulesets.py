"""Rule sets, stored by name."""

from __future__ import annotations

from typing import Any

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.records.record_classes import RecordKind, RuleSetRecord
from lavendertown.records.write_path import SaveRecord
from lavendertown.rules.models import RuleSet


class RuleSets(StoragePart):
    """The rule sets of a storage."""

    def save(self, ruleset: RuleSet, *, actor: str | None = None) -> str:
        """Save a rule set under its name, new or changed, and return the name."""
        self._context.write_path.commit([SaveRecord(converters.to_ruleset_record(ruleset), None, actor)])
        return ruleset.name

    def load(self, name: str) -> RuleSet | None:
        """Return the live rule set with this name, or None."""
        record = self._context.read_record(RecordKind.RULESET, name)
        if not isinstance(record, RuleSetRecord) or record.deleted_at is not None:
            return None
        return converters.to_ruleset(record)

    def query(
        self,
        search: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        include_deleted: bool = False,
    ) -> list[dict[str, Any]]:
        """List rule sets by name: name, description, rule_count, updated_at, version, deleted_at."""
        query = filters.build_ruleset_query(search, include_deleted)
        return [
            converters.summary_to_row(found)
            for found in self._context.store.scan(query, filters.make_page(limit, offset))
        ]

    def delete(self, name: str, *, actor: str | None = None) -> bool:
        """Delete a rule set; return False if it does not exist."""
        return self._context.delete_record(RecordKind.RULESET, name, actor)

    def restore(self, name: str, *, actor: str | None = None) -> bool:
        """Restore a deleted rule set; return False if it was not deleted."""
        return self._context.restore_record(RecordKind.RULESET, name, actor)
