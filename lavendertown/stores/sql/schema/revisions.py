"""The schema of a database: its state, its creation and its migrations."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.core import clock
from lavendertown.core.errors import SchemaError, StorageUnavailableError
from lavendertown.core.settings import load_settings
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.connection.engine import BEGIN_OPTION, make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import store_name, translate_errors
from lavendertown.stores.sql.connection.write_locks import WriteLock
from lavendertown.stores.sql.schema import legacy_07
from lavendertown.stores.sql.schema.tables import metadata

_MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
_REVISION_FILES = "[0-9][0-9][0-9][0-9]_*.py"
HEAD = max(path.name[:4] for path in (_MIGRATIONS_FOLDER / "versions").glob(_REVISION_FILES))
"""The newest revision: the schema of this version."""
_SCHEMA_LOCK_KEY = 7163045218
_REVISION_PATTERN = re.compile(r"\d{4}")
_CORE_TABLES = frozenset({"reports", "identities", "audit_log"})
"""The tables that every revision of LavenderTown's schema has."""


class SchemaState(StrEnum):
    """The state of a database's schema, compared with this version's."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    UNVERSIONED = "unversioned"


def read_state(connection: sa.Connection) -> SchemaState:
    """Return the schema state of a database, without changing it."""
    return classify_tables(_table_names(connection), read_revisions(connection))


def classify_tables(tables: Set[str], revision_ids: Set[str]) -> SchemaState:
    """Return the state of a schema with these tables and these stored revisions."""
    if not tables & metadata.tables.keys():
        # An alembic_version without a row is left behind by a downgrade to nothing.
        return SchemaState.UNVERSIONED if revision_ids else SchemaState.EMPTY
    if not tables >= _CORE_TABLES:
        # Other programs may also have a revision 0001 and a table "reports".
        return SchemaState.UNVERSIONED
    if HEAD in revision_ids:
        return SchemaState.CURRENT
    if revision_ids & known_revisions():
        return SchemaState.OLDER
    return (
        SchemaState.NEWER if any(map(_REVISION_PATTERN.fullmatch, revision_ids)) else SchemaState.UNVERSIONED
    )


def _table_names(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


UNUSABLE_STATES = (SchemaState.OLDER, SchemaState.NEWER, SchemaState.UNVERSIONED)
"""The states of databases whose tables are not those of this version."""


@dataclass(frozen=True)
class SchemaInspection:
    """The result of inspecting the schema of a database.

    Attributes:
        store: The database's name for messages, without a password.
        state: The schema state.
        is_legacy: Whether LavenderTown 0.7 wrote the database.
        sentence: The meaning of the state, and what to do.
    """

    store: str
    state: SchemaState
    is_legacy: bool
    sentence: str


def inspect_schema(database_url: str | URL) -> SchemaInspection:
    """Inspect the schema of a database, without changing it or creating a file.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    url = database_url if isinstance(database_url, URL) else read_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # Connecting would create the file.
        return SchemaInspection(
            store_name(url),
            SchemaState.EMPTY,
            False,
            _STATE_MESSAGES["empty"].format(where=store_name(url)),
        )
    engine = make_engine(url)
    try:
        with (
            translate_errors(url),
            snapshot_connection(engine) as connection,
        ):
            mariadb.acquire_schema_lock(connection)
            state = read_state(connection)
            is_legacy = state is SchemaState.UNVERSIONED and legacy_07.has_legacy_tables(connection)
            return SchemaInspection(store_name(url), state, is_legacy, describe_state(connection, state))
    finally:
        engine.dispose()


def refuse_state(database_url: str | URL, *states: SchemaState) -> SchemaState:
    """Refuse a database in one of these states, before a lock file is created next to it.

    Returns:
        The state of the database.

    Raises:
        SchemaError: The database is in one of the states; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    inspection = inspect_schema(database_url)
    if inspection.state in states:
        raise SchemaError(f"{inspection.sentence} Nothing was changed.")
    return inspection.state


def read_revisions(connection: sa.Connection) -> set[str]:
    """Return the revisions stored in a database; empty if it stores none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


def known_revisions() -> set[str]:
    """Return the revisions that this version can upgrade from or to."""
    return {path.name[:4] for path in (_MIGRATIONS_FOLDER / "versions").glob(_REVISION_FILES)}


def ensure_schema(engine: Engine, write_lock: WriteLock) -> None:
    """Create the tables of an empty database; accept a database that is current.

    Args:
        engine: The database.
        write_lock: Acquired while the tables are created.

    Raises:
        SchemaError: The database has another schema; nothing was changed.
    """
    with snapshot_connection(engine) as connection:
        mariadb.acquire_schema_lock(connection)
        state = read_state(connection)
        description = describe_state(connection, state)
    if state is SchemaState.EMPTY:
        with write_lock.acquire():
            enable_wal(engine)
            state, description = _create_tables(engine)
    if state is not SchemaState.CURRENT:
        raise SchemaError(f"{description} Nothing was changed.")


