"""What becomes of each record of the source: new, there already, or in conflict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from lavendertown.migration.digest import same
from lavendertown.migration.sources import Source
from lavendertown.migration.target import Target
from lavendertown.migration.values import Conflict, OnConflict, Request
from lavendertown.records.accessor import Incoming
from lavendertown.records.values import KIND_OF, AnnotationRecord, Kind, Record, ReportRecord


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one record.

    Attributes:
        incoming: What is to be written; None where nothing is.
        conflict: What the target holds instead, whatever is done about it.
    """

    record: Record
    incoming: Incoming | None
    conflict: Conflict | None = None

    @property
    def kind(self) -> Kind:
        """The record's kind."""
        return KIND_OF[type(self.record)]


class Judge:
    """Decides record by record.

    Args:
        source, target: Where the records come from and go to.
        request: Says what to do about conflicts.
        own: The target holds nothing but an earlier part of this move: what differs is out of date.
    """

    def __init__(self, source: Source, target: Target, request: Request, *, own: bool) -> None:
        self._source = source
        self._target = target
        self._request = request
        self._own = own

    def judge(self, records: Sequence[Record]) -> list[Plan]:
        """Return the plan for each of these records, which are of one kind."""
        if not records:
            return []
        held = self._target.holds(KIND_OF[type(records[0])], [record.id for record in records])
        return [self._plan(record, held.get(record.id)) for record in records]

    def renew(self, records: Sequence[Record], since: dt.datetime) -> list[Plan]:
        """Return plans for records of one kind that changed in the source since a moment.

        Those that the target has already as they are now are left out; those that were changed in
        the target meanwhile as well are in conflict.
        """
        if not records:
            return []
        kind = KIND_OF[type(records[0])]
        held = self._target.holds(kind, [record.id for record in records])
        stale = [each for each in records if each.id not in held or not same(each, held[each.id])]
        known = [each.id for each in stale if each.id in held and not self._own]
        theirs = self._target.changed_here(kind, known, since, self._source.events(since))
        return [
            self._plan(each, held[each.id])
            if each.id in theirs
            else Plan(each, Incoming(each, held[each.id].version if each.id in held else None))
            for each in stale
        ]

    def _plan(self, record: Record, stored: Record | None) -> Plan:
        if stored is None:
            return Plan(record, Incoming(record))
        if same(record, stored):
            return Plan(record, None)
        if self._own:
            return Plan(record, Incoming(record, stored.version))
        conflict = self._conflict(record, stored)
        overwrite = conflict.decision is OnConflict.OVERWRITE
        return Plan(record, Incoming(record, stored.version) if overwrite else None, conflict)

    def _conflict(self, record: Record, stored: Record) -> Conflict:
        kind = KIND_OF[type(record)]
        key = key_of(record)
        return Conflict(
            key=key,
            kind=kind.value,
            record_id=record.id,
            title=_title(record),
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


def key_of(record: Record) -> str:
    """Return what names a record among all kinds."""
    return f"{KIND_OF[type(record)].value}:{record.id}"


def _title(record: Record) -> str:
    if isinstance(record, ReportRecord):
        return record.title
    if isinstance(record, AnnotationRecord):
        return record.comment[:80] or ", ".join(record.tags) or (record.status or "")
    return record.id
