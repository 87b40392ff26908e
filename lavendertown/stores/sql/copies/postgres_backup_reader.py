"""Reading backups of PostgreSQL: dumps of pg_dump, and the table archives of earlier versions."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from lavendertown.core.errors import InvalidInputError, StorageError
from lavendertown.stores import zip_files
from lavendertown.stores.sql.connection.errors import store_name
from lavendertown.stores.sql.copies.backup_reader import (
    BackupReader,
    damaged_backup,
    insert_target,
    refuse_other_schemas,
    upgrade_rows,
)
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.all_tables import VERSION_TABLE
from lavendertown.stores.sql.schema.tables import metadata


def _copy_table(
    connection: sa.Connection, backup: BackupReader, table: str, lines: Any, options: str = ""
) -> None:
    """Copy lines to a table and check that the server accepted all rows."""
    statement = f"COPY {insert_target(connection, table, backup.table_columns(table))} FROM STDIN {options}"
    try:
        with closing(connection.connection.cursor()) as cursor:
            cursor.copy_expert(statement, lines)
            copied = cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        reason = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
        diagnostics = getattr(error, "diag", None)
        if context := getattr(diagnostics, "context", None):
            # Such as: COPY reports, line 3, column version: "x"
            reason += f"; {context.splitlines()[0]}"
        raise StorageError(
            f"{store_name(connection.engine.url)} refused the table {table!r} of {backup.path.name} "
            f"({reason}); nothing was changed. Choose another backup."
        ) from error
    if copied != backup.row_counts[table]:
        raise damaged_backup(
            backup.path, f"the table {table!r} has {copied:,} rows, not {backup.row_counts[table]:,}"
        )


ARCHIVE_FORMAT = 1
"""The format of PostgreSQL backups that earlier versions made without pg_dump."""


def open_table_archive(path: Path, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> BackupReader:
    """Check a table archive: a PostgreSQL backup that an earlier version made without pg_dump.

    It is a zip of ``tables/NAME.csv``, for ``COPY … (FORMAT csv, HEADER true)``, and ``manifest.json`` with
    ``format``, ``revision`` and ``tables``, each with its ``file``, ``rows`` and the file's ``sha256``.

    Raises:
        InvalidInputError: The archive is damaged, or has another format.
        SchemaError: The archive belongs to another program or a newer version.
    """
    backup = _TableArchive(path, archive)
    try:
        backup.check_content(manifest)
    except zip_files.UNREADABLE_ZIP_ERRORS as error:
        raise damaged_backup(path, str(error) or type(error).__name__) from error
    return backup


def fill_upgraded(connection: sa.Connection, backup: BackupReader) -> None:
    """Fill LavenderTown's own tables from a backup of an earlier schema.

    The rows are inserted into tables of that schema in a staging schema, which are upgraded and then copied
    to the current tables.
    """
    current_schema = connection.scalar(sa.text("SELECT quote_ident(current_schema())"))
    connection.exec_driver_sql(f"CREATE SCHEMA {_STAGING_SCHEMA}")
    connection.exec_driver_sql(f"SET LOCAL search_path TO {_STAGING_SCHEMA}")
    revisions.run_migrations(connection, max(backup.revisions & revisions.known_revisions()))
    staged = sa.MetaData()
    staged.reflect(connection)
    for table in staged.sorted_tables:
        if table.name in backup.row_counts:
            backup.fill_table(connection, table.name)
    # The upgrade would move orphaned findings to a file; a restore must not lose them.
    if orphan := connection.execute(_ORPHANED_FINDING).first():
        raise damaged_backup(
            backup.path,
            f"the report of a finding is missing (report {orphan.report_key}, position {orphan.position})",
        )
    upgrade_rows(connection, backup.path)
    connection.exec_driver_sql(f"SET LOCAL search_path TO {current_schema}")
    for table in metadata.sorted_tables:
        target = insert_target(connection, table.name, [column.name for column in table.columns])
        columns = target.partition(" (")[2].removesuffix(")")
        connection.exec_driver_sql(
            f"INSERT INTO {target} SELECT {columns} FROM {_STAGING_SCHEMA}.{table.name}"
        )
    connection.exec_driver_sql(f"DROP SCHEMA {_STAGING_SCHEMA} CASCADE")


_STAGING_SCHEMA = "lavendertown_staged"
_ORPHANED_FINDING = sa.text(
    "SELECT report_key, position FROM findings "
    "WHERE NOT EXISTS (SELECT FROM reports WHERE reports.key = findings.report_key) LIMIT 1"
)


class _TableArchive(BackupReader):
    backend = "postgresql"

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        super().__init__(path)
        self._zip = archive
        self._tables: dict[str, Mapping[str, Any]] = {}

    def check_content(self, manifest: Mapping[str, Any]) -> None:
        zip_files.check_unpacked_sizes(self._zip)
        if manifest["format"] != ARCHIVE_FORMAT:
            raise InvalidInputError(
                f"{self.path} has the archive format {manifest['format']!r}; this version reads "
                f"{ARCHIVE_FORMAT}. Nothing was changed. Restore it with the version that made it."
            )
        problem = zip_files.find_manifest_problem(manifest, with_columns=False)
        if problem is None and not isinstance(manifest.get("revision"), str | None):
            problem = f"revision is {manifest.get('revision')!r}, not text"
        if problem is not None:
            raise damaged_backup(self.path, problem)
        self._tables = {table["name"]: table for table in manifest["tables"]}
        self.revisions = {manifest["revision"]} if manifest.get("revision") else set()
        refuse_other_schemas(self, set(self._tables))
        for name, table in self._tables.items():
            if zip_files.compute_member_digest(self._zip, table["file"]) != table["sha256"]:
                raise damaged_backup(self.path, f"the rows of the table {name!r} do not match their checksum")
        self.row_counts = {
            name: int(table["rows"]) for name, table in self._tables.items() if name != VERSION_TABLE
        }

    def table_columns(self, table: str) -> Sequence[str]:
        part = self._tables[table]["file"]
        try:
            with self._zip.open(part) as file:
                return next(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")), [])
        except (csv.Error, UnicodeDecodeError) as error:
            raise damaged_backup(self.path, f"the header of {part}: {error}") from error

    def fill_table(self, connection: sa.Connection, table: str) -> None:
        with self._zip.open(self._tables[table]["file"]) as lines:
            _copy_table(connection, self, table, lines, "(FORMAT csv, HEADER true)")


@contextlib.contextmanager
def open_dump(path: Path) -> Iterator[BackupReader]:
    """Open and check a custom-format dump of pg_dump, with pg_restore."""
    program = shutil.which("pg_restore")
    if program is None or _is_stub(program):
        raise StorageError(
            f"{path} is a dump of pg_dump, and pg_restore is not installed; nothing was changed. "
            "Install PostgreSQL's client programs, then try again."
        )
    backup = _DumpFile(path, program)
    backup.check_content()
    yield backup


def _is_stub(program: str) -> bool:
    """Return whether a program is only Debian's wrapper, without a client behind it."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode != 0


