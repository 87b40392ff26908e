"""Rows are given out as Excel files, and the filled files are read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Run

Saved = dict[str, Any]


@pytest.fixture
def create(saved: Saved, answer: Callable[..., Any]) -> Callable[..., Any]:
    """Run ``worklist create`` on ``orders.csv`` as Ana; the worklists come back."""

    def run_create(*args: str) -> Any:
        named = ("--report", saved["report_id"], "--out", "lists", "--author", "Ana")
        return answer("worklist", "create", "orders.csv", *named, *args)

    return run_create


def fill(file: str | Path, answers: dict[int, tuple[str, str]], target: str = "filled.xlsx") -> None:
    """Mark rows, by their numbers in the source, as done or cannot with a reason."""
    book = load_workbook(file)
    sheet = book["Rows"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        mark, reason = answers.get(sheet.cell(row, columns["row"]).value, ("", ""))
        if mark:
            sheet.cell(row, columns[mark], "x")
            sheet.cell(row, columns["reason"], reason)
    book.save(target)


def read_rows(file: str | Path) -> list[dict[str, Any]]:
    head, *rows = load_workbook(file)["Rows"].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def find_id(saved: Saved, column: str) -> str:
    (found,) = (each["finding_id"] for each in saved["findings"] if each["column"] == column)
    return str(found)


def test_each_owner_gets_a_file_with_the_rows_of_their_findings(
    saved: Saved, create: Callable[..., Any], run: Run
) -> None:
    from lavendertown.collaboration.parts.triage import Decision
    from lavendertown.collaboration.storage import get_storage_backend

    storage = get_storage_backend()
    storage.triage.decide(find_id(saved, "country"), Decision(assignee="Ben"), actor="Ana")
    storage.close()
    unassigned, ben = create("--key", "id")
    assert (unassigned["owner"], ben["owner"], ben["row_count"]) == ("", "Ben", 1)
    (row,) = read_rows(ben["file"])
    assert (row["row"], row["id"], row["column"], row["value"]) == (4, 3, "country", None)
    assert row["dataset"] == "orders"
    assert row["finding"].startswith("country is empty in 1 of 4 rows")
    assert Path(ben["file"]).name == f"worklist-Ben-{ben['id'].removeprefix('w-')}.xlsx"
    listed = run("worklist", "list", "--report", saved["report_id"]).stdout
    assert "unassigned" in listed
    assert "Ben" in listed


def test_a_filled_file_comes_back_and_the_finding_shows_it(
    saved: Saved, create: Callable[..., Any], answer: Callable[..., Any], run: Run
) -> None:
    (made,) = create()
    fill(made["file"], {3: ("done", ""), 4: ("cannot", "The customer is unknown")})
    named = ("worklist", "read", "filled.xlsx", "--author", "Ben")
    preview = answer(*named, "--dry-run")
    assert (preview["dry_run"], preview["saved"], len(preview["changes"])) == (True, 0, 2)
    assert answer(*named)["saved"] == 2
    again = answer(*named)
    assert (again["saved"], again["unchanged"], again["open"]) == (0, 2, 0)
    shown = answer("findings", "show", find_id(saved, "country"))["worklist"]
    assert (shown["row_count"], shown["done_count"], shown["cannot_count"]) == (1, 0, 1)
    assert shown["reasons"][0]["reason"] == "The customer is unknown"
    assert "1 of 1 row answered: 1 done, 0 cannot" in run("findings", "show", find_id(saved, "amount")).stdout


def test_conflicts_are_shown_and_overwritten_on_request(
    create: Callable[..., Any], answer: Callable[..., Any], run: Run
) -> None:
    (made,) = create()
    fill(made["file"], {3: ("done", "")})
    answer("worklist", "read", "filled.xlsx", "--author", "Ben")
    fill(made["file"], {3: ("cannot", "Gone"), 4: ("done", "")}, "other.xlsx")
    result = run("worklist", "read", "other.xlsx", "--author", "Cy")
    assert result.exit_code == 1
    assert "Conflict in row 3, key 2: the file has 'cannot' (Gone), Ben stored 'done'." in result.stdout
    assert "1 answer stored." in result.stdout
    read = answer("worklist", "read", "other.xlsx", "--author", "Cy", "--overwrite")
    assert (read["saved"], read["overwritten"]) == (1, 1)
    assert answer("worklist", "undo", made["id"], "--author", "Cy")["undone"] == 1
    (row,) = answer("worklist", "list")
    assert (row["done_count"], row["cannot_count"]) == (2, 0)
    result = run("worklist", "undo", made["id"], "--author", "Cy")
    assert (result.exit_code, result.stdout) == (1, "Nothing to take back.\n")


def test_rows_with_problems_are_listed_and_the_others_are_stored(
    create: Callable[..., Any], run: Run
) -> None:
    (made,) = create()
    fill(made["file"], {3: ("done", ""), 4: ("cannot", "")})
    result = run("worklist", "read", "filled.xlsx", "--author", "Ben")
    assert result.exit_code == 1
    assert "filled.xlsx, row 3: 'cannot' is marked without a reason." in result.stdout
    assert "1 answer stored. 0 known before, 1 row open. 1 problem." in result.stdout


def test_csv_saved_from_a_file_is_read(create: Callable[..., Any], answer: Callable[..., Any]) -> None:
    (made,) = create()
    rows = read_rows(made["file"])
    rows[0]["done"] = "TRUE"
    with Path("filled.csv").open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(reversed(rows))
    assert answer("worklist", "read", "filled.csv", "--author", "Ben")["saved"] == 1


def test_masked_values_are_masked_except_those_of_a_chosen_key(
    create: Callable[..., Any], run: Run, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "id,amount")
    (made,) = create("--finding", find_id(saved, "country"))
    assert [row["id"] for row in read_rows(made["file"])] == ["•••"]
    named = ("--report", saved["report_id"], "--out", "lists", "--author", "Ana", "--json")
    result = run("worklist", "create", "orders.csv", *named, "--key", "id", "--key", "amount")
    assert "The files have values of masked columns, because they are keys: id, amount." in result.stderr
    (made,) = json.loads(result.stdout)
    assert [(row["id"], row["amount"]) for row in read_rows(made["file"])] == [(2, None), (3, 12)]
    fill(made["file"], {4: ("cannot", "Gone")})
    run("worklist", "read", "filled.xlsx", "--author", "Ben")
    shown = json.loads(run("findings", "show", find_id(saved, "country"), "--json").stdout)
    assert [each["key"] for each in shown["worklist"]["reasons"]] == ["•••, •••"]


def test_other_data_than_that_of_the_report_is_refused(saved: Saved, folder: Path, run: Run) -> None:
    named = ("--report", saved["report_id"], "--out", "lists", "--author", "Ana")
    text = (folder / "orders.csv").read_text("utf-8")
    for changed, reason in (
        (f"{text}5,1,DE\n", "has 5 rows, and the report was made of 4."),
        (text.replace("amount", "price"), "has other columns than the table of the report."),
        (text.replace("2,,NL", "9,,NL"), "has other values than the report in the rows of: amount is empty"),
    ):
        (folder / "orders.csv").write_text(changed, "utf-8")
        result = run("worklist", "create", "orders.csv", *named)
        assert result.exit_code == 2
        assert reason in result.stderr
    assert not (folder / "lists").exists()
    assert run("worklist", "list").stdout == "No worklists.\n"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("read", "orders.csv", "--author", "Ben"), "orders.csv is not a worklist"),
        (("read", "nothing.xlsx", "--author", "Ben"), "nothing.xlsx cannot be read: No such file"),
        (("undo", "w-1", "--author", "Ben"), "There is no worklist 'w-1' in this store."),
        (("delete", "w-1", "--author", "Ben"), "There is no worklist 'w-1'."),
        (("restore", "w-1", "--author", "Ben"), "There is no worklist 'w-1' in the trash."),
        (
            ("create", "orders.csv", "--report", "r-1", "--out", "x", "--author", "Ben"),
            "There is no report 'r-1'.",
        ),
    ],
)
def test_a_refusal_is_one_sentence(run: Run, args: tuple[str, ...], text: str) -> None:
    result = run("worklist", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {text}")
    assert len(result.stderr.splitlines()) == 1


def test_files_that_cannot_be_written_leave_no_worklist(saved: Saved, folder: Path, run: Run) -> None:
    (folder / "lists").write_text("a file")
    named = ("--report", saved["report_id"], "--out", "lists/x", "--author", "Ana")
    result = run("worklist", "create", "orders.csv", *named)
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: lists/x cannot be written: Not a directory. Choose another folder.\n",
    )
    assert run("worklist", "list").stdout == "No worklists.\n"


def test_a_worklist_can_be_deleted_and_restored(
    create: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    (made,) = create()
    answer("worklist", "delete", made["id"], "--author", "Ana")
    assert answer("worklist", "list") == []
    answer("worklist", "restore", made["id"], "--author", "Ana")
    assert [row["id"] for row in answer("worklist", "list")] == [made["id"]]
