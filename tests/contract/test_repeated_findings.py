"""One finding twice in a report is one occurrence with the rows of both; equal times are two runs."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.models import GhostFinding
from tests.contract.builders import at, finding, report


def part(count: int | None, share: float | None, **changes: Any) -> GhostFinding:
    """Return the finding of one part of a file, with rows of that part only."""
    size = {name: value for name, value in (("count", count), ("share", share)) if value is not None}
    metadata = {"check": "nulls", "params": {}, **size}
    return finding(metadata=metadata, row_indices=None, **changes)


def save(storage: Storage, day: int, *parts: GhostFinding, **changes: Any) -> None:
    made = report(f"day {day}", list(parts), created_at=at(24 * day), metadata={"dataset": "orders"})
    for name, value in changes.items():
        setattr(made, name, value)
    storage.save_report(made)


def size_of(storage: Storage) -> tuple[Any, ...]:
    (row,) = storage.inbox.query()
    return row["last_count"], row["last_share"], row["times_seen"], row["runs"]


def test_a_finding_twice_in_a_report_counts_the_rows_of_both(storage: Storage) -> None:
    save(storage, 0, part(10, 0.25), part(5, 0.125))
    assert size_of(storage) == (15, 0.375, 1, [15])
    save(storage, 1, part(3, 0.25))
    assert size_of(storage) == (3, 0.25, 2, [15, 3])
    save(storage, 2, part(3, 0.75), part(4, 0.5), part(None, None))
    assert size_of(storage) == (7, 1.0, 3, [15, 3, 7])


def test_a_finding_without_a_known_size_has_none_however_often_it_is_in_a_report(storage: Storage) -> None:
    save(storage, 0, part(None, None), part(None, None))
    assert size_of(storage) == (None, None, 1, [None])


def test_the_rows_of_both_still_count_when_the_counts_are_computed_again(storage: Storage) -> None:
    save(storage, 0, part(10, 0.25), part(5, 0.125))
    save(storage, 1, part(3, 0.25))
    storage.delete_report("day 1")
    assert size_of(storage) == (15, 0.375, 1, [15])
    storage.restore_report("day 1")
    save(storage, 1, part(2, 0.5), part(2, 0.75), title="Again")
    assert size_of(storage) == (4, 1.0, 2, [15, 4])


def test_twelve_runs_are_shown_also_if_each_has_the_finding_twice(storage: Storage) -> None:
    for day in range(14):
        save(storage, day, part(day, None), part(day, None))
    assert size_of(storage)[3] == [2 * day for day in range(2, 14)]


def test_a_merged_finding_in_one_report_adds_its_rows(storage: Storage) -> None:
    both = [part(10, 0.25), part(5, 0.125, column="phone")]
    save(storage, 0, *both)
    other, kept = (get_finding_id(each, "orders") for each in both)
    storage.triage.merge_findings([other], kept, actor="Ana")
    assert size_of(storage) == (15, 0.375, 1, [15])
    save(storage, 1, part(4, 0.25), part(2, 0.5, column="phone"))
    assert size_of(storage) == (6, 0.75, 2, [15, 6])
    save(storage, 2, part(1, 0.25), part(1, 0.5, column="phone"))
    assert size_of(storage) == (2, 0.75, 3, [15, 6, 2])


def test_an_acceptance_remembers_the_rows_of_both(storage: Storage) -> None:
    save(storage, -1, part(10, 0.25), part(5, 0.125))
    (row,) = storage.inbox.query()
    storage.triage.decide(row["finding_id"], Decision(status="accepted", reason="Small."), actor="Ana")
    (row,) = storage.inbox.query()
    assert row["ceiling_count"] == 30


def test_a_comparison_adds_the_rows_of_both(storage: Storage) -> None:
    save(storage, 0, part(10, 0.25), part(5, 0.125))
    save(storage, 1, part(6, 0.25), part(6, 0.25))
    compared = storage.reports.compare("day 1")
    assert compared is not None
    (row,) = compared["findings"]
    told = ("change", "row_count", "share", "before_count", "before_share")
    assert [row[name] for name in told] == ["worse", 12, 0.5, 15, 0.375]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_only_the_first_of_two_runs_of_one_moment_found_is_not_in_the_latest(
    storage: Storage, order: str
) -> None:
    found = {"a": [finding("email"), finding("phone")], "b": [finding("phone")]}
    ran = [{"check": "nulls", "params": {}, "column": "email", "outcome": "passed"}]
    for name in order:
        metadata = {"dataset": "orders", "coverage": {"ran": ran if name == "b" else []}}
        storage.save_report(report(name, found[name], metadata=metadata))
        storage.inbox.query()
    rows = {row["column"]: row for row in storage.inbox.query()}
    assert {column: row["seen"] for column, row in rows.items()} == {"email": "passing", "phone": "ongoing"}
    assert rows["email"]["times_seen"] == 1
    assert storage.inbox.count_passing_runs(rows["email"]["finding_id"]) == 1
    assert storage.inbox.count_passing_runs(rows["phone"]["finding_id"]) == 0


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_of_two_runs_of_one_moment_the_number_of_rows_is_shown_for_each(storage: Storage, order: str) -> None:
    counts = {"a": [part(1, None)], "b": [part(2, None)]}
    for name in order:
        storage.save_report(report(name, counts[name], metadata={"dataset": "orders"}))
    assert size_of(storage) == (2, None, 2, [1, 2])
