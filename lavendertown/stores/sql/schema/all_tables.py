"""The tables of a database: LavenderTown's own and those of applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema import tables as own_tables
from lavendertown.stores.sql.statements.column_types import IntervalAsText, NativeTypeAsText

VERSION_TABLE = "alembic_version"
RECORD_TABLE_NAMES = frozenset(own_tables.metadata.tables) - {own_tables.seed_runs.name}
"""The tables with records, and with data derived from records."""


def reflect_tables(connection: sa.Connection) -> Sequence[sa.Table]:
    """Return all tables except the version table, referenced tables first.

    LavenderTown's tables are as :mod:`lavendertown.stores.sql.schema.tables` describes them, if the schema
    is current; all others are as the database describes them.
    """
    reflected = sa.MetaData()
    reflected.reflect(connection)
    is_current = revisions.HEAD in revisions.read_revisions(connection)
    described = own_tables.metadata.tables if is_current else {}
    tables = [described.get(t.name, t) for t in reflected.sorted_tables if t.name != VERSION_TABLE]
    # Exports have listed them in this order since schema 0006.
    tables.sort(key=lambda table: table.name == own_tables.findings.name)
    for column in (column for table in tables for column in table.columns):
        if isinstance(column.type, sa.JSON):
            # Otherwise None would be stored as JSON's null.
            column.type.none_as_null = True
        elif isinstance(column.type, postgresql.INTERVAL):
            column.type = IntervalAsText(str(column.type.compile(connection.dialect)))
        elif isinstance(column.type, postgresql.ARRAY | postgresql.INET):
            column.type = NativeTypeAsText(str(column.type.compile(connection.dialect)))
    return tables


def stored_columns(table: sa.Table) -> Sequence[sa.Column[Any]]:
    """Return the columns with stored values, without those that the database computes."""
    return [column for column in table.columns if column.computed is None]


def count_rows(connection: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, int]:
    """Return the number of rows of each table."""
    # str(): a reflected name is a subclass of str, which the JSON encoder refuses.
    counts = ((str(t.name), sa.select(sa.func.count()).select_from(t)) for t in tables)
    return {name: connection.scalar(statement) or 0 for name, statement in counts}
