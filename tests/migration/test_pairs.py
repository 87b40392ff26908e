"""Everything one store says, the other says after the move: each kind to each kind, filled at random."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.readers import batches
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest
from tests.contract.builders import NOON, annotation, finding, report
from tests.contract.store_locations import StoreLocation
from tests.migration.conftest import MakePlace
from tests.migration.stores import exact, fill, story, told, traces
from tests.support import mariadb

pytestmark = pytest.mark.slow

KINDS = ("file", "sqlite", "postgres")
# Each kind is once the source and once the target.
FEW = (("file", "sqlite"), ("sqlite", "postgres"), ("postgres", "file"))


def make_pairs(*options: int, few: bool = False) -> list[Any]:
    """Return the parameters of all pairs; with ``few``, those beyond FEW are left to `make test-soak`."""
    pairs = [(a, b) for a in KINDS for b in KINDS]
    pairs += [pair for other in mariadb.PARAMS for pair in (("file", other), (other, "sqlite"))]
    found = []
    for pair in pairs:
        marks = [pytest.mark.postgres] if "postgres" in pair else []
        if few and pair not in FEW and "mariadb" not in pair:
            marks.append(pytest.mark.soak)
        found.append(pytest.param(*pair, *options, marks=marks, id="-".join(map(str, (*options, *pair)))))
    return found


KINDS_MARKED = [
    pytest.param(kind, marks=[pytest.mark.postgres] if kind == "postgres" else []) for kind in KINDS
]


def filled(make_place: MakePlace, backend: str, seed: int) -> StoreLocation:
    place = make_place(backend, "source")
    storage = place.open_storage()
    fill(storage, seed)
    storage.close()
    return place


def revision(place: StoreLocation) -> str:
    storage = place.open_storage()
    found = storage.revision()
    storage.close()
    return found


def counted(outcome: MigrationOutcome) -> dict[str, Any]:
    return {name: (count.read, count.written, count.skipped) for name, count in outcome.counts.items()}


@pytest.mark.parametrize(
    ("source", "target", "seed", "at_once"), [*make_pairs(1, 5_000), *make_pairs(2, 3, few=True)]
)
def test_the_target_says_what_the_source_says(
    make_place: MakePlace,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
    seed: int,
    at_once: int,
) -> None:
    monkeypatch.setattr(batches, "RECORDS_PER_BATCH", at_once)
    origin, goal = filled(make_place, source, seed), make_place(target, "target")
    before = traces(origin)
    outcome = migrate_store(MigrationRequest(origin.where, goal.where))
    assert outcome.verified
    assert outcome.finished
    assert outcome.quarantined == outcome.conflicts == outcome.differences == ()
    assert traces(origin) == before
    assert exact(told(goal)) == exact(told(origin))


@pytest.mark.parametrize(("source", "target"), make_pairs(few=True))
def test_a_second_run_writes_nothing(make_place: MakePlace, source: str, target: str) -> None:
    origin, goal = filled(make_place, source, 3), make_place(target, "target")
    first = migrate_store(MigrationRequest(origin.where, goal.where))
    left = traces(goal), revision(goal)
    again = migrate_store(MigrationRequest(origin.where, goal.where))
    assert again.changed_nothing
    assert again.verified
    assert again.finished
    assert counted(again) == {name: (read, 0, read) for name, (read, _, _) in counted(first).items()}
    assert (traces(goal), revision(goal)) == left


@pytest.mark.parametrize(("source", "target"), make_pairs(few=True))
def test_a_dry_run_says_what_the_move_does_and_writes_nothing(
    make_place: MakePlace, source: str, target: str
) -> None:
    origin, goal = filled(make_place, source, 4), make_place(target, "target")
    before = traces(origin), traces(goal)
    planned = preview_migration(MigrationRequest(origin.where, goal.where))
    assert (traces(origin), traces(goal)) == before
    assert counted(planned) == counted(migrate_store(MigrationRequest(origin.where, goal.where)))
    assert not planned.verified
    assert not planned.finished


@pytest.mark.parametrize("middle", KINDS_MARKED)
def test_there_and_back_again(make_place: MakePlace, middle: str) -> None:
    origin, between, home = filled(make_place, "file", 5), make_place(middle, "b"), make_place("file", "c")
    for source, target in ((origin, between), (between, home)):
        assert migrate_store(MigrationRequest(source.where, target.where)).verified
    assert exact(told(home)) == exact(told(origin))


@pytest.mark.parametrize("target", KINDS_MARKED)
def test_a_store_in_use_takes_another_one_in(make_place: MakePlace, target: str) -> None:
    origin, goal = filled(make_place, "sqlite", 6), make_place(target, "target")
    theirs = goal.open_storage()
    theirs.save_report(report("theirs"))
    own = story(theirs)
    theirs.close()
    assert migrate_store(MigrationRequest(origin.where, goal.where)).verified
    both, expected = told(goal), told(origin)
    assert {row["id"] for row in both["reports"]} == {
        row["id"] for row in own["reports"] + expected["reports"]
    }
    assert sorted(both["audit"], key=repr) == sorted(own["audit"] + expected["audit"], key=repr)
    assert [event["at"] for event in both["audit"]] == sorted(
        (event["at"] for event in both["audit"]), reverse=True
    )


@pytest.mark.parametrize("target", KINDS_MARKED)
def test_the_move_itself_is_one_audit_entry(make_place: MakePlace, target: str) -> None:
    origin, goal = filled(make_place, "file", 7), make_place(target, "target")
    outcome = migrate_store(MigrationRequest(origin.where, goal.where, actor="Ana"))
    storage = goal.open_storage()
    (event,) = storage.audit_log(component="store")
    storage.close()
    assert (event["actor"], event["operation"], event["record_id"]) == ("Ana", "move", outcome.id)
    assert event["after"]["reports"]["written"] == outcome.counts["reports"].written


@pytest.mark.parametrize("target", KINDS_MARKED)
@pytest.mark.parametrize("source", KINDS_MARKED)
def test_events_of_one_moment_all_arrive_once(
    make_place: MakePlace, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    monkeypatch.setattr(batches, "RECORDS_PER_BATCH", 3)
    origin, goal = make_place(source, "source"), make_place(target, "target")
    with monkeypatch.context() as still:
        still.setattr("lavendertown.core.clock.now", lambda: NOON)
        storage = origin.open_storage()
        for number in range(8):
            storage.save_annotation(annotation(id=f"a{number}"))
        for _ in range(4):
            # Alike but for the version, and all of one moment: their order is kept too.
            storage.delete_annotation("a1", actor="Ana")
            storage.restore_annotation("a1", actor="Ana")
        storage.close()
    first = migrate_store(MigrationRequest(origin.where, goal.where))
    assert first.counts["events"].written == 16
    assert exact(told(goal)) == exact(told(origin))
    assert migrate_store(MigrationRequest(origin.where, goal.where)).changed_nothing


@pytest.mark.parametrize("target", KINDS_MARKED)
def test_a_finding_with_very_many_rows_arrives(make_place: MakePlace, target: str) -> None:
    origin, goal = make_place("file", "source"), make_place(target, "target")
    storage = origin.open_storage()
    storage.save_report(report("r1", [finding(row_indices=list(range(0, 600_000, 3)))]))
    storage.close()
    assert migrate_store(MigrationRequest(origin.where, goal.where)).verified
    assert told(goal) == told(origin)


def test_the_target_can_be_worked_on(make_place: MakePlace) -> None:
    origin, goal = filled(make_place, "file", 8), make_place("sqlite", "target")
    migrate_store(MigrationRequest(origin.where, goal.where))
    storage = goal.open_storage()
    storage.save_report(report("theirs"))
    row = next(row for row in storage.query_reports(limit=None) if row["id"] != "theirs")
    loaded = storage.load_report(row["id"])
    assert loaded is not None
    storage.save_report(loaded)
    assert storage.reports.find(row["id"])["version"] == row["version"] + 1  # type: ignore[index]
    storage.close()
