"""``lavendertown analyze`` on sources of the settings file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Answer = Callable[..., Any]
SETTINGS = '[sources."shop orders"]\npath = "orders.csv"\n[sources.gone]\npath = "gone.csv"\n'


@pytest.fixture(autouse=True)
def settings(folder: Path) -> None:
    (folder / "lavendertown.toml").write_text(SETTINGS)


def test_a_source_is_read_by_its_name_and_names_the_dataset(answer: Answer) -> None:
    found = answer("analyze", "--source", "shop orders")
    assert (found["file"], found["dataset"], found["coverage"]["rows"]) == ("shop orders", "shop orders", 4)
    assert answer("analyze", "--source", "shop orders", "--dataset", "orders")["dataset"] == "orders"


def test_the_report_names_the_source(run: Run, answer: Answer) -> None:
    saved = answer("analyze", "--source", "shop orders", "--save", "--author", "Ana")
    shown = json.loads(run("report", "show", saved["report_id"], "--json").stdout)
    assert shown["metadata"]["source"] == "shop orders"
    assert shown["metadata"]["file"] == ""


def test_stored_settings_are_those_of_the_dataset(run: Run, folder: Path) -> None:
    (folder / "orders.csv").write_text("id;x\n1;2\n")
    run("analyze", "--source", "shop orders", "--header-row", "0", "--save", "--author", "Ana")
    again = run("analyze", "--source", "shop orders", "--json")
    assert "Read as last time" in again.stderr
    assert json.loads(again.stdout)["coverage"]["rows"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--source", "orders.csv"],
            "There is no configured source 'orders.csv'; the configured",
        ),
        (["--source", "gone"], "There is no file"),
        (["--source", "gone", "orders.csv"], "Give either FILE or --source NAME"),
        ([], "Give either FILE or --source NAME"),
        (["--source", "gone", "--table", "a"], "do not go with --source"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(run: Run, arguments: list[str], message: str) -> None:
    result = run("analyze", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
