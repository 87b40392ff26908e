"""Limits on texts apply to new and changed values; longer stored values stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.errors import InvalidInputError
from lavendertown.records.record_classes import AnnotationRecord, ReportRecord, RuleSetRecord
from lavendertown.records.write_path import ImportBatch, ImportedRecord
from lavendertown.rules.models import RuleSet
from tests.contract.builders import annotation, finding, report, sentence, status_of
from tests.contract.store_locations import StoreLocation

LONG_TAG = "t" * 400
MANY_TAGS = tuple(f"tag {number}" for number in range(60))


def noted(text: str) -> ShareableReport:
    return report(metadata={"note": text})


@pytest.mark.parametrize(
    ("save", "most", "words"),
    [
        (lambda s, n: s.save_annotation(annotation(comment="x" * n)), 20_000, "The comment has 20,001 char"),
        (lambda s, n: s.save_report(report(title="x" * n)), 500, "The title has 501 characters"),
        (lambda s, n: s.save_report(noted("x" * n)), 20_000, "The note has 20,001 characters"),
        (lambda s, n: s.save_annotation(annotation(tags=["x" * n])), 100, "has 101 characters"),
        (lambda s, n: s.save_report(report(metadata={"tags": ["x" * n]})), 100, "has 101 characters"),
        (
            lambda s, n: s.save_annotation(annotation(tags=[str(each) for each in range(n)])),
            50,
            "There are 51 tags; at most 50",
        ),
        (
            lambda s, n: s.save_report(report(findings=[finding(description="x" * n)])),
            10_000,
            "The description of findings[0] has 10,001 characters",
        ),
        (lambda s, n: s.save_ruleset(RuleSet("r", "x" * n)), 10_000, "The description has 10,001 char"),
        (
            lambda s, n: s.triage.decide("f1", Decision(note="x" * n), actor="a"),
            20_000,
            "The note has 20,001 char",
        ),
        (
            lambda s, n: s.triage.decide("f1", Decision("fixed", "x" * n, "why"), actor="a"),
            20_000,
            "The reason has 20,001 characters",
        ),
        (
            lambda s, n: s.save_report(report(metadata={"x": "x" * (n - 8)})),
            1_000_000,
            "The metadata has 1,000,001 bytes",
        ),
    ],
)
def test_a_new_text_may_have_so_many_characters_and_no_more(
    storage: Storage, save: Callable[[Storage, int], object], most: int, words: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        save(storage, most + 1)
    assert words in sentence(refused)
    assert storage.audit_log() == []
    save(storage, most)


@pytest.fixture
def long(storage: Storage) -> Storage:
    """A store with values that are longer than new ones may be, as another store had them."""
    storage.save_report(report(findings=[finding()]))
    read = storage.store.read_record("report", "r1")
    assert isinstance(read, ReportRecord)
    tags = (LONG_TAG, *MANY_TAGS)
    held = read.findings[0]
    stored = replace(
        read,
        id="long",
        title="x" * 5000,
        tags=tags,
        metadata={"tags": list(tags), "note": "n" * 30_000, "x": "x" * 1_000_000},
        findings=(held._replace(description="d" * 11_000, fingerprint="long finding"),),
    )
    now = clock.now()
    note = AnnotationRecord("n1", "long finding", "bob", now, "c" * 30_000, tags, None, None, now, 1)
    rules = RuleSetRecord("long rules", "d" * 11_000, (), now, 1)
    records = [ImportedRecord(each) for each in (replace(stored, version=1), note, rules)]
    storage.write_path.import_records(ImportBatch(records))
    return storage


def test_longer_stored_texts_are_read_as_they_are(long: Storage) -> None:
    read = long.load_report("long")
    assert read is not None
    assert (len(read.title), len(read.metadata["note"]), len(read.findings[0].description)) == (
        5000,
        30_000,
        11_000,
    )
    (note,) = long.get_annotations("long finding")
    assert (len(note.comment), tuple(note.tags)) == (30_000, (LONG_TAG, *MANY_TAGS))
    assert [row["id"] for row in long.query_reports(tags=[LONG_TAG])] == ["long"]


def test_a_longer_stored_text_does_not_block_a_change_of_another_field(long: Storage) -> None:
    read = long.load_report("long")
    assert read is not None
    read.title = "short"
    read.metadata["tags"] = [LONG_TAG, *MANY_TAGS[:55]]
    long.save_report(read, actor="ann")
    again = long.load_report("long")
    assert again is not None
    assert (again.title, len(again.metadata["tags"])) == ("short", 56)
    (note,) = long.get_annotations("long finding")
    long.save_annotation(replace(note, status="reviewed"), actor="bob")
    (after,) = long.get_annotations("long finding")
    assert (after.status, len(after.comment)) == ("reviewed", 30_000)


def test_a_longer_stored_text_is_not_replaced_by_another_one_that_is_too_long(long: Storage) -> None:
    (note,) = long.get_annotations("long finding")
    changed: list[Annotation] = [
        replace(note, comment="y" * 25_000),
        replace(note, tags=[*note.tags, "one more"]),
        replace(note, tags=["u" * 101]),
    ]
    for each in changed:
        with pytest.raises(InvalidInputError, match="at most"):
            long.save_annotation(each, actor="bob")
    assert long.get_annotations("long finding") == [note]


def test_a_longer_stored_text_is_deleted_restored_and_put_back(long: Storage) -> None:
    assert long.delete_report("long", actor="ann")
    assert long.restore_report("long", actor="ann")
    assert long.delete_annotation("n1", actor="ann")
    assert long.restore_annotation("n1", actor="ann")
    assert len(long.get_annotations("long finding")[0].comment) == 30_000


def test_undo_puts_a_longer_stored_note_back(storage: Storage) -> None:
    storage.save_report(report())
    undo = storage.triage.decide(name_of(storage), Decision(note="short"), actor="ann")
    held = storage.store.read_record("finding", name_of(storage))
    assert held is not None
    storage.write_path.import_records(
        ImportBatch([ImportedRecord(replace(held, note="n" * 30_000), replaced_version=held.version)])
    )
    undo = storage.triage.decide(name_of(storage), Decision(note="other"), actor="ann")
    assert storage.triage.undo(undo, actor="ann") == 1
    assert len(storage.triage.load(name_of(storage))["note"]) == 30_000
    assert status_of(storage, finding()) == "open"


def name_of(storage: Storage) -> str:
    (row,) = storage.query_findings(limit=1)
    name: str = row["finding_id"]
    return name


def test_longer_texts_migrate_between_all_stores(long: Storage, place: StoreLocation, tmp_path: str) -> None:
    from lavendertown.transfer.migrator import migrate_store
    from lavendertown.transfer.values import MigrationRequest

    long.close()
    folder, back = f"{tmp_path}/there", f"sqlite:///{tmp_path}/back.db"
    for source, target in ((place.where, folder), (folder, back)):
        done = migrate_store(MigrationRequest(source, target))
        assert (done.verified, done.quarantined) == (True, ())
