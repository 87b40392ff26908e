"""Pages of the audit log of an application's database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from lavendertown.database.application import Database
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import AuditEvent
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.schema.tables import audit_log
from lavendertown.stores.sql.writing.audit_log import event_from_row, events_statement

Position = tuple[dt.datetime, int]
"""The time and the key of an event."""


def read_audit_page(
    database: Database, query: AuditQuery, limit: int, before: Position | None = None
) -> Sequence[AuditEvent]:
    """Return a page of audit events, newest first.

    Args:
        database: The database.
        query: The query.
        limit: The maximum number of events.
        before: The position of the last event of the previous page; None for the first page.
    """
    statement, values = events_statement(query)
    if before is not None:
        at, key = before
        older = sa.and_(audit_log.c.at == at, audit_log.c.key < key)
        statement = statement.where(sa.or_(audit_log.c.at < at, older))
    with translate_errors(database.url), database.use_session() as session:
        rows = session.connection().execute(statement.limit(limit), values).all()
    return [event_from_row(row) for row in rows]
