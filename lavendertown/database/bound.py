"""The store over one open transaction: everything is written when that is committed, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from lavendertown.database.store import DatabaseStore
from lavendertown.database.unit import DatabaseUnit
from lavendertown.records.contract import Unit


class BoundStore(DatabaseStore):
    """A database seen through one connection, whose transaction somebody else ends.

    Args:
        connection: Inside a transaction, in which the tables are there.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.url = connection.engine.url
        self._connection = connection

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        """Open a unit of work as a savepoint."""
        with self._connection.begin_nested():
            unit = DatabaseUnit(self._connection)
            try:
                yield unit
            finally:
                unit.close()
            unit.settle()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The transaction is nobody else's anyway."""
        yield

    def close(self) -> None:
        """Whoever opened the connection closes it."""

    @contextlib.contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        yield self._connection

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[sa.Connection]:
        yield self._connection
