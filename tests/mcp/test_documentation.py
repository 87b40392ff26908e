"""docs/mcp.md is followed as it stands: its commands, its files for agents, its clients."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import StdioServerParameters

from lavendertown.mcp.server import TOOLS
from tests.rpc.test_servers import running
from tests.support.dashboard import ROOT
from tests.support.mcp import McpClient

PAGE = ROOT / "docs" / "mcp.md"
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text("utf-8")
    data = tmp_path / "data"
    for name, content in _FILE.findall(text):
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "orders.csv").write_text("id,amount\n1,10.5\n2,\n3,12.0\n4,11.0\n", "utf-8")
    commands = [line for block in _COMMANDS.findall(text) for line in block.splitlines()]
    # `lavendertown` is the command of this environment.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    printed = [_run(tmp_path, *line.split()) for line in commands]
    token = printed[1].strip()
    monkeypatch.setenv("LAVENDERTOWN_RPC_TOKEN", token)

    assert _run(tmp_path, sys.executable, "client.py") == "accepted triage-bot Ana\nopen\n"
    stdio = _agent_settings(tmp_path / "stdio.json", token, data)
    assert McpClient(StdioServerParameters(**stdio)).call("search_findings")["total"] == 1
    with running(tmp_path, DATA_DIR=str(data)) as url:
        monkeypatch.setenv("URL", url)
        assert _run(tmp_path, sys.executable, "http_client.py") == "orders\n"
        http = _agent_settings(tmp_path / "http.json", token, data)
        assert httpx2.URL(http["url"]).path == "/mcp"
        _, bearer = http["headers"]["Authorization"].split()
        assert McpClient(f"{url}/mcp", bearer).call("search_findings")["total"] == 1


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _agent_settings(path: Path, token: str, data: Path) -> Any:
    text = path.read_text("utf-8").replace("lt_…", token).replace("/srv/quality/.lavendertown", str(data))
    return json.loads(text)["mcpServers"]["lavendertown"]


def _fail(*_: Any) -> Any:
    pytest.fail("no tool is called")


def test_the_page_names_every_tool() -> None:
    tools = [tool for part in TOOLS for tool in part(_fail, _fail).list_tools()]
    table = PAGE.read_text("utf-8").partition("## Tools")[2]
    assert [tool.name for tool in tools if f"`{tool.name}`" not in table] == []
