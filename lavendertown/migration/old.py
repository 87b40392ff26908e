"""A database that LavenderTown 0.7 wrote, as a source: whole numbers for ids, findings in one column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from lavendertown import clock, codec
from lavendertown.database.old import OldDatabase
from lavendertown.errors import LavenderTownError
from lavendertown.identity import is_legacy_id
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.sources import Source
from lavendertown.models import GhostFinding
from lavendertown.records.findings import finding_record
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    Kind,
    Record,
    ReportRecord,
    RuleSetRecord,
)

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, LavenderTownError)


class OldDatabaseSource(Source):
    """Reports, annotations and rule sets of 0.7.

    Args:
        database: The tables.
        zone: Where its times, which have no zone, were written; None is UTC, which 0.7 used.
        quarantine: Takes what cannot be read.
    """

    def __init__(self, database: OldDatabase, zone: dt.tzinfo | None, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self._database = database
        self._zone = zone or clock.UTC
        self._bearers: dict[str, tuple[dt.datetime, str, str]] = {}

    @classmethod
    def open(cls, url: str, zone: dt.tzinfo | None, quarantine: Quarantine) -> OldDatabaseSource:
        """Open the database with this URL."""
        return cls(OldDatabase.open(url), zone, quarantine)

    def total(self) -> int:
        return self._database.count()

    def reports(self) -> Iterator[ReportRecord]:
        waiting = {row["finding_id"] for row in self._database.rows("annotations")}
        waiting = {name for name in waiting if is_legacy_id(name)}
        for row, record in self._read("reports", self._report):
            self.sample(f"report {row['id']}", row["created_at"], record.created_at)
            for finding in record.findings:
                if finding.legacy_id in waiting:
                    bearer = (record.created_at, record.id, finding.fingerprint)
                    self._bearers[finding.legacy_id] = max(
                        self._bearers.get(finding.legacy_id, bearer), bearer
                    )
            yield record

    def aliases(self) -> Mapping[str, str]:
        return {old: name for old, (_, _, name) in self._bearers.items()}

    def annotations(self) -> Iterator[AnnotationRecord]:
        for row, record in self._read("annotations", self._annotation):
            self.sample(f"annotation {row['id']}", row["created_at"], record.created_at)
            yield record

    def rulesets(self) -> Iterator[RuleSetRecord]:
        taken: set[str] = set()
        for row, record in self._read("rulesets", self._ruleset):
            if record.id in taken:
                reason = f"its name {record.id!r} is taken by another rule set"
                self.quarantine.add(f"rule set {row['id']}", reason, _text(row))
                continue
            taken.add(record.id)
            yield record

    def events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        """0.7 kept none."""
        yield from ()

    def read(self, kind: Kind, record_id: str, finding_id: str = "") -> Record | None:
        """0.7 kept no events that could name one."""
        return None

    def close(self) -> None:
        self._database.close()

    def _read(self, table: str, build: Any) -> Iterator[tuple[Mapping[str, Any], Any]]:
        for row in self._database.rows(table):
            try:
                record = build(row)
            except _UNREADABLE as error:
                reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
                self.quarantine.add(f"{_NAMES[table]} {row['id']}", reason, _text(row))
                continue
            yield row, record

    def _report(self, row: Mapping[str, Any]) -> ReportRecord:
        created_at = clock.parse(row["created_at"], self._zone)
        ghosts = [GhostFinding.from_dict(found) for found in _json(row["findings_json"]) or []]
        return ReportRecord(
            id=str(row["id"]),
            title=row["title"],
            author=row["author"],
            dataset="",
            created_at=created_at,
            tags=(),
            metadata={},
            ruleset=None,
            findings=tuple(finding_record(ghost, "") for ghost in ghosts),
            updated_at=created_at,
            version=1,
        )

    def _annotation(self, row: Mapping[str, Any]) -> AnnotationRecord:
        created_at = clock.parse(row["created_at"], self._zone)
        return AnnotationRecord(
            id=str(row["id"]),
            finding_id=row["finding_id"],
            author=row["author"],
            created_at=created_at,
            comment=row["comment"] or "",
            # 0.7 kept one as often as it was given.
            tags=tuple(dict.fromkeys(_json(row["tags"]) or ())),
            status=row["status"] or None,
            report_id=None,
            updated_at=created_at,
            version=1,
        )

    def _ruleset(self, row: Mapping[str, Any]) -> RuleSetRecord:
        return RuleSetRecord(
            id=row["name"],
            description=row["description"] or "",
            rules=tuple(_json(row["rules_json"]) or ()),
            updated_at=clock.parse(row["created_at"], self._zone),
            version=1,
        )


_NAMES = {"reports": "report", "annotations": "annotation", "rulesets": "rule set"}


def _json(text: str | None) -> Any:
    return None if text is None else codec.loads_old(text.encode("utf-8"))


def _text(row: Mapping[str, Any]) -> bytes:
    return codec.dumps(
        {name: None if value is None else str(value) for name, value in row.items()}, indent=True
    )
