"""What a store does for a move: whole records in bulk, aliases, the ledger, and standing still."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.fingerprints import compute_fingerprint, legacy_id
from lavendertown.errors import InvalidInputError, RaceError, UnfinishedMigrationError
from lavendertown.records.record_classes import AuditEvent, MigrationRecord, RecordKind, ReportRecord
from lavendertown.records.write_path import ImportBatch, ImportedRecord
from tests.contract.builders import NOON, annotation, at, finding, ids, report
from tests.contract.store_locations import StoreLocation

OLD_ID = "0123456789abcdef0123456789abcdef"
MOVE = MigrationRecord("m1", "files in a", "files in b", "ana", NOON, {"was_empty": True})


def stored(storage: Storage, report_id: str = "r1") -> ReportRecord:
    record = storage.store.read_record(RecordKind.REPORT, report_id)
    assert isinstance(record, ReportRecord)
    return record


def test_whole_records_are_read_in_bulk(storage: Storage) -> None:
    storage.save_reports([report("r1"), report("r2")])
    storage.delete_report("r2")
    found = storage.store.read_records(RecordKind.REPORT, ["r2", "nothing", "r1"])
    assert found == {"r1": stored(storage, "r1"), "r2": stored(storage, "r2")}


def test_a_record_is_brought_as_it_is(storage: Storage) -> None:
    storage.save_report(report("r1"))
    as_it_was = replace(stored(storage), id="brought", version=7, updated_at=at(-100), deleted_at=at(-50))
    storage.write_path.import_records(ImportBatch([ImportedRecord(as_it_was)]))
    assert stored(storage, "brought") == as_it_was
    assert ids(storage.query_reports()) == ["r1"]
    assert len(storage.audit_log()) == 1


def test_what_replaces_a_record_gets_a_version_above_both(storage: Storage) -> None:
    storage.save_report(report("r1"))
    loaded = storage.load_report("r1")
    other = replace(stored(storage), title="From elsewhere", version=1)
    storage.write_path.import_records(ImportBatch([ImportedRecord(other, replaced_version=1)]))
    assert (stored(storage).title, stored(storage).version) == ("From elsewhere", 2)
    assert loaded is not None
    with pytest.raises(Exception, match="version 2"):
        storage.save_report(loaded)


@pytest.mark.parametrize("replaces", [None, 5])
def test_what_was_compared_with_something_else_is_not_brought(storage: Storage, replaces: int | None) -> None:
    storage.save_report(report("r1"))
    other = replace(stored(storage), title="From elsewhere")
    with pytest.raises(RaceError):
        storage.write_path.import_records(ImportBatch([ImportedRecord(other, replaces)]))
    assert stored(storage).title == "Week 12"


def test_what_may_not_be_stored_is_not_brought(storage: Storage) -> None:
    storage.save_report(report("r1"))
    good, bad = (replace(stored(storage), id=name) for name in ("good", "../bad"))
    with pytest.raises(InvalidInputError):
        storage.write_path.import_records(ImportBatch([ImportedRecord(good), ImportedRecord(bad)]))
    assert storage.reports.find("good") is None


def test_history_is_listed_by_time_whenever_it_came(storage: Storage) -> None:
    storage.save_report(report("r1"))
    before = AuditEvent(at(-48), "old", "report", "r0", "create", None, {"id": "r0"})
    month_before = replace(before, at=NOON - dt.timedelta(days=40), actor="older")
    storage.write_path.import_records(ImportBatch(history=[month_before, before]))
    assert [event["actor"] for event in storage.audit_log()] == ["alice", "old", "older"]


def test_an_alias_leads_to_its_finding_before_and_after_the_annotations(storage: Storage) -> None:
    storage.save_report(report("r1"))
    name = compute_fingerprint(finding(), "")
    storage.write_path.import_records(ImportBatch(aliases={OLD_ID: name, "another": "nobody has it"}))
    assert storage.store.aliases() == {OLD_ID: name, "another": "nobody has it"}
    storage.save_annotation(annotation(OLD_ID, id="a1", status="fixed"))
    assert [note.id for note in storage.get_annotations(name)] == ["a1"]
    assert storage.count_reports(status="fixed") == 1


def test_an_alias_joins_what_waited_under_it(storage: Storage) -> None:
    storage.save_report(report("r1"))
    storage.save_annotation(annotation("waiting", id="a1", tags=["crm"]))
    name = compute_fingerprint(finding(), "")
    storage.write_path.import_records(ImportBatch(aliases={"waiting": name}))
    assert [note.id for note in storage.get_annotations(name)] == ["a1"]
    assert storage.count_reports(tags="crm") == 1


def test_an_alias_that_is_known_stays_as_it_is(storage: Storage) -> None:
    storage.write_path.import_records(ImportBatch(aliases={"old": "first"}))
    storage.write_path.import_records(ImportBatch(aliases={"old": "second"}))
    assert storage.store.aliases() == {"old": "first"}


def test_annotations_in_bulk_join_as_single_ones_do(
    storage: Storage, open_storage: Callable[[], Storage]
) -> None:
    about = finding()
    old = legacy_id(about.ghost_type, about.column, about.description)
    storage.save_report(report("r1"))
    names = [old, compute_fingerprint(about, ""), "nobody has it", old]
    storage.annotations.save_many(annotation(name, id=f"a{number}") for number, name in enumerate(names))
    assert [note.id for note in open_storage().get_annotations(old)] == ["a0", "a1", "a3"]
    assert [note.id for note in storage.get_annotations("nobody has it")] == ["a2"]


def test_the_ledger_keeps_one_line_a_move(storage: Storage) -> None:
    assert storage.store.migrations() == []
    storage.write_path.import_records(ImportBatch(migration=MOVE))
    closed = replace(MOVE, finished_at=at(1), outcome={"reports": {"read": 1}})
    later = replace(closed, id="m2", started_at=at(2))
    storage.write_path.import_records(ImportBatch(migration=later))
    storage.write_path.import_records(ImportBatch(migration=closed))
    assert storage.store.migrations() == [closed, later]


def test_a_half_filled_store_is_refused(storage: Storage, place: StoreLocation) -> None:
    storage.write_path.import_records(ImportBatch(migration=MOVE))
    with pytest.raises(UnfinishedMigrationError, match="files in a"):
        place.open_storage()
    storage.write_path.import_records(ImportBatch(migration=replace(MOVE, finished_at=at(1))))
    place.open_storage().close()


def test_a_store_that_held_something_before_stays_open(storage: Storage, place: StoreLocation) -> None:
    storage.write_path.import_records(ImportBatch(migration=replace(MOVE, options={"was_empty": False})))
    place.open_storage().close()


def test_nobody_commits_while_a_store_is_frozen(
    storage: Storage, open_storage: Callable[[], Storage]
) -> None:
    storage.save_report(report("r1"))
    other = open_storage()
    writer = threading.Thread(target=lambda: other.save_report(report("late")))
    with storage.store.block_writes():
        writer.start()
        assert ids(open_storage().query_reports()) == ["r1"]
        writer.join(0.5)
        assert writer.is_alive()
        assert ids(open_storage().query_reports()) == ["r1"]
    writer.join()
    assert set(ids(storage.query_reports())) == {"r1", "late"}


def test_a_guard_undoes_the_commit(storage: Storage) -> None:
    def refuse() -> None:
        raise InvalidInputError("Not here.")

    storage.write_path.commit_guards.append(refuse)
    with pytest.raises(InvalidInputError, match="Not here"):
        storage.save_report(report("r1"))
    storage.write_path.commit_guards.clear()
    assert storage.reports.find("r1") is None
