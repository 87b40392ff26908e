from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.stores.sql.schema.revisions import HEAD, known_revisions
from tests.schema.databases import FIRST, OLD, copy_of, first_on_postgres


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["db", *args])


def test_init_makes_a_database_ready() -> None:
    assert run("check").exit_code == 1
    made = run("init")
    assert (made.exit_code, made.stderr) == (0, "")
    assert "Ready: SQLite at " in made.stdout
    assert run("check").exit_code == 0


def test_init_says_that_the_database_is_not_in_use_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "LAVENDERTOWN_STORAGE_TYPE=database" in run("init").stdout
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    assert "LAVENDERTOWN_STORAGE_TYPE" not in run("init").stdout


def test_current_creates_nothing(folder: Path) -> None:
    result = run("current")
    assert result.exit_code == 0
    assert "lavendertown db init" in result.stdout
    assert list(folder.iterdir()) == []


def test_current_as_json(folder: Path) -> None:
    run("init", "--url", "sqlite:///reports.db")
    result = run("current", "--url", "sqlite:///reports.db", "--json")
    assert result.stdout == '{\n  "store": "SQLite at reports.db",\n  "state": "current"\n}\n'


def test_current_names_the_sources_that_are_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "lavendertown.toml").write_text('database = "sqlite:///a.db"\n')
    (folder / "config.yaml").write_text("database: sqlite:///b.db\n")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", "sqlite:///c.db")
    shown = run("current").stdout.splitlines()
    assert shown[1:] == [
        "The database is set by the environment; the database in lavendertown.toml is not used.",
        "The database is set by the environment; the database in config.yaml is not used.",
    ]
    assert len(run("current", "--url", "sqlite:///d.db").stdout.splitlines()) == 1


def test_another_programs_database_is_refused(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "other.db")) as other, other:
        other.execute("CREATE TABLE reports (id TEXT)")
    refused = run("init", "--url", "sqlite:///other.db")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Nothing was changed" in refused.stderr
    checked = run("check", "--url", "sqlite:///other.db")
    assert (checked.exit_code, "another program" in checked.stdout) == (1, True)


def test_what_is_no_database_is_refused(folder: Path) -> None:
    (folder / "notes.db").write_text("These are notes, not a database. " * 50, "utf-8")
    result = run("check", "--url", "sqlite:///notes.db")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not a SQLite database" in result.stderr


def test_url_that_is_none_is_refused() -> None:
    result = run("current", "--url", "reports")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: The database URL is invalid.")


@pytest.mark.postgres
def test_postgres_is_made_ready_too(postgres_url: str) -> None:
    assert run("check", "--url", postgres_url).exit_code == 1
    assert run("init", "--url", postgres_url).exit_code == 0
    assert run("check", "--url", postgres_url).exit_code == 0


def test_upgrade_says_where_the_backup_is(folder: Path) -> None:
    url = copy_of(FIRST, folder)
    assert run("check", "--url", url).exit_code == 1
    result = run("upgrade", "--url", url)
    assert (result.exit_code, result.stderr) == (0, "")
    backed_up, upgraded = result.stdout.splitlines()
    assert backed_up.startswith("Backed up to ")
    assert upgraded == f"Upgraded SQLite at store.db from revision 0001 to {HEAD}."
    assert "nothing was changed" in run("upgrade", "--url", url).stdout
    assert run("check", "--url", url).exit_code == 0


def test_upgrade_turns_0_7s_database_into_todays(folder: Path) -> None:
    url = copy_of(OLD, folder)
    assert "written by LavenderTown 0.7" in run("current", "--url", url).stdout
    result = run("upgrade", "--url", url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == (
        "Upgraded SQLite at store.db from LavenderTown 0.7: 2 reports and 1 comment, read back and equal."
    )


def test_upgrade_as_json(folder: Path) -> None:
    said = json.loads(run("upgrade", "--url", copy_of(FIRST, folder), "--json").stdout)
    assert (said["before"], said["after"]) == ("0001", HEAD)
    assert Path(said["backup"]).is_file()


def test_downgrade_asks_first(folder: Path) -> None:
    url = copy_of(FIRST, folder)
    run("upgrade", "--url", url)
    refused = run("downgrade", "0001", "--url", url)
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    done = run("downgrade", "0001", "--url", url, "--yes")
    assert done.exit_code == 0
    assert "earlier version" in run("current", "--url", url).stdout


def test_upgrade_makes_the_tables_of_an_empty_database() -> None:
    result = run("upgrade")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("lavendertown.db.\n")
    assert run("check").exit_code == 0


def test_upgrade_makes_no_copy_when_told_so(folder: Path) -> None:
    result = run("upgrade", "--no-backup", "--url", copy_of(FIRST, folder))
    assert (result.exit_code, "Backed up" in result.stdout) == (0, False)
    assert not (folder / "backups").exists()


def test_a_newer_database_is_refused_by_every_command(folder: Path) -> None:
    url = copy_of(FIRST, folder)
    with closing(sqlite3.connect(folder / "store.db")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (folder / "store.db").read_bytes()
    for command in (["upgrade"], ["init"], ["downgrade", "0001", "--yes"]):
        refused = run(*command, "--url", url)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "newer version of LavenderTown" in refused.stderr
    assert run("check", "--url", url).exit_code == 1
    assert (folder / "store.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["store.db"]


def test_downgrade_below_the_first_revision_is_refused(folder: Path) -> None:
    result = run("downgrade", "base", "--yes", "--url", copy_of(FIRST, folder))
    assert (result.exit_code, result.stdout) == (2, "")
    known = ", ".join(sorted(known_revisions()))
    assert result.stderr.startswith(f"Error: There is no revision 'base'. Choose one of {known}.")


@pytest.mark.postgres
def test_postgres_is_upgraded_and_taken_back(postgres_url: str, folder: Path) -> None:
    first_on_postgres(postgres_url)
    said = json.loads(run("upgrade", "--url", postgres_url, "--json").stdout)
    assert (said["before"], said["after"]) == ("0001", HEAD)
    assert Path(said["backup"]).parent.resolve() == folder / ".lavendertown" / "backups"
    back = json.loads(run("downgrade", "0001", "--yes", "--json", "--url", postgres_url).stdout)
    assert (back["before"], back["after"]) == (HEAD, "0001")
    assert run("check", "--url", postgres_url).exit_code == 1
