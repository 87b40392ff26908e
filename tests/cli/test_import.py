"""``lavendertown import``: what it prints, saves and undoes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

SAMPLES = Path(__file__).parents[1] / "interchange" / "samples"
FILES = sorted(path for path in SAMPLES.glob("*/*") if "manifest" not in path.name)
DBT = str(SAMPLES / "dbt" / "generated_dbt-1.9.11__run_results.json")
MANIFEST = str(SAMPLES / "dbt" / "generated_dbt-1.9.11__manifest.json")
Answer = Callable[..., Any]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_sample_is_imported_once(answer: Answer, path: Path) -> None:
    preview = answer("import", str(path), "--dataset", "people", "--dry-run")
    saved = answer("import", str(path), "--dataset", "people")
    assert preview | {"saved": True} == saved
    assert saved["new"] == saved["findings"] > 0
    again = answer("import", str(path), "--dataset", "people")
    assert (again["report_id"], again["new"]) == (saved["report_id"], 0)
    assert len(answer("report", "list")) == 1


def test_dry_run_saves_nothing(run: Run, answer: Answer) -> None:
    printed = run("import", DBT, "--dry-run")
    assert printed.exit_code == 0
    assert "people_dq is a new dataset" in printed.stdout
    assert "5 new, 0 back, 0 unchanged, 0 gone, 0 not run." in printed.stdout
    assert answer("report", "list") == []


def test_undo_deletes_the_report(run: Run, answer: Answer) -> None:
    report_id = answer("import", DBT, MANIFEST)["report_id"]
    assert answer("import", "--undo", report_id) == {"report_id": report_id, "undone": True}
    assert answer("report", "list") == []
    assert run("import", "--undo", report_id).exit_code == 1
    assert run("import", "--undo", "i-none").exit_code == 2
    assert answer("import", DBT)["report_id"] == report_id
    assert len(answer("report", "list")) == 1


def test_several_files_are_all_saved_or_none(run: Run, answer: Answer, folder: Path) -> None:
    (folder / "bad.json").write_text("{", "utf-8")
    refused = run("import", DBT, "bad.json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Error: bad.json ends in the middle of a value")
    assert answer("report", "list") == []
    both = answer("import", DBT, str(FILES[1]))
    assert (both["report_id"], len(both["reports"])) == (None, 2)


def test_standard_input_and_our_own_files_are_read(run: Run, answer: Answer, folder: Path) -> None:
    data = Path(DBT).read_bytes()
    assert answer("import", "-", text=data)["dataset"] == "people_dq"
    found = run("analyze", "orders.csv", "--json").stdout
    saved = answer("import", "-", text=found)
    assert (saved["dataset"], saved["findings"]) == ("orders", len(json.loads(found)["findings"]))


def test_report_of_the_author_or_the_tool(answer: Answer) -> None:
    answer("import", DBT)
    answer("import", DBT, "--dataset", "people", "--author", "Ana")
    assert {row["author"] for row in answer("report", "list")} == {"dbt", "Ana"}


def test_manifest_alone_has_no_results(run: Run) -> None:
    refused = run("import", MANIFEST)
    assert refused.exit_code == 2
    assert "Give its run_results.json, too." in refused.stderr