def enable_wal(engine: Engine) -> None:
    """On SQLite, set WAL mode, in which readers do not wait for the writer; the file stores the setting."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(**{BEGIN_OPTION: ""}) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def lock_schema(connection: sa.Connection) -> None:
    """Block other schema changes until the transaction ends; on SQLite, its write lock does so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK_KEY})
    elif connection.dialect.name in mariadb.BACKENDS:
        mariadb.lock_schema(connection)


def run_migrations(
    connection: sa.Connection, revision: str = HEAD, *, down: bool = False
) -> QuarantinedFindings | None:
    """Run the migrations up or down to a revision, inside the connection's transaction.

    Returns:
        The findings that were moved to quarantine; None if there were none.

    Raises:
        StorageUnavailableError: The quarantine file could not be written.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)
    quarantined: QuarantinedFindings | None = config.attributes.get("quarantined")
    return quarantined


def render_migration_sql(database_url: str) -> str:
    """Return the SQL of all migrations for this kind of database, without connecting to it."""
    from alembic import command
    from alembic.config import Config

    text = io.StringIO()
    config = Config(output_buffer=text)
    config.set_main_option("script_location", str(_MIGRATIONS_FOLDER).replace("%", "%%"))
    config.attributes["url"] = database_url
    command.upgrade(config, HEAD, sql=True)
    return text.getvalue()


def _create_tables(engine: Engine) -> tuple[SchemaState, str]:
    """Create the tables unless another process did; return the schema state and its description."""
    with engine.begin() as connection:
        lock_schema(connection)
        state = read_state(connection)
        if state is not SchemaState.EMPTY:
            return state, describe_state(connection, state)
        run_migrations(connection)
    return SchemaState.CURRENT, ""


def describe_state(connection: sa.Connection, state: SchemaState) -> str:
    """Return a sentence on the schema state of a database and on what to do."""
    kind: str = state.value
    if state is SchemaState.UNVERSIONED and legacy_07.has_legacy_tables(connection):
        kind = "old"
    elif state is SchemaState.UNVERSIONED and _table_names(connection) >= _CORE_TABLES:
        kind = "unmarked"
    return _STATE_MESSAGES[kind].format(where=store_name(connection.engine.url))


_UPGRADE_HINT = "Upgrade it with: lavendertown db upgrade (it is backed up first)."
_STATE_MESSAGES = {
    "empty": "{where} is empty. Create the tables with: lavendertown db init",
    "current": "{where} is ready.",
    "older": f"{{where}} was created by an earlier version of LavenderTown. {_UPGRADE_HINT}",
    "newer": "{where} was created by a newer version of LavenderTown. Install that version, or choose "
    "another database.",
    "old": f"{{where}} was written by LavenderTown 0.7. {_UPGRADE_HINT}",
    "unversioned": "{where} has tables of another program. Choose an empty database.",
    "unmarked": "{where} has LavenderTown's tables, but its table alembic_version has no valid revision. "
    "Restore the database from a backup, or choose another one.",
}


@dataclass(frozen=True)
class QuarantinedFindings:
    """Findings without a report that a migration moved out of a database.

    Attributes:
        count: The number of findings.
        file: The file with the findings, one JSON object per line.
    """

    count: int
    file: Path

    @property
    def sentence(self) -> str:
        """A sentence with the number of findings and the file."""
        findings = "1 finding that belongs" if self.count == 1 else f"{self.count:,} findings that belong"
        return f"Moved {findings} to no report out of the database to {self.file}."


@contextlib.contextmanager
def open_quarantine(revision: str, root: Path | None = None) -> Iterator[tuple[IO[str], Path]]:
    """Open a new file in the data folder for findings that a migration moves out of the database.

    Args:
        revision: The revision of the migration.
        root: The project root; the working directory by default.

    Raises:
        StorageUnavailableError: The file could not be written.
    """
    name = f"upgrade-{revision}-{clock.now():%Y%m%dT%H%M%S%f}"
    folder = load_settings(root).data_dir / "quarantine" / name
    path = folder / "findings.jsonl"
    try:
        folder.mkdir(mode=0o700, parents=True)
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8") as file:
            yield file, path
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageUnavailableError(
            f"Findings that belong to no report could not be copied to {path} ({error.strerror or error}); "
            "nothing was changed. Free some space or change the folder's permissions, then try again."
        ) from error
