"""Check the data of JSON files and describe what is wrong with it.

A file may have been edited by hand, truncated, or written by another program. Invalid values are refused
when the file is read, because then the message can name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.core.errors import LavenderTownError


class UnreadableError(Exception):
    """A file is unreadable. The message gives the reason as a short phrase."""


def require_that(condition: bool, reason: str) -> None:
    """Raise an error unless a condition is true.

    Raises:
        UnreadableError: The condition is false; the message is the reason.
    """
    if not condition:
        raise UnreadableError(reason)


def read_required_text(data: Mapping[str, Any], name: str, max_length: int | None = None) -> str:
    """Return a required text with at most ``max_length`` characters.

    Raises:
        KeyError: The text is missing.
        UnreadableError: The value is not text, or too long.
    """
    value = data[name]
    if type(value) is not str:
        raise UnreadableError(f"{name} is {value!r}, not text")
    if max_length is not None and len(value) > max_length:
        raise UnreadableError(f"{name} is longer than {max_length} characters")
    return value


def fill_missing(data: Mapping[str, Any], implied: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a file, with implied values for missing and null keys."""
    return {**data, **{key: value for key, value in implied.items() if data.get(key) is None}}


INVALID_DATA = (KeyError, TypeError, ValueError, AttributeError, LavenderTownError)
"""The errors that reading incomplete or invalid data raises."""


def explain_error(error: Exception) -> str:
    """Return a phrase that names the missing or invalid part of a file's data."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)
