"""Killed, out of disk or cut off in the middle: the source is untouched, and the next run completes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, get_storage_backend
from lavendertown.core.settings import Settings
from lavendertown.errors import StorageUnavailableError, UnfinishedMigrationError
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.readers import batches
from lavendertown.transfer.values import MigrationProgress, MigrationRequest, OnConflict
from tests.contract.store_locations import StoreLocation
from tests.contract.test_unreachable_server import Wire
from tests.migration.conftest import MakePlace
from tests.migration.stores import fill, told, traces
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

# The child moves in small portions, and dies before its n-th step that touches a file or database, or
# at the first word of a phase.
DIE = """
import os, signal, sys
from lavendertown.transfer.readers import batches
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationRequest
batches.RECORDS_PER_BATCH = 5
source, target, point = sys.argv[1:]
steps = {"fsync", "rename", "replace", "unlink", "commit", "executemany"}
taken = 0
def count(frame, event, function):
    global taken
    if event == "c_call" and function.__name__ in steps and type(function.__self__) not in (str, bytes):
        taken += 1
        if str(taken) == point:
            os.kill(os.getpid(), signal.SIGKILL)
def listen(progress):
    if progress.phase == point:
        os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(count)
migrate_store(MigrationRequest(source, target), listen)
sys.setprofile(None)
print(taken)
"""
PAIRS = [
    ("file", "sqlite"),
    ("sqlite", "file"),
    pytest.param("file", "postgres", marks=pytest.mark.postgres),
    pytest.param("postgres", "file", marks=pytest.mark.postgres),
]
# Each takes many processes one after the other.
KILLED_PAIRS = [
    PAIRS[0],
    pytest.param("sqlite", "file", marks=pytest.mark.soak),
    pytest.param("file", "postgres", marks=pytest.mark.postgres),
    pytest.param("postgres", "file", marks=[pytest.mark.postgres, pytest.mark.soak]),
]


def steps(source: StoreLocation, target: StoreLocation, point: int | str) -> int | None:
    """Let a child move and die at a point; return how many steps it took if it got through."""
    done = run_python("-c", DIE, source.where, target.where, str(point))
    if done.returncode == 0:
        return int(done.stdout)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return None


def filled(make_place: MakePlace, backend: str, reports: int = 10) -> StoreLocation:
    place = make_place(backend, "source")
    storage = place.open_storage()
    fill(storage, 11, reports)
    storage.close()
    return place


@pytest.mark.parametrize(("source", "target"), KILLED_PAIRS)
def test_a_move_that_is_killed_again_and_again_completes(
    make_place: MakePlace, source: str, target: str
) -> None:
    origin = filled(make_place, source)
    before, expected = traces(origin), told(origin)
    whole = steps(origin, make_place(target, "whole"), 0)
    assert whole is not None
    goal = make_place(target, "target")
    # Every run comes a little further; one in the end gets through.
    for point in [3, 7, 12, *range(18, whole + 1, max(whole // 8, 1))]:
        if steps(origin, goal, point) is not None:
            break
        assert traces(origin) == before
    outcome = migrate_store(MigrationRequest(origin.where, goal.where))
    assert outcome.verified
    assert outcome.finished
    assert outcome.conflicts == ()
    assert told(goal) == expected
    assert traces(origin) == before


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_half_filled_target_is_refused_until_the_next_run(
    make_place: MakePlace, source: str, target: str, resume: bool
) -> None:
    origin, goal = filled(make_place, source), make_place(target, "target")
    assert steps(origin, goal, "annotations") is None
    with pytest.raises(UnfinishedMigrationError, match=r"is not finished") as refused:
        goal.open_storage()
    assert "lavendertown migrate" in str(refused.value)
    kind = "file" if target == "file" else "database"
    settings = Settings(kind, goal.where, Path(goal.where), {})
    with pytest.raises(UnfinishedMigrationError):
        get_storage_backend(settings)
    with pytest.raises(UnfinishedMigrationError):
        preview_migration(MigrationRequest(goal.where, make_place("file", "onwards").where))
    assert migrate_store(MigrationRequest(origin.where, goal.where, resume=resume)).finished
    assert told(goal) == told(origin)


def test_resuming_keeps_what_the_move_began_with(make_place: MakePlace, tmp_path: Path) -> None:
    origin, goal = filled(make_place, "file"), make_place("sqlite", "target")
    begun = MigrationRequest(origin.where, goal.where, OnConflict.OVERWRITE, "Asia/Tokyo")
    with pytest.raises(KeyboardInterrupt):
        migrate_store(begun, interrupt_at("annotations"))
    with pytest.raises(Exception, match="zone"):
        migrate_store(MigrationRequest(origin.where, goal.where))
    other = make_place("file", "other")
    other.open_storage().annotations.save_many([])
    Path(other.where).mkdir(exist_ok=True)
    with pytest.raises(Exception, match=r"is not finished\. Run it again first"):
        migrate_store(MigrationRequest(other.where, goal.where))
    outcome = migrate_store(MigrationRequest(origin.where, goal.where, resume=True))
    assert outcome.finished
    storage = goal.open_storage()
    (line,) = storage.store.migrations()
    storage.close()
    assert (line.options["zone"], line.options["on_conflict"]) == ("Asia/Tokyo", "overwrite")


def interrupt_at(phase: str) -> Any:
    def tell(progress: MigrationProgress) -> None:
        if progress.phase == phase:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize(("source", "target"), PAIRS[:2])
def test_overwriting_what_is_there_goes_on_after_interruptions(
    make_place: MakePlace, source: str, target: str
) -> None:
    origin, goal = filled(make_place, source, 16), make_place(target, "target")
    storage = goal.open_storage()
    fill(storage, 77, 12)
    storage.close()
    before, expected, own = traces(origin), told(origin), told(goal)
    request = MigrationRequest(origin.where, goal.where, OnConflict.OVERWRITE)
    for phase in ["annotations", "events", "verifying"]:
        with pytest.raises(KeyboardInterrupt):
            migrate_store(request, interrupt_at(phase))
    assert migrate_store(request).finished
    assert not any(count.written for count in migrate_store(request).counts.values())
    assert traces(origin) == before
    both = told(goal)
    assert _headers(expected) <= _headers(both)
    for kind in ("reports", "annotations", "audit"):
        names = {str(row.get("id") or row) for row in both[kind]}
        assert {str(row.get("id") or row) for row in [*expected[kind], *own[kind]]} == names


def _headers(story: dict[str, Any]) -> set[tuple[Any, ...]]:
    parts = ("id", "title", "author", "created_at", "deleted_at", "finding_count", "dataset")
    return {tuple(row[part] for part in parts) for row in story["reports"]}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("backend", ["file", "sqlite"])
@pytest.mark.parametrize("leave", [100_000, 400_000, 700_000])
def test_a_full_disk_is_one_sentence_and_the_next_run_completes(
    make_place: MakePlace, small_disk: Path, backend: str, leave: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "RECORDS_PER_BATCH", 5)
    origin = filled(make_place, "file", 60)
    where = str(small_disk / "target")
    goal = StoreLocation(backend, where if backend == "file" else f"sqlite:///{where}.db")
    status = os.statvfs(small_disk)
    filling = small_disk / "filling"
    filling.write_bytes(b"\0" * (status.f_bavail * status.f_frsize - leave))
    with pytest.raises(StorageUnavailableError, match="full") as refused:
        migrate_store(MigrationRequest(origin.where, goal.where))
    assert "\n" not in str(refused.value)
    filling.unlink()
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
    assert migrate_store(MigrationRequest(origin.where, goal.where)).finished
    assert told(goal) == told(origin)


@pytest.mark.postgres
@pytest.mark.parametrize("phase", ["reports", "annotations", "events", "verifying"])
def test_a_connection_cut_in_the_middle_is_one_sentence_and_the_next_run_completes(
    make_place: MakePlace, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    monkeypatch.setattr(batches, "RECORDS_PER_BATCH", 5)
    origin, goal = filled(make_place, "file"), make_place("postgres", "target")
    parts = urlsplit(goal.where)
    wire = Wire(str(parts.hostname), int(parts.port or 5432))
    wired = urlunsplit(parts._replace(netloc=f"{parts.username}:geheim@127.0.0.1:{wire.port}"))

    def cut(progress: MigrationProgress) -> None:
        if progress.phase == phase:
            wire.cut()

    with pytest.raises(StorageUnavailableError) as refused:
        migrate_store(MigrationRequest(origin.where, wired), cut)
    assert "\n" not in str(refused.value)
    assert "geheim" not in str(refused.value)
    wire.mend()
    assert migrate_store(MigrationRequest(origin.where, wired)).finished
    assert told(goal) == told(origin)


def test_a_folder_that_is_no_longer_half_filled_opens(make_place: MakePlace) -> None:
    origin, goal = filled(make_place, "sqlite"), make_place("file", "target")
    assert steps(origin, goal, "events") is None
    with pytest.raises(UnfinishedMigrationError):
        FileStorage(goal.where)
    migrate_store(MigrationRequest(origin.where, goal.where))
    assert FileStorage(goal.where).count_reports() == DatabaseStorage(origin.where).count_reports()


# Dies between the two files of a change that is committed.
SAVE = """
import os, posix, signal, sys
from lavendertown.collaboration.storage import FileStorage
from tests.contract.builders import report
taken = 0
def count(frame, event, function):
    global taken
    if event == "c_call" and function.__name__ in ("replace", "rename") and function.__self__ is posix:
        taken += 1
        if taken == 3:
            os.kill(os.getpid(), signal.SIGKILL)
storage = FileStorage(sys.argv[1])
sys.setprofile(count)
storage.save_reports([report("one"), report("two")])
"""


def test_a_change_that_a_killed_writer_left_half_done_is_moved_whole(make_place: MakePlace) -> None:
    origin, goal = make_place("file", "source"), make_place("sqlite", "target")
    done = run_python("-c", SAVE, origin.where)
    assert done.returncode == -signal.SIGKILL
    assert len(list(Path(origin.where, "reports").iterdir())) == 1
    request = MigrationRequest(origin.where, goal.where)
    assert preview_migration(request).counts["reports"].read == 2
    outcome = migrate_store(request)
    assert outcome.verified
    assert outcome.counts["reports"].written == 2
    assert told(goal) == told(origin)
