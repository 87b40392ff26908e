"""Writes whose results nobody waits for: on PostgreSQL they travel together, in one round trip.

psycopg2 would send each statement, and each row of an UPDATE, on its own; half of a small unit of
work would be waiting. SQLite has no wire, so there each statement is executed at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

from lavendertown.database import array_rows, driver, postgres, prepared
from lavendertown.database.plans import Plans

_ROWS_AT_ONCE = 2_000
_BYTES_AT_ONCE = 1_000_000


class Writer:
    """Executes statements in order, at once or with the next flush.

    Args:
        connection: In a transaction.
        keep_plans: Whether PostgreSQL shall keep the statements' plans, see :mod:`.plans`.

    Attributes:
        connection: For statements whose results are needed; :meth:`flush` before them.
    """

    def __init__(self, connection: sa.Connection, *, keep_plans: bool = False) -> None:
        self.connection = connection
        self._waiting: list[bytes] = []
        self._size = 0
        self._plans = Plans(connection, keep=keep_plans) if connection.dialect.name == "postgresql" else None

    def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute a module's own statement once for each row; the statement must not return any."""
        if not rows:
            return
        if self._plans is None:
            ready = prepared.prepare(self.connection, statement, tuple(rows[0]))
            given = ready.many(rows) if len(rows) > 1 else ready.parameters(rows[0])
            driver.run(self.connection, ready.sql, given)
        elif isinstance(statement, sa.Insert) and len(rows) > 1:
            self.execute_columns(statement, array_rows.columns_of(rows))
        else:
            ready = prepared.prepare(self.connection, statement, tuple(rows[0]))
            for row in rows:
                self._collect(self._plans.call(ready.sql, ready.named(row)))

    def execute_columns(
        self,
        statement: sa.Insert,
        columns: Mapping[str, Sequence[Any]],
        common: Mapping[str, Any] | None = None,
    ) -> None:
        """Execute a module's own INSERT for rows that are given column by column.

        Args:
            statement: It must not return any rows.
            columns: The values of each column, equally many.
            common: The columns with one value for all rows.
        """
        count = len(next(iter(columns.values()), ()))
        if not count:
            return
        common = common or {}
        if self._plans is None:
            whole = {**columns, **{name: [value] * count for name, value in common.items()}}
            ready = prepared.prepare(self.connection, statement, tuple(whole))
            driver.run(self.connection, ready.sql, ready.from_columns(whole))
            return
        insert = array_rows.inserting(self.connection, statement, columns, common)
        for start in range(0, count, _ROWS_AT_ONCE):
            some = {name: values[start : start + _ROWS_AT_ONCE] for name, values in columns.items()}
            self._collect(self._plans.call(insert.sql, insert.parameters(some, common)))

    def rows(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run a module's own SELECT after what is waiting.

        Returns:
            Its rows, as :func:`lavendertown.database.prepared.rows` does.
        """
        if self._plans is None:
            return prepared.rows(self.connection, statement, values)
        ready = prepared.prepare(self.connection, statement, tuple(values))
        return self._ask(self._plans.call(ready.sql, ready.named(values)))

    def insert_returning(self, statement: sa.Insert, columns: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
        """Run a module's own INSERT ... RETURNING on PostgreSQL after what is waiting; return its rows.

        Args:
            statement: With an ON CONFLICT.
            columns: As for :meth:`execute_columns`.
        """
        assert self._plans is not None
        insert = array_rows.inserting(self.connection, statement, columns)
        return self._ask(self._plans.call(insert.sql, insert.parameters(columns)))

    def _ask(self, call: bytes) -> Sequence[Any]:
        assert self._plans is not None
        self._waiting.append(call)
        found = postgres.send(self.connection, self._batch())
        self._plans.sent()
        return found

    def flush(self) -> None:
        """Send what is waiting."""
        if self._waiting and self._plans is not None:
            postgres.send(self.connection, self._batch())
            self._plans.sent()

    def commit(self) -> None:
        """Send what is waiting; where transactions are begun by us, this one ends with it."""
        if self._plans is not None and postgres.is_ours(self.connection):
            postgres.send_and_commit(self.connection, self._batch())
            self._plans.sent()
        else:
            self.flush()

    def _collect(self, statement: bytes) -> None:
        self._waiting.append(statement)
        self._size += len(statement)
        if self._size > _BYTES_AT_ONCE:
            self.flush()

    def _batch(self) -> bytes:
        batch = b";\n".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return batch
