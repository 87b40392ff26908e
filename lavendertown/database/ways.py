"""The transactions that a store has a use for, on connections that are at hand."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lavendertown.database import mariadb, postgres
from lavendertown.database.engine import BEGIN

_Options = Mapping[str, Any]
_OPTIONS: dict[str, tuple[_Options, _Options, _Options]] = {
    "sqlite": ({BEGIN: ""}, {BEGIN: "BEGIN"}, {BEGIN: "BEGIN IMMEDIATE"}),
    "postgresql": (
        {BEGIN: ""},
        {BEGIN: "BEGIN ISOLATION LEVEL REPEATABLE READ"},
        # Whoever freezes the store locks this table against us; so no unit is between its guards and its
        # writes when the store is frozen.
        {BEGIN: "BEGIN;\nLOCK TABLE audit_log IN ROW EXCLUSIVE MODE"},
    ),
    **dict.fromkeys(
        mariadb.BACKENDS, ({"isolation_level": "AUTOCOMMIT"}, {"isolation_level": "REPEATABLE READ"}, {})
    ),
}


class Ways:
    """Transactions on an engine's connections.

    To take a connection from SQLAlchemy's pool and to give it back is a tenth of what a comment on SQLite
    costs; so one stays out of it between two transactions.

    Args:
        engine: It may be used and disposed of beside.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading, self._seeing, self._writing = _OPTIONS[engine.dialect.name]
        self._keeps = engine.dialect.name not in mariadb.BACKENDS
        self._kept: list[sa.Connection] = []

    def read(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """For single statements, of which each sees what is committed when it starts."""
        return self._transaction(self._reading)

    def snapshot(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """For statements that all see the same moment."""
        return self._transaction(self._seeing)

    def write(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """For one unit of work, which the holder of a freeze waits for, and which waits for that."""
        return self._transaction(self._writing)

    def close(self) -> None:
        """Let go of the connection that is kept."""
        while self._kept:
            self._kept.pop().close()

    @contextlib.contextmanager
    def _transaction(self, options: _Options) -> Iterator[sa.Connection]:
        connection = self._take()
        try:
            if connection.get_execution_options() != options:
                connection.execution_options(**options)
            with connection.begin():
                yield connection
        except BaseException:
            connection.close()
            raise
        if self._keeps and not self._kept:
            postgres.touch(connection)
            self._kept.append(connection)
        else:
            connection.close()

    def _take(self) -> sa.Connection:
        try:
            connection = self._kept.pop()
        except IndexError:
            return self._engine.connect()
        if postgres.is_well(connection):
            return connection
        connection.invalidate()
        connection.close()
        return self._engine.connect()
