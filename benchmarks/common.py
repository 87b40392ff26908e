"""What every benchmark needs: the ancestor in its own environment, a PostgreSQL, a table of ratios."""

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
    """Return the python of the ancestor's environment; install it when missing."""
    named = os.environ.get("LAVENDERTOWN_ANCESTOR_PYTHON")
    if named:
        return Path(named)
    home = CACHE / "ancestor"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        packages = [ANCESTOR, "sqlalchemy>=2", "psycopg2-binary"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


class Ancestor:
    """The ancestor on one database, in a process of its own that takes commands."""

    def __init__(self, database_url: str) -> None:
        url = database_url.replace("postgresql://", "postgresql+psycopg2://")
        command = [str(ancestor_python()), "-I", str(HERE / "ancestor_worker.py"), url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Run one command and return what it measured, in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._answer())

    def close(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("The ancestor's process ended; see its message above.")
        return line


@dataclass
class Table:
    """The figures of one run, printed as Markdown."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, ours: str, other: str, ratio: str) -> None:
        """Add one line and show it at once."""
        self.rows.append((what, ours, other, ratio))
        print(f"  {what}: {ours} against {other}: {ratio}", file=sys.stderr, flush=True)

    def show(self) -> None:
        """Print the table."""
        print("| what | ours | other | ratio |\n|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def ms(seconds: float) -> str:
    """Return seconds as milliseconds for a table."""
    return f"{seconds * 1e3:.3g} ms"
