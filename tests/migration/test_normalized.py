"""What 0.7.1 wrote and today's stores refuse only for its form is migrated in today's form, and counted."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.transfer import upgrade_legacy
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import MigrationRequest
from tests.schema.databases import OLD

FINDING = {"ghost_type": "null", "column": "c", "severity": "Warning", "description": "c has 3 null values"}
NOTES: list[tuple[dict[str, Any], list[str], str | None]] = [
    ({"tags": ["", "crm"]}, ["crm"], None),
    ({"tags": ["crm", "crm"]}, ["crm"], None),
    ({"tags": [" late "]}, ["late"], None),
    ({"tags": [" "]}, [], None),
    ({"tags": ["fine"], "status": "False Positive"}, ["fine"], "false_positive"),
    ({"tags": ["fine"], "status": " "}, ["fine"], None),
    ({"tags": ["fine"], "status": "fixed"}, ["fine"], "fixed"),
]
CHANGED = 7
"""Six of the notes, and the report."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    for name in ("reports", "annotations"):
        (folder / name).mkdir(parents=True)
    report = {"id": "r1", "title": None, "author": "Bob", "created_at": "2025-06-01T09:30:00"}
    report |= {"findings": [FINDING], "annotations": [], "metadata": {"tags": ["", "weekly", "weekly"]}}
    (folder / "reports" / "r1.json").write_text(json.dumps(report))
    (folder / "annotations" / "f1.json").write_text(json.dumps(list(map(note, range(len(NOTES))))))
    return folder


def note(number: int) -> dict[str, Any]:
    written = {
        "id": f"n{number}",
        "finding_id": "f1",
        "author": "Bob",
        "timestamp": f"2025-06-01T1{number}:00:00",
    }
    return {**written, "comment": f"Comment {number}", "status": None, **NOTES[number][0]}


def assert_normalized(storage: Storage) -> None:
    notes = storage.get_annotations("f1")
    assert [(each.comment, each.tags, each.status) for each in notes] == [
        (f"Comment {number}", tags, status) for number, (_, tags, status) in enumerate(NOTES)
    ]
    assert storage.unreadable_items() == []


def test_a_folder_is_read_where_it_lies_in_todays_form(folder: Path) -> None:
    storage = FileStorage(folder)
    assert_normalized(storage)
    report = storage.load_report("r1")
    assert report is not None
    assert (report.title, report.metadata["tags"], report.findings[0].severity) == ("", ["weekly"], "warning")


def test_a_folder_is_migrated_without_quarantine_and_what_was_normalized_is_counted(
    folder: Path, tmp_path: Path
) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    request = MigrationRequest(str(folder), target, zone="UTC")
    looked = preview_migration(request)
    done = migrate_store(request)
    for outcome in (looked, done):
        assert (outcome.quarantined, outcome.normalized) == ((), CHANGED)
    assert done.verified
    storage = DatabaseStorage(target)
    assert_normalized(storage)
    storage.close()
    assert migrate_store(request).changed_nothing


def old_database(path: Path) -> str:
    """Copy the database that 0.7.1 wrote and add the notes to it."""
    shutil.copy(OLD, path)
    with closing(sqlite3.connect(path)) as raw, raw:
        for number, (changed, _, _) in enumerate(NOTES):
            values = ("f1", "Bob", f"2025-06-01 1{number}:00:00.000000", f"Comment {number}")
            raw.execute(
                "INSERT INTO annotations (report_id, finding_id, author, created_at, comment, tags, status) "
                "VALUES (0, ?, ?, ?, ?, ?, ?)",
                [*values, json.dumps(changed["tags"]), changed.get("status")],
            )
    return f"sqlite:///{path}"


def test_a_database_is_migrated_without_quarantine(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    done = migrate_store(MigrationRequest(old_database(tmp_path / "old.db"), target))
    assert (done.quarantined, done.normalized, done.verified) == ((), 6, True)
    storage = DatabaseStorage(target)
    assert_normalized(storage)
    storage.close()


def test_a_database_is_upgraded_where_it_is_without_quarantine(tmp_path: Path) -> None:
    url = old_database(tmp_path / "old.db")
    upgraded = upgrade_legacy.upgrade_legacy_database(url)
    assert upgraded is not None
    assert (upgraded.outcome.quarantined, upgraded.outcome.normalized) == ((), 6)
    storage = DatabaseStorage(url)
    assert_normalized(storage)
    storage.close()


def test_the_command_says_how_many_were_normalized(folder: Path, tmp_path: Path) -> None:
    arguments = ["migrate", "--from", str(folder), "--to", str(tmp_path / "new")]
    said = CliRunner().invoke(cli, [*arguments, "--dry-run"])
    assert "Normalized 7 records of LavenderTown 0.7" in said.output
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["normalized"]) == (0, 7)


def test_what_cannot_be_represented_still_goes_to_quarantine(folder: Path, tmp_path: Path) -> None:
    written = [note(0) | {"status": "who knows"}, note(1) | {"tags": [["deep"]]}, note(2)]
    (folder / "annotations" / "f1.json").write_text(json.dumps(written))
    done = migrate_store(MigrationRequest(str(folder), str(tmp_path / "new"), zone="UTC"))
    assert len(done.quarantined) == 2
    assert done.counts["annotations"].written == 1
