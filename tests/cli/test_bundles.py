"""Bundles on the command line: out of one store, into another, and back out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lavendertown.cli.options import open_storage
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]
FILE = "orders.bundle.zip"


@pytest.fixture
def bundle(run: Run, answer: Answer, saved: dict[str, Any]) -> dict[str, Any]:
    """The saved report with a comment, exported to a bundle."""
    finding_id = saved["findings"][0]["finding_id"]
    answer("annotate", finding_id, "--author", "Ben", "--comment", "Ask the shop")
    answer("export", "--report", saved["report_id"], "-o", FILE)
    return saved


@pytest.fixture
def elsewhere(run: Run, folder: Path) -> Run:
    """Run a command on another store, in files."""

    def run_there(*args: str, text: str | bytes | None = None) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
            patch.setenv("LAVENDERTOWN_DATABASE_URL", "")
            patch.setenv("LAVENDERTOWN_DATA_DIR", str(folder / "other"))
            return run(*args, text=text)

    return run_there


def test_a_bundle_is_previewed_imported_and_undone(bundle: dict[str, Any], elsewhere: Run) -> None:
    previewed = elsewhere("import", FILE, "--dry-run")
    assert previewed.exit_code == 0
    assert "orders is a new dataset: 2 findings new here, 0 known." in previewed.stdout
    assert "Reports: 1 new.\nComments: 1 new.\n" in previewed.stdout
    assert "Nothing was saved." in previewed.stdout
    assert json.loads(elsewhere("report", "list", "--json").stdout) == []

    imported = elsewhere("import", FILE, "--author", "Zoe")
    undo = imported.stdout.splitlines()[-1].split("run: ")[1]
    (row,) = json.loads(elsewhere("report", "list", "--json").stdout)
    assert (row["id"], row["author"]) == (bundle["report_id"], "Ana")
    assert "Nothing changed" in elsewhere("import", FILE).stdout

    undone = elsewhere(*undo.split()[1:], "--author", "Zoe")
    assert undone.stdout.startswith("Undone: 1 report, 1 comment and 0 decisions.")
    assert json.loads(elsewhere("report", "list", "--json").stdout) == []
    again = elsewhere(*undo.split()[1:])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "is undone already" in again.stderr
    assert "Reports: 1 new." in elsewhere("import", FILE).stdout


def test_json_says_the_same(bundle: dict[str, Any], elsewhere: Run, folder: Path) -> None:
    dry = json.loads(elsewhere("import", FILE, "--dry-run", "--json").stdout)
    # From standard input, too.
    done = json.loads(elsewhere("import", "-", "--json", text=(folder / FILE).read_bytes()).stdout)
    assert {**dry, "saved": True, "file": done["file"]} == done
    assert dry["reports"] == {"new": 1, "changed": 0, "unchanged": 0, "kept": 0, "in_trash": 0}
    assert dry["datasets"] == [{"dataset": "orders", "report_count": 0, "new": 2, "known": 0}]
    assert dry["report_list"][0]["state"] == "new"
    undone = json.loads(elsewhere("import", "--undo", done["bundle_id"], "--json").stdout)
    assert (undone["undone"], undone["reports"], undone["annotations"]) == (True, 1, 1)


def test_incidents_and_deletions_are_counted(
    run: Run, answer: Answer, elsewhere: Run, bundle: dict[str, Any]
) -> None:
    finding_id = bundle["findings"][0]["finding_id"]
    elsewhere("import", FILE)
    answer("incidents", "create", "Loader down", finding_id, "--author", "Ana")
    with open_storage() as storage:
        (note,) = storage.query_annotations()
        storage.delete_annotation(note["id"], actor="Ben")
    written = run("export", "--report", bundle["report_id"], "-o", "next.bundle.zip")
    assert written.stdout == (
        "Wrote 1 report with 2 findings, 0 comments, 0 decisions, 1 incident and 1 deletion to "
        "next.bundle.zip.\n"
    )
    numbers = answer("export", "--report", bundle["report_id"], "-o", "json.bundle.zip")
    assert (numbers["incidents"], numbers["deletions"]) == (1, 1)
    previewed = elsewhere("import", "next.bundle.zip", "--dry-run").stdout
    assert "Incidents: 1 new.\nDeletions: 1 moved to the trash.\n" in previewed
    done = json.loads(elsewhere("import", "next.bundle.zip", "--json").stdout)
    assert done["incidents"]["new"] == 1
    assert done["deletions"] == {"trashed": 1, "kept": 0, "gone": 0}
    assert "Deletions: 1 not here anyway." in elsewhere("import", "next.bundle.zip").stdout
    undone = elsewhere("import", "--undo", done["bundle_id"]).stdout
    assert undone.startswith("Undone: 0 reports, 1 comment, 0 decisions and 1 incident.")


def test_importing_where_it_came_from_changes_nothing(bundle: dict[str, Any], answer: Answer) -> None:
    before = answer("audit")
    assert answer("import", FILE)["saved"] is False
    assert answer("audit") == before


def test_a_bundle_has_several_reports(run: Run, answer: Answer, bundle: dict[str, Any]) -> None:
    second = answer("analyze", "orders.csv", "--save", "--author", "Ana", "--title", "Again")["report_id"]
    both = ("--report", bundle["report_id"], "--report", second)
    made = run("export", *both, "-o", "both.bundle.zip")
    assert made.stdout == "Wrote 2 reports with 4 findings, 1 comment and 0 decisions to both.bundle.zip.\n"
    printed = run("export", *both, "--format", "bundle", "-o", "-")
    assert printed.stdout_bytes.startswith(b"PK")
    refused = run("export", *both, "--format", "csv")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Only a bundle can have several reports" in refused.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("export", "--format", "bundle", "-o", "x.bundle.zip"), "A bundle needs the reports"),
        (("export", "--format", "bundle", "--report", "r1"), "A bundle is not text"),
        (("export", "--report", "r1", "-o", "x.bundle.zip"), "There is no report 'r1'"),
        (("export", "--report", "r1", "-o", FILE), "already exists"),
        (("import", FILE, FILE), "A bundle is imported alone"),
        (("import", FILE, "--dataset", "x"), "A bundle is imported alone"),
        (("import", FILE, "--fail-on", "new"), "A bundle is imported alone"),
        (("import", "--undo", "b-0"), "There is no report or bundle 'b-0'"),
        (("db", "restore", FILE, "--yes"), f"lavendertown import {FILE}"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: Run, bundle: dict[str, Any], args: tuple[str, ...], message: str
) -> None:
    refused = run(*args)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_backup_is_not_imported(run: Run, answer: Answer, bundle: dict[str, Any]) -> None:
    refused = run("import", answer("db", "backup", "--archive")["backup"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "`lavendertown db restore`" in refused.stderr
