from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lavendertown.inspector import Inspector
from tests.cli.conftest import ORDERS, Run

Answer = Callable[..., Any]


def test_analyze_prints_what_it_found(run: Run) -> None:
    result = run("analyze", "orders.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "amount is empty in 1 of 4 rows (25 %)." in result.stdout
    assert "2 findings in orders.csv: 4 rows, 3 columns, " in result.stdout


def test_json_answer_is_the_inspectors(answer: Answer, folder: Path) -> None:
    found = answer("analyze", "orders.csv")
    expected = [finding.to_dict() for finding in Inspector(folder / "orders.csv").detect()]
    assert [{k: v for k, v in f.items() if k != "finding_id"} for f in found["findings"]] == expected
    assert [f["finding_id"][:3] for f in found["findings"]] == ["f1-", "f1-"]
    assert (found["dataset"], found["report_id"], found["failed"]) == ("orders", None, False)


def test_format_json_is_the_same_as_json(run: Run, answer: Answer) -> None:
    shown = json.loads(run("analyze", "orders.csv", "--format", "json").stdout)
    assert shown["findings"] == answer("analyze", "orders.csv")["findings"]


def test_finding_at_or_above_fail_on_exits_with_1(run: Run) -> None:
    assert run("analyze", "orders.csv", "--fail-on", "info").exit_code == 1
    assert run("analyze", "orders.csv", "--fail-on", "warning").exit_code == 1


def test_finding_below_fail_on_exits_with_0(run: Run) -> None:
    assert run("analyze", "orders.csv", "--fail-on", "error").exit_code == 0


def test_failed_gate_still_prints_json(run: Run) -> None:
    result = run("analyze", "orders.csv", "--fail-on", "info", "--json")
    assert (result.exit_code, json.loads(result.stdout)["failed"]) == (1, True)


def test_dash_reads_csv_from_standard_input(answer: Answer) -> None:
    found = answer("analyze", "-", "--format-in", "csv", "--dataset", "orders", text=ORDERS)
    assert len(found["findings"]) == 2
    assert found["findings"] == answer("analyze", "orders.csv")["findings"]


def test_dash_reads_json_from_standard_input(answer: Answer) -> None:
    rows = json.dumps([{"a": 1, "b": None}, {"a": 2, "b": "x"}])
    found = answer("analyze", "-", "--format-in", "json", text=rows)
    assert [f["column"] for f in found["findings"]] == ["b"]


def test_format_in_reads_a_file_of_another_name(answer: Answer, folder: Path) -> None:
    (folder / "orders.data").write_text(ORDERS, "utf-8")
    found = answer("analyze", "orders.data", "--format-in", "csv")
    assert (found["dataset"], len(found["findings"])) == ("orders", 2)


def test_missing_file_exits_with_2(run: Run) -> None:
    result = run("analyze", "missing.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'missing.csv': No such file" in result.stderr


def test_unreadable_file_exits_with_2(run: Run, folder: Path) -> None:
    (folder / "empty.csv").write_bytes(b"")
    result = run("analyze", "empty.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: empty.csv is empty (0 bytes).\n"


def test_save_keeps_a_report(run: Run, saved: dict[str, Any], answer: Answer) -> None:
    assert saved["report_id"]
    listed = answer("report", "list")
    assert [(r["id"], r["title"], r["author"], r["dataset"]) for r in listed] == [
        (saved["report_id"], "Orders", "Ana", "orders")
    ]


def test_saved_findings_have_the_printed_ids(saved: dict[str, Any], answer: Answer) -> None:
    listed = answer("findings", "list", "--report", saved["report_id"])
    assert [f["finding_id"] for f in listed] == [f["finding_id"] for f in saved["findings"]]


def test_save_says_how_to_show_it(run: Run) -> None:
    result = run("analyze", "orders.csv", "--save", "--author", "Ana")
    assert "Saved. Show it with: lavendertown report show r-" in result.stdout


def test_save_needs_an_author(run: Run) -> None:
    result = run("analyze", "orders.csv", "--save")
    assert result.exit_code == 2
    assert "--author NAME" in result.stderr


def test_saving_standard_input_needs_a_dataset(run: Run) -> None:
    result = run("analyze", "-", "--save", "--author", "Ana", text=ORDERS)
    assert result.exit_code == 2
    assert "--dataset" in result.stderr


def test_title_without_save_is_refused(run: Run) -> None:
    result = run("analyze", "orders.csv", "--title", "Orders")
    assert result.exit_code == 2
    assert "add --save" in result.stderr
