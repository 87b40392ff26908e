"""The audit log and the ledger of migrations: writing and reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.records.fields import FIELDS
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import AuditEvent, MigrationRecord
from lavendertown.stores.sql.schema.record_mapping import RecordMapper
from lavendertown.stores.sql.schema.tables import audit_log, migrations_table
from lavendertown.stores.sql.statements.conditions import WhereClause
from lavendertown.stores.sql.statements.execution import StatementBatch

_A = audit_log.c
_INSERT_EVENT = sa.insert(audit_log)
EVENT_MAPPER = RecordMapper(AuditEvent, audit_log)
EVENT_COLUMNS = EVENT_MAPPER.columns
_NEW_EVENT_MAPPER = RecordMapper(
    AuditEvent, audit_log, [each for each in FIELDS[AuditEvent] if each.name != "key"]
)


def append_events(batch: StatementBatch, events: Sequence[AuditEvent]) -> None:
    """Append events to the audit log."""
    batch.execute(_INSERT_EVENT, [_NEW_EVENT_MAPPER.to_row(event) for event in events])


def events_statement(query: AuditQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters of an audit query, newest events first."""
    filters = WhereClause()
    filters.add_in_list(_A.actor, "actor", query.actor)
    filters.add_in_list(_A.component, "component", query.component)
    filters.add_in_list(_A.operation, "operation", query.operation)
    filters.add_in_list(_A.record_id, "record_id", query.record_id)
    filters.add_from_time(_A.at, "since", query.since)
    filters.add_until_time(_A.at, "until", query.until)
    statement = sa.select(*EVENT_COLUMNS).where(*filters.conditions.build_conditions())
    return statement.order_by(_A.at.desc(), _A.key.desc()), filters.values


def event_from_row(row: Any) -> AuditEvent:
    """Return the event in a row."""
    values = EVENT_MAPPER.to_fields(row)
    return AuditEvent(**(values | {"key": str(values["key"])}))


_M = migrations_table.c
_MIGRATION_MAPPER = RecordMapper(MigrationRecord, migrations_table)


def write_migration(connection: sa.Connection, migration: MigrationRecord) -> None:
    """Write a migration, in place of one with the same id."""
    connection.execute(sa.delete(migrations_table).where(_M.id == migration.id))
    connection.execute(sa.insert(migrations_table), _MIGRATION_MAPPER.to_row(migration))


def read_migrations(connection: sa.Connection) -> Sequence[MigrationRecord]:
    """Return all migrations, oldest first."""
    rows = connection.execute(sa.select(*_MIGRATION_MAPPER.columns).order_by(_M.started_at, _M.id))
    return [MigrationRecord(**_MIGRATION_MAPPER.to_fields(row)) for row in rows]
