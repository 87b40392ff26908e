"""What can be moved from: every kind of store, read record by record."""

from __future__ import annotations

import abc
import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from lavendertown.collaboration.storage import refuse_half_filled
from lavendertown.errors import InvalidInputError
from lavendertown.migration.places import Place, state
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.values import TimeSample
from lavendertown.records.contract import Store
from lavendertown.records.files import formats, report_format
from lavendertown.records.files.layout import Layout
from lavendertown.records.queries import AuditQuery
from lavendertown.records.values import (
    KIND_OF,
    AnnotationRecord,
    AuditEvent,
    Kind,
    Page,
    PlainRecord,
    Record,
    ReportRecord,
    RuleSetRecord,
)

SAMPLES = 5


class Source(abc.ABC):
    """A store that is only read. What cannot be read goes into quarantine and the reading goes on.

    The methods are called in the order they stand here, and again for the verification.

    Attributes:
        quarantine: Takes what cannot be read.
        times: A few times without a zone, and how they are read.
        store: The open store, where the source is one that can still be written.
    """

    store: Store | None = None

    def __init__(self, quarantine: Quarantine) -> None:
        self.quarantine = quarantine
        self.times: list[TimeSample] = []

    @abc.abstractmethod
    def total(self) -> int:
        """Return about how many records and audit events there are."""

    @abc.abstractmethod
    def reports(self) -> Iterator[ReportRecord]:
        """Yield the reports, deleted ones too."""

    @abc.abstractmethod
    def aliases(self) -> Mapping[str, str]:
        """Return older ids of findings, and the ids they have today."""

    @abc.abstractmethod
    def annotations(self) -> Iterator[AnnotationRecord]:
        """Yield the annotations, deleted ones too, each once."""

    @abc.abstractmethod
    def rulesets(self) -> Iterator[RuleSetRecord]:
        """Yield the rule sets, deleted ones too."""

    def plain(self, kind: Kind) -> Iterator[PlainRecord]:
        """Yield the records of a flat kind, deleted ones too; 0.7 kept none."""
        yield from ()

    @abc.abstractmethod
    def events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        """Yield the audit events from a moment on, oldest first."""

    @abc.abstractmethod
    def read(self, kind: Kind, record_id: str, finding_id: str = "") -> Record | None:
        """Return one record as it is now; of an annotation, the finding it is about must be told."""

    def changed_by(self, record: Record) -> str:
        """Return who changed a record last, as far as that is known."""
        return last_actor(self.store, record) if self.store is not None else author_of(record)

    def still(self) -> AbstractContextManager[None]:
        """Let nobody write to the source while the block runs, where it is one that can be written."""
        return self.store.frozen() if self.store is not None else nullcontext()

    def set_aside(self, record: Record, reason: str) -> None:
        """Put a record into quarantine that could be read but may not be stored."""
        kind = KIND_OF[type(record)].value
        self.quarantine.add(f"{kind} {record.id!r}", reason, _as_file(record))

    def close(self) -> None:
        """Let go of connections."""
        if self.store is not None:
            self.store.close()

    def sample(self, item: str, written: object, read_as: dt.datetime) -> None:
        """Remember how a time was read, if it had no zone."""
        if len(self.times) < SAMPLES and dt.datetime.fromisoformat(str(written)).tzinfo is None:
            self.times.append(TimeSample(item, str(written), read_as))


def last_actor(store: Store, record: Record) -> str:
    """Return who changed a record last, by a store's audit log; its author where that says nothing."""
    query = AuditQuery(components=(KIND_OF[type(record)].value,), record_ids=(record.id,))
    last = next(iter(store.scan(query, Page(limit=1))), None)
    return last.actor if last is not None else author_of(record)


def author_of(record: Record) -> str:
    """Return who made a record, as far as it says."""
    return record.author if isinstance(record, (ReportRecord, AnnotationRecord)) else ""


def _as_file(record: Record) -> bytes:
    if isinstance(record, ReportRecord):
        return report_format.write_report(record)
    if isinstance(record, AnnotationRecord):
        return formats.write_thread([record])
    if isinstance(record, RuleSetRecord):
        return formats.write_ruleset(record)
    return formats.write_plain(record)


def kind_of(event: AuditEvent) -> Kind | None:
    """Return the kind of record an event is about; None for those about the store itself."""
    return Kind(event.component) if event.component in set(Kind) else None


def read_zone(name: str | None) -> dt.tzinfo | None:
    """Return the zone with an IANA name.

    Raises:
        InvalidInputError: There is none.
    """
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"The time zone {name!r} is not known; use a name such as Europe/Berlin, Asia/Tokyo or UTC."
        ) from error


def open_source(place: Place, zone: dt.tzinfo | None, quarantine: Quarantine) -> Source:
    """Open a place for reading.

    Raises:
        InvalidInputError: There is nothing at the place.
        SchemaError: The database has a schema that cannot be read.
        UnfinishedMoveError: It holds only a part of another store so far.
        StorageUnavailableError: It does not answer.
    """
    if not place.exists:
        raise InvalidInputError(
            f"There is no store to move from: {place.folder or place.file} does not exist."
        )
    if place.folder is not None:
        from lavendertown.migration.folder import FolderSource

        folder = FolderSource(place.folder, zone, quarantine)
        # A folder that was never moved into is not asked: what is damaged in it must not be in the way.
        return _whole(folder) if Layout(place.folder).moves.is_dir() else folder
    found = state(place)
    if found == "empty":
        raise InvalidInputError(f"There is nothing to move: {place.words} is empty.")
    if found == "old":
        from lavendertown.migration.old import OldDatabaseSource

        return OldDatabaseSource.open(place.url, zone, quarantine)
    from lavendertown.migration.stored import DatabaseSource

    return _whole(DatabaseSource(place, quarantine))


def _whole(source: Source) -> Source:
    if source.store is not None:
        refuse_half_filled(source.store)
    return source
