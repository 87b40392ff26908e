"""Bringing a database's schema up to date, or back: backed up, alone, and in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database import schema
from lavendertown.database.backup import backup
from lavendertown.database.engine import BEGIN, make_engine, make_folder, read_url
from lavendertown.database.errors import translated
from lavendertown.database.gate import Gate
from lavendertown.database.schema import State
from lavendertown.errors import InvalidInputError, SchemaError

_UPGRADING = 7163045219


@dataclass(frozen=True)
class Changed:
    """What was done to a database.

    Attributes:
        before, after: Its revisions; empty where it had none.
        backup: The copy that was made first; None where none was.
    """

    before: str
    after: str
    backup: Path | None


def upgrade(database_url: str, *, copy_first: bool = True) -> Changed:
    """Bring a database up to date; an empty one gets its tables, a current one stays as it is.

    Raises:
        SchemaError: It is newer, or not LavenderTown's; nothing was changed.
        StorageUnavailableError: It does not answer.
    """
    refuse(database_url, State.NEWER, State.UNVERSIONED)
    make_folder(read_url(database_url))
    with alone(database_url) as engine:
        before, found = _look(engine)
        if found is State.CURRENT:
            return Changed(before, before, None)
        copy = backup(engine) if copy_first and found is State.OLDER else None
        schema.switch_to_wal(engine)
        with changing(engine) as connection:
            # Somebody on another machine may have been first.
            if schema.state(connection) is not State.CURRENT:
                schema.migrate(connection)
        return Changed(before, schema.HEAD, copy)


def downgrade(database_url: str, revision: str, *, copy_first: bool = True) -> Changed:
    """Take a database back to an earlier revision, for an earlier version of LavenderTown.

    Raises:
        InvalidInputError: There is no such revision, or the database is not beyond it.
        SchemaError: The database is not one that this version can change; nothing was changed.
        StorageUnavailableError: It does not answer.
    """
    known = sorted(schema.known_revisions())
    if revision not in known:
        raise InvalidInputError(f"There is no revision {revision!r}; known are {', '.join(known)}.")
    refuse(database_url, State.EMPTY, State.NEWER, State.UNVERSIONED)
    with alone(database_url) as engine:
        before, _ = _look(engine)
        if before <= revision:
            raise InvalidInputError(f"The database is at revision {before}; it cannot go down to {revision}.")
        copy = backup(engine) if copy_first else None
        with changing(engine) as connection:
            schema.migrate(connection, revision, down=True)
        return Changed(before, revision, copy)


def refuse(database_url: str | URL, *states: State) -> State:
    """Refuse a database in one of these states, before even a lock file is made beside it.

    Returns:
        The state it is in.

    Raises:
        SchemaError: It is in one of them. Nothing was changed.
        StorageUnavailableError: It does not answer.
    """
    found = schema.look(database_url)
    if found.state in states:
        raise SchemaError(f"{found.sentence} Nothing was changed.")
    return found.state


@contextlib.contextmanager
def changing(engine: Engine) -> Iterator[sa.Connection]:
    """A connection, alone, inside the one transaction in which a schema changes.

    SQLite changes a table by making it anew and dropping the old one. With foreign keys on, that
    deletes the rows of other tables that refer to it: so they are off, and checked before the commit.

    Raises:
        SchemaError: Rows would refer to nothing; all was undone.
    """
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        sqlite = engine.dialect.name == "sqlite"
        if sqlite and raw is not None:
            # Inside a transaction this would do nothing.
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                schema.lock(connection)
                yield connection
                if sqlite:
                    _check_references(connection)
        finally:
            if sqlite and raw is not None:
                raw.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise SchemaError(
            f"The upgrade was undone, nothing was changed: {len(broken):,} rows of the table "
            f"{broken[0][0]!r} would refer to nothing. Restore the database from a backup."
        )


def _look(engine: Engine) -> tuple[str, State]:
    with engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
        before = max(schema.revisions(connection) & schema.known_revisions(), default="")
        return before, schema.state(connection)


@contextlib.contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """On PostgreSQL, wait for whoever upgrades already: the backup, too, is made once."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADING})
        # Closing the connection for good lets the lock go, whatever happens.
        connection.detach()
        yield


@contextlib.contextmanager
def alone(database_url: str) -> Iterator[Engine]:
    """Open a database whose schema nobody else changes while the block runs.

    Raises:
        StorageUnavailableError: It does not answer.
    """
    url = read_url(database_url)
    engine = make_engine(url)
    try:
        with translated(url), Gate(url).held(), _turn(engine):
            yield engine
    finally:
        engine.dispose()
