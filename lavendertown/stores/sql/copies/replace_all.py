"""Replacement of all rows of a database, in one transaction.

Rows are replaced, not files, so open connections stay valid. A concurrent writer either finishes first, or
waits and then writes to the new content. A concurrent reader sees either the old or the new content.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lavendertown.core.errors import SchemaError, StorageUnavailableError
from lavendertown.records.record_classes import AuditEvent
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.connection.engine import (
    make_database_folder,
    make_engine,
    read_url,
    snapshot_connection,
)
from lavendertown.stores.sql.connection.errors import store_name, translate_errors
from lavendertown.stores.sql.connection.write_locks import watch_transaction
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.all_tables import count_rows, reflect_tables, stored_columns
from lavendertown.stores.sql.schema.revisions import SchemaState
from lavendertown.stores.sql.schema.tables import metadata
from lavendertown.stores.sql.schema.upgrade import exclusive_engine, schema_change
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.writing import audit_log

_ATTEMPTS = 100
# The order in which a save locks tables, so that waiting for a save causes no deadlock.
_LOCK_ORDER = ("reports", "identities", "findings", "annotations")
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class ReplaceTransaction:
    """A transaction that blocks all other writers of a database until it ends.

    Attributes:
        connection: The connection of the transaction.
        tables: All tables except the version table, referenced tables first.
        previous_revision: The database's revision before; empty if it had no tables.
        row_counts: The number of rows of each table before.
    """

    connection: sa.Connection
    tables: Sequence[sa.Table]
    previous_revision: str
    row_counts: Mapping[str, int]

    def delete_rows(self) -> None:
        """Delete all rows of all tables."""
        # Not TRUNCATE, after which readers with an older snapshot would see empty tables.
        for table in reversed(self.tables):
            self.connection.execute(sa.delete(table))

    def finish_replacement(self, event: AuditEvent) -> None:
        """Advance the sequences past the new rows, append an audit event and gather statistics."""
        for table in self.tables:
            _advance_sequence(self.connection, table)
        batch = StatementBatch(self.connection)
        audit_log.append_events(batch, [event])
        batch.flush()
        if self.connection.dialect.name == "postgresql":
            format_table = self.connection.dialect.identifier_preparer.format_table
            self.connection.exec_driver_sql(f"ANALYZE {', '.join(map(format_table, self.tables))}")


@contextlib.contextmanager
def open_replacement(database_url: str, *, strict: bool = False) -> Iterator[ReplaceTransaction]:
    """Block other writers and open the transaction in which the rows of a database are replaced.

    The tables of an empty database are created. An exception in the block undoes everything.

    Args:
        database_url: The database.
        strict: Whether SQLite checks foreign keys with each row, instead of at the end.

    Raises:
        SchemaError: The database has another schema; nothing was changed.
        StorageUnavailableError: The database does not answer, or is busy with writes.
    """
    state = revisions.refuse_state(database_url, *revisions.UNUSABLE_STATES)
    make_database_folder(read_url(database_url))
    with exclusive_engine(database_url) as engine:
        if state is SchemaState.EMPTY:
            revisions.enable_wal(engine)
        with _strict_transaction(engine) if strict else schema_change(engine) as connection:
            state = revisions.read_state(connection)
            if state is SchemaState.EMPTY:
                revisions.run_migrations(connection)
            elif state is not SchemaState.CURRENT:
                raise SchemaError(f"{revisions.describe_state(connection, state)} Nothing was changed.")
            tables = reflect_tables(connection)
            _lock_tables(connection, tables)
            previous_revision = "" if state is SchemaState.EMPTY else revisions.HEAD
            yield ReplaceTransaction(connection, tables, previous_revision, count_rows(connection, tables))


@contextlib.contextmanager
def _strict_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as connection, watch_transaction(connection):
        revisions.lock_schema(connection)
        yield connection


@contextlib.contextmanager
def dry_run_database(database_url: str, needed: bool) -> Iterator[str]:
    """Return the URL for a dry run: a temporary SQLite file if the run would otherwise create one.

    Args:
        database_url: The database.
        needed: Whether the database does not exist yet.
    """
    if not needed or read_url(database_url).get_backend_name() != "sqlite":
        yield database_url
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'trial.db'}"


def inspect_tables(database_url: str) -> tuple[Sequence[sa.Table], Mapping[str, int]]:
    """Return the tables of a database and their numbers of rows; for an empty one, the tables it will get.

    Raises:
        SchemaError: The database has another schema.
        StorageUnavailableError: The database does not answer.
    """
    if revisions.refuse_state(database_url, *revisions.UNUSABLE_STATES) is SchemaState.EMPTY:
        return metadata.sorted_tables, {}
    url = read_url(database_url)
    engine = make_engine(url)
    try:
        with (
            translate_errors(url),
            snapshot_connection(engine) as connection,
        ):
            tables = reflect_tables(connection)
            return tables, count_rows(connection, tables)
    finally:
        engine.dispose()


def refuse_other_tables(
    name: str, columns: Mapping[str, Set[str]], tables: Sequence[sa.Table], row_counts: Mapping[str, int]
) -> None:
    """Refuse a file whose tables or columns differ from the database's.

    Args:
        name: The file.
        columns: The file's columns by table.
        tables: The database's tables.
        row_counts: The number of rows of each table in the database.

    Raises:
        SchemaError: A table or column is missing in the file or in the database; nothing was changed.
    """
    tables_by_name = {table.name: table for table in tables}
    for table, file_columns in columns.items():
        if table not in tables_by_name:
            raise SchemaError(
                f"{name} has a table {table!r}, which this database lacks; nothing was changed. Open the "
                "database once with the application that the table belongs to, then try again."
            )
        if differing := sorted(
            file_columns ^ {column.name for column in stored_columns(tables_by_name[table])}
        ):
            raise SchemaError(
                f"The table {table!r} differs between {name} and the database (column "
                f"{differing[0]!r}); nothing was changed. Choose a file of this schema."
            )
    for table in tables_by_name.keys() - columns.keys():
        if row_counts.get(table):
            raise SchemaError(
                f"The database has rows in a table {table!r}, which {name} lacks; nothing was changed. "
                "Choose a newer file, or empty that table first."
            )


def _lock_tables(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Wait for other writers to finish and block new ones; on SQLite, its write lock does so already.

    On PostgreSQL, a writer may hold one table and wait for another. So after a short wait, all locks are
    released and taken again.
    """
    mariadb.block_other_writers(connection)
    if connection.dialect.name != "postgresql":
        return
    order = [*(table for name in _LOCK_ORDER for table in tables if table.name == name), *tables]
    names = ", ".join(map(connection.dialect.identifier_preparer.format_table, dict.fromkeys(order)))
    for _ in range(_ATTEMPTS):
        try:
            with connection.begin_nested():
                connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
                connection.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            return
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
    raise StorageUnavailableError(
        f"{store_name(connection.engine.url)} is busy with writes; nothing was changed. Try again later."
    )


def _advance_sequence(connection: sa.Connection, table: sa.Table) -> None:
    """On PostgreSQL, advance the sequence of a table's key past its highest key."""
    key = table.autoincrement_column
    if connection.dialect.name != "postgresql" or key is None:
        return
    prepare = connection.dialect.identifier_preparer
    names = {"table": prepare.format_table(table), "column": key.name}
    sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), names)
    if sequence is not None:
        newest = f"SELECT coalesce(max({prepare.quote(key.name)}), 0) FROM {names['table']}"
        connection.exec_driver_sql(
            f"SELECT setval('{sequence}', greatest(({newest}), (SELECT last_value FROM {sequence})))"
        )
