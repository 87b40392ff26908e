"""The audit log: appended to, and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database.sql import among
from lavendertown.database.tables import audit_log
from lavendertown.database.types import Utc
from lavendertown.database.writer import Writer
from lavendertown.records.queries import AuditQuery
from lavendertown.records.values import AuditEvent

_A = audit_log.c
_INSERT = sa.insert(audit_log)
COLUMNS = (_A.at, _A.actor, _A.component, _A.record_id, _A.operation, _A.before, _A.after, _A.key)


def append(writer: Writer, events: Sequence[AuditEvent]) -> None:
    """Write these events."""
    rows = [
        {
            "at": event.at,
            "actor": event.actor,
            "component": event.component,
            "record_id": event.record_id,
            "operation": event.operation,
            "before": event.before,
            "after": event.after,
        }
        for event in events
    ]
    writer.execute(_INSERT, rows)


def select(query: AuditQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters behind a query, newest first."""
    conditions: list[sa.ColumnElement[bool]] = []
    values: dict[str, Any] = {}
    for name, column, wanted in (
        ("actors", _A.actor, query.actors),
        ("components", _A.component, query.components),
        ("operations", _A.operation, query.operations),
        ("record_ids", _A.record_id, query.record_ids),
    ):
        if wanted:
            conditions.append(among(column, name))
            values[name] = wanted
    if query.since is not None:
        conditions.append(_A.at >= sa.bindparam("since", type_=Utc()))
        values["since"] = query.since
    if query.until is not None:
        conditions.append(_A.at <= sa.bindparam("until", type_=Utc()))
        values["until"] = query.until
    return sa.select(*COLUMNS).where(*conditions).order_by(_A.at.desc(), _A.key.desc()), values


def event(row: Any) -> AuditEvent:
    """Return the event in a row."""
    at, actor, component, record_id, operation, before, after, key = row
    return AuditEvent(at, actor, component, record_id, operation, before, after, str(key))
