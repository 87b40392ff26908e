"""SQLAlchemy engines for all databases, and the transactions that a store opens on them."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import uuid
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url

from lavendertown.core import json_codec, locks
from lavendertown.core.errors import ConfigurationError, StorageUnavailableError
from lavendertown.core.settings import DATABASE_TLS_OPTIONS, expand_home
from lavendertown.stores.sql.connection import mariadb, postgres
from lavendertown.stores.sql.connection.errors import is_sqlite_locked, store_name
from lavendertown.stores.sql.statements.column_types import ExactNumeric, SqliteDateTime, SqliteTime

BEGIN_OPTION = "lavendertown_begin"
"""Execution option: the statement that begins a transaction on SQLite; empty for single reads."""

_SQLITE_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-32768",
    "mmap_size=268435456",
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",
)
_DRIVERS = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    **dict.fromkeys(("mysql", "mariadb", "mysql+pymysql"), "mariadb+pymysql"),
}


def read_url(database_url: str) -> URL:
    """Parse a database URL and set the driver that LavenderTown uses.

    ``postgresql://`` and ``postgres://`` use psycopg2. ``mariadb://`` and ``mysql://`` both mean MariaDB
    and use PyMySQL.

    Raises:
        ConfigurationError: The URL is invalid, or names an unsupported database.
    """
    try:
        url = make_url(database_url)
    except (sa.exc.ArgumentError, ValueError):
        # Not chained: the error may quote a part of the password that was parsed as the port.
        raise ConfigurationError(
            "The database URL is invalid. Write it like sqlite:///path/to/file.db or "
            "postgresql://user:password@host/database."
        ) from None
    if url.get_backend_name() != "sqlite" and "@" in f"{url.host}{url.database}":
        raise ConfigurationError(
            "The database URL has an @ in its host or database name. In a user name or password, write @ as "
            "%40, / as %2F and : as %3A."
        )
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    url = expand_paths(url)
    if url.get_backend_name() not in ("sqlite", "postgresql", "mariadb"):
        raise ConfigurationError(
            f"The database {url.get_backend_name()!r} is not supported; use sqlite, postgresql or mariadb."
        )
    return url


def expand_paths(url: URL) -> URL:
    """Return a URL with ``~`` as the home folder in the path of a SQLite file and in the options for TLS."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(database=expand_home(url.database))
    backend = "mariadb" if url.get_backend_name() in mariadb.BACKENDS else url.get_backend_name()
    paths = {
        name: expand_home(value)
        for name in DATABASE_TLS_OPTIONS.get(backend, ())
        if isinstance(value := url.query.get(name), str)
    }
    return url.update_query_dict(paths) if paths else url


def make_engine(database_url: str | URL) -> Engine:
    """Create an engine that is configured for concurrent writers, without connecting.

    Raises:
        ConfigurationError: The URL is invalid, or its driver is not installed.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    options: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": _from_json}
    if url.get_backend_name() == "postgresql":
        options |= postgres.engine_options(url)
    elif url.get_backend_name() in mariadb.BACKENDS:
        options |= mariadb.engine_options(url)
    else:
        options["poolclass"] = sa.pool.QueuePool
        options["pool_size"] = 10
        options["max_overflow"] = 40
    try:
        engine = sa.create_engine(url, **options)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
        raise ConfigurationError(_missing_driver_message(url)) from error
    if engine.dialect.name == "sqlite":
        if url.database in (None, "", ":memory:"):
            _share_memory_database(engine)
        _configure_sqlite(engine)
    elif engine.dialect.name in mariadb.BACKENDS:
        mariadb.configure_engine(engine)
    else:
        postgres.configure_engine(engine)
    return engine


def _missing_driver_message(url: URL) -> str:
    name, extra = url.drivername, "database"
    if url.get_backend_name() in mariadb.BACKENDS:
        name, extra = url.get_backend_name(), "mariadb"
    return f"The driver for {name} is not installed. Install it with: pip install lavendertown[{extra}]"


def make_database_folder(url: URL) -> None:
    """Create the folder of a SQLite file; do nothing for other databases.

    Raises:
        StorageUnavailableError: The folder cannot be created.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailableError(
            f"The folder for {store_name(url)} cannot be created ({error.strerror}). Choose another folder."
        ) from error


def resolve_sqlite_path(url: URL, folder: Path) -> URL:
    """Return the URL with a relative path of a SQLite file resolved against a folder; others unchanged."""
    path = url.database
    if url.get_backend_name() != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return url
    return url.set(database=str(folder / path))


