"""Statements handed to the driver itself, past SQLAlchemy's layers; what goes wrong is told as it would.

Those layers take longer than SQLite does for a small statement, and a save has nine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

WAITING = "lavendertown_begin"
"""In a connection's ``info``: what its transaction will begin with, sent along with the first statement."""
OPEN = "lavendertown_open"
"""The same, once that was sent."""


def run(connection: sa.Connection, sql: str, parameters: Any) -> None:
    """Run a statement that returns nothing; once for each of a list of parameters.

    Args:
        connection: Begins its transaction now, if it has not yet.
        sql: With the driver's own parameter marks.
        parameters: As the driver takes them; a list of them for as many runs.
    """
    cursor = _cursor(connection)
    try:
        if isinstance(parameters, list):
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(beginning(connection, sql), parameters)
    except connection.dialect.loaded_dbapi.Error as error:
        raise failure(connection, cursor, error) from error
    finally:
        cursor.close()


def begin(connection: sa.Connection, sql: str) -> None:
    """Begin a transaction with this statement, while SQLAlchemy is about to."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        raise failure(connection, cursor, error) from error
    finally:
        cursor.close()


def rows(connection: sa.Connection, sql: str, parameters: Any) -> Sequence[Any]:
    """Run a statement, as :func:`run` does; return its rows as the driver gives them."""
    cursor = _cursor(connection)
    try:
        cursor.execute(beginning(connection, sql), parameters)
        found: Sequence[Any] = cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise failure(connection, cursor, error) from error
    finally:
        cursor.close()
    return found


def beginning(connection: sa.Connection, sql: str) -> str:
    """Return a statement with what has to be sent before it."""
    first = connection.info.get(WAITING)
    if not first:
        return sql
    connection.info.update({WAITING: "", OPEN: True})
    return f"{first};\n{sql}"


def failure(connection: sa.Connection, cursor: Any, error: Any) -> sa.exc.DBAPIError:
    """Do with an error of the driver's what SQLAlchemy does; return the one it would raise."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if gone:
        connection.invalidate(error)
    made = sa.exc.DBAPIError.instance(
        "", None, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
    )
    assert isinstance(made, sa.exc.DBAPIError)
    return made


def _cursor(connection: sa.Connection) -> Any:
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.cursor()
