"""Convert values of fields that a record shares with its public class.

Public classes have mutable lists and dictionaries, and times in any zone.
"""

from __future__ import annotations

import datetime as dt
import reprlib
from collections.abc import Mapping
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import REQUIRED, Field, shared_fields


class PublicFields:
    """The fields that a record and its public class share, by their key in files.

    Args:
        record_class: The record's class.
        public_class: The public class.
        excluded_keys: The keys of fields that are converted elsewhere.
    """

    def __init__(self, record_class: type, public_class: type, excluded_keys: tuple[str, ...] = ()) -> None:
        self.fields = tuple(
            each for each in shared_fields(record_class, public_class) if each.file_key not in excluded_keys
        )

    def values_from_record(self, record: Any) -> dict[str, Any]:
        """Return the values for the public class from a record."""
        return {each.file_key: to_public_value(each, getattr(record, each.name)) for each in self.fields}

    def values_from_public(self, instance: Any, label: str) -> dict[str, Any]:
        """Return the values for the record from an instance of the public class.

        Args:
            instance: The instance.
            label: The name of the instance in messages: "report 'r1'".

        Raises:
            InvalidInputError: A value has no JSON form, or a time is invalid.
        """
        return {
            each.name: from_public_value(
                each, getattr(instance, each.file_key), f"{each.file_key} of {label}"
            )
            for each in self.fields
        }

    def to_dict(self, instance: Any) -> dict[str, Any]:
        """Return the values of an instance of the public class as plain data, by key."""
        data = {}
        for each in self.fields:
            value = getattr(instance, each.file_key)
            if not (each.added_later and value == to_public_value(each, each.default)):
                is_time = each.kind.column_type is ColumnType.TIME and value is not None
                data[each.file_key] = value.isoformat() if is_time else to_public_value(each, value)
        return data

    def from_dict(self, data: Mapping[str, Any], label: str) -> dict[str, Any]:
        """Return the values for the public class from a dictionary that :meth:`to_dict` returned.

        Args:
            data: The dictionary.
            label: The name of the instance in messages.

        Raises:
            InvalidInputError: A required key is missing or a time is not ISO 8601.
        """
        required = (each.file_key for each in self.fields if each.default is REQUIRED)
        missing = [key for key in required if data.get(key) is None]
        if missing:
            raise InvalidInputError(f"This {label} has no {', '.join(missing)}.")
        return {each.file_key: _value_from_dict(each, data.get(each.file_key), label) for each in self.fields}


def to_public_value(field: Field, value: Any) -> Any:
    """Return a record's value in the form of the public class."""
    if field.kind.column_type is ColumnType.JSON_LIST:
        return list(value)
    return dict(value) if field.kind.column_type is ColumnType.JSON and value is not None else value


def from_public_value(field: Field, value: Any, label: str) -> Any:
    """Return a public value in the form of the record.

    Raises:
        InvalidInputError: The value has no JSON form, or the time is invalid.
    """
    if value is None and not field.kind.optional and field.default is not REQUIRED:
        return field.default
    if field.kind.column_type is ColumnType.TIME and not (value is None and field.kind.optional):
        return _to_utc_time(value, label)
    if field.kind.column_type is ColumnType.JSON_LIST:
        return tuple(value)
    return json_codec.to_jsonable(value, label) if field.kind.column_type is ColumnType.JSON else value


def _value_from_dict(field: Field, value: Any, label: str) -> Any:
    if value is None:
        return None if field.default is None else to_public_value(field, field.default)
    return (
        _parse_iso_time(value, label)
        if field.kind.column_type is ColumnType.TIME
        else to_public_value(field, value)
    )


def _parse_iso_time(value: Any, label: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"This {label}'s time {reprlib.repr(value)} is not an ISO 8601 time such as "
            "2026-11-21T09:30:00+00:00."
        ) from None


def _to_utc_time(value: Any, label: str) -> dt.datetime:
    if not isinstance(value, dt.datetime) or value != value:
        raise InvalidInputError(f"The {label} is {value!r}; it must be a datetime.")
    try:
        time = clock.to_utc(value)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInputError(f"The {label}, {value}, is out of range: {error}.") from error
    if type(time) is dt.datetime:
        return time
    # A pandas Timestamp is a datetime with nanoseconds, which no store keeps.
    return clock.from_microseconds(clock.to_microseconds(time))
