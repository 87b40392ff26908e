"""Reading whole records, and the stamps the write path compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database import plain_tables, prepared
from lavendertown.database.sql import among
from lavendertown.database.tables import (
    finding_rows,
    findings,
    notes,
    reports,
    rulesets,
)
from lavendertown.errors import DamagedRecordError
from lavendertown.identity import legacy_id
from lavendertown.models import SEVERITIES
from lavendertown.records import headers
from lavendertown.records.rules import STATUSES
from lavendertown.records.values import (
    AnnotationRecord,
    FindingRecord,
    Kind,
    Record,
    ReportRecord,
    RuleSetRecord,
    Stamp,
)

_R, _F, _A, _S = reports.c, findings.c, notes.c, rulesets.c
REPORT_COLUMNS = (
    _R.key, _R.id, _R.title, _R.author, _R.dataset, _R.created_at, _R.updated_at, _R.version,
    _R.deleted_at, _R.tags, _R.ruleset, _R.metadata,
)  # fmt: skip
_REPORTS = sa.select(*REPORT_COLUMNS).where(among(_R.id, "ids"))
_FINDINGS = (
    sa.select(
        _F.report_key, _F.fingerprint, _F.dataset, _F.ghost_type, _F.column_name, _F.severity,
        _F.description, finding_rows.c.data, _F.row_count, _F.share, _F.metadata,
    )
    .join_from(
        findings,
        finding_rows,
        sa.and_(finding_rows.c.report_key == _F.report_key, finding_rows.c.position == _F.position),
        isouter=True,
    )
    .where(among(_F.report_key, "keys"))
    .order_by(_F.report_key, _F.position)
)  # fmt: skip
ANNOTATION_COLUMNS = (
    _A.id, _A.finding_id, _A.author, _A.created_at, _A.comment, _A.tags, _A.status, _A.report_id,
    _A.updated_at, _A.version, _A.deleted_at,
)  # fmt: skip
_ANNOTATIONS = sa.select(*ANNOTATION_COLUMNS).where(among(_A.id, "ids"))
RULESET_COLUMNS = (_S.name, _S.description, _S.rules, _S.updated_at, _S.version, _S.deleted_at)
_RULESETS = sa.select(*RULESET_COLUMNS).where(among(_S.name, "ids"))
_REPORT_STAMPS = (
    sa.select(
        _R.id, _R.title, _R.author, _R.dataset, _R.created_at, _R.tags, _R.finding_count,
        _R.info_count, _R.warning_count, _R.error_count, _R.version, _R.deleted_at,
    )
    .where(among(_R.id, "ids"))
    .with_for_update()
)  # fmt: skip
_ANNOTATION_STAMPS = _ANNOTATIONS.with_for_update()
_RULESET_STAMPS = _RULESETS.with_for_update()

# Most records that are saved are new: whether they are there at all is asked first.
_STORED = {
    Kind.REPORT: sa.select(_R.id).where(among(_R.id, "ids")),
    Kind.ANNOTATION: sa.select(_A.id).where(among(_A.id, "ids")),
    Kind.RULESET: sa.select(_S.name).where(among(_S.name, "ids")),
    **{kind: sa.select(t.c.id).where(among(t.c.id, "ids")) for kind, t in plain_tables.TABLES.items()},
}


_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def read(connection: sa.Connection, kind: Kind, record_id: str) -> Record | None:
    """Return the whole record, deleted or not, or None."""
    return read_many(connection, kind, [record_id]).get(record_id)


def read_many(connection: sa.Connection, kind: Kind, ids: Sequence[str]) -> dict[str, Record]:
    """Return those whole records that are stored, deleted or not, by id.

    Raises:
        DamagedRecordError: One of them holds what no version ever wrote.
    """
    try:
        return {record.id: record for record in _found(connection, kind, ids)}
    except _UNREADABLE as error:
        which = f"The {kind.value} {ids[0]!r}" if len(ids) == 1 else f"One of {len(ids):,} {kind.value}s"
        raise DamagedRecordError(f"{which} cannot be read: {error}.") from error


def _found(connection: sa.Connection, kind: Kind, ids: Sequence[str]) -> list[Record]:
    match kind:
        case Kind.REPORT:
            found: list[Record] = [*reports_of(connection, connection.execute(_REPORTS, {"ids": ids}).all())]
        case Kind.ANNOTATION:
            found = [annotation(row) for row in connection.execute(_ANNOTATIONS, {"ids": ids})]
        case Kind.RULESET:
            found = [ruleset(row) for row in connection.execute(_RULESETS, {"ids": ids})]
        case Kind.TRIAGE | Kind.PERSON | Kind.VIEW:
            found = [*plain_tables.read(connection, kind, ids)]
    return found


def reports_of(connection: sa.Connection, rows: Sequence[Any]) -> list[ReportRecord]:
    """Return the whole reports behind rows of ``REPORT_COLUMNS``, in their order."""
    findings_of: dict[int, list[FindingRecord]] = {row.key: [] for row in rows}
    for key, *found in connection.execute(_FINDINGS, {"keys": list(findings_of)}):
        findings_of[key].append(finding(found))
    return [
        ReportRecord(
            id=row.id,
            title=row.title,
            author=row.author,
            dataset=row.dataset,
            created_at=row.created_at,
            tags=tuple(row.tags or ()),
            metadata=row.metadata,
            ruleset=row.ruleset,
            findings=tuple(findings_of[row.key]),
            updated_at=row.updated_at,
            version=row.version,
            deleted_at=row.deleted_at,
        )
        for row in rows
    ]


def finding(row: Any) -> FindingRecord:
    """Return the finding in a row of fingerprint, dataset, type, column, severity and so on."""
    (fingerprint, dataset, kind, column, severity, description, packed, row_count, share, metadata) = row
    return FindingRecord(
        fingerprint=fingerprint,
        legacy_id=legacy_id(kind, column, description),
        dataset=dataset,
        ghost_type=kind,
        column=column,
        severity=SEVERITIES[severity],
        description=description,
        rows=bytes(packed) if packed is not None else None,
        row_count=row_count,
        share=share,
        metadata=metadata,
    )


def annotation(row: Any) -> AnnotationRecord:
    """Return the annotation in a row of ``ANNOTATION_COLUMNS``."""
    return AnnotationRecord(
        id=row.id,
        finding_id=row.finding_id,
        author=row.author,
        created_at=row.created_at,
        comment=row.comment,
        tags=tuple(row.tags),
        status=STATUSES[row.status] if row.status is not None else None,
        report_id=row.report_id,
        updated_at=row.updated_at,
        version=row.version,
        deleted_at=row.deleted_at,
    )


def ruleset(row: Any) -> RuleSetRecord:
    """Return the rule set in a row of ``RULESET_COLUMNS``."""
    return RuleSetRecord(
        row.name, row.description, tuple(row.rules), row.updated_at, row.version, row.deleted_at
    )


def stamps(connection: sa.Connection, kind: Kind, ids: Sequence[str]) -> dict[tuple[str, str], Stamp]:
    """Return the stamps of those records that are stored, and lock them."""
    ids = [found[0] for found in prepared.rows(connection, _STORED[kind], {"ids": ids})]
    if not ids:
        return {}
    match kind:
        case Kind.REPORT:
            rows = connection.execute(_REPORT_STAMPS, {"ids": ids})
            return {(kind, r.id): Stamp(r.version, r.deleted_at, _report_header(r)) for r in rows}
        case Kind.ANNOTATION:
            records: list[Record] = [
                annotation(row) for row in connection.execute(_ANNOTATION_STAMPS, {"ids": ids})
            ]
        case Kind.RULESET:
            records = [ruleset(row) for row in connection.execute(_RULESET_STAMPS, {"ids": ids})]
        case Kind.TRIAGE | Kind.PERSON | Kind.VIEW:
            records = [*plain_tables.read(connection, kind, ids, lock=True)]
    return {(kind, r.id): Stamp(r.version, r.deleted_at, headers.header(r)) for r in records}


def _report_header(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "author": row.author,
        "dataset": row.dataset,
        "created_at": row.created_at.isoformat(),
        "tags": list(row.tags or ()),
        "finding_count": row.finding_count,
        "info_count": row.info_count,
        "warning_count": row.warning_count,
        "error_count": row.error_count,
        "version": row.version,
        "deleted_at": row.deleted_at.isoformat() if row.deleted_at else None,
    }
