from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lavendertown.demo import public_tables
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]


def test_demo_says_what_it_wrote_and_what_next(run: Run, answer: Answer) -> None:
    result = run("demo", "--reports", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Wrote 3 reports on movies, passengers, penguins with ")
    assert result.stdout.endswith("To open the dashboard, run: lavendertown ui\n")
    assert len(answer("report", "list")) == 3


def test_demo_again_adds_nothing_and_says_so(run: Run, answer: Answer) -> None:
    run("demo", "--reports", "2")
    again = run("demo", "--reports", "3")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "already has the demo data; nothing was added." in again.stdout
    assert len(answer("report", "list")) == 2
    assert answer("demo")["added"] is False


def test_demo_as_json(answer: Answer) -> None:
    made = answer("demo", "--reports", "1")
    assert (made["added"], made["reports"], made["datasets"]) == (True, 1, ["movies"])
    assert made["first"].endswith("+00:00")


def test_demo_does_not_mix_into_reports_of_others(run: Run, saved: dict[str, Any], answer: Answer) -> None:
    refused = run("demo", "--reports", "1")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "already has 1 report" in refused.stderr
    assert "--yes" in refused.stderr
    assert run("demo", "--reports", "1", "--yes").exit_code == 0
    assert len(answer("report", "list")) == 2


def test_demo_without_its_packages_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_tables, "find_spec", lambda _: None)
    result = run("demo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Install it with: pip install lavendertown[demo]\n")
