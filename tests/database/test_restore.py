"""A backup is put back whole or not at all, and nothing that was committed is lost on the way."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError, LavenderTownError, SchemaError, StorageError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from tests.contract.builders import annotation, report, sentence
from tests.schema.databases import FIRST, OLD, copy_of, rows, without_keys
from tests.support import postgres
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database on each backend; what backs PostgreSQL up is our own archive."""
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'team.db'}"
    program(tmp_path, monkeypatch, "pg_dump", "exit 1")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def storage(url: str) -> Iterator[Storage]:
    opened = DatabaseStorage(url)
    opened.save_report(report("r1", annotations=[annotation(id="a1")]))
    yield opened
    opened.close()


@pytest.fixture
def saved(storage: Storage, url: str) -> Path:
    """A backup that holds the report r1."""
    return back_up(parse_location(url)).file


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a program of this name where it alone is found."""
    place = folder / "bin" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(place.parent))


def titles(storage: Storage) -> set[str]:
    return {row["id"] for row in storage.query_reports(limit=None)}


def without_audit(content: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: lines for name, lines in content.items() if name != "audit_log"}


def test_everything_is_as_it_was(storage: Storage, url: str, saved: Path) -> None:
    before = rows(url)
    storage.save_report(report("r2"))
    storage.delete_report("r1")
    storage.save_annotation(annotation("someone else's", id="a2"))
    done = restore_store(url, saved)
    after = rows(url)
    assert without_audit(without_keys(after)) == without_audit(without_keys(before))
    if saved.suffix == ".db":
        assert without_audit(after) == without_audit(before)
        assert after["audit_log"][:-1] == before["audit_log"]
    assert done.rows == {name: len(lines) for name, lines in before.items()}
    assert (done.revision_before, done.rows_before["reports"]) == (revisions.HEAD, 2)


def test_what_is_replaced_is_kept_and_can_be_put_back(storage: Storage, url: str, saved: Path) -> None:
    storage.save_report(report("r2"))
    before = without_keys(rows(url))
    kept = restore_store(url, saved).backup_file
    assert kept is not None
    restore_store(url, kept)
    assert without_audit(without_keys(rows(url))) == without_audit(before)


def test_the_audit_log_tells_of_it(storage: Storage, url: str, saved: Path) -> None:
    kept = restore_store(url, saved, actor="Ana").backup_file
    (line,) = storage.audit_log(component="store")
    assert kept is not None
    assert (line["actor"], line["operation"], line["record_id"]) == ("Ana", "restore", saved.name)
    assert (line["after"]["file"], line["after"]["kept"]) == (saved.name, kept.name)
    assert line["before"]["rows"]["reports"] == 1


def test_an_open_storage_goes_on(storage: Storage, url: str, saved: Path) -> None:
    storage.save_report(report("r2"))
    restore_store(url, saved)
    assert titles(storage) == {"r1"}
    storage.save_report(report("r3"))
    storage.save_annotation(annotation(id="a3"))
    assert titles(storage) == {"r1", "r3"}


def test_a_reader_sees_that_everything_changed(storage: Storage, url: str, saved: Path) -> None:
    """One commit after the backup, one restore: the newest audit key must not be the same again."""
    storage.save_report(report("r2"))
    seen = storage.store.change_token()
    restore_store(url, saved)
    assert storage.store.change_token() != seen


def test_an_empty_database_gets_tables_and_rows(storage: Storage, url: str, saved: Path) -> None:
    before = without_keys(rows(url))
    storage.close()
    wipe(url)
    done = restore_store(url, saved)
    assert (done.revision_before, done.backup_file, sum(done.rows_before.values())) == ("", None, 0)
    assert without_audit(without_keys(rows(url))) == without_audit(before)
    storage.save_report(report("r2"))
    assert titles(storage) == {"r1", "r2"}


def wipe(url: str) -> None:
    """Leave nothing of the database but its name."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).unlink()
        return
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


def test_a_dry_run_counts_and_changes_nothing(storage: Storage, url: str, saved: Path) -> None:
    storage.save_report(report("r2"))
    before, files = rows(url), sorted(saved.parent.iterdir())
    tried = restore_store(url, saved, dry_run=True)
    assert (tried.rows["reports"], tried.rows_before["reports"], tried.backup_file) == (1, 2, None)
    assert (rows(url), sorted(saved.parent.iterdir())) == (before, files)


def test_a_dry_run_makes_no_database(saved: Path, tmp_path: Path) -> None:
    if saved.suffix == ".db":
        tried = restore_store(f"sqlite:///{tmp_path / 'new.db'}", saved, dry_run=True)
        assert (tried.revision_before, tried.rows["reports"]) == ("", 1)
        assert not (tmp_path / "new.db").exists()


def changed_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(255 - byte for byte in data[middle : middle + 64])
    path.write_bytes(data)


