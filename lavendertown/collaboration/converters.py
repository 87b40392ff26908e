"""Convert between the public models and the stored records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lavendertown.collaboration.models import ANNOTATION_FIELDS, REPORT_FIELDS, Annotation, ShareableReport
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.profile.evidence import Evidence
from lavendertown.records.finding_conversion import finding_to_record, record_to_finding
from lavendertown.records.public_fields import PublicFields
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    ReportRecord,
    ReportSummary,
    RuleSetRecord,
    attributes_to_dict,
)
from lavendertown.rules.models import RuleSet

_RULESET = PublicFields(RuleSetRecord, RuleSet, excluded_keys=("rules",))


def to_report_record(report: ShareableReport) -> ReportRecord:
    """Return the record of a report, without its annotations.

    Raises:
        InvalidInputError: A value cannot be converted to JSON.
    """
    metadata = json_codec.to_jsonable(dict(report.metadata), "metadata")
    dataset = str(metadata.get("dataset") or "")
    return ReportRecord(
        **REPORT_FIELDS.values_from_public(report, f"report {report.id!r}"),
        dataset=dataset,
        tags=_read_tags(metadata.get("tags")),
        metadata=metadata,
        ruleset=json_codec.to_jsonable(report.ruleset.to_dict(), "ruleset") if report.ruleset else None,
        findings=tuple(finding_to_record(finding, dataset) for finding in report.findings),
        updated_at=clock.EPOCH,
    )


def to_report(record: ReportRecord, annotations: Iterable[AnnotationRecord]) -> ShareableReport:
    """Return the report of a record, with these annotations."""
    return ShareableReport(
        **REPORT_FIELDS.values_from_record(record),
        findings=[record_to_finding(finding) for finding in record.findings],
        annotations=[to_annotation(found) for found in annotations],
        ruleset=RuleSet.from_dict(dict(record.ruleset)) if record.ruleset else None,
        metadata=dict(record.metadata),
        version=record.version,
    )


def read_exported_evidence(data: Mapping[str, Any]) -> Evidence | None:
    """Return the evidence in the dictionary of an exported report; None if it has none.

    Raises:
        InvalidInputError: The evidence is incomplete.
    """
    content = data.get("evidence")
    if content is None:
        return None
    try:
        return Evidence.from_dict(content)
    except (InvalidInputError, AttributeError, KeyError, TypeError) as error:
        reason = str(error).rstrip(".")
        raise InvalidInputError(
            f"The evidence of report {str(data.get('id'))!r} is incomplete: {reason}. Export it again."
        ) from error


def to_annotation_record(annotation: Annotation, report_id: str | None) -> AnnotationRecord:
    """Return the record of an annotation; ``report_id`` names the report it was saved with, if any."""
    values = ANNOTATION_FIELDS.values_from_public(annotation, f"annotation {annotation.id!r}")
    return AnnotationRecord(**values, report_id=report_id, updated_at=clock.EPOCH)


def to_annotation(record: AnnotationRecord) -> Annotation:
    """Return the annotation of a record."""
    return Annotation(**ANNOTATION_FIELDS.values_from_record(record), version=record.version).mark_as_read()


def to_ruleset_record(ruleset: RuleSet) -> RuleSetRecord:
    """Return the record of a rule set."""
    rules = [json_codec.to_jsonable(rule.to_dict(), f"rule {rule.name!r}") for rule in ruleset.rules]
    values = _RULESET.values_from_public(ruleset, f"rule set {ruleset.name!r}")
    return RuleSetRecord(**values, rules=tuple(rules), updated_at=clock.EPOCH)


def to_ruleset(record: RuleSetRecord) -> RuleSet:
    """Return the rule set of a record."""
    rules = [dict(rule) for rule in record.rules]
    return RuleSet.from_dict(_RULESET.values_from_record(record) | {"rules": rules})


def report_to_row(summary: ReportSummary) -> dict[str, Any]:
    """Return a report summary as a dictionary."""
    return attributes_to_dict(summary)


def summary_to_row(summary: Any) -> dict[str, Any]:
    """Return any other summary as a dictionary, with its metadata as a dictionary too."""
    out = attributes_to_dict(summary)
    if "metadata" in out:
        out["metadata"] = dict(out["metadata"])
    return out


def annotation_to_row(record: AnnotationRecord) -> dict[str, Any]:
    """Return an annotation as a dictionary, with its time as ``timestamp``."""
    out = attributes_to_dict(record)
    out["timestamp"] = out.pop("created_at")
    return out


def audit_event_to_row(event: AuditEvent) -> dict[str, Any]:
    """Return an audit event as a dictionary."""
    out = attributes_to_dict(event)
    del out["key"]
    return out


def _read_tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(str(tag) for tag in value if str(tag).strip())
    raise InvalidInputError(f"metadata['tags'] is {value!r}; it must be a list of texts.")
