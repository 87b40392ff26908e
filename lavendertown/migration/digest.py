"""The content of a record as a hash: equal content, equal hash, whatever store it was read from."""

from __future__ import annotations

import hashlib

from lavendertown import codec
from lavendertown.records.plain import plain
from lavendertown.records.values import AnnotationRecord, AuditEvent, Record, ReportRecord, RuleSetRecord

# Beside the version, what every record's hash holds.
_TOLD = frozenset({"id", "updated_at", "version", "deleted_at"})


def digest(record: Record) -> bytes:
    """Return the SHA-256 of everything a record holds but its version, 32 bytes."""
    if isinstance(record, ReportRecord):
        return _report(record)
    content: tuple[object, ...]
    if isinstance(record, AnnotationRecord):
        content = (record.finding_id, record.author, record.created_at, record.comment, record.tags)
        content += (record.status, record.report_id)
    elif isinstance(record, RuleSetRecord):
        content = (record.description, record.rules)
    else:
        content = (sorted((name, value) for name, value in plain(record).items() if name not in _TOLD),)
    return _hash(record.id, *content, record.updated_at, record.deleted_at)


def _report(report: ReportRecord) -> bytes:
    findings = [
        (
            finding.fingerprint,
            finding.dataset,
            finding.ghost_type,
            finding.column,
            finding.severity,
            finding.description,
            finding.rows.hex() if finding.rows is not None else None,
            finding.row_count,
            finding.share,
            finding.metadata,
        )
        for finding in report.findings
    ]
    return _hash(
        report.id,
        report.title,
        report.author,
        report.dataset,
        report.created_at,
        report.tags,
        report.metadata,
        report.ruleset,
        findings,
        report.updated_at,
        report.deleted_at,
    )


def event_digest(event: AuditEvent) -> bytes:
    """Return the SHA-256 of an audit event, without the key its store gave it, 32 bytes."""
    about = (event.at, event.actor, event.component, event.record_id, event.operation)
    return _hash(*about, event.before, event.after)


def same(source: Record, stored: Record) -> bool:
    """Tell whether a target's record is the source's: its version may have been raised since."""
    return stored.version >= source.version and digest(source) == digest(stored)


def _hash(*content: object) -> bytes:
    return hashlib.sha256(codec.dumps(content, sort_keys=True)).digest()
