"""Reading backups of a database: the common interface, and SQLite files."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from lavendertown.core.errors import InvalidInputError, SchemaError
from lavendertown.stores.sql.connection.engine import make_engine, read_url
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.all_tables import VERSION_TABLE
from lavendertown.stores.sql.schema.revisions import SchemaState
from lavendertown.stores.sql.schema.upgrade import schema_change

_ROWS_AT_ONCE = 200
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError)


class BackupReader(ABC):
    """Read a checked backup.

    Attributes:
        path: The file.
        backend: The database that the backup can be restored to: ``"sqlite"`` or ``"postgresql"``.
        revisions: The revisions of its schema.
        row_counts: The number of rows of each table except the version table.
    """

    backend: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.revisions: set[str] = set()
        self.row_counts: Mapping[str, int] = {}

    @property
    def is_older(self) -> bool:
        """Whether the backup has the schema of an earlier version."""
        return revisions.HEAD not in self.revisions

    @abstractmethod
    def table_columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""

    @abstractmethod
    def fill_table(self, connection: sa.Connection, table: str) -> None:
        """Insert all rows of the backup's table, inside the connection's transaction."""


def damaged_backup(path: Path, reason: str) -> InvalidInputError:
    """Return the error for a damaged backup."""
    return InvalidInputError(f"{path} is damaged ({reason}); nothing was changed. Choose another backup.")


def upgrade_rows(connection: sa.Connection, path: Path) -> None:
    """Upgrade tables of an earlier schema that were filled from a backup.

    Raises:
        InvalidInputError: A row has a value that the earlier version did not write.
    """
    try:
        revisions.run_migrations(connection)
    except _UNREADABLE as error:
        raise damaged_backup(path, f"a row cannot be upgraded: {error or type(error).__name__}") from error


def insert_target(connection: sa.Connection, table: str, columns: Sequence[str]) -> str:
    """Return ``table (column, …)`` with the names quoted for the connection."""
    quoted = connection.dialect.identifier_preparer.quote
    return f"{quoted(table)} ({', '.join(map(quoted, columns))})"


def refuse_other_schemas(backup: BackupReader, tables: set[str]) -> None:
    """Refuse a backup whose schema is not this version's or an earlier one's.

    Raises:
        SchemaError: The backup is empty, or belongs to another program or a newer version.
    """
    state = revisions.classify_tables(tables, backup.revisions)
    if state in (SchemaState.CURRENT, SchemaState.OLDER):
        return
    raise SchemaError(f"{backup.path} {_REFUSALS[state]}")


_REFUSALS = {
    SchemaState.EMPTY: "is an empty database, not a backup. Nothing was changed. Choose another file.",
    SchemaState.UNVERSIONED: "has tables of another program, or of LavenderTown 0.7. Nothing was changed. "
    "Migrate data of 0.7 with: lavendertown migrate",
    SchemaState.NEWER: "was created by a newer version of LavenderTown. Nothing was changed. Restore it with "
    "that version.",
}


@contextlib.contextmanager
def open_sqlite_backup(path: Path) -> Iterator[BackupReader]:
    """Open and check a SQLite file; if its schema is an earlier one, open an upgraded copy."""
    try:
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(_open_read_snapshot(path))
            backup = _SqliteBackup(path, source)
            backup.check_content()
            if backup.is_older:
                upgraded = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "upgraded.db"
                _upgrade_copy(source, upgraded, path)
                backup = _SqliteBackup(path, stack.enter_context(_open_read_snapshot(upgraded)))
                backup.check_content()
            yield backup
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise damaged_backup(path, str(getattr(error, "orig", None) or error)) from error


@contextlib.contextmanager
def _open_read_snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file read-only, in a transaction that sees one snapshot."""
    with closing(sqlite3.connect(_read_only_uri(path), uri=True, isolation_level=None)) as source:
        source.execute("BEGIN")
        yield source


def _upgrade_copy(source: sqlite3.Connection, upgraded: Path, path: Path) -> None:
    with closing(sqlite3.connect(upgraded)) as backup:
        source.backup(backup)
    engine = make_engine(read_url(f"sqlite:///{upgraded}"))
    try:
        with schema_change(engine) as connection:
            upgrade_rows(connection, path)
    finally:
        engine.dispose()


def _read_only_uri(path: Path) -> str:
    """Return the URI that opens a file without changing it or creating files next to it."""
    has_wal = path.with_name(f"{path.name}-wal").exists()
    return f"file:{quote(str(path.resolve()))}?mode=ro{'' if has_wal else '&immutable=1'}"


class _SqliteBackup(BackupReader):
    backend = "sqlite"

    def __init__(self, path: Path, source: sqlite3.Connection) -> None:
        super().__init__(path)
        self._source = source

    def check_content(self) -> None:
        (result,) = self._source.execute("PRAGMA integrity_check(1)").fetchone()
        if result != "ok":
            # The first line only names the database.
            raise damaged_backup(self.path, result.splitlines()[-1])
        broken = self._source.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise damaged_backup(self.path, f"a row of the table {broken[0]!r} refers to a missing row")
        statement = (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        tables = {name for (name,) in self._source.execute(statement)}
        if VERSION_TABLE in tables:
            self.revisions = {str(row[0]) for row in self._source.execute(f"SELECT * FROM {VERSION_TABLE}")}
        refuse_other_schemas(self, tables)
        self.row_counts = {name: self._count_rows(name) for name in sorted(tables - {VERSION_TABLE})}

    def table_columns(self, table: str) -> Sequence[str]:
        return [row[1] for row in self._source.execute(f"PRAGMA table_info({_quote_name(table)})")]

    def fill_table(self, connection: sa.Connection, table: str) -> None:
        columns = self.table_columns(table)
        names = ", ".join(map(_quote_name, columns))
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {insert_target(connection, table, columns)} VALUES ({marks})"
        cursor = self._source.execute(f"SELECT {names} FROM {_quote_name(table)}")
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            try:
                connection.exec_driver_sql(statement, rows)
            except (sa.exc.IntegrityError, sa.exc.DataError) as error:
                raise damaged_backup(self.path, f"the table {table!r}: {error.orig}") from error

    def _count_rows(self, table: str) -> int:
        (count,) = self._source.execute(f"SELECT count(*) FROM {_quote_name(table)}").fetchone()
        return int(count)


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
