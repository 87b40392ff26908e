"""docs/rpc.md is followed as it stands: its files are written, its server runs, its clients call it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lavendertown.rpc import build_collaboration_bundle, build_storage_bundle
from tests.rpc.test_servers import running
from tests.support.dashboard import ROOT

PAGE = ROOT / "docs" / "rpc.md"
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    for name, content in _FILE.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAVENDERTOWN_")}
    environ["PYTHONPATH"] = str(ROOT)

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    printed = [
        run(sys.executable, "-m", *line.split())
        for block in _COMMANDS.findall(text)
        for line in block.splitlines()
    ]
    environ["LAVENDERTOWN_RPC_TOKEN"] = printed[0].strip()
    assert "rpc UsersCreateRecord(" in (tmp_path / "proto" / "my_app.proto").read_text()
    with running(tmp_path, "--app", "my_app:app") as url:
        environ["URL"] = url
        assert run("sh", "curl.sh").count("alice@example.com") == 2
        printed_by_client = run(sys.executable, "client.py")
    assert printed_by_client.splitlines() == [
        "1 Alice",
        "not_found There is no record '999' of users.",
        "ci-bot create r-1",
    ]
    assert list(tmp_path.glob("export-*.zip"))


def test_the_page_names_every_method_of_the_team_s_records() -> None:
    [service] = build_collaboration_bundle().services
    text = PAGE.read_text("utf-8")
    assert [method.name for method in service.methods if f"`{method.name}`" not in text] == []


def test_the_page_names_every_database_action() -> None:
    [service] = build_storage_bundle(accessors=[]).services
    text = PAGE.read_text("utf-8")
    # The names ending in Sqlite are those of earlier clients, and on the page in their older form.
    named = [f"Database_{method.name.removeprefix('Database')}" for method in service.methods]
    missing = [method.name for method in service.methods if f"`{method.name}`" not in text]
    assert [name for name in missing if not name.endswith("Sqlite")] == []
    assert [name for name in named if name.endswith("Sqlite") and f"`{name}`" not in text] == []
