"""Execution of statements that are compiled once, one by one or as a batch in one round trip.

SQLAlchemy compiles the SQL and converts the values, but its overhead per call takes longer than SQLite
needs for a small statement, and a save has nine of them. So a statement is compiled once per statement
object and executed with ``exec_driver_sql``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable

from lavendertown.core import json_codec

_BindProcessor = Callable[[Any], Any]


@dataclass(frozen=True)
class CompiledStatement:
    """A statement compiled for a driver.

    Attributes:
        statement: The source; the reference keeps its ``id`` from being reused.
        sql: The SQL with the driver's parameter marks.
        constants: Values of the parameters that the statement itself contains.
        processors: The conversions of parameters by their column types.
        parameter_order: The names of the parameters in order, if the driver takes them by position.
    """

    statement: Executable
    sql: str
    constants: Mapping[str, Any]
    processors: Mapping[str, _BindProcessor]
    parameter_order: Sequence[str] | None

    def bind_row(self, row: Mapping[str, Any]) -> Any:
        """Return the parameters of one row in the form that the driver takes."""
        values = {**self.constants, **row}
        for name, process in self.processors.items():
            values[name] = process(values[name])
        return (
            values if self.parameter_order is None else tuple([values[name] for name in self.parameter_order])
        )

    def split_insert(self) -> tuple[str, str, str]:
        """Split an INSERT into the text before the values of a row, the values, and the text after."""
        head, values, rest = self.sql.partition(" VALUES ")
        row, conflict, tail = rest.partition(" ON CONFLICT")
        return head + values, row, conflict + tail


_compiled_cache: dict[tuple[int, str, tuple[str, ...]], CompiledStatement] = {}


def compile_statement(
    connection: sa.Connection, statement: Any, parameters: Sequence[str]
) -> CompiledStatement:
    """Compile a module-level statement for this connection's driver, or return it from the cache.

    Args:
        connection: Its dialect decides the SQL.
        statement: The statement. The cache keeps it forever, so do not build one for each call.
        parameters: The names of the values in each row.
    """
    dialect = connection.dialect
    key = (id(statement), dialect.name, tuple(parameters))
    if key not in _compiled_cache:
        # Inline: the new keys are not read, so there is no need for RETURNING.
        inline = statement.inline() if isinstance(statement, sa.Insert) else statement
        compiled = inline.compile(dialect=dialect, column_keys=list(parameters))
        processors = {name: _bind_processor(bind.type, dialect) for bind, name in compiled.bind_names.items()}
        _compiled_cache[key] = CompiledStatement(
            statement,
            str(compiled),
            {name: value for name, value in compiled.params.items() if name not in parameters},
            {name: process for name, process in processors.items() if process is not None},
            list(compiled.positiontup or ()) if dialect.positional else None,
        )
    return _compiled_cache[key]


def _bind_processor(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> _BindProcessor | None:
    if isinstance(kind, sa.JSON) and kind.none_as_null:
        return _to_json
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _to_json(value: Any) -> str | None:
    return None if value is None else json_codec.dumps(value).decode("utf-8")


def execute_rows(connection: sa.Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a module-level statement that returns nothing, once for each row."""
    compiled = compile_statement(connection, statement, tuple(rows[0]))
    parameters = [compiled.bind_row(row) for row in rows]
    connection.exec_driver_sql(compiled.sql, parameters if len(parameters) > 1 else parameters[0])


