"""docs/mcp.md with an agent framework: its sample runs, by stdio and by HTTP, before a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.test_access import READS, WRITES
from tests.rpc.test_servers import running
from tests.support.dashboard import ROOT

PAGE = ROOT / "docs" / "mcp.md"
PYTHON = Path(os.environ["LAVENDERTOWN_TEST_MCP_AGENT"]).absolute() / "bin" / "python"
"""Of the environment that ``scripts/mcp_agent.sh`` made."""
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page and its findings; the token of its commands is in the settings."""
    text = PAGE.read_text("utf-8")
    for name, content in _FILE.findall(text):
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "orders.csv").write_text("id,amount\n1,10.5\n2,\n3,12.0\n4,11.0\n", "utf-8")
    # `lavendertown` is the command of this environment.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    printed = [
        run(tmp_path, *line.split()) for block in _COMMANDS.findall(text) for line in block.splitlines()
    ]
    for name in ("stdio.json", "http.json"):
        file = tmp_path / name
        settings = file.read_text("utf-8").replace("lt_…", printed[1].strip())
        file.write_text(settings.replace("/srv/quality/.lavendertown", str(tmp_path / "data")), "utf-8")
    return tmp_path


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def transport(name: str, project: Path) -> Iterator[str]:
    """Yield the settings file of a transport, while its server runs."""
    if name == "stdio":
        yield "stdio.json"
        return
    with running(project, DATA_DIR=str(project / "data")) as url:
        file = project / "http.json"
        file.write_text(file.read_text("utf-8").replace("http://localhost:8501", url), "utf-8")
        yield "http.json"


@pytest.mark.parametrize("name", ["stdio", "http"])
def test_an_agent_works_on_findings(name: str, project: Path) -> None:
    with transport(name, project) as settings:
        seen = json.loads(run(project, PYTHON, Path(__file__).with_name("scripted_agent.py"), settings))
    assert seen["output"] == "All is decided."
    assert set(seen["tools"]) == READS | WRITES
    assert ("amount" in seen["description"], seen["reports"]) == (True, 1)
    assert "needs a reason" in seen["refusal"]
    assert (seen["accepted"], seen["undone"]["changed_findings"]) == ("accepted", 1)
    assert seen["generated"]["search_findings"]["total"] >= 0
    finding = seen["read"]["finding"]
    assert (finding["status"], finding["assignee"], finding["snoozed"]) == ("open", "Ben", True)
    assert [each["comment"] for each in seen["read"]["comments"]] == ["The supplier knows."]
    assert {(each["actor"], each["on_behalf_of"]) for each in made_by_agent(seen["read"])} == {
        ("triage-bot", "Ana"),
        ("triage-bot", ""),  # The undo, which names nobody.
    }


def made_by_agent(read: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in read["history"] if each["actor"] == "triage-bot"]
