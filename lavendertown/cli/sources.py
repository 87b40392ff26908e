"""Read what the argument FILE of ``lavendertown analyze`` names: files, databases or standard input.

Only the command line reads these sources, because they name files and servers that the caller can reach; the
dashboard reads uploaded bytes, and sources that an administrator configured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lavendertown.cli.errors import CommandError
from lavendertown.cli.options import STDIN
from lavendertown.core.configured_sources import find_source
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.core.settings import load_settings
from lavendertown.core.table_formats import ENDINGS, FILE_ENDINGS
from lavendertown.data_sources import describe_url, is_url, read_configured_source, read_url
from lavendertown.tables import Table, read_table
from lavendertown.tables.engines.engine_choice import EngineChoice, open_on_duckdb, read_parts_on
from lavendertown.tables.files import PART_SIGN, find_database_reader, read_file, split_part
from lavendertown.tables.sources.part_files import find_matching_files, is_pattern, list_data_files
from lavendertown.tables.sources.remote_files import is_remote_url
from lavendertown.tables.value_settings import apply_value_settings

STDIN_ARGUMENT = "-"
_KNOWN_ENDINGS = frozenset(f".{ending}" for ending in FILE_ENDINGS)


def read_sources(
    sources: Sequence[str],
    format_in: str | None,
    limits: FileLimits,
    reading: Reading,
    table: str | None = None,
    query: str | None = None,
    engine: EngineChoice = "auto",
) -> Table:
    """Read the table that the arguments name.

    Args:
        sources: The path of a file or folder, a pattern such as ``orders/*.csv``, ``archive.zip::member``,
            ``file.db::table``, a URL, or ``-`` for standard input; or the paths of several files,
            which form one table.
        format_in: The name of a format, if the name of a single file does not show its format.
        limits: The limits on the size of the file.
        reading: Settings for reading that are known.
        table: The table of a database.
        query: A statement that returns rows, for a database.
        engine: What computes on Parquet files.

    Raises:
        CommandError: An option does not go with the source.
        FileLimitError: The files exceed a limit.
        UnreadableTableError: There is no such file, or it cannot be read as a table.
    """
    if table is not None and query is not None:
        raise CommandError("--table and --query exclude each other; leave one of them out.")
    source = sources[0]
    if engine == "duckdb" and (is_url(source) or source == STDIN_ARGUMENT):
        raise CommandError("DuckDB checks local Parquet files only; leave out --engine duckdb.")
    if is_url(source) and len(sources) == 1:
        return _read_url(source, format_in, limits, reading, table, query)
    if (len(sources) > 1 or source == STDIN_ARGUMENT) and (table is not None or query is not None):
        raise CommandError("--table and --query are for a single database; leave them out.")
    if len(sources) > 1 and any(each == STDIN_ARGUMENT or is_url(each) for each in sources):
        raise CommandError("Standard input and a URL cannot be joined with other files; give only one.")
    if len(sources) > 1:
        _refuse_format_of_parts(format_in)
        return read_parts_on([Path(each) for each in sources], None, limits, reading, engine)
    if source == STDIN_ARGUMENT:
        return read_table(sys.stdin.buffer.read(), _name_with_format("stdin", format_in), limits, reading)
    if is_pattern(source) and PART_SIGN not in source:
        _refuse_format_of_parts(format_in)
        return read_parts_on(find_matching_files(source), None, limits, reading, engine)
    path, part = split_part(source)
    if not os.path.exists(path):  # noqa: PTH110 - as in split_part
        read_file(path)  # raises an error that says why
    read_database = find_database_reader(path)
    if read_database is not None:
        _refuse_format_of_database(format_in)
        if engine == "duckdb":
            raise CommandError(
                f"{source} is a database, which is read into memory; leave out --engine duckdb."
            )
        if part is not None and (table is not None or query is not None):
            raise CommandError(f"{source} names a table already; leave out --table and --query.")
        found = read_database(path, part or table, query, limits)
        return apply_value_settings(found, reading, "a database")
    if table is not None or query is not None:
        raise CommandError(f"--table and --query are for databases, and {source} is a file; leave them out.")
    if path.is_dir() and part is None:
        _refuse_format_of_parts(format_in)
        return read_parts_on(list_data_files(path), path.resolve().name or None, limits, reading, engine)
    name = _name_with_format(path.name, format_in)
    on_duckdb = open_on_duckdb([path], name, limits, reading, engine) if part is None else None
    return on_duckdb or read_table(path, name, limits, reading, member=part)


def read_named_source(name: str, limits: FileLimits, reading: Reading) -> Table:
    """Read a source of the settings file by its name.

    Raises:
        FileLimitError: The table exceeds a limit.
        InvalidInputError: There is no such source, or a variable for its URL is not set.
        UnreadableTableError: It cannot be read.
    """
    source = find_source(load_settings().sources, name)
    return read_configured_source(source, limits, reading)


def read_other_source(
    source: str,
    format_in: str | None,
    limits: FileLimits,
    reading: Reading,
    table: str | None = None,
    query: str | None = None,
) -> Table:
    """Read a second table to compare with, by the options for the first as far as they go with it.

    Args:
        source: As in :func:`read_sources`, but not standard input.
        format_in: For a file whose name does not show its format.
        limits: The limits on the size of the file.
        reading: Settings for reading, for a file.
        table: The table, for a database.
        query: The statement, for a database.

    Raises:
        CommandError: The source is standard input.
        FileLimitError: The file exceeds a limit.
        UnreadableTableError: There is no such file, or it cannot be read as a table.
    """
    if source == STDIN_ARGUMENT:
        raise CommandError("Standard input cannot be compared with; name a file with --compare-to.")
    if is_remote_url(source):
        return read_sources([source], None, limits, reading)
    path, part = (Path(), None) if is_url(source) else split_part(source)
    if is_url(source) or find_database_reader(path) is not None:
        named = part is None
        return read_sources(
            [source], None, limits, reading, table if named else None, query if named else None
        )
    known = Path(source).suffix.lower() in _KNOWN_ENDINGS or path.is_dir() or is_pattern(source)
    return read_sources([source], None if known else format_in, limits, reading)


def describe_sources(sources: Sequence[str]) -> str:
    """Return a name for the arguments in answers; a URL is shown without its password and options."""
    first = STDIN if sources[0] == STDIN_ARGUMENT else sources[0]
    if is_url(first):
        first = describe_url(first)
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1:,} more"


def _read_url(
    url: str,
    format_in: str | None,
    limits: FileLimits,
    reading: Reading,
    table: str | None,
    query: str | None,
) -> Table:
    if not is_remote_url(url):
        _refuse_format_of_database(format_in)
    elif format_in or table is not None or query is not None:
        option = "format-in" if format_in else "table and --query"
        raise CommandError(f"--{option} cannot be used for a file at a URL; leave it out.")
    return read_url(url, table, query, limits, reading)


def _refuse_format_of_database(format_in: str | None) -> None:
    if format_in:
        raise CommandError("--format-in is for files, not for databases; leave it out.")


def _refuse_format_of_parts(format_in: str | None) -> None:
    if format_in:
        raise CommandError(
            "--format-in is for a single file; the names of several files must show the format."
        )


def _name_with_format(name: str, format_in: str | None) -> str:
    return f"{Path(name).stem}.{ENDINGS[format_in][0]}" if format_in else name
