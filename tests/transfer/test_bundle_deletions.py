"""A bundle carries what its store deleted, which goes to the trash where it came from a bundle."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.core.fingerprints import legacy_id
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.bundles.importing import BundlePreview, import_bundle, preview_bundle
from lavendertown.transfer.bundles.undoing import undo_bundle
from lavendertown.transfer.bundles.writing import export_bundle
from tests.contract.builders import annotation, at, finding, report
from tests.transfer.bundle_helpers import EACH, Open, bundle_of, counts, exchange

EMAIL_ID = get_finding_id(finding())
SECRET = "Eve said so"


def fill(storage: Storage) -> None:
    """Save two reports, and two comments."""
    storage.save_report(report("r1", [finding()], annotations=[annotation(id="n1")]))
    storage.save_report(report("r2", [finding()], created_at=at(24)))
    storage.save_annotation(annotation(finding(), id="n2", comment=SECRET))


def delete(storage: Storage) -> None:
    """Delete a report and a comment."""
    assert storage.delete_report("r2", actor="Ana")
    assert storage.delete_annotation("n2", actor="Ana")


def live(storage: Storage) -> list[str]:
    """Return the live reports and comments."""
    reports = [row["id"] for row in storage.query_reports()]
    return sorted([*reports, *(row["id"] for row in storage.query_annotations())])


def deletions(preview: BundlePreview) -> dict[str, int]:
    """Return the counts of deletions that are not zero."""
    return {str(state): number for state, number in preview.deletions.items() if number}


@pytest.mark.parametrize("backend", EACH)
def test_what_was_deleted_there_goes_to_the_trash_here(open_store: Open, backend: str) -> None:
    ours, theirs = open_store(backend, "a"), open_store("sqlite" if backend == "file" else "file", "b")
    fill(ours)
    exchange(ours, theirs, "r1", "r2")
    delete(ours)
    preview = exchange(ours, theirs, "r1")
    assert deletions(preview) == {"trashed": 2}
    assert counts(preview) == {"reports": {"unchanged": 1}, "annotations": {"unchanged": 1}}
    assert live(theirs) == live(ours) == ["n1", "r1"]
    for kind, record_id in ((RecordKind.REPORT, "r2"), (RecordKind.ANNOTATION, "n2")):
        a, b = (storage.store.read_record(kind, record_id) for storage in (ours, theirs))
        assert a is not None
        assert b is not None
        assert (a.deleted_at, a.updated_at) == (b.deleted_at, b.updated_at)
    assert {event["actor"] for event in theirs.audit_log() if event["operation"] == "delete"} == {"Zoe"}
    revision = theirs.revision()
    again = exchange(ours, theirs, "r1")
    assert again.changes_nothing
    assert deletions(again) == {"gone": 2}
    assert theirs.revision() == revision
    assert theirs.restore_report("r2", actor="Ben")
    restored = theirs.load_report("r2")
    assert restored is not None
    assert len(restored.findings) == 1
    # Restored here: somebody decided since.
    assert deletions(exchange(ours, theirs, "r1")) == {"kept": 1, "gone": 1}


@pytest.mark.parametrize("backend", EACH)
def test_what_was_changed_here_stays(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    fill(ours)
    exchange(ours, theirs, "r1", "r2")
    renamed = theirs.load_report("r2")
    assert renamed is not None
    renamed.title = "March"
    theirs.save_report(renamed, actor="Ben")
    note = theirs.annotations.load("n2")
    assert note is not None
    note.comment = "Indeed"
    theirs.save_annotation(note, actor="Ben")
    delete(ours)
    revision = theirs.revision()
    preview = exchange(ours, theirs, "r1")
    assert (deletions(preview), preview.changes_nothing) == ({"kept": 2}, True)
    assert theirs.revision() == revision
    assert live(theirs) == ["n1", "n2", "r1", "r2"]


@pytest.mark.parametrize("backend", EACH)
def test_what_did_not_come_from_a_bundle_stays(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    fill(ours)
    fill(theirs)
    delete(ours)
    assert deletions(exchange(ours, theirs, "r1")) == {"kept": 2}
    assert live(theirs) == ["n1", "n2", "r1", "r2"]


@pytest.mark.parametrize("backend", EACH)
def test_the_trash_of_an_importing_team_is_not_passed_on(open_store: Open, backend: str) -> None:
    ours, theirs, third = open_store("file", "a"), open_store(backend, "b"), open_store("file", "c")
    fill(ours)
    for storage in (theirs, third):
        exchange(ours, storage, "r1", "r2")
    delete(theirs)
    for storage in (ours, third):
        assert deletions(exchange(theirs, storage, "r1")) == {}
        assert live(storage) == ["n1", "n2", "r1", "r2"]


@pytest.mark.parametrize("backend", EACH)
def test_a_deletion_that_came_from_a_bundle_is_passed_on(open_store: Open, backend: str) -> None:
    ours, theirs, third = open_store("file", "a"), open_store(backend, "b"), open_store("file", "c")
    fill(ours)
    exchange(ours, theirs, "r1", "r2")
    exchange(theirs, third, "r1", "r2")
    delete(ours)
    exchange(ours, theirs, "r1")
    assert deletions(exchange(theirs, third, "r1")) == {"trashed": 2}
    assert live(third) == ["n1", "r1"]


def test_a_comment_that_another_team_edited_is_deleted_by_its_own_team(open_store: Open) -> None:
    ours, theirs, third = (open_store("file", name) for name in "abc")
    fill(ours)
    exchange(ours, theirs, "r1")
    note = theirs.annotations.load("n2")
    assert note is not None
    note.comment = "Indeed"
    theirs.save_annotation(note, actor="Ben")
    exchange(theirs, ours, "r1")
    exchange(ours, third, "r1")
    ours.delete_annotation("n2", actor="Ana")
    assert deletions(exchange(ours, third, "r1")) == {"trashed": 1}
    # There, it was changed.
    assert deletions(exchange(ours, theirs, "r1")) == {"kept": 1}


def test_a_deletion_applies_only_where_the_record_belongs(open_store: Open) -> None:
    ours, theirs = open_store("file", "a"), open_store("sqlite", "b")
    fill(ours)
    ours.save_report(report("r3", [finding("phone")]))
    exchange(ours, theirs, "r1", "r2", "r3")
    delete(ours)
    bundle = bundle_of(ours, "r1", "r3")
    wrong = {RecordKind.REPORT: "customers", RecordKind.ANNOTATION: get_finding_id(finding("phone"))}
    moved = tuple(replace(each, belongs_to=wrong[each.kind]) for each in bundle.content.deletions)
    forged = replace(bundle, content=replace(bundle.content, deletions=moved))
    assert deletions(preview_bundle(theirs, bundle)) == {"trashed": 2}
    assert deletions(preview_bundle(theirs, forged)) == {"kept": 2}


@pytest.mark.parametrize("backend", EACH)
def test_undo_restores_what_was_moved_to_the_trash(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    fill(ours)
    exchange(ours, theirs, "r1", "r2")
    records = [(RecordKind.REPORT, "r2"), (RecordKind.ANNOTATION, "n2")]
    before = [theirs.store.read_record(*key) for key in records]
    delete(ours)
    bundle = bundle_of(ours, "r1")
    import_bundle(theirs, bundle, actor="Zoe")
    done = undo_bundle(theirs, bundle.id, actor="Zoe")
    assert done is not None
    assert (done.reports, done.annotations, done.kept) == (1, 1, 0)
    for key, stored in zip(records, before, strict=True):
        restored = theirs.store.read_record(*key)
        assert restored is not None
        assert stored is not None
        assert restored == type(stored)(**{**_values(stored), "version": restored.version})
    assert {event["operation"] for event in theirs.audit_log(limit=3)} == {"undo_bundle", "restore"}
    # The undo does not hide the deletions from the next import of the bundle.
    assert deletions(import_bundle(theirs, bundle, actor="Zoe")) == {"trashed": 2}
    assert live(theirs) == ["n1", "r1"]


def _values(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", EACH)
def test_undo_leaves_what_was_restored_since(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    fill(ours)
    exchange(ours, theirs, "r1", "r2")
    delete(ours)
    bundle_id = exchange(ours, theirs, "r1").bundle_id
    theirs.restore_report("r2", actor="Ben")
    done = undo_bundle(theirs, bundle_id, actor="Zoe")
    assert done is not None
    assert (done.reports, done.annotations, done.kept) == (0, 1, 1)
    assert live(theirs) == ["n1", "n2", "r1", "r2"]


def test_an_earlier_deletion_does_not_apply_to_a_later_version(open_store: Open) -> None:
    ours, theirs = open_store("file", "a"), open_store("sqlite", "b")
    fill(ours)
    delete(ours)
    older = bundle_of(ours, "r1")
    ours.restore_report("r2", actor="Ana")
    ours.restore_annotation("n2", actor="Ana")
    exchange(ours, theirs, "r1", "r2")
    assert deletions(preview_bundle(theirs, older)) == {"kept": 2}


def test_the_text_of_a_deleted_comment_does_not_travel(open_store: Open) -> None:
    storage = open_store("file", "a")
    fill(storage)
    with zipfile.ZipFile(io.BytesIO(export_bundle(storage.store, ["r1"]))) as before:
        assert "deletions/deletions.json" not in before.namelist()
    delete(storage)
    with zipfile.ZipFile(io.BytesIO(export_bundle(storage.store, ["r1"]))) as found:
        assert "deletions/deletions.json" in found.namelist()
        assert not any(SECRET.encode() in found.read(name) for name in found.namelist())


def test_only_deletions_of_the_datasets_and_threads_travel(open_store: Open) -> None:
    storage = open_store("sqlite", "a")
    fill(storage)
    storage.save_report(report("r3", [finding("age")], metadata={"dataset": "customers"}))
    storage.save_annotation(annotation(finding("age"), id="n3"))
    incident = storage.incidents.create("Loader down", EMAIL_ID, actor="Ana")
    comment = storage.incidents.comment(incident, "Hm", author="Ana")
    storage.delete_report("r3", actor="Ana")
    for each in ("n3", comment):
        storage.delete_annotation(each, actor="Ana")
    found = bundle_of(storage, "r1").content.deletions
    assert [(each.kind, each.id, each.belongs_to) for each in found] == [
        (RecordKind.ANNOTATION, comment, incident)
    ]


@pytest.mark.parametrize("backend", EACH)
def test_a_deleted_comment_under_an_older_id_is_found(open_store: Open, backend: str) -> None:
    email = finding()
    ours, theirs = open_store(backend, "a"), open_store("file", "b")
    ours.save_report(report("r1", [email]))
    ours.save_annotation(annotation(legacy_id(email.ghost_type, email.column, email.description), id="n1"))
    exchange(ours, theirs, "r1")
    assert live(theirs) == ["n1", "r1"]
    ours.delete_annotation("n1", actor="Ana")
    assert deletions(exchange(ours, theirs, "r1")) == {"trashed": 1}
    assert live(theirs) == ["r1"]


def test_a_folder_of_an_older_version_need_not_know_the_older_id(tmp_path: Path) -> None:
    email = finding()
    ours = FileStorage(tmp_path / "a")
    ours.save_report(report("r1", [email]))
    ours.save_annotation(annotation(legacy_id(email.ghost_type, email.column, email.description), id="n1"))
    ours.delete_annotation("n1", actor="Ana")
    (tmp_path / "a" / "identities" / "aliases.json").unlink()
    (deletion,) = bundle_of(FileStorage(tmp_path / "a"), "r1").content.deletions
    assert deletion.belongs_to == EMAIL_ID
