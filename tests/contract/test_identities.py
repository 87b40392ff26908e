"""A finding keeps its identity: discussion, tags and status follow it from report to report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.fingerprints import legacy_id
from tests.contract.builders import annotation, at, finding, ids, report, status_of


def md5_of(column: str = "email") -> str:
    about = finding(column)
    return legacy_id(about.ghost_type, about.column, about.description)


def test_next_weeks_finding_carries_last_weeks_discussion(storage: Storage) -> None:
    storage.save_report(report("week1"))
    storage.save_annotation(annotation(id="a1", tags=["crm"], status="needs-investigation"))
    later = finding(description="email is empty in 900 of 1,000 rows", row_indices=None)
    storage.save_report(report("week2", [later], created_at=at(24 * 7)))
    loaded = storage.load_report("week2")
    assert loaded is not None
    assert [note.id for note in loaded.annotations] == ["a1"]
    (row,) = storage.query_findings(report_id="week2")
    assert (row["status"], row["tags"], row["comment_count"]) == ("needs-investigation", ["crm"], 1)


def test_the_same_column_in_another_dataset_is_another_finding(storage: Storage) -> None:
    storage.save_report(report("one", [finding()], metadata={"dataset": "people"}))
    storage.save_report(report("two", [finding()], metadata={"dataset": "orders"}))
    storage.save_annotation(annotation(get_finding_id(finding(), "people"), id="a1", status="fixed"))
    assert {row["dataset"]: row["status"] for row in storage.query_findings()} == {
        "people": "fixed",
        "orders": "open",
    }


def test_a_loaded_finding_knows_its_id(storage: Storage) -> None:
    storage.save_report(report("one", [finding()], metadata={"dataset": "people"}))
    loaded = storage.load_report("one")
    assert loaded is not None
    (row,) = storage.query_findings()
    assert get_finding_id(loaded.findings[0]) == row["finding_id"]


# Annotations that come before their finding


def test_an_annotation_on_an_unknown_finding_is_kept(storage: Storage) -> None:
    storage.save_annotation(annotation("finding_123", id="a1"))
    assert [note.id for note in storage.get_annotations("finding_123")] == ["a1"]
    assert ids(storage.query_annotations()) == ["a1"]
    assert storage.query_findings() == []


def test_an_early_annotation_joins_when_its_finding_arrives(storage: Storage) -> None:
    storage.save_annotation(annotation(id="a1", tags=["early"], status="reviewed"))
    storage.save_report(report())
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert [note.id for note in loaded.annotations] == ["a1"]
    (row,) = storage.query_findings()
    assert (row["status"], row["tags"], row["comment_count"]) == ("reviewed", ["early"], 1)
    assert ids(storage.query_reports(status="reviewed", tags="early")) == ["r1"]


@pytest.mark.parametrize("first", ["annotation", "finding"])
def test_an_annotation_under_0_7s_id_joins_its_finding(storage: Storage, first: str) -> None:
    if first == "annotation":
        storage.save_annotation(annotation(md5_of(), id="a1", tags=["old"], status="fixed"))
    storage.save_report(report(metadata={"dataset": "people"}))
    if first == "finding":
        storage.save_annotation(annotation(md5_of(), id="a1", tags=["old"], status="fixed"))
    today = get_finding_id(finding(), "people")
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert [note.id for note in loaded.annotations] == ["a1"]
    assert [note.id for note in storage.get_annotations(today)] == ["a1"]
    assert [note.id for note in storage.get_annotations(md5_of())] == ["a1"]
    (row,) = storage.query_findings()
    assert (row["status"], row["tags"], row["comment_count"]) == ("fixed", ["old"], 1)
    assert storage.findings.resolve_id(md5_of()) == today


def test_old_and_new_ids_name_one_thread(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(md5_of(), id="old", timestamp=at(0)))
    storage.save_annotation(annotation(id="new", timestamp=at(1)))
    for name in (md5_of(), get_finding_id(finding())):
        assert [note.id for note in storage.get_annotations(name)] == ["old", "new"]
        assert ids(storage.query_annotations(finding_id=name)) == ["new", "old"]
        assert storage.findings.count(finding_id=name) == 1


def test_last_weeks_old_id_still_finds_the_finding_after_its_counts_changed(storage: Storage) -> None:
    storage.save_annotation(annotation(md5_of(), id="a1"))
    storage.save_report(report("week1"))
    storage.save_report(
        report("week2", [finding(description="email is empty in 7 of 9 rows")], created_at=at(1))
    )
    loaded = storage.load_report("week2")
    assert loaded is not None
    assert [note.id for note in loaded.annotations] == ["a1"]


@pytest.mark.parametrize("name", ["0.7's id", "today's id"])
@pytest.mark.parametrize("change", ["worded anew", "taken out", "deleted"])
def test_a_thread_that_joined_stays_with_its_finding_whatever_becomes_of_the_report(
    storage: Storage, open_storage: Callable[[], Storage], name: str, change: str
) -> None:
    today = get_finding_id(finding())
    storage.save_report(report())
    storage.save_annotation(annotation(md5_of() if name == "0.7's id" else today, id="a1", status="fixed"))
    if change == "worded anew":
        storage.save_report(report(findings=[finding(description="email is empty in 9 of 9 rows")]))
    elif change == "taken out":
        storage.save_report(report(findings=[finding("other")]))
    else:
        storage.delete_report("r1")
    for handle in (storage, open_storage()):
        assert [note.id for note in handle.get_annotations(today)] == ["a1"]
        if name == "0.7's id":
            assert [note.id for note in handle.get_annotations(md5_of())] == ["a1"]
    storage.save_report(report("next week", [finding(description="email is empty in 1 of 2 rows")]))
    (row,) = storage.query_findings(report_id="next week")
    assert (row["status"], row["comment_count"]) == ("fixed", 1)


# Status


def test_a_finding_without_a_status_is_open(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(status=None))
    assert status_of(storage, finding()) == "open"
    assert ids(storage.query_reports(status="open")) == ["r1"]


def test_a_status_of_none_changes_nothing(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(status="fixed", timestamp=at(0)))
    storage.save_annotation(annotation(status=None, timestamp=at(1)))
    assert status_of(storage, finding()) == "fixed"


def test_the_status_open_reopens(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(status="fixed", timestamp=at(0)))
    storage.save_annotation(annotation(status="open", timestamp=at(1)))
    assert status_of(storage, finding()) == "open"


@pytest.mark.parametrize(
    "status", ["open", "reviewed", "needs-investigation", "fixed", "false_positive", "accepted"]
)
def test_every_status_can_be_set(storage: Storage, status: str) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(status=status))
    assert status_of(storage, finding()) == status


def test_the_latest_annotation_decides_not_the_last_saved(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(status="fixed", timestamp=at(5)))
    storage.save_annotation(annotation(status="accepted", timestamp=at(1)))
    assert status_of(storage, finding()) == "fixed"


def test_deleting_the_latest_status_brings_the_one_before_back(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(id="a1", status="reviewed", timestamp=at(0)))
    storage.save_annotation(annotation(id="a2", status="fixed", timestamp=at(1)))
    storage.delete_annotation("a2")
    assert status_of(storage, finding()) == "reviewed"
    storage.delete_annotation("a1")
    assert status_of(storage, finding()) == "open"
    storage.restore_annotation("a2")
    assert status_of(storage, finding()) == "fixed"


def test_editing_an_annotation_edits_the_status(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(id="a1", status="fixed"))
    storage.save_annotation(annotation(id="a1", status="accepted"))
    assert status_of(storage, finding()) == "accepted"
    storage.save_annotation(annotation(id="a1", status=None))
    assert status_of(storage, finding()) == "open"


def test_moving_an_annotation_to_another_finding_moves_its_status(storage: Storage) -> None:
    storage.save_report(report(findings=[finding("a"), finding("b")]))
    storage.save_annotation(annotation(finding("a"), id="a1", status="fixed", tags=["t"]))
    storage.save_annotation(annotation(finding("b"), id="a1", status="fixed", tags=["t"]))
    assert (status_of(storage, finding("a")), status_of(storage, finding("b"))) == ("open", "fixed")
    assert [row["column"] for row in storage.query_findings(tags="t")] == ["b"]
    assert [row["comment_count"] for row in storage.query_findings()] == [0, 1]


# Tags and counters


def test_a_findings_tags_are_those_of_its_live_annotations(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(id="a1", tags=["b", "a", "b"]))
    storage.save_annotation(annotation(id="a2", tags=["c", "a"]))
    (row,) = storage.query_findings()
    assert sorted(row["tags"]) == ["a", "b", "c"]
    storage.delete_annotation("a2")
    (row,) = storage.query_findings()
    assert sorted(row["tags"]) == ["a", "b"]


def test_the_tags_in_use_come_most_used_first_then_by_name(storage: Storage) -> None:
    storage.save_report(report("r1", [finding("a"), finding("b")], metadata={"tags": ["weekly", "crm"]}))
    storage.save_report(report("r2", [], metadata={"tags": ["weekly"]}))
    storage.save_annotation(annotation(finding("a"), id="a1", tags=["crm", "zeta"]))
    storage.save_annotation(annotation(finding("b"), id="a2", tags=["crm", "beta"]))
    assert storage.reports.known_tags() == ["crm", "weekly", "beta", "zeta"]
    storage.delete_annotation("a2")
    storage.delete_report("r2")
    assert "beta" not in storage.reports.known_tags()


def seen(storage: Storage) -> tuple[object, object, object]:
    (row,) = storage.query_findings(finding_id=get_finding_id(finding()), limit=1)
    return row["first_seen"], row["last_seen"], row["times_seen"]


def test_first_and_last_sight_and_times_seen_follow_the_live_reports(storage: Storage) -> None:
    for hour in (10, 5, 20):
        storage.save_report(report(f"r{hour}", created_at=at(hour)))
    assert seen(storage) == (at(5), at(20), 3)
    storage.delete_report("r20")
    assert seen(storage) == (at(5), at(10), 2)
    storage.delete_report("r5")
    assert seen(storage) == (at(10), at(10), 1)
    storage.restore_report("r20")
    assert seen(storage) == (at(10), at(20), 2)


def test_saving_a_report_again_is_no_further_sight(storage: Storage) -> None:
    storage.save_report(report("r1", created_at=at(1)))
    storage.save_report(report("r1", created_at=at(2)))
    assert seen(storage) == (at(2), at(2), 1)


def test_a_finding_taken_out_of_a_report_is_no_longer_seen_in_it(storage: Storage) -> None:
    storage.save_report(report("r1", created_at=at(1)))
    storage.save_report(report("r2", created_at=at(2)))
    storage.save_report(report("r2", [finding("other")], created_at=at(2)))
    assert seen(storage) == (at(1), at(1), 1)


def test_comments_are_counted_once_each(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(id="a1"))
    storage.save_annotation(annotation(id="a1", comment="Edited"))
    storage.save_annotation(annotation(id="a2"))
    assert storage.query_findings()[0]["comment_count"] == 2
    storage.delete_annotation("a1")
    assert storage.query_findings()[0]["comment_count"] == 1


def test_a_restored_report_has_its_thread_again(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(annotation(id="a1", status="fixed", tags=["t"]))
    storage.delete_report("r1")
    assert [note.id for note in storage.get_annotations(get_finding_id(finding()))] == ["a1"]
    storage.restore_report("r1")
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert [note.id for note in loaded.annotations] == ["a1"]
    (row,) = storage.query_findings()
    assert (row["status"], row["tags"]) == ("fixed", ["t"])
