"""A store inside one open transaction, which writes everything or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from lavendertown.records.store import UnitOfWork
from lavendertown.stores.sql.connection.engine import make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.revisions import SchemaState
from lavendertown.stores.sql.statements.execution import StatementBatch
from lavendertown.stores.sql.store import DatabaseStore
from lavendertown.stores.sql.unit_of_work import DatabaseUnitOfWork


@contextlib.contextmanager
def open_snapshot_store(database_url: str) -> Iterator[TransactionStore]:
    """Open a store that reads a snapshot of a database.

    Raises:
        SchemaError: The database is empty, or belongs to another program or version.
        StorageUnavailableError: The database does not answer.
    """
    revisions.refuse_state(database_url, SchemaState.EMPTY, *revisions.UNUSABLE_STATES)
    url = read_url(database_url)
    engine = make_engine(url)
    try:
        with translate_errors(url), snapshot_connection(engine) as connection:
            yield TransactionStore(connection)
    finally:
        engine.dispose()


class TransactionStore(DatabaseStore):
    """A store on one connection, whose transaction the caller ends.

    Args:
        connection: A connection inside a transaction, to a database with the current schema.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.url = connection.engine.url
        self._connection = connection

    @property
    def connection(self) -> sa.Connection:
        """The connection."""
        return self._connection

    @contextlib.contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Open a unit of work as a savepoint."""
        with self._connection.begin_nested():
            unit = DatabaseUnitOfWork(StatementBatch(self._connection))
            try:
                yield unit
            finally:
                unit.close()
            unit.flush_writes()

    @contextlib.contextmanager
    def block_writes(self) -> Iterator[None]:
        """Do nothing: the caller's transaction already controls all writes."""
        yield

    def close(self) -> None:
        """Do nothing: the caller closes the connection."""

    @contextlib.contextmanager
    def _read_connection(self) -> Iterator[sa.Connection]:
        yield self._connection

    @contextlib.contextmanager
    def _snapshot_connection(self) -> Iterator[sa.Connection]:
        yield self._connection
