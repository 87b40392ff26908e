"""Define the source of a migration: any store, read record by record."""

from __future__ import annotations

import abc
import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.records.legacy_values import values_differ
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import (
    KIND_BY_CLASS,
    AnnotationRecord,
    AuditEvent,
    FlatRecord,
    Page,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
)
from lavendertown.records.store import Store
from lavendertown.stores.files import formats, report_format
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.values import TimeSample

MAX_TIME_SAMPLES = 5


class Source(abc.ABC):
    """A store that is only read. Unreadable items are quarantined, and reading continues.

    The methods are called in the order in which they are defined, and again for the verification.

    Attributes:
        quarantine: Takes the unreadable items.
        times: A few times without a zone, and how they are interpreted.
        store: The open store; None for a database of 0.7, which is never written.
        normalized: Names of the records of 0.7 that were normalized without loss.
    """

    store: Store | None = None

    def __init__(self, quarantine: Quarantine) -> None:
        self.quarantine = quarantine
        self.times: list[TimeSample] = []
        self.normalized: set[str] = set()

    @abc.abstractmethod
    def count_items(self) -> int:
        """Return the approximate number of records and audit events."""

    @abc.abstractmethod
    def read_reports(self) -> Iterator[ReportRecord]:
        """Yield the reports, including deleted ones."""

    @abc.abstractmethod
    def read_aliases(self) -> Mapping[str, str]:
        """Return the aliases: old finding ids, and the ids they lead to."""

    @abc.abstractmethod
    def read_annotations(self) -> Iterator[AnnotationRecord]:
        """Yield each annotation once, including deleted ones."""

    @abc.abstractmethod
    def read_rulesets(self) -> Iterator[RuleSetRecord]:
        """Yield the rule sets, including deleted ones."""

    def read_flat_records(self, kind: RecordKind) -> Iterator[FlatRecord]:
        """Yield the records of a flat kind, including deleted ones; a store of 0.7 has none."""
        yield from ()

    @abc.abstractmethod
    def read_events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        """Yield the audit events since a given time, oldest first."""

    @abc.abstractmethod
    def read_record(self, kind: RecordKind, record_id: str, finding_id: str = "") -> Record | None:
        """Return the current state of a record; for an annotation, ``finding_id`` is required."""

    def changed_by(self, record: Record) -> str:
        """Return who changed a record last; an empty string if unknown."""
        return find_last_actor(self.store, record) if self.store is not None else record_author(record)

    def freeze_writes(self) -> AbstractContextManager[None]:
        """Block writes to the source while the context is open."""
        return self.store.block_writes() if self.store is not None else nullcontext()

    def quarantine_record(self, record: Record, reason: str) -> None:
        """Quarantine a record that is readable but invalid."""
        kind = KIND_BY_CLASS[type(record)].value
        self.quarantine.add_item(f"{kind} {record.id!r}", reason, _encode_record(record))

    def close(self) -> None:
        """Close the store."""
        if self.store is not None:
            self.store.close()

    def note_normalized(self, item: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Count a record of 0.7 as normalized if its values have changed."""
        if values_differ(before, after):
            self.normalized.add(item)

    def note_time_sample(self, item: str, written: object, read_as: dt.datetime) -> None:
        """Keep a sample of how a time was interpreted, if it has no zone."""
        if len(self.times) < MAX_TIME_SAMPLES and dt.datetime.fromisoformat(str(written)).tzinfo is None:
            self.times.append(TimeSample(item, str(written), read_as))


def find_last_actor(store: Store, record: Record) -> str:
    """Return who changed a record last according to the audit log, else its author."""
    query = AuditQuery(component=(KIND_BY_CLASS[type(record)].value,), record_id=(record.id,))
    latest = next(iter(store.scan(query, Page(limit=1))), None)
    return latest.actor if latest is not None else record_author(record)


def record_author(record: Record) -> str:
    """Return the author of a report or annotation; an empty string for other records."""
    return record.author if isinstance(record, (ReportRecord, AnnotationRecord)) else ""


def _encode_record(record: Record) -> bytes:
    if isinstance(record, ReportRecord):
        return report_format.write_report(record)
    if isinstance(record, AnnotationRecord):
        return formats.write_thread([record])
    if isinstance(record, RuleSetRecord):
        return formats.write_ruleset(record)
    return formats.write_flat_record(record)


def event_record_kind(event: AuditEvent) -> RecordKind | None:
    """Return the kind of record an event refers to; None for an event about the store itself."""
    return RecordKind(event.component) if event.component in set(RecordKind) else None


def parse_time_zone(name: str | None) -> dt.tzinfo | None:
    """Return the time zone with an IANA name; None for None.

    Raises:
        InvalidInputError: There is no such time zone.
    """
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"There is no time zone {name!r}. Use a name such as Europe/Berlin, Asia/Tokyo or UTC."
        ) from error
