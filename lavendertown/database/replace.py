"""Replacing what a database holds: all its rows, in one transaction, with a copy kept of them.

Rows are replaced, not files. So connections that others have open stay good; who writes meanwhile was
either first, and is in the kept copy, or waits and then finds the new content; who reads sees the one
or the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database import audit, mariadb, schema
from lavendertown.database.backup import backup
from lavendertown.database.copies import VERSIONS
from lavendertown.database.engine import BEGIN, make_engine, make_folder, read_url
from lavendertown.database.errors import translated, where
from lavendertown.database.schema import State
from lavendertown.database.tables import UNWATCHED, findings, metadata, reports
from lavendertown.database.upgrade import alone, changing, refuse
from lavendertown.database.writer import Writer
from lavendertown.errors import InvalidInputError, SchemaError, StorageUnavailableError
from lavendertown.records.values import AuditEvent

USABLE = (State.OLDER, State.NEWER, State.UNVERSIONED)
_ATTEMPTS = 100
# Whoever locks in the order in which a save does waits without standing in anybody's way.
_WRITTEN_FIRST = ("reports", "identities", "findings", "annotations")
_LOST = (
    sa.select(findings.c.report_key, findings.c.position)
    .where(~sa.exists().where(reports.c.key == findings.c.report_key))
    .limit(1)
)
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Replacing:
    """A database that nobody else writes to until the transaction ends.

    Attributes:
        connection: Inside the transaction.
        tables: All tables but the schema's own, in an order in which they can be filled.
        before: The revision it had; empty where it had no tables.
        held: How many rows each table had.
    """

    connection: sa.Connection
    tables: Sequence[sa.Table]
    before: str
    held: Mapping[str, int]

    def clear(self, *, keep: bool = True) -> Path | None:
        """Delete what is there, having kept a copy of it.

        Returns:
            The copy; None where there was nothing, or none was to be kept.
        """
        if not any(self.held.values()):
            return None
        kept = backup(self.connection.engine) if keep else None
        # Not TRUNCATE: to a reader whose snapshot is older, its tables would be empty.
        for table in reversed(self.tables):
            self.connection.execute(sa.delete(table))
        return kept

    def finish(self, actor: str, operation: str, name: str, told: Mapping[str, Any]) -> None:
        """Number new rows after those that are there now, and leave a line in the audit log.

        Raises:
            InvalidInputError: A finding's report is missing.
        """
        self._refuse_lost(name)
        for table in self.tables:
            _number_on(self.connection, table)
        before = {"rows": dict(self.held)}
        event = AuditEvent(clock.now(), actor, "store", name[-200:], operation, before, told)
        writer = Writer(self.connection)
        audit.append(writer, [event])
        writer.flush()

    def is_lost(self, table: sa.Table) -> Callable[[Mapping[str, Any]], bool]:
        """Tell of rows of a table whether they are findings of a report that is not there.

        Only where the database does not refuse those itself; the reports must have been filled in.
        """
        if table.name != UNWATCHED or self.connection.dialect.name != "postgresql":
            return lambda row: False
        keys = frozenset(self.connection.scalars(sa.select(reports.c.key)))
        return lambda row: row["report_key"] not in keys

    def _refuse_lost(self, name: str) -> None:
        if self.connection.dialect.name != "postgresql":
            return
        lost = self.connection.execute(_LOST).first()
        if lost is not None:
            raise InvalidInputError(
                f"{name} has a finding (report {lost.report_key}, position {lost.position}) whose report it "
                "lacks; nothing was changed. Choose another file."
            )


@contextlib.contextmanager
def replacing(database_url: str, *, strictly: bool = False) -> Iterator[Replacing]:
    """Hold a database still and open the transaction in which its rows are replaced.

    An empty database gets its tables. What the block raises undoes everything.

    Args:
        database_url: The database.
        strictly: On SQLite, too, each row must at once refer to rows that are there.

    Raises:
        SchemaError: It has another schema; nothing was changed.
        StorageUnavailableError: It does not answer, or is written to without a pause.
    """
    found = refuse(database_url, *USABLE)
    make_folder(read_url(database_url))
    with alone(database_url) as engine:
        if found is State.EMPTY:
            schema.switch_to_wal(engine)
        with _strictly(engine) if strictly else changing(engine) as connection:
            found = schema.state(connection)
            if found is State.EMPTY:
                schema.migrate(connection)
            elif found is not State.CURRENT:
                raise SchemaError(f"{schema.sentence(connection, found)} Nothing was changed.")
            tables = tables_of(connection)
            _hold_still(connection, tables)
            before = "" if found is State.EMPTY else schema.HEAD
            yield Replacing(connection, tables, before, rows_of(connection, tables))


@contextlib.contextmanager
def _strictly(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as connection:
        schema.lock(connection)
        yield connection


def tables_of(connection: sa.Connection) -> Sequence[sa.Table]:
    """Return a database's tables but the schema's own, in an order in which they can be filled.

    Ours are as :mod:`lavendertown.database.tables` describes them, others as the database does.
    """
    found = sa.MetaData()
    found.reflect(connection)
    tables = [metadata.tables.get(t.name, t) for t in found.sorted_tables if t.name != VERSIONS]
    # Nothing refers to it, and not every database says what it refers to.
    tables.sort(key=lambda table: table.name == UNWATCHED)
    for column in (column for table in tables for column in table.columns):
        if isinstance(column.type, sa.JSON):
            # Else None would become JSON's null.
            column.type.none_as_null = True
    return tables


def columns_of(table: sa.Table) -> Sequence[sa.Column[Any]]:
    """Return the columns that hold something of their own, not what the database computes from others."""
    return [column for column in table.columns if column.computed is None]


def look_at(database_url: str) -> tuple[Sequence[sa.Table], Mapping[str, int]]:
    """Return a database's tables and how many rows they have; an empty one's as it will get them.

    Raises:
        SchemaError: It has another schema.
        StorageUnavailableError: It does not answer.
    """
    if refuse(database_url, *USABLE) is State.EMPTY:
        return metadata.sorted_tables, {}
    url = read_url(database_url)
    engine = make_engine(url)
    try:
        with translated(url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            tables = tables_of(connection)
            return tables, rows_of(connection, tables)
    finally:
        engine.dispose()


def rows_of(connection: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, int]:
    """Return how many rows each table has."""
    # A reflected name is a text of SQLAlchemy's own kind, which is not plain JSON.
    counts = ((str(t.name), sa.select(sa.func.count()).select_from(t)) for t in tables)
    return {name: connection.scalar(statement) or 0 for name, statement in counts}


def refuse_other_tables(
    name: str, columns: Mapping[str, Set[str]], tables: Sequence[sa.Table], held: Mapping[str, int]
) -> None:
    """Refuse a file whose tables are not the database's.

    Args:
        name: The file.
        columns: Its tables, and their columns.
        tables: The database's.
        held: How many rows those have.

    Raises:
        SchemaError: A table or column is missing here or there; nothing was changed.
    """
    known = {table.name: table for table in tables}
    for table, found in columns.items():
        if table not in known:
            raise SchemaError(
                f"{name} has a table {table!r}, which this database lacks; nothing was changed. Open the "
                "database once with the application that the table belongs to, then try again."
            )
        if differing := sorted(found ^ {column.name for column in columns_of(known[table])}):
            raise SchemaError(
                f"The table {table!r} is not the same in {name} and in the database (column "
                f"{differing[0]!r}); nothing was changed. Choose a file of this schema."
            )
    for table in known.keys() - columns.keys():
        if held.get(table):
            raise SchemaError(
                f"The database has rows in a table {table!r}, which {name} lacks; nothing was changed. "
                "Choose a newer file, or empty that table first."
            )


def _hold_still(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Wait for whoever is writing and let nobody else begin; SQLite's own lock does that.

    A writer may hold one table and want the next while we wait: then we let go of all and try again.
    """
    mariadb.one_writer(connection)
    if connection.dialect.name != "postgresql":
        return
    order = [*(table for name in _WRITTEN_FIRST for table in tables if table.name == name), *tables]
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
        f"{where(connection.engine.url)} is written to without a pause; nothing was changed. Try again later."
    )


def _number_on(connection: sa.Connection, table: sa.Table) -> None:
    """On PostgreSQL, move the sequence behind a key past what is there. SQLite looks for itself."""
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
