"""Convert findings to stored records and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.core import fingerprints, json_codec, row_positions
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.records.fields import shared_fields
from lavendertown.records.public_fields import from_public_value, to_public_value
from lavendertown.records.record_classes import FindingRecord

_FIELDS_ADDED_LATER = tuple(each for each in shared_fields(FindingRecord, GhostFinding) if each.added_later)
_SHARE_KEYS = ("share", "null_percentage", "outlier_percentage")


def finding_to_record(finding: GhostFinding, dataset: str) -> FindingRecord:
    """Return the record of a finding.

    Args:
        finding: The finding.
        dataset: The report's dataset, used if the finding names none.

    Raises:
        InvalidInputError: The finding has no column, its description is not text, or a value has no
            JSON form.
    """
    kind, description = finding.ghost_type, finding.description
    if not isinstance(description, str):
        raise InvalidInputError(
            f"The description of the finding on {finding.column!r} is {description!r}; it must be text."
        )
    metadata = json_codec.to_jsonable(finding.metadata, f"metadata of the finding on {finding.column!r}")
    if finding.column is None:
        raise InvalidInputError("A finding has no column; set its column, or '*' for whole rows.")
    column = str(finding.column)
    indices = finding.row_indices
    return FindingRecord(
        fingerprints.compute_field_fingerprint(kind, column, description, metadata, dataset),
        fingerprints.legacy_id(kind, column, description),
        str(metadata.get("dataset") or dataset),
        kind,
        column,
        finding.severity,
        description,
        row_positions.pack_positions(indices) if indices is not None else None,
        _row_count(metadata, indices),
        _affected_share(metadata),
        metadata,
        **{
            each.name: from_public_value(each, getattr(finding, each.name), each.label)
            for each in _FIELDS_ADDED_LATER
        },
    )


def record_to_finding(record: FindingRecord) -> GhostFinding:
    """Return the finding of a record, with its rows unpacked."""
    return GhostFinding(
        ghost_type=record.ghost_type,
        column=record.column,
        severity=record.severity,
        description=record.description,
        row_indices=row_positions.unpack_positions(record.rows) if record.rows is not None else None,
        metadata=dict(record.metadata),
        **{each.name: to_public_value(each, getattr(record, each.name)) for each in _FIELDS_ADDED_LATER},
    )


def _row_count(metadata: Mapping[str, Any], indices: Any) -> int | None:
    count = metadata.get("count")
    if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**53:
        return count
    return len(indices) if indices is not None else None


def _affected_share(metadata: Mapping[str, Any]) -> float | None:
    for name in _SHARE_KEYS:
        value = metadata.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None
