"""Read and write report files in format 2, and read those of version 0.7.

A report of version 0.7 has no ``format``; its times without a zone are local.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import legacy_id
from lavendertown.records import field_kinds
from lavendertown.records.fields import FIELDS
from lavendertown.records.finding_conversion import finding_to_record
from lavendertown.records.json_records import read_field_values, record_from_json, record_to_json
from lavendertown.records.legacy_values import normalize_report
from lavendertown.records.record_classes import AnnotationRecord, FindingRecord, ReportRecord
from lavendertown.stores.files import json_fields
from lavendertown.stores.files.formats import FORMAT_VERSION, read_annotation
from lavendertown.stores.files.json_fields import UnreadableError


def write_report(report: ReportRecord) -> bytes:
    """Return the content of a report's file."""
    findings = [record_to_json(finding) for finding in report.findings]
    return json_codec.dumps(
        {"format": FORMAT_VERSION, **record_to_json(report), "findings": findings}, indent=True
    )


def read_report(data: Any, zone: dt.tzinfo | None = None, *, light: bool = False) -> ReportRecord:
    """Return the report from the data of a file.

    Args:
        data: The parsed JSON.
        zone: The zone of times of version 0.7 without a zone; None for the local zone.
        light: Whether to omit row positions and ids of version 0.7. They are checked nevertheless.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, dict), "it is not a report")
    try:
        if data.get("format") is None:
            report = _read_old_report(data, zone)
            light_findings = (each._replace(rows=None, legacy_id="") for each in report.findings)
            return replace(report, findings=tuple(light_findings)) if light else report
        json_fields.require_that(
            data["format"] == FORMAT_VERSION, f"written by a newer version (format {data['format']!r})"
        )
        items = _expect_objects(data.get("findings"), "findings")
        findings = tuple([_read_finding(each, light) for each in items])
        return record_from_json(ReportRecord, {**data, "findings": findings})
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error


_DECLARED = FIELDS[FindingRecord]
_WRITTEN = tuple(each for each in _DECLARED if each.in_file and not each.added_later)
_LATER_KEYS = frozenset(each.file_key for each in _DECLARED if each.added_later)
_read_written = itemgetter(*(each.file_key for each in _WRITTEN))
_USUAL_TYPES = frozenset(itertools.product(*(each.kind.json_types for each in _WRITTEN)))
_FURTHER_TESTS = tuple(
    (index, each.kind.test) for index, each in enumerate(_WRITTEN) if each.kind.has_further_test
)
_ROWS_INDEX = [each.name for each in _WRITTEN].index("rows")
_LEGACY_ID_INDEX = [each.name for each in _DECLARED].index("legacy_id")


def _read_finding(data: Mapping[str, Any], light: bool) -> FindingRecord:
    # Most of a store is findings, and nearly all values have the usual types and need no conversion.
    # Reading value by value takes three times as long.
    values = list(_read_written(data))
    if tuple(map(type, values)) not in _USUAL_TYPES or (_LATER_KEYS and not _LATER_KEYS.isdisjoint(data)):
        return _read_unusual_finding(data, light)
    for index, test in _FURTHER_TESTS:
        if not test(values[index]):
            return _read_unusual_finding(data, light)
    rows = field_kinds.read_packed_rows(values[_ROWS_INDEX])
    values[_ROWS_INDEX] = None if light else rows
    values.insert(_LEGACY_ID_INDEX, "" if light else _legacy_id(data))
    return FindingRecord(*values)


def _read_unusual_finding(data: Mapping[str, Any], light: bool) -> FindingRecord:
    record = FindingRecord(**read_field_values(FindingRecord, data), legacy_id="")
    return record._replace(rows=None) if light else record._replace(legacy_id=_legacy_id(data))


def _legacy_id(data: Mapping[str, Any]) -> str:
    return legacy_id(data["ghost_type"], data["column"], data["description"])


def _expect_objects(value: Any, name: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    is_valid = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    json_fields.require_that(is_valid, f"{name} is not a list of objects")
    return list(value)


def _expect_object(value: Any, name: str) -> dict[str, Any] | None:
    json_fields.require_that(value is None or type(value) is dict, f"{name} is {value!r}, not an object")
    return dict(value) if value is not None else None


def _read_old_report(original: Mapping[str, Any], zone: dt.tzinfo | None) -> ReportRecord:
    data = normalize_report(original)
    metadata = _expect_object(data.get("metadata"), "metadata") or {}
    # The annotations themselves are checked when read_embedded_annotations reads them.
    json_fields.require_that(isinstance(data.get("annotations") or [], list), "annotations is not a list")
    dataset = str(metadata.get("dataset") or "")
    tags = metadata.get("tags") or []
    items = _expect_objects(data.get("findings"), "findings")
    findings = tuple([finding_to_record(GhostFinding.from_dict(each), dataset) for each in items])
    implied: dict[str, Any] = {
        "dataset": dataset,
        "tags": [],
        "metadata": metadata,
        "findings": findings,
        "updated_at": data.get("created_at"),
        "version": 1,
        "deleted_at": None,
    }
    record = record_from_json(ReportRecord, data | implied, zone)
    # Tags are not checked here: a tag may be a number, which is refused only when the report is saved.
    return replace(record, tags=tuple(dict.fromkeys(tags)) if isinstance(tags, list) else (str(tags),))


def read_embedded_annotations(data: Any, report_id: str) -> list[AnnotationRecord]:
    """Return the annotations that version 0.7 embedded in a report's file.

    Raises:
        UnreadableError: An annotation is incomplete or invalid.
    """
    if data.get("format") is not None:
        return []
    return [read_annotation(each, report_id) for each in data.get("annotations") or []]
