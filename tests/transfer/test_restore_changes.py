"""The dry run of a restore tells which records come back, which go, and which return to another state."""

from __future__ import annotations

from contextlib import closing

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from tests.contract.builders import annotation, report
from tests.contract.test_desk import name_of, run
from tests.migration.conftest import MakePlace

BACKENDS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_changes_are_told_by_kind_and_name(make_place: MakePlace, backend: str) -> None:
    place = make_place(backend, "source")
    with closing(place.open_storage()) as storage:
        storage.save_report(run(1, "email"))
        storage.save_report(report("r2", title="Week 2"))
        storage.save_annotation(annotation(name_of(), id="a1", comment="Before"))
        storage.triage.decide(name_of(), Decision(assignee="Ben"), actor="Ana")
    backup = back_up(parse_location(place.where)).file
    assert restore_store(place.where, backup, dry_run=True).changes == {}
    with closing(place.open_storage()) as storage:
        storage.delete_report("r2", actor="Ana")
        storage.save_report(report("r3", title="Week 3"))
        storage.save_annotation(annotation(name_of(), id="a2", comment="Since then"))
        storage.triage.decide(name_of(), Decision(assignee="Cy"), actor="Ana")
        storage.views.save("Mine", {}, author="Ana")
    changes = restore_store(place.where, backup, dry_run=True).changes
    assert set(changes) == {"reports", "annotations", "triage", "views"}
    reports, triage = changes["reports"], changes["triage"]
    assert (reports.returning, reports.leaving, reports.reverted) == (1, 1, 0)
    assert (reports.returning_names, reports.leaving_names) == (
        ("Week 2 (4 Mar 2026)",),
        ("Week 3 (4 Mar 2026)",),
    )
    assert changes["annotations"].leaving_names == ("bob, 4 Mar 2026: Since then",)
    assert (triage.returning, triage.leaving, triage.reverted) == (0, 0, 1)
    assert triage.reverted_names == ("orders, email, email is empty in # of # rows",)
    assert changes["views"].leaving_names == ("Mine",)
    with closing(place.open_storage()) as storage:
        assert storage.count_reports() == 2
    assert restore_store(place.where, backup).changes == {}


@pytest.mark.slow
@pytest.mark.parametrize("since", [1, 2, 6])
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_open_store_notices_that_it_was_replaced(make_place: MakePlace, backend: str, since: int) -> None:
    place = make_place(backend, "source")
    with closing(place.open_storage()) as storage:
        storage.save_report(run(1, "email"))
        backup = back_up(parse_location(place.where)).file
        for number in range(since):
            storage.save_annotation(
                annotation(name_of(), id=f"a{number}", comment="Since then", tags=["late"])
            )
        assert storage.inbox.count(tags="late") == 1
        before, last = storage.revision(), storage.audit.query(limit=1)[0]
        assert last["record_id"] == f"a{since - 1}"
        restore_store(place.where, backup, actor="Maya")
        assert storage.revision() != before
        assert storage.inbox.count(tags="late") == 0
        assert [(each["component"], each["actor"]) for each in storage.audit.query(limit=1)] == [
            ("store", "Maya")
        ]
        assert [each["component"] for each in storage.audit.query(since=last["at"])] == ["store"]
        assert storage.unreadable_items() == []
