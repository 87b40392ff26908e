"""All tables of a database as a zip of CSV files."""

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

from lavendertown import __version__, clock, codec
from lavendertown.database import cells, schema
from lavendertown.database.backup import keep
from lavendertown.database.engine import BEGIN, make_engine, read_url
from lavendertown.database.errors import translated
from lavendertown.database.replace import USABLE, columns_of, tables_of
from lavendertown.database.schema import State
from lavendertown.database.upgrade import refuse
from lavendertown.errors import InvalidInputError, StorageError, StorageUnavailableError

EXPORT_FORMAT = 1
_ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class Exported:
    """An export that was made.

    Attributes:
        file: The zip.
        rows: How many rows of each table are in it.
    """

    file: Path
    rows: Mapping[str, int]


def export(database_url: str, file: Path | str) -> Exported:
    """Write every table as CSV, with a manifest, into a new zip file; all of one moment.

    ``tables/NAME.csv`` has a header and is UTF-8; :mod:`lavendertown.database.cells` says how values
    are written. ``manifest.json`` holds ``export`` (the format), ``revision``, ``null``, ``mark`` and
    ``tables`` in an order in which they can be filled, each with its ``file``, ``rows``, the file's
    ``sha256`` and its ``columns`` with their ``type``. Rows are read a few at a time.

    Raises:
        InvalidInputError: There is a file of that name.
        SchemaError: The database is of another program or version.
        StorageError: A value or type has no place in CSV, or the file could not be written.
        StorageUnavailableError: The database does not answer.
    """
    file, url = Path(file), read_url(database_url)
    if file.exists():
        raise InvalidInputError(f"{file} exists already; nothing was changed. Choose another name.")
    refuse(database_url, State.EMPTY, *USABLE)
    draft = file.with_name(f"{file.name}.part")
    engine = make_engine(url)
    try:
        with translated(url), _snapshot(engine) as connection, zipfile.ZipFile(draft, "w", _DEFLATED) as made:
            tables = [_put(connection, made, table) for table in tables_of(connection)]
            made.writestr("manifest.json", codec.dumps(_manifest(tables), indent=True))
        keep(draft, file)
    except OSError as error:
        raise StorageUnavailableError(
            f"{file} could not be written ({error.strerror or error}); nothing was changed. Free some space "
            "or choose another place, then try again."
        ) from error
    finally:
        engine.dispose()
        draft.unlink(missing_ok=True)
    return Exported(file, {table["name"]: table["rows"] for table in tables})


_DEFLATED = zipfile.ZIP_DEFLATED


def _manifest(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "export": EXPORT_FORMAT,
        "lavendertown": __version__,
        "made_at": clock.now().isoformat(),
        "revision": schema.HEAD,
        "null": cells.NULL,
        "mark": cells.MARK,
        "tables": tables,
    }


def _snapshot(engine: sa.Engine) -> sa.Connection:
    options: dict[str, Any] = {BEGIN: "BEGIN"}
    if engine.dialect.name != "sqlite":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.connect().execution_options(**options)


def _put(connection: sa.Connection, made: zipfile.ZipFile, table: sa.Table) -> dict[str, Any]:
    """Write one table; return what the manifest says of it."""
    kinds = [_kind(table, column) for column in columns_of(table)]
    part = f"tables/{table.name}.csv"
    digest, rows = hashlib.sha256(), 0
    with made.open(part, "w", force_zip64=True) as file:
        for lines, count in _lines(connection, table, kinds):
            digest.update(lines)
            file.write(lines)
            rows += count
    columns = [
        {"name": str(column.name), "type": kind.name, "nullable": bool(column.nullable)}
        for column, kind in zip(columns_of(table), kinds, strict=True)
    ]
    name = str(table.name)
    return {"name": name, "file": part, "rows": rows, "sha256": digest.hexdigest(), "columns": columns}


def _kind(table: sa.Table, column: sa.Column[Any]) -> cells.Kind:
    kind = cells.kind_of(column)
    if kind is None:
        raise StorageError(
            f"The column {column.name!r} of the table {table.name!r} has the type {column.type!r}, which has "
            "no form in CSV; nothing was exported. Back the database up instead, with: lavendertown db backup"
        )
    return kind


def _lines(
    connection: sa.Connection, table: sa.Table, kinds: Sequence[cells.Kind]
) -> Iterator[tuple[bytes, int]]:
    """Yield the header, then some rows at a time, with how many they are."""
    columns = columns_of(table)
    yield _csv([[str(column.name) for column in columns]]), 0
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    found = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for rows in found.partitions():
        yield _csv([_row(table, kinds, row) for row in rows]), len(rows)


def _row(table: sa.Table, kinds: Sequence[cells.Kind], row: Sequence[Any]) -> list[str]:
    made = []
    for column, kind, value in zip(columns_of(table), kinds, row, strict=True):
        try:
            made.append(cells.write(kind, value))
        except ValueError as error:
            raise StorageError(
                f"The column {column.name!r} of the table {table.name!r} holds {str(value)[:50]!r}, which is "
                f"{error}; nothing was exported. Back the database up instead, with: lavendertown db backup"
            ) from error
    return made


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows(rows)
    return made.getvalue().encode("utf-8")
