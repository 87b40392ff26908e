"""A backup is whole, made while others write, and named after what it is of."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import StorageError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies import backup as backups
from lavendertown.stores.sql.copies import export
from lavendertown.stores.sql.schema import upgrade
from lavendertown.transfer.backups.restore import restore_store
from tests.contract.builders import report
from tests.schema.databases import FIRST, copy_of, first_on_postgres, rows, without_keys
from tests.support import postgres
from tests.support.fork_server import run_python


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = make_engine(copy_of(FIRST, tmp_path, "team.db"))
    yield made
    made.dispose()


@pytest.fixture
def server(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    first_on_postgres(postgres_url)
    made = make_engine(postgres_url)
    yield made
    made.dispose()


def test_a_copy_of_sqlite_holds_every_row_in_one_file(engine: sa.Engine, tmp_path: Path) -> None:
    copy = backups.copy_database(engine)
    assert copy.parent == tmp_path / "backups"
    assert re.fullmatch(r"team-\d{8}T\d{6}-0001\.db", copy.name)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert rows(f"sqlite:///{copy}") == rows(f"sqlite:///{FIRST}")


def test_two_copies_in_one_second_have_two_names(engine: sa.Engine) -> None:
    assert backups.copy_database(engine) != backups.copy_database(engine)


def test_a_copy_made_while_others_write_is_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    storage = DatabaseStorage(url)
    storage.save_report(report("r0"))
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            storage.save_report(report(f"r{number}"))

    writer = threading.Thread(target=write)
    writer.start()
    engine = make_engine(url)
    copies = [backups.copy_database(engine) for _ in range(3)]
    stop.set()
    writer.join()
    engine.dispose()
    storage.close()
    for copy in copies:
        with closing(sqlite3.connect(copy)) as raw:
            reports, findings = (
                raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("reports", "findings")
            )
        assert reports == findings >= 1


_KILLED = """
import os, signal, sqlite3, sys, zipfile
from lavendertown.core import atomic_files
from lavendertown.stores.sql.copies import backup
from lavendertown.stores.sql.connection.engine import make_engine
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
atomic_files._flush_to_disk = die
backup.copy_database(make_engine(sys.argv[1]))
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    url = copy_of(FIRST, tmp_path) if kind == "sqlite" else request.getfixturevalue("postgres_url")
    if kind == "postgres":
        first_on_postgres(url)
    before = rows(url)
    done = run_python("-c", _KILLED, url)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = list((tmp_path / "backups").iterdir())
    assert [path.suffix for path in left] == [".part"]
    assert rows(url) == before
    engine = make_engine(url)
    assert backups.copy_database(engine).suffix in (".db", ".zip")
    engine.dispose()


def test_a_damaged_database_is_told_and_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    data = bytearray(FIRST.read_bytes())
    data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(data)
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(StorageError, match="nothing was changed"):
        backups.copy_database(engine)
    engine.dispose()
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.postgres
def test_an_earlier_schema_without_pg_dump_is_backed_up_as_its_tables(
    server: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    copy = backups.copy_database(server)
    expected = rows(server.url.render_as_string(hide_password=False))
    with zipfile.ZipFile(copy) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        tables = {table["name"]: table for table in manifest["tables"]}
        for table in tables.values():
            data = archive.read(table["file"])
            assert hashlib.sha256(data).hexdigest() == table["sha256"]
            assert len(list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))) - 1 == table["rows"]
    assert manifest["revision"] == "0001"
    assert {name: table["rows"] for name, table in tables.items()} == {n: len(r) for n, r in expected.items()}


@pytest.mark.postgres
@pytest.mark.parametrize("goal", ["postgres", "sqlite"])
def test_a_backup_of_an_earlier_schema_is_upgraded_when_it_is_restored(
    goal: str, server: sa.Engine, tmp_path: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    copy = backups.copy_database(server)
    # Rows compare with those of the same kind of database only.
    expected = server.url.render_as_string(hide_password=False)
    other = postgres.create_database(postgres_server)
    if goal == "sqlite":
        expected, other = copy_of(FIRST, tmp_path), f"sqlite:///{tmp_path / 'new.db'}"
    upgrade.upgrade_database(expected, copy_first=False)
    restore_store(other, copy)
    before, after = without_keys(rows(expected)), without_keys(rows(other))
    del before["audit_log"], after["audit_log"]
    assert after == before


@pytest.fixture
def pg_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's own pg_dump as the only program there is; it notes its arguments and password."""
    binaries = postgres.find_binaries()
    real = binaries / "bin" / "pg_dump" if binaries else None
    if real is None or not real.is_file():
        pytest.skip("There is no pg_dump beside the server.")
    noted = tmp_path / "noted"
    place(tmp_path, monkeypatch, f'echo "$@ with $PGPASSWORD" >> "{noted}"\nexec "{real}" "$@"')
    return noted


def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


@pytest.mark.postgres
@pytest.mark.parametrize("in_query", [False, True])
def test_pg_dump_gets_the_password_by_environment_alone(
    server: sa.Engine, pg_dump: Path, in_query: bool
) -> None:
    url = server.url.update_query_dict({"password": "secret%1"}) if in_query else None
    engine = make_engine(url or server.url.set(password="secret%1"))
    copy = backups.copy_database(engine)
    engine.dispose()
    assert (copy.suffix, copy.read_bytes()[:5]) == (".dump", b"PGDMP")
    arguments, password = pg_dump.read_text("utf-8").splitlines()[-1].split(" with ")
    assert (password, "secret" in arguments) == ("secret%1", False)


@pytest.mark.postgres
def test_a_dump_holds_every_row(server: sa.Engine, pg_dump: Path, postgres_server: str) -> None:
    copy = backups.copy_database(server)
    url = postgres.create_database(postgres_server)
    binaries = postgres.find_binaries()
    assert binaries is not None
    subprocess.run([binaries / "bin" / "pg_restore", f"--dbname={url}", copy], check=True)
    assert rows(url) == rows(server.url.render_as_string(hide_password=False))
    postgres.drop_database(postgres_server, url)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "script", ["echo 'pg_dump (PostgreSQL) 9.6.1'", "echo 'install postgresql-client' >&2; exit 1"]
)
def test_without_a_fitting_pg_dump_a_zip_is_written(
    script: str, server: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, monkeypatch, script)
    copy = backups.copy_database(server)
    assert copy.suffix == ".zip"
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


@pytest.mark.postgres
def test_a_dump_that_fails_is_told_and_leaves_no_copy(
    server: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "case $1 in --version) echo 'pg_dump 99.0';; *) echo 'pg_dump: no room' >&2; exit 1;; esac"
    place(tmp_path, monkeypatch, script)
    with pytest.raises(StorageError, match=r"nothing was changed\. pg_dump reported: pg_dump: no room\."):
        backups.copy_database(server)
    assert list((tmp_path / "data" / "backups").iterdir()) == []


@pytest.mark.postgres
def test_a_connection_that_is_cut_is_told_and_leaves_no_copy(
    server: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, monkeypatch, "exit 1")
    other = make_engine(server.url)

    def cut() -> None:
        with other.connect() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    # After the tables were looked at, before their rows are read.
    def put(*args: Any, real: Any = export._write_table) -> Any:
        cut()
        return real(*args)

    monkeypatch.setattr(export, "_write_table", put)
    with pytest.raises(StorageUnavailableError, match=r"nothing was (changed|written)"):
        backups.copy_database(server)
    other.dispose()
    assert list((tmp_path / "data" / "backups").iterdir()) == []
