"""What every part of a storage has: the store it reads, the one path it writes by, its findings."""

from __future__ import annotations

import threading

from lavendertown.records import rules
from lavendertown.records.accessor import WritePath
from lavendertown.records.contract import Store
from lavendertown.records.inbox import Inbox
from lavendertown.records.values import Kind, Record

_opening = threading.Lock()


class Core:
    """A store, the write path over it, and the findings in it."""

    store: Store
    writes: WritePath
    _inbox: Inbox | None = None

    @property
    def inbox(self) -> Inbox:
        """All findings in memory; read when first asked for, then kept up to date."""
        with _opening:
            if self._inbox is None:
                self._inbox = Inbox(self.store)
            return self._inbox

    def _read(self, kind: Kind, record_id: str) -> Record | None:
        return self.store.read(kind, record_id) if rules.is_id(record_id) else None

    def resolve_finding(self, finding_id: str) -> str:
        """Return the id a finding has today; an unknown id is its own."""
        return self.store.resolve(finding_id) if rules.is_id(finding_id) else finding_id
