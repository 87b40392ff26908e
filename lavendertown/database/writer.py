"""Writes whose results nobody waits for: on PostgreSQL they travel together, in one round trip.

psycopg2 would send each statement, and each row of an UPDATE, on its own; half of a small unit of
work would be waiting. SQLite has no wire, so there each statement is executed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1_000_000
_Processors = Mapping[str, Callable[[Any], Any]]
_compiled: dict[tuple[int, tuple[str, ...]], tuple[Any, str, Mapping[str, Any], _Processors]] = {}


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
        if self._cursor is None:
            self.connection.execute(statement, rows)
            return
        sql, constants, processors = self._compile(statement, tuple(rows[0]))
        head, values, tail = sql.partition(" VALUES ")
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = [
                _processed({**constants, **row}, processors) for row in rows[start : start + _ROWS_AT_ONCE]
            ]
            if values:
                self._insert(head + values, tail, part)
            else:
                self._waiting += [self._cursor.mogrify(sql, row) for row in part]
            if sum(map(len, self._waiting)) > _BYTES_AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Send what is waiting."""
        if self._waiting:
            batch = b";\n".join(self._waiting).decode("utf-8")
            self._waiting.clear()
            self.connection.exec_driver_sql(batch.replace("%", "%%"))

    def _insert(self, head: str, template: str, rows: Sequence[Mapping[str, Any]]) -> None:
        # PostgreSQL reads "ON CONFLICT …" once, after the last row.
        row, conflict, rest = template.partition(") ON CONFLICT")
        row = row + ")" if conflict else row
        values = b", ".join(self._cursor.mogrify(row, each) for each in rows)
        ending = f" ON CONFLICT{rest}" if conflict else ""
        self._waiting.append(head.encode() + values + ending.encode())

    def _compile(
        self, statement: Any, columns: tuple[str, ...]
    ) -> tuple[str, Mapping[str, Any], _Processors]:
        key = (id(statement), columns)
        if key not in _compiled:
            dialect = self.connection.dialect
            # Inline: nobody reads the new keys here, so no RETURNING.
            inline = statement.inline() if isinstance(statement, sa.Insert) else statement
            compiled = inline.compile(dialect=dialect, column_keys=list(columns))
            found = {
                name: bind.type.dialect_impl(dialect).bind_processor(dialect)
                for name, bind in compiled.binds.items()
            }
            processors = {name: process for name, process in found.items() if process is not None}
            # The statement is kept, so that its id stays its own.
            constants = {name: value for name, value in compiled.params.items() if name not in columns}
            _compiled[key] = (statement, str(compiled), constants, processors)
        return _compiled[key][1:]


def _processed(row: dict[str, Any], processors: _Processors) -> dict[str, Any]:
    for name, process in processors.items():
        row[name] = process(row[name])
    return row
