"""The change feed: the events of the audit log after a cursor, in the order in which they were committed.

A cursor is a text that a reader can keep for any time. Reading from it returns each later event once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.record_classes import AuditEvent


@dataclass(frozen=True)
class Change:
    """One event of the feed.

    Attributes:
        event: The audit event.
        cursor: The cursor after this event.
    """

    event: AuditEvent
    cursor: str


@dataclass(frozen=True)
class ChangePage:
    """A page of the feed.

    Attributes:
        changes: The events in the order of the feed.
        cursor: The cursor for the next page.
        has_more: Whether there are more events already.
    """

    changes: Sequence[Change]
    cursor: str
    has_more: bool


def write_cursor(position: Mapping[str, Any]) -> str:
    """Return the cursor for a position in a store's audit log."""
    return base64.urlsafe_b64encode(json_codec.dumps(position)).decode("ascii").rstrip("=")


def read_cursor(cursor: str) -> dict[str, Any]:
    """Return the position of a cursor; empty for the beginning of the log.

    Raises:
        InvalidInputError: The text is not a cursor.
    """
    if not cursor:
        return {}
    try:
        position = json_codec.loads(base64.urlsafe_b64decode(cursor.encode("utf-8") + b"==="))
    except ValueError:
        raise wrong_cursor() from None
    if not isinstance(position, dict):
        raise wrong_cursor()
    return position


def wrong_cursor() -> InvalidInputError:
    """Return the error for a cursor that does not belong to this store's log."""
    return InvalidInputError(
        "The cursor does not belong to this change log, which may have been replaced by a restore; read it "
        "again from the beginning, without a cursor."
    )
