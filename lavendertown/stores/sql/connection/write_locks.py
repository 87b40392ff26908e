"""Locks that writers wait for: a fair queue on SQLite, and notices of the blocking session on servers."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from lavendertown.core import locks
from lavendertown.core.errors import StorageError
from lavendertown.stores.sql.connection.errors import lacks_privilege, store_name

_HOLDERS: dict[str, int] = {}


class WriteLock:
    """Serialize the writers of a SQLite file, in all threads and processes; do nothing on other databases.

    SQLite's busy handler polls, so under many writers some of them starve for a second. The kernel hands
    over a lock file in order, which keeps the slowest writer below a tenth of that.
    """

    def __init__(self, url: URL) -> None:
        database = url.database
        on_file = url.get_backend_name() == "sqlite" and database and database != ":memory:"
        self._path = os.path.realpath(f"{database}-gate") if on_file else None
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def acquire(self) -> Iterator[None]:
        """Wait for the lock and hold it while the block runs.

        Raises:
            StorageError: This thread already holds the lock, so waiting would never end; or another process
                holds it for too long.
        """
        if self._path is None:
            yield
            return
        path, thread = self._path, threading.get_ident()
        if _HOLDERS.get(path) == thread:
            raise StorageError(
                f"A unit of work on SQLite at {path.removesuffix('-gate')} is open in this thread, and "
                "another one cannot begin before its end; nothing was written. Use its session, or end it "
                "first."
            )
        database = f"SQLite at {path.removesuffix('-gate')}"
        with locks.thread_lock(self._threads, database), contextlib.ExitStack() as stack:
            # If the lock file cannot be created, SQLite cannot write either and reports the error.
            with contextlib.suppress(OSError):
                stack.enter_context(locks.file_lock(path, database))
                _HOLDERS[path] = thread
                stack.callback(_HOLDERS.pop, path, None)
            yield


_POLLS_PER_NOTICE = 4
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class _ServerQueries:
    """Queries on the sessions of a kind of server.

    Attributes:
        session_id: Returns the session's id from the driver's connection.
        session_word: The server's term for that id.
        blockers: Selects the first session that blocks the session ``:id``.
        is_waiting: Returns a row if that session waits for a lock; for servers where ``blockers`` needs a
            privilege or cannot see every holder. None for other servers.
    """

    session_id: Callable[[Any], int]
    session_word: str
    blockers: sa.TextClause
    is_waiting: sa.TextClause | None = None


_POSTGRES = _ServerQueries(
    lambda driver: int(driver.info.backend_pid),
    "pid",
    sa.text(
        "SELECT pid AS id, usename AS name, client_addr::text AS address, application_name AS program "
        "FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:id)) ORDER BY pid LIMIT 1"
    ),
)
_MARIADB = _ServerQueries(
    lambda driver: int(driver.thread_id()),
    "connection",
    sa.text(
        """
        SELECT holder.trx_mysql_thread_id AS id, session.user AS name, '' AS program,
            regexp_replace(session.host, ':[0-9]+$', '') AS address
        FROM information_schema.innodb_trx waiting
        JOIN information_schema.innodb_lock_waits wait ON wait.requesting_trx_id = waiting.trx_id
        JOIN information_schema.innodb_trx holder ON holder.trx_id = wait.blocking_trx_id
        LEFT JOIN information_schema.processlist session ON session.id = holder.trx_mysql_thread_id
        WHERE waiting.trx_mysql_thread_id = :id ORDER BY holder.trx_started, holder.trx_id LIMIT 1
        """
    ),
    # Without the privilege PROCESS, an account sees only its own sessions, and how many sessions of the
    # server wait for rows. The holder of a metadata lock (LOCK TABLES) is never visible.
    sa.text(
        """
        SELECT 1 FROM information_schema.processlist
        WHERE id = :id AND command = 'Query' AND (
            state LIKE 'Waiting for%lock' OR time_ms >= :milliseconds AND (
                SELECT variable_value FROM information_schema.global_status
                WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'
            ) > 0
        )
        """
    ),
)
_SERVERS = {"postgresql": _POSTGRES, "mariadb": _MARIADB}
log = logging.getLogger("lavendertown.database")


@dataclass(eq=False)
class _WatchedTransaction:
    session: int
    show_notice: locks.ShowNotice
    times: locks.WaitingTimes
    started_at: float = field(default_factory=time.monotonic)
    noticed: bool = False

    def is_due(self, now: float) -> bool:
        return not self.noticed and now - self.started_at >= self.times.notice


@contextlib.contextmanager
def watch_transaction(connection: sa.Connection) -> Iterator[None]:
    """Watch a transaction that is not a store's unit of work, such as an upgrade or a restore."""
    watch = LockWatch(connection.engine)
    try:
        with watch.watch_connection(connection):
            yield
    finally:
        watch.close()


