"""Values of a table as cells of a CSV file, and back: the same value on every database.

A cell is NULL when it is ``\\N``; an empty cell is an empty text. Integers, numbers and decimals are
written as Python writes them, booleans as ``true`` and ``false``, times and dates as ISO 8601 (ours in
UTC), bytes in base64, JSON as JSON. A spreadsheet would run a text that begins like a formula: so texts
and JSON that begin with one of ``= + - @``, their full-width twins, a tab, a line end, a backslash or an
apostrophe get an apostrophe in front. Reading takes one leading apostrophe off again.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lavendertown import clock, codec
from lavendertown.database.types import Utc
from lavendertown.errors import InvalidInputError

NULL = "\\N"
MARK = "'"
MARKED = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\\", MARK)  # noqa: RUF001


def neutral(text: str) -> str:
    """Return a text that no spreadsheet runs."""
    return MARK + text if text.startswith(MARKED) else text


def original(cell: str) -> str:
    """Return the text that :func:`neutral` was given."""
    return cell.removeprefix(MARK)


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Attributes:
        name: As the manifest says it.
        python: The values it has.
        write: A value as a cell.
        read: The value in a cell; raises ValueError with what it should have been.
    """

    name: str
    python: type | tuple[type, ...]
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _text(cell: str) -> str:
    try:
        return codec.text(original(cell), "the text")
    except InvalidInputError as error:
        raise ValueError("without broken or NUL characters") from error


def _integer(cell: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", cell) or not -(2**63) <= int(cell) < 2**63:
        raise ValueError("a whole number of 64 bits")
    return int(cell)


def _boolean(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise ValueError("true or false")
    return cell == "true"


def _reader(read: Callable[[str], Any], expected: str) -> Callable[[str], Any]:
    def strict(cell: str) -> Any:
        try:
            return read(cell)
        except (ValueError, ArithmeticError) as error:
            raise ValueError(expected) from error

    return strict


def _bytes(cell: str) -> bytes:
    return base64.b64decode(cell, validate=True)


def _json(value: Any) -> str:
    return neutral(codec.dumps(value).decode("utf-8"))


def _utc(cell: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return clock.to_utc(moment)


_ISO = dt.datetime.isoformat
_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...] = (
    (Utc, Kind("moment", dt.datetime, _ISO, _reader(_utc, "an ISO 8601 time with its zone"))),
    (sa.Boolean, Kind("boolean", bool, lambda value: str(value).lower(), _boolean)),
    (sa.Integer, Kind("integer", int, str, _integer)),
    (sa.Float, Kind("number", (int, float), repr, _reader(float, "a number"))),
    (sa.Numeric, Kind("decimal", decimal.Decimal, str, _reader(decimal.Decimal, "a decimal number"))),
    (sa.DateTime, Kind("time", dt.datetime, _ISO, _reader(dt.datetime.fromisoformat, "an ISO 8601 time"))),
    (sa.Date, Kind("date", dt.date, dt.date.isoformat, _reader(dt.date.fromisoformat, "an ISO 8601 date"))),
    (
        sa.JSON,
        Kind("json", object, _json, _reader(lambda cell: codec.loads(original(cell)), "JSON")),
    ),
    (
        sa.LargeBinary,
        Kind(
            "bytes",
            (bytes, memoryview),
            lambda value: base64.b64encode(value).decode("ascii"),
            _reader(_bytes, "base64"),
        ),
    ),
    (sa.Uuid, Kind("uuid", uuid.UUID, str, _reader(uuid.UUID, "a UUID"))),
    (sa.String, Kind("text", str, neutral, _text)),
)


def kind_of(column: sa.Column[Any]) -> Kind | None:
    """Return the kind of value a column holds; None where it cannot be a cell."""
    return next((kind for of, kind in _KINDS if isinstance(column.type, of)), None)


def write(kind: Kind, value: Any) -> str:
    """Return the cell for a value or NULL.

    Raises:
        ValueError: The value is not of this kind.
    """
    if value is None:
        return NULL
    if not isinstance(value, kind.python):
        raise ValueError(f"not of the type {kind.name}")
    return kind.write(value)


def read(kind: Kind, column: sa.Column[Any], cell: str) -> Any:
    """Return the value in a cell, as the column takes it.

    Raises:
        ValueError: It is none; the message says what it should be.
    """
    if cell == NULL:
        if not column.nullable:
            raise ValueError("filled (it is NULL)")
        return None
    value = kind.read(cell)
    length = getattr(column.type, "length", None)
    if isinstance(value, str) and length is not None and len(value) > length:
        raise ValueError(f"at most {length:,} characters long (it has {len(value):,})")
    return value
