"""Which schema a database has, and what that means for whoever opens it."""

from __future__ import annotations

import io
import re
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database import mariadb, old
from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated, where
from lavendertown.database.gate import Gate
from lavendertown.database.tables import metadata
from lavendertown.errors import SchemaError

HEAD = "0006"
FIRST = "0001"
_LOCK = 7163045218
_SCRIPTS = Path(__file__).parent / "migrations"
_OURS = re.compile(r"\d{4}")
_ALWAYS = frozenset({"reports", "identities", "audit_log"})
"""The tables that every schema of ours has."""


class State(StrEnum):
    """What a database holds, seen from this version."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    UNVERSIONED = "unversioned"


def state(connection: sa.Connection) -> State:
    """Tell which schema the database has. Changes nothing."""
    return judge(_tables(connection), revisions(connection))


def judge(tables: Set[str], found: Set[str]) -> State:
    """Tell which schema has these tables and says that it has these revisions."""
    if not tables & metadata.tables.keys():
        # An alembic_version without a line says that everything was taken down again.
        return State.UNVERSIONED if found else State.EMPTY
    if not tables >= _ALWAYS:
        # Other programs, too, number their revisions 0001 and have a table of reports.
        return State.UNVERSIONED
    if HEAD in found:
        return State.CURRENT
    if found & known_revisions():
        return State.OLDER
    return State.NEWER if any(map(_OURS.fullmatch, found)) else State.UNVERSIONED


def _tables(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


@dataclass(frozen=True)
class Look:
    """What a look at a database found.

    Attributes:
        store: The database in words, without a password.
        is_old: LavenderTown 0.7 wrote it.
        sentence: What it is, and what to do.
    """

    store: str
    state: State
    is_old: bool
    sentence: str


def look(database_url: str | URL) -> Look:
    """Tell which schema the database with this URL has; changes nothing, makes no file.

    Raises:
        StorageUnavailableError: It does not answer.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would create the file.
        return Look(where(url), State.EMPTY, False, _SENTENCES["empty"].format(where=where(url)))
    engine = make_engine(url)
    try:
        with translated(url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            mariadb.wait_for_tables(connection)
            found = state(connection)
            is_old = found is State.UNVERSIONED and old.recognised(connection)
            return Look(where(url), found, is_old, sentence(connection, found))
    finally:
        engine.dispose()


def revisions(connection: sa.Connection) -> set[str]:
    """Return the revisions a database says it has; none where it says nothing."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


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
        mariadb.wait_for_tables(connection)
        found = state(connection)
        refused = sentence(connection, found)
    if found is State.EMPTY:
        with gate.held():
            switch_to_wal(engine)
            found, refused = _create(engine)
    if found is not State.CURRENT:
        raise SchemaError(f"{refused} Nothing was changed.")


def switch_to_wal(engine: Engine) -> None:
    """On SQLite, let readers work beside the writer. The file keeps this."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(**{BEGIN: ""}) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def lock(connection: sa.Connection) -> None:
    """Let nobody else change the schema until the transaction ends; SQLite's own lock does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    elif connection.dialect.name in mariadb.BACKENDS:
        mariadb.lock_schema(connection)


def migrate(connection: sa.Connection, revision: str = HEAD, *, down: bool = False) -> None:
    """Run the migrations up, or down, to a revision, inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def write_sql(database_url: str) -> str:
    """Return the statements of all migrations, for a database that is not asked."""
    from alembic import command
    from alembic.config import Config

    text = io.StringIO()
    config = Config(output_buffer=text)
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = database_url
    command.upgrade(config, HEAD, sql=True)
    return text.getvalue()


def _create(engine: Engine) -> tuple[State, str]:
    """Create the tables, once, however many processes try; return what is there at the end."""
    with engine.begin() as connection:
        lock(connection)
        found = state(connection)
        if found is not State.EMPTY:
            return found, sentence(connection, found)
        migrate(connection)
    return State.CURRENT, ""


def sentence(connection: sa.Connection, found: State) -> str:
    """Say what the database is and what to do."""
    kind: str = found.value
    if found is State.UNVERSIONED and old.recognised(connection):
        kind = "old"
    elif found is State.UNVERSIONED and _tables(connection) >= _ALWAYS:
        kind = "unmarked"
    return _SENTENCES[kind].format(where=where(connection.engine.url))


_UPGRADE = "Bring it up to date with: lavendertown db upgrade (it is backed up first)."
_SENTENCES = {
    "empty": "{where} is empty. Create the tables with: lavendertown db init",
    "current": "{where} is ready.",
    "older": f"{{where}} was made by an earlier version of LavenderTown. {_UPGRADE}",
    "newer": "{where} was made by a newer version of LavenderTown. Install that version, or choose another "
    "database.",
    "old": f"{{where}} was written by LavenderTown 0.7. {_UPGRADE}",
    "unversioned": "{where} holds tables of another program. Choose an empty database.",
    "unmarked": "{where} has LavenderTown's tables, but its table alembic_version does not say which version "
    "made them. Restore it from a backup, or choose another database.",
}
