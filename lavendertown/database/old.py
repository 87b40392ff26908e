"""The tables of LavenderTown 0.7: recognised, and read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated

TABLES = ("reports", "annotations", "rulesets")
_AT_ONCE = 200


def recognised(connection: sa.Connection) -> bool:
    """Tell whether these are 0.7's tables: it kept a report's findings in one column."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("reports"):
        return False
    return "findings_json" in {column["name"] for column in inspector.get_columns("reports")}


def set_apart(connection: sa.Connection, prefix: str) -> OldDatabase:
    """Rename 0.7's tables, so that today's can be made beside them."""
    inspector = sa.inspect(connection)
    for name in TABLES:
        if inspector.has_table(name):
            connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {prefix}{name}")
    return OldDatabase(connection, prefix)


class OldDatabase:
    """0.7's tables, read only.

    Args:
        bind: An engine; or a connection, inside whose transaction everything is read.
        prefix: What the tables' names begin with.
    """

    def __init__(self, bind: Engine | sa.Connection, prefix: str = "") -> None:
        self._bind = bind
        self._prefix = prefix
        self.url: URL = bind.engine.url

    @classmethod
    def open(cls, url: str) -> OldDatabase:
        """Open the database with this URL."""
        return cls(make_engine(read_url(url)))

    def count(self) -> int:
        """Return how many rows there are in all tables."""
        with self._connected() as connection:
            return sum(
                connection.scalar(sa.select(sa.func.count()).select_from(self._table(name))) or 0
                for name in self._present(connection)
            )

    def rows(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a table by id: JSON columns as the text that lies there."""
        after = -(2**62)
        while True:
            with self._connected() as connection:
                if name not in self._present(connection):
                    return
                table = self._table(name)
                statement = (
                    sa.select(*self._columns(connection, name))
                    .select_from(table)
                    .where(sa.column("id") > after)
                    .order_by(sa.column("id"))
                    .limit(_AT_ONCE)
                )
                found = connection.execute(statement).mappings().all()
            yield from map(dict, found)
            if len(found) < _AT_ONCE:
                return
            after = found[-1]["id"]

    def drop(self, connection: sa.Connection) -> None:
        """Delete the tables."""
        for name in self._present(connection):
            connection.exec_driver_sql(f"DROP TABLE {self._prefix}{name}")

    def close(self) -> None:
        """Let go of the connection, if it was opened here."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    def _present(self, connection: sa.Connection) -> list[str]:
        inspector = sa.inspect(connection)
        return [name for name in TABLES if inspector.has_table(self._prefix + name)]

    def _table(self, name: str) -> sa.TableClause:
        return sa.table(self._prefix + name)

    def _columns(self, connection: sa.Connection, name: str) -> list[Any]:
        found = sa.inspect(connection).get_columns(self._prefix + name)
        # JSON and times as text: one value that cannot be read must not hide the rows around it.
        names = [column["name"] for column in found if column["name"] != "id"]
        return [sa.column("id"), *(sa.cast(sa.column(each), sa.Text).label(each) for each in names)]

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        if isinstance(self._bind, sa.Connection):
            yield self._bind
            return
        with translated(self.url), self._bind.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
            yield connection
