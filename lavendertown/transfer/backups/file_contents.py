"""Open the contents of a backup or export, to replace the contents of a store.

Physical copies (SQLite files, dumps of ``pg_dump``) are copied row by row into a database of the same kind.
Archives and exports are read as the source of a migration, together with their tables without records.
"""

from __future__ import annotations

import contextlib
import shlex
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError, StorageError
from lavendertown.records.record_classes import MigrationRecord
from lavendertown.records.store import Store
from lavendertown.records.write_path import ImportBatch
from lavendertown.stores import zip_files
from lavendertown.transfer.backups.archive import damaged_file_error, is_archive, open_archive
from lavendertown.transfer.locations import SQLITE_HEADER, StoreLocation, database_libraries, parse_location
from lavendertown.transfer.migrator import Migrator
from lavendertown.transfer.progress import ProgressReporter
from lavendertown.transfer.readers.folder_source import FolderSource
from lavendertown.transfer.readers.opening import open_source
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source
from lavendertown.transfer.target import Target
from lavendertown.transfer.values import MigrationRequest

if TYPE_CHECKING:
    from lavendertown.stores.sql.copies.backup_reader import BackupReader
    from lavendertown.stores.sql.copies.csv_reader import CsvTables
    from lavendertown.stores.sql.copies.replace_all import ReplaceTransaction

_BACKEND_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class FileContents(ABC):
    """The contents of an open, undamaged file.

    Attributes:
        is_strict: Whether foreign keys are checked immediately, for each row.
    """

    is_strict = False

    @abstractmethod
    def refuse_unfit_store(self, location: StoreLocation) -> None:
        """Raise an error if the contents cannot be put into a store of this kind.

        Raises:
            InvalidInputError: They cannot.
        """

    @abstractmethod
    def check_tables(self, tables: Sequence[Any], row_counts: Mapping[str, int]) -> None:
        """Raise an error if the tables of a database do not match, or have rows the file does not replace.

        Args:
            tables: The database's tables.
            row_counts: The number of rows of each table.

        Raises:
            SchemaError: The tables do not match.
        """

    @abstractmethod
    def fill_database(self, database: ReplaceTransaction, location: StoreLocation) -> None:
        """Write the contents into an emptied database, inside its transaction."""

    def fill_store(self, store: Store, location: StoreLocation) -> None:
        """Write the records into an empty store."""
        raise NotImplementedError


class DatabaseCopyContents(FileContents):
    """A physical copy of a database, for a database of the same kind."""

    def __init__(self, copy: BackupReader) -> None:
        self._copy = copy
        self._columns = {table: set(copy.table_columns(table)) for table in copy.row_counts}

    def refuse_unfit_store(self, location: StoreLocation) -> None:
        if self._copy.backend != location.kind:
            raise InvalidInputError(
                f"{self._copy.path} is a backup of {_BACKEND_NAMES[self._copy.backend]} and cannot be "
                f"restored into {location.display_name}; nothing was changed. For another kind of store, use "
                "lavendertown migrate, or lavendertown db backup --archive and lavendertown db restore."
            )

    def check_tables(self, tables: Sequence[Any], row_counts: Mapping[str, int]) -> None:
        from lavendertown.stores.sql.copies.replace_all import refuse_other_tables

        tables = [table for table in tables if not self._is_upgraded(table.name)]
        columns = {name: names for name, names in self._columns.items() if not self._is_upgraded(name)}
        refuse_other_tables(str(self._copy.path), columns, tables, row_counts)

    def fill_database(self, database: ReplaceTransaction, location: StoreLocation) -> None:
        from lavendertown.stores.sql.copies.content_checks import refuse_unreadable
        from lavendertown.stores.sql.copies.postgres_backup_reader import fill_upgraded

        if self._copy.is_older:
            fill_upgraded(database.connection, self._copy)
        for table in database.tables:
            if table.name in self._copy.row_counts and not self._is_upgraded(table.name):
                self._copy.fill_table(database.connection, table.name)
        refuse_unreadable(database.connection, self._copy.path.name)

    def _is_upgraded(self, table: str) -> bool:
        """Return whether a table is one of LavenderTown's own, in a copy of an earlier schema."""
        from lavendertown.stores.sql.schema.tables import metadata

        return self._copy.is_older and table in metadata.tables


