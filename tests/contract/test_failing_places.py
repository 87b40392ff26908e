"""Read-only folders, full disks, foreign and damaged files: one clear sentence, nothing lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from lavendertown.errors import (
    ConfigurationError,
    SchemaError,
    StorageError,
    StorageUnavailableError,
)
from tests.contract.builders import finding, ids, refusal, report, sentence
from tests.contract.store_locations import StoreLocation

ROOT = Path(__file__).parents[2]
NOBODY = 65534


# A folder that may only be read

AS_NOBODY = """
import os, sys
from lavendertown.errors import StorageUnavailableError
from tests.contract.builders import annotation, report
from tests.contract.store_locations import StoreLocation
place = StoreLocation(sys.argv[1], sys.argv[2])
place.open_storage().close()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
storage = place.open_storage()
print(storage.query_reports()[0]["id"], len(storage.load_report("r1").findings), storage.unreadable_items())
storage.check()
for attempt in (lambda: storage.save_report(report("r2")), lambda: storage.save_annotation(annotation()),
                lambda: storage.delete_report("r1")):
    try:
        attempt()
        print("written")
    except StorageUnavailableError as refused:
        print(refused)
print(storage.count_reports())
"""


def all_paths(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


@pytest.fixture
def readable_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that everybody can reach, directly under the temporary root."""
    folder = tmp_path_factory.mktemp("reach")
    shared = Path(os.path.realpath("/tmp")) / f"lavendertown-{os.getpid()}-{folder.name}"
    shared.mkdir(mode=0o755)
    yield shared
    for path in sorted(all_paths(shared), reverse=True):
        path.chmod(0o700) if path.is_dir() else None
    subprocess.run(["rm", "-rf", str(shared)], check=True)