def changed_with_skill(path: Path) -> None:
    """Every page, and every part of a zip, can be read; only the whole does not fit together."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("PRAGMA writable_schema=ON")
            raw.execute("DELETE FROM sqlite_schema WHERE name = 'ix_reports_author'")
        return
    found = parts(path)
    found["reports/r1.json"] = found["reports/r1.json"].replace(b"alice", b"alicf")
    put_together(path, found)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(path: Path, found: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def nothing_in_it(path: Path) -> None:
    path.write_bytes(b"")


def a_text(path: Path) -> None:
    path.write_text("These are notes. " * 50, "utf-8")


def another_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "[1, 2]")


def other_sqlite(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("CREATE TABLE reports (id TEXT)")


def written_by_07(path: Path) -> None:
    shutil.copy(OLD, path)


def earlier(path: Path) -> None:
    """It says that it is of an earlier version, which it is not."""
    revised(path, "0000" if path.suffix == ".zip" else "0001")


def later(path: Path) -> None:
    revised(path, "9999")


def revised(path: Path, revision: str) -> None:
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("UPDATE alembic_version SET version_num = ?", [revision])
        return
    found = parts(path)
    manifest = json.loads(found["manifest.json"])
    put_together(
        path, {**found, "manifest.json": json.dumps({**manifest, "archive": int(revision)}).encode()}
    )


BAD = {
    changed_in_the_middle: "damaged",
    changed_with_skill: "damaged",
    cut_short: "damaged",
    nothing_in_it: "is not a backup",
    a_text: "is not a backup",
    another_zip: "not a backup or export",
    other_sqlite: "another program",
    written_by_07: r"0\.7",
    earlier: "damaged|archive format 0",
    later: "newer version|archive format 9999",
}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_a_bad_file_is_refused_in_a_sentence(
    storage: Storage, url: str, saved: Path, spoil: Callable[[Path], None], dry_run: bool
) -> None:
    spoil(saved)
    before, files = rows(url), sorted(saved.parent.iterdir())
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    with pytest.raises(LavenderTownError, match=BAD[spoil]) as refused:
        restore_store(url, saved, dry_run=dry_run)
    assert "othing was changed" in sentence(refused)
    assert (rows(url), sorted(saved.parent.iterdir())) == (before, files)
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == digest


def test_a_file_that_is_not_there_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="There is no file"):
        restore_store(url, tmp_path / "none.db")


def test_the_database_itself_is_no_backup(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    DatabaseStorage(url).close()
    with pytest.raises(InvalidInputError, match="the database itself"):
        restore_store(url, tmp_path / "own.db")


@pytest.mark.postgres
def test_a_backup_of_the_other_kind_is_refused(tmp_path: Path, postgres_url: str) -> None:
    DatabaseStorage(f"sqlite:///{tmp_path / 'own.db'}").close()
    with pytest.raises(InvalidInputError, match="cannot be restored into PostgreSQL"):
        restore_store(postgres_url, tmp_path / "own.db")


def test_a_database_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    DatabaseStorage(f"sqlite:///{tmp_path / 'new.db'}").close()
    url = copy_of(FIRST, tmp_path)
    before = Path(url.removeprefix("sqlite:///")).read_bytes()
    with pytest.raises(SchemaError, match="earlier version"):
        restore_store(url, tmp_path / "new.db")
    assert Path(url.removeprefix("sqlite:///")).read_bytes() == before


def test_a_live_file_in_wal_mode_is_read_with_its_log(tmp_path: Path) -> None:
    """Somebody may name a database that is in use: what is only in its log counts."""
    with closing(DatabaseStorage(f"sqlite:///{tmp_path / 'live.db'}")) as live:
        live.save_report(report("r1"))
        assert (tmp_path / "live.db-wal").stat().st_size > 0
        url = f"sqlite:///{tmp_path / 'target.db'}"
        assert restore_store(url, tmp_path / "live.db").rows["reports"] == 1


def test_rows_of_a_table_that_the_backup_lacks_are_not_lost(storage: Storage, url: str, saved: Path) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE plants (name TEXT)"))
        connection.execute(sa.text("INSERT INTO plants VALUES ('lavender')"))
    with pytest.raises(SchemaError, match=r"'plants', which .* lacks"):
        restore_store(url, saved)
    newer = back_up(parse_location(url)).file
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE plants SET name = 'weed'"))
    restore_store(url, newer)
    assert rows(url)["plants"] == [(("name", "lavender"),)]
    engine.dispose()


def test_a_failure_on_the_way_undoes_everything(
    storage: Storage, url: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.save_report(report("r2"))
    before = rows(url)

    def fail(*_: object) -> None:
        raise StorageError("The disk is full.")

    replacement = "lavendertown.stores.sql.copies.replace_all.ReplaceTransaction"
    monkeypatch.setattr(f"{replacement}.finish_replacement", fail)
    with pytest.raises(StorageError, match="disk is full"):
        restore_store(url, saved)
    assert rows(url) == before
    storage.save_report(report("r3"))


def test_no_committed_write_is_lost_under_writers(storage: Storage, url: str, saved: Path) -> None:
    """Threads and a process save on: each acknowledged report is in the kept copy or in the database."""
    stop, acknowledged, failed = threading.Event(), set[str](), list[Exception]()
    worker = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stdout.readline() == "0\n"

    def write(name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                storage.save_report(report(f"{name}-{number}"))
            except Exception as error:
                failed.append(error)
                return
            acknowledged.add(f"{name}-{number}")

    threads = [threading.Thread(target=write, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    kept = [restore_store(url, saved).backup_file for _ in range(3)]
    stop.set()
    for thread in threads:
        thread.join()
    said, _ = worker.communicate("stop\n")
    acknowledged |= {f"p-{number}" for number in ["0", *said.split()]}
    assert (failed, worker.returncode) == ([], 0)
    found = titles(storage)
    for copy in kept:
        assert copy is not None
        found |= reports_in(copy)
    assert acknowledged <= found
    assert len(acknowledged) > 10
    for report_id in titles(storage):
        loaded = storage.load_report(report_id)
        assert loaded is not None
        assert len(loaded.findings) == 1


_WRITER = """
import itertools, select, sys
from lavendertown.collaboration.database_storage import DatabaseStorage
from tests.contract.builders import report
storage = DatabaseStorage(sys.argv[1])
for number in itertools.count():
    storage.save_report(report(f"p-{number}"))
    print(number, flush=True)
    if select.select([sys.stdin], [], [], 0)[0]:
        break
