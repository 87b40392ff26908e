"""Whole records: read by id, locked with their stored versions, or iterated over the whole database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from lavendertown.core import json_codec
from lavendertown.core.errors import DamagedRecordError
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.fingerprints import legacy_id
from lavendertown.records import field_checks, summaries
from lavendertown.records.fields import summary_fields
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
    StoredVersion,
)
from lavendertown.stores.sql.reading import flat_records
from lavendertown.stores.sql.schema.record_mapping import RecordMapper
from lavendertown.stores.sql.schema.tables import (
    annotations_table,
    audit_log,
    finding_rows,
    findings,
    reports,
    rulesets,
)
from lavendertown.stores.sql.statements.column_types import UtcDateTime
from lavendertown.stores.sql.statements.conditions import in_list
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing.audit_log import EVENT_COLUMNS, event_from_row

_R, _F, _A, _S = reports.c, findings.c, annotations_table.c, rulesets.c
REPORT_MAPPER = RecordMapper(ReportRecord, reports)
FINDING_MAPPER = RecordMapper(FindingRecord, findings)
ANNOTATION_MAPPER = RecordMapper(AnnotationRecord, annotations_table)
RULESET_MAPPER = RecordMapper(RuleSetRecord, rulesets)
_REPORT_SUMMARY_MAPPER = RecordMapper(ReportRecord, reports, summary_fields(ReportRecord))
_REPORTS = sa.select(_R.key, *REPORT_MAPPER.columns).where(in_list(_R.id, "ids"))
_FINDINGS = (
    sa.select(_F.report_key, finding_rows.c.data, *FINDING_MAPPER.columns)
    .join_from(
        findings,
        finding_rows,
        sa.and_(finding_rows.c.report_key == _F.report_key, finding_rows.c.position == _F.position),
        isouter=True,
    )
    .where(in_list(_F.report_key, "keys"))
    .order_by(_F.report_key, _F.position)
)
_ANNOTATIONS = sa.select(*ANNOTATION_MAPPER.columns).where(in_list(_A.id, "ids"))
_RULESETS = sa.select(*RULESET_MAPPER.columns).where(in_list(_S.name, "ids"))
_COUNT_COLUMNS = ("finding_count", *(f"{severity}_count" for severity in SEVERITIES))
_REPORTS_LOCKED = (
    sa.select(*(_R[name] for name in _COUNT_COLUMNS), *_REPORT_SUMMARY_MAPPER.columns)
    .where(in_list(_R.id, "ids"))
    .with_for_update()
)
_ANNOTATIONS_LOCKED = _ANNOTATIONS.with_for_update()
_RULESETS_LOCKED = _RULESETS.with_for_update()

# Most saved records are new, so a cheap query first finds those that exist.
_EXISTING_IDS = {
    RecordKind.REPORT: sa.select(_R.id).where(in_list(_R.id, "ids")),
    RecordKind.ANNOTATION: sa.select(_A.id).where(in_list(_A.id, "ids")),
    RecordKind.RULESET: sa.select(_S.name).where(in_list(_S.name, "ids")),
    **{kind: sa.select(t.c.id).where(in_list(t.c.id, "ids")) for kind, t in flat_records.FLAT_TABLES.items()},
}


_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def read_record(connection: sa.Connection, kind: RecordKind, record_id: str) -> Record | None:
    """Return a whole record, deleted or not; None if it is not stored."""
    return read_records(connection, kind, [record_id]).get(record_id)


def read_records(connection: sa.Connection, kind: RecordKind, ids: Sequence[str]) -> dict[str, Record]:
    """Return the stored whole records with these ids, deleted or not, by id.

    Raises:
        DamagedRecordError: A record has a value that no version wrote.
    """
    try:
        return {record.id: record for record in _load_records(connection, kind, ids)}
    except _UNREADABLE as error:
        which = f"The {kind.value} {ids[0]!r}" if len(ids) == 1 else f"One of {len(ids):,} {kind.value}s"
        raise DamagedRecordError(f"{which} cannot be read: {error}.") from error


def _load_records(connection: sa.Connection, kind: RecordKind, ids: Sequence[str]) -> list[Record]:
    match kind:
        case RecordKind.REPORT:
            records: list[Record] = [
                *load_reports(connection, connection.execute(_REPORTS, {"ids": ids}).all())
            ]
        case RecordKind.ANNOTATION:
            records = [annotation_from_row(row) for row in connection.execute(_ANNOTATIONS, {"ids": ids})]
        case RecordKind.RULESET:
            records = [ruleset_from_row(row) for row in connection.execute(_RULESETS, {"ids": ids})]
        case _:
            records = [*flat_records.read_flat_records(connection, kind, ids)]
    return records


def load_reports(connection: sa.Connection, rows: Sequence[Any]) -> list[ReportRecord]:
    """Return whole reports, with their findings.

    Args:
        connection: For the findings.
        rows: The keys of the reports, each followed by the columns of ``REPORT_MAPPER``.
    """
    findings_of: dict[int, list[FindingRecord]] = {row[0]: [] for row in rows}
    for key, packed, *values in connection.execute(_FINDINGS, {"keys": list(findings_of)}):
        findings_of[key].append(finding_from_row(values, packed))
    return [
        ReportRecord(**REPORT_MAPPER.to_fields(values), findings=tuple(findings_of[key]))
        for key, *values in rows
    ]


def finding_from_row(row: Sequence[Any], packed: Any) -> FindingRecord:
    """Return the finding in a row of the columns of ``FINDING_MAPPER``, with its packed rows."""
    values = FINDING_MAPPER.to_fields(row)
    old_id = legacy_id(values["ghost_type"], values["column"], values["description"])
    return FindingRecord(**values, legacy_id=old_id, rows=bytes(packed) if packed is not None else None)


def annotation_from_row(row: Any) -> AnnotationRecord:
    """Return the annotation in a row of the columns of ``ANNOTATION_MAPPER``."""
    return AnnotationRecord(**ANNOTATION_MAPPER.to_fields(row))


def ruleset_from_row(row: Any) -> RuleSetRecord:
    """Return the rule set in a row of the columns of ``RULESET_MAPPER``."""
    return RuleSetRecord(**RULESET_MAPPER.to_fields(row))


def read_stored_versions(
    batch: StatementBatch, kind: RecordKind, ids: Sequence[str]
) -> dict[tuple[str, str], StoredVersion]:
    """Return the versions of the stored records with these ids, and lock the records."""
    ids = [row[0] for row in batch.fetch_rows(_EXISTING_IDS[kind], {"ids": ids})]
    if not ids:
        return {}
    connection = batch.connection
    match kind:
        case RecordKind.REPORT:
            rows = connection.execute(_REPORTS_LOCKED, {"ids": ids})
            return {
                (kind, row.id): StoredVersion(row.version, row.deleted_at, _summarize_report(row))
                for row in rows
            }
        case RecordKind.ANNOTATION:
            records: list[Record] = [
                annotation_from_row(row) for row in connection.execute(_ANNOTATIONS_LOCKED, {"ids": ids})
            ]
        case RecordKind.RULESET:
            records = [ruleset_from_row(row) for row in connection.execute(_RULESETS_LOCKED, {"ids": ids})]
        case _:
            records = [*flat_records.read_flat_records(connection, kind, ids, lock=True)]
    return {
        (kind, r.id): StoredVersion(r.version, r.deleted_at, summaries.summarize_record(r)) for r in records
    }


def _summarize_report(row: Any) -> dict[str, Any]:
    counts = dict(zip(_COUNT_COLUMNS, row, strict=False))
    values = _REPORT_SUMMARY_MAPPER.to_fields(row[len(_COUNT_COLUMNS) :])
    return summaries.summarize_values(_REPORT_SUMMARY_MAPPER.fields, list(values.values()), counts)


OpenConnection = Callable[[], AbstractContextManager[sa.Connection]]
OnUnreadable = Callable[[str, str, bytes], None]
"""Receives an unreadable item's name (such as ``report 'r1'``), the reason, and its raw data as JSON."""

