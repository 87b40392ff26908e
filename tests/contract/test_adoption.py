"""What certainly continues a vanished finding adopts its history when a report is saved, on every store."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from lavendertown import Inspector
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR, Decision, undo_from_events
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.errors import StorageUnavailableError
from lavendertown.records.record_classes import RecordKind
from tests.contract.builders import annotation, at, report

CITIES = ["Bonn", "Ulm", "Graz", "Bern", "Linz", "Jena", None]


def table(**renamed: str) -> pd.DataFrame:
    """Return a delivery in which towns are missing; its columns may have other names."""
    rows = range(210)
    frame = pd.DataFrame(
        {
            "id": [f"o-{row}" for row in rows],
            "billing_city": [CITIES[row * row % 7] if row % 5 else CITIES[row % 7] for row in rows],
            "amount": [round(row * 1.37 + row % 11, 2) for row in rows],
        }
    )
    return frame.rename(columns=renamed)


def save(storage: Storage, day: int, frame: pd.DataFrame, dataset: str = "orders") -> None:
    inspector = Inspector(frame, dataset=dataset)
    findings = inspector.detect()
    metadata = {"dataset": dataset, "coverage": inspector.coverage()}
    name = f"day {day}" if dataset == "orders" else f"{dataset}, day {day}"
    made = report(name, findings, created_at=at(24 * day), metadata=metadata)
    names = [get_finding_id(each, dataset) for each in findings]
    storage.save_report(made, evidence=inspector.evidence().named(names))


def rows(storage: Storage) -> dict[str, dict[str, Any]]:
    return {row["column"]: row for row in storage.inbox.query()}


def discuss(storage: Storage, column: str = "billing_city") -> str:
    name: str = rows(storage)[column]["finding_id"]
    storage.save_annotation(annotation(name, comment="From the till.", timestamp=at(1)))
    storage.triage.decide(name, Decision(assignee="Ben"), actor="Ana")
    return name


@pytest.mark.parametrize("header", ["Billing City", "BILLING_CITY", "billingcity", " billing_city "])
def test_a_respelled_header_keeps_the_discussion(storage: Storage, header: str) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    save(storage, 1, table(billing_city=header))
    (row,) = storage.inbox.query()
    assert (row["column"].strip(), row["times_seen"]) == (header.strip(), 2)
    assert (row["assignee"], row["comment_count"], row["seen"]) == ("Ben", 1, "ongoing")
    assert storage.findings.resolve_id(old) == row["finding_id"] != old


def test_a_renamed_column_with_the_same_values_keeps_the_discussion(storage: Storage) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    save(storage, 1, table(billing_city="Ort"))
    (row,) = storage.inbox.query()
    assert (row["column"], row["times_seen"], row["assignee"]) == ("Ort", 2, "Ben")
    save(storage, 2, table(billing_city="Ort"))
    assert storage.inbox.query()[0]["times_seen"] == 3
    # An exact match always wins: the old name leads to the same finding.
    save(storage, 3, table())
    (row,) = storage.inbox.query()
    assert (row["times_seen"], storage.findings.resolve_id(old)) == (4, row["finding_id"])


def test_a_report_is_saved_though_its_findings_cannot_be_merged(storage: Storage) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    commits: list[int] = []

    def fail_after_the_report() -> None:
        commits.append(1)
        if len(commits) > 1:
            raise StorageUnavailableError("The storage is gone.")

    storage.write_path.commit_guards.append(fail_after_the_report)
    save(storage, 1, table(billing_city="Ort"))
    storage.write_path.commit_guards.remove(fail_after_the_report)
    assert (len(commits), storage.count_reports()) == (2, 2)
    assert rows(storage)["Ort"]["twin"] == old


def test_the_audit_log_tells_who_joined_the_findings_and_why(storage: Storage) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    save(storage, 1, table(billing_city="Ort"))
    (event,) = [e for e in storage.audit.query(record_id=old) if e["actor"] == AUTOMATIC_ACTOR]
    assert event["after"]["adopted_because"] == "renamed_column"
    assert event["after"]["merged_into"] == rows(storage)["Ort"]["finding_id"]


@pytest.mark.parametrize("how", ["undo", "unmerge"])
def test_what_a_person_takes_apart_stays_apart(storage: Storage, how: str) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    save(storage, 1, table(billing_city="Ort"))
    new = rows(storage)["Ort"]["finding_id"]
    if how == "undo":
        events = storage.audit.query(component=(RecordKind.TRIAGE.value,), actor=AUTOMATIC_ACTOR)
        assert storage.triage.undo(undo_from_events(events), actor="Ana") == 2
    else:
        storage.triage.unmerge_finding(old, actor="Ana")
    save(storage, 1, table(billing_city="Ort"))
    found = rows(storage)
    assert {column: row["finding_id"] for column, row in found.items()} == {"billing_city": old, "Ort": new}
    assert (found["billing_city"]["assignee"], found["billing_city"]["comment_count"]) == ("Ben", 1)
    assert (found["Ort"]["times_seen"], found["Ort"]["twin"]) == (1, "")
    assert storage.triage.load(new)["stands_alone"]


def test_the_same_report_twice_changes_nothing(storage: Storage) -> None:
    save(storage, 0, table())
    save(storage, 1, table(billing_city="Ort"))
    before = storage.inbox.query()
    assert before[0]["times_seen"] == 2
    events = storage.audit.query(component=(RecordKind.TRIAGE.value,), limit=None)
    save(storage, 1, table(billing_city="Ort"))
    assert storage.inbox.query() == before
    assert storage.audit.query(component=(RecordKind.TRIAGE.value,), limit=None) == events


def test_an_uncertain_successor_is_offered(storage: Storage) -> None:
    save(storage, 0, table())
    old = discuss(storage)
    grown = table(billing_city="Ort")
    save(storage, 1, pd.concat([grown, grown.head(30)]))
    found = rows(storage)
    assert (found["Ort"]["twin"], found["Ort"]["assignee"]) == (old, "")
    assert found["billing_city"]["seen"] == "not_checked"
    storage.triage.adopt_history(found["Ort"]["finding_id"], old, actor="Ana")
    assert rows(storage)["Ort"]["assignee"] == "Ben"


def test_an_unrelated_column_is_neither_joined_nor_offered(storage: Storage) -> None:
    save(storage, 0, table())
    discuss(storage)
    frame = table().drop(columns="billing_city")
    frame["weight"] = [None if row % 3 else row * 7.5 for row in range(len(frame))]
    save(storage, 1, frame)
    assert {column: row["twin"] for column, row in rows(storage).items()} == {
        "billing_city": "",
        "weight": "",
    }


def test_an_unnamed_column_that_moved_keeps_the_discussion(storage: Storage) -> None:
    save(storage, 0, table(billing_city=""))
    discuss(storage, "column 2")
    moved = table(billing_city="")
    moved.insert(0, "loaded", [f"run {row % 4}" for row in range(len(moved))])
    save(storage, 1, moved)
    (row,) = storage.inbox.query()
    assert (row["column"], row["times_seen"], row["assignee"]) == ("column 3", 2, "Ben")


def test_of_another_dataset_nothing_is_adopted(storage: Storage) -> None:
    save(storage, 0, table())
    save(storage, 1, table(billing_city="Ort"), dataset="returns")
    assert {row["times_seen"] for row in storage.inbox.query()} == {1}
    assert len(rows(storage)) == 2


# The order of saving

RUNS: dict[int, pd.DataFrame] = {
    0: table(),
    1: table(billing_city="Billing City"),
    2: table().drop(columns="billing_city"),
    3: table(billing_city="BILLING_CITY"),
    4: table(billing_city="town"),
    5: table(),
    6: table(billing_city="Town", amount="Amount"),
}
"""Deliveries by day: a column that is renamed, missing, and renamed back."""


def state(storage: Storage) -> list[tuple[Any, ...]]:
    """Return what the inbox says of each finding, except by which of its former ids it is known."""
    names = ("column", "dataset", "description", "first_seen", "last_seen", "times_seen", "seen", "status")
    return sorted(tuple(str(row[name]) for name in names) for row in storage.inbox.query())


@pytest.mark.parametrize("seed", range(6))
def test_the_order_in_which_reports_are_saved_does_not_matter(seed: int, storage: Storage) -> None:
    chance = random.Random(seed)
    days = sorted(chance.sample(sorted(RUNS), 5))
    mixed = chance.sample(days, len(days))
    for day in days:
        save(storage, day, RUNS[day], "in order")
    for day in mixed:
        save(storage, day, RUNS[day], "mixed")
    ordered = [row for row in state(storage) if row[1] == "in order"]
    assert [(row[0], *row[2:]) for row in ordered] == [
        (row[0], *row[2:]) for row in state(storage) if row[1] == "mixed"
    ], f"saved in the order {mixed}"
