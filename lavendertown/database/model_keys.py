"""Primary keys of an application's classes: converted from what a caller gives, and written as text."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError

MAX_TEXT_LENGTH = 200
_INT64 = 2**63
_EXACT = decimal.Context(prec=10_000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_FORMS: dict[type, tuple[str, Callable[[str], Any]]] = {
    bool: ("True or False", lambda text: {"true": True, "false": False}[text.lower()]),
    int: ("a whole number", int),
    float: ("a number", float),
    decimal.Decimal: ("a number", decimal.Decimal),
    uuid.UUID: ("a UUID", uuid.UUID),
    dt.datetime: ("a time such as 2026-03-04T10:00:00", dt.datetime.fromisoformat),
    dt.date: ("a date such as 2026-03-04", dt.date.fromisoformat),
    dt.time: ("a time of day such as 10:00:00", dt.time.fromisoformat),
    bytes: ("bytes", bytes.fromhex),
}


def convert_key(component: str, column: sa.Column[Any], value: Any) -> Any:
    """Return a primary key in the type of its column; a text in the usual form of the type is accepted.

    Raises:
        InvalidInputError: No record can have this key.
    """
    if value is None:
        raise InvalidInputError(f"The id of a record of {component} is None; give its primary key.")
    if isinstance(column.type, sa.Enum) and column.type.enum_class is not None:
        return _convert_enum(component, column.type.enum_class, value)
    if isinstance(value, enum.Enum):
        value = value.value
    wanted = python_type_of(column)
    if is_text_of_uuid(column):
        # The database returns the usual form, whatever form is given.
        return str(_convert_form(component, value, uuid.UUID))
    if wanted is str:
        return _convert_text(component, value)
    if wanted in _FORMS:
        value = _convert_form(component, value, wanted)
    return _check_range(component, _fit_scale(component, column, value))


def _convert_form(component: str, value: Any, wanted: type) -> Any:
    form, convert = _FORMS[wanted]
    if _has_type(value, wanted):
        return value
    try:
        if isinstance(value, str) or (wanted in (float, decimal.Decimal) and isinstance(value, int | float)):
            return convert(str(value))
    except (ValueError, KeyError, decimal.InvalidOperation):
        pass
    raise _wrong_key(component, value, form)


def key_text(value: Any) -> str:
    """Return a primary key as the audit log and messages name it, in at most 200 bytes.

    A longer one is shortened, and ends with the SHA-256 of the whole.
    """
    if isinstance(value, enum.Enum):
        value = value.name
    text = value.hex() if isinstance(value, bytes) else str(value)
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= MAX_TEXT_LENGTH:
        return text
    start = data[: MAX_TEXT_LENGTH - 65].decode("utf-8", "ignore")
    return f"{start}~{hashlib.sha256(data).hexdigest()}"


class KeyIndex:
    """Finds the id of a record by a primary key in the form in which the database returns it.

    Some databases return a time in UTC without its zone, and a text of fixed length with blanks at its end.

    Args:
        keys: The primary keys by the ids of their records.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._ids = {key: record_id for record_id, key in keys.items()}
        self._ids_by_form = {_comparable_form(key): record_id for record_id, key in keys.items()}

    def find_id(self, key: Any) -> str | None:
        """Return the id of the record with this key; None if no key is equal to it."""
        found = self._ids.get(key)
        return found if found is not None else self._ids_by_form.get(_comparable_form(key))


def _comparable_form(key: Any) -> Any:
    if isinstance(key, dt.datetime):
        return key.astimezone(dt.UTC).replace(tzinfo=None) if key.tzinfo is not None else key
    return key.rstrip(" ") if isinstance(key, str) else key


def _convert_text(component: str, value: Any) -> str:
    if isinstance(value, uuid.UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if not isinstance(value, str):
        raise _wrong_key(component, value, "a text")
    try:
        return json_codec.require_storable_text(value, "the id")
    except InvalidInputError as error:
        raise _wrong_key(component, value, "a text without NUL characters and surrogates") from error


def python_type_of(column: sa.ColumnElement[Any]) -> type:
    """Return the type of a column's values; that of a decorated type is not known, unless it is text."""
    try:
        found: type = column.type.python_type
    except NotImplementedError:
        return object
    return object if isinstance(column.type, sa.types.TypeDecorator) and found is not str else found


def is_text_of_uuid(column: sa.ColumnElement[Any]) -> bool:
    """Return whether a column stores UUIDs, but takes and returns their text."""
    return isinstance(column.type, sa.Uuid) and not column.type.as_uuid


def _has_type(value: Any, wanted: type) -> bool:
    if isinstance(value, bool) and wanted is not bool:
        return False
    return isinstance(value, wanted) and not (wanted is dt.date and isinstance(value, dt.datetime))


def _fit_scale(component: str, column: sa.Column[Any], value: Any) -> Any:
    """Return a decimal number with as many decimals as its column has, as the database returns it."""
    scale = getattr(column.type, "scale", None)
    if not isinstance(value, decimal.Decimal) or scale is None or not value.is_finite():
        return value
    fitted = value.quantize(decimal.Decimal(1).scaleb(-scale), context=_EXACT)
    if fitted != value:
        raise _wrong_key(component, value, f"a number with at most {scale} decimals")
    return fitted


def _check_range(component: str, value: Any) -> Any:
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise _wrong_key(component, value, "a whole number of at most 64 bits")
    return value


def _convert_enum(component: str, choices: type[enum.Enum], value: Any) -> enum.Enum:
    for choice in choices:
        if value is choice or value in (choice.name, choice.value):
            return choice
    raise _wrong_key(component, value, f"one of {', '.join(choice.name for choice in choices)}")


def _wrong_key(component: str, value: Any, wanted: str) -> InvalidInputError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:80]}…"
    return InvalidInputError(f"The id {shown} is not one of {component}; give {wanted}.")
