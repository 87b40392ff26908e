"""Writes whose results nobody waits for: on PostgreSQL they travel together, in one round trip.

psycopg2 would send each statement, and each row of an UPDATE, on its own; half of a small unit of
work would be waiting. SQLite has no wire, so there each statement is executed at once. On both the
statement is compiled once and its rows go straight to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class _Prepared:
    """A statement, ready for the driver.

    Attributes:
        statement: Kept, so that its id stays its own.
        constants: Parameters the statement brings along.
        processors: What the column types do to a parameter on its way.
        order: Where the driver takes parameters by position: their names in order.
    """

    statement: Executable
    sql: str
    constants: Mapping[str, Any]
    processors: Mapping[str, Callable[[Any], Any]]
    order: Sequence[str]

    def processed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters for one row."""
        values = {**self.constants, **row}
        for name, process in self.processors.items():
            values[name] = process(values[name])
        return values


_prepared: dict[tuple[int, str, tuple[str, ...]], _Prepared] = {}


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
        prepared = self._prepare(statement, tuple(rows[0]))
        if self._cursor is None:
            made = [prepared.processed(row) for row in rows]
            tuples = [tuple(values[name] for name in prepared.order) for values in made]
            self.connection.exec_driver_sql(prepared.sql, tuples if len(tuples) > 1 else tuples[0])
        else:
            self._collect(prepared, rows)

    def _collect(self, prepared: _Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        head, values, template = prepared.sql.partition(" VALUES ")
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = [prepared.processed(row) for row in rows[start : start + _ROWS_AT_ONCE]]
            if values:
                self._insert(head + values, template, part)
            else:
                self._waiting += [self._cursor.mogrify(prepared.sql, row) for row in part]
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

    def _prepare(self, statement: Any, columns: tuple[str, ...]) -> _Prepared:
        dialect = self.connection.dialect
        key = (id(statement), dialect.name, columns)
        if key not in _prepared:
            # Inline: nobody reads the new keys here, so no RETURNING.
            inline = statement.inline() if isinstance(statement, sa.Insert) else statement
            compiled = inline.compile(dialect=dialect, column_keys=list(columns))
            found = {
                name: bind.type.dialect_impl(dialect).bind_processor(dialect)
                for name, bind in compiled.binds.items()
            }
            _prepared[key] = _Prepared(
                statement,
                str(compiled),
                {name: value for name, value in compiled.params.items() if name not in columns},
                {name: process for name, process in found.items() if process is not None},
                compiled.positiontup or (),
            )
        return _prepared[key]
