"""Plan what to do with each source record: write it, skip it or report a conflict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from lavendertown.records.record_classes import (
    KIND_BY_CLASS,
    AnnotationRecord,
    Record,
    RecordKind,
    ReportRecord,
)
from lavendertown.records.write_path import ImportedRecord
from lavendertown.transfer.readers.source import Source
from lavendertown.transfer.record_digests import is_same_content
from lavendertown.transfer.target import Target
from lavendertown.transfer.values import Conflict, MigrationRequest, OnConflict


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """The planned action for one record.

    Attributes:
        record: The source record.
        incoming: The record to write; None to write nothing.
        conflict: The conflict with the target's record, however it is resolved.
    """

    record: Record
    incoming: ImportedRecord | None
    conflict: Conflict | None = None

    @property
    def kind(self) -> RecordKind:
        """Return the record's kind."""
        return KIND_BY_CLASS[type(self.record)]


class ConflictResolver:
    """Compares source records with the target's and decides what to write.

    Args:
        source: The store to copy from.
        target: The store to copy to.
        request: The request with the conflict policy.
        is_own_partial_copy: The target contains nothing but an earlier part of this migration, so a record
            that differs is out of date and is replaced.
    """

    def __init__(
        self, source: Source, target: Target, request: MigrationRequest, *, is_own_partial_copy: bool
    ) -> None:
        self._source = source
        self._target = target
        self._request = request
        self._is_own_partial_copy = is_own_partial_copy

    def plan_writes(self, records: Sequence[Record]) -> list[PlannedWrite]:
        """Return the plan for each of these records; all must be of one kind."""
        if not records:
            return []
        existing = self._target.read_existing(
            KIND_BY_CLASS[type(records[0])], [record.id for record in records]
        )
        return [self._plan_write(record, existing.get(record.id)) for record in records]

    def replan_changed(self, records: Sequence[Record], since: dt.datetime) -> list[PlannedWrite]:
        """Return plans for records of one kind that changed in the source since a given time.

        Records that are already equal in the target are left out. A record that was also changed in the
        target since then is a conflict.
        """
        if not records:
            return []
        kind = KIND_BY_CLASS[type(records[0])]
        existing = self._target.read_existing(kind, [record.id for record in records])
        stale = [
            record
            for record in records
            if record.id not in existing or not is_same_content(record, existing[record.id])
        ]
        comparable = [] if self._is_own_partial_copy else [r.id for r in stale if r.id in existing]
        changed_in_target = self._target.find_changed_ids(
            kind, comparable, since, self._source.read_events(since)
        )
        return [
            self._plan_write(record, existing[record.id])
            if record.id in changed_in_target
            else PlannedWrite(record, _replacement(record, existing.get(record.id)))
            for record in stale
        ]

    def _plan_write(self, record: Record, stored: Record | None) -> PlannedWrite:
        if stored is None:
            return PlannedWrite(record, ImportedRecord(record))
        if is_same_content(record, stored):
            return PlannedWrite(record, None)
        if self._is_own_partial_copy:
            return PlannedWrite(record, _replacement(record, stored))
        conflict = self._describe_conflict(record, stored)
        overwrite = conflict.decision is OnConflict.OVERWRITE
        return PlannedWrite(record, _replacement(record, stored) if overwrite else None, conflict)

    def _describe_conflict(self, record: Record, stored: Record) -> Conflict:
        kind = KIND_BY_CLASS[type(record)]
        key = record_key(record)
        return Conflict(
            key=key,
            kind=kind.value,
            record_id=record.id,
            title=_record_title(record),
            source_version=record.version,
            source_changed_at=record.updated_at,
            source_by=self._source.changed_by(record),
            source_deleted=record.deleted_at is not None,
            target_version=stored.version,
            target_changed_at=stored.updated_at,
            target_by=self._target.changed_by(stored),
            target_deleted=stored.deleted_at is not None,
            decision=self._request.choices.get(key, self._request.on_conflict),
        )


def _replacement(record: Record, stored: Record | None) -> ImportedRecord:
    return ImportedRecord(record, None if stored is None else stored.version)


def record_key(record: Record) -> str:
    """Return a key that is unique across all kinds of records, such as ``"report:r1"``."""
    return f"{KIND_BY_CLASS[type(record)].value}:{record.id}"


def _record_title(record: Record) -> str:
    if isinstance(record, ReportRecord):
        return record.title
    if isinstance(record, AnnotationRecord):
        return record.comment[:80] or ", ".join(record.tags) or (record.status or "")
    return record.id
