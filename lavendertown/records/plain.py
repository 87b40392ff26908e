"""Records that are one flat row: as plain JSON and back, and whether each part is of its kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from lavendertown import clock
from lavendertown.records.values import (
    PLAIN,
    Kind,
    PersonRecord,
    PlainRecord,
    Record,
    TriageRecord,
    ViewRecord,
)

MAX_ID = 200
MAX_NAME = 255
MAX_MAIL = 320
MAX_INITIALS = 4
MOST = 2**31 - 1
_TIMES = frozenset({"updated_at", "deleted_at", "snooze_until"})

_Test = Callable[[Any], bool]


def plain(record: PlainRecord) -> dict[str, Any]:
    """Return all of a record as plain JSON values."""
    out: dict[str, Any] = {}
    for each in fields(record):
        value = getattr(record, each.name)
        out[each.name] = value.isoformat() if isinstance(value, dt.datetime) else value
    return out


def from_plain(kind: Kind, data: Mapping[str, Any]) -> PlainRecord:
    """Return the record that :func:`plain` wrote; what it does not name is as in a new one.

    Raises:
        ValueError, TypeError, KeyError: It is not whole; the message says which part, in a few words.
    """
    values: dict[str, Any] = {}
    for each in fields(PLAIN[kind]):
        if each.name in data:
            value = data[each.name]
            values[each.name] = clock.parse(value) if each.name in _TIMES and value is not None else value
    record = PLAIN[kind](**values)
    expect_whole(record)
    return record


def expect_whole(record: PlainRecord) -> None:
    """Refuse a record with a part that is not of its kind.

    Raises:
        ValueError: With the part, in a few words.
    """
    for name, good in {**_TESTS[type(record)], **_ALWAYS}.items():
        value = getattr(record, name)
        if not good(value):
            raise ValueError(f"{name} is {value!r}")


def merges(records: Iterable[Record]) -> dict[str, str]:
    """Return which findings are handled as which others, by these triage records."""
    return {
        record.id: record.merged_into
        for record in records
        if isinstance(record, TriageRecord) and record.merged_into and record.deleted_at is None
    }


def _text(most: int | None = None) -> _Test:
    def test(value: Any) -> bool:
        return type(value) is str and "\0" not in value and (most is None or len(value) <= most)

    return test


def _moment(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is clock.UTC


def _some(test: _Test) -> _Test:
    return lambda value: value is None or test(value)


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _number(value: Any) -> bool:
    return type(value) in (float, int) and value == value and abs(value) < float("inf")


_ALWAYS: dict[str, _Test] = {
    "id": _text(MAX_ID),
    "updated_at": _moment,
    "version": lambda value: type(value) is int and 0 <= value <= MOST,
    "deleted_at": _some(_moment),
}
_TESTS: dict[type, dict[str, _Test]] = {
    TriageRecord: {
        "assignee": _text(MAX_NAME),
        "close_reason": _text(),
        "snooze_until": _some(_moment),
        "snooze_factor": _some(lambda value: _number(value) and value > 1),
        "snooze_count": _some(_count),
        "snooze_share": _some(_number),
        "note": _text(),
        "merged_into": _text(MAX_ID),
        "stands_alone": lambda value: type(value) is bool,
    },
    PersonRecord: {"mail": _text(MAX_MAIL), "initials": _text(MAX_INITIALS)},
    ViewRecord: {"author": _text(MAX_NAME), "query": lambda value: type(value) is dict},
}
