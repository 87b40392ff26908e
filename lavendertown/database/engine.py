"""The one place that makes engines."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url

from lavendertown import codec
from lavendertown.database import driver, mariadb, postgres
from lavendertown.database.errors import where
from lavendertown.errors import ConfigurationError, StorageUnavailableError

BEGIN = "lavendertown_begin"
"""Execution option: what a transaction begins with on SQLite and PostgreSQL; empty for single reads."""

_SQLITE_PRAGMAS = (
    "busy_timeout=30000",
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
    """Return the URL with the driver this package brings.

    A bare ``postgresql://`` or ``postgres://`` becomes psycopg2's; ``mariadb://`` and ``mysql://``, both of
    which mean MariaDB, become PyMySQL's.

    Raises:
        ConfigurationError: It is no database URL, or of a database that is not supported.
    """
    try:
        url = make_url(database_url)
    except sa.exc.ArgumentError as error:
        raise ConfigurationError(
            "The database URL is not one; it looks like sqlite:///path/to/file.db or "
            "postgresql://user:password@host/database."
        ) from error
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() not in ("sqlite", "postgresql", "mariadb"):
        raise ConfigurationError(
            f"The database {url.get_backend_name()!r} is not supported; use sqlite, postgresql or mariadb."
        )
    return url


def make_engine(database_url: str | URL) -> Engine:
    """Return an engine, set up for concurrent writers. Connects to nothing yet.

    Raises:
        ConfigurationError: The URL is not one, or its driver is not installed.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    options: dict[str, Any] = {"json_serializer": _json, "json_deserializer": codec.loads}
    if url.get_backend_name() == "postgresql":
        options |= postgres.options()
    elif url.get_backend_name() in mariadb.BACKENDS:
        options |= mariadb.options(url)
    else:
        options["poolclass"] = sa.pool.QueuePool
        options["pool_size"] = 10
        options["max_overflow"] = 40
    try:
        engine = sa.create_engine(url, **options)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
        raise ConfigurationError(_not_installed(url)) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    elif engine.dialect.name in mariadb.BACKENDS:
        mariadb.prepare(engine)
    else:
        postgres.prepare(engine, BEGIN)
    return engine


def _not_installed(url: URL) -> str:
    backend = url.get_backend_name()
    if backend in mariadb.BACKENDS:
        return f"The driver of {backend} is not installed. Install it with: pip install lavendertown[mariadb]"
    return (
        f"The driver of {url.drivername} is not installed. "
        "Install it with: pip install lavendertown[database]"
    )


def make_folder(url: URL) -> None:
    """Make the folder a SQLite file lies in.

    Raises:
        StorageUnavailableError: It cannot be made.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailableError(
            f"The folder for {where(url)} cannot be made ({error.strerror}). Choose another place for it."
        ) from error


def _md5(text: str | None) -> str | None:
    if text is None:
        return None
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _json(value: Any) -> str:
    return codec.dumps(value).decode("utf-8")


def _prepare_sqlite(engine: Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        # The driver's own transaction handling would commit behind our back.
        connection.isolation_level = None
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        # 0.7's finding ids are MD5 sums; PostgreSQL has the function, SQLite borrows Python's.
        connection.create_function("md5", 1, _md5, deterministic=True)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        statement = connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE")
        if statement:
            driver.begin(connection, statement)
