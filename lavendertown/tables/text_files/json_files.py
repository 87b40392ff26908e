"""Read JSON files: a list of records, one record per line, or columns by name."""

from __future__ import annotations

import decimal
import json
import re
from collections.abc import Sequence
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.tables.nested import flatten_objects
from lavendertown.tables.python_values import from_values
from lavendertown.tables.table import Table
from lavendertown.tables.text_files.text_encoding import decode_text

_LONG_DIGITS = re.compile(r"[0-9]{19}")
_MAX_INT_DIGITS = 4_000


def read_json(
    raw: bytes,
    name: str,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    encoding: str | None = None,
    *,
    by_line: bool = False,
) -> Table:
    """Read a JSON file as a table; with ``by_line``, each line is one record.

    The encoding is detected by default.

    Raises:
        UnreadableTableError: The file is not JSON or has no table; the message names the line if known.
        FileLimitError: The file has too many columns or cells.
    """
    text, _, _ = decode_text(raw, name, encoding)
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty: it has no records.")
    if by_line or _looks_by_line(text):
        return _from_records(
            _parse_lines(text, name), name, limits, ["Read as JSON lines: one record a line."]
        )
    document = _parse_json(text, name, 1)
    if isinstance(document, list):
        return _from_records(document, name, limits, ["Read as a JSON list of records."])
    if isinstance(document, dict):
        return _from_mapping(document, name, limits)
    raise UnreadableTableError(f"{name} contains a single value; provide a list of records.")


def _looks_by_line(text: str) -> bool:
    lines = [line for line in text.strip().split("\n", 2)[:2] if line.strip()]
    return len(lines) == 2 and all(line.strip()[0] == "{" and line.strip()[-1] == "}" for line in lines)


def _parse_json(text: str, name: str, line: int) -> Any:
    # orjson turns integers beyond 64 bits into floats, which can make different ids equal.
    if not _LONG_DIGITS.search(text):
        try:
            return json_codec.loads(text)
        except ValueError:
            pass  # The standard reader accepts NaN and reports the line of an error.
    try:
        return json.loads(text, parse_int=_parse_integer)
    except json.JSONDecodeError as error:
        where = line + error.lineno - 1
        raise UnreadableTableError(
            f"{name}, line {where:,}: not valid JSON ({error.msg}, column {error.colno})."
        ) from error


def _parse_integer(digits: str) -> int | decimal.Decimal:
    # Python refuses to parse an int of more than 4,300 digits.
    return int(digits) if len(digits) < _MAX_INT_DIGITS else decimal.Decimal(digits)


def _parse_lines(text: str, name: str) -> list[Any]:
    return [_parse_json(line, name, i) for i, line in enumerate(text.split("\n"), 1) if line.strip()]


def _from_mapping(document: dict[str, Any], name: str, limits: FileLimits) -> Table:
    lists = [key for key, value in document.items() if isinstance(value, list)]
    lengths = {len(document[key]) for key in lists}
    if lists and len(lists) == len(document) and len(lengths) == 1:
        if len(lists) == 1 and all(isinstance(item, dict) for item in document[lists[0]]):
            return _from_records(document[lists[0]], name, limits, [f"The records stand under '{lists[0]}'."])
        height = lengths.pop()
        limits.check_shape(height, len(document), name)
        return _build_table(document, height, name, limits, ["Read as JSON columns by name."])
    holders = [
        key for key in lists if document[key] and all(isinstance(item, dict) for item in document[key])
    ]
    if not holders and len(lists) == 1 and not document[lists[0]]:
        holders = lists  # a file without records
    if len(holders) == 1:
        return _from_records(document[holders[0]], name, limits, [f"The records stand under '{holders[0]}'."])
    if not lists and document:
        return _from_records([document], name, limits, ["Read as a single JSON record."])
    raise UnreadableTableError(
        f"{name} contains an object without a list of records; provide one list of records."
    )


def _from_records(records: Sequence[Any], name: str, limits: FileLimits, guesses: list[str]) -> Table:
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise UnreadableTableError(
                f"{name}: record {i + 1:,} is not an object with named values; save the table as a list of "
                "objects, or as CSV."
            )
    names = list(dict.fromkeys(key for record in records for key in record))
    limits.check_shape(len(records), len(names), name)
    columns = {key: [record.get(key) for record in records] for key in names}
    return _build_table(columns, len(records), name, limits, guesses)


def _build_table(
    columns: dict[str, Any], height: int, name: str, limits: FileLimits, guesses: list[str]
) -> Table:
    flat = flatten_objects(list(columns.items()), guesses)
    limits.check_shape(height, len(flat), name)
    return from_values(flat, height, name, guesses)
