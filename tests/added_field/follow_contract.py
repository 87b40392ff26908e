"""In the enlarged copy: what every store does with the added fields. Runs as a test of tests/contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.errors import InvalidInputError
from lavendertown.records.queries import AuditQuery
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    FindingRecord,
    MigrationRecord,
    PersonRecord,
    Record,
    RecordKind,
    ReportRecord,
    RuleSetRecord,
    TriageRecord,
    ViewRecord,
)
from lavendertown.records.write_path import ImportBatch, SaveRecord
from lavendertown.rules.models import Rule, RuleSet
from lavendertown.transfer.record_digests import hash_record
from tests.contract.builders import NOON, annotation, finding, report

AT = dt.datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=dt.UTC)
EXTRAS: dict[str, Any] = {"extra_text": "Zebra", "extra_count": 7, "extra_at": AT, "extra_labels": ("x", "y")}
PUBLIC = EXTRAS | {"extra_labels": ["x", "y"]}
FINDING = FindingRecord(
    "v1:zebra", "", "d", "null", "c", "info", "text", None, None, None, {"check": "nulls"}, **EXTRAS
)
RECORDS: list[Record] = [
    ReportRecord("r", "t", "a", "d", NOON, ("x",), {}, None, (FINDING,), NOON, **EXTRAS),
    AnnotationRecord("a", "v1:zebra", "bob", NOON, "text", (), None, None, NOON, **EXTRAS),
    RuleSetRecord("s", "text", ({"name": "n"},), NOON, **EXTRAS),
    TriageRecord("v1:zebra", NOON, **EXTRAS),
    PersonRecord("Ana", NOON, **EXTRAS),
    ViewRecord("v", "Ana", {}, NOON, **EXTRAS),
]
KINDS = [
    RecordKind.REPORT,
    RecordKind.ANNOTATION,
    RecordKind.RULESET,
    RecordKind.TRIAGE,
    RecordKind.PERSON,
    RecordKind.VIEW,
]
EVENT = AuditEvent(NOON, "Ana", "report", "r", "create", None, {}, **EXTRAS)
MOVE = MigrationRecord("m", "here", "there", "Ana", NOON, {}, **EXTRAS)
each_kind = pytest.mark.parametrize(("kind", "record"), list(zip(KINDS, RECORDS, strict=True)), ids=KINDS)


def extras_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in EXTRAS}


def fill(storage: Storage) -> None:
    """Save one record of every kind, an event and a line of the ledger, all with the added fields."""
    storage.write_path.commit([SaveRecord(record, actor="Ana") for record in RECORDS])
    storage.write_path.import_records(ImportBatch(history=[EVENT], migration=replace(MOVE, finished_at=NOON)))


@each_kind
def test_a_record_is_stored_with_them(
    kind: RecordKind, record: Record, storage: Storage, open_storage: Callable[[], Storage]
) -> None:
    storage.write_path.commit([SaveRecord(record, actor="Ana")])
    stored = open_storage().store.read_record(kind, record.id)
    assert stored is not None
    assert extras_of(stored) == EXTRAS
    if isinstance(stored, ReportRecord):
        assert extras_of(stored.findings[0]) == EXTRAS


@each_kind
def test_an_update_of_one_alone_is_stored_and_told(
    kind: RecordKind, record: Record, storage: Storage
) -> None:
    storage.write_path.commit([SaveRecord(record, actor="Ana")])
    storage.write_path.commit([SaveRecord(replace(record, extra_text="Okapi"), actor="Ana")])
    assert extras_of(storage.store.read_record(kind, record.id)) == EXTRAS | {"extra_text": "Okapi"}
    (event,) = storage.audit_log(component=kind.value, operation="update")
    assert (event["before"]["extra_text"], event["after"]["extra_text"]) == ("Zebra", "Okapi")
    assert event["after"]["extra_at"] == AT.isoformat()


@each_kind
def test_trash_and_restore_keep_them(kind: RecordKind, record: Record, storage: Storage) -> None:
    from lavendertown.records.write_path import DeleteRecord, RestoreRecord

    storage.write_path.commit([SaveRecord(record, actor="Ana")])
    storage.write_path.commit([DeleteRecord(kind, record.id, "Ana")])
    storage.write_path.commit([RestoreRecord(kind, record.id, "Ana")])
    assert extras_of(storage.store.read_record(kind, record.id)) == EXTRAS


@each_kind
def test_defaults_are_left_out_of_the_audit_log(kind: RecordKind, record: Record, storage: Storage) -> None:
    bare = replace(record, extra_text="", extra_count=None, extra_at=None, extra_labels=())
    storage.write_path.commit([SaveRecord(bare, actor="Ana")])
    (event,) = storage.audit_log(component=kind.value)
    assert not EXTRAS.keys() & event["after"].keys()


@each_kind
def test_they_are_part_of_the_digest(kind: RecordKind, record: Record) -> None:
    others: dict[str, Any] = {"extra_text": "", "extra_count": 8, "extra_at": None, "extra_labels": ()}
    changed = [replace(record, **{name: value}) for name, value in others.items()]
    assert len({hash_record(record), *map(hash_record, changed)}) == 5


@each_kind
def test_values_of_the_wrong_kind_and_long_texts_are_refused(
    kind: RecordKind, record: Record, storage: Storage
) -> None:
    wrong: dict[str, Any] = {"extra_text": 7, "extra_count": "many", "extra_at": "now", "extra_labels": (7,)}
    for name, value in [*wrong.items(), ("extra_text", "x" * 51)]:
        with pytest.raises(InvalidInputError, match="extra_"):
            storage.write_path.commit([SaveRecord(replace(record, **{name: value}), actor="Ana")])
    assert storage.store.read_record(kind, record.id) is None


@each_kind
def test_repeated_texts_of_a_list_are_stored_once(kind: RecordKind, record: Record, storage: Storage) -> None:
    storage.write_path.commit([SaveRecord(replace(record, extra_labels=("x", "y", "x")), actor="Ana")])
    assert extras_of(storage.store.read_record(kind, record.id)) == EXTRAS


def test_public_classes_have_them(storage: Storage) -> None:
    one = finding(**PUBLIC)
    carried = annotation(one, **PUBLIC)
    storage.save_report(report("r1", [one], annotations=[carried], **PUBLIC))
    rule: Any = Rule("n", "text", "range", extra_text="Zebra")  # type: ignore[call-arg]
    storage.save_ruleset(RuleSet("s", "text", [rule], **PUBLIC))
    loaded, rules = storage.load_report("r1"), storage.load_ruleset("s")
    assert loaded is not None
    for each in (loaded, loaded.findings[0], loaded.annotations[0], rules):
        assert extras_of(each) == PUBLIC
    assert rules is not None
    assert extras_of(rules.rules[0])["extra_text"] == "Zebra"
    again = type(loaded).from_dict(loaded.to_dict())
    assert extras_of(again) == extras_of(again.annotations[0]) == PUBLIC


def test_methods_that_save_a_record_again_keep_them(storage: Storage) -> None:
    fill(storage)
    storage.views.save("v", {"severity": "error"}, author="Ben")
    storage.people.save("Ana", mail="ana@example.org")
    storage.triage.decide("v1:zebra", Decision(note="Look here"), actor="Ana")
    for kind, record_id in (
        (RecordKind.VIEW, "v"),
        (RecordKind.PERSON, "Ana"),
        (RecordKind.TRIAGE, "v1:zebra"),
    ):
        stored = storage.store.read_record(kind, record_id)
        assert stored is not None
        assert (extras_of(stored), stored.version) == (EXTRAS, 2)


def test_an_edit_of_a_carried_annotation_is_saved_with_its_report(storage: Storage) -> None:
    one = finding()
    storage.save_report(report("r1", [one], annotations=[annotation(one)]))
    loaded = storage.load_report("r1")
    assert loaded is not None
    loaded.annotations[0].extra_text = "Okapi"  # type: ignore[attr-defined]
    storage.save_report(loaded)
    (saved,) = storage.get_annotations(loaded.annotations[0].finding_id)
    assert (extras_of(saved)["extra_text"], saved.version) == ("Okapi", 2)


def test_lists_have_them(storage: Storage) -> None:
    fill(storage)
    lists = [
        storage.query_reports(),
        storage.query_findings(),
        storage.query_annotations(),
        storage.query_rulesets(),
    ]
    for (row,) in lists:
        assert {name: row[name] for name in EXTRAS} == PUBLIC
    assert storage.triage.load("v1:zebra")["extra_text"] == "Zebra"


def test_searches_look_into_the_added_text(storage: Storage) -> None:
    fill(storage)
    for search, hits in {"zebra": 1, "ZEB": 1, "okapi": 0}.items():
        assert storage.count_reports(search=search) == hits
        assert storage.findings.count(search=search) == hits
        assert len(storage.query_annotations(search=search)) == hits
        assert len(storage.query_rulesets(search=search)) == hits
        assert storage.inbox.count(search=search) == hits


def test_events_and_the_ledger_of_migrations_have_them(
    storage: Storage, open_storage: Callable[[], Storage]
) -> None:
    fill(storage)
    again = open_storage().store
    assert [extras_of(each) for each in again.migrations()] == [EXTRAS]
    assert extras_of(again.scan(AuditQuery())[-1]) == EXTRAS


def test_times_in_other_zones_become_utc(storage: Storage) -> None:
    east = dt.timezone(dt.timedelta(hours=3))
    storage.save_annotation(annotation("v1:x", id="a1", extra_at=AT.astimezone(east)))
    (row,) = storage.query_annotations()
    assert row["extra_at"] == AT
    assert row["extra_at"].tzinfo is clock.UTC
