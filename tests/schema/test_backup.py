"""A backup is whole, made while others write, and named after what it is of."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database import backup as backups
from lavendertown.database.engine import make_engine
from lavendertown.errors import StorageError
from tests.contract.builders import report
from tests.schema.databases import FIRST, copy_of, first_on_postgres, rows


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
    copy = backups.backup(engine)
    assert copy.parent == tmp_path / "backups"
    assert re.fullmatch(r"team-\d{8}T\d{6}-0001\.db", copy.name)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    assert rows(f"sqlite:///{copy}") == rows(f"sqlite:///{FIRST}")


def test_two_copies_in_one_second_have_two_names(engine: sa.Engine) -> None:
    assert backups.backup(engine) != backups.backup(engine)


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
    copies = [backups.backup(engine) for _ in range(3)]
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


def test_a_damaged_database_is_told_and_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    data = bytearray(FIRST.read_bytes())
    data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(data)
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(StorageError, match="nothing was changed"):
        backups.backup(engine)
    engine.dispose()
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.postgres
def test_our_own_archive_holds_every_row(server: sa.Engine, tmp_path: Path) -> None:
    copy = backups._archive(server, tmp_path / "own.zip")
    expected = rows(server.url.render_as_string(hide_password=False))
    with zipfile.ZipFile(copy) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["format"] == backups.ARCHIVE_FORMAT
        tables = {table["name"]: table for table in manifest["tables"]}
        assert tables.keys() == {*expected, "alembic_version"}
        for name, table in tables.items():
            data = archive.read(table["file"])
            assert hashlib.sha256(data).hexdigest() == table["sha256"]
            lines = list(csv.reader(io.StringIO(data.decode("utf-8"))))
            assert len(lines) - 1 == table["rows"] == len(expected.get(name, [None]))
            assert table["definition"][0].startswith("CREATE TABLE")


@pytest.mark.postgres
def test_pg_dump_is_used_where_it_is_new_enough(server: sa.Engine) -> None:
    copy = backups.backup(server)
    program = shutil.which("pg_dump")
    usable = program is not None and backups._version_of(program) >= backups._server_version(server)
    assert copy.suffix == (".dump" if usable else ".zip")
    if usable:
        listed = subprocess.run(["pg_restore", "--list", copy], capture_output=True, text=True, check=True)
        assert "TABLE DATA public findings" in listed.stdout