class RecordContents(FileContents):
    """Records that are read as the source of a migration, and other tables as CSV.

    Args:
        path: The file.
        source: The records.
        csv_tables: The tables; None if the file has none.
        table_names: The names of the tables without records.
    """

    is_strict = True

    def __init__(
        self, path: Path, source: Source, csv_tables: CsvTables | None, table_names: Sequence[str]
    ) -> None:
        self._path = path
        self._source = source
        self._csv_tables = csv_tables
        self._table_names = table_names

    def refuse_unfit_store(self, location: StoreLocation) -> None:
        foreign = sorted(set(self._table_names) - {"seed_runs"})
        if location.folder is not None and foreign:
            raise InvalidInputError(
                f"{self._path} has a table {foreign[0]!r}, which cannot be restored into a data folder; "
                "nothing was changed. Restore it into a database."
            )

    def check_tables(self, tables: Sequence[Any], row_counts: Mapping[str, int]) -> None:
        from lavendertown.stores.sql.copies.replace_all import refuse_other_tables

        other_tables = self._tables_without_records(tables)
        columns = self._csv_tables.column_names if self._csv_tables is not None else {}
        columns = {name: names for name, names in columns.items() if name in self._table_names}
        refuse_other_tables(str(self._path), columns, other_tables, row_counts)
        if self._csv_tables is not None:
            self._csv_tables.refuse_other_types(other_tables)
            self._csv_tables.raise_problems(self._csv_tables.find_problems(other_tables))

    def fill_database(self, database: ReplaceTransaction, location: StoreLocation) -> None:
        from lavendertown.stores.sql.transaction_store import TransactionStore

        self.fill_store(TransactionStore(database.connection), location)
        if self._csv_tables is None:
            return
        for table in self._tables_without_records(database.tables):
            self._csv_tables.raise_problems(self._csv_tables.fill_table(database.connection, table))

    def fill_store(self, store: Store, location: StoreLocation) -> None:
        target = Target(location, store)
        options = {"was_empty": True}
        ledger = MigrationRecord(
            "restore", self._path.name, location.display_name, "internal", clock.now(), options
        )
        migrator = Migrator(
            MigrationRequest("", ""),
            self._source,
            target,
            ledger,
            ProgressReporter(None, passes=2),
            dry_run=False,
        )
        # This is not a migration, so the ledger of migrations gets no entry.
        migrator.continue_after(ledger, frozenset())
        migrator.copy_everything()
        self._refuse_unreadable()
        migrator.verify_target()
        if differences := migrator.build_outcome().differences:
            raise StorageError(f"Nothing was changed, because the copy would be incomplete: {differences[0]}")
        for migration in self._source.store.migrations() if self._source.store is not None else ():
            target.import_records(ImportBatch(migration=migration))
        self._refuse_unreadable()

    def _refuse_unreadable(self) -> None:
        items = self._source.quarantine.items
        if items:
            more = f", and {len(items) - 1:,} more items are" if len(items) > 1 else ""
            raise InvalidInputError(
                f"{self._path} cannot be used: {items[0].item} is damaged ({items[0].reason.rstrip('.')})"
                f"{more}; nothing was changed. Choose another file."
            )

    def _tables_without_records(self, tables: Sequence[Any]) -> list[Any]:
        from lavendertown.stores.sql.schema.all_tables import RECORD_TABLE_NAMES

        return [table for table in tables if table.name not in RECORD_TABLE_NAMES]


