"""A lock that somebody else holds: the waiter is told, and after a while refused with nothing written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import locks
from lavendertown.errors import StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies.replace_all import open_replacement
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.upgrade import schema_change
from tests.contract.builders import report, sentence

HOLD = """
import fcntl, os, socket, sys
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}".ljust(120).encode(), 0)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold a lock file in another process."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(locks, "_bind", [lambda: found.append])
    return found


@pytest.fixture
def short_times() -> Iterator[None]:
    token = locks.waiting_times.set(locks.WaitingTimes(0.05, 0.1))
    yield
    locks.waiting_times.reset(token)


def stores(folder: Path) -> dict[str, tuple[Callable[[], Storage], Path]]:
    url = f"sqlite:///{folder / 'team.db'}"
    return {
        "file": (lambda: FileStorage(folder / "data"), folder / "data" / ".lock"),
        "sqlite": (lambda: DatabaseStorage(url), folder / "team.db-gate"),
    }


@pytest.mark.usefixtures("short_times")
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_writer_is_told_who_holds_the_lock_and_then_refused(
    kind: str, tmp_path: Path, told: list[str]
) -> None:
    opening, lock = stores(tmp_path)[kind]
    storage = opening()
    storage.save_report(report("r1"))
    with held_elsewhere(lock) as holder:
        with pytest.raises(StorageUnavailableError) as refused:
            storage.save_report(report("r2"))
        assert f"pid {holder.pid}, host " in sentence(refused)
        assert "nothing was written" in sentence(refused)
        assert [f"held by another process (pid {holder.pid}, host " in text for text in told] == [True]
    storage.save_report(report("r2"))
    assert storage.count_reports() == 2
    storage.close()


def test_a_writer_that_waited_goes_on_when_the_lock_is_free(tmp_path: Path, told: list[str]) -> None:
    storage = FileStorage(tmp_path / "data")
    storage.save_report(report("r1"))
    token = locks.waiting_times.set(locks.WaitingTimes(0.05, 30))
    with held_elsewhere(tmp_path / "data" / ".lock") as holder:
        locks.set_notice_binder(lambda: lambda text: (told.append(text), holder.kill())[0])
        storage.save_report(report("r2"))
    locks.waiting_times.reset(token)
    assert (len(told), storage.count_reports()) == (1, 2)


@pytest.mark.usefixtures("short_times")
def test_another_thread_of_this_process_is_named(tmp_path: Path, told: list[str]) -> None:
    first, second = FileStorage(tmp_path), FileStorage(tmp_path)
    first.save_report(report("r1"))
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with first.store.block_writes():
            inside.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(30)
    with pytest.raises(StorageUnavailableError, match="another task of this process"):
        second.save_report(report("r2"))
    done.set()
    holder.join()
    assert len(told) == 1


@pytest.mark.usefixtures("short_times")
def test_another_program_that_writes_to_the_sqlite_file_is_waited_for(
    tmp_path: Path, told: list[str]
) -> None:
    storage = DatabaseStorage(f"sqlite:///{tmp_path / 'team.db'}")
    storage.save_report(report("r1"))
    with closing(sqlite3.connect(tmp_path / "team.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError, match="is locked by another program") as refused:
            storage.save_report(report("r2"))
        assert "nothing was written" in sentence(refused)
        other.execute("ROLLBACK")
    assert len(told) == 1
    storage.save_report(report("r2"))
    storage.close()


@pytest.mark.postgres
@pytest.mark.usefixtures("short_times")
def test_a_lock_on_postgresql_is_not_waited_for_without_end(postgres_url: str) -> None:
    storage = DatabaseStorage(postgres_url)
    storage.save_report(report("r1"))
    with closing(psycopg2.connect(postgres_url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE audit_log IN EXCLUSIVE MODE")
        with pytest.raises(StorageUnavailableError, match="is locked by another session") as refused:
            storage.save_report(report("r2"))
        assert "nothing was written" in sentence(refused)
    storage.save_report(report("r2"))
    storage.close()


@pytest.mark.postgres
def test_a_writer_on_postgresql_is_told_who_holds_the_lock_and_goes_on(
    postgres_url: str, told: list[str]
) -> None:
    storage = DatabaseStorage(postgres_url)
    storage.save_report(report("r1"))
    token = locks.waiting_times.set(locks.WaitingTimes(0.2, 30))
    with closing(psycopg2.connect(postgres_url, application_name="night job")) as other:
        other.cursor().execute("LOCK TABLE audit_log IN EXCLUSIVE MODE")
        told_and_free = threading.Event()
        locks.set_notice_binder(
            lambda: lambda text: (told.append(text), other.rollback(), told_and_free.set())[0]
        )
        storage.save_report(report("r2"))
        assert told_and_free.wait(30)
        pid = other.info.backend_pid
    locks.waiting_times.reset(token)
    storage.close()
    (text,) = told
    assert f"held by another session (pid {pid}, user " in text
    assert "night job)" in text


@pytest.mark.postgres
@pytest.mark.parametrize("action", ["freeze", "upgrade", "replace"])
def test_a_long_transaction_on_postgresql_is_told_who_holds_the_lock(
    action: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = DatabaseStorage(postgres_url)
    storage.save_report(report("r1"))
    told: list[str] = []
    with closing(psycopg2.connect(postgres_url)) as other, other.cursor() as cursor:
        if action == "upgrade":
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [revisions._SCHEMA_LOCK_KEY])
        else:
            cursor.execute("LOCK TABLE audit_log IN EXCLUSIVE MODE")
        free = lambda text: (told.append(text), other.rollback())[0]  # noqa: E731
        monkeypatch.setattr(locks, "_bind", [lambda: free])
        token = locks.waiting_times.set(locks.WaitingTimes(0.2, 30))
        actions = {
            "freeze": storage.store.block_writes,
            "upgrade": lambda: schema_change(make_engine(postgres_url)),
            "replace": lambda: open_replacement(postgres_url),
        }
        with actions[action]():
            pass
        locks.waiting_times.reset(token)
    assert ["held by another session" in text for text in told] == [True]
    storage.close()


@pytest.mark.usefixtures("short_times")
def test_a_command_says_on_standard_error_that_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "_bind", [])
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    storage = FileStorage(tmp_path / "data")
    storage.save_report(report("r1"))
    with held_elsewhere(tmp_path / "data" / ".lock"), pytest.raises(SystemExit) as ended:
        cli(["report", "delete", "r1", "--author", "Ana"], prog_name="lavendertown")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "Waiting for the lock on the data folder" in said
    assert "nothing was written" in said
    assert storage.count_reports() == 1


def test_the_visitor_is_told_after_10_seconds_and_refused_after_30() -> None:
    assert locks.WaitingTimes() == locks.WaitingTimes(10, 30)
