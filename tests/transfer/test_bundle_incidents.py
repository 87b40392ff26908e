"""A bundle carries the incidents of its findings, and merges them by identity."""

from __future__ import annotations

import pytest

from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind
from lavendertown.transfer.bundles.importing import import_bundle, preview_bundle
from lavendertown.transfer.bundles.undoing import undo_bundle
from lavendertown.transfer.record_digests import hash_record
from tests.contract.builders import finding, report
from tests.transfer.bundle_helpers import EACH, Open, bundle_of, counts, exchange

EMAIL_ID, PHONE_ID, AGE_ID = (get_finding_id(finding(name)) for name in ("email", "phone", "age"))


def fill(storage: Storage) -> str:
    """Save a report about two columns, one about a third, and an incident of all; return its id."""
    storage.save_report(report("r1", [finding(), finding("phone")]))
    storage.save_report(report("r2", [finding("age")]))
    made = storage.incidents.create(
        "Loader *down*", [EMAIL_ID, PHONE_ID, AGE_ID], assignee="Ana", actor="Ana"
    )
    storage.incidents.comment(made, "Ask the shop", author="Ben")
    return made


def list_incidents(storage: Storage) -> dict[str, tuple[bytes, list[tuple[str, str, str]]]]:
    """Return the content and the comments of the live incidents."""
    found = storage.store.scan(FlatRecordQuery(RecordKind.INCIDENT), ALL_ITEMS)
    return {
        each.id: (
            hash_record(each),
            [(note.id, note.author, note.comment) for note in storage.incidents.list_comments(each.id)],
        )
        for each in found
    }


@pytest.mark.parametrize("backend", EACH)
def test_an_incident_arrives_with_title_owner_members_and_comments(open_store: Open, backend: str) -> None:
    ours, theirs = open_store(backend, "a"), open_store("sqlite", "b")
    made = fill(ours)
    assert counts(exchange(ours, theirs, "r1")) == {
        "reports": {"new": 1},
        "annotations": {"new": 1},
        "incidents": {"new": 1},
    }
    assert list_incidents(theirs) == list_incidents(ours)
    (row,) = theirs.incidents.query()
    assert (row["id"], row["title"], row["assignee"]) == (made, "Loader *down*", "Ana")
    assert (row["open_count"], row["absent_count"], row["comment_count"]) == (2, 1, 1)
    for a, b in ((ours, theirs), (theirs, ours)):
        revision = b.revision()
        assert exchange(a, b, "r1").changes_nothing
        assert b.revision() == revision


@pytest.mark.parametrize("backend", EACH)
def test_only_live_incidents_of_the_findings_travel(open_store: Open, backend: str) -> None:
    ours, theirs = open_store(backend, "a"), open_store("file", "b")
    ours.save_report(report("r1", [finding(), finding("phone")]))
    ours.save_report(report("r2", [finding("age")]))
    deleted = ours.incidents.create("A mistake", EMAIL_ID, actor="Ana")
    ours.incidents.comment(deleted, "Hm", author="Ana")
    ours.incidents.delete(deleted, actor="Ana")
    ours.incidents.create("Of no report", get_finding_id(finding("fax")), actor="Ana")
    other = ours.incidents.create("Age", AGE_ID, actor="Ana")
    ours.incidents.comment(other, "Hm", author="Ana")
    ours.triage.merge_findings(PHONE_ID, AGE_ID, actor="Ana")
    assert list(told_in(ours, "r2")) == [other]
    # The phone is merged into the age, so that its report is about the incident, too.
    assert list(told_in(ours, "r1")) == [other]
    assert counts(exchange(ours, theirs, "r1"))["incidents"] == {"new": 1}
    assert list(list_incidents(theirs)) == [other]
    assert list_incidents(theirs)[other] == list_incidents(ours)[other]


def told_in(storage: Storage, report_id: str) -> list[str]:
    return [each.id for each in bundle_of(storage, report_id).content.incidents]


@pytest.mark.parametrize("backend", EACH)
def test_the_incident_that_was_changed_last_is_kept(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    made = fill(ours)
    older = bundle_of(ours, "r1")
    import_bundle(theirs, older, actor="Zoe")
    ours.incidents.set_title(made, "Ours", actor="Ana")
    theirs.incidents.assign(made, "Ben", actor="Ben")
    revision = theirs.revision()
    for bundle in (older, bundle_of(ours, "r1")):
        assert counts(import_bundle(theirs, bundle, actor="Zoe"))["incidents"] == {"kept": 1}
    assert theirs.revision() == revision
    assert counts(exchange(theirs, ours, "r1"))["incidents"] == {"changed": 1}
    assert list_incidents(ours) == list_incidents(theirs)
    incident = ours.incidents.find(made)
    assert incident is not None
    assert (incident["title"], incident["assignee"]) == ("Loader *down*", "Ben")


@pytest.mark.parametrize("backend", EACH)
def test_undo_takes_back_new_incidents_and_restores_changed_ones(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    made = fill(ours)
    exchange(ours, theirs, "r1")
    before = list_incidents(theirs)
    ours.incidents.set_title(made, "Both loaders down", actor="Ana")
    ours.incidents.remove_findings(made, [PHONE_ID], actor="Ana")
    new = ours.incidents.create("Phone", [PHONE_ID], actor="Ana")
    bundle = bundle_of(ours, "r1")
    first = import_bundle(theirs, bundle, actor="Zoe")
    assert counts(first)["incidents"] == {"changed": 1, "new": 1}
    assert list_incidents(theirs) == list_incidents(ours)
    done = undo_bundle(theirs, bundle.id, actor="Zoe")
    assert done is not None
    assert (done.incidents, done.kept) == (2, 0)
    assert list_incidents(theirs) == before
    in_trash = theirs.incidents.find(new)
    assert in_trash is not None
    assert in_trash["deleted_at"] is not None
    import_bundle(theirs, bundle, actor="Zoe")
    assert list_incidents(theirs) == list_incidents(ours)


@pytest.mark.parametrize("backend", EACH)
def test_undo_leaves_an_incident_that_was_changed_since(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    made = fill(ours)
    bundle_id = exchange(ours, theirs, "r1").bundle_id
    theirs.incidents.assign(made, "Ben", actor="Ben")
    done = undo_bundle(theirs, bundle_id, actor="Zoe")
    assert done is not None
    assert (done.incidents, done.kept) == (0, 1)
    assert list(list_incidents(theirs)) == [made]


def test_an_incident_in_the_trash_stays_there(open_store: Open) -> None:
    ours, theirs = open_store("file", "a"), open_store("sqlite", "b")
    made = fill(ours)
    exchange(ours, theirs, "r1")
    theirs.incidents.delete(made, actor="Ben")
    ours.incidents.set_title(made, "Ours", actor="Ana")
    assert counts(exchange(ours, theirs, "r1"))["incidents"] == {"in_trash": 1}
    assert list_incidents(theirs) == {}


def test_what_people_wrote_is_not_masked(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = open_store("file", "a"), open_store("sqlite", "b")
    ours.save_report(report("r1", [finding()]))
    made = ours.incidents.create("email of eve@example.org", EMAIL_ID, actor="Ana")
    ours.incidents.comment(made, "email: eve@example.org", author="Ana")
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "email")
    assert counts(preview_bundle(theirs, bundle_of(ours, "r1")))["incidents"] == {"new": 1}
    exchange(ours, theirs, "r1")
    assert list_incidents(theirs) == list_incidents(ours)
