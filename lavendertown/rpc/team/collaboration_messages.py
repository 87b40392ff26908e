"""Reports, findings and annotations as messages.

Metadata, parameters and rule sets travel as JSON text: a number keeps its form (3 is not 3.0), so that a
finding that is read and saved again keeps its identity.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from lavendertown.collaboration.models import ANNOTATION_FIELDS, Annotation, ShareableReport
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.models import GhostFinding
from lavendertown.profile.evidence import Evidence
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import Field
from lavendertown.rpc.protocol.messages import read_time
from lavendertown.rpc.protocol.schema import FieldSpec, MessageSpec
from lavendertown.rules.models import RuleSet

_TEXTS = ("id", "title", "author", "dataset")
_TYPES = {
    **dict.fromkeys(
        (ColumnType.TEXT, ColumnType.STATUS, ColumnType.SEVERITY, ColumnType.JSON_LIST), "string"
    ),
    ColumnType.TIME: "timestamp",
    ColumnType.INTEGER: "int32",
    ColumnType.BIG_INTEGER: "int64",
    ColumnType.NUMBER: "double",
    ColumnType.FLAG: "bool",
}


def _declare_field(field: Field) -> FieldSpec:
    """Return the field of a message that has the values of a record's field."""
    column_type = field.kind.column_type
    return FieldSpec(
        field.file_key,
        _TYPES[column_type],
        repeated=column_type is ColumnType.JSON_LIST,
        optional=field.kind.optional,
    )


FINDING = MessageSpec(
    "Finding",
    (
        FieldSpec("finding_id", "string", comment="Given by the server."),
        FieldSpec("ghost_type", "string"),
        FieldSpec("column", "string"),
        FieldSpec("severity", "string", comment="info, warning or error."),
        FieldSpec("description", "string"),
        FieldSpec("row_indices", "int64", repeated=True, comment="Counted from 0."),
        FieldSpec("has_row_indices", "bool", comment="Whether the affected rows are known."),
        FieldSpec("metadata_json", "string"),
    ),
)
ANNOTATION = MessageSpec(
    "Annotation",
    (*(_declare_field(each) for each in ANNOTATION_FIELDS.fields), FieldSpec("version", "int32")),
)
REPORT = MessageSpec(
    "Report",
    (
        FieldSpec("id", "string", comment="A new one is given where it is empty."),
        FieldSpec("title", "string"),
        FieldSpec("author", "string", comment="The caller where it is empty."),
        FieldSpec("created_at", "timestamp", comment="When the checks ran; now by default."),
        FieldSpec("findings", FINDING.name, repeated=True),
        FieldSpec("annotations", ANNOTATION.name, repeated=True, comment="Only read; SaveReport keeps them."),
        FieldSpec("metadata_json", "string"),
        FieldSpec("ruleset_json", "string"),
        FieldSpec("version", "int32", optional=True, comment="Sent back, it refuses any other version."),
    ),
)
SUMMARY = MessageSpec(
    "ReportSummary",
    (
        *(FieldSpec(name, "string") for name in _TEXTS),
        FieldSpec("created_at", "timestamp"),
        FieldSpec("updated_at", "timestamp"),
        *(FieldSpec(f"{name}_count", "int32") for name in ("finding", "error", "warning", "info")),
        FieldSpec("tags", "string", repeated=True),
        FieldSpec("version", "int32"),
        FieldSpec("deleted_at", "timestamp"),
    ),
)
OCCURRENCE = MessageSpec(
    "FindingOccurrence",
    (
        FieldSpec("finding_id", "string"),
        FieldSpec("report_id", "string"),
        FieldSpec("position", "int32"),
        *(FieldSpec(name, "string") for name in ("dataset", "ghost_type", "column", "severity")),
        FieldSpec("description", "string"),
        FieldSpec("row_count", "int64", optional=True),
        FieldSpec("share", "double", optional=True),
        FieldSpec("metadata_json", "string"),
        FieldSpec("seen_at", "timestamp"),
        FieldSpec("status", "string"),
        FieldSpec("tags", "string", repeated=True),
        FieldSpec("comment_count", "int32"),
        FieldSpec("first_seen", "timestamp"),
        FieldSpec("last_seen", "timestamp"),
        FieldSpec("times_seen", "int32"),
    ),
    comment="A finding as one report has it, and what is known of it over all reports.",
)


