"""Which schema a database has, and bringing it to the newest one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated, where
from lavendertown.database.gate import Gate
from lavendertown.errors import SchemaError

HEAD = "0002"
_LOCK = 7163045218
_SCRIPTS = Path(__file__).parent / "migrations"


class State(StrEnum):
    """What a database holds, seen from this version."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    UNVERSIONED = "unversioned"


def state(connection: sa.Connection) -> State:
    """Tell which schema the database has. Changes nothing."""
    inspector = sa.inspect(connection)
    if inspector.has_table("alembic_version"):
        found = set(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))
        if HEAD in found:
            return State.CURRENT
        if found & known_revisions():
            return State.OLDER
        if found:
            return State.NEWER
    return State.UNVERSIONED if inspector.has_table("reports") else State.EMPTY


def look(database_url: str | URL) -> State:
    """Tell which schema the database with this URL has; changes nothing, makes no file.

    Raises:
        StorageUnavailableError: It does not answer.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would create the file.
        return State.EMPTY
    engine = make_engine(url)
    try:
        with translated(url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            return state(connection)
    finally:
        engine.dispose()


def known_revisions() -> set[str]:
    """Return the revisions this version can upgrade from or to."""
    files = (_SCRIPTS / "versions").glob("[0-9]*.py")
    return {path.stem.split("_")[0] for path in files}


def ensure(engine: Engine, gate: Gate) -> None:
    """Make an empty database ready; accept a current one.

    Args:
        engine: The database.
        gate: Held while tables are made.

    Raises:
        SchemaError: It has another schema. Nothing was changed.
    """
    with engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
        found = state(connection)
    if found is State.CURRENT:
        return
    if found is State.EMPTY:
        with gate.held():
            if engine.dialect.name == "sqlite":
                _switch_to_wal(engine)
            found = _create(engine)
    if found is not State.CURRENT:
        raise SchemaError(_SENTENCES[found].format(where=where(engine.url)))


def _switch_to_wal(engine: Engine) -> None:
    """Let readers work beside the writer. The file keeps this; nobody else's file is touched."""
    with engine.connect().execution_options(**{BEGIN: ""}) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _create(engine: Engine) -> State:
    """Create the tables, once, however many processes try; return what is there at the end."""
    from alembic import command
    from alembic.config import Config

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        found = state(connection)
        if found is not State.EMPTY:
            return found
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
    return State.CURRENT


_SENTENCES = {
    State.OLDER: "{where} was made by an earlier version; nothing was changed. "
    "Copy the file or the database first, then open it with the version that made it.",
    State.NEWER: "{where} was made by a newer version of LavenderTown; nothing was changed. "
    "Install that version, or choose another database.",
    State.UNVERSIONED: "{where} holds tables of LavenderTown 0.7 or of another program; nothing was "
    "changed. Choose an empty database.",
    State.EMPTY: "{where} has no tables.",
}
