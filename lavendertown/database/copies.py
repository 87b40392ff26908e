"""A copy of a database in a file: opened read-only, and checked before anything is done with it."""

from __future__ import annotations

import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from lavendertown.database import schema
from lavendertown.database.schema import State
from lavendertown.errors import InvalidInputError, SchemaError

VERSIONS = "alembic_version"
_ROWS_AT_ONCE = 200


class Copy(ABC):
    """A copy that is whole, of this version's schema.

    Attributes:
        path: The file.
        backend: The database it can be put back into: ``"sqlite"`` or ``"postgresql"``.
        revisions: What it says its schema is.
        rows: How many rows each table has, without the schema's own table.
    """

    backend: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.revisions: set[str] = set()
        self.rows: Mapping[str, int] = {}

    @abstractmethod
    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""

    @abstractmethod
    def fill(self, connection: sa.Connection, table: str) -> None:
        """Insert all rows of a table, inside the connection's transaction."""


def damaged(path: Path, why: str) -> InvalidInputError:
    """Return the refusal of a file that is not whole."""
    return InvalidInputError(f"{path} is damaged ({why}); nothing was changed. Choose another backup.")


def insert_into(connection: sa.Connection, table: str, columns: Sequence[str]) -> str:
    """Return ``table (column, …)``, quoted for the connection."""
    quoted = connection.dialect.identifier_preparer.quote
    return f"{quoted(table)} ({', '.join(map(quoted, columns))})"


def refuse_other_schemas(copy: Copy, tables: set[str]) -> None:
    """Accept only what this version's schema made.

    Raises:
        SchemaError: It is of another program, or of another version.
    """
    found = schema.judge(tables, copy.revisions)
    if found is State.CURRENT:
        return
    raise SchemaError(f"{copy.path} {_SENTENCES[found].format(path=copy.path)}")


_SENTENCES = {
    State.EMPTY: "is an empty database, not a backup. Nothing was changed. Choose another file.",
    State.UNVERSIONED: "is no backup of this version: its tables are of another program, or of LavenderTown "
    "0.7. Nothing was changed. What 0.7 wrote is brought over with: lavendertown migrate",
    State.OLDER: "was made by an earlier version of LavenderTown. Nothing was changed. Restore it with that "
    "version and upgrade afterwards, or upgrade a copy of it with: lavendertown db upgrade --url",
    State.NEWER: "was made by a newer version of LavenderTown. Nothing was changed. Restore it with that "
    "version.",
}


@contextlib.contextmanager
def open_sqlite(path: Path) -> Iterator[Copy]:
    """Open and check a SQLite file."""
    try:
        with closing(sqlite3.connect(_uri(path), uri=True, isolation_level=None)) as raw:
            # Everything is read at one moment.
            raw.execute("BEGIN")
            copy = _SqliteCopy(path, raw)
            copy.check()
            yield copy
    except sqlite3.Error as error:
        raise damaged(path, str(error)) from error


def _uri(path: Path) -> str:
    """Return what opens the file without changing it or making files beside it."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    return f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if alone else ''}"


class _SqliteCopy(Copy):
    backend = "sqlite"

    def __init__(self, path: Path, raw: sqlite3.Connection) -> None:
        super().__init__(path)
        self._raw = raw

    def check(self) -> None:
        (found,) = self._raw.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            # Its first line only says which database it is about.
            raise damaged(self.path, found.splitlines()[-1])
        broken = self._raw.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise damaged(self.path, f"a row of the table {broken[0]!r} refers to nothing")
        listed = (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        tables = {name for (name,) in self._raw.execute(listed)}
        if VERSIONS in tables:
            self.revisions = {str(line[0]) for line in self._raw.execute(f"SELECT * FROM {VERSIONS}")}
        refuse_other_schemas(self, tables)
        self.rows = {name: self._count(name) for name in sorted(tables - {VERSIONS})}

    def columns(self, table: str) -> Sequence[str]:
        return [line[1] for line in self._raw.execute(f"PRAGMA table_info({_quoted(table)})")]

    def fill(self, connection: sa.Connection, table: str) -> None:
        columns = self.columns(table)
        names = ", ".join(map(_quoted, columns))
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {insert_into(connection, table, columns)} VALUES ({marks})"
        found = self._raw.execute(f"SELECT {names} FROM {_quoted(table)}")
        while rows := found.fetchmany(_ROWS_AT_ONCE):
            connection.exec_driver_sql(statement, rows)

    def _count(self, table: str) -> int:
        (count,) = self._raw.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()
        return int(count)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
