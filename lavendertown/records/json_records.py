"""Convert records to plain JSON objects, the content of files, and back, based on the declared fields."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from lavendertown.records.field_checks import describe_problem
from lavendertown.records.fields import REQUIRED, Field, attribute_getter, file_fields
from lavendertown.records.record_classes import Record, TriageRecord

_T = TypeVar("_T")


def record_to_json(record: Any) -> dict[str, Any]:
    """Return a record as a plain JSON object, with its keys in file order."""
    record_class: type = type(record)
    keys, read, converters, added_later = _record_writer(record_class)
    data = dict(zip(keys, read(record), strict=True))
    for each in added_later:
        if each.is_omitted(data[each.file_key]):
            del data[each.file_key]
    for key, to_json_value in converters:
        if key in data:
            data[key] = to_json_value(data[key])
    return data


def record_from_json(record_class: type[_T], data: Mapping[str, Any], zone: dt.tzinfo | None = None) -> _T:
    """Return the record from a JSON object.

    Args:
        record_class: The record's class.
        data: The JSON object. Missing fields get their default.
        zone: The zone for times without one; None for the local zone.

    Raises:
        KeyError: A required field is missing.
        ValueError: A value is not of the field's kind; the message names the field and the value.
    """
    return record_class(**read_field_values(record_class, data, zone))


def read_field_values(
    record_class: type, data: Mapping[str, Any], zone: dt.tzinfo | None = None
) -> dict[str, Any]:
    """Return a record's field values from a JSON object; arguments and errors as :func:`record_from_json`."""
    values: dict[str, Any] = {}
    for name, key, test, from_json_value, default, each in _field_readers(record_class):
        if key in data:
            value = data[key]
            if value is None and (default is not REQUIRED or each.kind.optional):
                values[name] = None if default is REQUIRED else default
                continue
            if from_json_value is not None:
                value = _convert_field_value(each, from_json_value, value, zone)
            if not test(value):
                raise ValueError(describe_problem(each, value, key))
            values[name] = value
        elif default is not REQUIRED:
            values[name] = default
        elif name not in _fields_with_default(record_class):
            raise KeyError(key)
    return values


def merged_into_map(records: Iterable[Record]) -> dict[str, str]:
    """Return the merged findings of these triage records, with the findings they are merged into."""
    return {
        record.id: record.merged_into
        for record in records
        if isinstance(record, TriageRecord) and record.merged_into and record.deleted_at is None
    }


def _convert_field_value(
    each: Field, from_json_value: Callable[[Any, dt.tzinfo | None], Any], value: Any, zone: dt.tzinfo | None
) -> Any:
    try:
        return from_json_value(value, zone)
    except (ValueError, TypeError) as error:
        raise ValueError(describe_problem(each, value, each.file_key)) from error
    except OverflowError as error:
        raise ValueError(f"{each.file_key} is {value!r}, too close to the end of the calendar") from error


_FieldReader = tuple[
    str, str, Callable[[Any], bool], Callable[[Any, dt.tzinfo | None], Any] | None, Any, Field
]


@cache
def _field_readers(record_class: type) -> tuple[_FieldReader, ...]:
    return tuple(
        (each.name, each.file_key, each.kind.test, each.kind.from_json, each.default, each)
        for each in file_fields(record_class)
    )


_RecordWriter = tuple[
    tuple[str, ...],
    Callable[[Any], tuple[Any, ...]],
    tuple[tuple[str, Callable[[Any], Any]], ...],
    tuple[Field, ...],
]


@cache
def _record_writer(record_class: type) -> _RecordWriter:
    fields = file_fields(record_class)
    return (
        tuple(each.file_key for each in fields),
        attribute_getter(fields),
        tuple((each.file_key, each.kind.to_json) for each in fields if each.kind.to_json is not None),
        tuple(each for each in fields if each.added_later),
    )


@cache
def _fields_with_default(record_class: type) -> frozenset[str]:
    """Return the fields for which the dataclass or named tuple itself has a default."""
    if issubclass(record_class, tuple):
        return frozenset(cast(Any, record_class)._field_defaults)
    missing = dataclasses.MISSING
    return frozenset(
        each.name
        for each in dataclasses.fields(cast(Any, record_class))
        if each.default is not missing or each.default_factory is not missing
    )
