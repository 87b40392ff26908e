"""Read and write the files of a data folder in format 2, and read those of version 0.7.

For reports, see :mod:`lavendertown.stores.files.report_format`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.fields import MAX_ID_BYTES
from lavendertown.records.json_records import read_field_values, record_from_json, record_to_json
from lavendertown.records.legacy_values import normalize_annotation
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    AnnotationRecord,
    AuditEvent,
    FlatRecord,
    MigrationRecord,
    RecordKind,
    RuleSetRecord,
)
from lavendertown.stores.files import json_fields
from lavendertown.stores.files.json_fields import UnreadableError

FORMAT_VERSION = 2
_NUL = b"\\u0000"


def parse_json(data: bytes) -> Any:
    """Parse the content of a JSON file.

    Raises:
        UnreadableError: The content is not JSON, or contains a NUL character.
    """
    if not data:
        raise UnreadableError("the file is empty")
    try:
        parsed = json_codec.loads_lenient(data)
        # PostgreSQL cannot store a NUL character, so it is refused here too.
        return json_codec.to_jsonable(parsed, "the file") if _NUL in data else parsed
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON, or truncated: {error}") from error
    except InvalidInputError as error:
        raise UnreadableError(str(error)) from error


def write_thread(annotations: list[AnnotationRecord]) -> bytes:
    """Return the content of a thread file, with the annotations on one finding."""
    return json_codec.dumps([record_to_json(annotation) for annotation in annotations], indent=True)


def read_thread(data: Any) -> list[AnnotationRecord]:
    """Return the annotations from the data of a thread file.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, list), "it is not a list of annotations")
    return [read_annotation(each, None) for each in data]


def is_old_annotation(data: Mapping[str, Any]) -> bool:
    """Return whether version 0.7 wrote an annotation, which then has no version."""
    return data.get("version") is None


def read_annotation(data: Any, report_id: str | None, zone: dt.tzinfo | None = None) -> AnnotationRecord:
    """Return one annotation, also of version 0.7.

    Args:
        data: The data of the annotation.
        report_id: The report that carries it; None for a thread file.
        zone: The zone of times of version 0.7 without a zone; None for the local zone.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, dict), "an annotation is not an object")
    if is_old_annotation(data):
        data = normalize_annotation(data)
    data = json_fields.fill_missing(data, {"updated_at": data.get("timestamp")})
    if data.get("report_id") in (None, ""):
        data["report_id"] = report_id
    try:
        return record_from_json(AnnotationRecord, data, zone)
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error


def write_ruleset(ruleset: RuleSetRecord) -> bytes:
    """Return the content of a rule set's file, which version 0.7 can read too."""
    return json_codec.dumps(record_to_json(ruleset), indent=True)


def read_ruleset(data: Any, seen_at: dt.datetime) -> RuleSetRecord:
    """Return the rule set from the data of a file.

    Args:
        data: The data.
        seen_at: The time of the last change, for files of version 0.7, which have none.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, dict), "it is not a rule set")
    try:
        return record_from_json(
            RuleSetRecord, json_fields.fill_missing(data, {"updated_at": seen_at.isoformat()})
        )
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error


def write_flat_record(record: FlatRecord) -> bytes:
    """Return the content of a flat record's file."""
    return json_codec.dumps({"format": FORMAT_VERSION, **record_to_json(record)}, indent=True)


def read_flat_record(kind: RecordKind, data: Any) -> FlatRecord:
    """Return the flat record from the data of a file.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, dict), f"it is not a {kind.value}")
    try:
        json_fields.require_that(
            data["format"] == FORMAT_VERSION, f"written by a newer version (format {data['format']!r})"
        )
        return record_from_json(FLAT_RECORD_CLASSES[kind], data)
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error


def write_aliases(aliases: Mapping[str, str]) -> bytes:
    """Return the content of the alias file."""
    return json_codec.dumps(dict(sorted(aliases.items())), indent=True)


def read_aliases(data: Any) -> dict[str, str]:
    """Return the older ids of findings with their current ids, from the data of the alias file.

    Raises:
        UnreadableError: The data is invalid.
    """
    json_fields.require_that(isinstance(data, dict), "it is not an object")
    return {str(old): json_fields.read_required_text(data, old, MAX_ID_BYTES) for old in data}


def write_event(event: AuditEvent) -> bytes:
    """Return an event as a line of an audit file."""
    return json_codec.dumps(record_to_json(event)) + b"\n"


def read_event(line: bytes, key: str) -> AuditEvent:
    """Return the event from a line of an audit file.

    Raises:
        UnreadableError: The line is incomplete or invalid.
    """
    data = parse_json(line)
    json_fields.require_that(isinstance(data, dict), "it is not an event")
    try:
        return AuditEvent(**read_field_values(AuditEvent, data), key=key)
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error


def write_migration(migration: MigrationRecord) -> bytes:
    """Return the content of the file of a migration into the store."""
    return json_codec.dumps(record_to_json(migration), indent=True)


def read_migration(data: Any) -> MigrationRecord:
    """Return the migration from the data of a file.

    Raises:
        UnreadableError: The data is incomplete or invalid.
    """
    json_fields.require_that(isinstance(data, dict), "it is not a migration")
    try:
        return record_from_json(MigrationRecord, data)
    except json_fields.INVALID_DATA as error:
        raise UnreadableError(json_fields.explain_error(error)) from error
