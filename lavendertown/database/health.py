"""Is a database well: a real query, how long it took, and what its schema means."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lavendertown.database import schema
from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated
from lavendertown.database.schema import State
from lavendertown.database.tables import reports


@dataclass(frozen=True)
class Health:
    """How a database does.

    Attributes:
        store: The database in words, without a password.
        well: It answered, and its schema is this version's.
        seconds: How long the query took, without connecting.
        revision: The schema's revision; empty where it says none.
        wanted: The revision this version works with.
        sentence: What the schema state means, and what to do.
        bytes: How large it is; None where the database does not say.
        reports: How many reports it holds, deleted ones included; None where the schema is another.
    """

    store: str
    well: bool
    state: State
    seconds: float
    revision: str
    wanted: str
    sentence: str
    bytes: int | None
    reports: int | None


def health(database_url: str) -> Health:
    """Ask a database how it does; changes nothing, makes no file.

    Raises:
        ConfigurationError: The URL is not one.
        StorageUnavailableError: It does not answer.
    """
    url = read_url(database_url)
    seen = schema.look(url)
    if seen.state is State.EMPTY and url.get_backend_name() == "sqlite":
        return Health(seen.store, False, seen.state, 0.0, "", schema.HEAD, seen.sentence, None, None)
    engine = make_engine(url)
    try:
        with translated(url), engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            revision = max(schema.revisions(connection), default="")
            started = time.perf_counter()
            held = _ask(connection, seen.state)
            seconds = time.perf_counter() - started
            size = _size(connection)
    finally:
        engine.dispose()
    well = seen.state is State.CURRENT
    return Health(seen.store, well, seen.state, seconds, revision, schema.HEAD, seen.sentence, size, held)


def _ask(connection: sa.Connection, state: State) -> int | None:
    if state is State.CURRENT:
        return connection.scalar(sa.select(sa.func.count()).select_from(reports))
    connection.execute(sa.text("SELECT 1"))
    return None


def _size(connection: sa.Connection) -> int | None:
    if connection.dialect.name == "sqlite":
        file = Path(connection.engine.url.database or "")
        return sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.is_file())
    statement = _SERVER_SIZES["postgresql" if connection.dialect.name == "postgresql" else "mysql"]
    found = connection.scalar(sa.text(statement))
    return int(found) if found is not None else None


_SERVER_SIZES = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables "
    "WHERE table_schema = DATABASE()",
}
