from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]


@pytest.fixture
def two(answer: Answer, saved: dict[str, Any], folder: Path) -> list[str]:
    """Ana's report on orders, with a discussed finding, and Ben's on stock."""
    (folder / "stock.csv").write_text("id,shelf\n1,\n2,\n3,\n4,A\n", "utf-8")
    stock = answer("analyze", "stock.csv", "--save", "--author", "Ben", "--tag", "weekly")
    answer(
        "annotate",
        saved["findings"][0]["finding_id"],
        "--author",
        "Ben",
        "--tag",
        "supplier",
        "--status",
        "reviewed",
    )
    return [saved["report_id"], stock["report_id"]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], [1, 0]),
        (["--author", "Ana"], [0]),
        (["--author", "Ana", "--author", "Ben"], [1, 0]),
        (["--author", "ana"], []),
        (["--dataset", "stock"], [1]),
        (["--search", "SHELF"], [1]),
        (["--tag", "weekly"], [1]),
        (["--tag", "supplier"], [0]),
        (["--tag", "supplier", "--tag", "weekly"], []),
        (["--status", "reviewed"], [0]),
        (["--status", "fixed"], []),
        (["--severity", "error"], [1]),
        (["--since", "2020-01-01"], [1, 0]),
        (["--until", "2020-01-01"], []),
        (["--limit", "1"], [1]),
        (["--limit", "1", "--offset", "1"], [0]),
    ],
)
def test_list_filters(answer: Answer, two: list[str], filters: list[str], expected: list[int]) -> None:
    assert [r["id"] for r in answer("report", "list", *filters)] == [two[i] for i in expected]


def test_list_is_a_table_for_people(run: Run, two: list[str]) -> None:
    lines = run("report", "list").stdout.splitlines()
    assert lines[0].split() == ["ID", "CREATED", "AUTHOR", "DATASET", "ERRORS", "WARNINGS", "INFOS", "TITLE"]
    assert [line.split()[0] for line in lines[1:]] == [two[1], two[0]]


def test_list_says_that_there_is_more(run: Run, two: list[str]) -> None:
    assert run("report", "list", "--limit", "1").stderr == "1 of 2 shown. For more, use --offset 1.\n"


def test_empty_list_says_so(run: Run) -> None:
    result = run("report", "list")
    assert (result.exit_code, result.stdout) == (0, "No matching reports.\n")


def test_empty_list_is_an_empty_array(answer: Answer) -> None:
    assert answer("report", "list") == []


def test_date_that_is_none_is_refused(run: Run) -> None:
    result = run("report", "list", "--since", "yesterday")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: 'yesterday' is not a date such as")


def test_show_tells_findings_and_comments(run: Run, two: list[str], saved: dict[str, Any]) -> None:
    run("annotate", saved["findings"][0]["finding_id"], "--author", "Ana", "--comment", "Asked them")
    shown = run("report", "show", two[0]).stdout
    assert "orders · Ana · " in shown
    assert "amount is empty in 1 of 4 rows (25%)." in shown
    assert "Asked them" in shown


def test_show_as_json_is_the_whole_report(answer: Answer, two: list[str], saved: dict[str, Any]) -> None:
    shown = answer("report", "show", two[0])
    assert (shown["id"], shown["title"], shown["author"]) == (two[0], "Orders", "Ana")
    assert [f["finding_id"] for f in shown["findings"]] == [f["finding_id"] for f in saved["findings"]]
    assert [a["status"] for a in shown["annotations"]] == ["reviewed"]


def test_show_of_an_unknown_report_is_refused(run: Run) -> None:
    result = run("report", "show", "nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: There is no report 'nothing'.")


def test_control_characters_in_a_title_do_not_reach_the_terminal(run: Run) -> None:
    run("analyze", "orders.csv", "--save", "--author", "Ana", "--title", "Two\nlines\x07")
    assert run("report", "list").stdout.endswith("  Two lines\n")


def test_analysis_is_saved_as_a_report(run: Run, answer: Answer) -> None:
    analysis = run("analyze", "orders.csv", "--json").stdout
    made = answer("report", "save", "-", "--author", "Ana", "--title", "Later", text=analysis)
    shown = answer("report", "show", made["id"])
    assert (shown["title"], shown["metadata"]["dataset"], len(shown["findings"])) == ("Later", "orders", 2)


