"""``lavendertown incidents`` on files and SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

Answer = Callable[..., Any]
ANA = ("--author", "Ana")


@pytest.fixture
def ids(saved: dict[str, Any]) -> dict[str, str]:
    """The ids of the two findings in the orders, by column."""
    return {f["column"]: f["finding_id"] for f in saved["findings"]}


def test_findings_are_grouped_discussed_and_closed(answer: Answer, run: Run, ids: dict[str, str]) -> None:
    made = answer("incidents", "create", "Till offline", ids["amount"], "--assignee", "Ben", *ANA)
    assert (made["title"], made["assignee"], made["created_by"]) == ("Till offline", "Ben", "Ana")
    name = made["id"]
    assert answer("incidents", "add", name, ids["country"], *ANA)["members"] == [
        ids["amount"],
        ids["country"],
    ]
    assert answer("incidents", "assign", name, "Cy", *ANA)["assignee"] == "Cy"
    assert run("incidents", "comment", name, "-", *ANA, text="Two\nlines\n").exit_code == 0
    shown = answer("incidents", "show", name)
    assert [row["column"] for row in shown["findings"]] == ["amount", "country"]
    assert [note["comment"] for note in shown["comments"]] == ["Two\nlines"]
    closed = answer("incidents", "close", name, "--reason", "Loaded again.", *ANA)
    assert (closed["state"], closed["status"]) == ("closed", "fixed")
    assert answer("incidents", "list", "--state", "open") == []
    assert [each["id"] for each in answer("incidents", "list", "--assignee", "Cy")] == [name]
    assert answer("incidents", "remove", name, ids["amount"], *ANA)["members"] == [ids["country"]]


def test_people_read_tables_and_sentences(run: Run, answer: Answer, ids: dict[str, str]) -> None:
    assert run("incidents", "list").stdout == "No matching incidents.\n"
    done = run("incidents", "create", "Till offline", ids["amount"], ids["country"], *ANA).stdout
    name = done.split()[1].rstrip(".")
    assert done == f"Created {name}.\n"
    line = run("incidents", "list").stdout.splitlines()[1].split()
    assert (line[0], line[3:6]) == (name, ["open", "2", "2"])
    assert run("incidents", "comment", name, "Hm.", *ANA).stdout.startswith("Saved ")
    shown = run("incidents", "show", name).stdout
    assert "open · 2 of 2 findings open · unassigned · created by Ana on" in shown
    assert "\n  Hm.\n" in shown
    assert run("incidents", "assign", name, "", *ANA).stdout == "Assigned to nobody.\n"
    assert run("incidents", "remove", name, ids["amount"], *ANA).stdout == "Removed 1 finding.\n"
    assert run("incidents", "add", name, ids["amount"], ids["country"], *ANA).stdout == "Added 1 finding.\n"
    close = ("incidents", "close", name, "--status", "accepted", "--reason", "By design.", *ANA)
    assert run(*close).stdout == "Closed 2 findings as accepted.\n"
    assert run("incidents", "reopen", name, *ANA).stdout == "Opened 2 findings.\n"
    again = run("incidents", "reopen", name, *ANA)
    assert (again.exit_code, again.stderr) == (
        2,
        "Error: No finding of the incident 'Till offline' is closed.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "incident-x"), "There is no incident 'incident-x'."),
        (("comment", "incident-x", "Hm.", *ANA), "There is no incident 'incident-x'."),
        (("create", "Title", "f1-unknown", *ANA), "There is no finding 'f1-unknown' in any report."),
        (("create", "Title", "f1-unknown"), "The author is missing."),
    ],
)
def test_what_does_not_exist_is_refused(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    result = run("incidents", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_title_and_a_reason_are_needed(run: Run, answer: Answer, ids: dict[str, str]) -> None:
    result = run("incidents", "create", " ", ids["amount"], *ANA)
    assert (result.exit_code, result.stderr) == (2, "Error: The incident has no title; give it one.\n")
    made = answer("incidents", "create", "Till offline", ids["amount"], *ANA)["id"]
    result = run("incidents", "close", made, *ANA)
    assert result.exit_code == 2
    assert "needs a reason" in result.stderr
