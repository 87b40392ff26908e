"""The target of a migration; in a dry run it is only read and need not exist."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import load_settings
from lavendertown.records.queries import AuditQuery, DeletedFilter, ReportQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    AuditEvent,
    MigrationRecord,
    Page,
    Record,
    RecordKind,
)
from lavendertown.records.store import Store
from lavendertown.records.write_path import ImportBatch, WritePath
from lavendertown.transfer.locations import StoreLocation, open_store, read_store_state
from lavendertown.transfer.readers.source import find_last_actor
from lavendertown.transfer.record_digests import hash_event

_LEGACY_REFUSAL = (
    "{name} was written by LavenderTown 0.7 and must be upgraded before it can be a target; nothing was "
    "changed. Run: lavendertown db upgrade --url … (it is backed up first), or choose another target."
)


class Target:
    """Reads and writes the target store of a migration.

    Args:
        location: Where it is.
        store: The open store; None in a dry run into an empty store.

    Attributes:
        was_empty: Whether the store was empty when it was opened.
        unfinished: The latest unfinished migration into the store.
    """

    def __init__(self, location: StoreLocation, store: Store | None) -> None:
        self.location = location
        self._store = store
        self._write_path = WritePath(store) if store is not None else None
        self.was_empty = store is None or _is_empty_store(store)
        self.unfinished = self._find_unfinished()

    @classmethod
    def open(cls, location: StoreLocation, *, dry_run: bool) -> Target:
        """Open the target; in a dry run, create no tables.

        Raises:
            InvalidInputError: The database was written by 0.7.
            SchemaError: The database has another schema.
            StorageUnavailableError: The database does not respond.
        """
        state = read_store_state(location)
        if state == "old":
            raise InvalidInputError(_LEGACY_REFUSAL.format(name=location.display_name))
        return cls(location, None if dry_run and state == "empty" else open_store(location))

    @property
    def store(self) -> Store:
        """Return the open store."""
        assert self._store is not None
        return self._store

    def read_existing(self, kind: RecordKind, ids: Sequence[str]) -> Mapping[str, Record]:
        """Return the records with these ids that the target has, by id."""
        return self._store.read_records(kind, ids) if self._store is not None else {}

    def find_missing_events(self, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        """Return the events that the target does not have. The given events must be sorted by time."""
        if self._store is None or not events:
            return list(events)
        query = AuditQuery(since=events[0].at, until=events[-1].at)
        existing = Counter(map(hash_event, self._store.scan(query, ALL_ITEMS)))
        missing = []
        for event in events:
            digest = hash_event(event)
            if existing[digest]:
                existing[digest] -= 1
            else:
                missing.append(event)
        return missing

    def read_aliases(self) -> Mapping[str, str]:
        """Return the target's aliases: old finding ids, and the ids they lead to."""
        return self._store.aliases() if self._store is not None else {}

    def changed_by(self, record: Record) -> str:
        """Return the last person who changed one of the target's records."""
        return find_last_actor(self.store, record)

    def find_changed_ids(
        self, kind: RecordKind, ids: Sequence[str], since: dt.datetime, events: Iterable[AuditEvent]
    ) -> set[str]:
        """Return the ids of records that were changed in the target itself since a given time.

        Args:
            kind: The kind of the records.
            ids: Their ids.
            since: The time.
            events: The source's events since then. Changes they describe were made in the source, not in
                the target. Read only if necessary.
        """
        changes: dict[bytes, str] = {}
        for record_id in ids if self._store is not None else ():
            query = AuditQuery(component=(kind.value,), record_id=(record_id,), since=since)
            changes |= {hash_event(event): record_id for event in self.store.scan(query, ALL_ITEMS)}
        for event in events if changes else ():
            changes.pop(hash_event(event), None)
        return set(changes.values())

    def import_records(self, incoming: ImportBatch) -> None:
        """Import records in one unit of work."""
        assert self._write_path is not None
        self._write_path.import_records(incoming)

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()

    def _find_unfinished(self) -> MigrationRecord | None:
        migrations = self._store.migrations() if self._store is not None else ()
        return next((each for each in reversed(migrations) if each.finished_at is None), None)


def _is_empty_store(store: Store) -> bool:
    return not (
        store.count(ReportQuery(deleted=DeletedFilter.INCLUDED))
        or store.scan(AuditQuery(), Page(limit=1))
        or store.migrations()
    )


def choose_quarantine_folder(source: StoreLocation, target: StoreLocation, migration_id: str) -> Path:
    """Return the folder for copies of unreadable items: next to the target, never inside the source."""
    if target.folder is not None:
        parent = target.folder
    elif target.file is not None:
        parent = target.file.parent
    else:
        parent = load_settings().data_dir
    source_folder = source.folder.resolve() if source.folder is not None else None
    if source_folder is not None and parent.resolve().is_relative_to(source_folder):
        return source_folder.with_name(f"{source_folder.name}-quarantine") / migration_id
    return parent / "quarantine" / migration_id
