"""Upgrades and downgrades of a database's schema, with a backup, exclusive and in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from lavendertown.core.errors import InvalidInputError, SchemaError
from lavendertown.stores.sql.connection.engine import (
    make_database_folder,
    make_engine,
    read_url,
    snapshot_connection,
)
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.connection.write_locks import WriteLock, watch_transaction
from lavendertown.stores.sql.copies.backup import copy_database
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.revisions import QuarantinedFindings, SchemaState

_UPGRADE_LOCK_KEY = 7163045219


@dataclass(frozen=True)
class RevisionChange:
    """The result of an upgrade or a downgrade.

    Attributes:
        before, after: The revisions; empty if the database had none.
        backup: The copy that was made first; None if none was made.
        quarantined: Findings without a report that were moved to quarantine; None if there were none.
    """

    before: str
    after: str
    backup: Path | None
    quarantined: QuarantinedFindings | None = None


def upgrade_database(database_url: str, *, copy_first: bool = True) -> RevisionChange:
    """Upgrade a database to the newest revision; create the tables of an empty one.

    Raises:
        SchemaError: The database is newer, or belongs to another program; nothing was changed.
        StorageUnavailableError: The database does not answer, or the quarantine file cannot be written.
    """
    revisions.refuse_state(database_url, SchemaState.NEWER, SchemaState.UNVERSIONED)
    make_database_folder(read_url(database_url))
    with exclusive_engine(database_url) as engine:
        before, state = _read_revision_and_state(engine)
        if state is SchemaState.CURRENT:
            return RevisionChange(before, before, None)
        backup = copy_database(engine) if copy_first and state is SchemaState.OLDER else None
        revisions.enable_wal(engine)
        quarantined = None
        with schema_change(engine) as connection:
            # Another machine may have upgraded it since.
            if revisions.read_state(connection) is not SchemaState.CURRENT:
                quarantined = revisions.run_migrations(connection)
        return RevisionChange(before, revisions.HEAD, backup, quarantined)


def downgrade_database(database_url: str, revision: str, *, copy_first: bool = True) -> RevisionChange:
    """Downgrade a database to an earlier revision, for an earlier version of LavenderTown.

    Raises:
        InvalidInputError: The revision does not exist, or is not earlier than the database's.
        SchemaError: The database is empty, newer, or belongs to another program; nothing was changed.
        StorageUnavailableError: The database does not answer.
    """
    known = sorted(revisions.known_revisions())
    if revision not in known:
        raise InvalidInputError(f"There is no revision {revision!r}. Choose one of {', '.join(known)}.")
    revisions.refuse_state(database_url, SchemaState.EMPTY, SchemaState.NEWER, SchemaState.UNVERSIONED)
    with exclusive_engine(database_url) as engine:
        before, _ = _read_revision_and_state(engine)
        if before <= revision:
            raise InvalidInputError(
                f"The database is at revision {before} and cannot be downgraded to {revision}. Choose an "
                "earlier revision."
            )
        backup = copy_database(engine) if copy_first else None
        with schema_change(engine) as connection:
            revisions.run_migrations(connection, revision, down=True)
        return RevisionChange(before, revision, backup)


@contextlib.contextmanager
def schema_change(engine: Engine) -> Iterator[sa.Connection]:
    """Open the transaction of a schema change, with the schema locked.

    Alembic changes a SQLite table by copying it and dropping the original. With foreign keys enabled, the
    drop deletes rows of other tables that refer to it. So they are disabled, and checked before the commit.

    Raises:
        SchemaError: A foreign key would be broken; everything was undone.
    """
    with engine.connect() as connection:
        driver_connection = connection.connection.driver_connection
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite and driver_connection is not None:
            # Inside a transaction this would do nothing.
            driver_connection.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin(), watch_transaction(connection):
                revisions.lock_schema(connection)
                yield connection
                if is_sqlite:
                    _check_foreign_keys(connection)
        finally:
            if is_sqlite and driver_connection is not None:
                driver_connection.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise SchemaError(
            f"The upgrade was undone, nothing was changed: {len(broken):,} rows, the first in the table "
            f"{broken[0][0]!r}, refer to missing rows. Restore the database from a backup."
        )


def _read_revision_and_state(engine: Engine) -> tuple[str, SchemaState]:
    with snapshot_connection(engine) as connection:
        revision = max(revisions.read_revisions(connection) & revisions.known_revisions(), default="")
        return revision, revisions.read_state(connection)


@contextlib.contextmanager
def _upgrade_lock(engine: Engine) -> Iterator[None]:
    """On PostgreSQL, wait for an upgrade that is already running, so that only one makes the backup."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK_KEY})
        # Detached, the connection is closed instead of pooled, which releases the lock in any case.
        connection.detach()
        yield


@contextlib.contextmanager
def exclusive_engine(database_url: str) -> Iterator[Engine]:
    """Open an engine and block other schema changes while the block runs.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    url = read_url(database_url)
    engine = make_engine(url)
    try:
        with translate_errors(url), WriteLock(url).acquire(), _upgrade_lock(engine):
            yield engine
    finally:
        engine.dispose()
