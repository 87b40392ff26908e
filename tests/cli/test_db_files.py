from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from tests.contract.builders import report

pytestmark = pytest.mark.slow

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The configured database, with the report r1; no program of PostgreSQL's is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    found = "sqlite:///team.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", found)
    save("r1")
    return str(found)


def save(report_id: str) -> None:
    storage = DatabaseStorage()
    storage.save_report(report(report_id))
    storage.close()


def reports() -> int:
    storage = DatabaseStorage()
    try:
        return storage.count_reports()
    finally:
        storage.close()


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["db", *args])


def good(*args: str) -> str:
    result = run(*args)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_a_backup_is_made_where_it_is_wanted(url: str, tmp_path: Path) -> None:
    copy = Path(json.loads(good("backup", "--to", "safe", "--json"))["backup"])
    assert copy.parent == Path("safe")
    assert list((tmp_path / "safe").iterdir()) == [tmp_path / copy]
    assert good("backup").startswith("Backed up ")


def test_a_database_that_is_not_there_is_not_backed_up(tmp_path: Path) -> None:
    refused = run("backup", "--url", f"sqlite:///{tmp_path / 'none.db'}")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is empty" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_restore_brings_back_what_was(url: str) -> None:
    copy = json.loads(good("backup", "--json"))["backup"]
    save("r2")
    said = good("restore", copy, "--yes", "--author", "Ana").splitlines()
    assert said[0].startswith("Backed up to ")
    assert said[1].startswith(f"Restored {copy} into ")
    assert reports() == 1
    listed = CliRunner().invoke(cli, ["audit", "--json"], env={"LAVENDERTOWN_STORAGE_TYPE": "database"})
    newest = json.loads(listed.stdout)[0]
    assert (newest["actor"], newest["component"], newest["operation"]) == ("Ana", "store", "restore")


def test_restore_asks_first(url: str) -> None:
    copy = json.loads(good("backup", "--json"))["backup"]
    save("r2")
    refused = run("restore", copy)
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    assert reports() == 2


def test_a_dry_run_of_restore_says_what_would_be(url: str) -> None:
    copy = json.loads(good("backup", "--json"))["backup"]
    save("r2")
    said = good("restore", copy, "--dry-run")
    assert ["reports", "2", "1"] in [line.split() for line in said.splitlines()]
    assert said.endswith("Nothing was changed.\n")
    told = json.loads(good("restore", copy, "--dry-run", "--json"))
    assert (told["before"]["reports"], told["after"]["reports"], told["backup"]) == (2, 1, None)
    assert reports() == 2


def test_restoring_what_is_no_backup_is_one_sentence(url: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes", "utf-8")
    refused = run("restore", "notes.txt", "--yes")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "is not a backup" in refused.stderr


def test_an_export_goes_into_another_database(url: str, tmp_path: Path) -> None:
    assert good("export", "all.zip").startswith("Exported ")
    said = good("import", "all.zip", "--url", "sqlite:///new.db")
    assert said.startswith("Imported all.zip into SQLite at new.db: ")
    told = json.loads(good("import", "all.zip", "--url", "sqlite:///new.db", "--replace", "--yes", "--json"))
    assert told["before"]["reports"] == told["after"]["reports"] == 1
    assert Path(told["backup"]).is_file()


def test_import_into_a_filled_database_asks_twice(url: str) -> None:
    good("export", "all.zip")
    refused = run("import", "all.zip")
    assert (refused.exit_code, "--replace --yes" in refused.stderr) == (2, True)
    refused = run("import", "all.zip", "--replace")
    assert (refused.exit_code, "repeat with --yes" in refused.stderr) == (2, True)
    assert "Nothing was changed" in good("import", "all.zip", "--replace", "--dry-run")


def test_bad_rows_are_listed(url: str, tmp_path: Path) -> None:
    good("export", "all.zip")
    spoil(tmp_path / "all.zip")
    refused = run("import", "all.zip", "--url", "sqlite:///new.db")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert (
        refused.stdout == "reports.csv, row 2: finding_count must be a whole number of 64 bits, not 'many'\n"
    )
    told = json.loads(run("import", "all.zip", "--url", "sqlite:///new.db", "--json").stdout)
    assert len(told["problems"]) == 1
    assert not (tmp_path / "new.db").exists()


def spoil(path: Path) -> None:
    from tests.database.test_export import rewrite, set_cell

    rewrite(path, "reports", lambda table: set_cell(table, 2, "finding_count", "many"))
    assert zipfile.is_zipfile(path)


def test_files_are_backed_up_and_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = FileStorage(tmp_path / ".lavendertown")
    storage.save_report(report("r1"))
    copy = json.loads(good("backup", "--json"))["backup"]
    storage.save_report(report("r2"))
    told = json.loads(good("restore", copy, "--dry-run", "--json"))
    assert (told["before"]["reports"], told["after"]["reports"], told["backup"]) == (2, 1, None)
    assert "Restored" in good("restore", copy, "--yes", "--author", "Ana")
    assert storage.count_reports() == 1
    assert storage.audit_log(component="store")[0]["actor"] == "Ana"
    assert good("import", copy, "--url", "sqlite:///new.db").startswith("Imported ")
    refused = run("export", "all.zip", "--url", str(tmp_path / ".lavendertown"))
    assert (refused.exit_code, "have no tables" in refused.stderr) == (2, True)


def test_a_backup_names_what_cannot_be_read(tmp_path: Path) -> None:
    FileStorage(tmp_path / "data").save_report(report("r1"))
    (tmp_path / "data" / "reports" / "torn.json").write_text("{")
    said = good("backup", "--url", str(tmp_path / "data")).splitlines()
    assert said[1].startswith("Unreadable, copied unchanged: reports/torn.json (not JSON, or truncated")
    told = json.loads(good("backup", "--url", str(tmp_path / "data"), "--json"))
    assert told["unreadable"][0]["item"] == "reports/torn.json"


def test_an_archive_of_a_database_goes_into_files(url: str) -> None:
    copy = json.loads(good("backup", "--archive", "--json"))["backup"]
    assert Path(copy).name.startswith("archive-")
    assert "Restored" in good("restore", copy, "--yes", "--url", "folder")
    assert FileStorage("folder").count_reports() == 1
