"""``lavendertown report compare``: what changed since an earlier run, as a gate of a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ORDERS, Run

Answer = Callable[..., Any]


@pytest.fixture
def runs(answer: Answer, saved: dict[str, Any], folder: Path) -> list[str]:
    """The first run, and a second one in which amount is worse and country better than good."""
    worse = ORDERS.replace("10.5", "").replace("3,12.0,", "3,12.0,NL")
    (folder / "orders.csv").write_text(worse, "utf-8")
    again = answer("analyze", "orders.csv", "--save", "--author", "Ana", "--title", "Orders")
    return [saved["report_id"], again["report_id"]]


def test_a_run_is_compared_with_the_one_before(run: Run, answer: Answer, runs: list[str]) -> None:
    told = {row["column"]: row["change"] for row in answer("report", "compare", runs[1])["findings"]}
    assert told == {"amount": "worse", "country": "gone"}
    shown = run("report", "compare", runs[1])
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert f"Compared with {runs[0]} of" in shown.stdout
    assert "1 worse, 1 gone" in shown.stdout


def test_the_gate_says_no_where_something_is_worse(run: Run, runs: list[str]) -> None:
    assert run("report", "compare", runs[1], "--gate").exit_code == 1
    assert (
        run("report", "compare", runs[0], "--with", runs[1], "--gate").exit_code == 1
    )  # country is new then
    assert run("report", "compare", runs[0], "--gate").exit_code == 0


def test_a_first_run_says_so(run: Run, saved: dict[str, Any]) -> None:
    assert "This is the first run" in run("report", "compare", saved["report_id"]).stdout


def test_what_is_not_there_is_refused(run: Run, saved: dict[str, Any]) -> None:
    missing = run("report", "compare", "r-9")
    assert (missing.exit_code, missing.stderr.startswith("Error: There is no report 'r-9'.")) == (2, True)
    other = run("report", "compare", saved["report_id"], "--with", "r-9")
    assert (other.exit_code, "to compare with" in other.stderr) == (2, True)


def test_a_findings_history_is_listed(run: Run, answer: Answer, saved: dict[str, Any]) -> None:
    (first, *_) = answer("findings", "list")
    run("annotate", first["finding_id"], "--comment", "Asked.", "--author", "Ben")
    told = [
        (event["actor"], event["operation"]) for event in answer("audit", "--finding", first["finding_id"])
    ]
    assert told == [("Ben", "create")]
    assert answer("audit", "--finding", "nobody") == []
