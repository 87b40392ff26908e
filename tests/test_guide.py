"""The guide is run as it stands: its files are written, its samples run, its output is compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide" / "own-models.md"
PAGES = sorted(page for page in GUIDE.parent.glob("*.md") if page != GUIDE)
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVES = "lavendertown ui"
_SQLITE_URL = "sqlite:///team.db"
_SQLITE_MAPPING = '{"driver": "sqlite", "path": "team.db"}'
_PROGRAM_HEAD = """\
import subprocess


def run_shell(text):
    subprocess.run(["bash", "-euo", "pipefail", "-c", text], check=True)


"""


def blocks(page: Path = GUIDE, database_url: str = _SQLITE_URL) -> Iterator[tuple[str, str, str]]:
    """Yield language, file name (empty where it is no file) and text of each block of a page."""
    text = page.read_text("utf-8").replace(_SQLITE_URL, database_url)
    if database_url != _SQLITE_URL:
        text = text.replace(_SQLITE_MAPPING, repr(connection_mapping(database_url)))
    for found in _BLOCK.finditer(text):
        yield found[1], found[2] or "", found[3]


def connection_mapping(database_url: str) -> dict[str, object]:
    url = make_url(database_url)
    parts = {"host": url.host, "port": url.port, "name": url.database, "user": url.username}
    return {"driver": "postgresql", **parts, "password": url.password}


def follow(folder: Path) -> str:
    """Do what the guide says, in a folder; return all that was printed."""
    said = []
    for language, name, text in blocks():
        if name:
            write_file(folder, name, text)
        elif language == "bash":
            said += [_run(folder, line.split()[0], line) for line in text.splitlines() if line != SERVES]
        elif language == "python":
            said.append(_run(folder, "python", text))
    return "\n".join(said)


def run_page(page: Path, folder: Path, database_url: str, environ: dict[str, str]) -> str:
    """Write the files of a page, run all its samples as one program, and return what was printed."""
    program = [_PROGRAM_HEAD]
    for language, name, text in blocks(page, database_url):
        if name:
            write_file(folder, name, text)
        elif language == "python":
            program.append(text)
        elif language == "bash":
            program.append(f"run_shell({text!r})\n")
    (folder / "sample.py").write_text("\n".join(program), "utf-8")
    done = subprocess.run(
        [sys.executable, "-u", "-W", "error", "sample.py"],
        cwd=folder,
        env=_environment(folder) | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_file(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _run(folder: Path, program: str, text: str) -> str:
    command = ["-c", text]
    if program == "lavendertown":
        command = ["-m", "lavendertown", *shlex.split(text)[1:]]
    done = run_python(*command, folder=folder, environ=_environment(folder))
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without settings, in which ``lavendertown`` is this checkout's."""
    commands = folder / ".commands"
    commands.mkdir(exist_ok=True)
    script = commands / "lavendertown"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lavendertown "$@"\n')
    script.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAVENDERTOWN_")}
    environ["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    environ["PATH"] = os.pathsep.join([str(commands), environ.get("PATH", "")])
    return environ


@pytest.mark.timeout(300)
def test_the_guide_does_what_it_says(tmp_path: Path) -> None:
    said = follow(tmp_path)
    assert "seed_owners" in said
    assert re.search(r"owners .*create|create .*owners", said)
    assert "['Cy Young', 'Ben Stone']" in said


def assert_printed(page: Path, output: str) -> None:
    """Check that each output block of a page was printed, in their order."""
    position = 0
    for language, _, text in blocks(page):
        if language == "text":
            assert text in output[position:], output[position:]
            position = output.index(text, position) + len(text)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_page_s_samples_run_as_one_program_and_print_what_it_shows(
    page: Path, backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = _SQLITE_URL if backend == "sqlite" else request.getfixturevalue("postgres_url")
    # Pages that name no database use the configured one.
    names_database = _SQLITE_URL in page.read_text("utf-8") or _SQLITE_MAPPING in page.read_text("utf-8")
    environ = {} if names_database else {"LAVENDERTOWN_DATABASE_URL": url}
    assert_printed(page, run_page(page, tmp_path, url, environ))


def test_the_storage_page_runs_on_files(tmp_path: Path) -> None:
    page = GUIDE.with_name("storage.md")
    assert_printed(page, run_page(page, tmp_path, _SQLITE_URL, {}))
    assert (tmp_path / ".lavendertown" / "reports").is_dir()
