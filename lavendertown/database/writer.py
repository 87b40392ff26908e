"""Writes whose results nobody waits for: on PostgreSQL they travel together, in one round trip.

psycopg2 would send each statement, and each row of an UPDATE, on its own; half of a small unit of
work would be waiting. SQLite has no wire, so there each statement is executed at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

from lavendertown.database.prepared import Prepared, prepare

_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1_000_000


class Writer:
    """Executes statements in order, at once or with the next flush.

    Attributes:
        connection: For statements whose results are needed; :meth:`flush` before them.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._waiting: list[bytes] = []
        self._cursor: Any = None
        if connection.dialect.name == "postgresql":
            self._cursor = connection.connection.cursor()

    def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute a module's own statement once for each row; the statement must not return any."""
        if not rows:
            return
        prepared = prepare(self.connection, statement, tuple(rows[0]))
        if self._cursor is None:
            made = [prepared.parameters(row) for row in rows]
            self.connection.exec_driver_sql(prepared.sql, made if len(made) > 1 else made[0])
        else:
            self._collect(prepared, rows)

    def flush(self) -> None:
        """Send what is waiting."""
        if self._waiting:
            batch = b";\n".join(self._waiting).decode("utf-8")
            self._waiting.clear()
            self.connection.exec_driver_sql(batch.replace("%", "%%"))

    def _collect(self, prepared: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        head, values, template = prepared.sql.partition(" VALUES ")
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = [prepared.named(row) for row in rows[start : start + _ROWS_AT_ONCE]]
            if values:
                self._insert(head + values, template, part)
            else:
                self._waiting += [self._cursor.mogrify(prepared.sql, row) for row in part]
            if sum(map(len, self._waiting)) > _BYTES_AT_ONCE:
                self.flush()

    def _insert(self, head: str, template: str, rows: Sequence[Mapping[str, Any]]) -> None:
        # PostgreSQL reads "ON CONFLICT …" once, after the last row.
        row, conflict, rest = template.partition(") ON CONFLICT")
        row = row + ")" if conflict else row
        values = b", ".join(self._cursor.mogrify(row, each) for each in rows)
        ending = f" ON CONFLICT{rest}" if conflict else ""
        self._waiting.append(head.encode() + values + ending.encode())
