"""``lavendertown owners`` on files and SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Run

Answer = Callable[..., Any]
ANA = ("--author", "Ana")


def test_rules_are_added_listed_and_removed(answer: Answer, run: Run) -> None:
    assert run("owners", "list").stdout == "No owner rules.\n"
    answer("owners", "add", "Ana", "--dataset", "ord*", *ANA)
    added = answer("owners", "add", "Ben", "--column", "amount", "--first", *ANA)
    assert added == [
        {"dataset": "", "column": "amount", "owner": "Ben", "source": "team"},
        {"dataset": "ord*", "column": "", "owner": "Ana", "source": "team"},
    ]
    lines = run("owners", "list").stdout.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["1", "any", "amount", "Ben", "team"],
        ["2", "ord*", "any", "Ana", "team"],
    ]
    answer("analyze", "orders.csv", "--save", *ANA)
    found = {each["column"]: each["assignee"] for each in answer("findings", "inbox")}
    assert found == {"amount": "Ben", "country": "Ana"}
    assert [each["owner"] for each in answer("owners", "remove", "1", *ANA)] == ["Ana"]


def test_rules_of_the_settings_come_first_and_are_not_removed(
    answer: Answer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", "dataset:orders = Cy")
    rules = answer("owners", "add", "Ana", "--dataset", "*", *ANA)
    assert [(each["owner"], each["source"]) for each in rules] == [("Cy", "settings"), ("Ana", "team")]
    refused = run("owners", "remove", "1", *ANA)
    assert refused.exit_code == 2
    assert "The owner rule 1 (dataset:orders = Cy) is in the settings" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "Ana", *ANA), "An owner rule needs a dataset, a column or both"),
        (("add", " ", "--dataset", "x", *ANA), "An owner rule needs a person"),
        (("add", "Ana", "--dataset", "x"), "The author is missing."),
        (("remove", "1", *ANA), "There is no owner rule 1;"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    result = run("owners", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