def fetch_rows(connection: sa.Connection, statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Execute a module-level SELECT and return the driver's rows, not converted by column types."""
    compiled = compile_statement(connection, statement, tuple(values))
    return connection.exec_driver_sql(compiled.sql, compiled.bind_row(values)).fetchall()


MIN_COPY_ROWS = 1_000
"""The number of rows from which COPY is faster than INSERT."""


def can_copy(compiled: CompiledStatement, columns: Sequence[str]) -> bool:
    """Return whether COPY can replace an INSERT of rows with these columns.

    COPY reads an empty cell of a nullable column as NULL, so no text column may be nullable.
    """
    statement = compiled.statement
    if not isinstance(statement, sa.Insert) or compiled.split_insert()[2]:
        return False
    table_columns = [statement.table.c[name] for name in columns]
    return not any(column.nullable and isinstance(column.type, sa.String) for column in table_columns)


def copy_rows(
    connection: sa.Connection, compiled: CompiledStatement, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write rows into the table of an INSERT with PostgreSQL's COPY.

    Args:
        connection: A connection to PostgreSQL, in a transaction.
        compiled: An INSERT that :func:`can_copy` accepts.
        rows: The rows, all with the same columns.

    Raises:
        sa.exc.DBAPIError: PostgreSQL refused the rows.
    """
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [_csv_cell(row[name], value) for name, value in compiled.bind_row(row).items()] for row in rows
    )
    text.seek(0)
    statement = _copy_statement(connection, compiled, list(compiled.bind_row(rows[0])))
    with closing(connection.connection.cursor()) as cursor:
        try:
            cursor.copy_expert(statement, text)
        except connection.dialect.loaded_dbapi.Error as error:
            failure = sa.exc.DBAPIError.instance(
                statement, None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect
            )
            raise failure from error


def _copy_statement(connection: sa.Connection, compiled: CompiledStatement, columns: Sequence[str]) -> str:
    assert isinstance(compiled.statement, sa.Insert)
    table = compiled.statement.table
    assert isinstance(table, sa.Table)
    preparer = connection.dialect.identifier_preparer
    nullable = [preparer.quote(name) for name in columns if table.c[name].nullable]
    force_null = f", FORCE_NULL ({', '.join(nullable)})" if nullable else ""
    column_list = ", ".join(map(preparer.quote, columns))
    return f"COPY {preparer.format_table(table)} ({column_list}) FROM STDIN (FORMAT csv{force_null})"


def _csv_cell(original: Any, bound: Any) -> Any:
    return f"\\x{original.hex()}" if isinstance(original, bytes) else bound


_Rows = Sequence[Mapping[str, Any]]
_ROWS_AT_ONCE = 2_000
_T = TypeVar("_T")


class StatementBatch:
    """Execute the statements of a unit of work in order; on PostgreSQL, collect them for one round trip.

    psycopg2 sends each statement, and each row of an UPDATE, on its own, which is half of the time of a
    small unit of work. SQLite has no network, and MariaDB's driver sends one statement at a time, so there
    each statement is executed immediately.

    Args:
        connection: A connection in a transaction.

    Attributes:
        connection: The connection; call :meth:`flush` before you use it directly.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"
        self._pending: list[tuple[CompiledStatement, _Rows]] = []
        self._row_count = 0

    def execute(self, statement: Executable, rows: _Rows) -> None:
        """Execute a module-level statement that returns nothing, once for each row."""
        if not rows:
            return
        if not self._is_postgres:
            execute_rows(self.connection, statement, rows)
            return
        compiled = compile_statement(self.connection, statement, tuple(rows[0]))
        if len(rows) >= MIN_COPY_ROWS and can_copy(compiled, tuple(rows[0])):
            self.flush()
            copy_rows(self.connection, compiled, rows)
            return
        for chunk in in_chunks(rows, _ROWS_AT_ONCE):
            self._pending.append((compiled, chunk))
            self._row_count += len(chunk)
            if self._row_count >= _ROWS_AT_ONCE:
                self.flush()

    def fetch_rows(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute a module-level SELECT after the pending statements and return the driver's rows."""
        if not self._is_postgres:
            return fetch_rows(self.connection, statement, values)
        return self._send_query(compile_statement(self.connection, statement, tuple(values)), [values])

    def insert_returning(self, statement: sa.Insert, rows: _Rows) -> Sequence[Any]:
        """On PostgreSQL, execute an INSERT ... RETURNING after the pending statements; return its rows."""
        compiled = compile_statement(self.connection, statement, tuple(rows[0]))
        returned: list[Any] = []
        for chunk in in_chunks(rows, _ROWS_AT_ONCE):
            returned += self._send_query(compiled, chunk)
        return returned

    def flush(self) -> None:
        """Send the pending statements."""
        if self._pending:
            self._send_pending()

    def _send_query(self, compiled: CompiledStatement, rows: _Rows) -> Sequence[Any]:
        self._pending.append((compiled, rows))
        return self._send_pending().fetchall()

    def _send_pending(self) -> sa.CursorResult[Any]:
        # Rendered only now, because the quoting of text depends on session settings.
        with closing(self.connection.connection.cursor()) as cursor:
            batch = b";\n".join(
                [_render_statement(cursor, compiled, rows) for compiled, rows in self._pending]
            )
        self._pending.clear()
        self._row_count = 0
        return self.connection.exec_driver_sql(
            batch.decode("utf-8"), execution_options={"no_parameters": True}
        )


def in_chunks(values: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Yield values in chunks of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _render_statement(cursor: Any, compiled: CompiledStatement, rows: _Rows) -> bytes:
    """Return a statement with the values of its rows, quoted by psycopg2."""
    if isinstance(compiled.statement, sa.Insert):
        head, row, tail = compiled.split_insert()
        values = b", ".join([cursor.mogrify(row, compiled.bind_row(each)) for each in rows])
        return head.encode() + values + tail.encode()
    return b";\n".join([cursor.mogrify(compiled.sql, compiled.bind_row(each)) for each in rows])
