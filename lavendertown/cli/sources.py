"""Read what the argument FILE of ``lavendertown analyze`` names: files, a part of one, or standard input.

Only the command line reads these sources, because they name files and servers that the caller can reach; the
dashboard reads uploaded bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lavendertown.cli.errors import CommandError
from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.tables import Table, read_table
from lavendertown.tables.part_files import find_matching_files, is_pattern, list_data_files, read_part_files

STDIN_ARGUMENT = "-"
PART_SIGN = "::"
FORMAT_ENDINGS = {
    "csv": ".csv",
    "json": ".json",
    "jsonl": ".jsonl",
    "parquet": ".parquet",
    "excel": ".xlsx",
    "arrow": ".arrow",
    "orc": ".orc",
    "avro": ".avro",
}


def read_sources(
    sources: Sequence[str], format_in: str | None, limits: FileLimits, reading: Reading
) -> Table:
    """Read the table that the arguments name.

    Args:
        sources: The path of a file or folder, a pattern such as ``orders/*.csv``, ``archive.zip::member``, or
            ``-`` for standard input; or the paths of several files, which form one table.
        format_in: A key of :data:`FORMAT_ENDINGS`, if the name of a single file does not show its format.
        limits: The limits on the size of the file.
        reading: Settings for reading that are known.

    Raises:
        FileLimitError: The files exceed a limit.
        UnreadableTableError: There is no such file, or it cannot be read as a table.
    """
    source = sources[0]
    if len(sources) > 1:
        _refuse_format_of_parts(format_in)
        return read_part_files([Path(each) for each in sources], limits, reading)
    if source == STDIN_ARGUMENT:
        return read_table(sys.stdin.buffer.read(), _name_with_format("stdin", format_in), limits, reading)
    if is_pattern(source) and PART_SIGN not in source:
        _refuse_format_of_parts(format_in)
        return read_part_files(find_matching_files(source), limits, reading)
    path, part = split_part(source)
    if path.is_dir() and part is None:
        _refuse_format_of_parts(format_in)
        table = read_part_files(list_data_files(path), limits, reading)
        return replace(table, name=path.resolve().name or table.name)
    return read_table(path, _name_with_format(path.name, format_in), limits, reading, member=part)


def split_part(source: str) -> tuple[Path, str | None]:
    """Return the path and the part of ``path::part``; a file whose own name contains the sign is kept whole.

    Raises:
        UnreadableTableError: Nothing follows the sign.
    """
    head, sign, part = source.partition(PART_SIGN)
    if not sign or Path(source).exists():
        return Path(source), None
    if not head or not part:
        raise UnreadableTableError(
            f"{source} is not complete; write file.zip::member, for example orders.zip::orders.csv."
        )
    return Path(head), part


def _refuse_format_of_parts(format_in: str | None) -> None:
    if format_in:
        raise CommandError(
            "--format-in is for a single file; the names of several files must show the format."
        )


def _name_with_format(name: str, format_in: str | None) -> str:
    return Path(name).stem + FORMAT_ENDINGS[format_in] if format_in else name
