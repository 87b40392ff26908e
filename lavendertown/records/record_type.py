"""The interface through which the write path handles a type of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from lavendertown.records import validation
from lavendertown.records.record_classes import (
    KIND_BY_CLASS,
    AnnotationRecord,
    Record,
    RecordKind,
    ReportRecord,
    StoredVersion,
    ViewRecord,
)
from lavendertown.records.summaries import summarize_record


class RecordType(Protocol):
    """How records are identified, validated and summarized. Records are dataclasses with a version."""

    def record_key(self, record: Any) -> tuple[str, str]:
        """Return the record's kind and id."""

    def has_id(self, record_id: str) -> bool:
        """Tell whether this is an id, rather than a sign that the store shall choose one."""

    def is_possible_id(self, record_id: str) -> bool:
        """Tell whether a record can have this id."""

    def validate_record(self, record: Any) -> Any:
        """Return the record if it is valid; otherwise raise."""

    def find_violations(self, record: Any) -> Mapping[validation.Violation, str]:
        """Return the values that exceed a limit for new and changed values, each with a message."""

    def check_change(
        self, record: Any, stored: Mapping[str, Any] | None, written_with: Iterable[Any]
    ) -> None:
        """Raise if the change breaks a rule, see :func:`lavendertown.records.validation.check_change`."""

    def summarize_record(self, record: Any) -> dict[str, Any]:
        """Return the record's summary for the audit log, as plain JSON."""

    def audit_operation(self, operation: str, record: Any) -> tuple[str, dict[str, Any] | None]:
        """Return the operation's name in the audit log, and the record's summary after it."""

    def version_matches(self, record: Any, expected: int | None, stored: StoredVersion) -> bool:
        """Return whether the version that the caller read is the stored one."""

    def default_actor(self, record: Any) -> str:
        """Return the actor of a change that names none."""

    def display_name(self, kind: str) -> str:
        """Return the capitalized name of a kind for messages."""


class _BuiltinRecordType:
    """The record type of LavenderTown's own records."""

    def record_key(self, record: Record) -> tuple[str, str]:
        return KIND_BY_CLASS[type(record)], record.id

    def has_id(self, record_id: str) -> bool:
        return bool(record_id)

    def is_possible_id(self, record_id: str) -> bool:
        return validation.is_valid_id(record_id)

    def validate_record(self, record: Record) -> Record:
        return validation.validate_record(record)

    def find_violations(self, record: Record) -> Mapping[validation.Violation, str]:
        return validation.find_violations(record)

    def check_change(
        self, record: Record, stored: Mapping[str, Any] | None, written_with: Iterable[Record]
    ) -> None:
        validation.check_change(record, stored, written_with)

    def summarize_record(self, record: Record) -> dict[str, Any]:
        return summarize_record(record)

    def audit_operation(self, operation: str, record: Record) -> tuple[str, dict[str, Any] | None]:
        return operation, summarize_record(record)

    def version_matches(self, record: Record, expected: int | None, stored: StoredVersion) -> bool:
        return expected is None or expected == stored.version

    def default_actor(self, record: Record) -> str:
        return record.author if isinstance(record, _TYPES_WITH_AUTHOR) else "internal"

    def display_name(self, kind: str) -> str:
        return _KIND_DISPLAY_NAMES[kind]


_TYPES_WITH_AUTHOR = (ReportRecord, AnnotationRecord, ViewRecord)
_KIND_DISPLAY_NAMES: dict[str, str] = {
    RecordKind.REPORT: "Report",
    RecordKind.ANNOTATION: "Annotation",
    RecordKind.RULESET: "Rule set",
    RecordKind.TRIAGE: "Finding",
    RecordKind.PERSON: "Person",
    RecordKind.VIEW: "View",
    RecordKind.DATASET_SETTINGS: "Settings of a dataset",
    RecordKind.EVIDENCE: "Evidence",
    RecordKind.INCIDENT: "Incident",
    RecordKind.WORKLIST: "Worklist",
    RecordKind.NOTIFICATION: "Notification",
    RecordKind.CHANNEL: "Channel",
}
BUILTIN_RECORD_TYPE: RecordType = _BuiltinRecordType()
