"""Reading the CSV tables of an export, with a check of every cell and problems named by table and row.

Rows are numbered as in a spreadsheet: the header is row 1.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown.core.errors import InvalidInputError, LavenderTownError, RefusedRowsError, SchemaError
from lavendertown.stores import zip_files
from lavendertown.stores.sql.connection.engine import make_engine, read_url
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.copies import csv_cells
from lavendertown.stores.sql.copies.backup_reader import upgrade_rows
from lavendertown.stores.sql.copies.content_checks import refuse_wrong_values
from lavendertown.stores.sql.copies.export import EXPORT_FORMAT
from lavendertown.stores.sql.schema import legacy_07, revisions
from lavendertown.stores.sql.schema.all_tables import RECORD_TABLE_NAMES, reflect_tables, stored_columns
from lavendertown.stores.sql.schema.revisions import SchemaState
from lavendertown.stores.sql.schema.upgrade import schema_change
from lavendertown.stores.sql.statements.column_types import UtcDateTime

MAX_PROBLEMS = 100
_ROWS_AT_ONCE = 200
_RowValues = dict[str, Any]


def _damaged_export(path: Path, reason: str) -> LavenderTownError:
    return InvalidInputError(f"{path} is damaged ({reason}); nothing was changed. Export it again.")


def open_export(path: Path, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> CsvTables:
    """Check an export and return its tables.

    Raises:
        InvalidInputError: The export is damaged, or has an unknown format.
        SchemaError: The export was made by another program or a newer version.
    """
    file_format = (manifest["export"], manifest.get("null"), manifest.get("mark"))
    if file_format != (EXPORT_FORMAT, csv_cells.NULL_CELL, csv_cells.FORMULA_MARK):
        raise InvalidInputError(
            f"{path} has the export format {manifest['export']!r}, which this version cannot read; nothing "
            "was changed. Import it with the version that made it."
        )
    try:
        zip_files.check_unpacked_sizes(archive)
        problem = zip_files.find_manifest_problem(manifest, with_columns=True)
        if problem is None and not isinstance(manifest.get("revision"), str):
            problem = f"revision is {manifest.get('revision')!r}, not text"
        if problem is not None:
            raise _damaged_export(path, problem)
        tables = CsvTables(path, archive, manifest["tables"])
        tables.check_export(str(manifest["revision"]))
    except zip_files.UNREADABLE_ZIP_ERRORS as error:
        raise _damaged_export(path, str(error) or type(error).__name__) from error
    return tables


def stage_export(source: CsvTables, revision: str, file: Path) -> None:
    """Fill a new SQLite file with the records of an export and upgrade it to this version's schema.

    The tables of LavenderTown 0.7, which have no revision, are created as in the export.

    Raises:
        RefusedRowsError: Rows have problems; the error lists up to 100 of them.
        SchemaError: The export's tables or columns do not match its revision.
    """
    engine = make_engine(read_url(f"sqlite:///{file}"))
    try:
        with translate_errors(engine.url):
            with engine.begin() as connection:
                if revision:
                    revisions.run_migrations(connection, revision)
                    tables = [
                        table for table in reflect_tables(connection) if table.name in RECORD_TABLE_NAMES
                    ]
                    source.refuse_other_columns(tables, revision)
                    source.adopt_types(tables)
                else:
                    tables = source.create_tables(connection, legacy_07.LEGACY_TABLES)
                source.refuse_other_types(tables)
                source.raise_problems(source.find_problems(tables))
                for table in tables:
                    # Stop at the first table with problems: rows that refer to its rows would fail too.
                    source.raise_problems(source.fill_table(connection, table))
            if revision:
                with schema_change(engine) as connection:
                    upgrade_rows(connection, source.path)
                    refuse_wrong_values(connection, source.path.name)
    finally:
        engine.dispose()


class CsvTables:
    """The tables in an open zip.

    Args:
        path: The file.
        archive: The open file.
        tables: The tables in its manifest.

    Attributes:
        path: The file.
        row_counts: The number of rows of each table.
        column_names: The column names of each table.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, tables: Sequence[Mapping[str, Any]]) -> None:
        self.path = path
        self._zip = archive
        self._tables = {table["name"]: table for table in tables}
        # The limit applies to the whole process. The default is too low for the packed rows of a finding.
        csv.field_size_limit(zip_files.MAX_CELL_LENGTH)
        self.row_counts = {name: int(table["rows"]) for name, table in self._tables.items()}
        self.column_names = {
            name: {c["name"] for c in table["columns"]} for name, table in self._tables.items()
        }

    def check_export(self, revision: str) -> None:
        """Refuse an export of a newer or foreign schema, and one whose files do not match their digests."""
        state = revisions.classify_tables(self._tables.keys(), {revision} if revision else set())
        is_legacy = not revision and legacy_07.FINDINGS_COLUMN in self.column_names.get("reports", ())
        if state not in (SchemaState.CURRENT, SchemaState.OLDER) and not is_legacy:
            origin = "a newer version" if state is SchemaState.NEWER else "another program"
            raise SchemaError(
                f"{self.path} was exported by {origin}; nothing was changed. Import it with the version that "
                "made it."
            )
        for table in self._tables.values():
            if zip_files.compute_member_digest(self._zip, table["file"]) != table["sha256"]:
                raise _damaged_export(self.path, f"{table['file']} does not match its checksum")

    def refuse_other_types(self, tables: Sequence[sa.Table]) -> None:
        """Refuse columns that have another type in the database."""
        for table in tables:
            for described in self._tables.get(table.name, {"columns": []})["columns"]:
                column = table.columns[described["name"]]
                if csv_cells.reading_type_of(column, described["type"]) is None:
                    kind = csv_cells.cell_type_of(column)
                    expected = kind.name if kind else "of another type"
                    raise SchemaError(
                        f"The column {described['name']!r} of the table {table.name!r} is "
                        f"{described['type']} in {self.path} and {expected} in the database; "
                        "nothing was changed. Choose an export of this schema."
                    )

    def refuse_other_columns(self, tables: Sequence[sa.Table], revision: str) -> None:
        """Refuse record tables whose columns are not those of the export's revision."""
        columns_by_table = {
            table.name: {str(column.name) for column in stored_columns(table)} for table in tables
        }
        for name in self._tables.keys() & RECORD_TABLE_NAMES:
            if differing := sorted(self.column_names[name] ^ columns_by_table.get(name, set())):
                raise SchemaError(
                    f"{self.path} has the schema revision {revision}, but its table {name!r} differs from it "
                    f"(column {differing[0]!r}); nothing was changed. Choose another export."
                )

    def create_tables(self, connection: sa.Connection, names: Sequence[str]) -> list[sa.Table]:
        """Create those of the named tables that the export has, with the columns in the manifest."""
        metadata = sa.MetaData()
        for name in self._tables.keys() & set(names):
            columns = [
                sa.Column(c["name"], csv_cells.column_type_of(c["type"]))
                for c in self._tables[name]["columns"]
            ]
            sa.Table(name, metadata, *columns)
        metadata.create_all(connection)
        return metadata.sorted_tables

    def adopt_types(self, tables: Sequence[sa.Table]) -> None:
        """Set the type of time columns, which SQLite reflects as integers in tables of an earlier schema."""
        for table in tables:
            for described in self._tables.get(table.name, {"columns": []})["columns"]:
                column = table.columns[described["name"]]
                if described["type"] in ("moment", "time") and isinstance(column.type, sa.Integer):
                    column.type = UtcDateTime()

    def raise_problems(self, problems: Generator[str, None, None]) -> None:
        """Raise an error with up to 100 problems, if there are any."""
        with contextlib.closing(problems):
            first_problems = list(itertools.islice(problems, MAX_PROBLEMS))
        if first_problems:
            count = f"{len(first_problems)} problems" if len(first_problems) > 1 else "a problem"
            at_least = "at least " if len(first_problems) == MAX_PROBLEMS else ""
            raise RefusedRowsError(
                f"{self.path} has {at_least}{count}; nothing was changed. The first: {first_problems[0]}.",
                first_problems,
            )

    def find_problems(self, tables: Sequence[sa.Table]) -> Generator[str, None, None]:
        """Read every cell and yield the problems, row by row."""
        for table in tables:
            yield from self._table_problems(table)

    def _table_problems(self, table: sa.Table) -> Generator[str, None, None]:
        count = 0
        for number, values in self._read_rows(table):
            count += 1
            if isinstance(values, str):
                yield f"{self._row_location(table, number)}{values}"
        if count != self.row_counts.get(table.name, 0):
            expected = self.row_counts[table.name]
            yield f"{table.name}.csv has {count:,} rows, but the manifest says {expected:,}"

    def fill_table(self, connection: sa.Connection, table: sa.Table) -> Generator[str, None, None]:
        """Insert every row of a table; yield the rows that the database refuses, with the reason."""
        rows = self._read_rows(table)
        while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            valid_rows = [(number, values) for number, values in batch if isinstance(values, dict)]
            if (
                not valid_rows
                or _insert_rows(connection, table, [values for _, values in valid_rows]) is None
            ):
                continue
            for number, values in valid_rows:
                refused = _insert_rows(connection, table, [values])
                if refused is not None:
                    yield f"{self._row_location(table, number)}{refused}"

    def _row_location(self, table: sa.Table, number: int) -> str:
        return f"{table.name}.csv, row {number:,}: "

    def _read_rows(self, table: sa.Table) -> Iterator[tuple[int, _RowValues | str]]:
        """Yield each row's number with its values, or with a description of its problems."""
        described = self._tables.get(table.name)
        if described is None:
            return
        with self._zip.open(described["file"]) as file:
            lines = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), strict=True)
            columns = [table.columns[column["name"]] for column in described["columns"]]
            kinds = [
                (column, kind)
                for column, each in zip(columns, described["columns"], strict=True)
                if (kind := csv_cells.reading_type_of(column, each["type"]))
            ]
            try:
                header = next(lines, [])
                if header != [column.name for column in columns]:
                    raise _damaged_export(
                        self.path, f"the header of {described['file']} differs from the manifest"
                    )
                for number, line in enumerate(lines, start=2):
                    yield number, _parse_row(kinds, line)
            except (csv.Error, UnicodeDecodeError) as error:
                raise _damaged_export(self.path, f"{described['file']}: {error}") from error


def _parse_row(
    kinds: Sequence[tuple[sa.Column[Any], csv_cells.CellType]], line: Sequence[str]
) -> _RowValues | str:
    """Return a row's values by column name, or a description of its problems."""
    if len(line) != len(kinds):
        return f"has {len(line)} cells, not {len(kinds)}"
    values, problems = {}, []
    for (column, kind), cell in zip(kinds, line, strict=True):
        try:
            values[column.name] = csv_cells.read_cell(kind, column, cell)
        except ValueError as error:
            problems.append(f"{column.name} must be {error}, not {cell[:50]!r}")
    return "; ".join(problems) if problems else values


def _insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[_RowValues]) -> str | None:
    """Insert all rows or none; return the reason if the database refused them."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table), rows)
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
        return (lines[-1] if len(lines) > 1 else lines[0]).rstrip(".") if lines else "refused by the database"
    return None
