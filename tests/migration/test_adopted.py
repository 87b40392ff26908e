"""Findings that a dataset adopted and does not have yet are the same after a migration."""

from __future__ import annotations

import pytest

from lavendertown.transfer.migrator import migrate_store
from lavendertown.transfer.values import MigrationRequest
from tests.contract.test_dataset_adoption import adopted
from tests.migration.conftest import MakePlace

PAIRS = [
    ("file", "sqlite"),
    ("sqlite", "file"),
    pytest.param("file", "postgres", marks=pytest.mark.postgres),
    pytest.param("postgres", "file", marks=pytest.mark.postgres),
]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_adopted_findings_are_listed_as_before(make_place: MakePlace, source: str, target: str) -> None:
    origin, goal = make_place(source, "source"), make_place(target, "target")
    storage = origin.open_storage()
    adopted(storage)
    before = storage.inbox.query(order="first_seen")
    storage.close()
    assert migrate_store(MigrationRequest(origin.where, goal.where)).verified
    moved = goal.open_storage()
    assert moved.inbox.query(order="first_seen") == before
    assert {row["dataset"] for row in before} == {"public.orders"}
    moved.close()
