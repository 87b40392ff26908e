"""The kinds of values that fields of records may have: the test for each kind, and its JSON form.

Files, databases and the write path all use these definitions.
"""

from __future__ import annotations

import binascii
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lavendertown.core import clock
from lavendertown.core.findings import SEVERITIES

MAX_COUNT = 2**63 - 1
"""The largest number of rows that a database can store."""
MAX_VERSION = 2**31 - 1

_FromJson = Callable[[Any, dt.tzinfo | None], Any]


class ColumnType(StrEnum):
    """How a database stores a kind of value."""

    TEXT = "text"
    JSON = "json"
    JSON_LIST = "json list"
    TIME = "time"
    INTEGER = "integer"
    BIG_INTEGER = "big integer"
    NUMBER = "number"
    FLAG = "flag"
    STATUS = "status"
    SEVERITY = "severity"
    ELSEWHERE = "elsewhere"
    """Stored in a separate table, or computed from other fields."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """A kind of value.

    Attributes:
        expected: The description of a valid value in messages: "an object".
        test: Returns whether a stored value is of this kind.
        column_type: How a database stores the value.
        size: The maximum length of a stored text; None for no maximum.
        optional: Whether None is a valid value.
        is_id: Whether the write path accepts only texts that are safe as file names; reading accepts any.
        to_json: Converts a value to plain JSON; None if it is plain JSON already.
        from_json: Converts plain JSON to a value, given the zone for times without one; None if no
            conversion is needed. Raises ValueError or TypeError for invalid values; its result is tested.
        json_types: The usual JSON types of the values. Values of these types need no conversion (except
            packed rows), and no test unless ``has_further_test``. Not used for kinds that no finding has.
        has_further_test: Whether some values of these types are invalid, so that a test is needed.
    """

    expected: str
    test: Callable[[Any], bool]
    column_type: ColumnType
    size: int | None = None
    optional: bool = False
    is_id: bool = False
    to_json: Callable[[Any], Any] | None = None
    from_json: _FromJson | None = None
    json_types: tuple[type, ...] = ()
    has_further_test: bool = True


def optional_kind(kind: FieldKind) -> FieldKind:
    """Return a kind that also accepts None."""
    test, to_json, from_json = kind.test, kind.to_json, kind.from_json
    return replace(
        kind,
        expected=f"{kind.expected} or nothing",
        test=lambda value: value is None or test(value),
        optional=True,
        json_types=(*kind.json_types, type(None)),
        to_json=to_json and (lambda value: None if value is None else to_json(value)),
        from_json=from_json and (lambda value, zone: None if value is None else from_json(value, zone)),
    )


def sized_text(size: int) -> FieldKind:
    """Return the kind of texts with at most ``size`` characters, which no version ever exceeded."""

    def test(value: Any) -> bool:
        return type(value) is str and "\0" not in value and len(value) <= size

    return FieldKind(f"text of at most {size} characters", test, ColumnType.TEXT, size, json_types=(str,))


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_clean_text(value: Any) -> bool:
    return type(value) is str and "\0" not in value


def _is_tags(value: Any) -> bool:
    return type(value) is tuple and all(type(each) is str for each in value) and len(set(value)) == len(value)


def _tags_from_json(value: Any, _: dt.tzinfo | None) -> tuple[str, ...]:
    if type(value) is not list or not all(type(each) is str for each in value):
        raise TypeError
    return tuple(dict.fromkeys(value))


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _is_objects(value: Any) -> bool:
    return type(value) is tuple and all(type(each) is dict for each in value)


def _objects_from_json(value: Any, _: dt.tzinfo | None) -> tuple[Any, ...]:
    if type(value) is not list:
        raise TypeError
    return tuple(value)


def _is_utc_time(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is clock.UTC


def _utc_time_from_json(value: Any, zone: dt.tzinfo | None) -> dt.datetime:
    if type(value) is not str:
        raise TypeError
    return clock.parse_time(value, zone)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is int and abs(value) <= MAX_COUNT


def _number_from_json(value: Any, _: dt.tzinfo | None) -> Any:
    return float(value) if type(value) is int else value


def _is_flag(value: Any) -> bool:
    return type(value) is bool


def _rows_to_json(value: bytes | None) -> str | None:
    return None if value is None else binascii.b2a_base64(value, newline=False).decode()


def read_packed_rows(value: Any, _: dt.tzinfo | None = None) -> bytes | None:
    """Return packed row positions decoded from base64 text.

    Raises:
        TypeError: The value is not text.
        ValueError: The text is not base64.
    """
    try:
        return None if value is None else binascii.a2b_base64(value)
    except binascii.Error as error:
        raise ValueError("the row positions are damaged") from error


def _version_kind(minimum: int) -> FieldKind:
    def test(value: Any) -> bool:
        return type(value) is int and minimum <= value <= MAX_VERSION

    return FieldKind(f"a whole number from {minimum}", test, ColumnType.INTEGER)


TEXT = FieldKind("text", _is_text, ColumnType.TEXT, json_types=(str,), has_further_test=False)
CLEAN_TEXT = FieldKind("text without NUL characters", _is_clean_text, ColumnType.TEXT)
"""Texts that no version ever stored with a NUL character. The write path refuses NUL in every text."""
ID = FieldKind("text", _is_text, ColumnType.TEXT, is_id=True)
SIZED_ID = replace(sized_text(200), is_id=True)
STATUS = FieldKind(
    "a status or nothing", lambda v: v is None or _is_text(v), ColumnType.STATUS, optional=True
)
"""Reading files accepts any text; the write path accepts only known statuses."""
SEVERITY = FieldKind(
    f"one of {', '.join(SEVERITIES)}",
    lambda value: value in SEVERITIES,
    ColumnType.SEVERITY,
    json_types=(str,),
)
TAGS = FieldKind(
    "a list of different texts", _is_tags, ColumnType.JSON_LIST, to_json=list, from_json=_tags_from_json
)
OBJECT = FieldKind("an object", _is_object, ColumnType.JSON, json_types=(dict,), has_further_test=False)
OBJECTS = FieldKind(
    "a list of objects", _is_objects, ColumnType.JSON_LIST, to_json=list, from_json=_objects_from_json
)
UTC_TIME = FieldKind(
    "a time in UTC",
    _is_utc_time,
    ColumnType.TIME,
    to_json=dt.datetime.isoformat,
    from_json=_utc_time_from_json,
)
COUNT = FieldKind("a number of rows", _is_count, ColumnType.BIG_INTEGER, json_types=(int,))
NUMBER = FieldKind(
    "a number",
    _is_number,
    ColumnType.NUMBER,
    from_json=_number_from_json,
    json_types=(float,),
)
FACTOR = FieldKind("a number above 1", lambda value: _is_number(value) and value > 1, ColumnType.NUMBER)
FLAG = FieldKind("true or false", _is_flag, ColumnType.FLAG)
VERSION = _version_kind(1)
VERSION_OR_NEW = _version_kind(0)
"""The version of a record; 0 for a record that is not stored yet."""
PACKED_ROWS = FieldKind(
    "packed row positions",
    lambda value: value is None or type(value) is bytes,
    ColumnType.ELSEWHERE,
    optional=True,
    to_json=_rows_to_json,
    from_json=read_packed_rows,
    json_types=(str, type(None)),
    has_further_test=False,
)
COMPUTED_TEXT = FieldKind("text", _is_text, ColumnType.ELSEWHERE)
CHILDREN = FieldKind("a list of records", lambda value: type(value) is tuple, ColumnType.ELSEWHERE)
