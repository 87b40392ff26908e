"""Read a database of LavenderTown 0.7, with integer ids and findings in one column, as a source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import LavenderTownError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import is_legacy_id
from lavendertown.records.finding_conversion import finding_to_record
from lavendertown.records.legacy_values import normalize_annotation, normalize_findings, normalize_report
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
)
from lavendertown.stores.sql.schema.legacy_07 import LegacyDatabase
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, LavenderTownError)


class LegacyDatabaseSource(Source):
    """Reads the reports, annotations and rule sets of 0.7.

    Args:
        database: The tables.
        zone: The time zone of its times, which are stored without one; None is UTC, which 0.7 used.
        quarantine: Takes the unreadable items.
    """

    def __init__(self, database: LegacyDatabase, zone: dt.tzinfo | None, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self._database = database
        self._zone = zone or clock.UTC
        self._newest_by_legacy_id: dict[str, tuple[dt.datetime, str, str]] = {}

    @classmethod
    def open(cls, url: str, zone: dt.tzinfo | None, quarantine: Quarantine) -> LegacyDatabaseSource:
        """Open the database with this URL."""
        return cls(LegacyDatabase.open_url(url), zone, quarantine)

    def count_items(self) -> int:
        return self._database.count_rows()

    def read_reports(self) -> Iterator[ReportRecord]:
        annotated_ids = {row["finding_id"] for row in self._database.read_rows("annotations")}
        annotated_ids = {finding_id for finding_id in annotated_ids if is_legacy_id(finding_id)}
        for row, record in self._read_rows("reports", self._build_report):
            stored = {
                "findings": _parse_json(row["findings_json"]),
                "title": row["title"],
                "author": row["author"],
            }
            self.note_normalized(f"report {row['id']}", stored, normalize_report(stored))
            self.note_time_sample(f"report {row['id']}", row["created_at"], record.created_at)
            for finding in record.findings:
                if finding.legacy_id in annotated_ids:
                    candidate = (record.created_at, record.id, finding.fingerprint)
                    self._newest_by_legacy_id[finding.legacy_id] = max(
                        self._newest_by_legacy_id.get(finding.legacy_id, candidate), candidate
                    )
            yield record

    def read_aliases(self) -> Mapping[str, str]:
        return {old: new for old, (_, _, new) in self._newest_by_legacy_id.items()}

    def read_annotations(self) -> Iterator[AnnotationRecord]:
        for row, record in self._read_rows("annotations", self._build_annotation):
            stored = _parse_annotation_row(row)
            self.note_normalized(f"annotation {row['id']}", stored, normalize_annotation(stored))
            self.note_time_sample(f"annotation {row['id']}", row["created_at"], record.created_at)
            yield record

    def read_rulesets(self) -> Iterator[RuleSetRecord]:
        taken: set[str] = set()
        for row, record in self._read_rows("rulesets", self._build_ruleset):
            if record.id in taken:
                reason = f"its name {record.id!r} is already used by another rule set"
                self.quarantine.add_item(f"rule set {row['id']}", reason, _encode_row(row))
                continue
            taken.add(record.id)
            yield record

    def read_events(self, since: dt.datetime) -> Iterator[AuditEvent]:
        """Yield nothing: 0.7 stored no events."""
        yield from ()

    def read_record(self, kind: RecordKind, record_id: str, finding_id: str = "") -> Record | None:
        """Return None: 0.7 stored no events that could refer to a record."""
        return None

    def close(self) -> None:
        self._database.close()

    def _read_rows(self, table: str, build: Any) -> Iterator[tuple[Mapping[str, Any], Any]]:
        for row in self._database.read_rows(table):
            try:
                record = build(row)
            except _UNREADABLE as error:
                reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
                self.quarantine.add_item(f"{_RECORD_NAMES[table]} {row['id']}", reason, _encode_row(row))
                continue
            yield row, record

    def _build_report(self, row: Mapping[str, Any]) -> ReportRecord:
        created_at = clock.parse_time(row["created_at"], self._zone)
        data = normalize_findings(_parse_json(row["findings_json"]) or [])
        findings = [GhostFinding.from_dict(each) for each in data]
        return ReportRecord(
            id=str(row["id"]),
            title=row["title"] if row["title"] is not None else "",
            author=row["author"] if row["author"] is not None else "",
            dataset="",
            created_at=created_at,
            tags=(),
            metadata={},
            ruleset=None,
            findings=tuple(finding_to_record(finding, "") for finding in findings),
            updated_at=created_at,
            version=1,
        )

    def _build_annotation(self, row: Mapping[str, Any]) -> AnnotationRecord:
        created_at = clock.parse_time(row["created_at"], self._zone)
        data = normalize_annotation(_parse_annotation_row(row))
        return AnnotationRecord(
            id=str(row["id"]),
            finding_id=row["finding_id"],
            author=data["author"],
            created_at=created_at,
            comment=data["comment"],
            tags=tuple(data["tags"]),
            status=data["status"],
            report_id=None,
            updated_at=created_at,
            version=1,
        )

    def _build_ruleset(self, row: Mapping[str, Any]) -> RuleSetRecord:
        return RuleSetRecord(
            id=row["name"],
            description=row["description"] or "",
            rules=tuple(_parse_json(row["rules_json"]) or ()),
            updated_at=clock.parse_time(row["created_at"], self._zone),
            version=1,
        )


_RECORD_NAMES = {"reports": "report", "annotations": "annotation", "rulesets": "rule set"}


def _parse_json(text: str | None) -> Any:
    return None if text is None else json_codec.loads_lenient(text.encode("utf-8"))


def _parse_annotation_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an annotation, with its tags as a list."""
    return dict(row) | {"tags": _parse_json(row["tags"])}


def _encode_row(row: Mapping[str, Any]) -> bytes:
    return json_codec.dumps(
        {name: None if value is None else str(value) for name, value in row.items()}, indent=True
    )
