"""A fixed finding regresses in the same moment in every store: as ``find_regression`` defines it."""

from __future__ import annotations

import datetime as dt

import pytest

from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.statuses import NAMES
from lavendertown.records.identities import find_regression
from tests.contract.builders import annotation, at, finding, report

NAME = get_finding_id(finding())


@pytest.mark.parametrize(
    ("sightings", "regressed_at"),
    [
        ([1, 2], None),
        ([5], None),
        ([1, 6], at(6)),
        ([9, 7, 8], at(7)),
        ([], None),
    ],
)
def test_a_finding_regresses_with_the_first_sighting_after_it_was_fixed(
    sightings: list[int], regressed_at: dt.datetime | None
) -> None:
    assert find_regression("fixed", at(5), map(at, sightings)) == regressed_at
    assert find_regression("accepted", at(5), map(at, sightings)) is None
    assert find_regression(None, at(5), map(at, sightings)) is None


@pytest.mark.parametrize("status", NAMES)
@pytest.mark.parametrize("sightings", [(1, 2), (1, 5), (1, 6), (9, 7, 8), (1, 6, 9)])
@pytest.mark.parametrize("order", ["reports first", "annotation first"])
def test_every_store_agrees_with_the_definition(
    storage: Storage, status: str, sightings: tuple[int, ...], order: str
) -> None:
    if order == "annotation first":
        storage.save_annotation(annotation(NAME, status=status, timestamp=at(5)))
    storage.save_reports(report(f"r{hour}", created_at=at(hour)) for hour in sightings)
    storage.save_report(report("deleted", created_at=at(5.5)))
    storage.delete_report("deleted")
    if order == "reports first":
        storage.save_annotation(annotation(NAME, status=status, timestamp=at(5)))
    expected = find_regression(status, at(5), map(at, sightings))
    (row,) = storage.inbox.load_rows([NAME])
    assert (row["regressed_at"], row["status"]) == (expected, "open" if expected else status)
    (turn,) = storage.store.status_changes()
    assert (turn.status, turn.regressed_at) == (status, expected)
