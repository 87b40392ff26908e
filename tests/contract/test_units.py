"""All of a unit of work or nothing of it; hooks stand around the one write path."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError, InvalidInputError
from lavendertown.records.record_classes import AuditEvent, Record, RecordKind
from lavendertown.records.store import UnitOfWork
from tests.contract.builders import annotation, at, finding, ids, report


def test_many_reports_are_saved_in_one_unit_in_order(storage: Storage) -> None:
    assert storage.save_reports(report(f"r{n}", created_at=at(n)) for n in range(50)) == [
        f"r{n}" for n in range(50)
    ]
    assert storage.count_reports() == 50
    assert storage.query_findings(limit=1)[0]["times_seen"] == 50
    assert len(storage.audit_log(limit=None)) == 50


@pytest.mark.parametrize("place_of_bad", [0, 3, 6])
def test_one_refused_report_refuses_all(storage: Storage, place_of_bad: int) -> None:
    batch = [report(f"r{n}") for n in range(6)]
    batch.insert(place_of_bad, report("../x"))
    before = storage.revision()
    with pytest.raises(InvalidInputError):
        storage.save_reports(batch)
    assert storage.count_reports() == 0
    assert storage.revision() == before


def test_one_stale_report_refuses_all(storage: Storage) -> None:
    storage.save_report(report("old"))
    storage.save_report(report("old"))
    with pytest.raises(ConflictError, match="old"):
        storage.save_reports([report("new"), report("old", version=1)])
    assert ids(storage.query_reports()) == ["old"]


def test_one_refused_annotation_refuses_all(storage: Storage) -> None:
    with pytest.raises(InvalidInputError):
        storage.annotations.save_many([annotation("f1"), annotation("f1", status="nope")])
    assert storage.query_annotations() == []


def test_annotations_are_saved_in_one_unit(storage: Storage) -> None:
    notes = [annotation("f1", id=f"a{n}", timestamp=at(n)) for n in range(30)]
    assert storage.annotations.save_many(notes) == [note.id for note in notes]
    assert [note.id for note in storage.get_annotations("f1")] == [note.id for note in notes]


def test_the_same_record_twice_in_one_unit_ends_as_the_last_says(storage: Storage) -> None:
    storage.save_reports(
        [report("r1", [finding("a")], title="one"), report("r1", [finding("b")], title="two")]
    )
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert (loaded.title, [found.column for found in loaded.findings]) == ("two", ["b"])
    assert [row["title"] for row in storage.query_reports()] == ["two"]
    assert [row["column"] for row in storage.query_findings()] == ["b"]


def test_two_reports_may_carry_the_same_annotation(storage: Storage) -> None:
    note = annotation(id="a1")
    storage.save_reports([report("r1", annotations=[note]), report("r2", annotations=[note])])
    for name in ("r1", "r2"):
        loaded = storage.load_report(name)
        assert loaded is not None
        assert [found.id for found in loaded.annotations] == ["a1"]


def test_a_large_batch_is_one_unit(storage: Storage) -> None:
    batch = [report(f"r{n}", [finding(f"c{i}") for i in range(20)], created_at=at(n)) for n in range(150)]
    storage.save_reports(batch)
    assert storage.findings.count() == 3_000
    assert {row["times_seen"] for row in storage.query_findings(limit=None)} == {150}


# Hooks


def test_a_hook_before_can_refuse(storage: Storage) -> None:
    def refuse(unit: UnitOfWork, record: Record) -> None:
        raise InvalidInputError("Not on a Sunday.")

    storage.write_path.hooks.add_before(RecordKind.REPORT, "create", refuse)
    with pytest.raises(InvalidInputError, match="Sunday"):
        storage.save_report(report())
    assert storage.count_reports() == 0
    assert storage.audit_log() == []


def test_a_hook_before_can_replace_the_record(storage: Storage) -> None:
    from dataclasses import replace

    storage.write_path.hooks.add_before(
        RecordKind.ANNOTATION, "create", lambda unit, record: replace(record, comment="Hooked")
    )  # type: ignore[call-arg]
    storage.save_annotation(annotation("f1"))
    assert storage.get_annotations("f1")[0].comment == "Hooked"


def test_a_hook_after_that_raises_undoes_everything(storage: Storage) -> None:
    seen: list[str] = []

    def fail(unit: UnitOfWork, record: Record) -> None:
        stored = unit.read_record(RecordKind.REPORT, record.id)
        assert stored is not None
        seen.append(stored.id)
        raise RuntimeError("no")

    storage.write_path.hooks.add_after(RecordKind.REPORT, "create", fail)
    before = storage.revision()
    with pytest.raises(RuntimeError, match="no"):
        storage.save_report(report(annotations=[annotation(id="a1")]))
    assert seen == ["r1"]
    assert storage.load_report("r1") is None
    assert storage.annotations.load("a1") is None
    assert storage.audit_log() == []
    assert storage.revision() == before


def test_hooks_that_reach_outside_run_after_the_commit_only(storage: Storage, open_storage: object) -> None:
    told: list[Sequence[AuditEvent]] = []
    other = open_storage()  # type: ignore[operator]

    def tell(events: Sequence[AuditEvent]) -> None:
        assert other.load_report("r1") is not None
        told.append(events)

    storage.write_path.hooks.after_commit.append(tell)
    storage.save_report(report())
    with pytest.raises(InvalidInputError):
        storage.save_report(report("../x"))
    storage.delete_annotation("nobody")
    assert [[(event.operation, event.record_id) for event in events] for events in told] == [
        [("create", "r1")]
    ]


def test_a_hook_runs_for_its_own_operation_only(storage: Storage) -> None:
    ran: list[str] = []
    for operation in ("create", "update", "delete", "restore"):
        storage.write_path.hooks.add_after(
            RecordKind.REPORT, operation, lambda unit, record, name=operation: ran.append(name)
        )  # type: ignore[misc]
    storage.save_report(report())
    storage.save_report(report())
    storage.delete_report("r1")
    storage.restore_report("r1")
    storage.save_annotation(annotation())
    assert ran == ["create", "update", "delete", "restore"]
