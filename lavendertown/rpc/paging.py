"""Pages of lists: their size, and the token that names where the next page begins."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError

DEFAULT_PAGE = 100
MAX_PAGE = 1000
_MAX_NUMBER = 2**63 - 1
_FOREIGN_TOKEN = "The page_token is not one of this list; use the next_page_token of the page before."


def read_page_size(asked: int) -> int:
    """Return the page size that a request means: 0 is the default.

    Raises:
        InvalidInputError: It is negative or above the limit.
    """
    if not 0 <= asked <= MAX_PAGE:
        raise InvalidInputError(f"The page_size is {asked:,}; it must be from 1 to {MAX_PAGE:,}.")
    return asked or DEFAULT_PAGE


def write_page_token(*values: Any) -> str:
    """Return the token for plain JSON values that name the last item of a page."""
    return base64.urlsafe_b64encode(json_codec.dumps(values)).decode("ascii")


def read_page_token(token: str, *readers: Callable[[Any], Any]) -> Sequence[Any]:
    """Return the values of a token.

    Args:
        token: What :func:`write_page_token` returned; anybody may have changed it.
        readers: For each value, a function that converts it from JSON, and raises a ValueError, TypeError,
            OverflowError or InvalidInputError for one that cannot be in a token of this list.

    Raises:
        InvalidInputError: The token is not one of this list.
    """
    try:
        values = json_codec.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        return [read(value) for read, value in zip(readers, values, strict=True)]
    except (ValueError, TypeError, OverflowError, InvalidInputError) as error:
        raise InvalidInputError(_FOREIGN_TOKEN) from error


def read_whole_number(value: Any) -> int:
    """Return a value of a token that is a number from 0.

    Raises:
        ValueError: It is something else.
    """
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise ValueError("not a whole number from 0")
    return value


def read_iso_time(value: Any) -> dt.datetime:
    """Return a value of a token that is a time.

    Raises:
        ValueError: It is another text.
        TypeError: It is no text.
        OverflowError: The time is not in the years 1 to 9999 in UTC.
    """
    return clock.parse_time(value, clock.UTC)
