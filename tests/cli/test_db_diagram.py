from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.stores.sql.schema.tables import metadata

DOT = shutil.which("dot")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, without Graphviz."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


def install_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program named dot on the path."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("options", [["--format", "dot"], ["--output", "tables.dot"], ["--output", "t.gv"]])
def test_the_tables_are_written_as_dot(folder: Path, options: list[str]) -> None:
    result = run("db", "diagram", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    text = result.stdout
    if "--output" in options:
        assert text == f"Wrote a diagram of {len(metadata.tables)} tables to {options[1]}.\n"
        text = (folder / options[1]).read_text()
    assert text.startswith("digraph tables {")


@pytest.mark.parametrize("options", [[], ["--output", "tables.svg"], ["--graphviz"]])
def test_an_svg_without_graphviz_is_refused_and_nothing_is_written(folder: Path, options: list[str]) -> None:
    result = run("db", "diagram", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Graphviz, and its program dot is not installed" in result.stderr
    assert "--format dot" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(DOT is None, reason="Graphviz is not installed")
def test_graphviz_draws_every_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(DOT or "").parent))
    result = run("db", "diagram")
    assert result.stdout.count('class="node"') == len(metadata.tables)


def test_a_diagram_that_graphviz_cannot_draw_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_dot(folder, monkeypatch, "echo 'Error: no layout' >&2; exit 1")
    result = run("db", "diagram")
    assert result.exit_code == 2
    assert "Graphviz could not draw the diagram (Error: no layout)." in result.stderr


def test_a_file_that_cannot_be_written_is_named() -> None:
    result = run("db", "diagram", "--output", "no/where.dot")
    assert result.exit_code == 2
    assert "no/where.dot cannot be written" in result.stderr


def test_the_audit_log_takes_an_application_s_component(folder: Path) -> None:
    (folder / "orders.csv").write_text("id,amount\n1,10.5\n2,\n", "utf-8")
    assert run("analyze", "orders.csv", "--save", "--author", "Ana").exit_code == 0
    listed = run("audit", "--component", "report", "--operation", "create", "--json")
    assert [event["actor"] for event in json.loads(listed.stdout)] == ["Ana"]
    none = run("audit", "--component", "invoices", "--operation", "soft_delete")
    assert (none.exit_code, none.stdout) == (0, "No matching changes.\n")
