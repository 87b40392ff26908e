"""Closing a finding needs a reason, wherever it is closed; what a store or a file already has is exempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.statuses import CLOSED_NAMES
from lavendertown.errors import InvalidInputError
from lavendertown.records.record_classes import AnnotationRecord, TriageRecord
from lavendertown.records.write_path import ImportBatch, ImportedRecord, SaveRecord
from tests.contract.builders import NOON, annotation, finding, report, sentence, status_of

NAME = get_finding_id(finding())


def closing(**changes: object) -> Annotation:
    """Return a new annotation that closes the finding and says nothing."""
    return annotation(**{"id": "a1", "status": "fixed", "comment": "", **changes})


def closed_without_reason() -> AnnotationRecord:
    """Return an annotation as a version that had no such rule stored it."""
    return AnnotationRecord("a1", NAME, "bob", NOON, "", (), "fixed", None, NOON, version=1)


@pytest.fixture
def history(storage: Storage) -> Storage:
    """A store with a finding that was closed before a reason was needed."""
    storage.save_report(report())
    storage.write_path.import_records(ImportBatch([ImportedRecord(closed_without_reason())]))
    return storage


ENTRY_POINTS: dict[str, Callable[[Storage, Annotation], object]] = {
    "save_annotation": lambda storage, new: storage.save_annotation(new),
    "save_annotations": lambda storage, new: storage.annotations.save_many([annotation(id="first"), new]),
    "save_report": lambda storage, new: storage.save_report(report("r2", annotations=[new])),
    "decide": lambda storage, new: storage.triage.decide(
        NAME, Decision(new.status, None, new.comment), actor="bob"
    ),
    "decide with a blank reason": lambda storage, new: storage.triage.decide(
        NAME, Decision(new.status, new.comment), actor="bob"
    ),
}


@pytest.mark.parametrize("save", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
def test_every_entry_point_refuses_to_close_without_a_reason(
    storage: Storage, save: Callable[[Storage, Annotation], object]
) -> None:
    storage.save_report(report())
    events = storage.audit_log()
    for status in CLOSED_NAMES:
        with pytest.raises(InvalidInputError) as refused:
            save(storage, closing(status=status, comment=" \n"))
        assert "needs a reason" in sentence(refused)
    assert storage.audit_log() == events
    save(storage, closing(comment="Reloaded"))
    assert status_of(storage, finding()) == "fixed"


def test_the_comment_of_a_decision_is_its_reason(storage: Storage) -> None:
    storage.triage.decide(NAME, Decision("accepted", comment="By design"), actor="bob")
    assert storage.triage.load(NAME)["close_reason"] == "By design"


def test_the_reason_may_be_in_the_triage_record_of_the_same_unit_of_work(storage: Storage) -> None:
    storage.save_report(report())
    new = replace(closed_without_reason(), version=0)
    other = TriageRecord("another finding", clock.EPOCH, close_reason="Reloaded")
    with pytest.raises(InvalidInputError, match="needs a reason"):
        storage.write_path.commit([SaveRecord(other), SaveRecord(new)])
    storage.write_path.commit([SaveRecord(replace(other, id=NAME)), SaveRecord(new)])
    assert status_of(storage, finding()) == "fixed"


def test_a_stored_annotation_may_not_newly_close_without_a_reason(storage: Storage) -> None:
    storage.save_report(report())
    storage.save_annotation(closing(status="reviewed"))
    (stored,) = storage.get_annotations(NAME)
    with pytest.raises(InvalidInputError, match="needs a reason"):
        storage.save_annotation(replace(stored, status="fixed"))
    stored.status = "fixed"
    with pytest.raises(InvalidInputError, match="needs a reason"):
        storage.save_annotation(stored)
    assert status_of(storage, finding()) == "reviewed"


def test_another_closing_status_needs_a_reason_of_its_own(history: Storage) -> None:
    (stored,) = history.get_annotations(NAME)
    with pytest.raises(InvalidInputError, match="needs a reason"):
        history.save_annotation(replace(stored, status="accepted"))


def test_stored_history_is_never_refused(history: Storage) -> None:
    (stored,) = history.get_annotations(NAME)
    history.save_annotation(stored)
    history.save_annotation(replace(stored, tags=["late"], version=None))
    loaded = history.load_report("r1")
    assert loaded is not None
    history.save_report(loaded)
    history.delete_annotation("a1")
    history.restore_annotation("a1")
    assert status_of(history, finding()) == "fixed"


def test_a_report_read_from_a_file_or_another_store_keeps_its_annotations(
    history: Storage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    loaded = history.load_report("r1")
    assert loaded is not None
    other = FileStorage(tmp_path_factory.mktemp("other"))
    other.save_report(loaded)
    data = ShareableReport("r2", "Old", "bob", NOON, [finding()], [closing(id="a2")]).to_dict()
    data["annotations"].append(closing(id="a3", status=None).to_dict())
    history.save_report(ShareableReport.from_dict(data))
    assert [len(each.get_annotations(NAME)) for each in (other, history)] == [1, 3]


def test_a_report_read_from_a_file_may_not_newly_close_without_a_reason(storage: Storage) -> None:
    read = ShareableReport.from_dict(report(annotations=[closing(status="reviewed")]).to_dict())
    read.annotations[0].status = "fixed"
    with pytest.raises(InvalidInputError, match="needs a reason"):
        storage.save_report(read)


def test_an_empty_annotation_is_refused(storage: Storage) -> None:
    with pytest.raises(InvalidInputError, match="annotation is empty"):
        storage.save_annotation(closing(status=None))
    storage.save_annotation(closing(status=None, comment="Odd"))
    with pytest.raises(InvalidInputError, match="delete it instead"):
        storage.save_annotation(closing(status=None))
