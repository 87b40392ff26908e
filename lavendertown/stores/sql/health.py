"""The health check of a database: a timed query and the state of the schema."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lavendertown.stores.sql.connection.engine import make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.revisions import SchemaState
from lavendertown.stores.sql.schema.tables import reports


@dataclass(frozen=True)
class Health:
    """The result of a health check.

    Attributes:
        store: The database's name for messages, without a password.
        is_ok: Whether the database answered and has the schema of this version.
        query_seconds: The duration of the query, without connecting.
        revision: The schema's revision; empty if it has none.
        expected_revision: The revision that this version works with.
        sentence: The meaning of the schema state, and what to do.
        size_bytes: The size of the database; None if it is unknown.
        report_count: The number of reports, deleted ones included; None if the schema is not current.
    """

    store: str
    is_ok: bool
    state: SchemaState
    query_seconds: float
    revision: str
    expected_revision: str
    sentence: str
    size_bytes: int | None
    report_count: int | None


def check_health(database_url: str) -> Health:
    """Check the health of a database, without changing it or creating a file.

    Raises:
        ConfigurationError: The URL is invalid, or names an unsupported database.
        StorageUnavailableError: The database does not answer.
    """
    url = read_url(database_url)
    inspection = revisions.inspect_schema(url)
    if inspection.state is SchemaState.EMPTY and url.get_backend_name() == "sqlite":
        return Health(
            inspection.store,
            False,
            inspection.state,
            0.0,
            "",
            revisions.HEAD,
            inspection.sentence,
            None,
            None,
        )
    engine = make_engine(url)
    try:
        with (
            translate_errors(url),
            snapshot_connection(engine) as connection,
        ):
            revision = max(revisions.read_revisions(connection), default="")
            started = time.perf_counter()
            report_count = _run_probe_query(connection, inspection.state)
            seconds = time.perf_counter() - started
            size = _database_size(connection)
    finally:
        engine.dispose()
    is_ok = inspection.state is SchemaState.CURRENT
    return Health(
        inspection.store,
        is_ok,
        inspection.state,
        seconds,
        revision,
        revisions.HEAD,
        inspection.sentence,
        size,
        report_count,
    )


def _run_probe_query(connection: sa.Connection, state: SchemaState) -> int | None:
    if state is SchemaState.CURRENT:
        return connection.scalar(sa.select(sa.func.count()).select_from(reports))
    connection.execute(sa.text("SELECT 1"))
    return None


def _database_size(connection: sa.Connection) -> int | None:
    if connection.dialect.name == "sqlite":
        file = Path(connection.engine.url.database or "")
        return sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.is_file())
    statement = _SIZE_QUERIES["postgresql" if connection.dialect.name == "postgresql" else "mysql"]
    size = connection.scalar(sa.text(statement))
    return int(size) if size is not None else None


_SIZE_QUERIES = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables "
    "WHERE table_schema = DATABASE()",
}
