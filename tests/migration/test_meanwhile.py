"""The source is worked on while it is moved: what was acknowledged before the last look is carried over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.fingerprints import legacy_id
from lavendertown.transfer.migrator import migrate_later_changes, migrate_store
from lavendertown.transfer.readers import batches
from lavendertown.transfer.values import MigrationProgress, MigrationRequest, OnConflict
from tests.contract.builders import annotation, finding, report
from tests.contract.store_locations import StoreLocation
from tests.migration.conftest import MakePlace
from tests.migration.stores import fill, told

pytestmark = pytest.mark.slow

KINDS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def filled(make_place: MakePlace, backend: str) -> StoreLocation:
    place = make_place(backend, "source")
    storage = place.open_storage()
    fill(storage, 21)
    storage.close()
    return place


@pytest.mark.parametrize("phase", ["reports", "annotations", "events", "verifying"])
@pytest.mark.parametrize("backend", KINDS)
def test_what_is_written_in_a_phase_is_carried_over(
    make_place: MakePlace, monkeypatch: pytest.MonkeyPatch, backend: str, phase: str
) -> None:
    monkeypatch.setattr(batches, "RECORDS_PER_BATCH", 3)
    origin, goal = filled(make_place, backend), make_place("sqlite", "target")
    storage = origin.open_storage()
    first = storage.query_reports(limit=1)[0]["id"]
    phases: list[str] = []

    def write(progress: MigrationProgress) -> None:
        if progress.phase == phase and phase not in phases:
            phases.append(phase)
            _work(storage, first)

    outcome = migrate_store(MigrationRequest(origin.where, goal.where), write)
    assert phases
    assert outcome.conflicts == outcome.differences == ()
    storage.close()
    assert told(goal) == told(origin)


def _work(storage: Storage, first: str) -> None:
    """A new report, one that is renamed and deleted, and comments on old and new findings."""
    storage.save_report(report("new"))
    _rename(storage, first, "Renamed meanwhile")
    storage.save_annotation(annotation(id="new note", status="fixed", tags=["new"]))
    about = storage.query_findings(limit=1)[0]["finding_id"]
    storage.save_annotation(annotation(about, id="another note", status="accepted"))
    storage.delete_report(first, actor="Ben")


@contextmanager
def writing(storage: Storage, acknowledged: list[str]) -> Iterator[None]:
    """Write reports for as long as the block runs."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            acknowledged.append(storage.save_report(report(f"w{number}")))
            storage.save_annotation(annotation(id=f"wn{number}"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("backend", KINDS)
def test_nothing_acknowledged_is_lost_under_a_busy_writer(make_place: MakePlace, backend: str) -> None:
    origin, goal = filled(make_place, backend), make_place("sqlite", "target")
    storage = origin.open_storage()
    acknowledged: list[str] = []
    with writing(storage, acknowledged):
        outcome = migrate_store(MigrationRequest(origin.where, goal.where))
    assert outcome.conflicts == outcome.differences == ()
    assert outcome.finished
    migrate_later_changes(MigrationRequest(origin.where, goal.where), outcome)
    storage.close()
    both = told(goal)
    assert {row["id"] for row in both["reports"]} >= set(acknowledged)
    assert both == told(origin)


@pytest.mark.parametrize("phase", ["annotations", "verifying"])
@pytest.mark.parametrize("backend", KINDS)
def test_an_old_id_that_joined_meanwhile_leads_on(make_place: MakePlace, backend: str, phase: str) -> None:
    origin, goal = filled(make_place, backend), make_place("sqlite", "target")
    storage = origin.open_storage()
    found = finding("joined")
    old = legacy_id(found.ghost_type, found.column, found.description)

    def write(progress: MigrationProgress) -> None:
        if progress.phase == phase and storage.reports.find("joins") is None:
            storage.save_annotation(annotation(old, id="by its old id"))
            storage.save_report(report("joins", [found]))
            # From here on the old id no longer follows from what the finding says.
            storage.save_report(report("joins", [replace(found, description="Counted anew")]))

    outcome = migrate_store(MigrationRequest(origin.where, goal.where), write)
    assert outcome.differences == ()
    assert outcome.finished
    storage.close()
    assert told(goal) == told(origin)


@pytest.mark.parametrize("on_conflict", list(OnConflict))
@pytest.mark.parametrize("target", KINDS)
def test_what_a_colleague_changes_in_the_target_meanwhile_is_a_conflict(
    make_place: MakePlace, target: str, on_conflict: OnConflict
) -> None:
    origin, goal = make_place("file", "source"), make_place(target, "target")
    storage, theirs = origin.open_storage(), goal.open_storage()
    storage.save_reports([report("r1"), report("r2")])
    theirs.save_report(report("in use"))

    def change(progress: MigrationProgress) -> None:
        if progress.phase == "annotations":
            _rename(theirs, "r1", "Changed in the target")
            _rename(storage, "r2", "Changed in the source")

    outcome = migrate_store(MigrationRequest(origin.where, goal.where, on_conflict), change)
    titles = {row["id"]: row["title"] for row in theirs.query_reports()}
    theirs.close()
    assert outcome.finished
    assert [each.key for each in outcome.conflicts] == ["report:r1"]
    kept = on_conflict is not OnConflict.OVERWRITE
    assert titles["r1"] == ("Changed in the target" if kept else "Week 12")
    assert titles["r2"] == "Changed in the source"


def test_what_was_changed_in_the_target_after_the_move_stays(make_place: MakePlace) -> None:
    origin, goal = make_place("file", "source"), make_place("sqlite", "target")
    origin.open_storage().save_reports([report("r1"), report("r2")])
    request = MigrationRequest(origin.where, goal.where)
    outcome = migrate_store(request)
    theirs = goal.open_storage()
    _rename(theirs, "r1", "Changed in the target")
    _rename(origin.open_storage(), "r2", "Changed in the source")
    migrate_later_changes(request, outcome)
    titles = {row["id"]: row["title"] for row in theirs.query_reports()}
    theirs.close()
    assert titles == {"r1": "Changed in the target", "r2": "Changed in the source"}


def _rename(storage: Storage, report_id: str, title: str) -> None:
    loaded = storage.load_report(report_id)
    assert loaded is not None
    loaded.title = title
    storage.save_report(loaded)