class LockWatch:
    """Notify writers on PostgreSQL and MariaDB which session holds the lock they wait for.

    A thread that waits inside the driver cannot act. So a background thread, which runs while transactions
    are open, asks the server which sessions block the longer ones. The server ends the wait itself, by
    ``lock_timeout``, or by ``innodb_lock_wait_timeout`` and ``lock_wait_timeout``. SQLite has no sessions:
    there, :class:`WriteLock` sends the notice.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._server = _SERVERS.get(engine.dialect.name)
        self._transactions: set[_WatchedTransaction] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @contextlib.contextmanager
    def watch_connection(self, connection: sa.Connection) -> Iterator[None]:
        """Watch the transaction of the calling thread while the block runs."""
        if self._server is None:
            yield
            return
        session = self._server.session_id(connection.connection.dbapi_connection)
        transaction = _WatchedTransaction(session, locks.bind_notice(), locks.waiting_times.get())
        with self._lock:
            self._transactions.add(transaction)
            if self._thread is None:
                interval = transaction.times.notice / _POLLS_PER_NOTICE
                self._thread = threading.Thread(
                    target=self._poll_transactions,
                    args=(interval,),
                    name="lavendertown-lock-watch",
                    daemon=True,
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._transactions.discard(transaction)

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()

    def _poll_transactions(self, interval: float) -> None:
        busy_at = time.monotonic()
        while not self._closed.wait(interval):
            now = time.monotonic()
            with self._lock:
                due = [each for each in self._transactions if each.is_due(now)]
                if self._transactions:
                    busy_at = now
                elif now - busy_at > _IDLE_SECONDS:
                    self._thread = None
                    return
            for transaction in due:
                self._report_blocker(transaction)

    def _report_blocker(self, transaction: _WatchedTransaction) -> None:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                holder = self._find_holder(connection, transaction)
        except sa.exc.SQLAlchemyError as error:
            log.warning("Cannot find the session that holds a lock: %s", type(error).__name__)
            return
        with self._lock:
            is_waiting = transaction in self._transactions
        if holder is None or not is_waiting:
            return
        transaction.noticed = True
        transaction.show_notice(locks.waiting_notice(store_name(self._engine.url), holder))

    def _find_holder(self, connection: sa.Connection, transaction: _WatchedTransaction) -> str | None:
        """Describe the session that blocks a transaction; None if the transaction is not waiting."""
        server = self._server
        assert server is not None
        blocker = self._find_blocker(connection, transaction.session, server)
        if blocker is not None:
            user = f", user {blocker.name}" if blocker.name else ""
            host = f", host {blocker.address}" if blocker.address else ""
            program = f", {blocker.program}" if blocker.program else ""
            return f"another session ({server.session_word} {blocker.id}{user}{host}{program})"
        if server.is_waiting is None:
            return None
        values = {"id": transaction.session, "milliseconds": transaction.times.notice * 500}
        return "another session" if connection.execute(server.is_waiting, values).first() else None

    @staticmethod
    def _find_blocker(connection: sa.Connection, session: int, server: _ServerQueries) -> sa.Row[Any] | None:
        try:
            return connection.execute(server.blockers, {"id": session}).first()
        except sa.exc.OperationalError as error:
            if not lacks_privilege(error):
                raise
            return None