TRIAGED_FINDING = MessageSpec(
    "TriagedFinding",
    (
        FieldSpec("finding_id", "string"),
        *(FieldSpec(name, "string") for name in ("dataset", "ghost_type", "column", "severity")),
        FieldSpec("description", "string"),
        FieldSpec("status", "string"),
        FieldSpec("seen", "string", comment="What the latest runs say: new, ongoing, regressed, passing, …"),
        FieldSpec("attention", "string", repeated=True, comment="Why it needs attention, as codes."),
        FieldSpec("attention_text", "string", comment="The same in words; empty if it does not."),
        FieldSpec("assignee", "string"),
        FieldSpec("close_reason", "string"),
        FieldSpec("tags", "string", repeated=True),
        FieldSpec("comment_count", "int32"),
        FieldSpec("snoozed", "bool"),
        FieldSpec("due_at", "timestamp"),
        FieldSpec("verified_in", "string", comment="The report that verified its fix."),
        FieldSpec("accepted_until", "timestamp"),
        FieldSpec("ceiling_count", "int64", optional=True),
        FieldSpec("ceiling_share", "double", optional=True),
        FieldSpec("last_count", "int64", optional=True),
        FieldSpec("last_share", "double", optional=True),
        FieldSpec("first_seen", "timestamp"),
        FieldSpec("last_seen", "timestamp"),
        FieldSpec("times_seen", "int32"),
        FieldSpec("report_id", "string", comment="The report of the latest occurrence."),
    ),
    comment="A finding over all reports, with what the team decided.",
)


def report_values(report: ShareableReport) -> dict[str, Any]:
    """Return a report's fields."""
    return {
        "id": report.id,
        "title": report.title,
        "author": report.author,
        "created_at": report.created_at,
        "findings": [_finding_values(each) for each in report.findings],
        "annotations": [annotation_values(each) for each in report.annotations],
        "metadata_json": json_text(report.metadata),
        "ruleset_json": json_text(report.ruleset.to_dict()) if report.ruleset else "",
        "version": report.version,
    }


def _finding_values(finding: GhostFinding) -> dict[str, Any]:
    return {
        "finding_id": get_finding_id(finding),
        "ghost_type": finding.ghost_type,
        "column": finding.column,
        "severity": finding.severity,
        "description": finding.description,
        "row_indices": finding.row_indices or (),
        "has_row_indices": finding.row_indices is not None,
        "metadata_json": json_text(finding.metadata),
    }


def annotation_values(annotation: Annotation) -> dict[str, Any]:
    """Return an annotation's fields."""
    return {each.name: getattr(annotation, each.name) for each in ANNOTATION.fields}


def row_values(row: Mapping[str, Any], message: MessageSpec) -> dict[str, Any]:
    """Return the fields of a message that is a row of a query."""
    values = {each.name: row.get(each.name) for each in message.fields}
    if "metadata_json" in values:
        values["metadata_json"] = json_text(row["metadata"])
    return values


def read_evidence(text: str) -> Evidence | None:
    """Return the evidence in a message, or None if it is empty.

    Raises:
        InvalidInputError: The text is no evidence.
    """
    content = read_json(text, "evidence_json")
    if not content:
        return None
    try:
        return Evidence.from_dict(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "The value of evidence_json is no evidence of a report; send what GetEvidence returns."
        ) from error


def read_report(message: Any, author: str) -> ShareableReport:
    """Return the report in a message; its annotations are left out.

    Raises:
        InvalidInputError: A part is no JSON, a row is negative, or a severity is not known.
    """
    ruleset = read_json(message.ruleset_json, "ruleset_json")
    return ShareableReport(
        id=message.id or uuid.uuid4().hex,
        title=message.title,
        author=message.author or author,
        created_at=read_time(message, "created_at") or clock.now(),
        findings=[_read_finding(each, n) for n, each in enumerate(message.findings)],
        ruleset=RuleSet.from_dict(ruleset) if ruleset else None,
        metadata=read_json(message.metadata_json, "metadata_json"),
        version=message.version if message.HasField("version") else None,
    )


def _read_finding(message: Any, position: int) -> GhostFinding:
    rows = list(message.row_indices)
    # In Python, rows may also be labels of a pandas index, which may be negative.
    if rows and min(rows) < 0:
        raise InvalidInputError(
            f"The row_indices of findings[{position}] have {min(rows)}; give positions counted from 0."
        )
    return GhostFinding(
        ghost_type=message.ghost_type,
        column=message.column,
        severity=message.severity,
        description=message.description,
        row_indices=rows if rows or message.has_row_indices else None,
        metadata=read_json(message.metadata_json, f"findings[{position}].metadata_json"),
    )


def json_text(value: Any) -> str:
    """Return plain data as JSON text."""
    return json_codec.dumps(json_codec.to_jsonable(value)).decode("utf-8")


def read_json(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object in a text; an empty text is an empty one.

    Raises:
        InvalidInputError: It is something else.
    """
    try:
        data = json_codec.loads(text) if text else {}
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise InvalidInputError(f"{where} must be a JSON object, such as {{}}.")
    return data
