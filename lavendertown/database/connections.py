"""Connections from a configuration mapping instead of a URL: the engine, its tables and sessions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Engine

from lavendertown.core.errors import ConfigurationError
from lavendertown.core.settings import DATABASE_TLS_OPTIONS, expand_home
from lavendertown.database import startup
from lavendertown.database.base import Base
from lavendertown.database.session import Session
from lavendertown.stores.sql.connection.engine import expand_paths, make_database_folder, make_engine
from lavendertown.stores.sql.connection.errors import hide_passwords, translate_errors
from lavendertown.stores.sql.connection.write_locks import WriteLock
from lavendertown.stores.sql.schema import revisions, tables
from lavendertown.stores.sql.schema.revisions import enable_wal

_install_lock = threading.Lock()


def connect(config: Mapping[str, Any]) -> Engine:
    """Open the database that a mapping describes, and return its engine.

    A missing SQLite file and its folder are created. A database in memory is shared by all threads that use
    the engine, and deleted when the engine is disposed.

    Args:
        config: ``{"driver": "sqlite", "path": …}``, where ``":memory:"`` means a database in memory; or
            ``{"driver": "postgresql" | "mysql" | "mariadb", "host": …, "name": …, "user": …}`` with optional
            ``"port"`` and ``"password"``.

    Raises:
        ConfigurationError: Keys are missing or unknown, or values are invalid (the message names all of
            them), or the driver is not installed.
        StorageUnavailableError: The database cannot be opened or does not answer.
    """
    url = url_from_config(config)
    make_database_folder(url)
    engine = make_engine(url)
    try:
        with translate_errors(engine.url), WriteLock(engine.url).acquire():
            enable_wal(engine)
            engine.connect().close()
    except BaseException:
        engine.dispose()
        raise
    return engine


def install_tables(engine: Engine) -> None:
    """Create the missing tables of all imported classes on ``Base``.

    If one of them is a class of LavenderTown, such as :class:`lavendertown.database.user.User`, all of
    LavenderTown's own tables are created. Several processes may call it at the same time.

    Raises:
        StorageUnavailableError: The database does not answer, or another writer blocks it for too long.
        StorageError: The database refuses a table.
        SchemaError: LavenderTown's own tables exist in another version; nothing was changed.
    """
    if tables.metadata.tables.keys() & Base.metadata.tables.keys():
        with translate_errors(engine.url):
            revisions.ensure_schema(engine, WriteLock(engine.url))
    # create_missing_tables changes the metadata, so only one thread may run it at a time.
    with _install_lock, translate_errors(engine.url), WriteLock(engine.url).acquire():
        startup.create_missing_tables(engine, Base.metadata)


def open_session(engine: Engine) -> Session:
    """Return a session, to be used in a ``with`` statement or closed.

    On SQLite, it blocks other sessions from its first statement until it is committed, rolled back or
    closed, so that no session overwrites the changes of another. Objects stay usable after the commit.
    """
    return Session(engine, expire_on_commit=False)


_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_FILE_KEYS = ("path",)
_SERVER_KEYS = ("host", "name", "user")
_OPTIONAL_SERVER_KEYS = ("port", "password")
_ALL_KEYS = ("driver", *_FILE_KEYS, *_SERVER_KEYS, *_OPTIONAL_SERVER_KEYS)


def url_from_config(config: Mapping[str, Any]) -> URL:
    """Return the URL of the database that a mapping describes; a key with an empty value counts as missing.

    Raises:
        ConfigurationError: Keys are missing or unknown, or values are invalid; the message names all of them.
    """
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            "The database configuration is not a mapping. "
            'Write it like {"driver": "sqlite", "path": "my.db"}.'
        )
    problems = [*_key_problems(config), *_value_problems(config)]
    if problems:
        message = f"The database configuration {', and '.join(problems)}. "
        raise ConfigurationError(hide_passwords(message + _describe_keys(config.get("driver"))))
    return _file_url(config) if config["driver"] == "sqlite" else _server_url(config)


def _keys_of_driver(driver: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the required and the optional keys for a driver."""
    if driver == "sqlite":
        return ("driver", *_FILE_KEYS), ()
    if driver in tuple(_DRIVERS):
        return ("driver", *_SERVER_KEYS), (*_OPTIONAL_SERVER_KEYS, *_tls_keys(driver))
    return ("driver",), _ALL_KEYS


def _tls_keys(driver: object) -> tuple[str, ...]:
    backend = _DRIVERS[str(driver)].partition("+")[0]
    return DATABASE_TLS_OPTIONS.get("mariadb" if backend == "mysql" else backend, ())


def _key_problems(config: Mapping[str, Any]) -> Iterator[str]:
    required, optional = _keys_of_driver(config.get("driver"))
    missing = [key for key in required if config.get(key) in (None, "")]
    unknown = [str(key) for key in config if key not in (*required, *optional)]
    if missing:
        yield f"lacks {_join_words(missing)}"
    if unknown:
        yield f"has unknown keys: {', '.join(unknown)}"


def _value_problems(config: Mapping[str, Any]) -> Iterator[str]:
    values = {key: value for key, value in config.items() if value not in (None, "")}
    driver, path, port = values.get("driver"), values.get("path"), values.get("port")
    if driver is not None and driver not in tuple(_DRIVERS):
        yield f"has an unknown driver, {driver!r}"
    if path is not None and (not isinstance(path, str | Path) or "\0" in str(path)):
        yield "has an invalid path"
    if port is not None and not (type(port) is int and 0 < port < 65536):
        yield "has a port that is not a whole number from 1 to 65535"
    for key in ("host", "name", "user", "password"):
        if key in values and (not isinstance(values[key], str) or "\0" in values[key]):
            yield f"has a {key} that is not text"


def _describe_keys(driver: object) -> str:
    if driver not in tuple(_DRIVERS):
        return f"Use one of the drivers {', '.join(_DRIVERS)}."
    required, optional = _keys_of_driver(driver)
    options = f"; optional keys are {_join_words(optional)}" if optional else ""
    return f"The keys for {driver} are {_join_words(required)}{options}."


def _join_words(words: list[str] | tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _file_url(config: Mapping[str, Any]) -> URL:
    path = expand_home(str(config["path"]))
    # Absolute, so that a later change of the working folder does not matter.
    return URL.create("sqlite", database=path if path == ":memory:" else str(Path(path).absolute()))


def _server_url(config: Mapping[str, Any]) -> URL:
    url = URL.create(
        _DRIVERS[config["driver"]],
        username=config["user"],
        password=config.get("password") or None,
        # The URL writes an IPv6 address in brackets by itself.
        host=config["host"].strip("[]"),
        port=config.get("port"),
        database=config["name"],
        query={key: str(config[key]) for key in _tls_keys(config["driver"]) if config.get(key)},
    )
    return expand_paths(url)
