"""``lavendertown export``: a report or the inbox, to a file or to standard output."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from lavendertown.collaboration.parts import exports
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import get_storage_backend
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]


@pytest.fixture
def triaged(run: Run, answer: Answer, saved: dict[str, Any]) -> dict[str, Any]:
    """The saved report; its first finding is closed, tagged and assigned."""
    finding_id = saved["findings"][0]["finding_id"]
    options = ("--author", "Ben", "--tag", "supplier", "--status", "accepted", "--comment", "By design")
    answer("annotate", finding_id, *options)
    return saved


def elsewhere(run: Run, folder: Path, *args: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
        patch.setenv("LAVENDERTOWN_DATABASE_URL", "")
        patch.setenv("LAVENDERTOWN_DATA_DIR", str(folder / "other"))
        return run(*args)


@pytest.mark.parametrize("command", ["export", "report export", "import"])
def test_json_of_a_report_is_restored_elsewhere_with_its_evidence(
    run: Run, triaged: dict[str, Any], folder: Path, command: str
) -> None:
    report_id = triaged["report_id"]
    if command == "report export":
        made = run("report", "export", report_id, "-o", "report.json")
    else:
        made = run("export", "--report", report_id, "-o", "report.json")
    assert made.exit_code == 0
    first = json.loads((folder / "report.json").read_text("utf-8"))
    assert [profile["name"] for profile in first["evidence"]["columns"]] == ["id", "amount", "country"]
    assert first["evidence"]["samples"]
    reading = ("import",) if command == "import" else ("report", "import")
    assert elsewhere(run, folder, *reading, "report.json").exit_code == 0
    again = json.loads(elsewhere(run, folder, "export", "--report", report_id).stdout)
    assert {**again, "version": None, "annotations": _unversioned(again)} == {
        **first,
        "version": None,
        "annotations": _unversioned(first),
    }


def _unversioned(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**annotation, "version": None} for annotation in report["annotations"]]


def test_broken_evidence_is_refused_and_nothing_is_saved(
    run: Run, answer: Answer, saved: dict[str, Any]
) -> None:
    data = json.loads(run("export", "--report", saved["report_id"]).stdout)
    data["evidence"]["columns"] = [{"name": "id"}]
    data |= {"id": "r-other", "version": None}
    result = run("report", "import", "-", text=json.dumps(data))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The evidence of report 'r-other' is incomplete" in result.stderr
    assert [row["id"] for row in answer("report", "list")] == [saved["report_id"]]


def test_inbox_is_filtered_and_has_all_pages(
    run: Run, triaged: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_BATCH", 1)

    def exported(*filters: str) -> list[dict[str, str]]:
        result = run("export", "--format", "csv", *filters)
        assert (result.exit_code, result.stderr) == (0, "")
        return list(csv.DictReader(io.StringIO(result.stdout.removeprefix("\ufeff"))))

    ids = [finding["finding_id"] for finding in triaged["findings"]]
    assert {row["finding_id"] for row in exported()} == set(ids)
    (closed,) = exported("--state", "closed")
    assert (closed["finding_id"], closed["status"], closed["tags"]) == (ids[0], "accepted", "supplier")
    assert "By design" in closed["thread"]
    assert exported("--dataset", "other") == []


def test_due_date_and_assignee_of_the_inbox_are_exported(
    run: Run, triaged: dict[str, Any], folder: Path
) -> None:
    days = "".join(f"{severity}_days = 7\n" for severity in ("error", "warning", "info"))
    (folder / "lavendertown.toml").write_text(f"[triage]\n{days}", "utf-8")
    finding_id = triaged["findings"][1]["finding_id"]
    storage = get_storage_backend()
    storage.triage.decide(finding_id, Decision(assignee="Ana"), actor="Ben")
    storage.close()
    for chosen in (["--assignee", "Ana"], ["--report", triaged["report_id"]]):
        result = run("export", *chosen, "-o", "open.parquet", "--force")
        assert result.exit_code == 0, result.stderr
        rows = {row["finding_id"]: row for row in pl.read_parquet(folder / "open.parquet").to_dicts()}
        assert rows[finding_id]["assignee"] == "Ana"
        assert rows[finding_id]["due_at"] - rows[finding_id]["first_seen"] == dt.timedelta(days=7)


def test_format_follows_the_ending_of_the_file(run: Run, answer: Answer, triaged: dict[str, Any]) -> None:
    made = answer("export", "-o", "all.xlsx")
    assert made == {"file": "all.xlsx", "format": "excel", "findings": 2}
    book = openpyxl.load_workbook("all.xlsx")
    assert book.sheetnames == ["Findings", "Samples"]
    assert book["Samples"].max_row > 1
    unknown = run("export", "-o", "all.pdf")
    assert unknown.exit_code == 2
    assert (
        "The file extension of all.pdf is not a known export format; choose one with --format."
        in unknown.stderr
    )


def test_existing_file_is_kept_without_force(run: Run, saved: dict[str, Any], folder: Path) -> None:
    (folder / "open.md").write_text("mine", "utf-8")
    refused = run("export", "-o", "open.md")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "open.md already exists" in refused.stderr
    assert (folder / "open.md").read_text("utf-8") == "mine"
    assert run("export", "-o", "open.md", "--force").stdout == "Wrote 2 findings to open.md.\n"
    assert (folder / "open.md").read_text("utf-8").startswith("### All findings\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--format", "excel"], "Excel is not text; write it to a file: --output FILE.xlsx"),
        (["--report", "r", "--state", "open"], "leave out the filters of the inbox"),
        (["--json"], "--json needs --output FILE"),
        (["--report", "nothing"], "There is no report 'nothing'"),
        (["--since", "yesterday"], "'yesterday' is not a date"),
        (["-o", "missing/all.csv"], "missing/all.csv cannot be written"),
    ],
)
def test_wrong_use_exits_with_2(run: Run, saved: dict[str, Any], arguments: list[str], sentence: str) -> None:
    result = run("export", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "Unexpected error" not in result.stderr


def test_sarif_is_imported_elsewhere_with_ids_statuses_and_coverage(
    run: Run, triaged: dict[str, Any], folder: Path
) -> None:
    assert run("export", "--report", triaged["report_id"], "-o", "log.sarif").exit_code == 0
    done = elsewhere(run, folder, "import", "log.sarif", "--json")
    assert done.exit_code == 0, done.stderr
    imported = json.loads(done.stdout)
    assert (imported["dataset"], imported["findings"], imported["errored"]) == ("orders", 2, 0)
    assert imported["passed"] == triaged["coverage"]["passed"]
    shown = json.loads(elsewhere(run, folder, "findings", "list", "--json").stdout)
    keys = ("finding_id", "description", "severity", "status", "tags", "row_count", "share", "seen_at")
    here = json.loads(run("findings", "list", "--json").stdout)
    assert [{key: row[key] for key in keys} for row in shown] == [
        {key: row[key] for key in keys} for row in here
    ]
    assert [row["status"] for row in shown] == ["accepted", "open"]
    closed = json.loads(elsewhere(run, folder, "findings", "inbox", "--state", "closed", "--json").stdout)
    thread = json.loads(elsewhere(run, folder, "findings", "show", closed[0]["finding_id"], "--json").stdout)[
        "annotations"
    ]
    assert [(each["author"], each["comment"]) for each in thread] == [("Ben", "By design")]


def test_json_of_the_inbox_is_imported_elsewhere_without_loss(
    run: Run, answer: Answer, triaged: dict[str, Any], folder: Path
) -> None:
    (folder / "stock.csv").write_text("id,shelf\n1,\n2,\n3,\n4,A\n", "utf-8")
    answer("analyze", "stock.csv", "--save", "--author", "Ben")
    finding_id = answer("findings", "inbox", "--dataset", "stock")[0]["finding_id"]
    answer("annotate", finding_id, "--author", "Ana", "--comment", "Ask the store", "--tag", "shelf")
    answer("annotate", finding_id, "--author", "Ben", "--status", "reviewed")
    assert run("export", "--format", "json", "-o", "list.json").exit_code == 0
    assert elsewhere(run, folder, "import", "list.json", "--dry-run").exit_code == 0
    done = elsewhere(run, folder, "import", "list.json")
    assert done.exit_code == 0, done.stderr
    exported_again = elsewhere(run, folder, "export", "--format", "json")
    # What the triage and other reports say about a finding is in bundles.
    left_out = ("report_id", "first_seen", "times_seen", "assignee", "due_at", "close_reason", "answers")
    here, there = (
        [
            {**{key: value for key, value in row.items() if key not in left_out}}
            for row in json.loads(text)["inbox"]
        ]
        for text in ((folder / "list.json").read_text("utf-8"), exported_again.stdout)
    )
    for row in there:
        assert row["metadata"].pop("tool") == "LavenderTown"
    assert there == here
    assert {row["dataset"] for row in here} == {"orders", "stock"}
    assert any(row["samples"] for row in here)
    again = json.loads(elsewhere(run, folder, "import", "list.json", "--json").stdout)
    assert (again["new"], again["unchanged"]) == (0, len(here))


def test_sarif_of_the_inbox_keeps_the_datasets_apart(
    run: Run, answer: Answer, triaged: dict[str, Any], folder: Path
) -> None:
    (folder / "stock.csv").write_text("id,shelf\n1,\n2,\n3,\n4,A\n", "utf-8")
    answer("analyze", "stock.csv", "--save", "--author", "Ben")
    run("export", "--format", "sarif", "-o", "log.json")
    done = elsewhere(run, folder, "import", "log.json")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(elsewhere(run, folder, "findings", "inbox", "--json").stdout)
    here = answer("findings", "inbox")
    keys = ("finding_id", "dataset", "status")
    assert sorted([row[key] for key in keys] for row in shown) == sorted(
        [row[key] for key in keys] for row in here
    )


def test_sarif_that_comes_back_changes_no_later_decision(
    run: Run, answer: Answer, triaged: dict[str, Any]
) -> None:
    finding_id = triaged["findings"][0]["finding_id"]
    run("export", "--report", triaged["report_id"], "-o", "log.sarif")
    storage = get_storage_backend()
    (annotation,) = storage.get_annotations(finding_id)
    annotation.comment = "By design, says the supplier"
    storage.save_annotation(annotation)
    storage.close()
    answer("annotate", finding_id, "--author", "Ana", "--status", "reviewed")
    assert run("import", "log.sarif").exit_code == 0
    shown = answer("findings", "show", finding_id)
    assert shown["finding"]["status"] == "reviewed"
    comments = [each["comment"] for each in shown["annotations"]]
    assert comments == ["By design, says the supplier", ""]


def test_sarif_with_a_broken_status_is_refused(run: Run, answer: Answer, triaged: dict[str, Any]) -> None:
    log = json.loads(run("export", "--format", "sarif").stdout)
    annotated = next(
        bag for each in log["runs"][0]["results"] if (bag := each["properties"]["lavendertown"])["annotation"]
    )
    annotated["annotation"] = {"status": "accepted"}
    result = run("import", "-", text=json.dumps(log))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "An annotation of a finding in standard input is incomplete" in result.stderr
    assert len(answer("report", "list")) == 1
