"""A bundle carries reports to another store, and merges there by identity."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.fingerprints import legacy_id
from lavendertown.errors import ConflictError, NotFoundError, StoreMovedError
from lavendertown.profile.evidence import ColumnProfile, Evidence, FindingSamples, SampleRow
from lavendertown.records.queries import AnnotationQuery, FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind
from lavendertown.transfer.bundles.importing import import_bundle, preview_bundle
from lavendertown.transfer.bundles.merging import MergeState
from lavendertown.transfer.bundles.reading import open_bundle
from lavendertown.transfer.bundles.undoing import undo_bundle
from lavendertown.transfer.bundles.writing import export_bundle
from lavendertown.transfer.record_digests import hash_record
from tests.contract.builders import annotation, at, finding, report, sentence, status_of
from tests.migration import stores as random_stores
from tests.transfer.bundle_helpers import BACKENDS, EACH, Open, bundle_of, counts, exchange

PAIRS = [
    pytest.param(a, b, marks=[pytest.mark.postgres] if "postgres" in (a, b) else [], id=f"{a}-{b}")
    for a, b in itertools.product(BACKENDS, BACKENDS)
]
EMAIL_ID, PHONE_ID = get_finding_id(finding()), get_finding_id(finding("phone"))


def evidence_of(made: ShareableReport) -> Evidence:
    """Return a sample row for each finding of a report, and a profile of its column."""
    row = SampleRow(3, {"email": "eve@example.org"})
    return Evidence(
        [ColumnProfile("email", "text", count=4, nulls=2, distinct=2, minimum="eve@example.org")],
        {get_finding_id(each): FindingSamples(each.column, [row], []) for each in made.findings},
        [],
        2,
        [],
    )


def told(storage: Storage) -> dict[str, Any]:
    """Return everything that a bundle is about, as one store has it."""
    store = storage.store
    records = [
        *store.scan(AnnotationQuery(), ALL_ITEMS),
        *store.scan(FlatRecordQuery(RecordKind.TRIAGE), ALL_ITEMS),
        *store.scan(FlatRecordQuery(RecordKind.EVIDENCE), ALL_ITEMS),
        *store.scan(FlatRecordQuery(RecordKind.INCIDENT), ALL_ITEMS),
    ]
    reports = [store.read_record(RecordKind.REPORT, row["id"]) for row in storage.query_reports()]
    return {each.id: hash_record(each) for each in (*records, *reports) if each is not None} | {
        "inbox": [
            (row["finding_id"], row["status"], row["tags"], row["comment_count"], row["assignee"])
            for row in storage.inbox.query(None)
        ]
    }


def fill(storage: Storage) -> None:
    """Save two reports with evidence, threads under old ids, a merge and decisions; and one that stays."""
    first = report("r1", [finding(), finding("phone")], annotations=[annotation(id="n1", tags=["crm"])])
    storage.save_report(first, evidence=evidence_of(first))
    storage.save_report(report("r2", [finding()], created_at=at(24), title="Week 13"))
    storage.save_report(report("stays", [finding("age")], annotations=[annotation(finding("age"), id="n9")]))
    email = finding()
    old = legacy_id(email.ghost_type, email.column, email.description)
    storage.save_annotation(annotation(old, id="n2", timestamp=at(1)))
    storage.save_annotation(annotation(finding("phone"), id="n3", status="fixed", timestamp=at(30)))
    storage.triage.decide(EMAIL_ID, Decision(assignee="Ana", note="Call the shop"), actor="Ana")
    storage.triage.merge_findings(PHONE_ID, EMAIL_ID, actor="Ana")
    made = storage.incidents.create("Loader down", [EMAIL_ID], actor="Ana")
    storage.incidents.comment(made, "Ask the shop", author="Ben")
    storage.save_annotation(annotation("gone", id="n4"))
    storage.save_annotation(annotation(finding(), id="n5"))
    storage.delete_annotation("n5", actor="bob")


@pytest.mark.slow
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_target_says_what_the_source_says_about_the_reports(
    open_store: Open, source: str, target: str
) -> None:
    origin, goal = open_store(source, "a"), open_store(target, "b")
    fill(origin)
    before = told(origin)
    assert counts(exchange(origin, goal, "r1", "r2")) == {
        "reports": {"new": 2},
        "annotations": {"new": 4},
        "triage": {"new": 2},
        "evidence": {"new": 1},
        "incidents": {"new": 1},
    }
    assert told(origin) == before
    after = told(goal)
    assert {name: before[name] for name in after if name != "inbox"} == {
        name: digest for name, digest in after.items() if name != "inbox"
    }
    age = get_finding_id(finding("age"))
    assert after["inbox"] == [row for row in before["inbox"] if row[0] != age]
    assert [each.id for each in goal.get_annotations(PHONE_ID)] == ["n1", "n2", "n3"]
    # Back again, and once more: nothing changes.
    for a, b in ((goal, origin), (origin, goal)):
        revision = b.revision()
        assert exchange(a, b, "r1", "r2").changes_nothing
        assert b.revision() == revision
    assert told(origin) == before


@pytest.mark.parametrize("backend", EACH)
def test_threads_that_diverge_become_the_same_on_both_sides(open_store: Open, backend: str) -> None:
    ours, theirs = open_store(backend, "a"), open_store("file", "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1")]))
    exchange(ours, theirs, "r1")
    # The same comment and the same decision on both sides, and one of each on one side only.
    for storage, text, who in ((ours, "Ours", "Ana"), (theirs, "Theirs", "Ben")):
        note = storage.annotations.load("n1")
        assert note is not None
        note.comment = text
        storage.save_annotation(note, actor=who)
        storage.triage.decide(EMAIL_ID, Decision(assignee=who), actor=who)
    ours.save_annotation(annotation(id="n2", status="reviewed", timestamp=at(2)))
    theirs.save_annotation(annotation(id="n3", status="needs-investigation", timestamp=at(1)))
    theirs.save_report(report("r2", [finding(), finding("phone")], created_at=at(24)))
    assert counts(exchange(theirs, ours, "r1", "r2")) == {
        "reports": {"unchanged": 1, "new": 1},
        "annotations": {"changed": 1, "new": 1},
        "triage": {"changed": 1},
    }
    assert counts(exchange(ours, theirs, "r1", "r2"))["annotations"] == {"unchanged": 2, "new": 1}
    assert told(ours) == told(theirs)
    assert ours.triage.load(EMAIL_ID)["assignee"] == "Ben"
    assert status_of(ours, finding()) == "reviewed"
    note = ours.annotations.load("n1")
    assert note is not None
    assert (note.comment, note.author) == ("Theirs", "bob")


@pytest.mark.parametrize("backend", EACH)
def test_an_older_version_does_not_replace_a_later_one(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1")]))
    ours.triage.decide(EMAIL_ID, Decision(assignee="Ana"), actor="Ana")
    bundle = bundle_of(ours, "r1")
    import_bundle(theirs, bundle, actor="Zoe")
    theirs.triage.decide(EMAIL_ID, Decision(assignee="Ben"), actor="Ben")
    revision = theirs.revision()
    assert counts(import_bundle(theirs, bundle, actor="Zoe"))["triage"] == {"kept": 1}
    assert theirs.revision() == revision
    assert theirs.triage.load(EMAIL_ID)["assignee"] == "Ben"


@pytest.mark.parametrize("backend", EACH)
def test_what_was_deleted_stays_deleted_and_is_counted(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1")]))
    exchange(ours, theirs, "r1")
    theirs.delete_report("r1", actor="Ben")
    theirs.delete_annotation("n1", actor="Ben")
    revision = theirs.revision()
    assert counts(exchange(ours, theirs, "r1")) == {
        "reports": {"in_trash": 1},
        "annotations": {"in_trash": 1},
    }
    assert theirs.revision() == revision
    assert theirs.query_reports() == []


@pytest.mark.parametrize("backend", EACH)
def test_another_report_under_the_same_id_is_refused(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_reports([report("r1", [finding()]), report("r2", [finding("phone")])])
    theirs.save_report(report("r2", [finding()]))
    revision = theirs.revision()
    with pytest.raises(ConflictError) as refused:
        import_bundle(theirs, bundle_of(ours, "r1", "r2"), actor="Zoe")
    assert "Another report is stored under the id 'r2'" in sentence(refused)
    assert theirs.revision() == revision


@pytest.mark.parametrize("backend", EACH)
def test_a_comment_on_another_finding_is_not_replaced(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    theirs.save_report(
        report("r9", [finding("phone")], annotations=[annotation(finding("phone"), id="n1", comment="Ours")])
    )
    ours.save_report(
        report("r1", [finding()], annotations=[annotation(finding(), id="n1", comment="Theirs")])
    )
    with pytest.raises(ConflictError) as refused:
        import_bundle(theirs, bundle_of(ours, "r1"), actor="Zoe")
    assert "'n1' is stored on another finding" in sentence(refused)
    assert [row["id"] for row in theirs.query_reports()] == ["r9"]


@pytest.mark.parametrize("backend", EACH)
def test_a_new_title_comes_along_and_the_findings_stay(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()]))
    exchange(ours, theirs, "r1")
    renamed = ours.load_report("r1")
    assert renamed is not None
    renamed.title, renamed.metadata["tags"] = "March", ["crm"]
    ours.save_report(renamed, actor="Ana")
    assert counts(exchange(ours, theirs, "r1"))["reports"] == {"changed": 1}
    (row,) = theirs.query_reports()
    assert (row["title"], row["tags"], row["finding_count"]) == ("March", ["crm"], 1)
    assert told(ours) == told(theirs)


@pytest.mark.parametrize("backend", EACH)
def test_the_preview_says_which_datasets_the_reports_join(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding(), finding("phone")], metadata={"dataset": "orders"}))
    theirs.save_report(report("r0", [finding()], created_at=at(-24), metadata={"dataset": "orders"}))
    preview = preview_bundle(theirs, bundle_of(ours, "r1"))
    (effect,) = preview.datasets
    assert (effect.dataset, effect.report_count, effect.new, effect.known) == ("orders", 1, 1, 1)
    (listed,) = preview.reports
    assert (listed.report_id, listed.findings, listed.state) == ("r1", 2, MergeState.NEW)


@pytest.mark.parametrize("backend", EACH)
def test_a_merge_of_the_target_is_followed_and_never_closed_to_a_circle(
    open_store: Open, backend: str
) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    for storage in (ours, theirs):
        storage.save_report(report("r1", [finding(), finding("phone")]))
    theirs.triage.merge_findings(PHONE_ID, EMAIL_ID, actor="Ben")
    ours.save_annotation(annotation(finding("phone"), id="n1"))
    exchange(ours, theirs, "r1")
    assert [each.id for each in theirs.get_annotations(EMAIL_ID)] == ["n1"]
    ours.triage.merge_findings(EMAIL_ID, PHONE_ID, actor="Ana")
    preview = exchange(ours, theirs, "r1")
    assert preview.count(MergeState.KEPT, kind=RecordKind.TRIAGE) == 1
    assert theirs.store.resolve_fingerprint(PHONE_ID) == EMAIL_ID


@pytest.mark.parametrize("backend", EACH)
def test_an_import_is_one_act_of_the_one_who_imported(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1")]))
    bundle_id = exchange(ours, theirs, "r1").bundle_id
    events = theirs.audit_log()
    assert {(each["actor"], each["at"]) for each in events} == {("Zoe", events[0]["at"])}
    assert (events[0]["component"], events[0]["operation"]) == ("store", "import_bundle")
    assert events[0]["record_id"] == bundle_id
    assert events[0]["after"] == {
        "file": "week.bundle.zip",
        "reports": 1,
        "comments": 1,
        "decisions": 0,
        "incidents": 0,
        "deletions": 0,
    }
    note = theirs.annotations.load("n1")
    assert note is not None
    assert (note.author, note.timestamp) == ("bob", at(0))


@pytest.mark.parametrize("backend", EACH)
def test_undo_takes_back_what_was_added_and_restores_what_was_replaced(
    open_store: Open, backend: str
) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1", comment="First")]))
    ours.triage.decide(EMAIL_ID, Decision(assignee="Ana"), actor="Ana")
    exchange(ours, theirs, "r1")
    before = told(theirs)
    note = ours.annotations.load("n1")
    assert note is not None
    note.comment = "Second"
    ours.save_annotation(note)
    ours.triage.decide([EMAIL_ID], Decision(assignee="Eve", comment="Look"), actor="Eve")
    ours.save_report(report("r2", [finding(), finding("phone")], created_at=at(24)))
    ours.triage.decide(PHONE_ID, Decision(assignee="Eve"), actor="Eve")
    bundle = bundle_of(ours, "r1", "r2")
    first = import_bundle(theirs, bundle, actor="Zoe")
    merged = told(theirs)
    done = undo_bundle(theirs, bundle.id, actor="Zoe")
    assert done is not None
    assert (done.reports, done.annotations, done.triage, done.kept) == (1, 2, 2, 0)
    after = told(theirs)
    # Of the decision about the phone, an empty record is left.
    after.pop(PHONE_ID)
    assert after == before
    assert undo_bundle(theirs, bundle.id, actor="Zoe") is None
    # The undo does not hide the bundle from the next import.
    again = import_bundle(theirs, bundle, actor="Zoe")
    assert again.count(*MergeState) == first.count(*MergeState)
    assert told(theirs) == merged == told(ours)


@pytest.mark.parametrize("backend", EACH)
def test_undo_leaves_what_was_changed_since(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", [finding()], annotations=[annotation(id="n1"), annotation(id="n2")]))
    ours.triage.decide(EMAIL_ID, Decision(assignee="Ana"), actor="Ana")
    bundle_id = exchange(ours, theirs, "r1").bundle_id
    note = theirs.annotations.load("n1")
    assert note is not None
    note.comment += " Indeed."
    theirs.save_annotation(note, actor="Ben")
    theirs.triage.decide(EMAIL_ID, Decision(assignee="Ben"), actor="Ben")
    done = undo_bundle(theirs, bundle_id, actor="Zoe")
    assert done is not None
    assert (done.reports, done.annotations, done.triage, done.kept) == (1, 1, 0, 2)
    assert [each.id for each in theirs.get_annotations(EMAIL_ID)] == ["n1"]
    assert theirs.triage.load(EMAIL_ID)["assignee"] == "Ben"


@pytest.mark.parametrize("backend", EACH)
def test_masked_values_stay_masked_on_both_sides(
    open_store: Open, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_store(backend, "a"), open_store("file", "b")
    secret = finding(metadata={"check": "nulls", "samples": ["eve@example.org"], "count": 2})
    first = report("r1", [secret])
    ours.save_report(first, evidence=evidence_of(first))
    open_data = export_bundle(ours.store, ["r1"])
    # The team that imports masks the column, although the one that exported did not.
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "email")
    assert counts(exchange(ours, theirs, "r1"))["evidence"] == {"new": 1}
    stored = theirs.load_report("r1")
    assert stored is not None
    assert "samples" not in stored.findings[0].metadata
    profile = theirs.reports.load_evidence("r1")
    assert profile is not None
    assert profile != ours.reports.load_evidence("r1")
    # Nothing changes when it goes back and forth: the masked copy does not replace the open one.
    assert exchange(ours, theirs, "r1").changes_nothing
    monkeypatch.delenv("LAVENDERTOWN_EVIDENCE_MASK")
    assert exchange(theirs, ours, "r1").changes_nothing
    assert exchange(ours, theirs, "r1").changes_nothing
    assert export_bundle(ours.store, ["r1"])[:4] == open_data[:4]
    masked = export_bundle(theirs.store, ["r1"])
    assert b"eve@example.org" not in _unpacked(masked)
    assert b"eve@example.org" in _unpacked(open_data)


def _unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        return b"".join(found.read(name) for name in found.namelist())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("source", "target"),
    [pair for pair in PAIRS if pair.id in ("file-sqlite", "sqlite-postgres", "postgres-file")],
)
def test_everything_that_a_team_does_with_reports_arrives(
    open_store: Open, source: str, target: str, seed: int
) -> None:
    origin, goal = open_store(source, "a"), open_store(target, "b")
    random_stores.fill(origin, seed)
    report_ids = [row["id"] for row in origin.query_reports(limit=None)]
    bundle = bundle_of(origin, *report_ids)
    import_bundle(goal, bundle, actor="Zoe")
    assert {row["id"] for row in goal.query_reports(limit=None)} == set(report_ids)
    shown = ("finding_id", "status", "tags", "comment_count", "times_seen", "assignee", "note", "seen")
    rows = [
        {row["finding_id"]: [row[name] for name in shown] for row in s.inbox.query(None)}
        for s in (origin, goal)
    ]
    assert rows[0] == rows[1]
    for finding_id in rows[0]:
        threads = [
            [(a.id, a.author, a.comment, a.status, a.version) for a in storage.get_annotations(finding_id)]
            for storage in (origin, goal)
        ]
        assert threads[0] == threads[1]
    for storage, name in ((origin, "b"), (goal, "b")):
        revision = storage.revision()
        assert import_bundle(storage, bundle, actor="Zoe").changes_nothing, name
        assert storage.revision() == revision


@pytest.mark.parametrize("backend", EACH)
def test_nothing_is_imported_into_a_store_that_was_left(open_store: Open, backend: str) -> None:
    ours, theirs = open_store("file", "a"), open_store(backend, "b")
    ours.save_report(report("r1", annotations=[annotation()]))
    revision = theirs.revision()

    def refuse() -> None:
        raise StoreMovedError("The team's records were moved to another store.")

    theirs.write_path.commit_guards.append(refuse)
    with pytest.raises(StoreMovedError):
        import_bundle(theirs, bundle_of(ours, "r1"), actor="Zoe")
    assert (theirs.query_reports(), theirs.revision()) == ([], revision)


@pytest.mark.parametrize("backend", EACH)
def test_a_bundle_of_the_first_format_is_still_read(open_store: Open, backend: str) -> None:
    storage = open_store(backend, "a")
    path = Path(__file__).parent / "bundle_assets" / "format_1.bundle.zip"
    bundle = open_bundle(io.BytesIO(path.read_bytes()), path.name)
    assert counts(import_bundle(storage, bundle, actor="Zoe")) == {
        "reports": {"new": 2},
        "annotations": {"new": 3},
        "triage": {"new": 2},
        "evidence": {"new": 1},
    }
    assert [each.id for each in storage.get_annotations(PHONE_ID)] == ["n1", "n2", "n3"]
    assert storage.triage.load(EMAIL_ID)["assignee"] == "Ana"
    assert import_bundle(storage, bundle, actor="Zoe").changes_nothing


def test_a_missing_or_deleted_report_is_not_exported(open_store: Open) -> None:
    storage = open_store("file", "a")
    storage.save_report(report("r1"))
    storage.delete_report("r1")
    for report_id in ("r1", "r2"):
        with pytest.raises(NotFoundError) as refused:
            export_bundle(storage.store, [report_id])
        assert report_id in sentence(refused)


def test_the_same_content_has_the_same_bundle_id(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_store("file", "a")
    storage.save_report(report("r1"))
    first = bundle_of(storage, "r1")
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    assert bundle_of(storage, "r1").id == first.id
    storage.save_annotation(annotation())
    assert bundle_of(storage, "r1").id != first.id
