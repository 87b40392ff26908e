"""A copy of a whole database in one file, made while others work on it."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown import clock, codec
from lavendertown.config import load_settings
from lavendertown.database.errors import where
from lavendertown.database.schema import revisions
from lavendertown.errors import StorageError, StorageUnavailableError

ARCHIVE_FORMAT = 1


def backup(engine: Engine, folder: Path | None = None) -> Path:
    """Copy a database and return the copy.

    SQLite: another SQLite file, made by the online backup and checked. PostgreSQL: a custom-format
    file of ``pg_dump`` where that is installed and new enough; else our own archive, a zip with the
    tables' definitions and one CSV a table, all read in one transaction.

    Args:
        engine: The database.
        folder: Where the copy is put; ``backups`` beside the SQLite file, or in the data folder.

    Raises:
        StorageError: The copy could not be made, or is not whole.
    """
    folder = folder or _beside(engine.url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "sqlite":
            return _copy_sqlite(engine.url, _free(folder, engine, ".db"))
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
    with engine.connect() as connection:
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
    except sqlite3.Error as error:
        draft.unlink(missing_ok=True)
        raise StorageError(
            f"{where(url)} could not be backed up ({error}); nothing was changed. Free some space, or "
            "restore it from an earlier backup."
        ) from error
    if found != "ok":
        draft.unlink()
        raise StorageError(
            f"{where(url)} is damaged ({found}); nothing was changed. Restore it from a backup."
        )
    return draft.rename(target)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)


def _dump(engine: Engine, folder: Path) -> Path | None:
    """Use pg_dump; None where there is none, or only one older than the server."""
    program = shutil.which("pg_dump")
    if program is None or _version_of(program) < _server_version(engine):
        return None
    target = _free(folder, engine, ".dump")
    draft = target.with_name(f"{target.name}.part")
    url = engine.url
    place = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    # The password must not stand among the arguments, which everybody on the machine can read.
    environ = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [program, "--format=custom", f"--file={draft}", "--no-password", f"--dbname={place}"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        draft.unlink(missing_ok=True)
        first = next(iter(done.stderr.splitlines()), "no reason given")
        raise StorageError(f"{where(url)} could not be backed up; nothing was changed: {first}")
    return draft.rename(target)


def _version_of(program: str) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return int(next(part for part in done.stdout.split() if part[0].isdigit()).split(".")[0])


def _server_version(engine: Engine) -> int:
    with engine.connect() as connection:
        number = connection.scalar(sa.text("SHOW server_version_num"))
    return int(number or 0) // 10_000


def _archive(engine: Engine, target: Path) -> Path:
    """Write our own archive: ``manifest.json`` and ``tables/NAME.csv``, in PostgreSQL's CSV."""
    draft = target.with_name(f"{target.name}.part")
    snapshot = engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with snapshot as connection, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        found = sa.MetaData()
        found.reflect(connection)
        tables = [_put(connection, archive, table) for table in found.sorted_tables]
        manifest = {
            "format": ARCHIVE_FORMAT,
            "database": engine.url.database,
            "server": connection.scalar(sa.text("SHOW server_version")),
            "made_at": clock.now().isoformat(),
            "tables": tables,
        }
        archive.writestr("manifest.json", codec.dumps(manifest, indent=True))
    return draft.rename(target)


def _put(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> dict[str, Any]:
    """Write one table's rows; return what the manifest says of it."""
    name = connection.dialect.identifier_preparer.format_table(table)
    part = f"tables/{table.name}.csv"
    with archive.open(part, "w", force_zip64=True) as file:
        lines = _Hashed(file)
        raw = connection.connection.cursor()
        raw.copy_expert(f"COPY {name} TO STDOUT (FORMAT csv, HEADER true)", lines)
        raw.close()
    return {
        "name": table.name,
        "file": part,
        "rows": connection.scalar(sa.select(sa.func.count()).select_from(table)),
        "sha256": lines.digest(),
        "definition": [str(sa.schema.CreateTable(table).compile(connection)).strip()]
        + [str(sa.schema.CreateIndex(index).compile(connection)) for index in table.indexes],
    }


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
