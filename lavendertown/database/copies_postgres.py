"""Copies of a PostgreSQL database: our own archive, and what pg_dump wrote."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import re
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from lavendertown import codec
from lavendertown.database.backup import ARCHIVE_FORMAT
from lavendertown.database.copies import VERSIONS, Copy, damaged, insert_into, refuse_other_schemas
from lavendertown.database.errors import where
from lavendertown.errors import InvalidInputError, StorageError

_CHUNK = 1 << 20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, OSError, UnicodeDecodeError)
"""What reading a zip file that is not whole may raise."""


def _copy_in(connection: sa.Connection, copy: Copy, table: str, lines: Any, options: str = "") -> None:
    """Hand lines to the server as they are, and see that it took as many rows as there are."""
    statement = f"COPY {insert_into(connection, table, copy.columns(table))} FROM STDIN {options}"
    try:
        with closing(connection.connection.cursor()) as raw:
            raw.copy_expert(statement, lines)
            taken = raw.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        first = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
        raise StorageError(
            f"{where(connection.engine.url)} did not take the table {table!r} of {copy.path.name} ({first}); "
            "nothing was changed. Choose another backup."
        ) from error
    if taken != copy.rows[table]:
        raise damaged(copy.path, f"the table {table!r} has {taken:,} rows, not {copy.rows[table]:,}")


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Copy]:
    """Open and check the archive that :func:`lavendertown.database.backup.backup` makes."""
    with contextlib.ExitStack() as stack:
        try:
            copy = _Archive(path, stack.enter_context(zipfile.ZipFile(path)))
            copy.check()
        except UNREADABLE as error:
            raise damaged(path, str(error) or type(error).__name__) from error
        yield copy


class _Archive(Copy):
    backend = "postgresql"

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        super().__init__(path)
        self._zip = archive
        self._tables: dict[str, Mapping[str, Any]] = {}

    def check(self) -> None:
        manifest = self._manifest()
        self._tables = {table["name"]: table for table in manifest["tables"]}
        self.revisions = {str(manifest["revision"])} if manifest["revision"] else set()
        refuse_other_schemas(self, set(self._tables))
        for name, table in self._tables.items():
            if self._digest(table["file"]) != table["sha256"]:
                raise damaged(self.path, f"the rows of the table {name!r} are not those that were written")
        self.rows = {name: int(table["rows"]) for name, table in self._tables.items() if name != VERSIONS}

    def _manifest(self) -> Mapping[str, Any]:
        found: Any = None
        if "manifest.json" in self._zip.namelist():
            with contextlib.suppress(ValueError):
                found = codec.loads(self._zip.read("manifest.json"))
        if isinstance(found, dict) and "export" in found:
            raise InvalidInputError(
                f"{self.path} is an export, not a backup; nothing was changed. Bring it in with: "
                "lavendertown db import"
            )
        keys = {"name", "file", "rows", "sha256"}
        tables = found.get("tables") if isinstance(found, dict) else None
        listed = isinstance(tables, list) and all(isinstance(t, dict) and keys <= t.keys() for t in tables)
        if not listed or "revision" not in found:
            raise InvalidInputError(
                f"{self.path} is a zip file, but no backup of ours. Nothing was changed. Choose another file."
            )
        if found.get("format") != ARCHIVE_FORMAT:
            raise InvalidInputError(
                f"{self.path} has the archive format {found.get('format')!r}; this version reads "
                f"{ARCHIVE_FORMAT}. Nothing was changed. Restore it with the version that made it."
            )
        return dict(found)

    def _digest(self, part: str) -> str:
        digest = hashlib.sha256()
        with self._zip.open(part) as file:
            while data := file.read(_CHUNK):
                digest.update(data)
        return digest.hexdigest()

    def columns(self, table: str) -> Sequence[str]:
        with self._zip.open(self._tables[table]["file"]) as file:
            return next(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")), [])

    def fill(self, connection: sa.Connection, table: str) -> None:
        with self._zip.open(self._tables[table]["file"]) as lines:
            _copy_in(connection, self, table, lines, "(FORMAT csv, HEADER true)")


@contextlib.contextmanager
def open_dump(path: Path) -> Iterator[Copy]:
    """Open and check a custom-format file of pg_dump, with pg_restore."""
    program = shutil.which("pg_restore")
    if program is None or _silent(program):
        raise StorageError(
            f"{path} is a dump of pg_dump, and pg_restore, which reads it, is not installed. Nothing was "
            "changed. Install PostgreSQL's client programs, then try again."
        )
    copy = _Dump(path, program)
    copy.check()
    yield copy


def _silent(program: str) -> bool:
    """Tell whether it is only Debian's stand-in, without a client behind it."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode != 0


