"""A changed check gives its finding another id: the two are suggested as one, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError
from tests.contract.builders import annotation, at, finding, report, sentence

Check = tuple[str, int]
"""A column, and the limit its check was given."""


def run(storage: Storage, day: int, *checks: Check, ran: tuple[Check, ...] = (), **changes: Any) -> None:
    found = [
        finding(
            column,
            description=f"{column} breaks the limit of {limit} rows",
            metadata={"check": "limit", "params": {"limit": limit}, "count": 100 * limit + day},
            **changes,
        )
        for column, limit in checks
    ]
    told = [{"check": "limit", "column": column, "params": {"limit": limit}} for column, limit in ran]
    metadata = {"dataset": "orders", "coverage": {"ran": told}}
    storage.save_report(report(f"day {day}", found, created_at=at(day * 24), metadata=metadata))


def ids(storage: Storage) -> dict[Check, str]:
    rows = storage.query_findings(limit=None)
    return {(row["column"], row["metadata"]["params"]["limit"]): row["finding_id"] for row in rows}


def twins(storage: Storage) -> dict[str, str]:
    return {row["finding_id"]: row["twin"] for row in storage.inbox.query(twins=True)}


def test_a_finding_that_came_as_another_vanished_looks_like_it(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 2))
    names = ids(storage)
    assert twins(storage) == {names["a", 2]: names["a", 1]}
    assert {row["twin"] for row in storage.inbox.query() if row["finding_id"] == names["a", 1]} == {""}
    run(storage, 2, ("a", 2))
    assert twins(storage) == {names["a", 2]: names["a", 1]}


def test_only_the_same_column_and_type_look_alike(storage: Storage) -> None:
    run(storage, 0, ("a", 1), ("b", 1))
    run(storage, 1, ("c", 2))
    run(storage, 2, ("c", 2), ("b", 2), ghost_type="outlier")
    assert twins(storage) == {}


def test_a_check_that_ran_and_passed_has_no_twin(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 2), ran=(("a", 1), ("a", 2)))
    assert twins(storage) == {}


def test_what_came_before_the_other_vanished_is_no_twin(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 1), ("a", 2))
    run(storage, 2, ("a", 2))
    assert twins(storage) == {}


def test_what_vanished_again_is_suggested_no_more(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 2))
    run(storage, 2)
    assert twins(storage) == {}


def test_of_several_those_with_about_as_many_rows_belong_together(storage: Storage) -> None:
    run(storage, 0, ("a", 1), ("a", 6))
    run(storage, 1, ("a", 7), ("a", 2))
    names = ids(storage)
    assert twins(storage) == {names["a", 2]: names["a", 1], names["a", 7]: names["a", 6]}


def test_taking_over_carries_thread_status_and_decisions_on(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    old = ids(storage)["a", 1]
    storage.save_annotation(annotation(old, comment="From the till.", timestamp=at(1)))
    storage.triage.decide(old, Decision(assignee="Ben", note="See the wiki."), actor="Ana")
    storage.triage.decide(old, Decision(status="accepted", reason="It is small."), actor="Ana")
    run(storage, 1, ("a", 2))
    new = ids(storage)["a", 2]
    undo = storage.triage.adopt_history(new, old, actor="Cy")
    (row,) = storage.inbox.query()
    told = ("finding_id", "times_seen", "first_seen", "assignee", "note", "status", "close_reason", "twin")
    assert [row[name] for name in told] == [
        new, 2, at(0), "Ben", "See the wiki.", "accepted", "It is small.", "",
    ]  # fmt: skip
    assert storage.findings.resolve_id(old) == new
    assert [note.comment for note in storage.get_annotations(new)] == ["From the till.", "It is small."]
    run(storage, 2, ran=(("a", 2),))
    assert storage.inbox.query()[0]["seen"] == "passing"
    storage.delete_report("day 2")
    assert storage.triage.undo(undo, actor="Cy") == 2
    assert twins(storage) == {new: old}
    assert {row["finding_id"]: row["assignee"] for row in storage.inbox.query()} == {old: "Ben", new: ""}


def test_what_was_decided_about_the_new_one_stays(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 2))
    names = ids(storage)
    storage.triage.decide(names["a", 1], Decision(assignee="Ben", snooze_factor=2), actor="Ana")
    storage.triage.decide(names["a", 2], Decision(assignee="Cy"), actor="Ana")
    storage.triage.adopt_history(names["a", 2], names["a", 1], actor="Ana")
    held = storage.triage.load(names["a", 1])
    assert (held["assignee"], held["snooze_factor"], held["snooze_count"]) == ("Cy", 2, 100)


def test_one_that_stands_alone_is_not_suggested_any_more(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    run(storage, 1, ("a", 2))
    names = ids(storage)
    undo = storage.triage.decide(names["a", 2], Decision(stands_alone=True), actor="Ana")
    assert twins(storage) == {}
    storage.triage.undo(undo, actor="Ana")
    assert twins(storage) == {names["a", 2]: names["a", 1]}


def test_a_finding_cannot_take_itself_over(storage: Storage) -> None:
    run(storage, 0, ("a", 1))
    (name,) = ids(storage).values()
    with pytest.raises(InvalidInputError) as refused:
        storage.triage.adopt_history(name, name, actor="Ana")
    assert "are the same finding already" in sentence(refused)
