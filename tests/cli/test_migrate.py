"""``lavendertown migrate``: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from tests.contract.builders import report

OLD = Path(__file__).parents[1] / "schema" / "assets" / "071" / "folder"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path


def run(*args: str, source: str = "old", target: str = "sqlite:///new.db") -> Result:
    return CliRunner().invoke(cli, ["migrate", "--from", source, "--to", target, *args])


def test_a_move_says_what_it_did() -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "both stores were read back and are equal" in result.stdout
    again = run()
    assert again.exit_code == 0
    assert "The target already has all records; nothing was written" in again.stdout


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    result = run("--dry-run")
    assert result.exit_code == 0
    assert "nothing was written" in result.stdout
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_json_is_one_object_with_the_promised_keys() -> None:
    said = json.loads(run("--json").stdout)
    assert said["reports"] == {"read": 2, "written": 2, "skipped": 0, "conflicts": 0}
    assert said["findings"] == {"read": 3, "written": 3, "skipped": 0, "conflicts": 0}
    assert said["annotations"] == {"read": 4, "written": 4, "skipped": 0, "conflicts": 0}
    assert said["rulesets"] == {"read": 1, "written": 1, "skipped": 0, "conflicts": 0}
    assert (said["quarantined"], said["verified"]) == ([], True)


def test_what_cannot_be_read_ends_in_one(folder: Path) -> None:
    (folder / "old/reports/torn.json").write_text('{"id": "torn", "ti')
    result = run("--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert [item["item"] for item in said["quarantined"]] == ["reports/torn.json"]
    assert said["verified"] is True
    copy = Path(said["quarantine_folder"]) / "reports%2Ftorn.json"
    assert copy.read_text() == '{"id": "torn", "ti'
    assert "Not migrated: reports/torn.json" in run().stdout


def test_a_conflict_ends_in_one_and_is_named(folder: Path) -> None:
    FileStorage("mine").save_report(report("r1", title="Mine"))
    storage = DatabaseStorage("sqlite:///new.db")
    storage.save_report(report("r1", title="Theirs"))
    kept = run(source="mine")
    assert kept.exit_code == 1
    assert "Conflict: report r1 (Mine): source version 1 by alice, target version 1" in kept.stdout
    assert storage.query_reports()[0]["title"] == "Theirs"
    refused = run("--on-conflict", "fail", source="mine")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "nothing was migrated" in refused.stderr
    overwritten = run("--on-conflict", "overwrite", source="mine")
    assert overwritten.exit_code == 1
    for said in (kept, overwritten):
        counts = [list(map(int, row.split()[-5:])) for row in said.stdout.splitlines() if row[-1:].isdigit()]
        assert counts
        assert all(row[0] == sum(row[1:]) for row in counts)
    assert storage.query_reports()[0]["title"] == "Mine"
    assert run(source="mine").exit_code == 0
    storage.close()


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("old", "old", "Source and target are the same store"),
        ("nowhere", "sqlite:///new.db", "nowhere does not exist"),
        ("old", "oracle://x/y", "not supported"),
        ("old", "new.db", "enter sqlite:///new.db"),
        ("sqlite:///old/none.db", "new", "none.db does not exist"),
        ("old", "postgresql://127.0.0.1:1/x", "does not answer"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    folder: Path, source: str, target: str, words: str
) -> None:
    result = run(source=source, target=target)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_a_zone_that_is_none_is_refused(folder: Path) -> None:
    result = run("--timezone", "Mars/Olympus")
    assert result.exit_code == 2
    assert "Mars/Olympus" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_the_zone_says_what_times_mean() -> None:
    assert run("--timezone", "Asia/Tokyo").exit_code == 0
    storage = DatabaseStorage("sqlite:///new.db")
    times = {row["title"]: row["created_at"].isoformat() for row in storage.query_reports()}
    storage.close()
    assert times["Plain"] == "2025-05-31T14:59:59+00:00"


def test_a_password_is_never_printed() -> None:
    result = run("--json", target="postgresql://ana:geheim@127.0.0.1:1/x")
    assert result.exit_code == 2
    assert "geheim" not in result.stdout + result.stderr


def test_who_moves_stands_in_the_audit_log() -> None:
    run("--author", "Ana")
    storage = DatabaseStorage("sqlite:///new.db")
    (event,) = storage.audit_log()
    storage.close()
    assert (event["actor"], event["component"], event["operation"]) == ("Ana", "store", "move")
