"""In the enlarged copy: migrations, archives and upgrades. Runs as a test of tests/migration."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lavendertown.records.queries import AuditQuery
from lavendertown.records.write_path import SaveRecord
from lavendertown.stores.sql.copies.backup import copy_database
from lavendertown.stores.sql.copies.export import export_database
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.record_digests import hash_record
from lavendertown.transfer.values import MigrationRequest
from tests.contract.store_locations import StoreLocation
from tests.contract.test_added_fields import EXTRAS, KINDS, RECORDS, extras_of, fill
from tests.golden.command_line import run_json
from tests.migration.conftest import MakePlace

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
PAIRS = [("file", "sqlite"), ("sqlite", "file"), ("sqlite", "postgres"), ("postgres", "file")]


def filled(place: StoreLocation) -> StoreLocation:
    storage = place.open_storage()
    fill(storage)
    storage.close()
    return place


def expect_everything(place: StoreLocation) -> None:
    """Every record and event is there with the added fields."""
    storage = place.open_storage()
    for kind, record in zip(KINDS, RECORDS, strict=True):
        stored = storage.store.read_record(kind, record.id)
        assert stored is not None
        assert extras_of(stored) == EXTRAS
        assert hash_record(replace(stored, updated_at=record.updated_at)) == hash_record(record)
    events = storage.store.scan(AuditQuery())
    assert [extras_of(event) for event in events].count(EXTRAS) == 1
    storage.close()


@pytest.mark.postgres
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_migration_moves_them(source: str, target: str, make_place: MakePlace) -> None:
    start, end = filled(make_place(source, "start")), make_place(target, "end")
    outcome = migrate_store(MigrationRequest(start.where, end.where))
    assert (outcome.verified, outcome.differences, outcome.quarantined) == (True, (), ())
    expect_everything(end)
    assert migrate_store(MigrationRequest(start.where, end.where)).changed_nothing


@pytest.mark.parametrize("number", range(len(RECORDS)), ids=KINDS)
def test_a_difference_in_one_alone_is_a_conflict(number: int, make_place: MakePlace) -> None:
    start, end = filled(make_place("file", "start")), filled(make_place("sqlite", "end"))
    migrate_store(MigrationRequest(start.where, end.where))
    storage = end.open_storage()
    stored = storage.store.read_record(KINDS[number], RECORDS[number].id)
    assert stored is not None
    before = preview_migration(MigrationRequest(start.where, end.where)).conflict_count
    storage.write_path.commit([SaveRecord(replace(stored, extra_count=8), actor="Ana")])
    storage.close()
    keys = {
        conflict.key for conflict in preview_migration(MigrationRequest(start.where, end.where)).conflicts
    }
    assert before <= len(keys)
    assert f"{KINDS[number].value}:{RECORDS[number].id}" in keys


@pytest.mark.parametrize("backend", ["sqlite", POSTGRES])
def test_a_csv_archive_has_their_columns(backend: str, make_place: MakePlace, tmp_path: Path) -> None:
    start, end = filled(make_place(backend, "start")), make_place(backend, "end")
    made = export_database(start.where, tmp_path / "archive.zip")
    restore_store(end.where, made.file, operation="import")
    expect_everything(end)


@pytest.mark.parametrize("backend", ["sqlite", POSTGRES])
def test_a_backup_has_them(backend: str, make_place: MakePlace) -> None:
    start, end = filled(make_place(backend, "start")), make_place(backend, "end")
    storage = start.open_storage()
    copy = copy_database(storage.store.engine)  # type: ignore[attr-defined]
    storage.close()
    restore_store(end.where, copy)
    expect_everything(end)


@pytest.mark.postgres
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_archive_has_them(source: str, target: str, make_place: MakePlace, tmp_path: Path) -> None:
    start, end = filled(make_place(source, "start")), make_place(target, "end")
    archive = back_up(parse_location(start.where), tmp_path / "archives", as_archive=True)
    restore_store(end.where, archive.file)
    expect_everything(end)


def test_a_database_of_the_version_before_is_upgraded_with_the_same_digests(tmp_path: Path) -> None:
    before = Path(os.environ["ADDED_FIELDS_BEFORE"])
    shutil.copy(before / "store.db", tmp_path / "store.db")
    url = f"sqlite:///{tmp_path / 'store.db'}"
    run_json("db", "upgrade", "--url", url)
    digests = json.loads((before / "digests.json").read_text("utf-8"))
    store = StoreLocation("sqlite", url).open_storage().store
    for kind in KINDS:
        for record_id, expected in digests[kind.value].items():
            record = store.read_record(kind, record_id)
            assert record is not None
            assert hash_record(record).hex() == expected
            assert (extras_of(record)["extra_text"], extras_of(record)["extra_labels"]) == ("", ())