REPORTS_AT_ONCE = 200
OTHERS_AT_ONCE = 2000

_E = audit_log.c
_RECORD_TABLES = {
    RecordKind.REPORT: reports,
    RecordKind.ANNOTATION: annotations_table,
    RecordKind.RULESET: rulesets,
    **flat_records.FLAT_TABLES,
}
_ID_COLUMNS = {
    kind: table.c.name if kind is RecordKind.RULESET else table.c.id for kind, table in _RECORD_TABLES.items()
}
_KEY_PAGES = {
    kind: sa.select(table.c.key, _ID_COLUMNS[kind])
    .where(table.c.key > sa.bindparam("after"), table.c.key <= sa.bindparam("last"))
    .order_by(table.c.key)
    .limit(sa.bindparam("size"))
    for kind, table in _RECORD_TABLES.items()
}
_LAST_KEY = {kind: sa.select(sa.func.max(table.c.key)) for kind, table in _RECORD_TABLES.items()}
_LAST_EVENT = sa.select(sa.func.max(_E.key))
_EVENT_PAGE = (
    sa.select(_E.at, _E.key)
    .where(
        sa.tuple_(_E.at, _E.key)
        > sa.tuple_(sa.bindparam("at", type_=UtcDateTime()), sa.bindparam("after", type_=sa.BigInteger())),
        _E.key <= sa.bindparam("last"),
    )
    .order_by(_E.at, _E.key)
    .limit(OTHERS_AT_ONCE)
)
_EVENTS_BY_KEY = sa.select(*EVENT_COLUMNS).where(in_list(_E.key, "keys")).order_by(_E.at, _E.key)


