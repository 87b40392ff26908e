"""Read tables from URLs and from configured sources, and inspect the latter for the dashboard."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lavendertown.core.configured_sources import ConfiguredSource
from lavendertown.core.errors import (
    FileLimitError,
    InvalidInputError,
    LavenderTownError,
    SeveralTablesError,
    UnreadableTableError,
)
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.inspection.tasks import inspect_table
from lavendertown.tables import Table, read_table
from lavendertown.tables.files import find_database_reader, read_file
from lavendertown.tables.sources.duckdb_files import read_duckdb_file
from lavendertown.tables.sources.part_files import (
    find_matching_files,
    is_pattern,
    list_data_files,
    read_part_files,
)
from lavendertown.tables.sources.remote_files import describe_remote_url, is_remote_url, read_remote_table
from lavendertown.tables.value_settings import apply_value_settings

INSPECT_SOURCE = "lavendertown.data_sources:inspect_source"
SQLALCHEMY_MISSING = (
    "SQLAlchemy is required to read databases. Install with: pip install lavendertown[database]"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_URL_PASSWORD = re.compile(r"(://[^:/@]*):.*@")

log = logging.getLogger("lavendertown.data_sources")


def is_url(source: str) -> bool:
    """Return whether the text is a URL, not a path."""
    return _URL.match(source) is not None


def describe_url(url: str) -> str:
    """Return a URL for messages, without its password and options."""
    if is_remote_url(url):
        return describe_remote_url(url)
    shown, _, options = url.partition("?")
    if "@" in options:
        # A password that contains "?", or one among the options: nothing after the scheme is safe to show.
        return f"{url.partition('://')[0]}://…"
    return _URL_PASSWORD.sub(r"\1:***@", shown)


def read_url(
    url: str,
    table: str | None = None,
    query: str | None = None,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    reading: Reading = DETECT,
) -> Table:
    """Read the table at a URL: of a database, or a file on a server.

    Args:
        url: A SQLAlchemy URL, ``duckdb:///file.duckdb``, or a URL as for
            :func:`~lavendertown.tables.sources.remote_files.read_remote_table`.
        table: The table of a database, or the member of an archive. Default: the only one.
        query: A statement that returns rows, in place of ``table``; for databases only.
        limits: The limits on the size of the table.
        reading: Settings that are known.

    Raises:
        FileLimitError: The table exceeds a limit.
        InvalidInputError: The URL is malformed, a file has no queries, or the driver is not installed.
        ImportError: SQLAlchemy is not installed.
        UnreadableTableError: The table cannot be read.
    """
    if is_remote_url(url):
        if query is not None:
            raise InvalidInputError(
                f"{describe_url(url)} is a file, and queries are for databases; leave it out."
            )
        return read_remote_table(url, limits, reading, member=table)
    if url.startswith("duckdb:"):
        found = read_duckdb_file(Path(url.partition(":///")[2]), table, query, limits)
        return apply_value_settings(found, reading, "a database")
    try:
        from lavendertown.database.source_tables import read_database_table
    except ImportError as error:
        raise ImportError(SQLALCHEMY_MISSING) from error
    return apply_value_settings(read_database_table(url, table, query, limits), reading, "a database")


def read_configured_source(
    source: ConfiguredSource, limits: FileLimits = DEFAULT_FILE_LIMITS, reading: Reading = DETECT
) -> Table:
    """Read the table of a configured source; the table has the source's name.

    Args:
        source: The source.
        limits: The limits on the size of the table.
        reading: Settings that are known; the others are detected.

    Raises:
        FileLimitError: The table exceeds a limit.
        InvalidInputError: The source is not configured correctly.
        ImportError: SQLAlchemy is not installed.
        UnreadableTableError: The table cannot be read; the message may name folders and servers.
    """
    if source.missing:
        raise InvalidInputError(
            f"The source {source.name} needs the environment variable {source.missing[0]}, which is not set."
        )
    if source.url:
        found = read_url(source.url, source.table, source.query, limits, reading)
    else:
        found = _read_path(source, limits, reading)
    return replace(found, name=source.name)


def _read_path(source: ConfiguredSource, limits: FileLimits, reading: Reading) -> Table:
    path = Path(source.path)
    if is_pattern(source.path):
        return read_part_files(find_matching_files(source.path), limits, reading)
    if path.is_dir():
        return read_part_files(list_data_files(path), limits, reading)
    if source.query is not None:
        read_database = find_database_reader(path)
        if read_database is None:
            read_file(path)  # raises an error if the file cannot be read
            raise InvalidInputError(
                f"{path} is no database, and the source {source.name} has a query for one."
            )
        return apply_value_settings(read_database(path, None, source.query, limits), reading, "a database")
    return read_table(path, limits=limits, reading=reading, member=source.table)


def inspect_source(arguments: dict[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Read and check a configured source, and write the result to a folder.

    Args:
        arguments: The ``source`` as :func:`pack_source` returns it; the others as for
            :func:`lavendertown.inspection.tasks.inspect_file`.
        report: Called with the progress.

    Returns:
        The ``facts`` for :func:`lavendertown.inspection.result_files.read_result`.

    Raises:
        FileLimitError: The table exceeds a limit.
        UnreadableTableError: The table cannot be read. Visitors see the message, so it names neither folders
            nor servers; these are in the server log.
    """
    source = ConfiguredSource(**arguments["source"])
    limits, reading = FileLimits(**arguments["limits"]), Reading.from_dict(arguments.get("reading", {}))
    report({"share": 0.0, "text": "Reading the source"})
    try:
        table = read_configured_source(source, limits, reading)
    except (LavenderTownError, ImportError) as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        log.warning("The source %s cannot be read: %s", source.name, error)
        # Names of tables are the administrator's business, too.
        is_about_content = isinstance(error, UnreadableTableError) and not isinstance(
            error, SeveralTablesError
        )
        if is_about_content and _names_no_place(source, str(error)):
            raise
        what = "exceeds a limit of this server" if isinstance(error, FileLimitError) else "cannot be read"
        raise UnreadableTableError(
            f"The source {source.name} {what}. Ask your administrator; the server log has the reason."
        ) from error
    return inspect_table(table, arguments, report, copies_rows=True)


def _names_no_place(source: ConfiguredSource, message: str) -> bool:
    """Return whether a message about a source names neither its folder, its server nor its query.

    Such a message is about the content, for example that there is no row 9 for the header.
    """
    if source.query is not None:
        return False  # it is about the administrator's query
    if source.url:
        # A database or its driver may name host, user and tables in any form.
        return is_remote_url(source.url) and "://" not in message
    path = Path(source.path)
    fixed = Path(*itertools.takewhile(lambda part: not is_pattern(part), path.parent.parts))
    return not any(str(folder) in message for folder in (fixed, fixed.resolve()))


def pack_source(source: ConfiguredSource) -> dict[str, Any]:
    """Return a source as plain data for :func:`inspect_source`."""
    return asdict(source)
