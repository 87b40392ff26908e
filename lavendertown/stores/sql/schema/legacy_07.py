"""The tables of LavenderTown 0.7: recognized, and read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.stores.sql.connection.engine import make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import translate_errors

LEGACY_TABLES = ("reports", "annotations", "rulesets")
FINDINGS_COLUMN = "findings_json"
"""The column that only version 0.7 has in the table of reports."""
_BATCH_SIZE = 200


def has_legacy_tables(connection: sa.Connection) -> bool:
    """Return whether a database has the tables of version 0.7, which stored findings in one column."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("reports"):
        return False
    return FINDINGS_COLUMN in {column["name"] for column in inspector.get_columns("reports")}


def rename_legacy_tables(connection: sa.Connection, prefix: str) -> LegacyDatabase:
    """Rename the tables of version 0.7, so that tables of the current schema can be created."""
    inspector = sa.inspect(connection)
    for name in LEGACY_TABLES:
        if inspector.has_table(name):
            connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {prefix}{name}")
    return LegacyDatabase(connection, prefix)


class LegacyDatabase:
    """Read the tables of version 0.7.

    Args:
        bind: An engine; or a connection, to read everything inside its transaction.
        prefix: The prefix of the table names.
    """

    def __init__(self, bind: Engine | sa.Connection, prefix: str = "") -> None:
        self._bind = bind
        self._prefix = prefix
        self.url: URL = bind.engine.url

    @classmethod
    def open_url(cls, url: str) -> LegacyDatabase:
        """Open the database with this URL."""
        return cls(make_engine(read_url(url)))

    def count_rows(self) -> int:
        """Return the number of rows in all tables."""
        with self._open_connection() as connection:
            return sum(
                connection.scalar(sa.select(sa.func.count()).select_from(self._table_clause(name))) or 0
                for name in self._present_tables(connection)
            )

    def read_rows(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a table in the order of their ids, with JSON and times as text."""
        after = -(2**62)
        while True:
            with self._open_connection() as connection:
                if name not in self._present_tables(connection):
                    return
                table = self._table_clause(name)
                statement = (
                    sa.select(*self._selected_columns(connection, name))
                    .select_from(table)
                    .where(sa.column("id") > after)
                    .order_by(sa.column("id"))
                    .limit(_BATCH_SIZE)
                )
                rows = connection.execute(statement).mappings().all()
            yield from map(dict, rows)
            if len(rows) < _BATCH_SIZE:
                return
            after = rows[-1]["id"]

    def drop_tables(self, connection: sa.Connection) -> None:
        """Drop the tables."""
        for name in self._present_tables(connection):
            connection.exec_driver_sql(f"DROP TABLE {self._prefix}{name}")

    def close(self) -> None:
        """Close the engine's connections, if this object has an engine."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    def _present_tables(self, connection: sa.Connection) -> list[str]:
        inspector = sa.inspect(connection)
        return [name for name in LEGACY_TABLES if inspector.has_table(self._prefix + name)]

    def _table_clause(self, name: str) -> sa.TableClause:
        return sa.table(self._prefix + name)

    def _selected_columns(self, connection: sa.Connection, name: str) -> list[Any]:
        columns = sa.inspect(connection).get_columns(self._prefix + name)
        # As text, so that an unreadable JSON value or time does not make the rows around it unreadable.
        names = [column["name"] for column in columns if column["name"] != "id"]
        return [sa.column("id"), *(sa.cast(sa.column(each), sa.Text).label(each) for each in names)]

    @contextmanager
    def _open_connection(self) -> Iterator[sa.Connection]:
        if isinstance(self._bind, sa.Connection):
            yield self._bind
            return
        with (
            translate_errors(self.url),
            snapshot_connection(self._bind) as connection,
        ):
            yield connection
