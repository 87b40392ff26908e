"""What the write path needs to know of the records it writes, whatever they are."""

from __future__ import annotations

from typing import Any, Protocol

from lavendertown.records import rules
from lavendertown.records.headers import header
from lavendertown.records.values import (
    KIND_OF,
    AnnotationRecord,
    Kind,
    Record,
    ReportRecord,
    Stamp,
    ViewRecord,
)


class Shape(Protocol):
    """How records are named, checked and told of. A record is a dataclass with a version and times."""

    def key(self, record: Any) -> tuple[str, str]:
        """Return the record's kind and id."""

    def check(self, record: Any) -> Any:
        """Return the record if it may be stored; raise where it may not."""

    def header(self, record: Any) -> dict[str, Any]:
        """Return what the audit log keeps of the record, as plain JSON."""

    def told(self, operation: str, record: Any) -> tuple[str, dict[str, Any] | None]:
        """Return what the audit log calls the operation, and the record's header after it."""

    def fits(self, record: Any, expected: int | None, stamp: Stamp) -> bool:
        """Tell whether what the caller read is what is stored."""

    def author(self, record: Any) -> str:
        """Return who changes it where nobody else is named."""

    def name(self, kind: str) -> str:
        """Return what people call this kind, with a capital."""


class _Records:
    """Everything a team keeps."""

    def key(self, record: Record) -> tuple[str, str]:
        return KIND_OF[type(record)], record.id

    def check(self, record: Record) -> Record:
        return rules.check(record)

    def header(self, record: Record) -> dict[str, Any]:
        return header(record)

    def told(self, operation: str, record: Record) -> tuple[str, dict[str, Any] | None]:
        return operation, header(record)

    def fits(self, record: Record, expected: int | None, stamp: Stamp) -> bool:
        return expected is None or expected == stamp.version

    def author(self, record: Record) -> str:
        return record.author if isinstance(record, _NAMED) else "internal"

    def name(self, kind: str) -> str:
        return _NAMES[kind]


_NAMED = (ReportRecord, AnnotationRecord, ViewRecord)
_NAMES: dict[str, str] = {
    Kind.REPORT: "Report",
    Kind.ANNOTATION: "Annotation",
    Kind.RULESET: "Rule set",
    Kind.TRIAGE: "Finding",
    Kind.PERSON: "Person",
    Kind.VIEW: "View",
}
RECORDS: Shape = _Records()
