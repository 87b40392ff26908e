"""Export of all tables of a database to a zip of CSV files."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown import __version__
from lavendertown.core import clock, json_codec
from lavendertown.core.atomic_files import write_atomically
from lavendertown.core.errors import InvalidInputError, StorageError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine, read_url, snapshot_connection
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.copies import csv_cells
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.all_tables import RECORD_TABLE_NAMES, reflect_tables, stored_columns
from lavendertown.stores.sql.schema.revisions import SchemaState

EXPORT_FORMAT = 1
_ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Attributes:
        file: The zip.
        rows: The number of exported rows of each table.
    """

    file: Path
    rows: Mapping[str, int]


def export_database(database_url: str, file: Path | str) -> ExportResult:
    """Export every table of a snapshot of a database to CSV files in a new zip, with a manifest.

    ``tables/NAME.csv`` is UTF-8 with a header; :mod:`lavendertown.stores.sql.copies.csv_cells` describes the
    format of values. ``manifest.json`` has ``export`` (the format), ``revision``, ``null``, ``mark`` and
    ``tables``, referenced tables first, each with its ``file``, ``rows``, the file's ``sha256`` and its
    ``columns`` with their ``type``. Rows are read in batches.

    Raises:
        InvalidInputError: The file exists already.
        SchemaError: The database is empty, or belongs to another program or version.
        StorageError: A value or type cannot be written to CSV.
        StorageUnavailableError: The database does not answer, or the file cannot be written.
    """
    file, url = Path(file), read_url(database_url)
    if file.exists():
        raise InvalidInputError(f"{file} exists already; nothing was changed. Choose another name.")
    revisions.refuse_state(database_url, SchemaState.EMPTY, *revisions.UNUSABLE_STATES)
    engine = make_engine(url)
    try:
        with translate_errors(url):
            written = export_tables(engine, file)
    except OSError as error:
        raise StorageUnavailableError(
            f"{file} could not be written ({error.strerror or error}); nothing was changed. Free some space "
            "or choose another folder, then try again."
        ) from error
    finally:
        engine.dispose()
    return ExportResult(file, {table["name"]: table["rows"] for table in written})


_DEFLATED = zipfile.ZIP_DEFLATED


def write_other_tables(connection: sa.Connection, archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    """Write the tables without records into a zip; return their entries for the manifest.

    Raises:
        StorageError: A value or type cannot be written to CSV.
    """
    others = [table for table in reflect_tables(connection) if table.name not in RECORD_TABLE_NAMES]
    return [_write_table(connection, archive, table) for table in others]


def export_tables(engine: sa.Engine, file: Path) -> list[dict[str, Any]]:
    """Export all tables of a database with any schema to a new zip; return the manifest's entries."""
    with (
        write_atomically(file) as draft,
        snapshot_connection(engine) as connection,
        zipfile.ZipFile(draft, "w", _DEFLATED) as archive,
    ):
        revision = max(revisions.read_revisions(connection), default="")
        written = [_write_table(connection, archive, table) for table in reflect_tables(connection)]
        archive.writestr("manifest.json", json_codec.dumps(_build_manifest(revision, written), indent=True))
    return written


def _build_manifest(revision: str, tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "export": EXPORT_FORMAT,
        "lavendertown": __version__,
        "made_at": clock.now().isoformat(),
        "revision": revision,
        "null": csv_cells.NULL_CELL,
        "mark": csv_cells.FORMULA_MARK,
        "tables": tables,
    }


def _write_table(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> dict[str, Any]:
    """Write one table into a zip; return its entry for the manifest."""
    kinds = [_cell_type(table, column) for column in stored_columns(table)]
    part = f"tables/{table.name}.csv"
    digest, rows = hashlib.sha256(), 0
    with archive.open(part, "w", force_zip64=True) as file:
        for lines, count in _csv_chunks(connection, table, kinds):
            digest.update(lines)
            file.write(lines)
            rows += count
    columns = [
        {"name": str(column.name), "type": kind.name, "nullable": bool(column.nullable)}
        for column, kind in zip(stored_columns(table), kinds, strict=True)
    ]
    name = str(table.name)
    return {"name": name, "file": part, "rows": rows, "sha256": digest.hexdigest(), "columns": columns}


def _cell_type(table: sa.Table, column: sa.Column[Any]) -> csv_cells.CellType:
    kind = csv_cells.cell_type_of(column)
    if kind is None:
        raise StorageError(
            f"The column {column.name!r} of the table {table.name!r} has the type {column.type!r}, which "
            "cannot be written to CSV; nothing was exported. Back up the database instead, with: "
            "lavendertown db backup"
        )
    return kind


def _csv_chunks(
    connection: sa.Connection, table: sa.Table, kinds: Sequence[csv_cells.CellType]
) -> Iterator[tuple[bytes, int]]:
    """Yield the header, then batches of rows, each as CSV with the number of rows."""
    columns = stored_columns(table)
    yield _format_csv([[str(column.name) for column in columns]]), 0
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    result = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for rows in result.partitions():
        yield _format_csv([_csv_row(table, kinds, row) for row in rows]), len(rows)


def _csv_row(table: sa.Table, kinds: Sequence[csv_cells.CellType], row: Sequence[Any]) -> list[str]:
    cells = []
    for column, kind, value in zip(stored_columns(table), kinds, row, strict=True):
        try:
            cells.append(csv_cells.write_cell(kind, value))
        except ValueError as error:
            raise StorageError(
                f"The column {column.name!r} of the table {table.name!r} has the value {str(value)[:50]!r}, "
                f"which is {error}; nothing was exported. Back up the database instead, with: "
                "lavendertown db backup"
            ) from error
    return cells


def _format_csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")