def test_saved_analysis_has_the_same_finding_ids(run: Run, answer: Answer, saved: dict[str, Any]) -> None:
    analysis = run("analyze", "orders.csv", "--json").stdout
    made = answer("report", "save", "-", "--author", "Ben", text=analysis)
    found = answer("findings", "list", "--report", made["id"])
    assert [f["finding_id"] for f in found] == [f["finding_id"] for f in saved["findings"]]


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '[{"ghost_type": "null"}]'])
def test_what_holds_no_findings_is_refused(run: Run, text: str) -> None:
    result = run("report", "save", "-", "--author", "Ana", text=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Unexpected error" not in result.stderr


def test_deleted_report_is_restored(run: Run, answer: Answer, two: list[str]) -> None:
    deleted = run("report", "delete", two[0], "--author", "Ben")
    assert deleted.stdout == (f"Deleted {two[0]}. To restore, run: lavendertown report restore {two[0]}\n")
    assert [r["id"] for r in answer("report", "list")] == [two[1]]
    assert [r["id"] for r in answer("report", "list", "--deleted")] == [two[1], two[0]]
    assert run("report", "restore", two[0]).exit_code == 0
    assert [r["id"] for r in answer("report", "list")] == [two[1], two[0]]


def test_delete_is_in_the_audit_log(run: Run, answer: Answer, two: list[str]) -> None:
    run("report", "delete", two[0], "--author", "Ben")
    events = answer("audit", "--operation", "delete")
    assert [(e["actor"], e["component"], e["record_id"]) for e in events] == [("Ben", "report", two[0])]


def test_deleting_what_is_not_there_exits_with_1(run: Run, two: list[str]) -> None:
    result = run("report", "delete", two[0], "nothing")
    assert result.exit_code == 1
    assert result.stderr == "There is no report 'nothing' to delete.\n"
    assert f"Deleted {two[0]}." in result.stdout


def test_deleted_report_says_how_to_restore_it(run: Run, two: list[str]) -> None:
    run("report", "delete", two[0])
    assert f"lavendertown report restore {two[0]}" in run("report", "show", two[0]).stderr


def test_report_travels_to_another_store(run: Run, answer: Answer, two: list[str], folder: Path) -> None:
    before = answer("report", "show", two[0])
    assert run("report", "export", two[0], "-o", "report.json").stdout == "Wrote report.json.\n"
    other = ["report", "import", "report.json"]
    moved = _elsewhere(run, folder, other)
    assert moved.exit_code == 0
    assert moved.stdout == f"Imported {two[0]}.\n"
    after = json.loads(_elsewhere(run, folder, ["report", "show", two[0], "--json"]).stdout)
    assert {**after, "version": 1} == {**before, "version": 1}


def _elsewhere(run: Run, folder: Path, args: list[str]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAVENDERTOWN_DATA_DIR", str(folder / "other"))
        return run(*args)


def test_export_goes_to_the_data_folder_by_default(run: Run, two: list[str], folder: Path) -> None:
    run("report", "export", two[0])
    written = json.loads((folder / ".lavendertown" / "exports" / f"{two[0]}.json").read_text("utf-8"))
    assert written["id"] == two[0]


def test_export_to_a_dash_is_imported_from_a_dash(run: Run, answer: Answer, two: list[str]) -> None:
    text = run("report", "export", two[0], "-o", "-").stdout
    assert answer("report", "import", "-", text=text) == [two[0]]


def test_import_does_not_write_over_a_newer_version(run: Run, two: list[str]) -> None:
    old = run("report", "export", two[0], "-o", "-").stdout
    assert run("report", "import", "-", text=old).exit_code == 0
    stale = run("report", "import", "-", text=old)
    assert (stale.exit_code, stale.stdout) == (2, "")
    assert "it is at version 2" in stale.stderr
    assert run("report", "import", "-", "--overwrite", text=old).exit_code == 0


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"findings": []}',
        '{"id": "r", "title": "t", "author": "a", "findings": 3, "created_at": "2026-01-01"}',
        '{"id": "r", "title": "t", "author": "a", "findings": [], "created_at": "soon"}',
        '{"id": "../r", "title": "t", "author": "a", "findings": [], "created_at": "2026-01-01"}',
    ],
)
def test_what_is_no_report_is_refused(run: Run, answer: Answer, text: str) -> None:
    result = run("report", "import", "-", text=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Unexpected error" not in result.stderr
    assert answer("report", "list") == []
