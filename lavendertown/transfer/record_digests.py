"""Hash the content of records: equal content has equal hashes, whatever store it was read from."""

from __future__ import annotations

import hashlib

from lavendertown.core import json_codec
from lavendertown.records.fields import digest_values
from lavendertown.records.json_records import record_to_json
from lavendertown.records.record_classes import (
    AuditEvent,
    FindingRecord,
    FlatRecord,
    Record,
    ReportRecord,
)

# Hashed separately or, as the version, not at all.
_COMMON_FIELDS = frozenset({"id", "updated_at", "version", "deleted_at"})


def hash_record(record: Record) -> bytes:
    """Return the SHA-256 of all fields of a record except its version, as 32 bytes."""
    if isinstance(record, FlatRecord):
        content = sorted(
            (name, value) for name, value in record_to_json(record).items() if name not in _COMMON_FIELDS
        )
        return _hash_values(record.id, content, record.updated_at, record.deleted_at)
    values = digest_values(record)
    if isinstance(record, ReportRecord):
        values["findings"] = [_finding_values(finding) for finding in record.findings]
    return _hash_values(*values.values())


def _finding_values(finding: FindingRecord) -> list[object]:
    values = digest_values(finding)
    if finding.rows is not None:
        values["rows"] = finding.rows.hex()
    return list(values.values())


def hash_event(event: AuditEvent) -> bytes:
    """Return the SHA-256 of an audit event without its store's key, as 32 bytes."""
    return _hash_values(*digest_values(event).values())


def is_same_content(source: Record, stored: Record) -> bool:
    """Return whether a target's record equals the source's; its version may be higher."""
    return stored.version >= source.version and hash_record(source) == hash_record(stored)


def _hash_values(*content: object) -> bytes:
    return hashlib.sha256(json_codec.dumps(content, sort_keys=True)).digest()