@contextlib.contextmanager
def open_contents(path: Path) -> Iterator[FileContents]:
    """Open and check a backup or an export of any kind.

    Raises:
        InvalidInputError: The file is of another kind, or damaged.
        SchemaError: The file belongs to another program or a newer version.
        StorageError: The file is a dump, and pg_restore is not installed.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"There is no file {path}; nothing was changed. Choose a backup or an export."
        ) from error
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror}); nothing was changed. Choose a backup or an export."
        ) from error
    if head.startswith(b"PK"):
        opened = _open_zip(path)
    elif head == SQLITE_HEADER or head.startswith(b"PGDMP"):
        opened = _open_copy(path, is_dump=head != SQLITE_HEADER)
    else:
        raise InvalidInputError(
            f"{path} is not a backup: it is not an archive or export of LavenderTown, not a SQLite database "
            "and not a dump of pg_dump. Nothing was changed. Choose another file."
        )
    with opened as contents:
        yield contents


@contextlib.contextmanager
def _open_copy(path: Path, *, is_dump: bool) -> Iterator[FileContents]:
    with database_libraries():
        from lavendertown.stores.sql.copies.backup_reader import open_sqlite_backup
        from lavendertown.stores.sql.copies.postgres_backup_reader import open_dump
    with open_dump(path) if is_dump else open_sqlite_backup(path) as copy:
        yield DatabaseCopyContents(copy)


@contextlib.contextmanager
def _open_zip(path: Path) -> Iterator[FileContents]:
    with contextlib.ExitStack() as stack:
        try:
            zip_file = stack.enter_context(zipfile.ZipFile(path))
            manifest = zip_files.read_manifest(zip_file)
            has_archive_layout = is_archive(zip_file, manifest)
        except zip_files.UNREADABLE_ZIP_ERRORS as error:
            raise damaged_file_error(path, str(error) or type(error).__name__) from error
        if manifest is not None and "bundle" in manifest:
            raise InvalidInputError(
                f"{path} is a bundle of reports, not a backup of a store; nothing was changed. Merge it into "
                f"this store with: lavendertown import {shlex.quote(str(path))}"
            )
        if has_archive_layout:
            yield _archive_contents(stack, path, zip_file, manifest)
        elif manifest is not None and "export" in manifest:
            yield _export_contents(stack, path, zip_file, manifest)
        elif manifest is not None and "format" in manifest:
            with database_libraries():
                from lavendertown.stores.sql.copies.postgres_backup_reader import open_table_archive
            yield DatabaseCopyContents(open_table_archive(path, zip_file, manifest))
        else:
            raise InvalidInputError(
                f"{path} is a zip file, but not a backup or export of LavenderTown; nothing was changed. "
                "Choose another file."
            )


def _archive_contents(
    stack: contextlib.ExitStack, path: Path, zip_file: zipfile.ZipFile, manifest: Mapping[str, Any] | None
) -> FileContents:
    archive = stack.enter_context(open_archive(path, zip_file, manifest))
    source = FolderSource(archive.folder, None, Quarantine())
    tables = archive.manifest["tables"]
    if not tables:
        return RecordContents(path, source, None, ())
    with database_libraries():
        from lavendertown.stores.sql.copies.csv_reader import CsvTables
    return RecordContents(
        path, source, CsvTables(path, zip_file, tables), [table["name"] for table in tables]
    )


def _export_contents(
    stack: contextlib.ExitStack, path: Path, zip_file: zipfile.ZipFile, manifest: Mapping[str, Any]
) -> FileContents:
    """Load the records of an export into a temporary SQLite file, and read that as a source."""
    with database_libraries():
        from lavendertown.stores.sql.copies.csv_reader import open_export, stage_export
        from lavendertown.stores.sql.schema.all_tables import RECORD_TABLE_NAMES
    csv_tables = open_export(path, zip_file, manifest)
    staged = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "staged.db"
    stage_export(csv_tables, manifest["revision"], staged)
    source = open_source(parse_location(f"sqlite:///{staged}"), None, Quarantine())
    stack.callback(source.close)
    return RecordContents(path, source, csv_tables, sorted(csv_tables.row_counts.keys() - RECORD_TABLE_NAMES))
