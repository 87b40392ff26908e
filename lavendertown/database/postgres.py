"""What PostgreSQL's driver has to be told so that little travels, and nothing in vain.

Half of a small read or write would be waiting for answers that nobody needs: whether the server is
still there, and to BEGIN and COMMIT. A connection that was used a moment ago and has not been hung
up on is taken to be well; BEGIN goes along with the first statement of a transaction, and COMMIT
may go along with the last.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lavendertown.database import plans
from lavendertown.database.driver import OPEN, WAITING, beginning, failure

_USED = "lavendertown_used"
_IDLE_SECONDS = 30.0
# TRANSACTION_STATUS_IDLE and TRANSACTION_STATUS_INERROR of libpq.
_IDLE, _FAILED = 0, 3


def options() -> dict[str, Any]:
    """Return what an engine for PostgreSQL is made with."""
    setup = "-c timezone=UTC -c jit=off -c default_transaction_isolation=read\\ committed"
    # Whatever the database keeps its text in: statements are written in UTF-8.
    arguments = {"options": setup, "connect_timeout": 10, "client_encoding": "utf8"}
    return {"connect_args": arguments, "pool_size": 10}


def prepare(engine: Engine, begin_option: str) -> None:
    """Let transactions begin with their first statement, and look at connections before they are used.

    Args:
        engine: Of PostgreSQL.
        begin_option: The execution option with the statement a transaction begins with, empty for
            single reads. Without the option the driver begins and ends transactions itself.
    """

    dialect: Any = engine.dialect

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        statement = connection.get_execution_options().get(begin_option)
        if statement is not None:
            _driver(connection).autocommit = True
            connection.info[WAITING] = statement

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def execute(
        connection: sa.Connection, cursor: Any, statement: str, parameters: Any, _: Any, many: bool
    ) -> tuple[str, Any]:
        if many and connection.info.get(WAITING):
            send(connection, b"")
        return beginning(connection, statement), parameters

    @sa.event.listens_for(engine, "commit")
    def commit(connection: sa.Connection) -> None:
        if is_ours(connection):
            send_and_commit(connection, b"")
            _forget(connection)

    @sa.event.listens_for(engine, "rollback")
    def rollback(connection: sa.Connection) -> None:
        if connection.invalidated or not is_ours(connection):
            return
        try:
            _undo(_driver(connection))
        except dialect.loaded_dbapi.Error as error:
            # A server that is gone has undone it already.
            connection.invalidate(error)
        else:
            _forget(connection)

    _look_before_use(engine)


def is_ours(connection: sa.Connection) -> bool:
    """Tell whether the transaction began, or will begin, as :func:`prepare` says."""
    return WAITING in connection.info


def send(connection: sa.Connection, batch: bytes) -> Sequence[Any]:
    """Send statements, past SQLAlchemy's layers; return the rows of the last one, as the driver gives them.

    Args:
        connection: In a transaction.
        batch: Statements, with their values.
    """
    batch = beginning(connection, "").encode() + batch
    driver = _driver(connection)
    with driver.cursor() as cursor:
        try:
            cursor.execute(batch)
        except connection.dialect.loaded_dbapi.Error as error:
            if error.pgcode in plans.LOST:
                plans.give_up(connection.dialect)
            raise failure(connection, cursor, error) from error
        return cursor.fetchall() if cursor.description is not None else ()


def send_and_commit(connection: sa.Connection, batch: bytes) -> None:
    """Send statements, and the COMMIT of the transaction that they are the last of, in one go.

    Args:
        connection: In a transaction of ours.
        batch: Statements, with their values; empty, where all was sent before.
    """
    if not batch and not connection.info.get(OPEN):
        return
    if _driver(connection).get_transaction_status() == _FAILED:
        # COMMIT would undo everything without a word; any other statement says what it thinks of that.
        batch = batch or b"SELECT 1"
    send(connection, batch + b";\nCOMMIT" if batch else b"COMMIT")
    connection.info.pop(OPEN, None)


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def _forget(connection: sa.Connection) -> None:
    """Give the connection back to the driver's own ways."""
    connection.info.pop(OPEN, None)
    connection.info.pop(WAITING, None)
    _driver(connection).autocommit = False


def _undo(driver: Any) -> None:
    if not driver.closed and driver.get_transaction_status() != _IDLE:
        with closing(driver.cursor()) as cursor:
            cursor.execute("ROLLBACK")


def _look_before_use(engine: Engine) -> None:
    dialect: Any = engine.dialect

    @sa.event.listens_for(engine, "reset")
    def reset(driver: Any, record: Any, _: object) -> None:
        # A connection that was detached from the pool has no record, and is closed.
        if record is not None and record.info.pop(WAITING, None) is not None:
            record.info.pop(OPEN, None)
            _undo(driver)
            driver.autocommit = False

    @sa.event.listens_for(engine, "checkin")
    def checkin(driver: Any, record: Any) -> None:
        if record is not None:
            record.info[_USED] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def checkout(driver: Any, record: Any, _: object) -> None:
        if not _answers(dialect, driver, record.info):
            raise sa.exc.InvalidatePoolError


def touch(connection: sa.Connection) -> None:
    """Remember that a connection, of whatever database, was well just now."""
    connection.info[_USED] = time.monotonic()


def is_well(connection: sa.Connection) -> bool:
    """Tell whether a connection that was left alone may be used; on other databases it always may."""
    if connection.dialect.name != "postgresql":
        return True
    return _answers(connection.dialect, _driver(connection), connection.info)


def _answers(dialect: Any, driver: Any, info: dict[Any, Any]) -> bool:
    used = info.get(_USED)
    if used is None or (time.monotonic() - used < _IDLE_SECONDS and not _has_news(driver)):
        return True
    try:
        return bool(dialect.do_ping(driver))
    except dialect.loaded_dbapi.Error:
        return False


def _has_news(driver: Any) -> bool:
    """Tell whether something came that nobody asked for; most likely the server hung up."""
    if driver.closed:
        return True
    try:
        return bool(select.select([driver], [], [], 0)[0])
    except ValueError:
        # Its number is too high to be watched in this way: a thousand files are open.
        return True
