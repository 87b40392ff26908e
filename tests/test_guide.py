"""The guide is run as it stands: its files are written, its commands and scripts run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "own-models.md"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVES = "lavendertown ui"


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield language, file name (empty where it is no file) and text of each block of the guide."""
    for found in _BLOCK.finditer(GUIDE.read_text("utf-8")):
        yield found[1], found[2] or "", found[3]


def follow(folder: Path) -> str:
    """Do what the guide says, in a folder; return all that was printed."""
    said = []
    for language, name, text in blocks():
        if name:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif language == "bash":
            said += [_run(folder, line.split()[0], line) for line in text.splitlines() if line != SERVES]
        elif language == "python":
            said.append(_run(folder, "python", text))
    return "\n".join(said)


def _run(folder: Path, program: str, text: str) -> str:
    command = [sys.executable, "-c", text]
    if program == "lavendertown":
        import shlex

        command = [sys.executable, "-m", "lavendertown", *shlex.split(text)[1:]]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAVENDERTOWN_")}
    environ["PYTHONPATH"] = os.pathsep.join([str(folder), str(GUIDE.parents[2])])
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.timeout(300)
def test_the_guide_does_what_it_says(tmp_path: Path) -> None:
    said = follow(tmp_path)
    assert "seed_owners" in said
    assert re.search(r"owners .*create|create .*owners", said)
    assert "['Cy Young', 'Ben Stone']" in said
