from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lavendertown.core.statuses import CLOSED_NAMES
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]


@pytest.fixture
def ids(saved: dict[str, Any]) -> dict[str, str]:
    """The ids of the two findings in the orders, by column."""
    return {f["column"]: f["finding_id"] for f in saved["findings"]}


def test_comment_tags_and_status_reach_the_finding(answer: Answer, ids: dict[str, str]) -> None:
    said = answer(
        "annotate", ids["amount"], "--author", "Ben", "--comment", "Asked", "--tag", "a", "--tag", "b",
        "--status", "needs-investigation",
    )  # fmt: skip
    shown = answer("findings", "show", ids["amount"])
    assert (shown["finding"]["status"], sorted(shown["finding"]["tags"])) == (
        "needs-investigation",
        ["a", "b"],
    )
    assert [(a["id"], a["author"], a["comment"]) for a in shown["annotations"]] == [
        (said["id"], "Ben", "Asked")
    ]


def test_comment_is_read_from_standard_input(run: Run, answer: Answer, ids: dict[str, str]) -> None:
    assert (
        run("annotate", ids["amount"], "--author", "Ben", "--comment", "-", text="Two\nlines\n").exit_code
        == 0
    )
    assert answer("findings", "show", ids["amount"])["annotations"][0]["comment"] == "Two\nlines"


def test_author_may_come_from_the_environment(
    run: Run, answer: Answer, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_AUTHOR", "Cleo")
    assert run("annotate", ids["amount"], "--status", "reviewed").stdout.startswith("Saved a-")
    assert answer("findings", "show", ids["amount"])["annotations"][0]["author"] == "Cleo"


def test_annotation_without_an_author_is_refused(run: Run, ids: dict[str, str]) -> None:
    result = run("annotate", ids["amount"], "--comment", "Hello")
    assert result.exit_code == 2
    assert "--author NAME" in result.stderr


@pytest.mark.parametrize("status", CLOSED_NAMES)
def test_closing_a_finding_without_a_comment_is_refused(
    run: Run, answer: Answer, ids: dict[str, str], status: str
) -> None:
    close = ("annotate", ids["amount"], "--author", "Ben", "--status", status)
    result = run(*close)
    assert result.exit_code == 2
    assert result.stderr == "Error: Closing a finding needs a reason; explain it in a comment.\n"
    assert answer("findings", "show", ids["amount"])["annotations"] == []
    assert run(*close, "--comment", "Reloaded").exit_code == 0


def test_empty_annotation_is_refused(run: Run, ids: dict[str, str]) -> None:
    result = run("annotate", ids["amount"], "--author", "Ben", "--comment", " ")
    assert result.exit_code == 2
    assert "Write a comment, pick a tag or choose a status." in result.stderr


def test_unknown_status_is_refused(run: Run, ids: dict[str, str]) -> None:
    result = run("annotate", ids["amount"], "--author", "Ben", "--status", "gone")
    assert result.exit_code == 2
    assert "'needs-investigation'" in result.stderr


def test_unknown_finding_is_refused(run: Run) -> None:
    result = run("annotate", "f1-nothing", "--author", "Ben", "--comment", "Hello")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: No report has the finding 'f1-nothing'.")


def test_ahead_keeps_what_is_said_before_the_finding_comes(run: Run, answer: Answer) -> None:
    first = answer("analyze", "orders.csv")["findings"][0]["finding_id"]
    assert run("annotate", first, "--author", "Ben", "--comment", "Soon", "--ahead").exit_code == 0
    answer("analyze", "orders.csv", "--save", "--author", "Ana")
    assert [a["comment"] for a in answer("findings", "show", first)["annotations"]] == ["Soon"]


@pytest.mark.parametrize(
    ("filters", "columns"),
    [
        ([], {"amount", "country"}),
        (["--column", "amount"], {"amount"}),
        (["--type", "null"], {"amount", "country"}),
        (["--type", "outlier"], set()),
        (["--status", "open"], {"country"}),
        (["--status", "fixed", "--status", "open"], {"amount", "country"}),
        (["--tag", "supplier"], {"amount"}),
        (["--severity", "error"], set()),
        (["--dataset", "orders"], {"amount", "country"}),
        (["--author", "Ben"], set()),
        (["--search", "COUNTRY"], {"country"}),
        (["--until", "2020-01-01"], set()),
    ],
)
def test_list_filters(answer: Answer, ids: dict[str, str], filters: list[str], columns: set[str]) -> None:
    answer(
        *("annotate", ids["amount"], "--author", "Ben", "--comment", "Reloaded"),
        *("--status", "fixed", "--tag", "supplier"),
    )
    assert {f["column"] for f in answer("findings", "list", *filters)} == columns


def test_list_is_a_table_for_people(run: Run, ids: dict[str, str]) -> None:
    lines = run("findings", "list").stdout.splitlines()
    assert {line.split()[0] for line in lines[1:]} == set(ids.values())


def test_show_tells_the_thread(run: Run, ids: dict[str, str]) -> None:
    run("annotate", ids["amount"], "--author", "Ben", "--comment", "Asked", "--status", "reviewed")
    shown = run("findings", "show", ids["amount"]).stdout
    assert "orders · warning · reviewed · seen in 1 report" in shown
    assert "Ben, " in shown
    assert "  Asked\n" in shown


def test_show_of_an_unknown_finding_is_refused(run: Run) -> None:
    result = run("findings", "show", "f1-nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "lavendertown findings list" in result.stderr


def test_audit_tells_who_did_what(run: Run, answer: Answer, ids: dict[str, str]) -> None:
    said = answer("annotate", ids["amount"], "--author", "Ben", "--comment", "Asked")
    assert [(e["actor"], e["operation"], e["record_id"]) for e in answer("audit", "--actor", "Ben")] == [
        ("Ben", "create", said["id"])
    ]
    assert [e["component"] for e in answer("audit", "--component", "report")] == ["report"]
    assert answer("audit", "--record", said["id"])[0]["after"]["comment"] == "Asked"
    assert run("audit", "--until", "2020-01-01").stdout == "No matching changes.\n"