_DATA = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)
_COPY = re.compile(rb"COPY (?:\S+\.)?\S+ \((.*)\) FROM stdin;\n")


class _Dump(Copy):
    backend = "postgresql"

    def __init__(self, path: Path, program: str) -> None:
        super().__init__(path)
        self._program = program
        self._schemas: dict[str, str] = {}
        self._columns: dict[str, Sequence[str]] = {}

    def check(self) -> None:
        listed = subprocess.run([self._program, "--list", self.path], capture_output=True, check=False)
        if listed.returncode != 0:
            raise damaged(self.path, _first(listed.stderr))
        self._schemas = {name: place for place, name in _DATA.findall(listed.stdout.decode("utf-8"))}
        if VERSIONS in self._schemas:
            with self._block(VERSIONS) as block:
                self.revisions = {line.decode().strip() for line in block.lines()}
        refuse_other_schemas(self, set(self._schemas))
        # Reading every row is the only check there is: a dump carries no sums.
        self.rows = {name: self._count(name) for name in sorted(self._schemas) if name != VERSIONS}

    def columns(self, table: str) -> Sequence[str]:
        return self._columns[table]

    def fill(self, connection: sa.Connection, table: str) -> None:
        with self._block(table) as block:
            _copy_in(connection, self, table, block)

    def _count(self, table: str) -> int:
        with self._block(table) as block:
            self._columns[table] = block.columns
            return sum(1 for _ in block.lines())

    @contextlib.contextmanager
    def _block(self, table: str) -> Iterator[_Block]:
        """The rows of one table, as pg_restore writes them for COPY."""
        command = [self._program, "--data-only", f"--schema={self._schemas[table]}", f"--table={table}"]
        command += ["--file=-", str(self.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                block = _Block(process.stdout)
                yield block
                for _ in process.stdout:
                    pass
                said = process.stderr.read()
            finally:
                # Where the rows were not all read, this ends it.
                process.stdout.close()
        if process.returncode != 0 or not block.ended:
            raise damaged(self.path, _first(said))


class _Block(io.RawIOBase):
    """One block of COPY lines in a script, up to the line that ends it.

    Attributes:
        columns: The columns' names, in order.
        ended: The last row was read.
    """

    def __init__(self, script: IO[bytes]) -> None:
        self._script = script
        self.ended = False
        found = next((match for line in script if (match := _COPY.fullmatch(line))), None)
        self.columns = [_unquoted(name) for name in found[1].decode("utf-8").split(", ")] if found else []

    def lines(self) -> Iterator[bytes]:
        for line in self._script:
            if line == b"\\.\n":
                self.ended = True
                return
            yield line

    def read(self, size: int = -1) -> bytes:
        """Return whole lines, about as many bytes as asked for; nothing at the end."""
        if self.ended:
            return b""
        taken: list[bytes] = []
        length = 0
        for line in self.lines():
            taken.append(line)
            length += len(line)
            if length >= size >= 0:
                break
        return b"".join(taken)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _first(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").splitlines()
    return lines[0].rstrip(".") if lines else "it ends too early"
