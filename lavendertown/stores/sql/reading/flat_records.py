"""Flat records (triage, people, saved views): read, written and listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import FLAT_RECORD_CLASSES, FlatRecord, RecordKind
from lavendertown.stores.sql.schema import tables
from lavendertown.stores.sql.schema.record_mapping import RecordMapper
from lavendertown.stores.sql.statements.conditions import WhereClause, in_list

FLAT_TABLES: dict[RecordKind, sa.Table] = {
    kind: tables.RECORD_TABLES[record_class] for kind, record_class in FLAT_RECORD_CLASSES.items()
}
_MAPPERS = {kind: RecordMapper(FLAT_RECORD_CLASSES[kind], table) for kind, table in FLAT_TABLES.items()}
_BY_ID = {
    kind: sa.select(*_MAPPERS[kind].columns).where(in_list(table.c.id, "ids"))
    for kind, table in FLAT_TABLES.items()
}
_BY_ID_LOCKED = {kind: statement.with_for_update() for kind, statement in _BY_ID.items()}
_DELETE = {kind: sa.delete(table).where(in_list(table.c.id, "ids")) for kind, table in FLAT_TABLES.items()}


def read_flat_records(
    connection: sa.Connection, kind: RecordKind, ids: Sequence[str], *, lock: bool = False
) -> list[FlatRecord]:
    """Return the stored records with these ids, deleted or not."""
    statement = (_BY_ID_LOCKED if lock else _BY_ID)[kind]
    return [flat_record_from_row(kind, row) for row in connection.execute(statement, {"ids": ids})]


def flat_record_from_row(kind: RecordKind, row: Any) -> FlatRecord:
    """Return the record in a row of one of this module's statements."""
    return FLAT_RECORD_CLASSES[kind](**_MAPPERS[kind].to_fields(row))


def write_flat_records(
    connection: sa.Connection, kind: RecordKind, records: Sequence[FlatRecord], new_ids: set[str]
) -> None:
    """Write new and changed records."""
    changed_ids = [each.id for each in records if each.id not in new_ids]
    if changed_ids:
        connection.execute(_DELETE[kind], {"ids": changed_ids})
    connection.execute(sa.insert(FLAT_TABLES[kind]), [_MAPPERS[kind].to_row(each) for each in records])


def remove_flat_records(connection: sa.Connection, kind: RecordKind, ids: Sequence[str]) -> None:
    """Remove records for good."""
    connection.execute(_DELETE[kind], {"ids": ids})


def flat_records_statement(query: FlatRecordQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters of a flat record query."""
    table, filters = FLAT_TABLES[query.kind], WhereClause()
    filters.add_deleted_filter(table.c.deleted_at, query.deleted)
    filters.add_in_list(table.c.id, "ids", query.ids)
    if query.merged:
        filters.add_condition(
            "merged", lambda: tables.triage.c.merged_into != "" if table is tables.triage else sa.false()
        )
    if query.report_id:
        filters.add_equal(table.c.report_id, "report_id", query.report_id)
    if query.pending:
        filters.add_condition(
            "pending",
            lambda: (
                tables.notifications.c.next_attempt_at.is_not(None)
                if table is tables.notifications
                else sa.false()
            ),
        )
    if query.finished_until is not None:
        filters.add_condition(
            "finished",
            lambda: (
                tables.notifications.c.next_attempt_at.is_(None)
                if table is tables.notifications
                else sa.false()
            ),
        )
        filters.add_until_time(table.c.updated_at, "finished_until", query.finished_until)
    return sa.select(*_MAPPERS[query.kind].columns).where(*filters.conditions.build_conditions()).order_by(
        table.c.id
    ), filters.values
