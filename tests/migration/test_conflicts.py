"""A record that both stores hold with other content: kept, taken or a reason to stop, and always named."""

from __future__ import annotations

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError
from lavendertown.rules.models import RuleSet
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest, OnConflict
from tests.contract.builders import annotation, finding, report
from tests.contract.store_locations import StoreLocation
from tests.migration.conftest import MakePlace
from tests.migration.stores import told, traces

pytestmark = pytest.mark.slow

TARGETS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
SKIP, OVERWRITE, FAIL = OnConflict.SKIP, OnConflict.OVERWRITE, OnConflict.FAIL


@pytest.fixture(params=TARGETS)
def places(request: pytest.FixtureRequest, make_place: MakePlace) -> tuple[StoreLocation, StoreLocation]:
    """Two stores with a report, a comment and a rule set of the same ids and other content."""
    source, target = make_place("file", "source"), make_place(request.param, "target")
    for place, word in ((source, "source"), (target, "target")):
        storage = place.open_storage()
        storage.save_report(report("r1", [finding(description=word)], title=word), actor=f"{word} person")
        storage.save_report(report(f"only in {word}"))
        storage.save_annotation(annotation("x", id="a1", comment=word, status="fixed"))
        storage.save_ruleset(RuleSet("nightly", word, []), actor="Cy")
        storage.close()
    return source, target


def asked(
    places: tuple[StoreLocation, StoreLocation], policy: OnConflict = SKIP, **choices: OnConflict
) -> MigrationRequest:
    named = {name.replace("_", ":"): choice for name, choice in choices.items()}
    return MigrationRequest(places[0].where, places[1].where, policy, choices=named)


def words(place: StoreLocation) -> tuple[str, str, str]:
    storage = place.open_storage()
    loaded, note, rules = (
        storage.load_report("r1"),
        storage.annotations.load("a1"),
        storage.load_ruleset("nightly"),
    )
    storage.close()
    assert loaded is not None
    assert note is not None
    assert rules is not None
    assert loaded.title == loaded.findings[0].description
    return loaded.title, note.comment, rules.description


def counts(outcome: MigrationOutcome) -> dict[str, tuple[int, int, int, int]]:
    return {
        name: (each.read, each.written, each.skipped, each.conflicts)
        for name, each in outcome.counts.items()
        if name in ("reports", "annotations", "rulesets")
    }


def test_the_targets_are_kept_and_the_rest_arrives(places: tuple[StoreLocation, StoreLocation]) -> None:
    outcome = migrate_store(asked(places))
    assert words(places[1]) == ("target", "target", "target")
    assert counts(outcome) == {"reports": (2, 1, 0, 1), "annotations": (1, 0, 0, 1), "rulesets": (1, 0, 0, 1)}
    assert outcome.verified
    storage = places[1].open_storage()
    assert {row["id"] for row in storage.query_reports()} == {"r1", "only in source", "only in target"}
    storage.close()


def test_the_sources_are_taken(places: tuple[StoreLocation, StoreLocation]) -> None:
    outcome = migrate_store(asked(places, OVERWRITE))
    assert words(places[1]) == ("source", "source", "source")
    assert counts(outcome) == {"reports": (2, 2, 0, 1), "annotations": (1, 1, 0, 1), "rulesets": (1, 1, 0, 1)}
    assert outcome.verified
    again = migrate_store(asked(places, OVERWRITE))
    assert again.changed_nothing
    assert again.conflicts == ()


def test_the_move_is_refused_before_anything_is_written(places: tuple[StoreLocation, StoreLocation]) -> None:
    before = told(places[1]), traces(places[0])
    with pytest.raises(ConflictError, match=r"3 records .*nothing was migrated"):
        migrate_store(asked(places, FAIL))
    assert (told(places[1]), traces(places[0])) == before


def test_each_conflict_can_be_decided_for_itself(places: tuple[StoreLocation, StoreLocation]) -> None:
    migrate_store(asked(places, SKIP, annotation_a1=OVERWRITE))
    assert words(places[1]) == ("target", "source", "target")


def test_one_is_kept_while_the_others_are_taken(places: tuple[StoreLocation, StoreLocation]) -> None:
    migrate_store(asked(places, OVERWRITE, report_r1=SKIP))
    assert words(places[1]) == ("target", "source", "source")


def test_a_dry_run_names_both_sides(places: tuple[StoreLocation, StoreLocation]) -> None:
    found = {each.key: each for each in preview_migration(asked(places)).conflicts}
    assert found.keys() == {"report:r1", "annotation:a1", "ruleset:nightly"}
    about = found["report:r1"]
    assert (about.title, about.source_by, about.target_by) == ("source", "source person", "target person")
    assert (about.source_version, about.target_version, about.decision) == (1, 1, SKIP)
    assert found["annotation:a1"].title == "source"


def test_an_editor_of_what_was_overwritten_is_told(places: tuple[StoreLocation, StoreLocation]) -> None:
    storage = places[1].open_storage()
    loaded: ShareableReport | None = storage.load_report("r1")
    assert loaded is not None
    migrate_store(asked(places, OVERWRITE))
    loaded.title = "Mine"
    with pytest.raises(ConflictError):
        storage.save_report(loaded)
    storage.close()
    assert words(places[1])[0] == "source"