def iterate_records(
    connect: OpenConnection, kind: RecordKind, on_unreadable: OnUnreadable
) -> Iterator[Record]:
    """Yield every readable record of a kind, deleted ones too, in the order in which they were stored.

    Records stored after the start are left out, so that the iteration ends even while others write.
    """
    size = REPORTS_AT_ONCE if kind is RecordKind.REPORT else OTHERS_AT_ONCE
    with connect() as connection:
        last = connection.scalar(_LAST_KEY[kind]) or 0
    after = 0
    while True:
        with connect() as connection:
            rows = connection.execute(_KEY_PAGES[kind], {"after": after, "last": last, "size": size}).all()
            records = _read_batch(connection, kind, [record_id for _, record_id in rows], on_unreadable)
        yield from records
        if len(rows) < size:
            return
        after = rows[-1][0]


def _read_batch(
    connection: sa.Connection, kind: RecordKind, ids: Sequence[str], on_unreadable: OnUnreadable
) -> Sequence[Record]:
    try:
        records = read_records(connection, kind, ids)
        for record in records.values():
            field_checks.check_stored_record(record)
    except (DamagedRecordError, ValueError):
        return [
            record for record_id in ids for record in _read_one(connection, kind, record_id, on_unreadable)
        ]
    return [records[record_id] for record_id in ids if record_id in records]


def _read_one(
    connection: sa.Connection, kind: RecordKind, record_id: str, on_unreadable: OnUnreadable
) -> Iterator[Record]:
    try:
        record = read_record(connection, kind, record_id)
        if record is not None:
            field_checks.check_stored_record(record)
    except (DamagedRecordError, ValueError) as error:
        on_unreadable(
            f"{kind.value} {record_id!r}",
            str(error.__cause__ or error),
            _raw_row(connection, _RECORD_TABLES[kind], _ID_COLUMNS[kind] == record_id),
        )
        return
    if record is not None:
        yield record


def iterate_events(
    connect: OpenConnection, since: dt.datetime, on_unreadable: OnUnreadable
) -> Iterator[AuditEvent]:
    """Yield the readable audit events from a time on, oldest first, without those added after the start."""
    with connect() as connection:
        last = connection.scalar(_LAST_EVENT) or 0
    at, after = since, 0
    while True:
        with connect() as connection:
            page = connection.execute(_EVENT_PAGE, {"at": at, "after": after, "last": last}).all()
            events = _read_event_batch(connection, [key for _, key in page], on_unreadable)
        yield from events
        if len(page) < OTHERS_AT_ONCE:
            return
        at, after = page[-1]


def _read_event_batch(
    connection: sa.Connection, keys: Sequence[int], on_unreadable: OnUnreadable
) -> Sequence[AuditEvent]:
    try:
        return [_checked_event(row) for row in connection.execute(_EVENTS_BY_KEY, {"keys": keys})]
    except _UNREADABLE:
        return [event for key in keys for event in _read_one_event(connection, key, on_unreadable)]


def _read_one_event(connection: sa.Connection, key: int, on_unreadable: OnUnreadable) -> Iterator[AuditEvent]:
    try:
        event = _checked_event(connection.execute(_EVENTS_BY_KEY, {"keys": [key]}).one())
    except _UNREADABLE as error:
        on_unreadable(f"audit event {key}", str(error), _raw_row(connection, audit_log, _E.key == key))
        return
    yield event


def _checked_event(row: Any) -> AuditEvent:
    event = event_from_row(row)
    field_checks.check_stored_event(event)
    return event


def _raw_row(connection: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool]) -> bytes:
    """Return a row as JSON, with every value cast to text."""
    columns = [sa.cast(column, sa.Text).label(column.name) for column in table.columns]
    row = connection.execute(sa.select(*columns).where(condition)).mappings().one()
    return json_codec.dumps({str(name): value for name, value in row.items()}, indent=True)
