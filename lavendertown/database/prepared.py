"""Statements compiled once and handed straight to the driver.

SQLAlchemy writes the SQL and knows the types; its per-call layers are left out where a store spends
its time: in lists of reports, and in the writes of every unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable

from lavendertown import codec
from lavendertown.database import driver

_Process = Callable[[Any], Any]


@dataclass(frozen=True)
class Prepared:
    """A statement, ready for the driver.

    Attributes:
        statement: Kept, so that its id stays its own.
        sql: With the driver's own parameter marks.
        constants: Parameters the statement brings along.
        processors: What the column types do to a parameter on its way.
        order: Where the driver takes parameters by position: their names in order.
        pick: Takes them out of a row in that order.
        places: The positions that have a processor.
    """

    statement: Executable
    sql: str
    constants: Mapping[str, Any]
    processors: Mapping[str, _Process]
    order: Sequence[str]
    pick: Callable[[Mapping[str, Any]], Any]
    places: Sequence[tuple[int, _Process]]

    def named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of one row by name."""
        values = {**self.constants, **row}
        for name, process in self.processors.items():
            values[name] = process(values[name])
        return values

    def positional(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the parameters of one row by position."""
        picked = self.pick({**self.constants, **row} if self.constants else row)
        values = [picked] if len(self.order) == 1 else list(picked)
        for place, process in self.places:
            values[place] = process(values[place])
        return tuple(values)

    def positional_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the parameters of many rows by position."""
        if self.constants or len(self.order) == 1:
            return [self.positional(row) for row in rows]
        picked = list(map(self.pick, rows))
        if self.places:
            # Column by column, so that most of it happens outside of Python.
            columns = list(zip(*picked, strict=True))
            for place, process in self.places:
                columns[place] = tuple(map(process, columns[place]))
            picked = list(zip(*columns, strict=True))
        return picked

    def from_columns(self, columns: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Return the parameters of many rows, which are given column by column, as the driver takes them."""
        count = len(next(iter(columns.values())))
        made = {**{name: [value] * count for name, value in self.constants.items()}, **columns}
        for name, process in self.processors.items():
            made[name] = list(map(process, made[name]))
        if self.order:
            return list(zip(*(made[name] for name in self.order), strict=True))
        return [dict(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]

    def many(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the parameters of many rows as the driver takes them."""
        return self.positional_rows(rows) if self.order else list(map(self.named, rows))

    def parameters(self, row: Mapping[str, Any]) -> Any:
        """Return the parameters of one row as the driver takes them."""
        return self.positional(row) if self.order else self.named(row)


_known: dict[tuple[int, str, tuple[str, ...]], Prepared] = {}


def prepare(connection: sa.Connection, statement: Any, columns: Sequence[str]) -> Prepared:
    """Return a module's own, lasting statement, ready for this connection's driver.

    Args:
        connection: Its dialect decides the SQL.
        statement: Kept for good, so it must not be made anew for each call.
        columns: The parameters that each row brings.
    """
    dialect = connection.dialect
    key = (id(statement), dialect.name, tuple(columns))
    if key not in _known:
        # Inline: nobody reads the new keys here, so no RETURNING.
        inline = statement.inline() if isinstance(statement, sa.Insert) else statement
        compiled = inline.compile(dialect=dialect, column_keys=list(columns))
        found = {name: _processor(bind.type, dialect) for name, bind in compiled.binds.items()}
        order = list(compiled.positiontup or ())
        _known[key] = Prepared(
            statement,
            str(compiled),
            {name: value for name, value in compiled.params.items() if name not in columns},
            {name: process for name, process in found.items() if process is not None},
            order,
            itemgetter(*order) if order else dict,
            [(place, process) for place, name in enumerate(order) if (process := found[name]) is not None],
        )
    return _known[key]


def _processor(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> _Process | None:
    if isinstance(kind, sa.JSON) and kind.none_as_null:
        return _json
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _json(value: Any) -> str | None:
    return None if value is None else codec.dumps(value).decode("utf-8")


def rows(connection: sa.Connection, statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Run a lasting SELECT and return its rows as the driver gives them: no type has read them."""
    prepared = prepare(connection, statement, tuple(values))
    return driver.rows(connection, prepared.sql, prepared.parameters(values))
