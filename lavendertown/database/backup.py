"""A copy of a whole database in one file, made while others work on it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown import clock, codec
from lavendertown.config import load_settings
from lavendertown.database import mariadb
from lavendertown.database.engine import BEGIN
from lavendertown.database.errors import translated, where
from lavendertown.database.schema import revisions
from lavendertown.errors import StorageError, StorageUnavailableError

ARCHIVE_FORMAT = 1


def backup(engine: Engine, folder: Path | None = None) -> Path:
    """Copy a database and return the copy.

    SQLite: another SQLite file, made by the online backup and checked.

    PostgreSQL: a custom-format file of ``pg_dump`` where that is installed and not older than the
    server; else our own archive, all read in one transaction. That is a zip of ``tables/NAME.csv``, as
    ``COPY … (FORMAT csv, HEADER true)`` reads them, and ``manifest.json``: ``format``, ``revision``,
    and ``tables`` in an order in which they can be filled, each with its ``definition`` (statements),
    ``file``, ``rows`` and the file's ``sha256``. Sequences have to be set after the rows are in.

    Args:
        engine: The database.
        folder: Where the copy is put; ``backups`` beside the SQLite file, or in the data folder.

    Raises:
        StorageError: The copy could not be made, or is not whole; or the database is a MariaDB, which has
            a program of its own for this.
    """
    if engine.dialect.name in mariadb.BACKENDS:
        raise StorageError(
            f"{where(engine.url)} cannot be backed up from here; nothing was changed. Use MariaDB's own "
            f"program: mariadb-dump --single-transaction {engine.url.database} > backup.sql"
        )
    folder = folder or _beside(engine.url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "sqlite":
            return _copy_sqlite(engine.url, _free(folder, engine, ".db"))
        with translated(engine.url):
            return _dump(engine, folder) or _archive(engine, _free(folder, engine, ".zip"))
    except OSError as error:
        raise StorageUnavailableError(
            f"{where(engine.url)} could not be backed up to {folder} ({error.strerror or error}); nothing "
            "was changed. Free some space or change the folder's permissions, then try again."
        ) from error


def _beside(url: URL) -> Path:
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").parent / "backups"
    return load_settings().data_dir / "backups"


def _free(folder: Path, engine: Engine, suffix: str) -> Path:
    """Return a name that is not taken: the database's, the time, and the schema's revision."""
    name = Path(engine.url.database or "database").stem
    with engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
        revision = max(revisions(connection), default="unversioned")
    stem = f"{name}-{clock.now():%Y%m%dT%H%M%S}-{revision}"
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    return next(path for number in numbers if not (path := folder / f"{stem}{number}{suffix}").exists())


def _copy_sqlite(url: URL, target: Path) -> Path:
    draft = target.with_name(f"{target.name}.part")
    try:
        with closing(_sqlite(Path(url.database or ""))) as source, closing(_sqlite(draft)) as copy:
            source.backup(copy)
            # The copy is one file, whatever the original is.
            copy.execute("PRAGMA journal_mode=DELETE")
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            why = found.splitlines()[-1]
            raise StorageError(
                f"{where(url)} is damaged ({why}); nothing was changed. Restore it from a backup."
            )
        return keep(draft, target)
    except sqlite3.Error as error:
        raise StorageError(
            f"{where(url)} could not be backed up ({error}); nothing was changed. Free some space, or "
            "restore it from an earlier backup."
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def keep(draft: Path, target: Path) -> Path:
    """Give a finished copy its name, once it is on the disk for good."""
    _flush(draft)
    draft.rename(target)
    _flush(target.parent)
    return target


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)


def _dump(engine: Engine, folder: Path) -> Path | None:
    """Use pg_dump; None where there is none, or only one older than the server."""
    program = shutil.which("pg_dump")
    if program is None or (_version_of(program) or 0) < _server_version(engine):
        return None
    target = _free(folder, engine, ".dump")
    draft = target.with_name(f"{target.name}.part")
    url = engine.url
    password = url.password or url.query.get("password")
    query = {key: value for key, value in url.query.items() if key != "password"}
    # URL.set(password=None) would leave it where it is.
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    place = bare.render_as_string(hide_password=False)
    # The password must not stand among the arguments, which everybody on the machine can read.
    environ = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    command = [program, "--format=custom", f"--file={draft}", "--no-password", f"--dbname={place}"]
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            first = next(iter(done.stderr.splitlines()), "no reason given").rstrip(".")
            raise StorageError(
                f"{where(url)} could not be backed up; nothing was changed. pg_dump said: {first}."
            )
        return keep(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _version_of(program: str) -> int | None:
    """Return its major version; None where it does not say, as Debian's stand-in without a client."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+", done.stdout)
    return int(found[0]) if done.returncode == 0 and found else None


def _server_version(engine: Engine) -> int:
    with engine.connect() as connection:
        number = connection.scalar(sa.text("SHOW server_version_num"))
    return int(number or 0) // 10_000


def _archive(engine: Engine, target: Path) -> Path:
    """Write our own archive: ``manifest.json`` and ``tables/NAME.csv``, in PostgreSQL's CSV."""
    draft = target.with_name(f"{target.name}.part")
    snapshot = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with snapshot as connection, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            found = sa.MetaData()
            found.reflect(connection)
            manifest = {
                "format": ARCHIVE_FORMAT,
                "database": engine.url.database,
                "server": connection.scalar(sa.text("SHOW server_version")),
                "made_at": clock.now().isoformat(),
                "revision": max(revisions(connection), default=None),
                "tables": [_put(connection, archive, table) for table in found.sorted_tables],
            }
            archive.writestr("manifest.json", codec.dumps(manifest, indent=True))
        return keep(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _put(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> dict[str, Any]:
    """Write one table's rows; return what the manifest says of it."""
    name = connection.dialect.identifier_preparer.format_table(table)
    part = f"tables/{table.name}.csv"
    with archive.open(part, "w", force_zip64=True) as file:
        lines = _Hashed(file)
        with _spoken(connection), closing(connection.connection.cursor()) as raw:
            raw.copy_expert(f"COPY {name} TO STDOUT (FORMAT csv, HEADER true)", lines)
    return {
        "name": table.name,
        "file": part,
        "rows": connection.scalar(sa.select(sa.func.count()).select_from(table)),
        "sha256": lines.digest(),
        "definition": [str(sa.schema.CreateTable(table).compile(connection)).strip()]
        + [str(sa.schema.CreateIndex(index).compile(connection)) for index in table.indexes],
    }


@contextmanager
def _spoken(connection: sa.Connection) -> Iterator[None]:
    """What the driver raises when it is asked without SQLAlchemy, as one sentence."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        first = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
        raise StorageUnavailableError(
            f"{where(connection.engine.url)} stopped in the middle of the backup; nothing was changed "
            f"({first}). Try again."
        ) from error


class _Hashed(io.RawIOBase):
    """Writes on, and hashes what passes."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        text = data.encode("utf-8") if isinstance(data, str) else bytes(data)
        self._hash.update(text)
        self._file.write(text)
        return len(data)

    def digest(self) -> str:
        return self._hash.hexdigest()
