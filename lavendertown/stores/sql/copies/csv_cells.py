"""Conversion of table values to cells of a CSV file and back, the same for every database.

``\\N`` is NULL; an empty cell is an empty text. Integers, numbers and decimals are written as in Python,
booleans as ``true`` and ``false``, times and dates in ISO 8601 (LavenderTown's own in UTC), intervals as
PostgreSQL writes them (``3 days 04:05:06``), bytes in base64, and JSON as JSON. Spreadsheets run texts that
start like a formula. So an apostrophe is put before texts, intervals and JSON that start with one of
``= + - @``, their full-width forms, a tab, a line break, a backslash or an apostrophe. Reading removes one
leading apostrophe.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.stores.sql.statements.column_types import IntervalAsText, NativeTypeAsText, UtcDateTime

NULL_CELL = "\\N"
FORMULA_MARK = "'"
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\\", FORMULA_MARK)  # noqa: RUF001


def escape_formula(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet could run it as a formula."""
    return FORMULA_MARK + text if text.startswith(FORMULA_STARTS) else text


def unescape_formula(cell: str) -> str:
    """Return the text without the apostrophe that :func:`escape_formula` added."""
    return cell.removeprefix(FORMULA_MARK)


@dataclass(frozen=True)
class CellType:
    """A type of values in CSV cells.

    Attributes:
        name: The name in the manifest.
        python_type: The type of the values.
        to_cell: Converts a value to a cell.
        from_cell: Converts a cell to a value; raises ValueError with a description of a valid value.
    """

    name: str
    python_type: type | tuple[type, ...]
    to_cell: Callable[[Any], str]
    from_cell: Callable[[str], Any]


def _read_text(cell: str) -> str:
    try:
        return json_codec.require_storable_text(unescape_formula(cell), "the text")
    except InvalidInputError as error:
        raise ValueError("without broken or NUL characters") from error


