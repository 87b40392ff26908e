"""What every part of a storage has: the store it reads, and the one path it writes by."""

from __future__ import annotations

from lavendertown.records import rules
from lavendertown.records.accessor import WritePath
from lavendertown.records.contract import Store
from lavendertown.records.values import Kind, Record


class Core:
    """A store and the write path over it."""

    store: Store
    writes: WritePath

    def _read(self, kind: Kind, record_id: str) -> Record | None:
        return self.store.read(kind, record_id) if rules.is_id(record_id) else None

    def resolve_finding(self, finding_id: str) -> str:
        """Return the id a finding has today; an unknown id is its own."""
        return self.store.resolve(finding_id) if rules.is_id(finding_id) else finding_id
