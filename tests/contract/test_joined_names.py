"""An old id that has joined a finding stays that finding's, also while no report shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.fingerprints import legacy_id
from tests.contract.builders import annotation, finding, report

FOUND = finding()
OLD = legacy_id(FOUND.ghost_type, FOUND.column, FOUND.description)


def deleted(storage: Storage) -> None:
    storage.delete_report("first")


def emptied(storage: Storage) -> None:
    storage.save_report(report("first", []))


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_of_two_reports_of_one_moment_the_order_of_saving_does_not_matter(
    storage: Storage, order: str
) -> None:
    for name in order:
        storage.save_report(report(name, metadata={"dataset": name}))
    assert storage.findings.resolve_id(OLD) == get_finding_id(finding(), "b")
    storage.save_annotation(annotation(OLD, id="a1"))
    assert threads(storage, get_finding_id(finding(), "b")) == [["a1"]]


@pytest.fixture(params=[deleted, emptied])
def joined(storage: Storage, request: pytest.FixtureRequest) -> Storage:
    """A store where the old id has joined a finding that no report shows any more."""
    storage.save_annotation(annotation(OLD, id="a1", status="reviewed", tags=["crm"]))
    storage.save_report(report("first", metadata={"dataset": "people"}))
    hide: Callable[[Storage], None] = request.param
    hide(storage)
    return storage


def threads(storage: Storage, *names: str) -> list[list[str]]:
    return [[note.id for note in storage.get_annotations(name)] for name in names]


def test_the_finding_may_come_back(joined: Storage) -> None:
    joined.save_report(report("second", [finding()], metadata={"dataset": "people"}))
    name = get_finding_id(finding(), "people")
    assert threads(joined, OLD, name) == [["a1"], ["a1"]]
    assert joined.findings.resolve_id(OLD) == name
    (row,) = joined.query_findings(report_id="second")
    assert (row["status"], row["tags"], row["times_seen"]) == ("reviewed", ["crm"], 1)


def test_another_dataset_may_have_the_same(joined: Storage) -> None:
    joined.save_report(report("second", [finding()], metadata={"dataset": "orders"}))
    people, orders = get_finding_id(finding(), "people"), get_finding_id(finding(), "orders")
    assert threads(joined, OLD, people, orders) == [["a1"], ["a1"], []]
    assert joined.findings.resolve_id(OLD) == people
    (row,) = joined.query_findings(report_id="second")
    assert (row["finding_id"], row["status"]) == (orders, "open")


def test_the_finding_may_come_back_with_other_words(joined: Storage) -> None:
    again = replace(finding(), description="email is empty in 9 of 9 rows")
    joined.save_report(report("second", [again], metadata={"dataset": "people"}))
    assert threads(joined, OLD, get_finding_id(again, "people")) == [["a1"], ["a1"]]
