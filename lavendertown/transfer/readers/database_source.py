"""Read a database as the source of a migration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from lavendertown.core.errors import DamagedRecordError
from lavendertown.records import field_checks
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    DeletedFilter,
    FlatRecordQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AnnotationRecord,
    AuditEvent,
    FlatRecord,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
)
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source

if TYPE_CHECKING:
    from lavendertown.stores.sql.store import DatabaseStore


class DatabaseSource(Source):
    """Reads the records of a database, a few in memory at a time."""

    def __init__(self, store: DatabaseStore, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self.store = self._database = store

    def count_items(self) -> int:
        included = DeletedFilter.INCLUDED
        queries: tuple[Query, ...] = (
            ReportQuery(deleted=included),
            AnnotationQuery(deleted=included),
            RuleSetQuery(deleted=included),
        )
        queries += (AuditQuery(), *(FlatRecordQuery(kind, deleted=included) for kind in FLAT_RECORD_CLASSES))
        return sum(map(self._database.count, queries))

    def read_reports(self) -> Iterator[ReportRecord]:
        return cast(Iterator[ReportRecord], self._iterate_records(RecordKind.REPORT))

    def read_aliases(self) -> Mapping[str, str]:
        return self._database.aliases()

    def read_annotations(self) -> Iterator[AnnotationRecord]:
        return cast(Iterator[AnnotationRecord], self._iterate_records(RecordKind.ANNOTATION))

    def read_rulesets(self) -> Iterator[RuleSetRecord]:
        return cast(Iterator[RuleSetRecord], self._iterate_records(RecordKind.RULESET))

    def read_flat_records(self, kind: RecordKind) -> Iterator[FlatRecord]:
        return cast(Iterator[FlatRecord], self._iterate_records(kind))

    def read_events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        return self._database.iterate_events(since, self.quarantine.add_item)

    def read_record(self, kind: RecordKind, record_id: str, finding_id: str = "") -> Record | None:
        try:
            record = self._database.read_record(kind, record_id)
            if record is not None:
                field_checks.check_stored_record(record)
        except (DamagedRecordError, ValueError):
            # Quarantined already, when all records were read.
            return None
        return record

    def _iterate_records(self, kind: RecordKind) -> Iterator[Record]:
        return self._database.iterate_records(kind, self.quarantine.add_item)
