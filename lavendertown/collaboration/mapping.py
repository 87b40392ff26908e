"""Between the models people assign to and the records that are stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from lavendertown import clock, codec
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.errors import InvalidInputError
from lavendertown.records.findings import finding_record, ghost
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    ReportHeader,
    ReportRecord,
    RuleSetRecord,
    as_dict,
)
from lavendertown.rules.models import RuleSet


def report_record(report: ShareableReport) -> ReportRecord:
    """Return what is stored of a report, its annotations aside.

    Raises:
        InvalidInputError: A value has no plain form.
    """
    metadata = codec.plain(dict(report.metadata), "metadata")
    dataset = str(metadata.get("dataset") or "")
    return ReportRecord(
        id=report.id,
        title=report.title,
        author=report.author,
        dataset=dataset,
        created_at=_moment(report.created_at, f"created_at of report {report.id!r}"),
        tags=_tags(metadata.get("tags")),
        metadata=metadata,
        ruleset=codec.plain(report.ruleset.to_dict(), "ruleset") if report.ruleset else None,
        findings=tuple(finding_record(finding, dataset) for finding in report.findings),
        updated_at=clock.EPOCH,
    )


def report(record: ReportRecord, annotations: Iterable[AnnotationRecord]) -> ShareableReport:
    """Return the report a record holds, with these annotations."""
    return ShareableReport(
        id=record.id,
        title=record.title,
        author=record.author,
        created_at=record.created_at,
        findings=[ghost(finding) for finding in record.findings],
        annotations=[annotation(found) for found in annotations],
        ruleset=RuleSet.from_dict(dict(record.ruleset)) if record.ruleset else None,
        metadata=dict(record.metadata),
        version=record.version,
    )


def annotation_record(annotation: Annotation, report_id: str | None) -> AnnotationRecord:
    """Return what is stored of an annotation that came with that report, or on its own."""
    return AnnotationRecord(
        id=annotation.id,
        finding_id=annotation.finding_id,
        author=annotation.author,
        created_at=_moment(annotation.timestamp, f"timestamp of annotation {annotation.id!r}"),
        comment=annotation.comment if annotation.comment is not None else "",
        tags=tuple(annotation.tags or ()),
        status=annotation.status,
        report_id=report_id,
        updated_at=clock.EPOCH,
    )


def annotation(record: AnnotationRecord) -> Annotation:
    """Return the annotation a record holds."""
    return Annotation(
        id=record.id,
        finding_id=record.finding_id,
        author=record.author,
        timestamp=record.created_at,
        comment=record.comment,
        tags=list(record.tags),
        status=record.status,
        version=record.version,
    )


def ruleset_record(ruleset: RuleSet) -> RuleSetRecord:
    """Return what is stored of a rule set."""
    rules = [codec.plain(rule.to_dict(), f"rule {rule.name!r}") for rule in ruleset.rules]
    return RuleSetRecord(ruleset.name, ruleset.description, tuple(rules), clock.EPOCH)


def ruleset(record: RuleSetRecord) -> RuleSet:
    """Return the rule set a record holds."""
    rules = [dict(rule) for rule in record.rules]
    return RuleSet.from_dict({"name": record.id, "description": record.description, "rules": rules})


def report_row(header: ReportHeader) -> dict[str, Any]:
    """Return a report header as a dictionary."""
    return {
        "id": header.id,
        "title": header.title,
        "author": header.author,
        "dataset": header.dataset,
        "created_at": header.created_at,
        "updated_at": header.updated_at,
        "finding_count": header.finding_count,
        "error_count": header.error_count,
        "warning_count": header.warning_count,
        "info_count": header.info_count,
        "tags": list(header.tags),
        "version": header.version,
        "deleted_at": header.deleted_at,
    }


def row(header: Any) -> dict[str, Any]:
    """Return any other header as a dictionary, its metadata as one too."""
    out = as_dict(header)
    if "metadata" in out:
        out["metadata"] = dict(out["metadata"])
    return out


def annotation_row(record: AnnotationRecord) -> dict[str, Any]:
    """Return an annotation as a dictionary, its time under ``timestamp``."""
    out = as_dict(record)
    out["timestamp"] = out.pop("created_at")
    return out


def audit_row(event: AuditEvent) -> dict[str, Any]:
    """Return an audit event as a dictionary."""
    out = as_dict(event)
    del out["key"]
    return out


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(str(tag) for tag in value if str(tag).strip())
    raise InvalidInputError(f"metadata['tags'] is {value!r}; it must be a list of texts.")


def _moment(value: Any, what: str) -> dt.datetime:
    if not isinstance(value, dt.datetime) or value != value:
        raise InvalidInputError(f"The {what} is {value!r}; it must be a datetime.")
    try:
        moment = clock.to_utc(value)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInputError(f"The {what}, {value}, is out of range: {error}.") from error
    if type(moment) is dt.datetime:
        return moment
    # pandas' Timestamp is a datetime with nanoseconds, which no store keeps.
    return clock.from_microseconds(clock.to_microseconds(moment))
