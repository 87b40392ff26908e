from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.database.tables import metadata


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without Graphviz."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


def test_the_tables_are_drawn_as_svg() -> None:
    result = run("db", "diagram")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("<svg ")
    assert result.stdout.count('class="box"') == len(metadata.tables)


def test_the_tables_are_written_as_dot(folder: Path) -> None:
    result = run("db", "diagram", "--format", "dot", "--output", "tables.dot")
    assert result.stdout == f"Drew {len(metadata.tables)} tables into tables.dot.\n"
    assert (folder / "tables.dot").read_text().startswith("digraph tables {")


def test_without_graphviz_our_own_picture_is_made_and_that_is_said() -> None:
    result = run("db", "diagram", "--graphviz")
    assert result.exit_code == 0
    assert result.stderr == (
        "Graphviz's program dot is not installed; LavenderTown drew the picture itself.\n"
    )
    assert result.stdout.startswith("<svg ")


def test_a_file_that_cannot_be_written_is_named() -> None:
    result = run("db", "diagram", "--output", "no/where.svg")
    assert result.exit_code == 2
    assert "no/where.svg could not be written" in result.stderr


def test_the_audit_log_takes_an_application_s_component(folder: Path) -> None:
    (folder / "orders.csv").write_text("id,amount\n1,10.5\n2,\n", "utf-8")
    assert run("analyze", "orders.csv", "--save", "--author", "Ana").exit_code == 0
    listed = run("audit", "--component", "report", "--operation", "create", "--json")
    assert [event["actor"] for event in json.loads(listed.stdout)] == ["Ana"]
    none = run("audit", "--component", "invoices", "--operation", "soft_delete")
    assert (none.exit_code, none.stdout) == (0, "No change matches.\n")
