"""Bringing an export back in: checked to the last row, all or nothing."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import tempfile
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown import codec
from lavendertown.database import cells, schema
from lavendertown.database.copies_postgres import UNREADABLE
from lavendertown.database.engine import read_url
from lavendertown.database.export import EXPORT_FORMAT
from lavendertown.database.replace import Replacing, look_at, refuse_other_tables, replacing
from lavendertown.database.schema import State
from lavendertown.errors import InvalidInputError, LavenderTownError, RefusedRowsError, SchemaError

PROBLEMS = 100
_CHUNK = 1 << 20
_ROWS_AT_ONCE = 200
_Values = dict[str, Any]


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        rows: How many rows of each table were brought in.
        held: How many rows each table had before.
        replaced: The copy of what was there before; None where there was nothing, and in a dry run.
    """

    rows: Mapping[str, int]
    held: Mapping[str, int]
    replaced: Path | None


class _DryRun(Exception):
    """Ends the transaction of a dry run."""


def import_zip(
    database_url: str,
    file: Path | str,
    *,
    actor: str = "internal",
    replace: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Bring in what :func:`lavendertown.database.export.export` wrote, on whichever database.

    Checked in this order: manifest and schema, checksums, columns and types, every cell, and in the
    transaction, what the database itself demands of a row. Rows are counted as a spreadsheet shows
    them: the header is row 1.

    Args:
        database_url: The database; an empty one gets its tables.
        file: The zip.
        actor: Who does it, for the audit log.
        replace: Replace what is there, having backed it up. Without this, tables that hold rows
            are refused.
        dry_run: Do everything, keep no copy, and undo it.

    Raises:
        InvalidInputError: The file is no export, or damaged; or the database holds rows.
        RefusedRowsError: Rows have problems; it lists them, up to 100.
        SchemaError: File or database are of another program or version.
        StorageError: The database does not answer. In every case, nothing was changed.
    """
    file = Path(file)
    with _opened(file) as source:
        tables, held = look_at(database_url)
        refuse_other_tables(str(file), source.columns, tables, held)
        if not replace:
            _refuse_filled(held)
        source.match(tables)
        source.refuse(source.problems(tables))
        with _trial(database_url, dry_run and not held) as url:
            return _load(source, url, actor, replace, dry_run)


def _load(source: _Source, database_url: str, actor: str, replace: bool, dry_run: bool) -> Imported:
    held: Mapping[str, int] = {}
    kept = None
    with contextlib.suppress(_DryRun), replacing(database_url, strictly=True) as place:
        held = place.held
        # What was looked at before may have changed while nobody held it still.
        refuse_other_tables(str(source.path), source.columns, place.tables, held)
        if replace:
            kept = place.clear(keep=not dry_run)
        else:
            _refuse_filled(held)
        for table in place.tables:
            # Rows of later tables may refer to the refused ones: their problems would be noise.
            source.refuse(source.fill(place, table))
        if dry_run:
            raise _DryRun
        told = {"file": source.path.name, "rows": source.rows, "kept": kept.name if kept else None}
        place.finish(actor, "import", source.path.name, told)
    return Imported(source.rows, held, kept)


@contextlib.contextmanager
def _trial(database_url: str, needed: bool) -> Iterator[str]:
    """Where a dry run would have to make a SQLite file, make it elsewhere, for a moment."""
    if not needed or read_url(database_url).get_backend_name() != "sqlite":
        yield database_url
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'trial.db'}"


def _refuse_filled(held: Mapping[str, int]) -> None:
    filled = [name for name, rows in held.items() if rows]
    if filled:
        raise InvalidInputError(
            f"The database holds rows already ({', '.join(sorted(filled))}); nothing was changed. Choose an "
            "empty database, or replace what is there (it is backed up first) with: --replace --yes"
        )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            source = _Source(path, archive, _manifest(path, archive))
            source.check()
        except FileNotFoundError as error:
            raise InvalidInputError(f"There is no file {path}; nothing was changed.") from error
        except UNREADABLE as error:
            raise _damaged(path, str(error) or type(error).__name__) from error
        # The limit is the whole process's; packed rows of a finding are longer than the usual one.
        csv.field_size_limit(2**31 - 1)
        yield source


def _damaged(path: Path, why: str) -> LavenderTownError:
    return InvalidInputError(f"{path} is damaged ({why}); nothing was changed. Export it again.")


def _manifest(path: Path, archive: zipfile.ZipFile) -> Mapping[str, Any]:
    found: Any = None
    if "manifest.json" in archive.namelist():
        with contextlib.suppress(ValueError):
            found = codec.loads(archive.read("manifest.json"))
    keys = {"name", "file", "rows", "sha256", "columns"}
    tables = found.get("tables") if isinstance(found, dict) and "export" in found else None
    listed = isinstance(tables, list) and all(isinstance(t, dict) and keys <= t.keys() for t in tables)
    if not listed or "revision" not in found:
        raise InvalidInputError(
            f"{path} is no export of ours; nothing was changed. A backup is put back with: "
            "lavendertown db restore"
        )
    spoken = (found["export"], found.get("null"), found.get("mark"))
    if spoken != (EXPORT_FORMAT, cells.NULL, cells.MARK):
        raise InvalidInputError(
            f"{path} has the export format {found['export']!r}, which this version does not read; nothing "
            "was changed. Import it with the version that made it."
        )
    return dict(found)


class _Source:
    """An opened export.

    Attributes:
        path: The file.
        rows: How many rows each table has.
        columns: The names of each table's columns.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self.path = path
        self._zip = archive
        self._revision = str(manifest["revision"])
        self._tables: Mapping[str, Mapping[str, Any]] = {t["name"]: t for t in manifest["tables"]}
        self.rows = {name: int(table["rows"]) for name, table in self._tables.items()}
        self.columns = {name: {c["name"] for c in table["columns"]} for name, table in self._tables.items()}

    def check(self) -> None:
        """Refuse another schema's export, and one whose files are not those that were written."""
        found = schema.judge(self._tables.keys(), {self._revision})
        if found is not State.CURRENT:
            kind = {State.OLDER: "an earlier version", State.NEWER: "a newer version"}
            raise SchemaError(
                f"{self.path} was exported by {kind.get(found, 'another program')}; nothing was changed. "
                "Import it with the version that made it, then upgrade that database."
            )
        for table in self._tables.values():
            digest = hashlib.sha256()
            with self._zip.open(table["file"]) as file:
                while data := file.read(_CHUNK):
                    digest.update(data)
            if digest.hexdigest() != table["sha256"]:
                raise _damaged(self.path, f"{table['file']} is not what was written")

    def match(self, tables: Sequence[sa.Table]) -> None:
        """Refuse columns whose type is not the database's."""
        for table in tables:
            for told in self._tables.get(table.name, {"columns": []})["columns"]:
                kind = cells.kind_of(table.columns[told["name"]])
                if kind is None or kind.name != told["type"]:
                    raise SchemaError(
                        f"The column {told['name']!r} of the table {table.name!r} is {told['type']} in "
                        f"{self.path} and {kind.name if kind else 'of another type'} in the database; "
                        "nothing was changed. Choose an export of this schema."
                    )

    def refuse(self, problems: Generator[str, None, None]) -> None:
        """Raise when there are problems, with the first hundred."""
        with contextlib.closing(problems):
            found = list(itertools.islice(problems, PROBLEMS))
        if found:
            many = f"{len(found)} problems" if len(found) > 1 else "a problem"
            more = "at least " if len(found) == PROBLEMS else ""
            raise RefusedRowsError(
                f"{self.path} has {more}{many}; nothing was changed. The first: {found[0]}.", found
            )

    def problems(self, tables: Sequence[sa.Table]) -> Generator[str, None, None]:
        """Read every cell; yield what is wrong, row by row."""
        for table in tables:
            yield from self._problems(table)

    def _problems(self, table: sa.Table) -> Generator[str, None, None]:
        count = 0
        for number, values in self._read(table):
            count += 1
            if isinstance(values, str):
                yield f"{self._place(table, number)}{values}"
        if count != self.rows.get(table.name, 0):
            yield f"{table.name}.csv has {count:,} rows, and the manifest says {self.rows[table.name]:,}"

    def fill(self, place: Replacing, table: sa.Table) -> Generator[str, None, None]:
        """Insert every row of a table; yield what the database does not accept."""
        rows, is_lost = self._read(table), place.is_lost(table)
        while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            found = [(number, values) for number, values in batch if isinstance(values, dict)]
            lost = any(is_lost(values) for _, values in found)
            if not found or (
                not lost and _insert(place.connection, table, [values for _, values in found]) is None
            ):
                continue
            for number, values in found:
                missing = f"there is no report {values['report_key']}" if is_lost(values) else None
                refused = missing or _insert(place.connection, table, [values])
                if refused is not None:
                    yield f"{self._place(table, number)}{refused}"

    def _place(self, table: sa.Table, number: int) -> str:
        return f"{table.name}.csv, row {number:,}: "

    def _read(self, table: sa.Table) -> Iterator[tuple[int, _Values | str]]:
        """Yield each row's number with its values, or with what is wrong with it."""
        told = self._tables.get(table.name)
        if told is None:
            return
        with self._zip.open(told["file"]) as file:
            lines = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), strict=True)
            columns = [table.columns[column["name"]] for column in told["columns"]]
            kinds = [(column, kind) for column in columns if (kind := cells.kind_of(column))]
            try:
                header = next(lines, [])
                if header != [column.name for column in columns]:
                    raise _damaged(self.path, f"the header of {told['file']} is not the manifest's")
                for number, line in enumerate(lines, start=2):
                    yield number, _values(kinds, line)
            except (csv.Error, UnicodeDecodeError) as error:
                raise _damaged(self.path, f"{told['file']}: {error}") from error


def _values(kinds: Sequence[tuple[sa.Column[Any], cells.Kind]], line: Sequence[str]) -> _Values | str:
    """Return a row's values by name, or what is wrong with them."""
    if len(line) != len(kinds):
        return f"has {len(line)} cells, not {len(kinds)}"
    values, wrong = {}, []
    for (column, kind), cell in zip(kinds, line, strict=True):
        try:
            values[column.name] = cells.read(kind, column, cell)
        except ValueError as error:
            wrong.append(f"{column.name} must be {error}, not {cell[:50]!r}")
    return "; ".join(wrong) if wrong else values


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[_Values]) -> str | None:
    """Insert rows, all or none; return why the database refused them."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table), rows)
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
        return (lines[-1] if len(lines) > 1 else lines[0]).rstrip(".") if lines else "refused by the database"
    return None
