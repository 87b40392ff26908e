"""A record's own fields as plain JSON values: what the audit log keeps and versions are compared by."""

from __future__ import annotations

from typing import Any

from lavendertown.models import SEVERITIES
from lavendertown.records.plain import plain
from lavendertown.records.values import AnnotationRecord, Record, ReportRecord, RuleSetRecord


def header(record: Record) -> dict[str, Any]:
    """Return the record's fields without findings, rows or rule bodies."""
    if isinstance(record, ReportRecord):
        return report_header(record)
    if isinstance(record, AnnotationRecord):
        return annotation_header(record)
    if not isinstance(record, RuleSetRecord):
        return {name: value for name, value in plain(record).items() if name != "updated_at"}
    return {
        "name": record.id,
        "description": record.description,
        "rule_count": len(record.rules),
        "version": record.version,
        "deleted_at": _iso(record.deleted_at),
    }


def report_header(report: ReportRecord) -> dict[str, Any]:
    """Return a report's fields with its finding counts."""
    return {
        "id": report.id,
        "title": report.title,
        "author": report.author,
        "dataset": report.dataset,
        "created_at": _iso(report.created_at),
        "tags": list(report.tags),
        "finding_count": len(report.findings),
        **{f"{name}_count": count for name, count in severity_counts(report).items()},
        "version": report.version,
        "deleted_at": _iso(report.deleted_at),
    }


def annotation_header(annotation: AnnotationRecord) -> dict[str, Any]:
    """Return an annotation's fields, its comment included."""
    return {
        "id": annotation.id,
        "finding_id": annotation.finding_id,
        "author": annotation.author,
        "created_at": _iso(annotation.created_at),
        "comment": annotation.comment,
        "tags": list(annotation.tags),
        "status": annotation.status,
        "version": annotation.version,
        "deleted_at": _iso(annotation.deleted_at),
    }


def severity_counts(report: ReportRecord) -> dict[str, int]:
    """Return how many findings a report has of each severity."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    return counts


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