def test_what_was_deleted_on_one_side_is_a_conflict(places: tuple[StoreLocation, StoreLocation]) -> None:
    storage = places[0].open_storage()
    storage.delete_report("r1", actor="Ana")
    storage.close()
    (about,) = [each for each in preview_migration(asked(places)).conflicts if each.kind == "report"]
    assert (about.source_deleted, about.target_deleted, about.source_by) == (True, False, "Ana")
    migrate_store(asked(places, OVERWRITE))
    target = places[1].open_storage()
    assert find(target) == ["only in source", "only in target"]
    assert [row["id"] for row in target.query_findings(limit=None) if row["report_id"] == "r1"] == []
    assert target.restore_report("r1")
    target.close()
    assert words(places[1])[0] == "source"


def find(storage: Storage) -> list[str]:
    return sorted(row["id"] for row in storage.query_reports())


def test_what_changed_in_the_source_later_is_a_conflict_and_can_be_taken(make_place: MakePlace) -> None:
    source, target = make_place("file", "source"), make_place("sqlite", "target")
    storage = source.open_storage()
    storage.save_report(report("r1"))
    migrate_store(MigrationRequest(source.where, target.where))
    loaded = storage.load_report("r1")
    assert loaded is not None
    loaded.title = "Later"
    storage.save_report(loaded)
    kept = migrate_store(MigrationRequest(source.where, target.where))
    assert [each.key for each in kept.conflicts] == ["report:r1"]
    taken = migrate_store(MigrationRequest(source.where, target.where, OVERWRITE))
    assert taken.verified
    assert told(target)["reports"][0]["title"] == "Later"


def version(place: StoreLocation) -> int:
    storage = place.open_storage()
    found = storage.reports.find("r1")
    storage.close()
    assert found is not None
    number: int = found["version"]
    return number


@pytest.mark.parametrize("further", ["source", "target"])
def test_what_is_overwritten_never_goes_back_in_version(
    places: tuple[StoreLocation, StoreLocation], further: str
) -> None:
    storage = places[further == "target"].open_storage()
    for _ in range(4):
        loaded = storage.load_report("r1")
        assert loaded is not None
        storage.save_report(loaded)
    storage.close()
    theirs, held = version(places[0]), version(places[1])
    outcome = migrate_store(asked(places, OVERWRITE))
    assert outcome.verified
    assert version(places[1]) > held
    assert version(places[1]) >= theirs
    assert version(places[0]) == theirs


def test_each_side_says_who_changed_it_when(places: tuple[StoreLocation, StoreLocation]) -> None:
    changed = []
    for place, person in zip(places, ("Dora", "Emil"), strict=True):
        storage = place.open_storage()
        note = storage.annotations.load("a1")
        assert note is not None
        note.tags = [person]
        storage.save_annotation(note, actor=person)
        (row,) = storage.query_annotations(limit=None)
        changed.append(row["updated_at"])
        storage.close()
    about = {each.key: each for each in preview_migration(asked(places)).conflicts}["annotation:a1"]
    assert (about.source_by, about.target_by) == ("Dora", "Emil")
    assert [about.source_changed_at, about.target_changed_at] == changed
    assert (about.source_version, about.target_version) == (2, 2)


def test_what_was_deleted_in_the_target_stays_so_unless_it_is_taken(
    places: tuple[StoreLocation, StoreLocation],
) -> None:
    storage = places[1].open_storage()
    storage.delete_report("r1", actor="Ben")
    storage.rulesets.delete("nightly", actor="Ben")
    storage.close()
    kept = {each.key: each for each in migrate_store(asked(places)).conflicts}
    assert (kept["report:r1"].source_deleted, kept["report:r1"].target_deleted) == (False, True)
    assert kept["report:r1"].target_by == kept["ruleset:nightly"].target_by == "Ben"
    storage = places[1].open_storage()
    assert find(storage) == ["only in source", "only in target"]
    assert storage.load_ruleset("nightly") is None
    storage.close()
    assert migrate_store(asked(places, OVERWRITE)).verified
    assert words(places[1]) == ("source", "source", "source")


def test_counts_add_up(places: tuple[StoreLocation, StoreLocation]) -> None:
    for policy in (SKIP, OVERWRITE):
        for outcome in (preview_migration(asked(places, policy)), migrate_store(asked(places, policy))):
            for count in outcome.counts.values():
                kept = count.conflicts if policy is SKIP else 0
                assert count.read == count.written + count.skipped + kept


def test_statuses_follow_what_was_taken(places: tuple[StoreLocation, StoreLocation]) -> None:
    storage = places[0].open_storage()
    storage.save_report(report("r2", [finding("price")]))
    storage.save_annotation(annotation(finding("price"), id="a3", status="accepted", tags=["late"]))
    storage.close()
    storage = places[1].open_storage()
    storage.save_annotation(annotation(finding("price"), id="a3", status="open", tags=["early"]))
    storage.close()
    for policy, expected in ((SKIP, ("open", ["early"])), (OVERWRITE, ("accepted", ["late"]))):
        migrate_store(asked(places, policy))
        storage = places[1].open_storage()
        (row,) = [row for row in storage.query_findings(limit=None) if row["report_id"] == "r2"]
        storage.close()
        assert (row["status"], row["tags"]) == expected
