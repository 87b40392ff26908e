"""Online backups of a whole database in one file."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.core import clock
from lavendertown.core.atomic_files import find_free_path, write_atomically
from lavendertown.core.errors import StorageError, StorageUnavailableError
from lavendertown.core.settings import load_settings
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.connection.engine import snapshot_connection
from lavendertown.stores.sql.connection.errors import store_name, translate_errors
from lavendertown.stores.sql.connection.postgres import client_environment, without_isolation_option
from lavendertown.stores.sql.copies.export import export_tables
from lavendertown.stores.sql.schema.revisions import read_revisions


def copy_database(
    engine: Engine, folder: Path | None = None, write_archive: Callable[[Path], object] | None = None
) -> Path:
    """Copy a database with any schema to a new file and return its path.

    SQLite: a SQLite file, made by the online backup and checked.

    PostgreSQL: a custom-format dump by ``pg_dump`` if that is installed and not older than the server;
    otherwise a zip.

    Args:
        engine: The database.
        folder: The folder for the copy; by default ``backups`` next to the SQLite file, or in the data
            folder.
        write_archive: Writes the zip; by default, all tables are exported as CSV.

    Raises:
        StorageError: The copy could not be made, or the database is damaged; or it is a MariaDB database,
            which only MariaDB's own program can back up.
    """
    if engine.dialect.name in mariadb.BACKENDS:
        raise StorageError(
            f"LavenderTown cannot back up {store_name(engine.url)}; nothing was changed. Use MariaDB's own "
            f"program: mariadb-dump --single-transaction {engine.url.database} > backup.sql"
        )
    folder = folder or _default_folder(engine.url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if engine.dialect.name == "sqlite":
            return _copy_sqlite(engine.url, _free_backup_path(folder, engine, ".db"))
        with translate_errors(engine.url):
            copy = _run_pg_dump(engine, folder)
            if copy is None:
                copy = _free_backup_path(folder, engine, ".zip")
                (write_archive or partial(export_tables, engine))(copy)
            return copy
    except OSError as error:
        raise StorageUnavailableError(
            f"{store_name(engine.url)} could not be backed up to {folder} ({error.strerror or error}); "
            "nothing was changed. Free some space or change the folder's permissions, then try again."
        ) from error


def _default_folder(url: URL) -> Path:
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").parent / "backups"
    return load_settings().data_dir / "backups"


def _free_backup_path(folder: Path, engine: Engine, suffix: str) -> Path:
    """Return an unused path with the name of the database, the time and the schema's revision."""
    name = Path(engine.url.database or "database").stem
    with snapshot_connection(engine) as connection:
        revision = max(read_revisions(connection), default="unversioned")
    return find_free_path(folder, f"{name}-{clock.now():%Y%m%dT%H%M%S}-{revision}", suffix)


def _copy_sqlite(url: URL, target: Path) -> Path:
    try:
        with write_atomically(target) as draft:
            with (
                closing(_open_sqlite(Path(url.database or ""))) as source,
                closing(_open_sqlite(draft)) as copy,
            ):
                source.backup(copy)
                # In WAL mode, the copy would need more than one file.
                copy.execute("PRAGMA journal_mode=DELETE")
                (result,) = copy.execute("PRAGMA integrity_check").fetchone()
            if result != "ok":
                reason = result.splitlines()[-1]
                raise StorageError(
                    f"{store_name(url)} is damaged ({reason}); nothing was changed. Restore it from a backup."
                )
    except sqlite3.Error as error:
        raise StorageError(
            f"{store_name(url)} could not be backed up ({error}); nothing was changed. Free some space, or "
            "restore it from an earlier backup."
        ) from error
    return target


def _open_sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)


def _run_pg_dump(engine: Engine, folder: Path) -> Path | None:
    """Back up with pg_dump and return the file; None if pg_dump is missing or older than the server."""
    program = shutil.which("pg_dump")
    if program is None or (_program_version(program) or 0) < _server_version(engine):
        return None
    target = _free_backup_path(folder, engine, ".dump")
    url = engine.url
    password = url.password or url.query.get("password")
    query = {key: value for key, value in without_isolation_option(url).query.items() if key != "password"}
    # URL.set(password=None) would keep the password.
    url_without_password = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, query
    )
    connection_string = url_without_password.render_as_string(hide_password=False)
    # Not among the arguments, which every user of the machine can read.
    environ = {**client_environment(url), **({"PGPASSWORD": str(password)} if password else {})}
    with write_atomically(target) as draft:
        command = [
            program,
            "--format=custom",
            f"--file={draft}",
            "--no-password",
            f"--dbname={connection_string}",
        ]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = next(iter(done.stderr.splitlines()), "no reason given").rstrip(".")
            raise StorageError(
                f"{store_name(url)} could not be backed up; nothing was changed. pg_dump reported: {reason}."
            )
    return target


def _program_version(program: str) -> int | None:
    """Return a program's major version; None if it fails, like Debian's wrapper without a client."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\d+", done.stdout)
    return int(match[0]) if done.returncode == 0 and match else None


def _server_version(engine: Engine) -> int:
    with engine.connect() as connection:
        number = connection.scalar(sa.text("SHOW server_version_num"))
    return int(number or 0) // 10_000
