"""A command line in an empty folder of its own, on files and on SQLite."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli

ORDERS = "id,amount,country\n1,10.5,NL\n2,,NL\n3,12.0,\n4,11.0,DE\n"
"""Two findings: amount and country are empty in one row of four each."""

Run = Callable[..., Result]


@pytest.fixture(params=["file", "sqlite"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with ``orders.csv``; its store is empty."""
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    (tmp_path / "orders.csv").write_text(ORDERS, "utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run a command; what it prints and its exit code come back."""

    def run_command(*args: str, text: str | bytes | None = None) -> Result:
        return CliRunner().invoke(cli, args, input=text, prog_name="lavendertown")

    return run_command


@pytest.fixture
def answer(run: Run) -> Callable[..., Any]:
    """Run a command with ``--json`` that must succeed; its answer comes back."""

    def read(*args: str, text: str | bytes | None = None) -> Any:
        result = run(*args, "--json", text=text)
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return read


@pytest.fixture
def saved(answer: Callable[..., Any]) -> dict[str, Any]:
    """What analyzing and saving ``orders.csv`` as Ana answered."""
    found: dict[str, Any] = answer("analyze", "orders.csv", "--save", "--author", "Ana", "--title", "Orders")
    return found


@pytest.fixture
def shop(folder: Path) -> Path:
    """An SQLite file with the table of ``orders.csv``."""
    _, *rows = csv.reader(ORDERS.splitlines())
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER, amount REAL, country TEXT)")
        cells = [[cell or None for cell in row] for row in rows]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", cells)
    return folder / "shop.db"
