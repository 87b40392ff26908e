"""Many rows as a few parameters: to PostgreSQL each column travels as one array.

psycopg2 would write each value of each row into the statement by itself, and the server would read
them one by one. Arrays are written and read at once, sooner than the same rows as JSON, and the
statement stays the same, however many rows there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from lavendertown import codec
from lavendertown.database.types import Utc

Write = Callable[[Sequence[Any]], str]
"""Writes the values of a column as one parameter."""


_BETWEEN = "\x1e"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def numbers(values: Sequence[Any]) -> str:
    """Write numbers, or truth values; None is NULL."""
    return f"{{{codec.dumps(values)[1:-1].decode()}}}"


def texts(values: Sequence[str | None]) -> str:
    """Write texts; None is NULL."""
    made = codec.dumps(values)[1:-1].decode()
    if "\\" not in made:
        return f"{{{made}}}"
    # JSON knows more escapes than arrays do.
    return _escaped(values)


def times(values: Sequence[dt.datetime | None]) -> str:
    """Write times; None is NULL."""
    first = values[0] if values else None
    if first is not None and values.count(first) == len(values):
        return f"{{{','.join([first.isoformat()] * len(values))}}}"
    return f"{{{','.join('NULL' if each is None else each.isoformat() for each in values)}}}"


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """Return rows, which have the same names, column by column."""
    names = tuple(rows[0])
    return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))


def written(columns: Mapping[str, Sequence[Any]], writes: Mapping[str, Write]) -> dict[str, str]:
    """Return one parameter for each column."""
    return {name: write(columns[name]) for name, write in writes.items()}


@dataclass(frozen=True)
class Inserting:
    """An INSERT of many rows.

    Attributes:
        statement: Kept, so that its id stays its own.
        sql: With one parameter of psycopg2's kind for each column, by its name.
        writes: How each is written that is not the same in all rows.
    """

    statement: sa.Insert
    sql: str
    writes: Mapping[str, Write]

    def parameters(
        self, columns: Mapping[str, Sequence[Any]], common: Mapping[str, Any] = _NOTHING
    ) -> dict[str, Any]:
        """Return the rows as the statement's parameters.

        Args:
            columns: The values of each column, equally many.
            common: The columns with one value for all rows.
        """
        return {**common, **written(columns, self.writes)}


_known: dict[tuple[int, tuple[str, ...], tuple[str, ...]], Inserting] = {}


def inserting(
    connection: sa.Connection, statement: sa.Insert, columns: Iterable[str], common: Iterable[str] = ()
) -> Inserting:
    """Return a module's own, lasting INSERT, ready to take many rows at once.

    Args:
        connection: To PostgreSQL.
        statement: Kept for good, so it must not be made anew for each call. It may end in an ON CONFLICT.
        columns: What each row brings.
        common: What all rows have in common.
    """
    key = (id(statement), tuple(columns), tuple(common))
    if key not in _known:
        _, own, shared = key
        table = statement.table
        assert isinstance(table, sa.Table)
        prepare = connection.dialect.identifier_preparer
        listed = ", ".join(prepare.quote(name) for name in (*own, *shared))
        # Arrays that are selected go forward together; as tables each would be written down first.
        rows = ", ".join(
            [_taken_apart(connection, table.c[name]) for name in own]
            + [f"CAST(%({name})s AS {_type(connection, table.c[name])})" for name in shared]
        )
        ending = _ending(connection, statement)
        _known[key] = Inserting(
            statement,
            f"INSERT INTO {prepare.format_table(table)} ({listed}) SELECT {rows}{ending}",
            {name: _write(table.c[name]) for name in own},
        )
    return _known[key]


def _taken_apart(connection: sa.Connection, column: sa.Column[Any]) -> str:
    """Return the expression that makes rows of a column's parameter."""
    if _is_json_array(column):
        return f"json_array_elements(CAST(%({column.name})s AS json))"
    return f"unnest(CAST(%({column.name})s AS {_type(connection, column)}[]))"


def _type(connection: sa.Connection, column: sa.Column[Any]) -> str:
    # The length is the table's business.
    of = sa.Text() if isinstance(column.type, sa.String) else column.type
    return str(of.compile(dialect=connection.dialect))


def _is_json_array(column: sa.Column[Any]) -> bool:
    """Tell whether a column's values are written as one JSON array, in which there is no NULL."""
    return isinstance(column.type, sa.JSON) and not column.nullable


def _ending(connection: sa.Connection, statement: sa.Insert) -> str:
    """Return what follows the rows, from ON CONFLICT on."""
    sql = str(statement.inline().compile(dialect=connection.dialect))
    _, found, ending = sql.partition(" ON CONFLICT")
    return found + ending


def _write(column: sa.Column[Any]) -> Write:
    if _is_json_array(column):
        return _json
    for known, write in _WRITES:
        if isinstance(column.type, known):
            return write
    raise TypeError(f"no array is made of a column of {column.type!r}")


def _json(values: Sequence[Any]) -> str:
    return codec.dumps(values).decode("utf-8")


def _documents(values: Sequence[Any]) -> str:
    return _escaped([None if each is None else codec.dumps(each).decode("utf-8") for each in values])


def _bytes(values: Sequence[bytes | None]) -> str:
    return _escaped([None if each is None else f"\\x{each.hex()}" for each in values])


def _escaped(values: Sequence[str | None]) -> str:
    if None not in values:
        # As one text, which takes a fraction of the time, if it can be taken apart again.
        joined = _BETWEEN.join(values)  # type: ignore[arg-type]
        if joined.count(_BETWEEN) < len(values):
            return "{" + _quoted(joined).replace(_BETWEEN, '","') + "}"
    return f"{{{','.join('NULL' if each is None else _quoted(each) for each in values)}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_WRITES: tuple[tuple[Any, Write], ...] = (
    (Utc, times),
    (sa.JSON, _documents),
    (sa.LargeBinary, _bytes),
    (sa.String, texts),
    ((sa.Integer, sa.Float, sa.Boolean), numbers),
)
