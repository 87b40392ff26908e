"""Pages of lists: their size, and the token that names where the next page begins."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.rpc.protocol.schema import FieldSpec

PAGING = (
    FieldSpec("page_size", "int32", comment="100 by default, at most 1000."),
    FieldSpec("page_token", "string", comment="The next_page_token of the page before."),
)
"""The fields of a request for a page."""
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


def read_page(request: Any) -> tuple[int, int]:
    """Return the limit and the offset that a request with the fields :data:`PAGING` means.

    Raises:
        InvalidInputError: The size is above the limit, or the token is not one of this list.
    """
    size = read_page_size(request.page_size)
    if not request.page_token:
        return size, 0
    [offset] = read_page_token(request.page_token, read_whole_number)
    return size, offset


def next_page_token(shown: int, total: int) -> str:
    """Return the token of the page after the first entries of a list; empty at its end."""
    return write_page_token(shown) if 0 < shown < total else ""


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
