"""What is written in a report's file, format 2, and what 0.7 wrote, which is read as well.

A report of 0.7 has no ``format``; its times without a zone are local.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

from lavendertown import codec
from lavendertown.identity import legacy_id
from lavendertown.models import SEVERITIES, GhostFinding
from lavendertown.records.files import fields
from lavendertown.records.files.fields import UnreadableError
from lavendertown.records.files.formats import FORMAT, read_annotation
from lavendertown.records.findings import finding_record
from lavendertown.records.rules import MAX_ID_BYTES
from lavendertown.records.values import AnnotationRecord, FindingRecord, ReportRecord

_FIELDS_OF_A_FINDING = itemgetter(
    "fingerprint",
    "dataset",
    "ghost_type",
    "column",
    "description",
    "severity",
    "row_count",
    "share",
    "metadata",
)


def write_report(report: ReportRecord) -> bytes:
    """Return a report's file."""
    return codec.dumps(
        {
            "format": FORMAT,
            "id": report.id,
            "title": report.title,
            "author": report.author,
            "dataset": report.dataset,
            "created_at": report.created_at.isoformat(),
            "updated_at": report.updated_at.isoformat(),
            "version": report.version,
            "deleted_at": fields.iso(report.deleted_at),
            "tags": list(report.tags),
            "metadata": report.metadata,
            "ruleset": report.ruleset,
            "findings": [_finding(finding) for finding in report.findings],
        },
        indent=True,
    )


def _finding(finding: FindingRecord) -> dict[str, Any]:
    return {
        "ghost_type": finding.ghost_type,
        "column": finding.column,
        "severity": finding.severity,
        "description": finding.description,
        "row_count": finding.row_count,
        "share": finding.share,
        "dataset": finding.dataset,
        "fingerprint": finding.fingerprint,
        "metadata": finding.metadata,
        "rows": base64.b64encode(finding.rows).decode() if finding.rows is not None else None,
    }


def read_report(data: Any, zone: dt.tzinfo | None = None, *, light: bool = False) -> ReportRecord:
    """Return the report in a file's data.

    Args:
        data: The JSON that was read.
        zone: Where 0.7 wrote times without a zone; None is here.
        light: Leave out what only a whole report is asked for, though it is looked at all the same: row
            positions, and the ids 0.7 would have given.

    Raises:
        UnreadableError: It is not there, or not whole.
    """
    fields.expect(isinstance(data, dict), "no report in it")
    try:
        if data.get("format") is None:
            old = _read_old_report(data, zone)
            lighter = (f._replace(rows=None, legacy_id="") for f in old.findings)
            return replace(old, findings=tuple(lighter)) if light else old
        fields.expect(data["format"] == FORMAT, f"written by a newer version (format {data['format']!r})")
        return ReportRecord(
            id=fields.text(data, "id"),
            title=fields.text(data, "title"),
            author=fields.text(data, "author"),
            dataset=fields.text(data, "dataset"),
            created_at=fields.moment(data, "created_at"),
            tags=fields.texts(data, "tags"),
            metadata=fields.mapping(data, "metadata"),
            ruleset=fields.some_mapping(data, "ruleset"),
            findings=tuple(_read_finding(found, light) for found in fields.mappings(data, "findings")),
            updated_at=fields.moment(data, "updated_at"),
            version=fields.version(data),
            deleted_at=fields.some_moment(data, "deleted_at"),
        )
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error


def _read_finding(data: Mapping[str, Any], light: bool) -> FindingRecord:
    try:
        packed = binascii.a2b_base64(data["rows"]) if data["rows"] is not None else None
    except binascii.Error as error:
        raise UnreadableError("the row positions are damaged") from error
    name, dataset, kind, column, description, severity, count, share, metadata = _FIELDS_OF_A_FINDING(data)
    # At a glance first: a store is mostly findings.
    if not (
        type(name) is type(dataset) is type(kind) is type(column) is type(description) is str
        and len(name) <= MAX_ID_BYTES
        and severity in SEVERITIES
        and (count is None or (type(count) is int and 0 <= count <= fields.MOST_ROWS))
        and (type(share) is float or share is None)
        and type(metadata) is dict
    ):
        share = _look_closely(data)
    return FindingRecord(
        name,
        "" if light else legacy_id(kind, column, description),
        dataset,
        kind,
        column,
        severity,
        description,
        None if light else packed,
        count,
        share,
        metadata,
    )


def _look_closely(data: Mapping[str, Any]) -> float | None:
    """Say what is wrong with a finding, if it is only unusual return its share."""
    for each in ("dataset", "ghost_type", "column", "description"):
        fields.text(data, each)
    fields.text(data, "fingerprint", MAX_ID_BYTES)
    _severity(data["severity"])
    fields.rows(data, "row_count")
    fields.mapping(data, "metadata")
    return fields.share(data, "share")


def _severity(value: object) -> str:
    if value not in SEVERITIES:
        raise UnreadableError(f"severity is {value!r}, none of {', '.join(SEVERITIES)}")
    return str(value)


def _read_old_report(data: Mapping[str, Any], zone: dt.tzinfo | None) -> ReportRecord:
    metadata = fields.some_mapping(data, "metadata") or {}
    # They are read one by one, each with its own reason why not.
    fields.expect(isinstance(data.get("annotations") or [], list), "annotations is no list")
    dataset = str(metadata.get("dataset") or "")
    tags = metadata.get("tags") or ()
    created_at = fields.moment(data, "created_at", zone)
    ghosts = [GhostFinding.from_dict(found) for found in fields.mappings(data, "findings")]
    for ghost in ghosts:
        _severity(ghost.severity)
    return ReportRecord(
        id=fields.text(data, "id"),
        title=fields.text(data, "title"),
        author=fields.text(data, "author"),
        dataset=dataset,
        created_at=created_at,
        tags=tuple(dict.fromkeys(tags)) if isinstance(tags, list) else (str(tags),),
        metadata=metadata,
        ruleset=fields.some_mapping(data, "ruleset"),
        findings=tuple(finding_record(ghost, dataset) for ghost in ghosts),
        updated_at=created_at,
        version=1,
    )


def embedded_annotations(data: Any, report_id: str) -> list[AnnotationRecord]:
    """Return the annotations that 0.7 put into a report's own file.

    Raises:
        UnreadableError: One of them is not whole.
    """
    if data.get("format") is not None:
        return []
    return [read_annotation(found, report_id) for found in data.get("annotations") or []]
