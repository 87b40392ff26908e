"""The fields of a JSON object that was read from a file: each of its kind, or a few words on why not.

A file may have been edited by hand, torn, or written by another program. What does not have the kind
that a store keeps is refused here, where it can be named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lavendertown import clock
from lavendertown.errors import LavenderTownError

MOST = 2**31 - 1
MOST_ROWS = 2**63 - 1


class UnreadableError(Exception):
    """A file does not hold what it should; the message says why, in a few words."""


def expect(good: bool, why: str) -> None:
    """Refuse what is not good.

    Raises:
        UnreadableError: With these words.
    """
    if not good:
        raise UnreadableError(why)


def text(data: Mapping[str, Any], name: str, most: int | None = None) -> str:
    """Return a text that has to be there, of at most so many characters."""
    value = data[name]
    # Written out, here and below: a store is mostly findings, and words are made only where one is bad.
    if type(value) is not str:
        raise UnreadableError(f"{name} is {value!r}, not text")
    if most is not None and len(value) > most:
        raise UnreadableError(f"{name} is longer than {most} characters")
    return value


def some_text(data: Mapping[str, Any], name: str, most: int | None = None) -> str | None:
    """Return a text, or None where there is none."""
    return None if data.get(name) is None else text(data, name, most)


def texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts, each once; empty where there is none."""
    value = data.get(name)
    if value is None:
        return ()
    good = isinstance(value, list) and all(isinstance(each, str) for each in value)
    expect(good, f"{name} is {value!r}, no list of texts")
    return tuple(dict.fromkeys(value))


def mapping(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object that has to be there."""
    value = data[name]
    if type(value) is not dict:
        raise UnreadableError(f"{name} is {value!r}, no object")
    return value


def some_mapping(data: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return an object, or None where there is none."""
    return None if data.get(name) is None else mapping(data, name)


def mappings(data: Mapping[str, Any], name: str) -> tuple[dict[str, Any], ...]:
    """Return a list of objects; empty where there is none."""
    value = data.get(name)
    if value is None:
        return ()
    good = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    expect(good, f"{name} is no list of objects")
    return tuple(value)


def version(data: Mapping[str, Any]) -> int:
    """Return a version; 1 where 0.7 gave none."""
    value = data.get("version")
    if value is None:
        return 1
    expect(type(value) is int and 0 < value <= MOST, f"version is {value!r}, no whole number from 1")
    return int(value)


def rows(data: Mapping[str, Any], name: str) -> int | None:
    """Return a number of rows, or None where it is not known."""
    value = data[name]
    if value is None or (type(value) is int and 0 <= value <= MOST_ROWS):
        return value
    raise UnreadableError(f"{name} is {value!r}, no number of rows")


def share(data: Mapping[str, Any], name: str) -> float | None:
    """Return a number, or None where it is not known."""
    value = data[name]
    if type(value) is float:
        return value
    if value is not None and type(value) is not int:
        raise UnreadableError(f"{name} is {value!r}, no number")
    return None if value is None else float(value)


def moment(data: Mapping[str, Any], name: str, zone: dt.tzinfo | None = None) -> dt.datetime:
    """Return a time in UTC; one without a zone was written in ``zone`` (None: here)."""
    try:
        return clock.parse(text(data, name), zone)
    except OverflowError as error:
        raise UnreadableError(f"{name} is {data[name]!r}, too close to the end of the calendar") from error


def some_moment(data: Mapping[str, Any], name: str) -> dt.datetime | None:
    """Return a time in UTC, or None where there is none."""
    return None if data.get(name) is None else moment(data, name)


BAD = (KeyError, TypeError, ValueError, AttributeError, LavenderTownError)
"""What reading a file's data raises where it is not whole."""


def why(error: Exception) -> str:
    """Say which part of a file's data is not whole."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)


def iso(moment: dt.datetime | None) -> str | None:
    """Return a time as files have it."""
    return moment.isoformat() if moment is not None else None
