"""Connecting by a mapping instead of a URL: an engine, the tables of imported classes, a session."""

from __future__ import annotations

import sqlite3
import threading
import uuid
import weakref
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database import connection_config, starting
from lavendertown.database.base import Base
from lavendertown.database.engine import make_engine, make_folder
from lavendertown.database.errors import translated
from lavendertown.database.gate import Gate
from lavendertown.database.schema import switch_to_wal
from lavendertown.database.sessions import Session

_MEMORY = ":memory:"
_installing = threading.Lock()


def connect(config: Mapping[str, Any]) -> Engine:
    """Open the database a mapping describes, and return its engine.

    A SQLite file and its folder are made where they are missing. A database in memory is one for all
    threads that use the engine, and gone when the engine is disposed of.

    Args:
        config: ``{"driver": "sqlite", "path": …}``, where the path is taken as it is written and
            ``":memory:"`` means in memory; or ``{"driver": "postgresql" | "mysql" | "mariadb", "host": …,
            "name": …, "user": …}``, with ``"port"`` and ``"password"`` where they are needed.

    Raises:
        ConfigurationError: Keys are missing or unknown, all of which are named, or a value is none that
            its key can have, or the driver is not installed.
        StorageUnavailableError: The database cannot be opened or does not answer.
    """
    engine = _make(connection_config.read(config))
    try:
        with translated(engine.url), Gate(engine.url).held():
            switch_to_wal(engine)
            engine.connect().close()
    except BaseException:
        engine.dispose()
        raise
    return engine


def install_tables(engine: Engine) -> None:
    """Make the tables of all classes on ``Base`` that were imported; those that exist stay as they are.

    Several processes may do it at once.

    Raises:
        StorageUnavailableError: The database does not answer, or somebody else is at it for too long.
        StorageError: It refuses a table.
    """
    # The tables' unique columns are looked through first, which two threads cannot do at once.
    with _installing, translated(engine.url), Gate(engine.url).held():
        starting.create(engine, Base.metadata)


def open_session(engine: Engine) -> Session:
    """Return a session; close it, or use it in a ``with`` statement.

    On SQLite it keeps other sessions waiting from its first statement until it is committed, rolled
    back or closed, so that no edit is made over another. What was read can be used after the commit.
    """
    return Session(engine, expire_on_commit=False)


def _make(url: URL) -> Engine:
    if url.database == _MEMORY:
        return _memory(url)
    make_folder(url)
    return make_engine(url)


def _memory(url: URL) -> Engine:
    """Return an engine whose connections share one database, which a connection of its own keeps alive."""
    place = f"file:/lavendertown-{uuid.uuid4().hex}?vfs=memdb"

    def open_place(*_: object) -> sqlite3.Connection:
        return sqlite3.connect(place, uri=True, check_same_thread=False)

    keeper = open_place()
    engine = make_engine(url)
    sa.event.listen(engine, "do_connect", open_place)
    sa.event.listen(engine, "engine_disposed", lambda _: keeper.close())
    weakref.finalize(engine, keeper.close)
    return engine
