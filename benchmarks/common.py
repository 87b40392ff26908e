"""Shared parts of the benchmarks: lavendertown 0.7.1 (the ancestor), and a table of ratios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parent / ".bench"
ANCESTOR = "lavendertown==0.7.1"


def ancestor_python() -> Path:
    """Return the Python of the ancestor's environment; install the environment if it is missing."""
    configured = os.environ.get("LAVENDERTOWN_ANCESTOR_PYTHON")
    if configured:
        return Path(configured)
    home = CACHE / "ancestor"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        packages = [ANCESTOR, "sqlalchemy>=2", "psycopg2-binary"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


class Ancestor:
    """The ancestor on one database, in a separate process that runs commands."""

    def __init__(self, database_url: str) -> None:
        url = database_url.replace("postgresql://", "postgresql+psycopg2://")
        command = [str(ancestor_python()), "-I", str(HERE / "ancestor_worker.py"), url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read_answer()

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Run one command and return the measured seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._read_answer())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _read_answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("The process of the ancestor ended; see its error message above.")
        return line


@dataclass
class Table:
    """The results of one run, printed as Markdown."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, ours: str, other: str, ratio: str) -> None:
        """Add a row and print it immediately."""
        self.rows.append((what, ours, other, ratio))
        print(f"  {what}: {ours} against {other}: {ratio}", file=sys.stderr, flush=True)

    def show(self) -> None:
        """Print the table as Markdown."""
        print("| what | ours | other | ratio |\n|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def ms(seconds: float) -> str:
    """Format seconds as milliseconds."""
    return f"{seconds * 1e3:.3g} ms"
