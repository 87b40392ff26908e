"""Many rows as one parameter: on PostgreSQL they travel as JSON, which the server takes apart.

psycopg2 would write each value of each row into the statement by itself, and the server would read
them one by one. JSON is written at once, and the statement stays the same, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lavendertown import codec

_Process = Callable[[Any], Any]


@dataclass(frozen=True)
class Inserting:
    """An INSERT of many rows.

    Attributes:
        statement: Kept, so that its id stays its own.
        sql: With one parameter of psycopg2's kind, ``rows``.
        processors: What becomes of the values of a column that JSON has no form for.
    """

    statement: sa.Insert
    sql: str
    processors: Mapping[str, _Process]

    def parameters(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the rows as the statement's parameter."""
        for name, process in self.processors.items():
            rows = [{**row, name: process(row[name])} for row in rows]
        return {"rows": packed(rows)}


def packed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of plain data and times as one parameter for ``json_to_recordset``."""
    return codec.dumps(rows).decode("utf-8")


_known: dict[tuple[int, tuple[str, ...]], Inserting] = {}


def inserting(connection: sa.Connection, statement: sa.Insert, columns: Sequence[str]) -> Inserting:
    """Return a module's own, lasting INSERT, ready to take many rows in one parameter.

    Args:
        connection: To PostgreSQL.
        statement: Kept for good, so it must not be made anew for each call. It may end in an ON CONFLICT.
        columns: What each row brings.
    """
    key = (id(statement), tuple(columns))
    if key not in _known:
        table = statement.table
        assert isinstance(table, sa.Table)
        prepare = connection.dialect.identifier_preparer
        names = {name: prepare.quote(name) for name in columns}
        types = ", ".join(f"{names[name]} {_type(connection, table.c[name])}" for name in columns)
        listed = ", ".join(names.values())
        head = f"INSERT INTO {prepare.format_table(table)} ({listed}) SELECT {listed}"
        _known[key] = Inserting(
            statement,
            f"{head} FROM json_to_recordset(%(rows)s) AS given ({types}){_ending(connection, statement)}",
            {name: process for name in columns if (process := _process(table.c[name].type)) is not None},
        )
    return _known[key]


def _type(connection: sa.Connection, column: sa.Column[Any]) -> str:
    # The length is the table's business.
    of = sa.Text() if isinstance(column.type, sa.String) else column.type
    return str(of.compile(dialect=connection.dialect))


def _ending(connection: sa.Connection, statement: sa.Insert) -> str:
    """Return what follows the rows, from ON CONFLICT on."""
    sql = str(statement.inline().compile(dialect=connection.dialect))
    _, found, ending = sql.partition(" ON CONFLICT")
    return found + ending


def _process(kind: sa.types.TypeEngine[Any]) -> _Process | None:
    return _hex if isinstance(kind, sa.LargeBinary) else None


def _hex(value: bytes | None) -> str | None:
    return "\\x" + value.hex() if value is not None else None
