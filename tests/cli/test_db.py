from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli


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


def test_another_programs_database_is_refused(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "other.db")) as other, other:
        other.execute("CREATE TABLE reports (id TEXT)")
    refused = run("init", "--url", "sqlite:///other.db")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "nothing was changed" in refused.stderr
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
    assert result.stderr.startswith("Error: The database URL is not one;")


@pytest.mark.postgres
def test_postgres_is_made_ready_too(postgres_url: str) -> None:
    assert run("check", "--url", postgres_url).exit_code == 1
    assert run("init", "--url", postgres_url).exit_code == 0
    assert run("check", "--url", postgres_url).exit_code == 0
