"""A database as a source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import cast

from lavendertown.errors import DamagedRecordError
from lavendertown.migration.places import Place, open_database
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.sources import Source
from lavendertown.records import sound
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    Deleted,
    PlainQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.values import (
    PLAIN,
    AnnotationRecord,
    AuditEvent,
    Kind,
    PlainRecord,
    Record,
    ReportRecord,
    RuleSetRecord,
)


class DatabaseSource(Source):
    """Every record of a database, a few in memory at a time."""

    def __init__(self, place: Place, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self.store = self._database = open_database(place)

    def total(self) -> int:
        both = Deleted.INCLUDED
        queries: tuple[Query, ...] = (
            ReportQuery(deleted=both),
            AnnotationQuery(deleted=both),
            RuleSetQuery(deleted=both),
        )
        queries += (AuditQuery(), *(PlainQuery(kind, deleted=both) for kind in PLAIN))
        return sum(map(self._database.count, queries))

    def reports(self) -> Iterator[ReportRecord]:
        return cast(Iterator[ReportRecord], self._walk(Kind.REPORT))

    def aliases(self) -> Mapping[str, str]:
        return self._database.aliases()

    def annotations(self) -> Iterator[AnnotationRecord]:
        return cast(Iterator[AnnotationRecord], self._walk(Kind.ANNOTATION))

    def rulesets(self) -> Iterator[RuleSetRecord]:
        return cast(Iterator[RuleSetRecord], self._walk(Kind.RULESET))

    def plain(self, kind: Kind) -> Iterator[PlainRecord]:
        return cast(Iterator[PlainRecord], self._walk(kind))

    def events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        return self._database.walk_events(since, self.quarantine.add)

    def read(self, kind: Kind, record_id: str, finding_id: str = "") -> Record | None:
        try:
            record = self._database.read(kind, record_id)
            if record is not None:
                sound.check(record)
        except (DamagedRecordError, ValueError):
            # It was met when all records were gone through, and lies in quarantine.
            return None
        return record

    def _walk(self, kind: Kind) -> Iterator[Record]:
        return self._database.walk(kind, self.quarantine.add)