def _read_integer(cell: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", cell) or not -(2**63) <= int(cell) < 2**63:
        raise ValueError("a whole number of 64 bits")
    return int(cell)


def _read_boolean(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise ValueError("true or false")
    return cell == "true"


def _strict_reader(read: Callable[[str], Any], expected: str) -> Callable[[str], Any]:
    def read_strictly(cell: str) -> Any:
        try:
            return read(cell)
        except (ValueError, ArithmeticError) as error:
            raise ValueError(expected) from error

    return read_strictly


def _read_base64(cell: str) -> bytes:
    return base64.b64decode(cell, validate=True)


def _write_json(value: Any) -> str:
    return escape_formula(json_codec.dumps(value).decode("utf-8"))


def _read_utc(cell: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return clock.to_utc(moment)


def format_interval(value: dt.timedelta) -> str:
    """Return an interval as PostgreSQL writes and reads it."""
    minutes, seconds = divmod(value.seconds, 60)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{value.days} days +{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def parse_interval(text: str) -> dt.timedelta:
    """Return an interval from its text.

    Raises:
        ValueError: The text is no interval, or has months or years, which have no fixed length.
    """
    found = _INTERVAL.fullmatch(text)
    if found is None or not text:
        raise ValueError(text)
    days, sign, hours, minutes, seconds = found.groups(default="0")
    time = dt.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return dt.timedelta(days=int(days)) + (-time if sign == "-" else time)


def _read_interval(cell: str) -> dt.timedelta:
    return parse_interval(unescape_formula(cell))


def _read_interval_as_time(cell: str) -> dt.datetime:
    return _INTERVAL_EPOCH + _read_interval(cell)


def _read_time_as_interval(cell: str) -> str:
    return format_interval(dt.datetime.fromisoformat(cell) - _INTERVAL_EPOCH)


def _read_uuid_as_digits(cell: str) -> str:
    return uuid.UUID(cell).hex


def _read_uuid_as_text(cell: str) -> str:
    return str(uuid.UUID(cell))


_UUID_DIGITS = 32
_INTERVAL = re.compile(r"(?:(-?\d{1,9}) days?)? ?(?:([+-]?)(\d{1,9}):(\d\d):(\d\d(?:\.\d{1,6})?))?")
# SQLAlchemy stores an interval as this time and the interval, where the database has no type for it.
_INTERVAL_EPOCH = sa.Interval.epoch
_INTERVAL_FORM = "an interval of days and a time, such as 3 days 04:05:06"
_ISO = dt.datetime.isoformat
_CELL_TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], CellType], ...] = (
    (
        UtcDateTime,
        CellType("moment", dt.datetime, _ISO, _strict_reader(_read_utc, "an ISO 8601 time with a time zone")),
    ),
    (sa.Boolean, CellType("boolean", bool, lambda value: str(value).lower(), _read_boolean)),
    (sa.Integer, CellType("integer", int, str, _read_integer)),
    (sa.Float, CellType("number", (int, float), repr, _strict_reader(float, "a number"))),
    (
        sa.Numeric,
        CellType("decimal", decimal.Decimal, str, _strict_reader(decimal.Decimal, "a decimal number")),
    ),
    (
        sa.DateTime,
        CellType("time", dt.datetime, _ISO, _strict_reader(dt.datetime.fromisoformat, "an ISO 8601 time")),
    ),
    (
        sa.Date,
        CellType(
            "date", dt.date, dt.date.isoformat, _strict_reader(dt.date.fromisoformat, "an ISO 8601 date")
        ),
    ),
    (
        sa.Time,
        CellType(
            "time_of_day",
            dt.time,
            dt.time.isoformat,
            _strict_reader(dt.time.fromisoformat, "an ISO 8601 time of day"),
        ),
    ),
    (
        sa.Interval,
        CellType(
            "interval",
            dt.timedelta,
            lambda value: escape_formula(format_interval(value)),
            _strict_reader(_read_interval, _INTERVAL_FORM),
        ),
    ),
    (IntervalAsText, CellType("interval", str, escape_formula, _read_text)),
    (
        sa.JSON,
        CellType(
            "json",
            object,
            _write_json,
            _strict_reader(lambda cell: json_codec.loads(unescape_formula(cell)), "JSON"),
        ),
    ),
    (
        sa.LargeBinary,
        CellType(
            "bytes",
            (bytes, memoryview),
            lambda value: base64.b64encode(value).decode("ascii"),
            _strict_reader(_read_base64, "base64"),
        ),
    ),
    (sa.Uuid, CellType("uuid", uuid.UUID, str, _strict_reader(uuid.UUID, "a UUID"))),
    (sa.String, CellType("text", str, escape_formula, _read_text)),
    (NativeTypeAsText, CellType("sql", str, escape_formula, _read_text)),
)


def cell_type_of(column: sa.Column[Any]) -> CellType | None:
    """Return the cell type of a column; None if its values cannot be written to CSV."""
    return next((kind for sql_type, kind in _CELL_TYPES if isinstance(column.type, sql_type)), None)


def reading_type_of(column: sa.Column[Any], exported: str) -> CellType | None:
    """Return the cell type with which to read cells that were exported as another type, if that is possible.

    Args:
        column: The column to fill.
        exported: The name of the type in the manifest.

    Returns:
        None if such cells do not fit the column.
    """
    kind = cell_type_of(column)
    if kind is None or kind.name == exported:
        return kind
    if isinstance(column.type, UtcDateTime) and exported == "time":
        # An earlier version exported its own times as "time", like an application's.
        return kind
    if isinstance(column.type, IntervalAsText) and exported == "sql":
        # As an earlier version exported them.
        return kind
    if isinstance(column.type, IntervalAsText) and exported == "time":
        return replace(kind, from_cell=_strict_reader(_read_time_as_interval, "an ISO 8601 time"))
    if isinstance(column.type, sa.DateTime) and exported == "interval":
        return replace(kind, from_cell=_strict_reader(_read_interval_as_time, _INTERVAL_FORM))
    if isinstance(column.type, sa.Uuid) and exported == "text":
        # SQLite has no type for UUIDs; SQLAlchemy stores them as 32 hexadecimal digits.
        return kind
    if isinstance(column.type, sa.String) and exported == "uuid":
        write = _read_uuid_as_digits if column.type.length == _UUID_DIGITS else _read_uuid_as_text
        return replace(kind, from_cell=_strict_reader(write, "a UUID"))
    return None


def column_type_of(name: str) -> type[sa.types.TypeEngine[Any]]:
    """Return the column type for the name of a cell type; text for an unknown name."""
    return next((sql_type for sql_type, kind in _CELL_TYPES if kind.name == name), sa.Text)


def write_cell(kind: CellType, value: Any) -> str:
    """Return the cell for a value; None becomes NULL.

    Raises:
        ValueError: The value does not have this type.
    """
    if value is None:
        return NULL_CELL
    if not isinstance(value, kind.python_type):
        raise ValueError(f"not of the type {kind.name}")
    return kind.to_cell(value)


def read_cell(kind: CellType, column: sa.Column[Any], cell: str) -> Any:
    """Return the value in a cell, for a column.

    Raises:
        ValueError: The cell is invalid for the column; the message describes a valid value.
    """
    if cell == NULL_CELL:
        if not column.nullable:
            raise ValueError("filled (it is NULL)")
        return None
    value = kind.from_cell(cell)
    length = getattr(column.type, "length", None)
    if isinstance(value, str) and length is not None and len(value) > length:
        raise ValueError(f"at most {length:,} characters long (it has {len(value):,})")
    return value