def _md5_hex(text: str | None) -> str | None:
    if text is None:
        return None
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _from_json(data: Any) -> Any:
    if not isinstance(data, str | bytes):
        # SQLite stores a JSON number as a number; SQLAlchemy takes it as it is after this error.
        raise TypeError(f"{type(data).__name__} is not JSON text")
    return json_codec.loads(data)


def _to_json(value: Any) -> str:
    return json_codec.dumps(value).decode("utf-8")


def _share_memory_database(engine: Engine) -> None:
    """Let all connections of an engine use one database in memory, until the engine is disposed of."""
    place = f"file:/lavendertown-{uuid.uuid4().hex}?vfs=memdb"

    def open_place(*_: object) -> sqlite3.Connection:
        return sqlite3.connect(place, uri=True, check_same_thread=False)

    # The database is gone when no connection to it is left.
    keeper = open_place()
    sa.event.listen(engine, "do_connect", open_place)
    sa.event.listen(engine, "engine_disposed", lambda _: keeper.close())
    weakref.finalize(engine, keeper.close)


def _configure_sqlite(engine: Engine) -> None:
    columns = {sa.Numeric: ExactNumeric, sa.DateTime: SqliteDateTime, sa.Time: SqliteTime}
    engine.dialect.colspecs = {**engine.dialect.colspecs, **columns}

    @sa.event.listens_for(engine, "connect")
    def set_up_connection(connection: Any, _: Any) -> None:
        # Python's sqlite3 would otherwise begin and commit transactions implicitly.
        connection.isolation_level = None
        busy_timeout = f"busy_timeout={round(locks.waiting_times.get().notice * 1000)}"
        for pragma in (busy_timeout, *_SQLITE_PRAGMAS):
            connection.execute(f"PRAGMA {pragma}").close()
        # Finding ids of version 0.7 are MD5 digests, which SQLite has no function for.
        connection.create_function("md5", 1, _md5_hex, deterministic=True)

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        statement = connection.get_execution_options().get(BEGIN_OPTION, "BEGIN IMMEDIATE")
        if statement:
            _begin_sqlite(connection, statement)


def _begin_sqlite(connection: sa.Connection, statement: str) -> None:
    """Begin a transaction; notify the user if another program holds SQLite's own lock."""
    try:
        connection.exec_driver_sql(statement)
    except sa.exc.OperationalError as error:
        if not is_sqlite_locked(error):
            raise
        database, holder = store_name(connection.engine.url), "another program"
        locks.notify_waiting(database, holder)
        limits = locks.waiting_times.get()
        _set_busy_timeout(connection, limits.give_up - limits.notice)
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.OperationalError as second_error:
            if not is_sqlite_locked(second_error):
                raise
            raise locks.lock_timeout_error(database, holder) from second_error
        finally:
            _set_busy_timeout(connection, limits.notice)


def _set_busy_timeout(connection: sa.Connection, seconds: float) -> None:
    driver_connection = connection.connection.driver_connection
    assert driver_connection is not None
    driver_connection.execute(f"PRAGMA busy_timeout={max(0, round(seconds * 1000))}").close()


_ExecutionOptions = Mapping[str, Any]
_AUTOCOMMIT: _ExecutionOptions = {"isolation_level": "AUTOCOMMIT"}
_REPEATABLE_READ: _ExecutionOptions = {"isolation_level": "REPEATABLE READ"}
_EXECUTION_OPTIONS: dict[str, tuple[_ExecutionOptions, _ExecutionOptions]] = {
    "sqlite": ({BEGIN_OPTION: ""}, {BEGIN_OPTION: "BEGIN"}),
    **dict.fromkeys(("postgresql", *mariadb.BACKENDS), (_AUTOCOMMIT, _REPEATABLE_READ)),
}


def snapshot_connection(engine: Engine) -> sa.Connection:
    """Return a connection whose transaction reads one snapshot of the database."""
    _, snapshot = _EXECUTION_OPTIONS[engine.dialect.name]
    return engine.connect().execution_options(**snapshot)


class Transactions:
    """Open the read, snapshot and write transactions of a store, on connections of the engine's pool."""

    def __init__(self, engine: Engine) -> None:
        read, snapshot = _EXECUTION_OPTIONS[engine.dialect.name]
        self._read = engine.execution_options(**read)
        self._snapshot = engine.execution_options(**snapshot)
        self._write = engine

    def autocommit_read(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """Open a connection for single statements; each sees the data committed when it starts."""
        return self._read.begin()

    def snapshot_read(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """Open a read transaction whose statements all see the same snapshot."""
        return self._snapshot.begin()

    def begin_write(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """Open the transaction of one unit of work."""
        return self._write.begin()
