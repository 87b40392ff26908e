"""Flat records in their tables: the columns bear the names of the record's fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from lavendertown.database import tables
from lavendertown.database.conditions import Filter
from lavendertown.database.sql import among
from lavendertown.records.queries import PlainQuery
from lavendertown.records.values import PLAIN, Kind, PlainRecord

TABLES: dict[Kind, sa.Table] = {
    Kind.TRIAGE: tables.triage,
    Kind.PERSON: tables.known_people,
    Kind.VIEW: tables.saved_views,
}
_COLUMNS = {kind: [table.c[each.name] for each in fields(PLAIN[kind])] for kind, table in TABLES.items()}
_BY_ID = {kind: sa.select(*_COLUMNS[kind]).where(among(table.c.id, "ids")) for kind, table in TABLES.items()}
_LOCKED = {kind: statement.with_for_update() for kind, statement in _BY_ID.items()}
_DELETE = {kind: sa.delete(table).where(among(table.c.id, "ids")) for kind, table in TABLES.items()}


def read(
    connection: sa.Connection, kind: Kind, ids: Sequence[str], *, lock: bool = False
) -> list[PlainRecord]:
    """Return those records that are stored, deleted or not."""
    statement = (_LOCKED if lock else _BY_ID)[kind]
    return [record(kind, row) for row in connection.execute(statement, {"ids": ids})]


def record(kind: Kind, row: Any) -> PlainRecord:
    """Return the record in a row of a statement of this module."""
    return PLAIN[kind](**row._mapping)


def write(connection: sa.Connection, kind: Kind, records: Sequence[PlainRecord], fresh: set[str]) -> None:
    """Write new and changed records."""
    old = [each.id for each in records if each.id not in fresh]
    if old:
        connection.execute(_DELETE[kind], {"ids": old})
    names = [each.name for each in fields(PLAIN[kind])]
    connection.execute(
        sa.insert(TABLES[kind]), [{name: getattr(each, name) for name in names} for each in records]
    )


def statement(query: PlainQuery) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Return the statement and parameters behind a query."""
    table, f = TABLES[query.kind], Filter()
    f.visible(table.c.deleted_at, query.deleted)
    f.among(table.c.id, "ids", query.ids)
    if query.merged:
        f.conditions.append(tables.triage.c.merged_into != "" if table is tables.triage else sa.false())
    return sa.select(*_COLUMNS[query.kind]).where(*f.conditions).order_by(table.c.id), f.values
