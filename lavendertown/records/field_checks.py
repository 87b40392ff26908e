"""Check that the values of a record are of the declared kinds. Every reader and the write path use this."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from lavendertown.records.fields import FIELDS, Field, attribute_getter
from lavendertown.records.record_classes import AuditEvent, Record, ReportRecord

_MAX_SHOWN_CHARACTERS = 200


def check_field_kinds(record: Any) -> None:
    """Refuse a record with a value of the wrong kind.

    Raises:
        ValueError: A value is of the wrong kind; the message names the field and the value.
    """
    record_class: type = type(record)
    fields, read = _fields_and_getter(record_class)
    for each, value in zip(fields, read(record), strict=True):
        if not each.kind.test(value):
            raise ValueError(describe_problem(each, value))


def check_stored_record(record: Record) -> None:
    """Refuse a record from a database that no version can have written; SQLite takes any value in any column.

    Raises:
        ValueError: A value is of the wrong kind; the message names the field and the value.
    """
    check_field_kinds(record)
    if isinstance(record, ReportRecord):
        for finding in record.findings:
            check_field_kinds(finding)


def check_stored_event(event: AuditEvent) -> None:
    """Refuse an audit event from a database that no version can have written.

    Raises:
        ValueError: A value is of the wrong kind; the message names the field and the value.
    """
    check_field_kinds(event)


def describe_problem(field: Field, value: object, name: str = "") -> str:
    """Return a phrase that says how a value differs from a field's kind."""
    text = repr(value)
    if len(text) > _MAX_SHOWN_CHARACTERS:
        text = f"{text[:_MAX_SHOWN_CHARACTERS]}…"
    return f"{name or field.name} is {text}, not {field.kind.expected}"


def find_long_texts(record: Any) -> Iterator[tuple[Field, int, str]]:
    """Yield the texts of a record that exceed the limit for new texts, each with its field and the limit."""
    record_class: type = type(record)
    for each, limit in _limited_fields(record_class):
        value = getattr(record, each.name)
        if value is not None and len(value) > limit:
            yield each, limit, value


@cache
def _fields_and_getter(record_class: type) -> tuple[tuple[Field, ...], Callable[[Any], tuple[Any, ...]]]:
    return FIELDS[record_class], attribute_getter(FIELDS[record_class])


@cache
def _limited_fields(record_class: type) -> tuple[tuple[Field, int], ...]:
    return tuple((each, each.limit) for each in FIELDS[record_class] if each.limit is not None)
