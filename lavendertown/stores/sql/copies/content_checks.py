"""Checks that every row of a restored database is valid, as a migration checks its records.

They run after a backup or an export was inserted, inside the transaction, which a failed check undoes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NoReturn

import sqlalchemy as sa

from lavendertown.core import row_positions, statuses
from lavendertown.core.clock import EPOCH
from lavendertown.core.errors import DamagedRecordError, InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.records import validation
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import FIELDS
from lavendertown.records.record_classes import Record, RecordKind
from lavendertown.stores.sql.reading.record_reader import iterate_events, iterate_records
from lavendertown.stores.sql.schema import tables
from lavendertown.stores.sql.statements.column_types import UtcDateTime
from lavendertown.stores.sql.writing import audit_log

_BEGINNING = EPOCH.replace(year=1)
_MIN_TIME, _MAX_TIME = ((EPOCH.replace(year=year) - EPOCH).days * 86_400 * 1_000_000 for year in (1, 9999))
_CODE_COUNTS = {ColumnType.SEVERITY: len(SEVERITIES), ColumnType.STATUS: len(statuses.ALL)}
_CODE_COLUMNS = {
    tables.identities.c.severity: len(SEVERITIES),
    tables.identities.c.status: len(statuses.ALL),
} | {
    table.c[each.column]: _CODE_COUNTS[each.kind.column_type]
    for record_class, table in tables.RECORD_TABLES.items()
    for each in FIELDS[record_class]
    if each.kind.column_type in _CODE_COUNTS
}
"""The columns with codes, and the number of valid codes."""


def refuse_unreadable(connection: sa.Connection, name: str) -> None:
    """Refuse a database with an invalid row.

    Args:
        connection: A connection inside the transaction that inserted the rows.
        name: The file with the rows.

    Raises:
        InvalidInputError: A row is invalid; the message names the first one and the reason.
    """
    refuse_wrong_values(connection, name)
    refuse = partial(_refuse_item, name)

    def connect() -> AbstractContextManager[sa.Connection]:
        return contextlib.nullcontext(connection)

    for kind in RecordKind:
        for record in iterate_records(connect, kind, refuse):
            try:
                validation.validate_record(record)
            except InvalidInputError as error:
                refuse(f"{kind.value} {_record_id(record)!r}", str(error))
    for _ in iterate_events(connect, _BEGINNING, refuse):
        pass


def refuse_wrong_values(connection: sa.Connection, name: str) -> None:
    """Refuse invalid values that reading the records would not detect: types, codes and row positions.

    Args:
        connection: A connection inside the transaction that inserted the rows.
        name: The file with the rows.

    Raises:
        InvalidInputError: A row is invalid; the message names the first one and the reason.
    """
    for item, reason in (
        *_wrong_types(connection),
        *_wrong_codes(connection),
        *_wrong_row_positions(connection),
    ):
        _refuse_item(name, item, reason)
    _refuse_wrong_migrations(connection, partial(_refuse_item, name))


def _refuse_item(name: str, item: str, reason: str, _: bytes = b"") -> NoReturn:
    raise InvalidInputError(
        f"{name} cannot be used: {item} is damaged ({reason.rstrip('.')}); nothing was changed. Choose "
        "another file."
    )


def _record_id(record: Record) -> str:
    return record.id


def _wrong_types(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Yield the first value of each column with a wrong type; SQLite stores any value in any column."""
    if connection.dialect.name != "sqlite":
        return
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            value: sa.ColumnClause[Any] = sa.literal_column(f'"{column.name}"')
            is_wrong: sa.ColumnElement[bool] = sa.func.typeof(value).not_in(
                [*_types_of(column), *(["null"] if column.nullable else [])]
            )
            if isinstance(column.type, UtcDateTime):
                is_wrong = is_wrong | ~value.between(_MIN_TIME, _MAX_TIME)
            elif isinstance(column.type, sa.JSON):
                is_wrong = is_wrong | (value.is_not(None) & (sa.func.json_valid(value) == 0))
            length = getattr(column.type, "length", None)
            if length is not None:
                is_wrong = is_wrong | (sa.func.length(value) > length)
            keys: list[sa.ColumnClause[Any]] = [
                sa.literal_column(f'"{key.name}"') for key in table.primary_key
            ]
            row = connection.execute(
                sa.select(*keys, value).select_from(table).where(is_wrong).limit(1)
            ).first()
            if row is not None:
                yield _describe_row(table, row[:-1]), f"{column.name} is {_shorten_repr(row[-1])}"


def _types_of(column: sa.Column[Any]) -> tuple[str, ...]:
    """Return SQLite's type names for valid values of a column."""
    if isinstance(column.type, UtcDateTime | sa.Integer | sa.Boolean):
        return ("integer",)
    if isinstance(column.type, sa.Float):
        return "real", "integer"
    if isinstance(column.type, sa.LargeBinary):
        return ("blob",)
    return ("text",)


def _wrong_codes(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    for column, length in _CODE_COLUMNS.items():
        table = column.table
        statement = sa.select(*table.primary_key, column).where(~column.between(0, length - 1)).limit(1)
        row = connection.execute(statement).first()
        if row is not None:
            yield _describe_row(table, row[:-1]), f"{column.name} is {row[-1]}"


def _wrong_row_positions(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Yield the findings whose row positions cannot be read."""
    _R = tables.finding_rows.c
    statement = sa.select(_R.report_key, _R.position, _R.data).execution_options(yield_per=200)
    for report, position, data in connection.execute(statement):
        try:
            row_positions.count_positions(bytes(data))
        except DamagedRecordError as error:
            yield _describe_row(tables.finding_rows, (report, position)), str(error)


def _refuse_wrong_migrations(connection: sa.Connection, refuse: Any) -> None:
    for migration in audit_log.read_migrations(connection):
        is_valid = isinstance(migration.options, dict) and isinstance(migration.outcome, dict | None)
        if not is_valid:
            refuse(f"migration {migration.id!r}", "its options or its outcome are not an object")


def _describe_row(table: Any, key: Any) -> str:
    key_values = ", ".join(
        f"{column.name} {_shorten_repr(value)}" for column, value in zip(table.primary_key, key, strict=True)
    )
    return f"the row with {key_values} of the table {table.name!r}"


def _shorten_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