_TABLE_DATA = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)
_COPY_STATEMENT = re.compile(rb"COPY (?:\S+\.)?\S+ \((.*)\) FROM stdin;\n")


class _DumpFile(BackupReader):
    backend = "postgresql"

    def __init__(self, path: Path, program: str) -> None:
        super().__init__(path)
        self._program = program
        self._schemas: dict[str, str] = {}
        self._columns: dict[str, Sequence[str]] = {}

    def check_content(self) -> None:
        listing = subprocess.run([self._program, "--list", self.path], capture_output=True, check=False)
        if listing.returncode != 0:
            raise damaged_backup(self.path, _first_line(listing.stderr))
        self._schemas = {name: schema for schema, name in _TABLE_DATA.findall(listing.stdout.decode("utf-8"))}
        if VERSION_TABLE in self._schemas:
            with self._open_block(VERSION_TABLE) as block:
                self.revisions = {line.decode().strip() for line in block.read_lines()}
        refuse_other_schemas(self, set(self._schemas))
        # A dump has no checksums, so reading every row is the only possible check.
        self.row_counts = {
            name: self._count_rows(name) for name in sorted(self._schemas) if name != VERSION_TABLE
        }

    def table_columns(self, table: str) -> Sequence[str]:
        return self._columns[table]

    def fill_table(self, connection: sa.Connection, table: str) -> None:
        with self._open_block(table) as block:
            _copy_table(connection, self, table, block)

    def _count_rows(self, table: str) -> int:
        with self._open_block(table) as block:
            self._columns[table] = block.columns
            return sum(1 for _ in block.read_lines())

    @contextlib.contextmanager
    def _open_block(self, table: str) -> Iterator[_CopyBlock]:
        """Open the rows of one table, as pg_restore writes them for COPY."""
        command = [self._program, "--data-only", f"--schema={self._schemas[table]}", f"--table={table}"]
        command += ["--file=-", str(self.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                block = _CopyBlock(process.stdout)
                yield block
                for _ in process.stdout:
                    pass
                stderr = process.stderr.read()
            finally:
                # Ends pg_restore if not all rows were read.
                process.stdout.close()
        if process.returncode != 0 or not block.ended:
            raise damaged_backup(self.path, _first_line(stderr))


class _CopyBlock(io.RawIOBase):
    """The rows of one COPY statement in a script.

    Attributes:
        columns: The names of the columns, in order.
        ended: Whether the last row was read.
    """

    def __init__(self, script: IO[bytes]) -> None:
        self._script = script
        self.ended = False
        statement = next((match for line in script if (match := _COPY_STATEMENT.fullmatch(line))), None)
        self.columns = (
            [_unquote_name(name) for name in statement[1].decode("utf-8").split(", ")] if statement else []
        )

    def read_lines(self) -> Iterator[bytes]:
        for line in self._script:
            if line == b"\\.\n":
                self.ended = True
                return
            yield line

    def read(self, size: int = -1) -> bytes:
        """Return whole lines of at least ``size`` bytes in total; nothing at the end."""
        if self.ended:
            return b""
        lines: list[bytes] = []
        length = 0
        for line in self.read_lines():
            lines.append(line)
            length += len(line)
            if length >= size >= 0:
                break
        return b"".join(lines)


def _unquote_name(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _first_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").splitlines()
    return lines[0].rstrip(".") if lines else "the file ends too early"
