"""Findings whose report is missing on PostgreSQL, and the foreign key that schema 0008 restores."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions, upgrade
from tests.contract.builders import annotation, at, finding, report, sentence
from tests.schema.databases import rows
from tests.schema.test_alembic import ROOT, alembic, run

pytestmark = pytest.mark.postgres

LOST = ("report_texts", "report_tags", "finding_rows")


def execute(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def save_and_lose(url: str, lost: str = "r2") -> None:
    """Save two reports, go back to schema 0007, and delete one of them as somebody may do by hand."""
    with closing(DatabaseStorage(url)) as storage:
        shared = finding("price", metadata={"line": "a\u2028b\n"}, row_indices=[1, 5])
        storage.save_report(report("r1", [shared]))
        storage.save_annotation(annotation(storage.query_findings("r1")[0]["finding_id"], status="fixed"))
        again = finding("price", severity="error", metadata={**shared.metadata, "count": 9})
        storage.save_report(report("r2", [again, finding("street")], created_at=at(2)))
    upgrade.downgrade_database(url, "0007")
    of_lost = f"(SELECT key FROM reports WHERE id = '{lost}')"
    deleted = [f"DELETE FROM {table} WHERE report_key = {of_lost}" for table in LOST]
    execute(url, *deleted, f"DELETE FROM reports WHERE id = '{lost}'")


@pytest.fixture
def url(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    return postgres_url


def test_orphans_are_moved_to_quarantine_and_counted(url: str) -> None:
    save_and_lose(url)
    orphans = [row for row in map(dict, rows(url)["findings"]) if row["report_key"] == 2]
    moved = upgrade.upgrade_database(url).quarantined
    assert moved is not None
    assert (moved.count, len(rows(url)["findings"])) == (2, 1)
    assert moved.file.stat().st_mode & 0o077 == 0
    with moved.file.open(encoding="utf-8") as lines:
        copies = [json.loads(line) for line in lines]
    for name in ("position", "description", "metadata", "search_text"):
        assert [copy[name] for copy in copies] == [row[name] for row in orphans]
    assert revisions.inspect_schema(url).state is revisions.SchemaState.CURRENT


def test_identities_are_counted_without_the_orphans(url: str) -> None:
    save_and_lose(url)
    columns = ("times_seen", "status", "severity", "last_count")
    before = {tuple(row[column] for column in columns) for row in map(dict, rows(url)["identities"])}
    assert before == {(2, 0, 2, 9), (1, 0, 1, 2)}
    upgrade.upgrade_database(url)
    with closing(DatabaseStorage(url)) as storage:
        (kept,) = storage.query_findings("r1")
        before = rows(url)["identities"]
        storage.delete_report("r1")
        storage.restore_report("r1")
    assert (kept["times_seen"], kept["status"], kept["severity"]) == (1, "fixed", "warning")
    # Counting again, as the application does it, changes nothing.
    assert rows(url)["identities"] == before


def test_the_database_refuses_a_finding_without_a_report_again(url: str) -> None:
    save_and_lose(url)
    upgrade.upgrade_database(url)
    with pytest.raises(sa.exc.IntegrityError, match="fk_findings_report_key"):
        execute(url, "UPDATE findings SET report_key = 4711")


def test_the_command_line_names_the_number_and_the_file(url: str) -> None:
    save_and_lose(url)
    done = CliRunner().invoke(cli, ["db", "upgrade", "--url", url])
    (file,) = Path(os.environ["LAVENDERTOWN_DATA_DIR"]).glob("quarantine/upgrade-0008-*/findings.jsonl")
    assert done.exit_code == 1
    last = done.stdout.splitlines()[-1]
    assert last == f"Moved 2 findings that belong to no report out of the database to {file}."
    assert CliRunner().invoke(cli, ["db", "upgrade", "--url", url]).exit_code == 0


def test_programs_get_the_number_and_the_file(url: str) -> None:
    save_and_lose(url)
    done = CliRunner().invoke(cli, ["db", "upgrade", "--json", "--no-backup", "--url", url])
    moved = json.loads(done.stdout)["quarantined"]
    assert (moved["findings"], Path(moved["file"]).is_file(), done.exit_code) == (2, True, 1)


def test_a_store_without_orphans_has_no_quarantine(url: str) -> None:
    save_and_lose(url, lost="none of them")
    assert upgrade.upgrade_database(url).quarantined is None
    assert not (Path(os.environ["LAVENDERTOWN_DATA_DIR"]) / "quarantine").exists()


def test_a_quarantine_that_cannot_be_written_stops_the_upgrade(url: str) -> None:
    save_and_lose(url)
    before = rows(url)
    (Path(os.environ["LAVENDERTOWN_DATA_DIR"]) / "quarantine").touch()
    with pytest.raises(
        StorageUnavailableError, match=r"could not be copied to .*; nothing was changed"
    ) as refused:
        upgrade.upgrade_database(url)
    sentence(refused)
    assert (rows(url), revisions.inspect_schema(url).state) == (before, revisions.SchemaState.OLDER)


@pytest.mark.slow
def test_plain_alembic_moves_orphans_and_logs_their_number(url: str, tmp_path: Path) -> None:
    save_and_lose(url)
    assert "Moved 2 findings that belong to no report" in alembic(url, tmp_path, "upgrade", "head")
    assert revisions.inspect_schema(url).state is revisions.SchemaState.CURRENT


@pytest.mark.slow
def test_alembic_in_another_folder_uses_the_quarantine_of_the_project(
    postgres_url: str, tmp_path: Path
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    shutil.copy(ROOT / "alembic.ini", project)
    save_and_lose(postgres_url)
    done = run(postgres_url, elsewhere, "-c", str(project / "alembic.ini"), "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert len(list(project.glob(".lavendertown/quarantine/*/findings.jsonl"))) == 1
    assert list(elsewhere.iterdir()) == []
