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
    where = f"the finding on {finding.column!r}"
    if not isinstance(finding.description, str):
        raise InvalidInputError(f"The description of {where} is {finding.description!r}; it must be text.")
    metadata = codec.plain(finding.metadata, f"metadata of {where}")
    if finding.column is None:
        raise InvalidInputError("A finding has no column; name it, or '*' for whole rows.")
    column = str(finding.column)
    description = finding.description
    clean = GhostFinding(finding.ghost_type, column, finding.severity, description, None, metadata)
    packed = rows.pack(finding.row_indices) if finding.row_indices is not None else None
    return FindingRecord(
        fingerprint=identity.fingerprint(clean, dataset),
        legacy_id=identity.legacy_id(clean.ghost_type, column, description),
        dataset=str(metadata.get("dataset") or dataset),
        ghost_type=clean.ghost_type,
        column=column,
        severity=clean.severity,
        description=description,
        rows=packed,
        row_count=_row_count(metadata, finding.row_indices),
        share=_share(metadata),
        metadata=metadata,
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
