"""Between the finding that people hold and the occurrence that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown import codec, identity, rows
from lavendertown.errors import InvalidInputError
from lavendertown.models import GhostFinding
from lavendertown.records.values import FindingRecord

_SHARES = ("share", "null_percentage", "outlier_percentage")


def finding_record(finding: GhostFinding, dataset: str) -> FindingRecord:
    """Return what is stored of a finding.

    Args:
        finding: The finding.
        dataset: The report's dataset, used where the finding names none.

    Raises:
        InvalidInputError: A value has no plain form.
    """
    kind, description = finding.ghost_type, finding.description
    if not isinstance(description, str):
        raise InvalidInputError(
            f"The description of the finding on {finding.column!r} is {description!r}; it must be text."
        )
    metadata = codec.plain(finding.metadata, f"metadata of the finding on {finding.column!r}")
    if finding.column is None:
        raise InvalidInputError("A finding has no column; name it, or '*' for whole rows.")
    column = str(finding.column)
    indices = finding.row_indices
    return FindingRecord(
        identity.fingerprint_of(kind, column, description, metadata, dataset),
        identity.legacy_id(kind, column, description),
        str(metadata.get("dataset") or dataset),
        kind,
        column,
        finding.severity,
        description,
        rows.pack(indices) if indices is not None else None,
        _row_count(metadata, indices),
        _share(metadata),
        metadata,
    )


def ghost(record: FindingRecord) -> GhostFinding:
    """Return the finding a record holds, its rows unpacked."""
    return GhostFinding(
        ghost_type=record.ghost_type,
        column=record.column,
        severity=record.severity,
        description=record.description,
        row_indices=rows.unpack(record.rows) if record.rows is not None else None,
        metadata=dict(record.metadata),
    )


def _row_count(metadata: Mapping[str, Any], indices: Any) -> int | None:
    count = metadata.get("count")
    if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**53:
        return count
    return len(indices) if indices is not None else None


def _share(metadata: Mapping[str, Any]) -> float | None:
    for name in _SHARES:
        value = metadata.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None
