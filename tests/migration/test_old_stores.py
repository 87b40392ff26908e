"""Stores that 0.7.1 wrote are sources like any other."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.errors import InvalidInputError
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest
from tests.contract.store_locations import StoreLocation
from tests.migration.conftest import MakePlace
from tests.migration.stores import told
from tests.schema.databases import OLD, copy_of, old_on_postgres

ASSETS = OLD.parent
FIRST, PLAIN = "2f6c1f0e-1111-4222-8333-444455556666", "my report #1"
NULLS, OUTLIERS = "e3cbb442d154a5c3b1d2d2f3c691ef40", "ffdb23b336479446a576ce09427354fc"
TARGETS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The assets hold Tokyo's local times."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ASSETS / "folder", tmp_path / "old"))


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, make_place: MakePlace) -> StoreLocation:
    return make_place(request.param, "target")


def moved(source: str, target: StoreLocation, zone: str | None = None) -> MigrationOutcome:
    outcome = migrate_store(MigrationRequest(source, target.where, zone=zone))
    assert outcome.verified
    assert outcome.quarantined == ()
    return outcome


def test_everything_in_the_folder_arrives(folder: Path, target: StoreLocation, in_tokyo: None) -> None:
    moved(str(folder), target)
    storage = target.open_storage()
    first, plain = storage.load_report(FIRST), storage.load_report(PLAIN)
    assert first is not None
    assert plain is not None
    assert (first.title, first.author, first.metadata["dataset"]) == (
        "Q4 Data Quality Report",
        "Alice",
        "sales.csv",
    )
    assert first.created_at == dt.datetime(2025, 5, 31, 15, 30, 0, 1, tzinfo=dt.UTC)
    assert first.findings[0].row_indices == [2, 5, 8, 12, 15]
    assert first.ruleset is not None
    rules = storage.load_ruleset("customer rules")
    assert rules is not None
    assert [rule.name for rule in rules.rules] == ["age", "off"]
    storage.close()


def test_annotations_find_their_finding_by_its_old_id(folder: Path, target: StoreLocation) -> None:
    moved(str(folder), target)
    storage = target.open_storage()
    assert [note.id for note in storage.get_annotations(NULLS)] == ["note-1", "note-2"]
    (found,) = [row for row in storage.query_findings(FIRST) if row["column"] == "email"]
    twice = {row["finding_id"] for row in storage.query_findings() if row["column"] == "email"}
    threads = {name: [note.id for note in storage.get_annotations(name)] for name in twice}
    # The same finding of 0.7 in two datasets is two findings: the newest report's has the thread.
    assert sorted(threads.values()) == [[], ["note-1", "note-2"]]
    assert storage.findings.resolve_id(NULLS) in twice
    assert threads[found["finding_id"]] == ["note-1", "note-2"]
    assert (found["status"], found["tags"]) == ("reviewed", ["crm", "late"])
    storage.close()


def test_what_only_a_report_carried_comes_along_once(folder: Path, target: StoreLocation) -> None:
    path = folder / f"reports/{FIRST}.json"
    data = json.loads(path.read_bytes())
    standalone = json.loads((folder / f"annotations/{NULLS}.json").read_bytes())
    data["annotations"].append(standalone[0])
    path.write_text(json.dumps(data))
    outcome = moved(str(folder), target)
    assert outcome.counts["annotations"].written == 4
    storage = target.open_storage()
    assert [note.id for note in storage.get_annotations(OUTLIERS)] == ["note-4"]
    assert [note.id for note in storage.get_annotations(NULLS)] == ["note-1", "note-2"]
    assert [note.id for note in storage.get_annotations("finding_123")] == ["note-3"]
    storage.close()


def test_what_is_read_in_place_is_what_arrives(folder: Path, target: StoreLocation, in_tokyo: None) -> None:
    moved(str(folder), target)
    here, there = told(StoreLocation("file", str(folder))), told(target)
    assert there == here


def test_the_folder_opens_as_before(folder: Path, target: StoreLocation) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    moved(str(folder), target)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("zone", "hour"),
    [(None, "2025-05-31T15:30"), ("UTC", "2025-06-01T00:30"), ("America/New_York", "2025-06-01T04:30")],
)
def test_times_in_files_are_local_unless_a_zone_is_named(
    folder: Path, make_place: MakePlace, in_tokyo: None, zone: str | None, hour: str
) -> None:
    target = make_place("sqlite", "target")
    moved(str(folder), target, zone)
    storage = target.open_storage()
    row = storage.reports.find(FIRST)
    assert row is not None
    assert row["created_at"].isoformat().startswith(hour)
    (note, _) = storage.get_annotations(NULLS)
    storage.close()
    assert (note.timestamp - row["created_at"]).total_seconds() == pytest.approx(10 * 3600, abs=1)


@pytest.mark.parametrize(("zone", "hour"), [(None, "2026-11-21T03:01"), ("Asia/Tokyo", "2026-11-20T18:01")])
@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_times_in_a_database_are_utc_unless_a_zone_is_named(
    make_place: MakePlace, tmp_path: Path, in_tokyo: None, backend: str, zone: str | None, hour: str
) -> None:
    if backend == "sqlite":
        source = copy_of(OLD, tmp_path, "old.db")
    else:
        source = make_place("postgres", "old").where
        old_on_postgres(source)
    target = make_place("file", "target")
    moved(source, target, zone)
    storage = target.open_storage()
    row = storage.reports.find("1")
    assert row is not None
    assert row["created_at"].isoformat().startswith(hour)
    assert [(note.id, note.author) for note in storage.get_annotations(NULLS)] == [("1", "Bob")]
    storage.close()


def test_times_are_shown_as_they_will_read(folder: Path) -> None:
    samples = preview_migration(
        MigrationRequest(str(folder), str(folder.parent / "x"), zone="Asia/Tokyo")
    ).times
    shown = {each.item: (each.written, each.read_as) for each in samples}
    assert shown[f"reports/{FIRST}.json"] == (
        "2025-06-01T00:30:00.000001",
        dt.datetime(2025, 5, 31, 15, 30, 0, 1, tzinfo=dt.UTC),
    )


def test_an_unknown_zone_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="Mars/Olympus"):
        preview_migration(MigrationRequest(str(folder), str(folder.parent / "x"), zone="Mars/Olympus"))


def test_a_database_of_0_7_is_no_target(folder: Path, tmp_path: Path) -> None:
    url = copy_of(OLD, tmp_path)
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(InvalidInputError, match=r"0\.7.*lavendertown db upgrade"):
        migrate_store(MigrationRequest(str(folder), url))
    assert (tmp_path / "store.db").read_bytes() == before