def as_nobody(place: StoreLocation, folder: Path) -> subprocess.CompletedProcess[str]:
    """Save a report, close the folder for writing, and run AS_NOBODY on it."""
    storage = place.open_storage()
    storage.save_report(report("r1"))
    storage.close()
    for path in all_paths(folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [sys.executable, "-c", AS_NOBODY, place.backend, place.where]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_read_only_files_are_read_and_refuse_to_be_written_in_one_sentence(readable_folder: Path) -> None:
    folder = readable_folder / "store"
    done = as_nobody(StoreLocation("file", str(folder)), folder)
    assert done.returncode == 0, done.stderr
    read, *refusals, count = done.stdout.splitlines()
    assert (read, count) == ("r1 1 []", "1")
    assert len(refusals) == 3
    for words in refusals:
        assert "cannot be written" in words
        assert str(folder) in words


@pytest.mark.slow
def test_a_read_only_sqlite_file_is_one_sentence(readable_folder: Path) -> None:
    """In write-ahead mode even reading needs to write beside the file, so it may refuse to open."""
    folder = readable_folder / "store"
    place = StoreLocation("sqlite", f"sqlite:///{folder / 'store.db'}")
    done = as_nobody(place, folder)
    last = (done.stdout + done.stderr).splitlines()[-1]
    if done.returncode:
        assert last.startswith("lavendertown.core.errors.StorageUnavailableError: ")
        assert "is read-only" in last
        assert "store.db" in last
    for path in all_paths(folder):
        path.chmod(0o755 if path.is_dir() else 0o644)
    again = place.open_storage()
    assert ids(again.query_reports()) == ["r1"]
    again.close()


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk but for so many bytes; return the filling."""
    filling = disk / "filling"
    status = os.statvfs(disk)
    with filling.open("wb") as handle:
        handle.write(b"\x00" * max(0, status.f_bavail * status.f_frsize - leave))
    return filling


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(small_disk: Path, backend: str) -> None:
    where = str(small_disk / "store") if backend == "file" else f"sqlite:///{small_disk / 'store.db'}"
    storage = StoreLocation(backend, where).open_storage()
    storage.save_report(report("r0", [finding(row_indices=[f"row {n}" for n in range(500)])]))
    acknowledged = ["r0"]
    for pages in range(24):
        filling = fill(small_disk, 4096 * pages)
        name = f"r{pages + 1}"
        wide = report(name, [finding(row_indices=[f"row {n * 7919}" for n in range(1500)])])
        refused = refusal(lambda: storage.save_report(wide))  # noqa: B023
        if refused is None:
            acknowledged.append(name)
        else:
            assert "full" in refused
            assert "\n" not in refused
        listed = ids(storage.query_reports(limit=None))
        assert sorted(listed) == sorted(acknowledged)
        assert storage.unreadable_items() == []
        filling.unlink()
    storage.save_report(report("last"))
    storage.close()
    again = StoreLocation(backend, where).open_storage()
    for name in [*acknowledged, "last"]:
        assert again.load_report(name) is not None
    assert len(again.audit_log(limit=None)) == len(acknowledged) + 1
    assert len(acknowledged) not in (1, 25), "the disk was never full, or never free"
    again.close()


# Settings and files that are wrong


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle://x/y", "mssql://ann:hunter2@db/x", "postgresql+nodriver://ann:hunter2@db/x"]
)
def test_a_url_that_cannot_be_used_is_one_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        DatabaseStorage(url)
    assert "hunter2" not in sentence(refused)


def test_a_file_that_is_no_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes " * 100)
    with pytest.raises(StorageError) as refused:
        DatabaseStorage(f"sqlite:///{path}")
    assert "notes.db" in sentence(refused)
    assert path.read_text() == "these are my notes " * 100


def test_somebody_elses_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.execute("create table reports (id integer primary key, amount real)")
        shop.execute("insert into reports values (1, 9.99)")
    shop.close()
    before = path.read_bytes()
    with pytest.raises(SchemaError) as refused:
        DatabaseStorage(f"sqlite:///{path}")
    assert "shop.db" in sentence(refused)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("shop.db")] == ["shop.db"]


def test_a_folder_in_place_of_the_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StorageUnavailableError) as refused:
        DatabaseStorage(f"sqlite:///{tmp_path / 'folder.db'}")
    assert "folder.db" in sentence(refused)


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_file_in_place_of_the_data_folder_is_one_sentence(tmp_path: Path, backend: str) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("I am a file")
    place = (
        StoreLocation("file", str(blocker))
        if backend == "file"
        else StoreLocation("sqlite", f"sqlite:///{blocker / 'x.db'}")
    )
    with pytest.raises(StorageUnavailableError) as refused:
        place.open_storage().save_report(report())
    assert "data" in sentence(refused)
    assert blocker.read_text() == "I am a file"


def test_a_memory_database_works_or_says_why_not() -> None:
    kept: list[int] = []

    def use() -> None:
        storage = DatabaseStorage("sqlite://")
        storage.save_report(report())
        kept.append(storage.count_reports())

    refused = refusal(use)
    assert kept == [1] if refused is None else "memory" in refused


def test_a_damaged_row_of_a_database_is_named_and_the_rest_lists(tmp_path: Path) -> None:
    storage = DatabaseStorage(f"sqlite:///{tmp_path / 'x.db'}")
    storage.save_report(report("r1"))
    storage.save_report(report("r2"))
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute(
            "update finding_rows set data = x'00ff' "
            "where report_key = (select key from reports where id = 'r1')"
        )
    raw.close()
    assert sorted(ids(storage.query_reports())) == ["r1", "r2"]
    assert len(storage.query_findings()) == 2
    assert storage.load_report("r2") is not None
    with pytest.raises(StorageError, match="r1"):
        storage.load_report("r1")
    assert ["r1" in found["item"] for found in storage.unreadable_items()] == [True]
    storage.close()


def test_a_listing_reads_no_finding_bodies(tmp_path: Path) -> None:
    """Every body is broken; the list does not notice."""
    storage = DatabaseStorage(f"sqlite:///{tmp_path / 'x.db'}")
    storage.save_reports([report(f"r{n}", metadata={"dataset": "d", "tags": ["t"]}) for n in range(5)])
    expected = storage.query_reports()
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("update finding_rows set data = x'00ff'")
        raw.execute("update findings set metadata = 'broken', description = x'ff'")
        raw.execute("update reports set metadata = 'broken'")
    raw.close()
    asked = {"author": "alice", "severity": "warning", "status": "open", "tags": "t", "dataset": "d"}
    assert storage.query_reports() == expected
    assert storage.query_reports(**asked) == expected  # type: ignore[arg-type]
    assert storage.count_reports(**asked) == 5  # type: ignore[arg-type]
    assert storage.reports.count_by_value()["author"] == {"alice": 5}
    storage.close()


def test_a_file_store_that_does_not_exist_yet_is_empty_and_reading_makes_nothing(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "not yet")
    assert (
        storage.query_reports()
        == storage.query_findings()
        == storage.audit_log()
        == storage.unreadable_items()
        == []
    )
    assert storage.load_report("r1") is None
    assert storage.reports.known_tags() == []
    storage.revision()
    storage.check()
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_vanishes_is_one_sentence_or_empty_and_can_be_written_again(
    tmp_path: Path,
) -> None:
    storage = FileStorage(tmp_path / "store")
    storage.save_report(report("r1"))
    (tmp_path / "store").rename(tmp_path / "gone")
    assert storage.query_reports() == []
    storage.save_report(report("r2"))
    assert ids(storage.query_reports()) == ["r2"]
    assert ids(FileStorage(tmp_path / "gone").query_reports()) == ["r1"]
