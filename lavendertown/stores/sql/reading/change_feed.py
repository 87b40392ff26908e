"""The change feed of a database.

Keys of events are assigned before the commit, so on PostgreSQL a lower key may become visible after a
higher one. Therefore no event after a gap in the keys is delivered while a running transaction may still
fill the gap. A transaction that writes an event holds the lock ROW EXCLUSIVE on the table from before it
gets the key until it ends. So the feed reads the events, then the holders of that lock, then the same events
again. A gap that is left after all its possible writers have ended was caused by a rollback. SQLite has one
writer at a time, so no gap is ever filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core import clock
from lavendertown.records.change_feed import Change, ChangePage, read_cursor, write_cursor, wrong_cursor
from lavendertown.stores.sql.schema.tables import audit_log
from lavendertown.stores.sql.writing.audit_log import EVENT_COLUMNS, event_from_row

_E = audit_log.c
_AFTER = (
    sa.select(*EVENT_COLUMNS)
    .where(_E.key > sa.bindparam("after"), _E.key <= sa.bindparam("last"))
    .order_by(_E.key)
    .limit(sa.bindparam("limit"))
)
_NEWEST = sa.select(sa.func.max(_E.key))
_TIME = sa.select(_E.at).where(_E.key == sa.bindparam("key"))
_WRITERS = sa.text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'audit_log'::regclass AND granted "
    "AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_LOOK_BACK = 1000
"""The number of newest keys that are searched for gaps, to find the end of the feed."""


def read_changes(connection: sa.Connection, cursor: str, limit: int) -> ChangePage:
    """Return the events after a cursor.

    Args:
        connection: A connection whose statements each see the data committed when they start.
        cursor: A cursor from an earlier call; empty for the beginning.
        limit: The maximum number of events.

    Raises:
        InvalidInputError: The cursor does not belong to this log.
    """
    position = _Position(read_cursor(cursor))
    if position.key and connection.scalar(_TIME, {"key": position.key}) != position.at:
        raise wrong_cursor()
    rows, writers = _read_events_and_writers(connection, position.key, limit + 1)
    changes: list[Change] = []
    for row in rows[:limit]:
        if row.key > position.key + 1 and not position.is_gap_settled(writers):
            # The cursor lists the transactions that may fill the gap.
            return ChangePage(changes, position.waiting_cursor(writers), False)
        position = _Position.after(row)
        changes.append(Change(event_from_row(row), position.cursor))
    return ChangePage(changes, position.cursor if changes else cursor, len(rows) > limit)


def read_end(connection: sa.Connection) -> str:
    """Return the cursor after the newest event, or before the first gap that may still be filled."""
    newest = connection.scalar(_NEWEST) or 0
    after = max(0, newest - _LOOK_BACK)
    rows, writers = _read_events_and_writers(connection, after, _LOOK_BACK)
    end, key = None, 0
    for row in rows:
        # Unless the log is read from its start, a gap before the first row is unknown.
        if writers and row.key > key + 1 and (end is not None or after == 0):
            break
        end, key = row, row.key
    return _Position.after(end).cursor if end is not None else ""


def _read_events_and_writers(
    connection: sa.Connection, after: int, limit: int
) -> tuple[Sequence[Any], frozenset[str]]:
    """Return the events after a key, and the transactions that may still fill gaps between them."""
    values = {"after": after, "last": 2**62, "limit": limit}
    rows = connection.execute(_AFTER, values).all()
    if connection.dialect.name != "postgresql" or not rows or rows[-1].key == after + len(rows):
        return rows, frozenset()
    writers = frozenset(connection.scalars(_WRITERS))
    return connection.execute(_AFTER, {**values, "last": rows[-1].key}).all(), writers


class _Position:
    """A position in the log: the last delivered key, and the writers when a gap after it was noticed."""

    def __init__(self, values: dict[str, Any]) -> None:
        try:
            self.key = int(values["k"]) if values else 0
            if not 0 <= self.key < 2**63:
                raise ValueError
            self.at = clock.from_microseconds(int(values["t"])) if self.key else None
            self._noticed_writers = frozenset(map(str, values["w"])) if "w" in values else None
        except (KeyError, TypeError, ValueError, OverflowError):
            raise wrong_cursor() from None

    @classmethod
    def after(cls, row: Any) -> _Position:
        return cls({"k": row.key, "t": clock.to_microseconds(row.at)})

    @property
    def cursor(self) -> str:
        return write_cursor(self._cursor_values())

    def is_gap_settled(self, writers: frozenset[str]) -> bool:
        """Return whether no transaction can fill the gap after this position any more."""
        return not self._possible_writers(writers)

    def waiting_cursor(self, writers: frozenset[str]) -> str:
        """Return the cursor at this position, with the transactions that may still fill the gap."""
        return write_cursor({**self._cursor_values(), "w": sorted(self._possible_writers(writers))})

    def _possible_writers(self, writers: frozenset[str]) -> frozenset[str]:
        return writers if self._noticed_writers is None else writers & self._noticed_writers

    def _cursor_values(self) -> dict[str, Any]:
        return {"k": self.key, "t": clock.to_microseconds(self.at)} if self.at is not None else {"k": 0}
