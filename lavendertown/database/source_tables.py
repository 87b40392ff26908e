"""Read a table or query of a database as data to check, by its SQLAlchemy URL."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.stores.sql.connection.errors import hide_passwords
from lavendertown.tables.frames import from_columns
from lavendertown.tables.sources.archives import list_names, show_name
from lavendertown.tables.sources.sqlite_files import choose_only_table, read_sqlite_file
from lavendertown.tables.table import Table
from lavendertown.tables.value_kinds import classify_values

_DRIVERS = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The drivers of LavenderTown's own extras; a URL that names a driver keeps it."""

_FETCH_ROWS = 10_000
_KEPT_TYPES = (
    str, bytes, bool, int, float, decimal.Decimal, dt.date, dt.datetime, list, tuple, dict, type(None)
)  # fmt: skip


def read_database_table(
    url: str,
    table: str | None = None,
    query: str | None = None,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
) -> Table:
    """Read a table of a database; nothing is written to it.

    Args:
        url: A database URL that SQLAlchemy knows.
        table: A table or view, also ``schema.table``. Default: the only table.
        query: A statement that returns rows, in place of ``table``.
        limits: The limits on the size of the table.

    Raises:
        FileLimitError: The table exceeds a limit.
        InvalidInputError: The URL is malformed, or its driver is not installed.
        UnreadableTableError: The database cannot be reached, there is no such table or there are several, or
            the query fails.
    """
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise InvalidInputError("The URL names no SQLite file; write sqlite:///folder/file.db.")
        return read_sqlite_file(Path(parsed.database), table, query, limits)
    source = _describe_url(parsed)
    with _translate_errors(parsed, source), _connect_read_only(parsed) as connection:
        if query is None:
            statement, table = _select_table(connection, table, source)
            result = connection.execute(statement)
        else:
            # Without parameters, drivers take % and : in the query as they are.
            result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
        if not result.returns_rows:
            raise UnreadableTableError("The query returns no rows; write one that does, such as SELECT.")
        names = list(result.keys())
        rows: list[sa.Row[Any]] = []
        for chunk in result.partitions(_FETCH_ROWS):
            rows += chunk
            limits.check_shape(len(rows), len(names), source)
        limits.check_shape(len(rows), len(names), source)
    of = f"the table {show_name(table)}" if table and query is None else "the answer of the query"
    return from_columns(
        names,
        [classify_values([_plain_value(row[i]) for row in rows]) for i in range(len(names))],
        height=len(rows),
        name=table or parsed.database or "query",
        guesses=[f"Read {of} in {source}."],
    )


def _parse_url(url: str) -> URL:
    malformed = InvalidInputError(
        "The database URL is malformed; write it as driver://user:password@host/database, with @ in a name "
        "or password as %40 and / as %2F."
    )
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise malformed from None  # the error may quote a part of the password
    if parsed.get_backend_name() != "sqlite" and "@" in f"{parsed.host}{parsed.database}":
        raise malformed
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    try:
        parsed.get_dialect()
    except sa.exc.NoSuchModuleError as error:
        raise InvalidInputError(
            f"SQLAlchemy does not know databases of the kind {parsed.drivername}://; give the path of a "
            "file, or install the SQLAlchemy dialect of that database."
        ) from error
    return parsed


def _describe_url(url: URL) -> str:
    """Return the name of the database for messages, without user, password and options."""
    return f"{url.get_backend_name()}://{url.host or ''}/{url.database or ''}"


@contextmanager
def _connect_read_only(url: URL) -> Iterator[Connection]:
    """Connect in a transaction that is rolled back, and that the server keeps from writing if it can."""
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except ImportError as error:
        raise InvalidInputError(
            f"The driver of {url.drivername}:// is not installed ({error}); install it with pip."
        ) from error
    options = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
    with engine.connect() as connection:
        connection = connection.execution_options(stream_results=True, **options)
        if engine.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.rollback()
        try:
            yield connection
        finally:
            connection.rollback()


@contextmanager
def _translate_errors(url: URL, source: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        lines = hide_passwords(str(cause), url.password).strip().splitlines()
        reason = lines[0].strip().rstrip(".") if lines else type(error).__name__
        raise UnreadableTableError(
            f"{source} cannot be read: {reason}. Check the URL, the table or the query."
        ) from error


def _select_table(connection: Connection, wanted: str | None, source: str) -> tuple[sa.Select[Any], str]:
    inspector = sa.inspect(connection)
    name, schema = wanted, None
    if name is None:
        name = choose_only_table(sorted(inspector.get_table_names()), source, "--table {}")
    elif not inspector.has_table(name):
        schema, _, name = name.rpartition(".")
        if not schema or not inspector.has_table(name, schema=schema):
            tables = list_names(sorted(inspector.get_table_names()))
            raise UnreadableTableError(
                f"{source} has no table {show_name(wanted or '')}; it has {tables or 'no tables'}."
            )
    statement = sa.select(sa.text("*")).select_from(sa.table(name, schema=schema))
    return statement, name


def _plain_value(value: Any) -> Any:
    """Return the value; as text if it is of a type that only the database knows, such as a UUID."""
    if isinstance(value, memoryview):
        return bytes(value)
    return value if isinstance(value, _KEPT_TYPES) else str(value)
