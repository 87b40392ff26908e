"""Deleting hides, restoring brings back, and nothing else moves."""

from __future__ import annotations

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError
from lavendertown.rules.models import RuleSet
from tests.contract.builders import annotation, at, finding, ids, report


def test_a_deleted_report_is_hidden_everywhere(storage: Storage) -> None:
    storage.save_report(report("r1", metadata={"tags": ["t"]}))
    assert storage.delete_report("r1", actor="carol")
    assert storage.load_report("r1") is None
    assert storage.query_reports() == []
    assert storage.count_reports() == 0
    assert storage.query_findings() == []
    assert storage.findings.count() == 0
    assert storage.reports.count_by_value()["author"] == {}


def test_a_deleted_report_is_listed_when_asked_for(storage: Storage) -> None:
    storage.save_report(report("r1"))
    storage.save_report(report("r2", created_at=at(1)))
    storage.delete_report("r1")
    rows = storage.query_reports(include_deleted=True)
    assert ids(rows) == ["r2", "r1"]
    assert rows[0]["deleted_at"] is None
    assert rows[1]["deleted_at"].utcoffset() is not None
    assert storage.count_reports(include_deleted=True) == 2
    header = storage.reports.find("r1")
    assert header is not None
    assert header["deleted_at"] == rows[1]["deleted_at"]
    assert len(storage.query_findings(include_deleted=True)) == 2


def test_filters_work_in_the_trash(storage: Storage) -> None:
    storage.save_report(
        report("r1", [finding(severity="error")], author="ann", metadata={"dataset": "d", "tags": ["t"]})
    )
    storage.save_report(report("r2", author="ben"))
    storage.delete_report("r1")
    for asked in ({"author": "ann"}, {"severity": "error"}, {"dataset": "d"}, {"tags": "t"}, {"search": "D"}):
        assert ids(storage.query_reports(include_deleted=True, **asked)) == ["r1"], asked


def test_a_restored_report_is_whole_again(storage: Storage) -> None:
    saved = report(
        "r1", [finding("a"), finding("b", row_indices=["x"])], metadata={"dataset": "d", "tags": ["t"]}
    )
    storage.save_report(saved)
    storage.delete_report("r1")
    assert storage.restore_report("r1")
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert loaded.to_dict() == saved.to_dict() | {"version": loaded.version}
    assert storage.findings.load_rows("r1", 1) == ["x"]
    assert ids(storage.query_reports(tags="t", search="b is")) == ["r1"]


def test_deleting_and_restoring_twice_says_so(storage: Storage) -> None:
    storage.save_report(report("r1"))
    assert not storage.restore_report("r1")
    assert storage.delete_report("r1")
    assert not storage.delete_report("r1")
    assert storage.restore_report("r1")
    assert not storage.restore_report("r1")
    assert [event["operation"] for event in storage.audit_log()] == ["restore", "delete", "create"]


def test_saving_a_deleted_report_is_refused_until_it_is_restored(storage: Storage) -> None:
    storage.save_report(report("r1"))
    storage.delete_report("r1")
    with pytest.raises(ConflictError, match=r"'r1' was deleted.*restore"):
        storage.save_report(report("r1", title="Back"))
    assert storage.load_report("r1") is None
    storage.restore_report("r1")
    storage.save_report(report("r1", title="Back"))
    assert ids(storage.query_reports(search="back")) == ["r1"]


def test_deleting_counts_as_a_change_for_whoever_edits(storage: Storage) -> None:
    storage.save_report(report("r1"))
    mine = storage.load_report("r1")
    assert mine is not None
    storage.delete_report("r1")
    storage.restore_report("r1")
    with pytest.raises(ConflictError):
        storage.save_report(mine)


def test_a_deleted_annotation_is_hidden_until_restored(storage: Storage) -> None:
    storage.save_report(report("r1", annotations=[annotation(id="a1")]))
    assert storage.delete_annotation("a1")
    assert not storage.delete_annotation("a1")
    assert storage.annotations.load("a1") is None
    assert storage.query_annotations() == []
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert loaded.annotations == []
    assert ids(storage.query_annotations(include_deleted=True)) == ["a1"]
    assert storage.restore_annotation("a1")
    restored = storage.annotations.load("a1")
    assert restored is not None
    assert restored.comment == "Looks odd"
    assert not storage.restore_annotation("a1")


def test_a_deleted_annotation_is_not_saved_over(storage: Storage) -> None:
    storage.save_annotation(annotation("f1", id="a1"))
    storage.delete_annotation("a1")
    with pytest.raises(ConflictError, match=r"'a1' was deleted.*restore"):
        storage.save_annotation(annotation("f1", id="a1"))


def test_annotations_of_a_deleted_report_stay(storage: Storage) -> None:
    storage.save_report(report("r1", annotations=[annotation("free", id="a1")]))
    storage.delete_report("r1")
    assert [note.id for note in storage.get_annotations("free")] == ["a1"]
    assert ids(storage.query_annotations()) == ["a1"]


def test_the_same_name_in_three_kinds_is_three_records(storage: Storage) -> None:
    storage.save_report(report("same"))
    storage.save_annotation(annotation("f1", id="same"))
    storage.save_ruleset(RuleSet("same", ""))
    storage.delete_annotation("same")
    assert storage.load_report("same") is not None
    assert storage.load_ruleset("same") is not None
