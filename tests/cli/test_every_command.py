"""What holds for every command: help with an example, sentences, exit codes, the reference page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lavendertown import __version__
from lavendertown.cli import cli
from lavendertown.cli.errors import ErrorHandlingGroup
from lavendertown.cli.reference import render_reference, walk_commands

ROOT = Path(__file__).parents[2]
EVERY = [pytest.param(path, command, id=path) for path, command in walk_commands(cli, "lavendertown")]


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_help_has_an_example(path: str, command: click.Command) -> None:
    result = CliRunner().invoke(cli, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.stdout
    examples = result.stdout.split("Example:\n")[1].split("Options:")[0]
    assert path.rsplit(" ", 1)[0] in examples


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_option_is_explained(path: str, command: click.Command) -> None:
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.help for option in options)


def test_reference_page_is_current() -> None:
    written = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert written == render_reference(), "Run: python -m lavendertown.cli.reference > docs/cli.md"


def test_module_runs_as_a_program(tmp_path: Path) -> None:
    done = lavendertown("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"lavendertown, version {__version__}\n", "")


def test_unknown_command_exits_with_2(tmp_path: Path) -> None:
    done = lavendertown("haunt", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'haunt'" in done.stderr


def test_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('storage_type = "attic"\n', "utf-8")
    done = lavendertown("report", "list", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: The storage type 'attic' (from lavendertown.toml) is unknown;")
    assert done.stderr.count("\n") == 1


def test_unforeseen_error_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(_failing(), ["fail"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "(ZeroDivisionError: division by zero)" in result.stderr
    assert "LAVENDERTOWN_DEBUG=1" in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_setting_shows_where_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DEBUG", "1")
    result = CliRunner().invoke(_failing(), ["fail"])
    assert isinstance(result.exception, ZeroDivisionError)


def _failing() -> click.Group:
    group = ErrorHandlingGroup("group")

    @group.command()
    def fail() -> None:
        raise ZeroDivisionError("division by zero")

    return group


def lavendertown(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the real program in that folder."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = 'x'; "]
    command[-1] += "from lavendertown.cli import main; main()"
    return subprocess.run(
        [*command, *args], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
