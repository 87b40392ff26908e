"""Read a table or query of a DuckDB file, if the package duckdb is installed."""

from __future__ import annotations

import importlib
from contextlib import closing
from pathlib import Path
from typing import Any

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables.frames import from_arrow
from lavendertown.tables.sources.archives import list_names, show_name
from lavendertown.tables.sources.sqlite_files import choose_only_table
from lavendertown.tables.table import Table

HEAD_BYTES = 20
"""The number of bytes by which :func:`is_duckdb_file` recognizes a file."""

_SIGNATURE = b"DUCK"
_SIGNATURE_AT = 8


def read_duckdb_file(
    path: Path,
    table: str | None = None,
    query: str | None = None,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    *,
    name: str | None = None,
) -> Table:
    """Read a table of a DuckDB file, which is opened read-only.

    Args:
        path: The file.
        table: A table or view, with its schema if that is not the main one, as in ``staging.orders``.
            Default: the only table.
        query: A statement that returns rows, in place of ``table``.
        limits: The limits on the size of the file and of the table.
        name: The name of the file in messages. Default: that of the path.

    Raises:
        FileLimitError: The file or the table exceeds a limit.
        SeveralTablesError: The file has several tables, and none was named.
        UnreadableTableError: duckdb is not installed, the file cannot be opened, or has no such table.
    """
    if not path.is_file():
        raise UnreadableTableError(f"There is no file {path}; check the path.")
    name = name or path.name
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError as error:
        raise UnreadableTableError(
            f"{name} is a DuckDB database; to read it, install duckdb (pip install duckdb), or save the "
            "table as Parquet."
        ) from error
    limits.check_size(path.stat().st_size, name)
    # A view of a foreign file may read other files of this machine; a query was written by the caller.
    config = {"enable_external_access": "false"} if query is None else {}
    try:
        with closing(duckdb.connect(str(path), read_only=True, config=config)) as connection:
            if query is None:
                table, parts = _choose_table(connection, table, name)
                query = "SELECT * FROM " + ".".join('"' + part.replace('"', '""') + '"' for part in parts)
            answer = connection.sql(query)
            if answer is None:
                raise UnreadableTableError("The query returns no rows; write one that does, such as SELECT.")
            limits.check_shape(int(answer.shape[0]), int(answer.shape[1]), name)
            found = answer.to_arrow_table()
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise UnreadableTableError(
            f"The DuckDB database {name} cannot be read: {reason}. Correct the table or the query, "
            "or save the table as Parquet."
        ) from error
    return from_arrow(found, name=table or name)


def is_duckdb_file(head: bytes) -> bool:
    """Return whether these first bytes of a file are those of a DuckDB file."""
    # The version number follows. Text may have the word at this position: "id,name\nDUCK".
    return head[_SIGNATURE_AT:].startswith(_SIGNATURE) and head[_SIGNATURE_AT + 6 : HEAD_BYTES] == bytes(6)


def _choose_table(connection: Any, wanted: str | None, name: str) -> tuple[str, tuple[str, str]]:
    """Return a table as it is named, and its schema and name."""
    found = connection.execute(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables "
        "WHERE table_catalog = current_database() ORDER BY table_schema <> 'main', table_schema, table_name"
    ).fetchall()
    named: dict[str, tuple[str, str]] = {}
    tables: list[str] = []
    for schema, table, kind in found:
        label = table if schema == "main" else f"{schema}.{table}"
        named.setdefault(label, (schema, table))
        tables += [label] * (kind == "BASE TABLE")
    if wanted is None:
        wanted = choose_only_table(tables, name, f"{name}::{{}}")
    wanted = wanted.removeprefix("main.") if wanted not in named else wanted
    if wanted not in named:
        raise UnreadableTableError(
            f"{name} has no table {show_name(wanted)}; it has {list_names(tables) or 'no tables'}."
        )
    return wanted, named[wanted]
