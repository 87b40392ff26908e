"""A data folder is replaced whole or not at all."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage
from lavendertown.errors import InvalidInputError, StorageError
from lavendertown.transfer.backups.archive import write_archive
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from tests.contract.builders import annotation, report
from tests.contract.store_locations import StoreLocation
from tests.migration.stores import exact, told, traces
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def made(folder: Path, tmp_path: Path) -> Path:
    """An archive that holds the report r1; the folder has r2 as well, and settings."""
    with closing(FileStorage(folder)) as storage:
        storage.save_report(report("r1", annotations=[annotation(id="a1")]))
        file = write_archive(parse_location(str(folder)), tmp_path / "made.zip").file
        storage.save_report(report("r2"))
    (folder / "config.toml").write_text('storage_type = "file"\n')
    return file


def ids(folder: Path) -> set[str]:
    with closing(FileStorage(folder)) as storage:
        return {row["id"] for row in storage.query_reports(limit=None)}


def test_everything_is_replaced_but_the_settings(folder: Path, made: Path) -> None:
    done = restore_store(str(folder), made)
    assert ids(folder) == {"r1"}
    assert (done.rows_before["reports"], done.rows["reports"], done.rows["annotations"]) == (2, 1, 1)
    assert (folder / "config.toml").read_text() == 'storage_type = "file"\n'
    assert done.backup_file is not None
    assert done.backup_file.parent == folder / "backups"
    assert not list((folder / ".journal").iterdir())


def test_an_open_storage_goes_on(folder: Path, made: Path) -> None:
    with closing(FileStorage(folder)) as storage:
        assert storage.count_reports() == 2
        restore_store(str(folder), made)
        assert storage.count_reports() == 1
        storage.save_report(report("r3"))
    assert ids(folder) == {"r1", "r3"}


def test_a_dry_run_changes_nothing(folder: Path, made: Path) -> None:
    before = traces(StoreLocation("file", str(folder)))
    tried = restore_store(str(folder), made, dry_run=True)
    assert (tried.rows_before["reports"], tried.rows["reports"], tried.backup_file) == (2, 1, None)
    assert traces(StoreLocation("file", str(folder))) == before


def test_a_filled_folder_is_refused_where_nothing_is_to_be_replaced(folder: Path, made: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"is not empty \(annotations, events, reports\)"):
        restore_store(str(folder), made, replace=False)
    assert ids(folder) == {"r1", "r2"}


def test_a_failure_on_the_way_undoes_everything(
    folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("lavendertown.transfer.backups.restore.back_up", fail)
    before = exact(told(StoreLocation("file", str(folder))))
    with pytest.raises(StorageError, match="disk is full"):
        restore_store(str(folder), made)
    monkeypatch.undo()
    assert exact(told(StoreLocation("file", str(folder)))) == before
    restore_store(str(folder), made)
    assert ids(folder) == {"r1"}


_KILLED = """
import os, pathlib, signal, sys
from lavendertown.stores.files import journal
from lavendertown.transfer.backups.restore import restore_store
folder, file, point = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "staged":
    journal.Journal.replace_folders = die
else:
    renamed = []
    def replace(self, target, real=pathlib.Path.replace):
        if os.path.isdir(self):
            renamed.append(self)
            len(renamed) == int(point) and die()
        return real(self, target)
    pathlib.Path.replace = replace
restore_store(folder, file)
"""


@pytest.mark.parametrize("point", ["staged", *map(str, range(1, 11))])
def test_a_restore_that_is_killed_is_undone_or_finished(folder: Path, made: Path, point: str) -> None:
    """Before the intent stands, everything is as it was; after it, whoever comes next finishes."""
    done = run_python("-c", _KILLED, str(folder), str(made), point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert ids(folder) == ({"r1", "r2"} if point == "staged" else {"r1"})
    with closing(FileStorage(folder)) as storage:
        assert len(storage.query_annotations()) == 1
        assert (len(storage.audit_log(component="store")) == 1) == (point != "staged")
        storage.save_report(report("r3"))
    assert not [path for path in (folder / ".journal").iterdir() if path.suffix in (".new", ".old")]


def test_no_committed_write_is_lost_under_writers(folder: Path, made: Path) -> None:
    """Each acknowledged report is in a kept copy or in the folder."""
    stop, acknowledged, failed = threading.Event(), set[str](), list[Exception]()
    storage = FileStorage(folder)

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
    kept = [restore_store(str(folder), made).backup_file for _ in range(3)]
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    found = ids(folder)
    for number, copy in enumerate(kept):
        assert copy is not None
        other = folder.with_name(f"kept-{number}")
        restore_store(str(other), copy)
        found |= ids(other)
    assert acknowledged <= found
