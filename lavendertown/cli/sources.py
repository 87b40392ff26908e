"""Read what the argument FILE of ``lavendertown analyze`` names: a file, a part of one, or standard input.

Only the command line reads these sources, because they name files and servers that the caller can reach; the
dashboard reads uploaded bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.tables import Table, read_table

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


def read_source(source: str, format_in: str | None, limits: FileLimits, reading: Reading) -> Table:
    """Read the table that ``source`` names.

    Args:
        source: The path of a file, ``archive.zip::member``, or ``-`` for standard input.
        format_in: A key of :data:`FORMAT_ENDINGS`, if the name does not show the format.
        limits: The limits on the size of the file.
        reading: Settings for reading that are known.

    Raises:
        FileLimitError: The file exceeds a limit.
        UnreadableTableError: There is no such file, or it cannot be read as a table.
    """
    if source == STDIN_ARGUMENT:
        return read_table(sys.stdin.buffer.read(), _name_with_format("stdin", format_in), limits, reading)
    path, part = split_part(source)
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


def _name_with_format(name: str, format_in: str | None) -> str:
    return Path(name).stem + FORMAT_ENDINGS[format_in] if format_in else name
