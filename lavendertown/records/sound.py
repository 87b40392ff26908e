"""Whether what was read from a database has the kinds that it should: SQLite keeps anything anywhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

from lavendertown.records.plain import expect_whole
from lavendertown.records.rules import MAX_COMPONENT, MAX_ID_BYTES, MAX_NAME, MAX_OPERATION
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    PersonRecord,
    Record,
    ReportRecord,
    TriageRecord,
    ViewRecord,
)

_MOST = 2**31 - 1
_EVENT_TEXTS = {
    "actor": MAX_NAME,
    "component": MAX_COMPONENT,
    "record_id": MAX_ID_BYTES,
    "operation": MAX_OPERATION,
}
_NUMBER = (float, int, type(None))
_OBJECT = (dict, type(None))


def check(record: Record) -> None:
    """Refuse a record that no version can have written.

    Raises:
        ValueError: With the part that is none, in a few words.
    """
    if isinstance(record, (TriageRecord, PersonRecord, ViewRecord)):
        expect_whole(record)
        return
    good = type(record.version) is int and 0 < record.version <= _MOST
    _expect(good, "version", record.version)
    _expect(isinstance(record.updated_at, dt.datetime), "updated_at", record.updated_at)
    if isinstance(record, ReportRecord):
        _are_text(record, "title", "author", "dataset")
        _expect(type(record.metadata) is dict, "metadata", record.metadata)
        _expect(type(record.ruleset) in _OBJECT, "ruleset", record.ruleset)
        _texts(record.tags)
        for finding in record.findings:
            _finding(finding)
    elif isinstance(record, AnnotationRecord):
        _are_text(record, "finding_id", "author", "comment")
        _expect(isinstance(record.report_id, str | None), "report_id", record.report_id)
        _texts(record.tags)
    else:
        _are_text(record, "description")
        _expect(all(type(rule) is dict for rule in record.rules), "rules", record.rules)


def check_event(event: AuditEvent) -> None:
    """Refuse an audit event that no version can have written.

    Raises:
        ValueError: With the part that is none, in a few words.
    """
    for name, most in _EVENT_TEXTS.items():
        value = getattr(event, name)
        _expect(type(value) is str and len(value) <= most and "\0" not in value, name, value)
    _expect(type(event.before) in _OBJECT, "before", event.before)
    _expect(type(event.after) in _OBJECT, "after", event.after)


def _finding(finding: FindingRecord) -> None:
    _are_text(finding, "dataset", "ghost_type", "column", "description")
    name = finding.fingerprint
    _expect(type(name) is str and len(name) <= MAX_ID_BYTES, "fingerprint", name)
    _expect(type(finding.metadata) is dict, "metadata", finding.metadata)
    rows = finding.row_count
    _expect(rows is None or (type(rows) is int and rows >= 0), "row_count", rows)
    _expect(type(finding.share) in _NUMBER, "share", finding.share)


def _are_text(record: Record | FindingRecord, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        _expect(type(value) is str, name, value)


def _texts(tags: tuple[Any, ...]) -> None:
    _expect(all(type(tag) is str for tag in tags) and len(set(tags)) == len(tags), "tags", list(tags))


def _expect(good: bool, name: str, value: object) -> None:
    if not good:
        raise ValueError(f"{name} is {value!r}")
