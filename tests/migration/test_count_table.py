"""The table of a migration adds up: each record of the source is in one column, whatever happened to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lavendertown.records.record_classes import FLAT_RECORD_CLASSES, RecordKind
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.count_table import OTHER, CountRow, count_rows, kind_of_item, total_row
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import (
    COUNT_NAME_BY_KIND,
    MigrationOutcome,
    MigrationRequest,
    OnConflict,
    QuarantinedItem,
)
from tests.contract.builders import annotation, finding, report
from tests.migration.conftest import MakePlace

TARGETS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=TARGETS)
def request_to_migrate(request: pytest.FixtureRequest, make_place: MakePlace) -> MigrationRequest:
    """A folder with trash and damage, and a target with the same, another and an unknown report."""
    source, target = make_place("file", "source"), make_place(request.param, "target")
    storage = source.open_storage()
    storage.save_report(report("same"))
    migrate_store(MigrationRequest(source.where, target.where))
    storage.save_reports([report(name) for name in ("differs", "differs too", "deleted")])
    storage.save_report(report("new", [finding(), finding("qty")]))
    storage.save_annotation(annotation("x", id="a1"))
    storage.save_annotation(annotation("x", id="a2"))
    storage.delete_report("deleted", actor="Ana")
    storage.close()
    other = target.open_storage()
    other.save_reports([report("differs", title="Mine"), report("differs too", title="Mine"), report("own")])
    other.close()
    _damage(Layout(Path(source.where)))
    return MigrationRequest(source.where, target.where)


def _damage(folder: Layout) -> None:
    (folder.reports_dir / "cut.json").write_text('{"id": "cut", "ti')
    (folder.flat_dir(RecordKind.INCIDENT)).mkdir(exist_ok=True)
    (folder.flat_dir(RecordKind.INCIDENT) / "cut.json").write_text("{")
    (folder.root / "outside.json").write_text('{"id": "../outside", "findings": []}')
    with next(folder.audit_dir.glob("*.jsonl")).open("a") as log:
        log.write("no event\n")


def check_sums(outcome: MigrationOutcome) -> dict[str, CountRow]:
    rows = count_rows(outcome)
    for name, row in rows.items():
        assert row.source == row.written + row.skipped + row.kept + row.quarantined, name
        assert min(row.written, row.skipped, row.kept, row.quarantined) >= 0, name
    total = total_row(outcome)
    assert total.source == total.written + total.skipped + total.kept + total.quarantined
    assert total.quarantined == len(outcome.quarantined)
    assert total.source == sum(row.source for name, row in rows.items() if name != "findings")
    return rows


@pytest.mark.slow
def test_a_dry_run_adds_up(request_to_migrate: MigrationRequest) -> None:
    outcome = preview_migration(request_to_migrate)
    rows = check_sums(outcome)
    assert total_row(outcome).kept == outcome.conflict_count
    assert rows["reports"] == CountRow(6, 2, 1, 2, 1)
    assert rows["annotations"] == CountRow(2, 2, 0, 0, 0)
    assert rows["incidents"] == CountRow(1, 0, 0, 0, 1)
    assert rows["events"].quarantined == 1
    assert rows[OTHER] == CountRow(1, 0, 0, 0, 1)


@pytest.mark.slow
def test_a_migration_adds_up_when_one_conflict_is_overwritten(request_to_migrate: MigrationRequest) -> None:
    chosen = replace(request_to_migrate, choices={"report:differs": OnConflict.OVERWRITE})
    outcome = migrate_store(chosen)
    assert check_sums(outcome)["reports"] == CountRow(6, 3, 1, 1, 1)
    again = migrate_store(request_to_migrate)
    assert check_sums(again)["reports"] == CountRow(6, 0, 4, 1, 1)


@pytest.mark.parametrize("kind", [RecordKind.REPORT, RecordKind.ANNOTATION, *FLAT_RECORD_CLASSES])
def test_an_item_belongs_to_the_kind_of_its_record(kind: RecordKind) -> None:
    assert kind_of_item(QuarantinedItem(f"{kind.value} 'x'", "")) == COUNT_NAME_BY_KIND[kind]


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ("reports/r1.json", "reports"),
        ("reports/r1.json annotation 2", "annotations"),
        ("annotations/x.json", "annotations"),
        ("shared_rulesets/nightly.json", "rulesets"),
        ("rule set 7", "rulesets"),
        ("datasets/orders.json", "dataset_settings"),
        ("worklists/w.json", "worklists"),
        ("audit/2026-11.jsonl:3", "events"),
        (".journal/intent", OTHER),
        ("outside.json", OTHER),
    ],
)
def test_an_item_belongs_to_the_kind_of_its_folder(item: str, kind: str) -> None:
    assert kind_of_item(QuarantinedItem(item, "")) == kind