"""


def reports_in(copy: Path) -> set[str]:
    if copy.suffix == ".db":
        with closing(sqlite3.connect(copy)) as raw:
            return {row[0] for row in raw.execute("SELECT id FROM reports")}
    with zipfile.ZipFile(copy) as archive:
        return {Path(name).stem for name in archive.namelist() if name.startswith("reports/")}


_KILLED = """
import os, signal, sys
import sqlalchemy as sa
from lavendertown.stores.sql.copies import backup_reader as copies
from lavendertown.stores.sql.writing import audit_log
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.target import Target
url, file, point = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "fill":
    filled = []
    def after(real):
        def fill(*args):
            real(*args)
            filled.append(args)
            len(filled) > 1 and die()
        return fill
    copies._SqliteBackup.fill_table = after(copies._SqliteBackup.fill_table)
    Target.import_records = after(Target.import_records)
elif point == "audit":
    def append(writer, events, real=audit_log.append_events):
        real(writer, events)
        writer.flush()
        die()
    audit_log.append_events = append
elif point == "commit":
    sa.event.listens_for(sa.Engine, "commit")(die)
else:
    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def before(connection, cursor, statement, *_):
        statement.startswith(point) and die()
restore_store(url, file)
"""


@pytest.mark.parametrize("point", ["DELETE FROM reports", "fill", "audit", "commit"])
def test_a_restore_that_is_killed_leaves_the_old_content(
    storage: Storage, url: str, saved: Path, point: str
) -> None:
    storage.save_report(report("r2"))
    before = rows(url)
    done = run_python("-c", _KILLED, url, str(saved), point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert rows(url) == before
    storage.save_report(report("r3"))
    assert restore_store(url, saved).rows_before["reports"] == 3


@pytest.fixture
def dump(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What pg_dump wrote of a database with one report; pg_restore is there."""
    binaries = postgres.find_binaries()
    if binaries is None or not (binaries / "bin" / "pg_restore").is_file():
        pytest.skip("There is no pg_restore beside the server.")
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    for name in ("pg_dump", "pg_restore"):
        program(tmp_path, monkeypatch, name, f'exec "{binaries / "bin" / name}" "$@"')
    with closing(DatabaseStorage(postgres_url)) as storage:
        storage.save_report(report("r1", title="a \\ b\tc\nd", annotations=[annotation(id="a1")]))
    copy = back_up(parse_location(postgres_url)).file
    assert copy.suffix == ".dump"
    return copy


@pytest.mark.postgres
def test_a_dump_is_put_back(dump: Path, postgres_url: str) -> None:
    before = rows(postgres_url)
    with closing(DatabaseStorage(postgres_url)) as storage:
        storage.save_report(report("r2"))
        assert restore_store(postgres_url, dump).rows == {name: len(lines) for name, lines in before.items()}
        assert without_audit(rows(postgres_url)) == without_audit(before)
        storage.save_report(report("r2"))


@pytest.mark.postgres
def test_a_dump_that_is_cut_short_is_refused(dump: Path, postgres_url: str) -> None:
    before = rows(postgres_url)
    cut_short(dump)
    with pytest.raises(InvalidInputError, match="damaged") as refused:
        restore_store(postgres_url, dump)
    assert "nothing was changed" in sentence(refused)
    assert rows(postgres_url) == before


@pytest.mark.postgres
def test_without_pg_restore_a_dump_is_refused(
    dump: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "pg_restore", "exit 1")
    with pytest.raises(StorageError, match="Install PostgreSQL's client programs"):
        restore_store(postgres_url, dump)
