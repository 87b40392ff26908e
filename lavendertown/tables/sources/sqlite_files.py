"""Read a table, view or query of an SQLite file, which is opened read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lavendertown.core.errors import SeveralTablesError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables.python_values import from_values
from lavendertown.tables.sources.archives import list_names, show_name
from lavendertown.tables.table import Table

SQLITE_HEADER = b"SQLite format 3\x00"
_FETCH_ROWS = 10_000


def read_sqlite_file(
    path: Path,
    table: str | None = None,
    query: str | None = None,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    *,
    name: str | None = None,
) -> Table:
    """Read a table of an SQLite file.

    Args:
        path: The file.
        table: A table or view. Default: the only table.
        query: A statement that returns rows, in place of ``table``.
        limits: The limits on the size of the file and of the table.
        name: The name of the file in messages. Default: that of the path.

    Raises:
        FileLimitError: The file or the table exceeds a limit.
        SeveralTablesError: The file has several tables, and none was named.
        UnreadableTableError: The file is damaged, has no such table, or the query fails.
    """
    if not path.is_file():
        raise UnreadableTableError(f"There is no file {path}; check the path.")
    name = name or path.name
    limits.check_size(path.stat().st_size, name)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = _decode_text
            if query is None:
                table = _choose_table(connection, table, name)
                statement = f"SELECT * FROM {_quote_name(table)}"
            else:
                statement = query
            names, rows = _fetch_rows(connection, statement, name, limits)
    except (sqlite3.Error, sqlite3.Warning) as error:
        what = "The query failed in" if query is not None else "The table cannot be read from"
        raise UnreadableTableError(
            f"{what} the SQLite database {name}: {error}. Correct it, or save the table as CSV."
        ) from error
    columns = [(each, [row[i] for row in rows]) for i, each in enumerate(names)]
    of = f"the table {show_name(table)}" if table and query is None else "the answer of the query"
    return from_values(columns, len(rows), table or name, [f"Read {of} in the SQLite database {name}."])


def choose_only_table(tables: Sequence[str], source: str, how: str) -> str:
    """Return the only table of a database.

    Args:
        tables: The names of its tables.
        source: The name of the database, for messages.
        how: How to name a table, with ``{}`` in its place.

    Raises:
        SeveralTablesError: There are several tables.
        UnreadableTableError: There are none.
    """
    if not tables:
        raise UnreadableTableError(f"{source} has no tables; give a database that has some.")
    if len(tables) > 1:
        raise SeveralTablesError(
            f"{source} has {len(tables):,} tables ({list_names(tables)}); name one: "
            f"{how.format(show_name(tables[0]))}.",
            tables,
        )
    return tables[0]


def _choose_table(connection: sqlite3.Connection, wanted: str | None, name: str) -> str:
    found = connection.execute(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\' ORDER BY name"
    ).fetchall()
    tables = [each for each, kind in found if kind == "table"]
    if wanted is None:
        return choose_only_table(tables, name, f"{name}::{{}}")
    match = next((each for each, _ in found if each.lower() == wanted.lower()), None)
    if match is None:
        raise UnreadableTableError(
            f"{name} has no table {show_name(wanted)}; it has {list_names(tables) or 'no tables'}."
        )
    return str(match)


def _fetch_rows(
    connection: sqlite3.Connection, statement: str, name: str, limits: FileLimits
) -> tuple[list[str], list[tuple[object, ...]]]:
    cursor = connection.execute(statement)
    if cursor.description is None:
        raise UnreadableTableError("The query returns no rows; write one that does, such as SELECT.")
    names = [column[0] for column in cursor.description]
    rows: list[tuple[object, ...]] = []
    while chunk := cursor.fetchmany(_FETCH_ROWS):
        rows += chunk
        limits.check_shape(len(rows), len(names), name)
    limits.check_shape(len(rows), len(names), name)
    return names, rows


def _decode_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")  # SQLite does not check that text is valid


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
