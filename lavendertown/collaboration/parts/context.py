"""What the parts of a storage share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property

from lavendertown.core.settings import Settings, load_settings
from lavendertown.inbox import Inbox
from lavendertown.inbox.attention import triage_rules
from lavendertown.records import validation
from lavendertown.records.record_classes import Record, RecordKind, ReportRecord
from lavendertown.records.store import Store
from lavendertown.records.write_path import DeleteRecord, RestoreRecord, WritePath


class StorageContext:
    """One store, the write path over it, and the inbox index of its findings.

    Attributes:
        store: Where records are read.
        write_path: The only way to change records.
        unreadable_reports: Reports that could not be read so far: item and reason.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.write_path = WritePath(store)
        self.unreadable_reports: dict[str, str] = {}
        self._inbox_index: Inbox | None = None
        self._index_lock = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings, read when they are first needed."""
        return load_settings()

    @property
    def inbox_index(self) -> Inbox:
        """The in-memory index of all findings, built on first use and kept up to date."""
        with self._index_lock:
            if self._inbox_index is None:
                self._inbox_index = Inbox(self.store, triage_rules(self.settings))
            return self._inbox_index

    def read_record(self, kind: RecordKind, record_id: str) -> Record | None:
        """Return a stored record, deleted ones too, or None; an invalid id has no record."""
        return self.store.read_record(kind, record_id) if validation.is_valid_id(record_id) else None

    def read_light_report(self, report_id: str) -> ReportRecord | None:
        """Return a stored report like :meth:`read_record`; row positions of its findings may be missing."""
        return self.store.read_light_report(report_id) if validation.is_valid_id(report_id) else None

    def resolve_finding(self, finding_id: str) -> str:
        """Return the current id of a finding; an unknown id is returned unchanged."""
        if not validation.is_valid_id(finding_id):
            return finding_id
        return self.store.resolve_fingerprint(finding_id)

    def delete_record(self, kind: RecordKind, record_id: str, actor: str | None) -> bool:
        """Delete a record; return False if there is no such live record."""
        return self.write_path.commit([DeleteRecord(kind, record_id, actor)]) != []

    def delete_versions(self, kind: RecordKind, versions: Mapping[str, int], actor: str) -> int:
        """Delete the records that are at these versions in one unit of work; return how many were deleted."""
        changes = [DeleteRecord(kind, name, actor, version) for name, version in versions.items()]
        return len(self.write_path.commit(changes))

    def restore_record(self, kind: RecordKind, record_id: str, actor: str | None) -> bool:
        """Restore a deleted record; return False if there is no such deleted record."""
        return self.write_path.commit([RestoreRecord(kind, record_id, actor)]) != []


class StoragePart:
    """Base of the parts of a storage."""

    def __init__(self, context: StorageContext) -> None:
        self._context = context
